"""Supervised Coordinate Regression: from one lit pixel of 64 x 64 back to its place (x, y) (figure 5). Its networks.

Classification turned around. The paper has a convolutional network for each split, because neither serves both, and one
CoordConv network.

Where the paper and its released code differ, or the code surprises, this file takes the side of the code. None of the
layers of the CoordConv network has an activation, and its pooling takes the maximum. The fully convolutional network
normalises after a ReLU the first time and before one the second; it ends in a ReLU, and its pooling takes the mean.
"""

from __future__ import annotations

from minicoord.initialisers import Rng, as_generator
from minicoord.layers.activations import ReLU
from minicoord.layers.base import Layer
from minicoord.layers.batchnorm import BatchNorm2D
from minicoord.layers.convolution import Conv2D
from minicoord.layers.coordconv import CoordConv2D
from minicoord.layers.dense import Dense
from minicoord.layers.pooling import GlobalAvgPool, GlobalMaxPool, MaxPool2D
from minicoord.layers.shape import Flatten
from minicoord.model import Sequential


def conv_fc_regressor(m: int = 1, rng: Rng = None) -> Sequential:
    """Return four convolutions and two dense layers: (N, 64, 64, 1) to (N, 2), 72,850 parameters at m = 1.

    The paper used it on the uniform split. The first dense layer holds nine tenths of the parameters: it sees each
    place of an 8 x 8 map through weights of its own.

    Parameters
    ----------
    m : int
        A factor for the 16 channels; 159,330 parameters at 2.
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
        A factor for the 16 channels; 49,890 parameters at 2.
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


def coordconv_regressor(with_r: bool = False, rng: Rng = None) -> Sequential:
    """Return one CoordConv, four convolutions and a global maximum: (N, 64, 64, 1) to (N, 2), 906 parameters.

    Every layer is linear. What makes it work is the maximum: it picks the value at the lit pixel.

    Parameters
    ----------
    with_r : bool
        Whether the CoordConv also sees the distance from the middle: 914 parameters.
    rng : numpy.random.Generator, int or None
        Where the initial weights (he_normal) are drawn from.
    """
    rng = as_generator(rng)
    return Sequential(
        [
            CoordConv2D(1, 8, 1, rng=rng, with_r=with_r),
            Conv2D(8, 8, 1, rng=rng),
            Conv2D(8, 8, 1, rng=rng),
            Conv2D(8, 8, 3, rng=rng),
            Conv2D(8, 2, 3, rng=rng),
            GlobalMaxPool(),
        ]
    )
