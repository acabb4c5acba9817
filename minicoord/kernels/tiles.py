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
from minicoord.kernels.memory import empty, empty_like
from minicoord.kernels.runtime import helper, kernel, launch, prange

CHUNKS = 16  # partial sums: enough to keep 16 threads busy, few enough to merge quickly
MOST_ROWS = 256  # of a tile: of 64 float32 channels that is 64 kB, a small part of a core's L2 cache
SMALL_PRODUCT = 10**6  # up to so many multiply-adds OpenBLAS skips packing, and was measured to be half again as fast


def tile_rows(depth: int, c_out: int) -> int:
    """Return how many rows of the im2col matrix make a tile: as many as keep the product small, or else 256.

    A power of two, so that the tiles come out even on the sizes that images have.
    """
    rows = MOST_ROWS
    while rows * depth * c_out > SMALL_PRODUCT and rows > 64:
        rows //= 2
    return rows if rows * depth * c_out <= SMALL_PRODUCT else MOST_ROWS


class Placement(NamedTuple):
    """Where place (i, j) of the window is written: to pixel (at_y + i * step_y, at_x + j * step_x) of the output."""

    step_y: int = 1
    step_x: int = 1
    at_y: int = 0
    at_x: int = 0


EVERY_PIXEL = Placement()


@helper
def _gather(x, cols, first, win):
    """Fill `cols` with the rows ``first, first + 1, ...`` of the im2col matrix of `x`; outside the image is zero."""
    height, width, c_in = x.shape[1:]
    n = first // (win.out_h * win.out_w)
    i = first // win.out_w % win.out_h
    j = first % win.out_w
    for r in range(cols.shape[0]):
        left = j * win.sx - win.left
        # Columns inside <= kj < beyond of the kernel lie over the image.
        inside, beyond = min(max(-left, 0), win.kw), max(min(width - left, win.kw), 0)
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
    """Whether the im2col matrix is the image itself, so that nothing need be gathered.

    A phase of `adjoint` may have one tap and one place per pixel and still look elsewhere: its padding is not 0 then.
    """
    one_tap = win.kh * win.kw * win.sy * win.sx == 1 and win.top == 0 and win.left == 0
    return one_tap and win.out_h == x.shape[1] and win.out_w == x.shape[2]


