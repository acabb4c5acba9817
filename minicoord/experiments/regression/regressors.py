"""The networks of regression: from one lit pixel of 64 x 64 to its position (x, y).

The paper has a convolutional network for each split, because neither works on both, and one CoordConv network.

Where the paper and its released code differ, or the code is surprising, this file follows the code. The CoordConv
network has no activations, and its pooling takes the maximum. The fully convolutional network has its first batch
normalisation after a ReLU and its second before one; it ends in a ReLU, and its pooling takes the mean.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from minicoord.nn.initialisers import Rng, as_generator
from minicoord.nn.layers.activations import ReLU
from minicoord.nn.layers.base import Layer
from minicoord.nn.layers.batchnorm import BatchNorm2D
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.dense import Dense
from minicoord.nn.layers.pooling import GlobalAvgPool, GlobalMaxPool, MaxPool2D
from minicoord.nn.layers.shape import Flatten
from minicoord.nn.model import Sequential


def conv_fc_regressor(m: int = 1, rng: Rng = None) -> Sequential:
    """Return four convolutions and two dense layers: (N, 64, 64, 1) to (N, 2), 72,850 parameters at m = 1.

    The paper used it on the uniform split. The first dense layer has nine tenths of the parameters, because it has
    separate weights for each position of an 8 x 8 map.

    Parameters
    ----------
    m : int
        Factor on the 16 channels; 159,330 parameters at 2.
    rng : numpy.random.Generator, int or None
        Where the initial weights are drawn from: he_normal for the convolutions, glorot_uniform for the dense layers.
    """
    rng, channels = as_generator(rng), 16 * m
    layers: list[Layer] = []
    for c_in in (1, channels, channels):
        layers += [Conv2D(c_in, channels, 3, activation="relu", rng=rng), MaxPool2D(2)]
    layers.append(Conv2D(channels, channels, 3, activation="relu", rng=rng))
    layers += [Flatten(), Dense(8 * 8 * channels, 64, rng=rng), ReLU(), Dense(64, 2, rng=rng)]
    return Sequential(layers)


def fully_convolutional_regressor(m: int = 1, rng: Rng = None) -> Sequential:
    """Return nine convolutions and a global mean: (N, 64, 64, 1) to (N, 2), 12,914 parameters at m = 1.

    The paper used it on the quadrant split.

    Parameters
    ----------
    m : int
        Factor on the 16 channels; 49,890 parameters at 2.
    rng : numpy.random.Generator, int or None
        Where the initial weights (he_normal) are drawn from.
    """
    rng, c = as_generator(rng), 16 * m

    def conv(c_in: int, c_out: int, kernel_size: int, stride: int = 1, relu: bool = True) -> Conv2D:
        return Conv2D(c_in, c_out, kernel_size, stride, rng=rng, activation="relu" if relu else None)

    return Sequential(
        [
            conv(1, c, 5, 2),
            conv(c, c, 1),
            BatchNorm2D(c),
            conv(c, c, 3),
            conv(c, c, 3, 2),
            conv(c, c, 3, 2, relu=False),
            BatchNorm2D(c, activation="relu"),
            conv(c, c, 3, 2),
            conv(c, c, 1),
            conv(c, c, 3, 2),
            conv(c, 2, 3),
            GlobalAvgPool(),
        ]
    )


def coordconv_regressor(
    with_r: bool = False,
    rng: Rng = None,
    coordinate_scale: float = 1.0,
    relu: bool = False,
    mean: bool = False,
) -> Sequential:
    """Return one CoordConv, four convolutions and a global maximum: (N, 64, 64, 1) to (N, 2), 906 parameters.

    Every layer is linear. It works because the maximum picks the value at the lit pixel. `relu` and `mean` change that,
    to see what happens then; a reader of the paper would have built both, since it mentions neither that there are no
    activations nor which pooling it is.

    Parameters
    ----------
    with_r : bool
        Whether the CoordConv has the radius channel, the distance from the middle: 914 parameters.
    rng : numpy.random.Generator, int or None
        Where the initial weights (he_normal) are drawn from.
    coordinate_scale : float
        Factor on the initial weights of the coordinate channels; 1 in the official code. With 1, many seeds begin with
        the maximum at a corner of the canvas wherever the lit pixel is, and then no gradient ever reaches the lit
        pixel. With 0.1, the lit pixel stands out from the start.
    relu : bool
        Whether a ReLU follows each of the first four layers.
    mean : bool
        Whether the pooling takes the mean instead of the maximum.
    """
    rng, activation = as_generator(rng), "relu" if relu else None
    first = CoordConv2D(1, 8, 1, rng=rng, with_r=with_r, activation=activation)
    first.params["w"][:, :, first.c_in :] *= coordinate_scale
    return Sequential(
        [
            first,
            Conv2D(8, 8, 1, rng=rng, activation=activation),
            Conv2D(8, 8, 1, rng=rng, activation=activation),
            Conv2D(8, 8, 3, rng=rng, activation=activation),
            Conv2D(8, 2, 3, rng=rng),
            GlobalAvgPool() if mean else GlobalMaxPool(),
        ]
    )


def start_at_mean(net: Sequential, images: NDArray, targets: NDArray) -> None:
    """Set the last bias of a regressor so that its initial outputs have the mean of the targets.

    The initial maximum over all pixels is too high or too low. If training has to correct that, its first steps move
    all weights in the same direction and may push the value at the lit pixel below that of all others; the gradient
    then flows through another pixel for good.

    Parameters
    ----------
    net : Sequential
        Ends in a layer with a bias and a global pooling; that bias is changed in place.
    images : ndarray, shape (n, 64, 64, 1)
        Some images of the training set.
    targets : ndarray, shape (m, 2)
        All targets of the training set.
    """
    bias = net.layers[-2].params["b"]
    bias += (targets.mean(axis=0) - net.forward(images).mean(axis=0)).astype(bias.dtype)


def exact_regressor() -> Sequential:
    """Return the CoordConv regressor with weights constructed by hand: the same layers, the exact answer, no training.

    A linear network can solve the task because of the maximum at its end. At pixel p, one channel computes

        (column of p) / 64 + 1 * (1 if p is lit, else 0) - 1

    which is the answer at the lit pixel, and below 0, less than any answer, at every other pixel. A column of 0 to 63
    is (j + 1) * 63 / 2 for the coordinate j in [-1, 1], so its weight and bias are 63 / 128. The other channel does the
    same with rows; the layers that follow pass both on. With a mean in place of the maximum every pixel would count
    equally, and the answer would not depend on the image.

    Returns
    -------
    Sequential
        (N, 64, 64, 1) to (N, 2): the x and y of the lit pixel, divided by 64.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((1, 64, 64, 1), np.float32)
    >>> image[0, 40, 7, 0] = 1  # row 40, column 7
    >>> (exact_regressor().forward(image) * 64).round(3).tolist()
    [[7.0, 40.0]]
    """
    model = coordconv_regressor(rng=0)
    for layer in model.layers:
        for array in layer.params.values():
            array[:] = 0
    first, *others = (layer for layer in model.layers if isinstance(layer, Conv2D))
    lit, row, column = 0, 1, 2  # the input channels: the image, i and j
    first.params["w"][0, 0, lit, :2] = 1
    first.params["w"][0, 0, column, 0] = first.params["w"][0, 0, row, 1] = 63 / 128
    first.params["b"][:2] = 63 / 128 - 1
    for layer in others:
        kh, kw = layer.kernel_size
        layer.params["w"][kh // 2, kw // 2, [0, 1], [0, 1]] = 1
    return model


def describe_regressors() -> list[dict[str, Any]]:
    """Return a row for each network of the paper for regression: name, parameters and layers."""
    conv_fc = "three times Conv2D 3x3, ReLU and max pooling, Conv2D 3x3 and ReLU, then Dense 64, ReLU, Dense 2"
    full = "nine Conv2D (5x5, 3x3 and 1x1, five of stride 2) with ReLU, two batch norms, global mean"
    coordconv = "CoordConv2D 8 and Conv2D 8, 8 (1x1), Conv2D 8, 2 (3x3), no activation, global maximum"
    with_relu, with_mean = coordconv.replace("no activation", "ReLU between"), coordconv.replace("maximum", "mean")
    networks = [
        ("conv-fc m=1", conv_fc_regressor(1, 0), conv_fc),
        ("conv-fc m=2", conv_fc_regressor(2, 0), conv_fc),
        ("conv-full m=1", fully_convolutional_regressor(1, 0), full),
        ("conv-full m=2", fully_convolutional_regressor(2, 0), full),
        ("coordconv", coordconv_regressor(rng=0), coordconv),
        ("coordconv with r", coordconv_regressor(with_r=True, rng=0), coordconv),
        ("coordconv-relu", coordconv_regressor(rng=0, relu=True), with_relu),
        ("coordconv-mean", coordconv_regressor(rng=0, mean=True), with_mean),
        ("coordconv-relu-mean", coordconv_regressor(rng=0, relu=True, mean=True), with_relu.replace("maximum", "mean")),
    ]
    return [{"model": name, "parameters": net.n_params, "layers": layers} for name, net, layers in networks]
