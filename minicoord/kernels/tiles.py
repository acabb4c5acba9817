"""The compiled loops under convolution: matrix products with the im2col matrix, one tile of its rows at a time.

Lay the pixels under the kernel side by side, one row for each place of the kernel: that is the im2col matrix ``cols``,
of shape ``(N * out_h * out_w, kh * kw * c_in)`` (``im2col.py`` shows it whole). Here it is never built as a whole. Each
task gathers a *tile* of it into a buffer that stays in the cache, multiplies it, and adds bias and activation while the
product is warm. Tiles depend on shapes alone, never on threads, and every output has one writer; so the bits are the
same with any number of threads.

Nothing is checked here: ``convolution.py``, ``transposed.py`` and ``coordconv.py`` check, allocate and call.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.geometry import Window
from minicoord.kernels.grouping import folded, group_size, grouped, spread
from minicoord.kernels.memory import empty, empty_like
from minicoord.kernels.runtime import helper, kernel, launch, prange

CHUNKS = 16  # tasks, and partial sums: enough to keep 16 threads busy, few enough to merge quickly
SMALL_PRODUCT = 10**6  # up to so many multiply-adds OpenBLAS skips packing, and was measured to be half again as fast
TILE = 2**14  # numbers in a tile and its product: 64 kB of float32, a small part of a core's L2 cache
FEWEST_ROWS, MOST_ROWS = 16, 256  # of a tile


class Blocks(NamedTuple):
    """How the taps of a kernel are cut: into `rows` x `columns` blocks of equal size; each gives a product of its own."""

    rows: int
    columns: int
    tile_rows: int


def cut(kh: int, kw: int, c_in: int, c_out: int) -> Blocks:
    """Return the coarsest cut whose products OpenBLAS takes without packing, and how many rows a tile has.

    The whole kernel at once if that is small enough, else row by row, else tap by tap. What is too large even then is
    packed, and takes whole tiles. The rows are a power of two, so that tiles come out even on the sizes of images.
    """
    for rows, columns in ((1, 1), (kh, 1), (kh, kw)):
        depth = kh * kw * c_in // (rows * columns)
        height = MOST_ROWS
        while height > FEWEST_ROWS and (height * depth * c_out > SMALL_PRODUCT or height * (depth + c_out) > TILE):
            height //= 2
        if height * depth * c_out <= SMALL_PRODUCT:
            return Blocks(rows, columns, height)
    return Blocks(1, 1, MOST_ROWS)


class Placement(NamedTuple):
    """Where place (i, j) of the window is written: to pixel (at_y + i * step_y, at_x + j * step_x) of the output."""

    step_y: int = 1
    step_x: int = 1
    at_y: int = 0
    at_x: int = 0


EVERY_PIXEL = Placement()


@helper
def _copy(source, first, target, start, count):
    """Copy `count` numbers between flat arrays. Unsigned indices, because a signed one might count from the end."""
    for k in range(np.uintp(count)):
        target[np.uintp(start) + k] = source[np.uintp(first) + k]


@helper
def _fill_with_zeros(target, start, count):
    for k in range(np.uintp(count)):
        target[np.uintp(start) + k] = 0


@helper
def _gather(x, cols, first, win, top_row, kh, left_column, kw):
    """Fill `cols` with the im2col rows ``first, first + 1, ...`` of a block of the window's taps; outside is zero.

    The block is `kh` rows of taps from `top_row` on and `kw` columns from `left_column` on.
    """
    height, width, c_in = x.shape[1:]
    pixels, target = x.reshape(-1), cols.reshape(-1)
    n, i, j = first // (win.out_h * win.out_w), first // win.out_w % win.out_h, first % win.out_w
    r = 0
    while r < cols.shape[0]:
        # The places r, r + 1, ... of the tile that lie in the same row of the output.
        places = min(win.out_w - j, cols.shape[0] - r)
        for ki in range(kh):
            y = i * win.sy - win.top + top_row + ki
            for p in range(places):
                start = ((r + p) * kh + ki) * kw * c_in
                x_left = (j + p) * win.sx - win.left + left_column
                # Taps inside <= kj < beyond lie over the image; their pixels lie side by side in memory.
                inside = min(max(-x_left, 0), kw)
                beyond = max(min(width - x_left, kw), inside)
                if y < 0 or y >= height:
                    inside = beyond = kw
                _fill_with_zeros(target, start, inside * c_in)
                source = ((n * height + y) * width + x_left + inside) * c_in
                _copy(pixels, source, target, start + inside * c_in, (beyond - inside) * c_in)
                _fill_with_zeros(target, start + beyond * c_in, (kw - beyond) * c_in)
        r, j, i = r + places, 0, i + 1
        if i == win.out_h:
            i, n = 0, n + 1


@helper
def _is_pointwise(x, win):
    """Whether the im2col matrix is the image itself, so that nothing need be gathered.

    A phase of `adjoint` may have one tap and one place per pixel and still look elsewhere: its padding is not 0 then.
    """
    one_tap = win.kh * win.kw * win.sy * win.sx == 1 and win.top == 0 and win.left == 0
    return one_tap and win.out_h == x.shape[1] and win.out_w == x.shape[2]


@helper
def _add(total, part):
    for k in range(total.shape[0]):
        for c in range(total.shape[1]):
            total[k, c] += part[k, c]


@helper
def _product(x, w, first, win, blocks, cols, part, product):
    """Write the rows ``first, first + 1, ...`` of ``cols(x) @ w`` into `product`: the sum over the blocks of taps."""
    kh, kw = win.kh // blocks.rows, win.kw // blocks.columns
    for block in range(w.shape[0]):
        _gather(x, cols, first, win, block // blocks.columns * kh, kh, block % blocks.columns * kw, kw)
        if block == 0:
            np.dot(cols, w[block], product)
        else:
            np.dot(cols, w[block], part)
            _add(product, part)


@helper
def _write(product, offset, y, relu, first, win, to):
    """Write ``product + offset``, with or without ReLU, to the places ``first, first + 1, ...`` of the output."""
    zero = product.dtype.type(0)
    per_image = win.out_h * win.out_w
    n, place = first // per_image, first % per_image
    i, j = place // win.out_w, place % win.out_w
    for r in range(product.shape[0]):
        target = y[n, to.at_y + i * to.step_y, to.at_x + j * to.step_x]
        added = offset[place if offset.shape[0] > 1 else 0]
        for c in range(product.shape[1]):
            value = product[r, c] + added[c]
            target[c] = zero if relu and value <= zero else value  # a NaN is not <= 0, so it stays visible
        place, j = place + 1, j + 1
        if j == win.out_w:
            i, j = i + 1, 0
            if i == win.out_h:
                n, i, place = n + 1, 0, 0


@kernel
def _forward(x, w, offset, y, relu, win, to, blocks):
    """Each task goes through its tiles: gather, multiply, add the offset, apply ReLU, write to the output."""
    rows, tile_rows = x.shape[0] * win.out_h * win.out_w, blocks.tile_rows
    tiles = (rows + tile_rows - 1) // tile_rows
    tasks = min(CHUNKS, tiles)
    pixels = x.reshape(-1, x.shape[3])
    pointwise = _is_pointwise(x, win)
    for task in prange(tasks):
        chunk = np.int64(task)
        products = np.empty((tile_rows, w.shape[2]), x.dtype)
        parts = np.empty((tile_rows if w.shape[0] > 1 else 0, w.shape[2]), x.dtype)
        buffer = np.empty((0 if pointwise else tile_rows, w.shape[1]), x.dtype)
        for tile in range(chunk * tiles // tasks, (chunk + 1) * tiles // tasks):
            first = tile * tile_rows
            m = min(tile_rows, rows - first)
            if pointwise:
                np.dot(pixels[first : first + m], w[0], products[:m])
            else:
                _product(x, w, first, win, blocks, buffer[:m], parts[:m], products[:m])
            _write(products[:m], offset, y, relu, first, win, to)


@helper
def _clear(total):
    for k in range(total.shape[0]):
        for c in range(total.shape[1]):
            total[k, c] = 0


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
def _weight_gradient(x, dz, parts, win, blocks):
    """Each task sums cols.T @ dz for one block of taps, over its own tiles in order, into its own part."""
    chunks, block_count = parts.shape[:2]
    rows, tile_rows = dz.shape[0], blocks.tile_rows
    tiles = (rows + tile_rows - 1) // tile_rows
    kh, kw = win.kh // blocks.rows, win.kw // blocks.columns
    pixels = x.reshape(-1, x.shape[3])
    pointwise = _is_pointwise(x, win)
    for task in prange(chunks * block_count):
        chunk, block = np.int64(task) // block_count, np.int64(task) % block_count
        total = parts[chunk, block]
        product = np.empty(total.shape, x.dtype)
        buffer = np.empty((0 if pointwise else tile_rows, total.shape[0]), x.dtype)
        _clear(total)
        for tile in range(chunk * tiles // chunks, (chunk + 1) * tiles // chunks):
            first = tile * tile_rows
            m = min(tile_rows, rows - first)
            if pointwise:
                np.dot(pixels[first : first + m].T, dz[first : first + m], product)
            else:
                cols = buffer[:m]
                _gather(x, cols, first, win, block // blocks.columns * kh, kh, block % blocks.columns * kw, kw)
                np.dot(cols.T, dz[first : first + m], product)
            _add(total, product)


def _in_blocks(w: NDArray, blocks: Blocks) -> NDArray:
    """Return a kernel (kh, kw, c_in, c_out) as one matrix for each block of taps: (blocks, taps * c_in, c_out)."""
    if blocks.columns == 1 or w.shape[1] == 1:
        return w.reshape(blocks.rows * blocks.columns, -1, w.shape[3])
    return w.reshape(w.shape[0] * w.shape[1], w.shape[2], w.shape[3])


def convolve(
    x: NDArray, w: NDArray, offset: NDArray, y: NDArray, relu: bool, win: Window, to: Placement = EVERY_PIXEL
) -> None:
    """Write ``cols(x) @ w + offset``, with or without ReLU, into `y`.

    Parameters
    ----------
    x : ndarray, shape (N, H, W, c_in)
    w : ndarray, shape (kh, kw, c_in, c_out)
        The kernel, C-contiguous.
    offset : ndarray, shape (1, c_out) or (out_h * out_w, c_out)
        What is added to the product: a bias, or one row for each place of the window (the map of a CoordConv).
    y : ndarray, shape (N, ..., ..., c_out)
        Written at the pixels that `to` names.
    """
    if y.size == 0:
        return
    group = group_size(win, *w.shape[2:]) if to == EVERY_PIXEL else 1
    if group > 1:
        w, win = spread(w, win, group), grouped(win, group)
        y = y.reshape(y.shape[0], win.out_h, win.out_w, w.shape[3])
        offset = np.tile(offset, group) if len(offset) == 1 else offset.reshape(-1, w.shape[3])
    blocks = cut(*w.shape)
    launch(_forward, x, _in_blocks(w, blocks), offset, y, relu, win, to, blocks)


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
    """Return ``cols.T @ dz``, shape (kh, kw, c_in, c_out), for images `x` and output gradients `dz`."""
    c_in, c_out = x.shape[3], dz.shape[3]
    group = group_size(win, c_in, c_out)
    wide = grouped(win, group)
    rows = dz.reshape(-1, group * c_out)
    blocks = cut(wide.kh, wide.kw, c_in, group * c_out)
    count = blocks.rows * blocks.columns
    chunks = min(-(-CHUNKS // count), -(-rows.shape[0] // blocks.tile_rows))
    parts = empty((chunks, count, wide.kh * wide.kw * c_in // count, group * c_out), x.dtype)
    launch(_weight_gradient, x, rows, parts, wide, blocks)
    dw = parts[0] if chunks == 1 else parts.sum(axis=0)
    return folded(dw.reshape(wide.kh, wide.kw, c_in, group * c_out), win, group)