@kernel
def _forward(x, w, offset, y, relu, win, to, tile_rows):
    """Tile by tile: gather, multiply, add the offset, apply ReLU, write to the output."""
    c_in, c_out = x.shape[3], w.shape[1]
    places = win.out_h * win.out_w
    rows = x.shape[0] * places
    pixels = x.reshape(-1, c_in)
    zero = x.dtype.type(0)
    for task in prange((rows + tile_rows - 1) // tile_rows):
        first = np.int64(task) * tile_rows
        m = min(tile_rows, rows - first)
        product = np.empty((m, c_out), x.dtype)
        if _is_pointwise(x, win):
            np.dot(pixels[first : first + m], w, product)
        else:
            cols = np.empty((m, w.shape[0]), x.dtype)
            _gather(x, cols, first, win)
            np.dot(cols, w, product)
        n, place = first // places, first % places
        i, j = place // win.out_w, place % win.out_w
        for r in range(m):
            target = y[n, to.at_y + i * to.step_y, to.at_x + j * to.step_x]
            added = offset[place if offset.shape[0] > 1 else 0]
            for c in range(c_out):
                value = product[r, c] + added[c]
                target[c] = zero if relu and value <= zero else value  # a NaN is not <= 0, so it stays visible
            place, j = place + 1, j + 1
            if j == win.out_w:
                i, j = i + 1, 0
                if i == win.out_h:
                    n, i, place = n + 1, 0, 0


@helper
def _clear(total):
    for k in range(total.shape[0]):
        for c in range(total.shape[1]):
            total[k, c] = 0


@helper
def _add(total, part):
    for k in range(total.shape[0]):
        for c in range(total.shape[1]):
            total[k, c] += part[k, c]


@kernel
def _output_gradient(dy, y, relu, dz, over_images, keep, sums):
    """Undo ReLU (dz = dy where y > 0), sum dz over the images, and those sums over the pixels: one pass over memory."""
    images, places, c_out = dy.shape
    chunks = sums.shape[0]
    zero = dy.dtype.type(0)
    for task in prange(chunks):
        chunk = np.int64(task)
        first, last = chunk * places // chunks, (chunk + 1) * places // chunks
        total = over_images[first:last] if keep else np.empty((last - first, c_out), dy.dtype)
        _clear(total)
        for n in range(images):
            for p in range(first, last):
                source, added = dy[n, p], total[p - first]
                if relu:
                    output, target = y[n, p], dz[n, p]
                    for c in range(c_out):
                        target[c] = zero if output[c] <= zero else source[c]
                        added[c] += target[c]
                else:
                    for c in range(c_out):
                        added[c] += source[c]
        part = sums[chunk]
        for c in range(c_out):
            part[c] = 0
        for p in range(last - first):
            for c in range(c_out):
                part[c] += total[p, c]


@kernel
def _weight_gradient(x, dz, parts, win, tile_rows):
    """Each task sums cols.T @ dz over its own tiles, in order, into its own part."""
    c_in = x.shape[3]
    rows, chunks = dz.shape[0], parts.shape[0]
    tiles = (rows + tile_rows - 1) // tile_rows
    pixels = x.reshape(-1, c_in)
    for task in prange(chunks):
        chunk = np.int64(task)
        part = parts[chunk]
        product = np.empty(part.shape, x.dtype)
        buffer = np.empty((tile_rows, part.shape[0]), x.dtype)
        _clear(part)
        for tile in range(chunk * tiles // chunks, (chunk + 1) * tiles // chunks):
            first = tile * tile_rows
            m = min(tile_rows, rows - first)
            if _is_pointwise(x, win):
                np.dot(pixels[first : first + m].T, dz[first : first + m], product)
            else:
                cols = buffer[:m]
                _gather(x, cols, first, win)
                np.dot(cols.T, dz[first : first + m], product)
            _add(part, product)


def convolve(
    x: NDArray, w: NDArray, offset: NDArray, y: NDArray, relu: bool, win: Window, to: Placement = EVERY_PIXEL
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
        launch(_forward, x, w, offset, y, relu, win, to, tile_rows(*w.shape))


def output_gradient(dy: NDArray, y: NDArray | None, keep: bool = False) -> tuple[NDArray, NDArray, NDArray]:
    """Undo the ReLU of an output, and sum over images and pixels.

    Parameters
    ----------
    dy : ndarray, shape (N, H, W, C)
        Gradient of the loss with respect to the output.
    y : ndarray, shape (N, H, W, C), or None
        The output after its ReLU; None where there was no ReLU.
    keep : bool
        Whether the sum over the images alone is wanted too.

    Returns
    -------
    dz : ndarray, shape (N, H, W, C)
        Gradient before the ReLU: `dy` where y > 0, else 0. Without ReLU, `dy` itself.
    db : ndarray, shape (C,)
        The sum of `dz` over images and pixels: the gradient of a bias.
    over_images : ndarray, shape (H * W, C)
        The sum of `dz` over the images: the gradient of a map that all images share. Empty if not `keep`.
    """
    n, h, w, c = dy.shape
    dz = empty_like(dy) if y is not None else np.empty((0, 0, 0, c), dy.dtype)
    over_images = empty((h * w if keep else 0, c), dy.dtype)
    sums = np.empty((min(CHUNKS, h * w), c), dy.dtype)
    flat = (n, h * w, c)
    flat_y, flat_dz = (dy if y is None else y).reshape(flat), dz.reshape((0, 0, c) if y is None else flat)
    launch(_output_gradient, dy.reshape(flat), flat_y, y is not None, flat_dz, over_images, keep, sums)
    return (dy if y is None else dz), sums.sum(axis=0), over_images


def weight_gradient(x: NDArray, dz: NDArray, win: Window) -> NDArray:
    """Return dw = cols.T @ dz, shape (kh * kw * c_in, c_out), for images `x` and output gradients `dz`."""
    depth, c_out = win.kh * win.kw * x.shape[3], dz.shape[3]
    rows = dz.reshape(-1, c_out)
    height = tile_rows(depth, c_out)
    chunks = min(CHUNKS, -(-rows.shape[0] // height))
    parts = empty((chunks, depth, c_out), x.dtype)
    launch(_weight_gradient, x, rows, parts, win, height)
    return parts.sum(axis=0)
