"""The compiled loops under convolution: matrix products with the im2col matrix, one tile of its rows at a time.

Lay the pixels under the kernel side by side, one row for each place of the kernel: that is the im2col matrix ``cols``,
of shape ``(N * out_h * out_w, kh * kw * c_in)`` (``im2col.py`` shows it whole). Here it is never built as a whole. Each
task gathers a *tile* of it into a buffer that stays in the cache, multiplies it, and adds bias and activation while the
product is warm. Tiles depend on shapes alone, never on threads, and every output has one writer; so the bits are the
same with any number of threads.

Nothing is checked here: ``convolution.py``, ``transposed.py`` and ``coordconv.py`` check, allocate and call.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.denormals import denormals_as, flush_denormals
from minicoord.kernels.geometry import Window
from minicoord.kernels.grouping import folded, group_size, grouped, spread
from minicoord.kernels.memory import empty, empty_like
from minicoord.kernels.runtime import helper, kernel, launch, prange

CHUNKS = 16  # tasks, and partial sums: enough to keep 16 threads busy, few enough to merge quickly
SMALL_PRODUCT = 10**6  # up to so many multiply-adds OpenBLAS skips packing, and was measured to be half again as fast
TILE = 2**14  # numbers in a tile and its product: 64 kB of float32, a small part of a core's L2 cache
FEWEST_ROWS, MOST_ROWS = 16, 256  # of a tile
FEWEST_TILES = 4  # so that small images of many channels do not leave threads without work
BAND = 64  # pixels that are summed while they are still in a core's L1 cache
# Inner loops over a few channels are slow, so what is added to every pixel is repeated to so many numbers.
LONG = 64


class Blocks(NamedTuple):
    """How the taps of a kernel are cut: into `rows` x `columns` equal blocks, each with a product of its own."""

    rows: int
    columns: int
    tile_rows: int


@lru_cache(maxsize=1024)
def cut(kh: int, kw: int, c_in: int, c_out: int, fine: bool = False) -> Blocks:
    """Return the coarsest cut whose products OpenBLAS takes without packing, and how many rows a tile has.

    The whole kernel at once if that is small enough, else row by row, else tap by tap; with `fine` tap by tap anyway.
    What is too large even then is packed, and takes whole tiles. The rows are a power of two, so that tiles come out
    even on the sizes of images.
    """
    for rows, columns in ((kh, kw),) if fine else ((1, 1), (kh, 1), (kh, kw)):
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
def _copy_edge(pixels, row, x_left, width, c_in, target, start, kw):
    """Copy the pixels ``x_left .. x_left + kw - 1`` of a row of the image, and zeros for those outside it."""
    inside = min(max(-x_left, 0), kw)
    beyond = max(min(width - x_left, kw), inside)
    _fill_with_zeros(target, start, inside * c_in)
    _copy(pixels, (row + x_left + inside) * c_in, target, start + inside * c_in, (beyond - inside) * c_in)
    _fill_with_zeros(target, start + beyond * c_in, (kw - beyond) * c_in)


@helper
def _gather(x, cols, first, win, top_row, kh, left_column, kw):
    """Fill `cols` with the im2col rows ``first, first + 1, ...`` of a block of the window's taps; outside is zero.

    The block is `kh` rows of taps from `top_row` on and `kw` columns from `left_column` on.
    """
    height, width, c_in = x.shape[1:]
    pixels, target = x.reshape(-1), cols.reshape(-1)  # flat: (N * H * W * c_in,), (rows * kh * kw * c_in,)
    n, i, j = first // (win.out_h * win.out_w), first // win.out_w % win.out_h, first % win.out_w
    r = 0
    while r < cols.shape[0]:
        # The places r, r + 1, ... of the tile that lie in the same row of the output.
        places = min(win.out_w - j, cols.shape[0] - r)
        for ki in range(kh):
            y = i * win.sy - win.top + top_row + ki
            row = (n * height + y) * width
            for p in range(places):
                start = ((r + p) * kh + ki) * kw * c_in
                x_left = (j + p) * win.sx - win.left + left_column
                if y < 0 or y >= height:
                    _fill_with_zeros(target, start, kw * c_in)
                elif x_left >= 0 and x_left + kw <= width:
                    to, at = np.uintp(start), np.uintp((row + x_left) * c_in)
                    for k in range(np.uintp(kw * c_in)):
                        target[to + k] = pixels[at + k]
                else:
                    _copy_edge(pixels, row, x_left, width, c_in, target, start, kw)
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
    """Add `part` to `total`, both flat."""
    for k in range(total.size):
        total[k] += part[k]


@helper
def _product(x, w, first, win, blocks, cols, part, product):
    """Write the rows ``first, first + 1, ...`` of ``cols(x) @ w`` into `product`: the sum over the blocks of taps."""
    kh, kw = win.kh // blocks.rows, win.kw // blocks.columns
    for block in range(w.shape[0]):
        _gather(x, cols, first, win, block // blocks.columns * kh, kh, block % blocks.columns * kw, kw)
        if block == 0:
            np.dot(cols, w[block], product)  # (rows, taps * c_in) @ (taps * c_in, c_out)
        else:
            np.dot(cols, w[block], part)
            _add(product.reshape(-1), part.reshape(-1))


@helper
def _finish(product, offset, relu, y):
    """Write ``product + offset``, with or without ReLU, to `y`; all flat, `offset` repeated as often as it takes."""
    zero = product.dtype.type(0)
    for start in range(0, y.size, offset.size):
        at = np.uintp(start)
        for k in range(np.uintp(min(offset.size, y.size - start))):
            value = product[at + k] + offset[k]
            y[at + k] = zero if relu and value <= zero else value  # a NaN is not <= 0, so it stays visible


@helper
def _write(product, offset, relu, y, first, places):
    """Write ``product + offset`` to the rows ``first, first + 1, ...`` of the output, all pixels side by side.

    `offset` is a bias, as often as it takes to be long, or a map with one row for each of the places of an image.
    """
    if offset.shape[0] == 1:
        _finish(product.reshape(-1), offset[0], relu, y[first : first + len(product)].reshape(-1))
    r = 0 if offset.shape[0] > 1 else len(product)
    while r < len(product):
        place = (first + r) % places
        last = r + min(places - place, len(product) - r)  # of this image
        added = offset[place : place + last - r].reshape(-1)
        _finish(product[r:last].reshape(-1), added, relu, y[first + r : first + last].reshape(-1))
        r = last


@helper
def _write_apart(product, offset, relu, y, first, win, to):
    """As `_write`, but to pixels that lie apart, as `to` says."""
    zero = product.dtype.type(0)
    n, place = first // (win.out_h * win.out_w), first % (win.out_h * win.out_w)
    i, j = place // win.out_w, place % win.out_w
    for r in range(product.shape[0]):
        target = y[n, to.at_y + i * to.step_y, to.at_x + j * to.step_x]
        for c in range(product.shape[1]):
            value = product[r, c] + offset[0, c]
            target[c] = zero if relu and value <= zero else value
        j += 1
        if j == win.out_w:
            i, j = i + 1, 0
            if i == win.out_h:
                n, i = n + 1, 0


@kernel
def _forward(x, w, offset, y, relu, win, to, blocks):
    """Each task goes through its tiles: gather, multiply, add the offset, apply ReLU, write to the output."""
    places = win.out_h * win.out_w
    rows, tile_rows = x.shape[0] * places, blocks.tile_rows
    tiles = (rows + tile_rows - 1) // tile_rows
    tasks = min(CHUNKS, tiles)
    pixels, outputs = x.reshape(-1, x.shape[3]), y.reshape(-1, y.shape[3])  # (N * H * W, c_in), (outputs, c_out)
    pointwise = _is_pointwise(x, win)
    for task in prange(tasks):
        before = flush_denormals()
        chunk = np.int64(task)
        products = np.empty((tile_rows, w.shape[2]), x.dtype)  # (tile_rows, c_out)
        parts = np.empty((tile_rows if w.shape[0] > 1 else 0, w.shape[2]), x.dtype)
        buffer = np.empty((0 if pointwise else tile_rows, w.shape[1]), x.dtype)  # (tile_rows, taps * c_in)
        for tile in range(chunk * tiles // tasks, (chunk + 1) * tiles // tasks):
            first = tile * tile_rows
            product = products[: min(tile_rows, rows - first)]
            m = len(product)
            if pointwise:
                np.dot(pixels[first : first + m], w[0], product)  # (m, c_in) @ (c_in, c_out)
            else:
                _product(x, w, first, win, blocks, buffer[:m], parts[:m], product)
            if to.step_y * to.step_x == 1:
                _write(product, offset, relu, outputs, first, places)
            else:
                _write_apart(product, offset, relu, y, first, win, to)
        denormals_as(before)


@helper
def _undo_relu(dy, y, dz):
    """Write ``dz = dy`` where y > 0, else 0; all flat."""
    zero = dy.dtype.type(0)
    for k in range(dz.size):
        value = dy[k]
        dz[k] = zero if y[k] <= zero else value


@helper
def _add_repeatedly(total, values):
    """Add `values`, cut into pieces of the length of `total`, to `total`; both flat."""
    for start in range(0, values.size, total.size):
        at = np.uintp(start)
        for k in range(np.uintp(min(total.size, values.size - start))):
            total[k] += values[at + k]


@kernel
def _output_gradient(dy, y, relu, dz, over_images, sums):
    """Undo ReLU (dz = dy where y > 0), and sum dz over the images or over images and pixels: one pass over memory.

    Each task has a range of places, in all images. With `over_images` the sums have one row for each place, otherwise
    one for each task.
    """
    images, places, c_out = dy.shape
    chunks = min(CHUNKS, places)
    for task in prange(chunks):
        before = flush_denormals()
        chunk = np.int64(task)
        first, last = chunk * places // chunks, (chunk + 1) * places // chunks
        # flat: (places * c_out,) of its own, or one (k * c_out,) row
        totals = sums[first if over_images else chunk : last if over_images else chunk + 1].reshape(-1)
        totals[:] = 0
        for n in range(images):
            for p in range(first, last, BAND):
                beyond = min(p + BAND, last)
                values = dy[n, p:beyond].reshape(-1)  # (places * c_out,)
                if relu:
                    _undo_relu(values, y[n, p:beyond].reshape(-1), dz[n, p:beyond].reshape(-1))
                    values = dz[n, p:beyond].reshape(-1)
                if over_images:
                    _add(totals[(p - first) * c_out : (beyond - first) * c_out], values)
                else:
                    _add_repeatedly(totals, values)
        denormals_as(before)


@kernel
def _weight_gradient(x, dz, parts, win, blocks):
    """Each task sums cols.T @ dz for one block of taps, over its own tiles in order, into its own part."""
    chunks, block_count = parts.shape[:2]
    rows, tile_rows = dz.shape[0], blocks.tile_rows
    tiles = (rows + tile_rows - 1) // tile_rows
    kh, kw = win.kh // blocks.rows, win.kw // blocks.columns
    pixels = x.reshape(-1, x.shape[3])  # (N * H * W, c_in)
    pointwise = _is_pointwise(x, win)
    for task in prange(chunks * block_count):
        before = flush_denormals()
        chunk, block = np.int64(task) // block_count, np.int64(task) % block_count
        total = parts[chunk, block]  # (taps * c_in, c_out)
        product = np.empty(total.shape, x.dtype)
        buffer = np.empty((0 if pointwise else tile_rows, total.shape[0]), x.dtype)
        total[:] = 0
        for tile in range(chunk * tiles // chunks, (chunk + 1) * tiles // chunks):
            first = tile * tile_rows
            m = min(tile_rows, rows - first)
            if pointwise:
                np.dot(pixels[first : first + m].T, dz[first : first + m], product)  # (c_in, m) @ (m, c_out)
            else:
                cols = buffer[:m]
                _gather(x, cols, first, win, block // blocks.columns * kh, kh, block % blocks.columns * kw, kw)
                np.dot(cols.T, dz[first : first + m], product)  # (taps * c_in, m) @ (m, c_out)
            _add(total.reshape(-1), product.reshape(-1))
        denormals_as(before)


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
        y = y.reshape(y.shape[0], win.out_h, win.out_w, w.shape[3])  # (N, out_h, out_w / group, group * c_out)
        # (1, group * c_out), or a map (out_h * out_w / group, group * c_out)
        offset = np.tile(offset, group) if len(offset) == 1 else offset.reshape(-1, w.shape[3])
    if len(offset) == 1:
        offset = np.tile(offset, _long_enough(w.shape[3]) // w.shape[3])  # (1, k * c_out), long enough
    blocks = cut(*w.shape)
    share = -(-x.shape[0] * win.out_h * win.out_w // FEWEST_TILES)
    blocks = blocks._replace(tile_rows=min(blocks.tile_rows, max(share, FEWEST_ROWS)))
    launch(_forward, x, _in_blocks(w, blocks), offset, y, relu, win, to, blocks)


def output_gradient(dy: NDArray, y: NDArray | None, over_images: bool = False) -> tuple[NDArray, NDArray]:
    """Undo the ReLU of an output, and sum what remains.

    Parameters
    ----------
    dy : ndarray, shape (N, H, W, C)
        Gradient of the loss with respect to the output.
    y : ndarray, shape (N, H, W, C), or None
        The output after its ReLU; None where there was no ReLU.
    over_images : bool
        Whether to sum over the images alone, or over images and pixels.

    Returns
    -------
    dz : ndarray, shape (N, H, W, C)
        Gradient before the ReLU: `dy` where y > 0, else 0. Without ReLU, `dy` itself.
    sums : ndarray
        Of `dz`. Over images and pixels, shape (C,): the gradient of a bias. Over the images, shape (H * W, C): the
        gradient of a map that all images share.
    """
    n, h, w, c = dy.shape
    dz = empty_like(dy) if y is not None else np.empty((0, 0, 0, c), dy.dtype)
    sums = empty((h * w, c) if over_images else (min(CHUNKS, h * w), _long_enough(c)), dy.dtype)
    flat = (n, h * w, c)
    flat_y, flat_dz = (dy if y is None else y).reshape(flat), dz.reshape((0, 0, c) if y is None else flat)
    launch(_output_gradient, dy.reshape(flat), flat_y, y is not None, flat_dz, over_images, sums)
    return (dy if y is None else dz), (sums if over_images else _per_channel(sums, c))


def _long_enough(channels: int) -> int:
    """Return the smallest multiple of `channels` that makes an inner loop long."""
    return channels * -(-LONG // channels)


def _per_channel(sums: NDArray, channels: int) -> NDArray:
    """Return the total for each channel of partial sums (chunks, k * channels)."""
    return sums.reshape(-1, channels).sum(axis=0)  # (chunks * k, channels) -> (channels,)


def weight_gradient(x: NDArray, dz: NDArray, win: Window) -> NDArray:
    """Return ``cols.T @ dz``, shape (kh, kw, c_in, c_out), for images `x` and output gradients `dz`."""
    c_in, c_out = x.shape[3], dz.shape[3]
    group = group_size(win, c_in, c_out)
    wide = grouped(win, group)
    rows = dz.reshape(-1, group * c_out)  # (N * out_h * out_w / group, group * c_out)
    # Tap by tap the product is small beside the tile that it comes from, so that to add it to the sum costs little.
    blocks = cut(wide.kh, wide.kw, c_in, group * c_out, fine=c_in >= LONG)
    count = blocks.rows * blocks.columns
    chunks = min(-(-CHUNKS // count), -(-rows.shape[0] // blocks.tile_rows))
    parts = empty((chunks, count, wide.kh * wide.kw * c_in // count, group * c_out), x.dtype)
    launch(_weight_gradient, x, rows, parts, wide, blocks)
    dw = parts[0] if chunks == 1 else parts.sum(axis=0)  # (blocks, taps * c_in, group * c_out)
    return folded(dw.reshape(wide.kh, wide.kw, c_in, group * c_out), win, group)
