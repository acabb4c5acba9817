"""Encoder and decoder of a variational autoencoder for images of two coloured objects.

The paper shows a VAE and does not describe it. These are the usual networks for small images: convolutions with
stride 2 that halve height and width down to 8 x 8 pixels, two dense layers for the mean and the variance of a code;
back from the code a dense layer, and transposed convolutions that double height and width. With coordinates, every
convolution and every transposed convolution gets them; a dense layer has no pixels to give coordinates to.

The decoder ends without an activation: a squared error takes its output for the mean of a normal distribution, and no
gradient vanishes where an image is white.
"""

from __future__ import annotations

from itertools import pairwise

from minicoord.nn.composites.branches import Branches
from minicoord.nn.initialisers import Rng, as_generator
from minicoord.nn.layers.activations import ReLU
from minicoord.nn.layers.base import Layer
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.coordinates import AddCoords
from minicoord.nn.layers.dense import Dense
from minicoord.nn.layers.shape import Flatten, Reshape
from minicoord.nn.layers.transposed import ConvTranspose2D
from minicoord.nn.model import Sequential

CANVAS, WIDTH, Z = 64, 32, 32  # the paper's side of an image; channels of the largest map, and numbers of a code
SMALLEST = 8  # side of the smallest map, in pixels
KERNEL_SIZE = 4


def _channels(canvas: int, width: int) -> list[int]:
    """Return the channels of the maps, from the largest map to the smallest: twice as many for half the side.

    Examples
    --------
    >>> _channels(64, 32), _channels(32, 16)
    ([32, 64, 128], [16, 32])
    """
    halvings = (canvas // SMALLEST).bit_length() - 1
    if halvings < 1 or canvas != SMALLEST * 2**halvings:
        raise ValueError(f"the side of an image was {canvas}, wanted 16, 32, 64 or another doubling of {SMALLEST}")
    return [width * 2**k for k in range(halvings)]


def encoder(
    coordconv: bool = False, z: int = Z, rng: Rng = None, canvas: int = CANVAS, width: int = WIDTH
) -> Sequential:
    """Return the encoder: images (N, 64, 64, 3) to a dict of ``mean`` and ``log_variance``, (N, z) each.

    Parameters
    ----------
    coordconv : bool
        Whether every convolution is CoordConv: 697,120 parameters, 689,952 without.
    z : int
        Numbers of a code.
    rng : numpy.random.Generator, int or None
        Where the initial weights are drawn from: he_normal for the convolutions, glorot_uniform for all others.
    canvas : int
        Side of the images in pixels.
    width : int
        Channels of the largest map; each smaller one has twice as many.

    Raises
    ------
    ValueError
        If `canvas` is not a doubling of 8.
    """
    rng, channels = as_generator(rng), _channels(canvas, width)
    kind = CoordConv2D if coordconv else Conv2D
    layers: list[Layer] = [
        kind(c_in, c_out, KERNEL_SIZE, stride=2, rng=rng, activation="relu") for c_in, c_out in pairwise([3, *channels])
    ]
    numbers = SMALLEST * SMALLEST * channels[-1]
    heads = Branches(mean=Dense(numbers, z, rng=rng), log_variance=Dense(numbers, z, rng=rng))
    return Sequential([*layers, Flatten(), heads])


def decoder(
    coordconv: bool = False, z: int = Z, rng: Rng = None, canvas: int = CANVAS, width: int = WIDTH
) -> Sequential:
    """Return the decoder: codes (N, z) to images (N, 64, 64, 3).

    The parameters are those of `encoder`. It has 438,979 parameters with coordinates and 435,811 without.
    """
    rng, channels = as_generator(rng), _channels(canvas, width)[::-1]
    layers: list[Layer] = [
        Dense(z, SMALLEST * SMALLEST * channels[0], rng=rng),
        ReLU(),
        Reshape((SMALLEST, SMALLEST, channels[0])),
    ]
    for k, (c_in, c_out) in enumerate(pairwise([*channels, 3])):
        if coordconv:
            layers.append(AddCoords())
        activation = "relu" if k < len(channels) - 1 else None
        inputs = c_in + 2 if coordconv else c_in
        layers.append(
            ConvTranspose2D(inputs, c_out, KERNEL_SIZE, 2, init="glorot_uniform", rng=rng, activation=activation)
        )
    return Sequential(layers)
