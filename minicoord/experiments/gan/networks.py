"""The generators and the discriminator of a GAN on two coloured objects (figure 7).

The convolutional generator is the usual one: a dense layer makes a small map of many channels, and transposed
convolutions double its height and width up to an image. The CoordConv generator repeats the random vector at every
pixel and computes each pixel from it and the pixel's coordinates. At the paper's size it has 7 % of the parameters and
needs eleven times the arithmetic; eight times, where what is the same at every pixel is computed once.

Images are 64 x 64 x 3, or 32 x 32 x 3, in [-1, 1]. The convolutional generator ends in a tanh. The released CoordConv
generator has nothing like it in training: the discriminator sees its numbers as they are, also beyond [-1, 1]. Here
they are clipped to make an image. Nor has it batch normalisation. A tanh alone stops it: each number gets stuck at one
of the two ends, where the gradient is zero. With both, as in the convolutional generator, it learns.
"""

from __future__ import annotations

from itertools import pairwise

from minicoord.nn.composites.spectral_norm import SpectralNorm
from minicoord.nn.initialisers import Rng, as_generator
from minicoord.nn.layers.activations import LeakyReLU, Tanh
from minicoord.nn.layers.base import Layer
from minicoord.nn.layers.batchnorm import BatchNorm2D
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.dense import Dense
from minicoord.nn.layers.shape import Flatten, Reshape
from minicoord.nn.layers.tiled_coordconv import TiledCoordConv2D
from minicoord.nn.layers.transposed import ConvTranspose2D
from minicoord.nn.model import Sequential

CANVAS, WIDTH = 64, 64  # the paper's side of an image, and channels of the largest map
SMALLEST = 4  # side of the smallest map, in pixels


def _channels(canvas: int, width: int) -> list[int]:
    """Return the channels of the maps, from the smallest map to the largest: twice as many for half the side.

    Examples
    --------
    >>> _channels(64, 64), _channels(32, 32)
    ([512, 256, 128, 64], [128, 64, 32])
    """
    doublings = (canvas // SMALLEST).bit_length() - 1
    if doublings < 1 or canvas != SMALLEST * 2**doublings:
        raise ValueError(f"the side of an image was {canvas}, wanted 8, 16, 32 or another doubling of {SMALLEST}")
    return [width * 2**k for k in reversed(range(doublings))]


def conv_generator(z: int = 256, rng: Rng = None, canvas: int = CANVAS, width: int = WIDTH) -> Sequential:
    """Return the generator with transposed convolutions: (N, z) to images (N, 64, 64, 3), 6,413,315 parameters.

    Parameters
    ----------
    z : int
        Length of the random vector.
    rng : numpy.random.Generator, int or None
        Where the initial weights (glorot_uniform) are drawn from.
    canvas : int
        Side of the images in pixels.
    width : int
        Channels of the largest map; each smaller one has twice as many.

    Raises
    ------
    ValueError
        If `canvas` is not a doubling of 4.
    """
    rng, channels = as_generator(rng), _channels(canvas, width)
    numbers = SMALLEST * SMALLEST * channels[0]
    layers: list[Layer] = [
        Dense(z, numbers, rng=rng),
        Reshape((SMALLEST, SMALLEST, channels[0])),
        BatchNorm2D(channels[0], activation="relu"),
    ]
    for c_in, c_out in pairwise(channels):
        layers += [_double(c_in, c_out, rng), BatchNorm2D(c_out, activation="relu")]
    return Sequential([*layers, _double(channels[-1], 3, rng), Tanh()])


def _double(c_in: int, c_out: int, rng: Rng) -> ConvTranspose2D:
    """Return a transposed convolution that doubles height and width: (N, H, W, c_in) to (N, 2H, 2W, c_out)."""
    return ConvTranspose2D(c_in, c_out, 5, stride=2, init="glorot_uniform", rng=rng)


def coordconv_generator(
    z: int = 256, rng: Rng = None, canvas: int = CANVAS, width: int = WIDTH, normalised: bool = False
) -> Sequential:
    """Return the CoordConv generator: (N, z) to images (N, 64, 64, 3), 444,931 parameters.

    Parameters
    ----------
    z : int
        Length of the random vector.
    rng : numpy.random.Generator, int or None
        Where the initial weights (he_normal) are drawn from.
    canvas : int
        Side of the images in pixels.
    width : int
        Channels of the last layers; the first has eight times as many.
    normalised : bool
        Whether there is batch normalisation after each layer but the last, and a tanh at the end, as in the
        convolutional generator. In the released code there is neither, and numbers may be beyond [-1, 1].
    """
    rng = as_generator(rng)
    channels = [8 * width, 4 * width, 4 * width, 2 * width, width, width, width]  # after each layer
    kernel_sizes = [1, 1, 1, 1, 3, 3]  # of all but the first
    relu = None if normalised else "relu"
    convolutions: list[Layer] = [
        TiledCoordConv2D(z, channels[0], canvas, canvas, rng=rng, activation=relu),
        *(
            Conv2D(c_in, c_out, kernel_size, rng=rng, activation=relu)
            for (c_in, c_out), kernel_size in zip(pairwise(channels), kernel_sizes, strict=True)
        ),
    ]
    last = Conv2D(width, 3, 1, rng=rng)
    if not normalised:
        return Sequential([*convolutions, last])
    layers: list[Layer] = []
    for convolution, c_out in zip(convolutions, channels, strict=True):
        layers += [convolution, BatchNorm2D(c_out, activation="relu")]
    return Sequential([*layers, last, Tanh()])


def discriminator(
    coordconv: bool = False, rng: Rng = None, canvas: int = CANVAS, width: int = WIDTH, spectral: bool = False
) -> Sequential:
    """Return the discriminator: images (N, 64, 64, 3) to one logit each, (N, 1), 4,316,545 parameters.

    Parameters
    ----------
    coordconv : bool
        Whether the first layer is CoordConv: 4,319,745 parameters.
    rng : numpy.random.Generator, int or None
        Where the initial weights (glorot_uniform) are drawn from.
    canvas : int
        Side of the images in pixels.
    width : int
        Channels of the largest map; each smaller one has twice as many.
    spectral : bool
        Whether every layer has spectral normalisation, in place of the paper's batch normalisation.

    Raises
    ------
    ValueError
        If `canvas` is not a doubling of 4.
    """
    rng, channels = as_generator(rng), _channels(canvas, width)[::-1]
    first = (CoordConv2D if coordconv else Conv2D)(3, channels[0], 5, 2, init="glorot_uniform", rng=rng)
    layers: list[Layer] = [first, LeakyReLU(0.2)]
    for c_in, c_out in pairwise(channels):
        layers.append(Conv2D(c_in, c_out, 5, 2, init="glorot_uniform", rng=rng))
        layers += [LeakyReLU(0.2)] if spectral else [BatchNorm2D(c_out), LeakyReLU(0.2)]
    layers += [Flatten(), Dense(SMALLEST * SMALLEST * channels[-1], 1, rng=rng)]
    if spectral:
        layers = [SpectralNorm(layer, rng) if "w" in layer.params else layer for layer in layers]
    return Sequential(layers)
