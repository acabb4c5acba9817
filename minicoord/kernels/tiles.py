"""The compiled loops under convolution: matrix products with the im2col matrix, one tile of its rows at a time.

Lay the pixels under the kernel side by side, one row for each place of the kernel: that is the im2col matrix ``cols``,
of shape ``(N * out_h * out_w, kh * kw * c_in)`` (``im2col.py`` shows it whole). Here it is never built as a whole. Each
task gathers a *tile* of its rows into a buffer that stays in the cache, multiplies it, and adds bias and activation
while the product is warm. Tiles depend on shapes alone, never on threads, and every output has one writer; so the bits
are the same with any number of threads.

Nothing is checked here: ``convolution.py``, ``transposed.py`` and ``coordconv.py`` check, allocate and call.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.geometry import Window
from minicoord.kernels.runtime import helper, kernel, launch, prange

TILE = 256  # rows of cols per product; of 64 float32 channels that is 64 kB, a small part of a core's L2 cache
CHUNKS = 16  # partial sums of dw: enough to keep 16 threads busy, few enough to merge quickly


class Placement(NamedTuple):
    """Where place (i, j) of the window is written: to pixel (at_y + i * step_y, at_x + j * step_x) of the output."""

    step_y: int = 1
    step_x: int = 1
    at_y: int = 0
    at_x: int = 0


@helper
def _gather(x, cols, first, win):
    """Fill `cols` with the rows ``first, first + 1, ...`` of the im2col matrix of `x`; outside the image is zero."""
    height, width, c_in = x.shape[1:]
    n = first // (win.out_h * win.out_w)
    i = first // win.out_w % win.out_h
    j = first % win.out_w
    for r in range(cols.shape[0]):
        left = j * win.sx - win.left
        inside, beyond = min(max(-left, 0), win.kw), max(min(width - left, win.kw), 0)  # kj in [inside, beyond) is image
        for ki in range(win.kh):
            y = i * win.sy - win.top + ki
            row = cols[r, ki * win.kw * c_in : (ki + 1) * win.kw * c_in]
            if 0 <= y < height and inside < beyond:
                row[: inside * c_in] = 0
                # The kw pixels of one kernel row lie side by side in memory: one copy.
                source = x[n, y, left + inside : left + beyond].reshape(-1)
                target = row[inside * c_in : beyond * c_in]
                for c in range(source.size):
                    target[c] = source[c]
                row[beyond * c_in :] = 0
            else:
                row[:] = 0
        j += 1
        if j == win.out_w:
            j = 0
            i += 1
            if i == win.out_h:
                i = 0
                n += 1


@helper
def _is_pointwise(x, win):
    """Whether the im2col matrix is the image itself, so that nothing need be gathered."""
    return win.kh * win.kw * win.sy * win.sx == 1 and win.out_h == x.shape[1] and win.out_w == x.shape[2]


@kernel
def _forward(x, w, offset, y, relu, win, to):
    """Tile by tile: gather, multiply, add the offset, apply ReLU, write to the output."""
    c_in, c_out = x.shape[3], w.shape[1]
    places = win.out_h * win.out_w
    rows = x.shape[0] * places
    pixels = x.reshape(-1, c_in)
    zero = x.dtype.type(0)
    for task in prange((rows + TILE - 1) // TILE):
        first = np.int64(task) * TILE
        m = min(TILE, rows - first)
        product = np.empty((m, c_out), x.dtype)
        if _is_pointwise(x, win):
            np.dot(pixels[first : first + m], w, product)
        else:
            cols = np.empty((m, w.shape[0]), x.dtype)
            _gather(x, cols, first, win)
            np.dot(cols, w, product)
        for r in range(m):
            place = (first + r) % places
            i, j = to.at_y + place // win.out_w * to.step_y, to.at_x + place % win.out_w * to.step_x
            target = y[(first + r) // places, i, j]
            added = offset[place % offset.shape[0]]
            for c in range(c_out):
                value = product[r, c] + added[c]
                target[c] = zero if relu and value <= zero else value  # a NaN is not <= 0, so it stays visible


@kernel
def _output_gradient(dy, y, relu, dz, total):
    """Undo ReLU (dz = dy where y > 0) and sum dz over the images, in one pass over memory."""
    images, places, c_out = dy.shape
    zero = dy.dtype.type(0)
    for task in prange((places + TILE - 1) // TILE):
        first = np.int64(task) * TILE
        for p in range(first, min(first + TILE, places)):
            for c in range(c_out):
                total[p, c] = 0
        for n in range(images):
            for p in range(first, min(first + TILE, places)):
                for c in range(c_out):
                    value = dy[n, p, c]
                    if relu:
                        value = zero if y[n, p, c] <= zero else value
                        dz[n, p, c] = value
                    total[p, c] += value


@kernel
def _weight_gradient(x, dz, parts, win):
    """Each task sums cols.T @ dz over its own tiles, in order, into its own part."""
    c_in, c_out = x.shape[3], dz.shape[1]
    rows, chunks = dz.shape[0], parts.shape[0]
    tiles = (rows + TILE - 1) // TILE
    pixels = x.reshape(-1, c_in)
    for task in prange(chunks):
        chunk = np.int64(task)
        part = parts[chunk]
        product = np.empty(part.shape, x.dtype)
        buffer = np.empty((TILE, part.shape[0]), x.dtype)
        part[:] = 0
        for tile in range(chunk * tiles // chunks, (chunk + 1) * tiles // chunks):
            first = tile * TILE
            m = min(TILE, rows - first)
            if _is_pointwise(x, win):
                np.dot(pixels[first : first + m].T, dz[first : first + m], product)
            else:
                cols = buffer[:m]
                _gather(x, cols, first, win)
                np.dot(cols.T, dz[first : first + m], product)
            for k in range(part.shape[0]):
                for c in range(c_out):
                    part[k, c] += product[k, c]


def convolve(
    x: NDArray, w: NDArray, offset: NDArray, y: NDArray, relu: bool, win: Window, to: Placement = Placement()
) -> None:
    """Write ``cols(x) @ w + offset``, with or without ReLU, into `y`.

    Parameters
    ----------
    x : ndarray, shape (N, H, W, c_in)
    w : ndarray, shape (kh * kw * c_in, c_out)
        The kernel as a matrix, C-contiguous.
    offset : ndarray, shape (1, c_out) or (out_h * out_w, c_out)
        What is added to the product: a bias, or one row for each place of the window (the map of a CoordConv).
    y : ndarray, shape (N, ..., ..., c_out)
        Written at the pixels that `to` names.
    """
    if y.size:
        launch(_forward, x, w, offset, y, relu, win, to)


def output_gradient(dy: NDArray, y: NDArray | None) -> tuple[NDArray, NDArray]:
    """Undo the ReLU of an output and sum over the images.

    Parameters
    ----------
    dy : ndarray, shape (N, H, W, C)
        Gradient of the loss with respect to the output.
    y : ndarray, shape (N, H, W, C), or None
        The output after its ReLU; None where there was no ReLU.

    Returns
    -------
    dz : ndarray, shape (N, H, W, C)
        Gradient before the ReLU: `dy` where y > 0, else 0. Without ReLU, `dy` itself.
    total : ndarray, shape (H * W, C)
        The sum of `dz` over the images; its sum over the rows is the gradient of the bias.
    """
    n, h, w, c = dy.shape
    total = np.empty((h * w, c), dy.dtype)
    dz = dy if y is None else np.empty_like(dy)
    flat = (n, h * w, c)
    launch(_output_gradient, dy.reshape(flat), (dy if y is None else y).reshape(flat), y is not None, dz.reshape(flat), total)
    return dz, total


def weight_gradient(x: NDArray, dz: NDArray, win: Window) -> NDArray:
    """Return dw = cols.T @ dz, shape (kh * kw * c_in, c_out), for images `x` and output gradients `dz`."""
    depth, c_out = win.kh * win.kw * x.shape[3], dz.shape[3]
    rows = dz.reshape(-1, c_out)
    chunks = min(CHUNKS, -(-rows.shape[0] // TILE))
    parts = np.empty((chunks, depth, c_out), x.dtype)
    launch(_weight_gradient, x, rows, parts, win)
    return parts.sum(axis=0)
