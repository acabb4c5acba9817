"""Multiply-adds of a network: the cost of an image, independent of machine and code."""

from __future__ import annotations

import math
from collections.abc import Iterator

from minicoord.nn.layers.base import Shape
from minicoord.nn.layers.transposed import ConvTranspose2D
from minicoord.nn.model import Sequential


def multiply_adds(model: Sequential, input_shape: Shape) -> int:
    """Return the number of multiply-adds of weights in a forward pass, for an input of this shape.

    Convolutions, transposed convolutions and dense layers count; biases, activations and normalisation do not. Zeros of
    the padding count as values, and coordinates as channels of every image, although our code computes both for less.

    Parameters
    ----------
    model : Sequential
    input_shape : tuple of int
        With the batch axis N.

    Examples
    --------
    >>> from minicoord.experiments.classification.painters import coordconv_painter
    >>> multiply_adds(coordconv_painter(0), (1, 2))  # 64 x 64 pixels times 7,360 weights
    30146560
    """
    return sum(multiply_adds_by_layer(model, input_shape))


def multiply_adds_by_layer(model: Sequential, input_shape: Shape) -> Iterator[int]:
    """Yield the multiply-adds of each layer in order; 0 for a layer without weights ``w``."""
    shape = tuple(input_shape)
    for _, layer in model.leaves():
        output = layer.output_shape(shape)
        if "w" in layer.params:
            # The whole kernel is used at each output position; a transposed convolution spreads each input position.
            positions = shape if isinstance(layer, ConvTranspose2D) else output
            yield math.prod(positions[:-1]) * layer.params["w"].size
        else:
            yield 0
        shape = output
