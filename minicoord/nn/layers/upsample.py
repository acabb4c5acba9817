"""Nearest-neighbour upsampling."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from minicoord.kernels.geometry import Pair, pair
from minicoord.kernels.upsample import upsample_nearest, upsample_nearest_backward
from minicoord.nn.layers.base import Layer, Shape


class Upsample2D(Layer):
    """Enlarge images by a whole factor: each pixel becomes a block of equal pixels.

    Parameters
    ----------
    factor : int or (int, int)
        Rows and columns of the block.

    Examples
    --------
    >>> Upsample2D(2).output_shape((16, 4, 4, 8))
    (16, 8, 8, 8)
    """

    def __init__(self, factor: Pair) -> None:
        super().__init__()
        self.factor = pair(factor, f"{self.name}: factor")

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return images of shape (N, H * rows, W * columns, C) for `x` of shape (N, H, W, C)."""
        x = self.check_input(x, ("N", "H", "W", "C"))
        return self.remember(upsample_nearest(x, self.factor))

    def backward(self, dy: NDArray) -> NDArray:
        """Return dx of shape (N, H, W, C): the sum over each block."""
        (dy,) = self.recall(dy)
        return upsample_nearest_backward(dy, self.factor)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, H * rows, W * columns, C)."""
        self.check_shape(input_shape, ("N", "H", "W", "C"))
        n, height, width, channels = input_shape
        return n, height * self.factor[0], width * self.factor[1], channels

    def config(self) -> dict[str, Any]:
        """Return ``factor``."""
        return {"factor": self.factor}
