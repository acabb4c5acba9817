"""Supervised Rendering: from a centre (x, y) to the 9 x 9 square around it (figure 6). Its CoordConv network.

The convolutional network is the one that classification has too, ``deconv_painter``; here it is asked of every pixel on
its own whether it is lit. The CoordConv network is the classifier, a softmax that sharpens its map to the one lit
pixel, and a few convolutions that draw the square around it.

The released logs give the tail kernels of 1 x 1, with which it can at most tell more from less; the README of the code
gives 3 x 3. Both can be had: `fs`.
"""

from __future__ import annotations

from itertools import pairwise

from minicoord.experiments.painters import coordconv_painter
from minicoord.initialisers import Rng, as_generator
from minicoord.layers.activations import Softmax
from minicoord.layers.base import Layer
from minicoord.layers.convolution import Conv2D
from minicoord.model import Sequential


def drawing_tail(fs: int = 3, m: int = 1, rng: Rng = None) -> list[Layer]:
    """Return the five convolutions that draw: (N, H, W, 1) to logits of the same shape, 4,297 parameters.

    Parameters
    ----------
    fs : int
        Side of the kernels.
    m : int
        A factor for the channels 8, 8, 16 and 16 between them.
    rng : numpy.random.Generator, int or None
        Where the initial weights (he_normal) are drawn from.
    """
    rng = as_generator(rng)
    channels = [1, 8 * m, 8 * m, 16 * m, 16 * m]
    layers: list[Layer] = [Conv2D(a, b, fs, rng=rng, activation="relu") for a, b in pairwise(channels)]
    return [*layers, Conv2D(channels[-1], 1, fs, rng=rng)]


def coordconv_renderer(fs: int = 3, m: int = 1, rng: Rng = None) -> Sequential:
    """Return the paper's CoordConv renderer: (N, 2) to logits of shape (N, 64, 64, 1), 11,850 parameters.

    Parameters
    ----------
    fs : int
        Side of the tail's kernels: 1 (8,074 parameters) or 3.
    m : int
        A factor for the channels of the tail; with 2, 9,490 or 24,210 parameters.
    rng : numpy.random.Generator, int or None
        Where the initial weights (he_normal) are drawn from.
    """
    rng = as_generator(rng)
    return Sequential([*coordconv_painter(rng).layers, Softmax(), *drawing_tail(fs, m, rng)])
