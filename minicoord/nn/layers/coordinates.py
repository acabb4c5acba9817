"""The paper's layer, AddCoords, and Tile, which turns a vector into an image for it."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from minicoord.kernels.coordinates import add_coords, add_coords_backward, tile, tile_backward
from minicoord.nn.layers.base import Layer, Shape
from minicoord.system.arguments import check_flag


class AddCoords(Layer):
    """Concatenate coordinate channels to an image: i (rows), j (columns) and optionally r (paper, section 3).

    AddCoords followed by a convolution is the paper's CoordConv. It does concatenate, as the paper draws it;
    `CoordConv2D` computes the same result in less time.

    Parameters
    ----------
    with_r : bool
        Whether to add ``r = sqrt(i^2 + j^2)`` as a third channel.

    Examples
    --------
    >>> import numpy as np
    >>> AddCoords(with_r=True).forward(np.zeros((1, 3, 5, 2), np.float32))[0, 1, 2]
    array([0., 0., 0., 0., 0.], dtype=float32)
    """

    def __init__(self, with_r: bool = False) -> None:
        super().__init__()
        self.with_r = check_flag(f"{self.name}: with_r", with_r)

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return `x` of shape (N, H, W, C) with its coordinates: (N, H, W, C + 2), or C + 3 with r."""
        x = self.check_input(x, ("N", "H", "W", "C"))
        return self.remember(add_coords(x, self.with_r))

    def backward(self, dy: NDArray) -> NDArray:
        """Return dx of shape (N, H, W, C): the coordinates are constants, so their gradient is dropped."""
        (dy,) = self.recall(dy)
        return add_coords_backward(dy, self.with_r)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, H, W, C + 2), or (N, H, W, C + 3) with r."""
        self.check_shape(input_shape, ("N", "H", "W", "C"))
        n, height, width, channels = input_shape
        return n, height, width, channels + (3 if self.with_r else 2)

    def config(self) -> dict[str, Any]:
        """Return ``with_r``."""
        return {"with_r": self.with_r}


class Tile(Layer):
    """Repeat a vector at every pixel of an image: how the paper's painters hand (x, y) to a convolution.

    Parameters
    ----------
    height, width : int
        Size of the image in pixels.

    Examples
    --------
    >>> Tile(64, 64).output_shape((16, 2))
    (16, 64, 64, 2)
    """

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.height, self.width = self.check_count(height, "height"), self.check_count(width, "width")

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return images of shape (N, height, width, C) for vectors `x` of shape (N, C)."""
        x = self.check_input(x, ("N", "C"))
        return self.remember(tile(x, self.height, self.width))

    def backward(self, dy: NDArray) -> NDArray:
        """Return dx of shape (N, C), the sum over the pixels."""
        (dy,) = self.recall(dy)
        return tile_backward(dy)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, height, width, C)."""
        self.check_shape(input_shape, ("N", "C"))
        n, channels = input_shape
        return n, self.height, self.width, channels

    def config(self) -> dict[str, Any]:
        """Return ``height`` and ``width``."""
        return {"height": self.height, "width": self.width}
