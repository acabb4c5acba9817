"""CoordConv of a vector that is repeated at every pixel, without the repetition."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minicoord.kernels.coordinates import coordinate_channels
from minicoord.kernels.tiled_coordconv import tiled_coordconv, tiled_coordconv_backward
from minicoord.nn.initialisers import Init, Rng, initialise
from minicoord.nn.layers.arrays import for_kernels
from minicoord.nn.layers.base import Layer, Shape
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.coordinates import Tile
from minicoord.system.arguments import check_flag


class TiledCoordConv2D(Layer):
    """What `Tile` and a 1x1 `CoordConv2D` compute together, with one product per image instead of one per pixel.

    For long vectors, such as the random vector of a generator, the two would spend most of their time on multiplying
    the same numbers at every pixel: see `minicoord.kernels.tiled_coordconv`. Parameters have the same names, shapes and
    initial values as those of `CoordConv2D`.

    Parameters
    ----------
    c_in, c_out : int
        Length of a vector, and channels of the output.
    height, width : int
        Size of the output in pixels.
    init, rng, dtype, activation, with_r
        As for `CoordConv2D`.

    Attributes
    ----------
    params : dict
        ``w`` of shape (1, 1, c_in + 2, c_out), or c_in + 3 with r, coordinates last; ``b`` of shape (c_out,).

    Raises
    ------
    TypeError, ValueError
        If a size, the initialiser, the activation or `with_r` has a value that is not allowed.

    Examples
    --------
    >>> layer = TiledCoordConv2D(256, 512, 64, 64, rng=0, activation="relu")
    >>> layer.params["w"].shape, layer.forward(np.ones((2, 256), np.float32)).shape
    ((1, 1, 258, 512), (2, 64, 64, 512))
    """

    l2_params = ("w",)

    def __init__(
        self,
        c_in: int,
        c_out: int,
        height: int,
        width: int,
        init: Init = "he_normal",
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
        activation: str | None = None,
        with_r: bool = False,
    ) -> None:
        super().__init__()
        self.c_in, self.c_out = self.check_count(c_in, "c_in"), self.check_count(c_out, "c_out")
        self.height, self.width = self.check_count(height, "height"), self.check_count(width, "width")
        self.activation, self.relu = activation, self.check_activation(activation)
        self.with_r = check_flag(f"{self.name}: with_r", with_r)
        shape = 1, 1, self.c_in + (3 if self.with_r else 2), self.c_out
        self.add_param("w", initialise(init, shape, rng, dtype))
        self.add_param("b", np.zeros(self.c_out, dtype))

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return images of shape (N, height, width, c_out) for vectors `x` of shape (N, c_in)."""
        x = self.check_input(x, ("N", self.c_in))
        b = for_kernels(self.params["b"])
        y = tiled_coordconv(x, self._coordinates(), self._kernel(), b, self.relu)
        return self.remember(y, x, y if self.relu else None)

    def backward(self, dy: NDArray) -> NDArray:
        """Return dx of shape (N, c_in); put dw and db in `grads`."""
        dy, x, y = self.recall(dy)
        dx, dw, db = tiled_coordconv_backward(x, self._coordinates(), self._kernel(), dy, y)
        self.set_grads(w=dw[np.newaxis, np.newaxis], b=db)
        return dx

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, height, width, c_out)."""
        self.check_shape(input_shape, ("N", self.c_in))
        return input_shape[0], self.height, self.width, self.c_out

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments that determine what the layer computes."""
        names = ("c_in", "c_out", "height", "width", "activation", "with_r")
        return {name: getattr(self, name) for name in names}

    def apart(self) -> tuple[Tile, CoordConv2D]:
        """Return the two layers that compute the same one after the other; they share the arrays of this one."""
        conv = CoordConv2D(self.c_in, self.c_out, 1, init="zeros", activation=self.activation, with_r=self.with_r)
        conv.astype(self.params["w"].dtype)
        conv.params.update(self.params)
        conv.grads.update(self.grads)
        return Tile(self.height, self.width), conv

    def _kernel(self) -> NDArray:
        """Return ``w`` as (c_in + 2, c_out), as kernels take it."""
        return for_kernels(self.params["w"])[0, 0]

    def _coordinates(self) -> NDArray:
        return coordinate_channels(self.height, self.width, self.with_r, self.params["w"].dtype)
