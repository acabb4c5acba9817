"""The convolutions of the library, composed from functions that a learner wrote.

A convolution becomes what lesson 02 teaches: rows of pixels and one matrix product. CoordConv becomes what lesson 05
teaches: AddCoords and a convolution. Nothing is fused, tiled or parallel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels import convolution, coordinates
from minicoord.kernels.geometry import Padding, Pair, Window, pair, window
from minicoord.kernels.im2col import col2im, im2col
from minicoord.learn.swap_in.calling import Calling, Function
from minicoord.system.arguments import shown

FORWARD = frozenset({"conv_loops", "im2col", "conv_product"})
BACKWARD = frozenset({"im2col", "conv_db", "conv_dw", "col2im", "conv_dx"})
COORDINATES = frozenset({"add_coords", "add_r"})
MAP = frozenset({"coordconv_map"})
FRONT = frozenset({"front_features"})


class TeachingConvolutions(Calling):
    """Convolution kernels that call a learner's functions."""

    def conv2d(
        self,
        original: Function,
        x: NDArray,
        w: NDArray,
        b: NDArray | None = None,
        stride: Pair = 1,
        padding: Padding = "same",
        relu: bool = False,
    ) -> NDArray:
        """Return the convolution: as one product, ``cols @ w + b``, or by ``conv_loops`` where that is given."""
        if not self.uses(FORWARD):
            return original(x, w, b, stride, padding, relu)
        kh, kw, _, c_out = w.shape
        win = window(x.shape[1], x.shape[2], (kh, kw), stride, padding)
        bias = np.zeros(c_out, w.dtype) if b is None else b
        shape = len(x), win.out_h, win.out_w, c_out
        if "conv_loops" in self.functions:
            x, _, step, pad = self._square_arguments("conv_loops", x, win)
            y = self._call("conv_loops", (x, w, bias, step, pad), shape, x.dtype)
        else:
            y = self._product(self._im2col(x, win), w, bias).reshape(shape)
        return np.maximum(y, 0) if relu else y

    def conv2d_backward(
        self,
        original: Function,
        x: NDArray,
        w: NDArray,
        dy: NDArray,
        stride: Pair = 1,
        padding: Padding = "same",
        y: NDArray | None = None,
        need_dx: bool = True,
    ) -> tuple[NDArray | None, NDArray, NDArray]:
        """Return dx, dw and db: ``dw = cols.T @ dy``, and dx by adding ``dy @ w.T`` back to its pixels."""
        if not self.uses(BACKWARD):
            return original(x, w, dy, stride, padding, y, need_dx)
        kh, kw, _, c_out = w.shape
        win = window(x.shape[1], x.shape[2], (kh, kw), stride, padding)
        dz = dy if y is None else dy * (y > 0)
        rows = dz.reshape(-1, c_out)
        if "conv_db" in self.functions:
            db = self._call("conv_db", (dz,), (c_out,), x.dtype)
        else:
            db = rows.sum(axis=0)
        cols = self._im2col(x, win)
        if "conv_dw" in self.functions:
            dw = self._call("conv_dw", (cols, dz, w.shape), w.shape, x.dtype)
        else:
            dw = (cols.T @ rows).reshape(w.shape)
        if not need_dx:
            return None, dw, db
        return self._dx(dz, w, x.shape, win), dw, db

    def coordconv2d(
        self, original: Function, x: NDArray, shared: NDArray, w: NDArray, b: NDArray | None, relu: bool, win: Window
    ) -> NDArray:
        """Return the convolution of images with their coordinates, or of the images alone plus the coordinate map."""
        with_r = w.shape[2] - x.shape[3] == 3
        if not shared.any():  # coordinates held at zero, which the learner's functions would set right
            return original(x, shared, w, b, relu, win)
        if self.uses(FRONT) and with_r and _is_pixel_by_pixel(win):
            y = self._front(x, w, b)
            return np.maximum(y, 0) if relu else y
        if not self.uses(FORWARD | COORDINATES | MAP):
            return original(x, shared, w, b, relu, win)
        if self.uses(MAP):
            w_x = np.ascontiguousarray(w[:, :, : x.shape[3]])
            y = self.conv2d(convolution.conv2d, x, w_x, b, *_stride_and_padding(win)) + self._map(x, w, with_r, win)
            return np.maximum(y, 0) if relu else y
        with_coordinates = self._with_coordinates(x, with_r)
        return self.conv2d(convolution.conv2d, with_coordinates, w, b, *_stride_and_padding(win), relu)

    def coordconv2d_backward(
        self,
        original: Function,
        x: NDArray,
        shared: NDArray,
        w: NDArray,
        dy: NDArray,
        y: NDArray | None,
        win: Window,
        need_dx: bool = True,
    ) -> tuple[NDArray | None, NDArray, NDArray]:
        """Return dx, dw and db; coordinates are constants, so their gradient is dropped."""
        if not shared.any():
            return original(x, shared, w, dy, y, win, need_dx)
        with_coordinates = self._with_coordinates(x, w.shape[2] - x.shape[3] == 3)
        dx, dw, db = self.conv2d_backward(
            convolution.conv2d_backward, with_coordinates, w, dy, *_stride_and_padding(win), y, need_dx
        )
        return None if dx is None else np.ascontiguousarray(dx[..., : x.shape[3]]), dw, db

    def add_coords(self, original: Function, x: NDArray, with_r: bool = False) -> NDArray:
        """Return images with their coordinates appended as channels."""
        return self._with_coordinates(x, with_r)

    def conv_transpose2d(
        self,
        original: Function,
        x: NDArray,
        w: NDArray,
        b: NDArray | None = None,
        stride: Pair = 1,
        padding: Padding = "same",
        relu: bool = False,
    ) -> NDArray:
        """Return the transposed convolution with "same" padding and one stride for rows and columns."""
        step, step_x = pair(stride, "stride")
        if padding != "same" or step != step_x or min(w.shape[:2]) < step:
            raise ValueError(
                f"using: conv_transpose was called with kernel {w.shape[:2]}, stride {stride} and padding "
                f"{shown(padding)}; expected padding 'same', one stride, and a kernel at least as large as the stride"
            )
        shape = len(x), x.shape[1] * step, x.shape[2] * step, w.shape[2]
        y = self._call("conv_transpose", (x, w, step), shape, x.dtype)
        if b is not None:
            y = y + b
        return np.maximum(y, 0) if relu else y

    def _product(self, cols: NDArray, w: NDArray, b: NDArray) -> NDArray:
        """Return cols @ w + b: (rows, kh * kw * c_in) @ (kh * kw * c_in, c_out) + (c_out,)."""
        c_out = w.shape[3]
        if "conv_product" in self.functions:
            return self._call("conv_product", (cols, w, b), (len(cols), c_out), cols.dtype)
        return cols @ w.reshape(-1, c_out) + b

    def _im2col(self, x: NDArray, win: Window) -> NDArray:
        if "im2col" not in self.functions:
            return im2col(x, (win.kh, win.kw), *_stride_and_padding(win))
        shape = len(x) * win.out_h * win.out_w, win.kh * win.kw * x.shape[3]
        return self._call("im2col", self._square_arguments("im2col", x, win), shape, x.dtype)

    def _square_arguments(self, id: str, x: NDArray, win: Window) -> tuple[NDArray, int, int, int]:
        """Return images, and the size, stride and padding of the square window over them.

        An exercise has one padding for all sides. Where "same" pads more at the bottom and on the right, the images are
        returned already padded, with padding 0.
        """
        k, step, pad = square_window(id, win)
        if pad is not None:
            return x, k, step, pad
        return np.pad(x, ((0, 0), *_stride_and_padding(win)[1], (0, 0))), k, step, 0

    def _dx(self, dz: NDArray, w: NDArray, x_shape: tuple[int, ...], win: Window) -> NDArray:
        """Return the gradient with respect to the images; each output adds to the pixels in its window."""
        n, height, width, channels = x_shape
        rows, w_matrix = dz.reshape(-1, w.shape[3]), w.reshape(-1, w.shape[3])
        if not self.uses(frozenset({"conv_dx", "col2im"})):
            stride, padding = _stride_and_padding(win)
            return col2im(rows @ w_matrix.T, (n, height, width, channels), (win.kh, win.kw), stride, padding)
        k, step, pad = square_window("conv_dx" if "conv_dx" in self.functions else "col2im", win)
        shape = x_shape  # or that of the padded images, whose padding is cut off at the end
        if pad is None:
            shape, pad = (n, height + win.top + win.bottom, width + win.left + win.right, channels), 0
        if "conv_dx" in self.functions:
            dx = self._call("conv_dx", (dz, w, shape, step, pad), shape, dz.dtype)
        else:
            dx = self._call("col2im", (rows @ w_matrix.T, shape, k, step, pad), shape, dz.dtype)
        if shape == x_shape:
            return dx
        return np.ascontiguousarray(dx[:, win.top : win.top + height, win.left : win.left + width])

    def _with_coordinates(self, x: NDArray, with_r: bool) -> NDArray:
        """Return images with the channels i, j and optionally r appended."""
        n, height, width, channels = x.shape
        if "add_coords" in self.functions:
            x = self._call("add_coords", (x,), (n, height, width, channels + 2), x.dtype)
        else:
            x = coordinates.add_coords(x)
        if not with_r:
            return x
        if "add_r" in self.functions:
            return self._call("add_r", (x,), (n, height, width, channels + 3), x.dtype)
        r = coordinates.coordinate_channels(height, width, True, x.dtype)[..., 2:]
        return np.concatenate([x, np.broadcast_to(r, (n, height, width, 1))], axis=3)

    def _front(self, x: NDArray, w: NDArray, b: NDArray | None) -> NDArray:
        """Return the 1x1 convolution of images and i, j and r."""
        bias = np.zeros(w.shape[3], w.dtype) if b is None else b
        return self._call("front_features", (x, w, bias), (*x.shape[:3], w.shape[3]), x.dtype)

    def _map(self, x: NDArray, w: NDArray, with_r: bool, win: Window) -> NDArray:
        """Return what the coordinate channels contribute to every output of a CoordConv, (H, W, c_out)."""
        k, step, pad = square_window("coordconv_map", win)
        if with_r or step != 1 or k % 2 == 0 or pad != k // 2:
            raise ValueError(
                f"using: coordconv_map was called with {'channel r, ' if with_r else ''}kernel {k}, stride {step} and "
                f"padding {pad}; expected an odd kernel, stride 1, padding 'same', and no r"
            )
        height, width = x.shape[1:3]
        return self._call("coordconv_map", (w, height, width), (height, width, w.shape[3]), x.dtype)


def _stride_and_padding(win: Window) -> tuple[tuple[int, int], tuple[tuple[int, int], tuple[int, int]]]:
    return (win.sy, win.sx), ((win.top, win.bottom), (win.left, win.right))


def _is_pixel_by_pixel(win: Window) -> bool:
    """Whether each output belongs to one pixel: a 1x1 window with stride 1."""
    return (win.kh, win.kw, win.sy, win.sx) == (1, 1, 1, 1)


def square_window(id: str, win: Window) -> tuple[int, int, int | None]:
    """Return the size, stride and padding of a square window; the padding is None if the sides differ."""
    if win.kh != win.kw or win.sy != win.sx:
        raise ValueError(
            f"using: {id} was called with a {win.kh} x {win.kw} window and stride {win.sy} x {win.sx}; "
            "expected a square window and one stride"
        )
    pads = {win.top, win.bottom, win.left, win.right}
    return win.kh, win.sy, pads.pop() if len(pads) == 1 else None
