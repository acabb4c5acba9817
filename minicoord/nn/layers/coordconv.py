"""CoordConv as a layer: the paper's solution (figure 3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minicoord.kernels.coordconv import coordconv2d, coordconv2d_backward
from minicoord.kernels.coordinates import coordinate_channels
from minicoord.kernels.geometry import Padding, Pair
from minicoord.nn.initialisers import Init, Rng
from minicoord.nn.layers.base import Shape
from minicoord.nn.layers.convolution import Conv2D
from minicoord.system.arguments import check_flag


class CoordConv2D(Conv2D):
    """Convolution over the image and its coordinates: what `AddCoords` and `Conv2D` do together, nearly for free.

    The kernel has two more input channels than the image, i (rows) and then j (columns), both in [-1, 1], and with r a
    third, the distance from the centre. With zero weights on them the layer is a plain, translation-equivariant
    convolution; other weights make it depend on the position. Instead of concatenating, it adds the convolution of the
    coordinates as one map, which is the same for all images (see `minicoord.kernels.coordconv`).

    Parameters
    ----------
    c_in : int
        Channels of the image, without the coordinates.
    c_out, kernel_size, stride, padding, init, rng, dtype, activation, bias
        As for `Conv2D`.
    with_r : bool
        Whether r is a third coordinate channel.

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
        self.with_r = check_flag(f"{self.name}: with_r", with_r)
        super().__init__(c_in, c_out, kernel_size, stride, padding, init, rng, dtype, activation, bias)
        self._coordinates: NDArray | None = None

    def weight_shape(self) -> Shape:
        """Return the shape of ``w``."""
        return (*self.kernel_size, self.c_in + (3 if self.with_r else 2), self.c_out)

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return the CoordConv of `x` of shape (N, H, W, c_in): shape (N, out_h, out_w, c_out)."""
        x = self.check_images(x)
        win = self.window(*x.shape[1:3])
        y = coordconv2d(x, self.coordinates(x), *self.weights(), self.relu, win)
        return self.remember(y, x, y if self.relu else None)

    def backward(self, dy: NDArray, need_dx: bool = True) -> NDArray | None:
        """Return dx of shape (N, H, W, c_in), or None if it is not needed; put dw and db in `grads`."""
        dy, x, y = self.recall(dy)
        win = self.window(*x.shape[1:3])
        dx, dw, db = coordconv2d_backward(x, self.coordinates(x), self.weights()[0], dy, y, win, need_dx)
        self.keep_gradients(dw, db)
        return dx

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments that determine what the layer computes."""
        return {**super().config(), "with_r": self.with_r}

    def coordinates(self, x: NDArray) -> NDArray:
        """Return the coordinate channels for images `x` (N, H, W, c_in): shape (H, W, 2), or (H, W, 3) with r.

        They are kept until the size of the images or the dtype changes.
        """
        height, width = x.shape[1], x.shape[2]
        wanted = (height, width, x.dtype)
        if self._coordinates is None or (*self._coordinates.shape[:2], self._coordinates.dtype) != wanted:
            self._coordinates = coordinate_channels(height, width, self.with_r, x.dtype)
        return self._coordinates
