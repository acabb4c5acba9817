"""Multiply-adds of a network: the cost of an image, independent of machine and code."""

from __future__ import annotations

import math
from collections.abc import Iterator

from minicoord.nn.composites.base import Composite
from minicoord.nn.layers.base import Shape
from minicoord.nn.layers.transposed import ConvTranspose2D


def multiply_adds(model: Composite, input_shape: Shape) -> int:
    """Return the number of multiply-adds of weights in a forward pass, for an input of this shape.

    Convolutions, transposed convolutions and dense layers count; biases, activations and normalisation do not. Zeros of
    the padding count as values, coordinates as channels of every image, and a vector that is repeated at every pixel as
    channels of each, although our code computes all of them for less.

    Parameters
    ----------
    model : Composite
        Such as a `Sequential`.
    input_shape : tuple of int
        With the batch axis N.

    Examples
    --------
    >>> from minicoord.experiments.classification.painters import coordconv_painter
    >>> multiply_adds(coordconv_painter(0), (1, 2))  # 64 x 64 pixels times 7,360 weights
    30146560
    """
    return sum(multiply_adds_by_layer(model, input_shape))


def multiply_adds_by_layer(model: Composite, input_shape: Shape) -> Iterator[int]:
    """Yield the multiply-adds of each layer in order; 0 for a layer without weights ``w``."""
    for place in model.trace(tuple(input_shape)):
        if place.composite:
            continue
        if "w" in place.layer.params:
            # The whole kernel is used at each output position; a transposed convolution spreads each input position.
            positions = place.input_shape if isinstance(place.layer, ConvTranspose2D) else place.output_shape
            yield math.prod(positions[:-1]) * place.layer.params["w"].size
        else:
            yield 0
