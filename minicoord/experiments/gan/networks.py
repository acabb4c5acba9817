"""The generators and the discriminator of a GAN on two coloured objects (figure 7).

The convolutional generator is the usual one: a dense layer makes a small map of many channels, and four transposed
convolutions double its height and width up to an image. The CoordConv generator repeats the random vector at every
pixel and computes each pixel from it and the pixel's coordinates. It has 7 % of the parameters and needs eleven times
the arithmetic.

Images are 64 x 64 x 3 in [-1, 1]. In the released code the discriminator gets the output of the CoordConv generator
before the tanh; here both generators end in the tanh.
"""

from __future__ import annotations

from itertools import pairwise

from minicoord.nn.initialisers import Rng, as_generator
from minicoord.nn.layers.activations import LeakyReLU, Tanh
from minicoord.nn.layers.base import Layer
from minicoord.nn.layers.batchnorm import BatchNorm2D
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.coordinates import Tile
from minicoord.nn.layers.dense import Dense
from minicoord.nn.layers.shape import Flatten, Reshape
from minicoord.nn.layers.transposed import ConvTranspose2D
from minicoord.nn.model import Sequential

CANVAS = 64


def conv_generator(z: int = 256, rng: Rng = None) -> Sequential:
    """Return the generator with transposed convolutions: (N, z) to images (N, 64, 64, 3), 6,413,315 parameters.

    Parameters
    ----------
    z : int
        Length of the random vector.
    rng : numpy.random.Generator, int or None
        Where the initial weights (glorot_uniform) are drawn from.
    """
    rng = as_generator(rng)
    channels = [512, 256, 128, 64]
    layers: list[Layer] = [Dense(z, 4 * 4 * 512, rng=rng), Reshape((4, 4, 512)), BatchNorm2D(512, activation="relu")]
    for c_in, c_out in pairwise(channels):
        layers += [_double(c_in, c_out, rng), BatchNorm2D(c_out, activation="relu")]
    return Sequential([*layers, _double(channels[-1], 3, rng), Tanh()])


def _double(c_in: int, c_out: int, rng: Rng) -> ConvTranspose2D:
    """Return a transposed convolution that doubles height and width: (N, H, W, c_in) to (N, 2H, 2W, c_out)."""
    return ConvTranspose2D(c_in, c_out, 5, stride=2, init="glorot_uniform", rng=rng)


def coordconv_generator(z: int = 256, rng: Rng = None) -> Sequential:
    """Return the CoordConv generator: (N, z) to images (N, 64, 64, 3), 444,931 parameters, no batch normalisation.

    Parameters
    ----------
    z : int
        Length of the random vector.
    rng : numpy.random.Generator, int or None
        Where the initial weights (he_normal) are drawn from.
    """
    rng = as_generator(rng)
    layers: list[Layer] = [Tile(CANVAS, CANVAS), CoordConv2D(z, 512, 1, rng=rng, activation="relu")]
    sizes = [(512, 256, 1), (256, 256, 1), (256, 128, 1), (128, 64, 1), (64, 64, 3), (64, 64, 3)]
    for c_in, c_out, kernel_size in sizes:
        layers.append(Conv2D(c_in, c_out, kernel_size, rng=rng, activation="relu"))
    return Sequential([*layers, Conv2D(64, 3, 1, rng=rng), Tanh()])


def discriminator(coordconv: bool = False, rng: Rng = None) -> Sequential:
    """Return the discriminator: images (N, 64, 64, 3) to one logit each, (N, 1), 4,316,545 parameters.

    Parameters
    ----------
    coordconv : bool
        Whether the first layer is CoordConv: 4,319,745 parameters.
    rng : numpy.random.Generator, int or None
        Where the initial weights (glorot_uniform) are drawn from.
    """
    rng = as_generator(rng)
    channels = [64, 128, 256, 512]
    first = (CoordConv2D if coordconv else Conv2D)(3, channels[0], 5, 2, init="glorot_uniform", rng=rng)
    layers: list[Layer] = [first, LeakyReLU(0.2)]
    for c_in, c_out in pairwise(channels):
        layers += [Conv2D(c_in, c_out, 5, 2, init="glorot_uniform", rng=rng), BatchNorm2D(c_out), LeakyReLU(0.2)]
    return Sequential([*layers, Flatten(), Dense(4 * 4 * channels[-1], 1, rng=rng)])
