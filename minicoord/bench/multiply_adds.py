"""Multiply-adds of a network: what an image costs, whatever machine and code compute it."""

from __future__ import annotations

import math

from minicoord.nn.layers.base import Layer, Shape
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.dense import Dense
from minicoord.nn.layers.transposed import ConvTranspose2D
from minicoord.nn.model import Sequential


def multiply_adds(model: Sequential, input_shape: Shape) -> int:
    """Return how often the forward pass multiplies a weight with a value and adds it up, for an input of this shape.

    Convolution, transposed convolution and dense layers count; biases, activations and normalisation do not. The zeros
    of the padding count as values, and coordinates as channels of every image, though our code handles both for less.

    Parameters
    ----------
    model : Sequential
    input_shape : tuple of int
        With the batch axis N.

    Examples
    --------
    >>> from minicoord.experiments.classification.painters import coordconv_painter
    >>> multiply_adds(coordconv_painter(0), (1, 2))  # 64 x 64 pixels, and 7,360 weights that each pixel meets
    30146560
    """
    total, shape = 0, tuple(input_shape)
    for _, layer in model.leaves():
        out = layer.output_shape(shape)
        total += _of_layer(layer, shape, out)
        shape = out
    return total


def _of_layer(layer: Layer, shape: Shape, out: Shape) -> int:
    if isinstance(layer, ConvTranspose2D):  # every pixel of the input meets the whole kernel
        return math.prod(shape[:3]) * layer.params["w"].size
    if isinstance(layer, (Conv2D, CoordConv2D)):  # every pixel of the output does
        return math.prod(out[:3]) * layer.params["w"].size
    if isinstance(layer, Dense):
        return shape[0] * layer.params["w"].size
    return 0
