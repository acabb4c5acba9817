"""Layers that change the shape and keep the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from numpy.typing import NDArray

from minicoord.nn.layers.base import Layer, Shape
from minicoord.system.arguments import is_sequence, shown


class Reshape(Layer):
    """Change the shape of each sample; the numbers stay in the same order, last axis fastest.

    Parameters
    ----------
    shape : sequence of int
        The shape of one sample, without the batch axis N.

    Examples
    --------
    >>> Reshape((1, 1, 2)).output_shape((16, 2))
    (16, 1, 1, 2)
    """

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        if not is_sequence(shape):
            raise TypeError(f"{self.name}: shape was {shown(shape)}, it must be a sequence such as (4, 4, 8)")
        self.shape = tuple(self.check_count(length, "an axis of shape") for length in shape)

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return `x` of shape (N, ...) as (N, *shape)."""
        x = self.check_input(x)
        return self.remember(x.reshape(self.output_shape(x.shape)), x.shape)  # (N, ...) -> (N, *shape)

    def backward(self, dy: NDArray) -> NDArray:
        """Return `dy` in the shape of x."""
        dy, x_shape = self.recall(dy)
        return dy.reshape(x_shape)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, *shape)."""
        input_shape = self.check_input_shape(input_shape)
        if len(input_shape) < 1 or prod(input_shape[1:]) != prod(self.shape):
            raise ValueError(
                f"{self.name}: x has shape {tuple(input_shape)}, wanted (N, ...) with {prod(self.shape)} numbers "
                f"for each sample of shape {self.shape}"
            )
        return input_shape[0], *self.shape

    def config(self) -> dict[str, Any]:
        """Return ``shape``."""
        return {"shape": self.shape}


class Flatten(Layer):
    """Turn each sample into a vector: (N, H, W, C) becomes (N, H * W * C), last axis fastest.

    Examples
    --------
    >>> Flatten().output_shape((16, 4, 4, 8))
    (16, 128)
    """

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return `x` of shape (N, ...) as a matrix with N rows."""
        x = self.check_input(x)
        return self.remember(x.reshape(self.output_shape(x.shape)), x.shape)  # (N, ...) -> (N, the product)

    def backward(self, dy: NDArray) -> NDArray:
        """Return `dy` in the shape of x."""
        dy, x_shape = self.recall(dy)
        return dy.reshape(x_shape)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, the product of the other axes)."""
        input_shape = self.check_input_shape(input_shape)
        if len(input_shape) < 2:
            raise ValueError(f"{self.name}: x has shape {tuple(input_shape)}, wanted (N, ...) with at least two axes")
        return input_shape[0], prod(input_shape[1:])
