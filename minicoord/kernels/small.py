"""Convolution of little work: the whole im2col matrix at once, by one thread, in one call.

For an image of 8 x 8 pixels the arithmetic takes a few microseconds, less than it takes to start threads and to prepare
tiles. So forward and backward are one compiled function each, which does what a lesson would do:

    forward      y  = relu(cols @ w + b)
    backward     dz = dy where y > 0        dw = cols.T @ dz        db = the sum of the rows of dz
                 dx = col2im(dz @ w.T)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.denormals import denormals_as, flush_denormals
from minicoord.kernels.geometry import Window
from minicoord.kernels.runtime import helper, launch

LITTLE_WORK = 150_000  # multiply-adds of the forward pass; about where tiles on two threads become as quick


def is_small(images: int, win: Window, c_in: int, c_out: int) -> bool:
    """Whether a convolution is so little work that one thread does it sooner than two."""
    return images * win.out_h * win.out_w * win.kh * win.kw * c_in * c_out <= LITTLE_WORK


@helper
def _im2col(x, cols, win):
    """Fill `cols`, seen as (N, out_h, out_w, kh, kw, C), with the pixels under the kernel; outside is zero."""
    images, height, width, channels = x.shape
    for n in range(images):
        for i in range(win.out_h):
            for j in range(win.out_w):
                for ki in range(win.kh):
                    for kj in range(win.kw):
                        y, left = i * win.sy - win.top + ki, j * win.sx - win.left + kj
                        inside = 0 <= y < height and 0 <= left < width
                        for c in range(channels):
                            cols[n, i, j, ki, kj, c] = x[n, y, left, c] if inside else 0


@helper
def _col2im(cols, x, win):
    """Add every number of `cols` to the pixel that it came from: the adjoint of `_im2col`."""
    images, height, width, channels = x.shape
    x[:] = 0
    for n in range(images):
        for i in range(win.out_h):
            for j in range(win.out_w):
                for ki in range(win.kh):
                    for kj in range(win.kw):
                        y, left = i * win.sy - win.top + ki, j * win.sx - win.left + kj
                        if 0 <= y < height and 0 <= left < width:
                            for c in range(channels):
                                x[n, y, left, c] += cols[n, i, j, ki, kj, c]


@helper
def _forward(x, w, b, relu, win, y):
    rows, depth = x.shape[0] * win.out_h * win.out_w, w.shape[0]
    cols = np.empty((rows, depth), x.dtype)  # (N * out_h * out_w, kh * kw * c_in)
    before = flush_denormals()
    _im2col(x, cols.reshape(x.shape[0], win.out_h, win.out_w, win.kh, win.kw, x.shape[3]), win)
    np.dot(cols, w, y)  # (rows, kh * kw * c_in) @ (kh * kw * c_in, c_out)
    zero = x.dtype.type(0)
    for r in range(rows):
        for c in range(y.shape[1]):
            value = y[r, c] + b[c]
            y[r, c] = zero if relu and value <= zero else value  # a NaN is not <= 0, so it stays visible
    denormals_as(before)


@helper
def _backward(x, w, dy, y, relu, win, need_dx, dx, dw, db):
    (rows, columns), depth = dy.shape, w.shape[0]
    spread = x.shape[0], win.out_h, win.out_w, win.kh, win.kw, x.shape[3]
    cols, dz = np.empty((rows, depth), x.dtype), np.empty((rows, columns), x.dtype)
    before = flush_denormals()
    _im2col(x, cols.reshape(spread), win)
    zero = x.dtype.type(0)
    db[:] = 0
    for r in range(rows):
        for c in range(columns):
            dz[r, c] = zero if relu and y[r, c] <= zero else dy[r, c]
            db[c] += dz[r, c]
    np.dot(cols.T, dz, dw)  # (kh * kw * c_in, rows) @ (rows, c_out)
    if need_dx:
        np.dot(dz, w.T, cols)  # (rows, c_out) @ (c_out, kh * kw * c_in): the gradient of cols, in its memory
        _col2im(cols.reshape(spread), dx, win)
    denormals_as(before)


def small_forward(x: NDArray, w: NDArray, b: NDArray, relu: bool, win: Window) -> NDArray:
    """Return the convolution of images (N, H, W, c_in) with a kernel (kh, kw, c_in, c_out), b of shape (c_out,)."""
    y = np.empty((x.shape[0], win.out_h, win.out_w, w.shape[3]), x.dtype)
    # w: (kh * kw * c_in, c_out), y: (N * out_h * out_w, c_out)
    launch(_forward, x, w.reshape(-1, w.shape[3]), b, relu, win, y.reshape(-1, w.shape[3]))
    return y


def small_backward(
    x: NDArray, w: NDArray, dy: NDArray, y: NDArray | None, win: Window, need_dx: bool
) -> tuple[NDArray | None, NDArray, NDArray]:
    """Return dx (None if not needed), dw and db; the arguments are those of `conv2d_backward`."""
    c_out = w.shape[3]
    dx, dw, db = np.empty(x.shape if need_dx else (0, 0, 0, 0), x.dtype), np.empty_like(w), np.empty(c_out, x.dtype)
    matrix, flat_dy = w.reshape(-1, c_out), dy.reshape(-1, c_out)  # (kh * kw * c_in, c_out), (N * out_h * out_w, c_out)
    flat_y = flat_dy if y is None else y.reshape(-1, c_out)
    launch(_backward, x, matrix, flat_dy, flat_y, y is not None, win, need_dx, dx, dw.reshape(matrix.shape), db)
    return (dx if need_dx else None), dw, db
