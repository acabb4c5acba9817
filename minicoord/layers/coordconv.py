"""CoordConv as a layer: the paper's solution (figure 3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minicoord.initialisers import Init, Rng
from minicoord.kernels.coordconv import (
    Coordinates,
    coordconv2d,
    coordconv2d_backward,
    coordinate_map,
    coordinates,
)
from minicoord.kernels.geometry import Padding, Pair
from minicoord.layers.base import Shape
from minicoord.layers.convolution import Conv2D


class CoordConv2D(Conv2D):
    """Convolution over the image and its coordinates: what `AddCoords` and `Conv2D` do together, nearly for free.

    The kernel has two more input channels than the image, i (rows) and then j (columns), both in [-1, 1]; with r a
    third, the distance from the centre. With zero weights on them the layer is a plain, translation equivariant
    convolution; other weights make it depend on the position. Instead of concatenating, it adds the convolution of the
    coordinates as one map, which is the same for all images (see `minicoord.kernels.coordconv`).

    Parameters
    ----------
    c_in : int
        Channels of the image, without the coordinates.
    c_out, kernel_size, stride, padding, init, rng, dtype, activation, bias
        As for `Conv2D`.
    with_r : bool
        Whether the third coordinate channel is there.

    Attributes
    ----------
    params : dict
        ``w`` of shape (kh, kw, c_in + 2, c_out), or c_in + 3 with r, coordinates last; ``b`` of shape (c_out,).

    Examples
    --------
    >>> layer = CoordConv2D(3, 8, kernel_size=1, rng=0)
    >>> layer.params["w"].shape, layer.forward(np.ones((1, 5, 7, 3), np.float32)).shape
    ((1, 1, 5, 8), (1, 5, 7, 8))
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Padding = "same",
        init: Init = "he_normal",
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
        activation: str | None = None,
        bias: bool = True,
        with_r: bool = False,
    ) -> None:
        self.with_r = bool(with_r)
        super().__init__(c_in, c_out, kernel_size, stride, padding, init, rng, dtype, activation, bias)
        self._coords: Coordinates | None = None
        self._map: NDArray | None = None
        self._map_made_from: tuple[bytes, bytes] | None = None

    def weight_shape(self) -> Shape:
        """Return the shape of ``w``."""
        return (*self.kernel_size, self.c_in + (3 if self.with_r else 2), self.c_out)

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return the CoordConv of `x` of shape (N, H, W, c_in): shape (N, out_h, out_w, c_out)."""
        x = self.check_images(x)
        w_x = self.params["w"][:, :, : self.c_in]
        y = coordconv2d(x, w_x, self._coordinate_map(*x.shape[1:3]), self.relu, self.window(*x.shape[1:3]))
        return self.remember(y, x, y if self.relu else None)

    def backward(self, dy: NDArray, need_dx: bool = True) -> NDArray | None:
        """Return dx of shape (N, H, W, c_in), or None if it is not needed; leave dw and db in ``grads``."""
        dy, x, y = self.recall(dy)
        w_x = self.params["w"][:, :, : self.c_in]
        coords = self._coordinates(*x.shape[1:3])
        dx, dw_x, dw_coords, db = coordconv2d_backward(x, coords, w_x, dy, y, self.window(*x.shape[1:3]), need_dx)
        self.keep_gradients(np.concatenate([dw_x, dw_coords], axis=2), db)
        return dx

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments that fix what the layer computes."""
        return {**super().config(), "with_r": self.with_r}

    def _coordinates(self, height: int, width: int) -> Coordinates:
        """Return the coordinate channels; they are constants, kept until the size or the dtype changes."""
        kept = None if self._coords is None else self._coords.channels
        if self._coords is None or kept is None or kept.shape[:2] != (height, width) or kept.dtype != self.dtype:
            self._coords = coordinates(height, width, self.with_r, self.params["w"].dtype)
            self._map = None
        return self._coords

    def _coordinate_map(self, height: int, width: int) -> NDArray:
        """Return the map, made anew if the weights are not, to the last bit, those that it was made from.

        So the slices of one batch share a map, and a weight that anyone changes in place is seen. Comparing costs
        little: ``w_coords`` and ``b`` are a few hundred numbers, the map is ``H * W * c_out``.
        """
        coords = self._coordinates(height, width)
        w_coords, b = self.params["w"][:, :, self.c_in :], self.params.get("b")
        made_from = w_coords.tobytes(), b"" if b is None else b.tobytes()
        if self._map is None or made_from != self._map_made_from:
            self._map = coordinate_map(coords, w_coords, b, self.window(height, width))
            self._map_made_from = made_from
        return self._map
