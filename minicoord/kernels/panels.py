"""A matrix rearranged for the micro-kernel: the right factor of a product, cut into panels.

A *panel* is as many columns of the matrix as a block of the micro-kernel has, two vectors, and holds them row by row,
so that a sum over k reads it from beginning to end:

    columns   0 ... 31 | 32 ... 63 | 64 ... 69        panel 0: row 0, row 1, ... of columns 0 to 31
    row 0              |           |                  panel 1: the same of columns 32 to 63
    row 1              |           |                  panel 2: columns 64 to 69, and zeros up to a whole vector
     ...               |           |

The panels stand one after the other in one flat array that begins at a cache line: a vector that reaches from one cache
line into the next costs two loads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.memory import aligned
from minicoord.kernels.runtime import helper, kernel, launch, prange
from minicoord.kernels.vectors import HERE, lanes

CHUNKS = 8  # of a panel, each for one task
ROWS = 64  # of a transposed kernel at a time
SERIAL = 2**16  # numbers: up to so many one thread rearranges them sooner than two


def panel_width(dtype: np.dtype) -> int:
    """Return how many columns a panel has."""
    return HERE.block_vectors * lanes(dtype.itemsize)


def whole_vectors(columns: int, dtype: np.dtype) -> int:
    """Return `columns`, rounded up to whole vectors."""
    return -(-columns // lanes(dtype.itemsize)) * lanes(dtype.itemsize)


@helper
def _pack_rows(numbers, start, steps, shape, panels, width, padded, panel, first, last):
    """Fill the rows from `first` to `last` of one panel; a row belongs to a tap of the kernel and an input channel."""
    _, kw, c_in, c_out = shape
    column = panel * width
    columns, step = min(width, c_out - column), min(width, padded - column)
    base = shape[0] * kw * c_in * column
    if steps[3] == 1:
        for k in range(first, last):
            tap, c = k // c_in, k % c_in
            source = np.uintp(start + tap // kw * steps[0] + tap % kw * steps[1] + c * steps[2] + column)
            target = np.uintp(base + k * step)
            for o in range(np.uintp(columns)):
                panels[target + o] = numbers[source + o]
    else:
        _pack_columns(numbers, start + column * steps[3], steps, kw, c_in, columns, panels, base, step, first, last)
    for k in range(first, last if columns < step else first):
        for o in range(np.uintp(columns), np.uintp(step)):
            panels[np.uintp(base + k * step) + o] = 0


@helper
def _pack_columns(numbers, start, steps, kw, c_in, columns, panels, base, step, first, last):
    """Fill rows of a panel column by column, some rows at a time: of a transposed kernel, numbers of a column are near.

    Columns may lie a power of two apart, and then share few places of the cache, so that rows would be slow.
    """
    k = first
    while k < last:
        tap, c = k // c_in, k % c_in
        rows = np.uintp(min(ROWS, last - k, c_in - c))
        source = np.uintp(start + tap // kw * steps[0] + tap % kw * steps[1] + c * steps[2])
        target = np.uintp(base + k * step)
        for o in range(np.uintp(columns)):
            for r in range(rows):
                panels[target + r * np.uintp(step) + o] = numbers[
                    source + r * np.uintp(steps[2]) + o * np.uintp(steps[3])
                ]
        k += np.int64(rows)


@kernel
def _pack(numbers, start, steps, shape, panels, width, padded, chunks):
    rows = shape[0] * shape[1] * shape[2]
    count = (shape[3] + width - 1) // width
    for task in prange(count * chunks):
        panel, chunk = np.int64(task) // chunks, np.int64(task) % chunks
        first, last = chunk * rows // chunks, (chunk + 1) * rows // chunks
        _pack_rows(numbers, start, steps, shape, panels, width, padded, panel, first, last)


@helper
def _pack_alone(numbers, start, steps, shape, panels, width, padded):
    for panel in range((shape[3] + width - 1) // width):
        _pack_rows(numbers, start, steps, shape, panels, width, padded, panel, 0, shape[0] * shape[1] * shape[2])


def packed(w: NDArray, view: NDArray | None = None, out: NDArray | None = None) -> NDArray:
    """Return the panels of a kernel, seen as a matrix of ``kh * kw * c_in`` rows and ``c_out`` columns.

    Parameters
    ----------
    w : ndarray
        Where the numbers lie.
    view : ndarray, shape (kh, kw, c_in, c_out), optional
        The kernel as a view of `w`: flipped, transposed, some of its taps. By default `w` itself.
    out : ndarray, flat, optional
        Where to write the panels.
    """
    view = w if view is None else view
    if not w.flags.c_contiguous:  # a kernel that somebody assigned to a layer
        w = view = np.ascontiguousarray(view)
    padded = whole_vectors(view.shape[3], w.dtype)
    size = view.shape[0] * view.shape[1] * view.shape[2] * padded
    panels = aligned(size, w.dtype) if out is None else out
    start = (view.__array_interface__["data"][0] - w.__array_interface__["data"][0]) // w.itemsize
    steps = tuple(step // w.itemsize for step in view.strides)
    arguments = w.reshape(-1), start, steps, view.shape, panels, panel_width(w.dtype), padded
    if size <= SERIAL:
        launch(_pack_alone, *arguments)
    else:
        launch(_pack, *arguments, CHUNKS)
    return panels
