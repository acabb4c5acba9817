"""Where a layer stands in a model: what `Composite.trace` yields, and the rows of a summary."""

from __future__ import annotations

from typing import Any, NamedTuple

from minicoord.nn.layers.base import Layer, Shape


class Place(NamedTuple):
    """A layer where it stands in a model, for an input of a given shape.

    Attributes
    ----------
    name : str
        The path to the layer, such as ``"3.body.0"``.
    layer : Layer
        The layer.
    input_shape : tuple of int
        The shape of what goes in, batch axis included.
    output_shape : tuple of int, or dict
        The shape of what comes out; for a layer with heads a dict of such shapes.
    composite : bool
        Whether the layer is made of layers, whose places follow.
    """

    name: str
    layer: Layer
    input_shape: Shape
    output_shape: Any
    composite: bool
