"""ResNet-8 with and without the paper's front layer: a 1x1 CoordConv with 8 outputs between image and network.

The paper put that layer in front of ResNet-50. It adds two things at once, a layer and the coordinates, so there is a
third network: the same layer, whose coordinate channels are all zero. All three share their initial weights as far as
their shapes agree: of the same seed, the network behind the first convolution begins with the same bits in each, and
the two front layers and the convolutions behind them do, too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.nn.composites.residual import Residual
from minicoord.nn.initialisers import Rng
from minicoord.nn.layers.activations import ReLU
from minicoord.nn.layers.base import Layer
from minicoord.nn.layers.batchnorm import BatchNorm2D
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.dense import Dense
from minicoord.nn.layers.pooling import GlobalAvgPool
from minicoord.nn.model import Sequential

CLASSES = 10
FRONT = 8  # outputs of the front layer
CHANNELS = (16, 32, 64)
COORDINATES = ("i", "j", "r")
MODELS = ("conv", "coordconv", "control")


class ZeroCoordConv2D(CoordConv2D):
    """A `CoordConv2D` whose coordinate channels are all zero: its weights on them do nothing, and get no gradient."""

    def coordinates(self, x: NDArray) -> NDArray:
        """Return zeros of the shape of the coordinate channels, (H, W, 2), or (H, W, 3) with r."""
        return np.zeros_like(super().coordinates(x))


def residual_network(model: str, seed: int, c_in: int = 1, channels: tuple[int, ...] = CHANNELS) -> Sequential:
    """Return a residual network of eight layers with weights: images (N, H, W, c_in) to logits (N, 10).

    A convolution and three residual blocks, all with batch normalisation, of 16, 32 and 64 channels; the second and the
    third block halve height and width. The mean over the image and a dense layer follow.

    Parameters
    ----------
    model : {"conv", "coordconv", "control"}
        Without front layer, 77,562 parameters; with it, 78,610; with the front layer whose coordinates are zero.
    seed : int
        Where the initial weights (he_normal) come from.
    c_in : int
        Channels of the images.
    channels : tuple of int
        The channels of the blocks.

    Examples
    --------
    >>> residual_network("conv", 0).n_params, residual_network("coordconv", 0).n_params
    (77562, 78610)
    """
    # A generator for each part: that of the blocks is in the same state whatever was drawn for the parts before it.
    front_rng, stem_rng, rng = (np.random.default_rng([seed, part]) for part in range(3))
    layers: list[Layer] = []
    if model != "conv":
        # The paper does not say whether an activation follows; here there is none.
        kind = CoordConv2D if model == "coordconv" else ZeroCoordConv2D
        layers.append(kind(c_in, FRONT, 1, with_r=True, rng=front_rng))
        c_in = FRONT
    layers += _normalised(c_in, channels[0], 1, stem_rng, "relu")
    before = channels[0]
    for c_out in channels:
        layers += [_block(before, c_out, rng), ReLU()]
        before = c_out
    return Sequential([*layers, GlobalAvgPool(), Dense(before, CLASSES, rng=rng)])


def _normalised(c_in: int, c_out: int, stride: int, rng: Rng, activation: str | None) -> list[Layer]:
    """Return a 3x3 convolution and its batch normalisation, whose shift takes the place of a bias."""
    return [Conv2D(c_in, c_out, 3, stride, bias=False, rng=rng), BatchNorm2D(c_out, activation=activation)]


def _block(c_in: int, c_out: int, rng: Rng) -> Residual:
    """Return a block of two convolutions; where the channels change, it halves height and width."""
    stride = 1 if c_in == c_out else 2
    body = [*_normalised(c_in, c_out, stride, rng, "relu"), *_normalised(c_out, c_out, 1, rng, None)]
    shortcut = None if c_in == c_out else Conv2D(c_in, c_out, 1, stride, bias=False, rng=rng)
    return Residual(Sequential(body), shortcut)


def front_weights(net: Sequential) -> NDArray:
    """Return the weights of the front layer (c_in + 3, 8): a row for each channel of the image, then i, j and r.

    A network without front layer has none: (0, 8).
    """
    first = net.layers[0]
    if not isinstance(first, CoordConv2D):
        return np.zeros((0, FRONT), np.float32)
    return first.params["w"][0, 0].copy()
