"""The networks that map a centre (x, y) to a logit for each of 64 x 64 pixels.

Classification puts a softmax over the pixels on top, rendering a sigmoid on each. The CoordConv network and the
deconvolution network are those of the paper (figure 5, and the supplement) and its code, to the last parameter.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from minicoord.nn.initialisers import Rng, as_generator, scaled
from minicoord.nn.layers.base import Layer
from minicoord.nn.layers.batchnorm import BatchNorm2D
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.coordinates import Tile
from minicoord.nn.layers.shape import Reshape
from minicoord.nn.layers.transposed import ConvTranspose2D
from minicoord.nn.layers.upsample import Upsample2D
from minicoord.nn.model import Sequential

CANVAS = 64


def coordconv_painter(rng: Rng = None, with_r: bool = False, width: int = 1, init_scale: float = 1.0) -> Sequential:
    """Return the paper's CoordConv classifier: (N, 2) to logits of shape (N, 64, 64, 1), 7,553 parameters.

    The centre is repeated at every pixel; a CoordConv and four convolutions follow, all 1x1, with ReLU between them. So
    the same small network computes every pixel from four numbers: the centre, and the pixel's own coordinates.

    Parameters
    ----------
    rng : numpy.random.Generator, int or None
        Where the initial weights (he_normal) are drawn from.
    with_r : bool
        Whether the CoordConv has the radius channel, the distance from the middle: 7,585 parameters.
    width : int
        Factor on the channels 32, 32, 64, 64 between the layers.
    init_scale : float
        Factor on the initial weights; 1 in the official code.
    """
    rng, init = as_generator(rng), scaled("he_normal", init_scale)
    channels = [32 * width, 32 * width, 64 * width, 64 * width]
    layers: list[Layer] = [
        Tile(CANVAS, CANVAS),
        CoordConv2D(2, channels[0], 1, init=init, rng=rng, activation="relu", with_r=with_r),
    ]
    for c_in, c_out in pairwise(channels):
        layers.append(Conv2D(c_in, c_out, 1, init=init, rng=rng, activation="relu"))
    layers.append(Conv2D(channels[-1], 1, 1, init=init, rng=rng))
    return Sequential(layers)


def deconv_painter(c: int = 2, fs: int = 3, batch_norm: bool = True, rng: Rng = None) -> Sequential:
    """Return the paper's baseline: (N, 2) to logits of shape (N, 64, 64, 1) by six transposed convolutions.

    Each doubles height and width, from 1x1 to 64x64. Batch normalisation and ReLU follow the first five.

    Parameters
    ----------
    c : {1, 2, 3}
        Channel factor: the layers have 64c, 64c, 64c, 32c, 32c and 1 channels.
    fs : {2, 3, 4}
        Kernel size (the paper's filter size) in pixels.
    batch_norm : bool
        True as in the official code; re-implementations from the paper's supplement lack it.
    rng : numpy.random.Generator, int or None
        Where the initial weights (he_normal) are drawn from.
    """
    rng = as_generator(rng)
    channels = [2, 64 * c, 64 * c, 64 * c, 32 * c, 32 * c]
    layers: list[Layer] = [Reshape((1, 1, 2))]
    for c_in, c_out in pairwise(channels):
        if batch_norm:
            layers += [ConvTranspose2D(c_in, c_out, fs, stride=2, rng=rng), BatchNorm2D(c_out, activation="relu")]
        else:
            layers.append(ConvTranspose2D(c_in, c_out, fs, stride=2, rng=rng, activation="relu"))
    layers.append(ConvTranspose2D(channels[-1], 1, fs, stride=2, rng=rng))
    return Sequential(layers)


def upsample_painter(c: int = 1, fs: int = 3, with_coords: bool = False, rng: Rng = None) -> Sequential:
    """Return six times nearest-neighbour upsampling and convolution: (N, 2) to logits of shape (N, 64, 64, 1).

    A transposed convolution of stride 2 applies different weights to odd and to even pixels; this network does not. It
    is a variant in the official code, also with coordinates before every convolution.

    Parameters
    ----------
    c : int
        Channel factor: the layers have 64c, 64c, 64c, 32c, 32c and 1 channels. 103,585 parameters with the defaults.
    fs : int
        Kernel size in pixels.
    with_coords : bool
        Whether every convolution is a CoordConv: 108,211 parameters with the other defaults.
    rng : numpy.random.Generator, int or None
        Where the initial weights (he_normal) are drawn from.
    """
    rng = as_generator(rng)
    channels = [2, 64 * c, 64 * c, 64 * c, 32 * c, 32 * c, 1]
    conv = CoordConv2D if with_coords else Conv2D
    layers: list[Layer] = [Reshape((1, 1, 2))]
    for c_in, c_out in pairwise(channels):
        layers += [Upsample2D(2), conv(c_in, c_out, fs, rng=rng)]
        if c_out != 1:
            layers.append(BatchNorm2D(c_out, activation="relu"))
    return Sequential(layers)


def describe_painters() -> list[dict[str, Any]]:
    """Return a row for each network of the paper for classification: name, parameters and layers."""
    rows = []
    for name, net in (("coordconv", coordconv_painter(0)), ("coordconv with r", coordconv_painter(0, with_r=True))):
        layers = f"Tile, CoordConv2D {_channels(net)[0]}, Conv2D {_and(_channels(net)[1:])}; all 1x1, ReLU between"
        rows.append({"model": name, "parameters": net.n_params, "layers": layers})
    for c in (1, 2, 3):
        for fs in (2, 3, 4):
            net, bare = deconv_painter(c, fs, rng=0), deconv_painter(c, fs, batch_norm=False, rng=0)
            layers = (
                f"ConvTranspose2D {_and(_channels(net))}; kernel {fs}x{fs}, stride 2, batch norm and ReLU between "
                f"({bare.n_params:,} parameters without batch norm)"
            )
            rows.append({"model": f"conv c={c} fs={fs}", "parameters": net.n_params, "layers": layers})
    return rows


def _channels(net: Sequential) -> list[int]:
    """Return the output channels of the convolutions, first to last."""
    return [layer.c_out for layer in net.layers if isinstance(layer, Conv2D)]


def _and(numbers: list[int]) -> str:
    """Return numbers as text: ``"64, 32 and 1"``."""
    return f"{', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
