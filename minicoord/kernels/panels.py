"""A kernel rearranged for the micro-kernel: the right factor of a product, cut into panels.

A *panel* is as many columns of the matrix as a block of the micro-kernel has, two vectors, and holds them row by row,
so that a sum over k reads it from beginning to end:

    columns   0 ... 31 | 32 ... 63 | 64 ... 69        panel 0: row 0, row 1, ... of columns 0 to 31
    row 0              |           |                  panel 1: the same of columns 32 to 63
    row 1              |           |                  panel 2: columns 64 to 69, and zeros up to a whole vector
     ...               |           |

The panels stand one after the other in one flat array that begins at a cache line: a vector that reaches from one cache
line into the next costs two loads. A row belongs to a tap of the kernel and one of its channels; a layer may need its
taps in several parts (``parts.py``), and then the panels of the first part come first.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.memory import aligned
from minicoord.kernels.backend.runtime import helper, kernel, launch_by_dtype, prange
from minicoord.kernels.backend.vectors import HERE, lanes
from minicoord.kernels.parts import Part, Parts, table, taps

CHUNKS = 8  # of a panel, each for one task
ROWS = 64  # of a transposed kernel at a time
SERIAL = 2**16  # numbers: up to so many one thread rearranges them sooner than two
ONE_TAP = (Part(1, 1, 1, 1, 0, 0, 0, 0),)


class Factor(NamedTuple):
    """How the numbers of a kernel are read as a matrix.

    For each tap it has `rows` rows and `columns` columns; row r of column o is number ``first + r * row_step +
    o * column_step`` of the tap, which has `tap` numbers. A row of the kernel has `across` taps.
    """

    rows: int
    columns: int
    first: int
    row_step: int
    column_step: int
    tap: int
    across: int
    width: int  # columns of a panel
    padded: int  # columns in whole vectors


def panel_width(dtype: np.dtype) -> int:
    """Return how many columns a panel has."""
    return HERE.block_vectors * lanes(dtype.itemsize)


def whole_vectors(columns: int, dtype: np.dtype) -> int:
    """Return `columns`, rounded up to whole vectors."""
    return -(-columns // lanes(dtype.itemsize)) * lanes(dtype.itemsize)


@lru_cache(maxsize=1024)
def factor(
    shape: tuple[int, ...], dtype: np.dtype, transposed: bool = False, first: int = 0, count: int | None = None
) -> Factor:
    """Return how to read a kernel of a shape (..., kw, c, d): each tap as its matrix (c, d), or as that transposed.

    Parameters
    ----------
    first, count : int
        The channels of the c that count; the others are left out.
    """
    *taps, c, d = shape
    rows, columns, row_step, column_step = c - first if count is None else count, d, d, 1
    if transposed:
        rows, columns, row_step, column_step = columns, rows, column_step, row_step
    across = taps[-1] if taps else 1
    widths = panel_width(dtype), whole_vectors(columns, dtype)
    return Factor(rows, columns, first * d, row_step, column_step, c * d, across, *widths)


def is_long_column(columns: int, side_by_side: int, dtype: np.dtype) -> bool:
    """Whether a product has one column, and enough k side by side in memory for the micro-kernel to be fast with it."""
    return columns == 1 and side_by_side >= 2 * lanes(dtype.itemsize)


def as_column(of: Factor) -> Factor:
    """Return how to read a matrix of one column without zeros beside it: `multiply` then has k in its vectors."""
    return of._replace(padded=1)


@helper
def pack_panel(w, part, factor, column, panels, base, first, last):
    """Fill the rows from `first` to `last` of the panel that begins at `column`, which stands at `base`."""
    columns, step = min(factor.width, factor.columns - column), min(factor.width, factor.padded - column)
    k = first
    while k < last:
        tap, c = k // factor.rows, k % factor.rows
        y, x = part.tap_y + tap // part.kw * part.next_y, part.tap_x + tap % part.kw * part.next_x
        at = (y * factor.across + x) * factor.tap + factor.first + c * factor.row_step + column * factor.column_step
        source, target, rows = np.uintp(at), np.uintp(base + k * step), np.uintp(min(ROWS, last - k, factor.rows - c))
        down, across, beside = np.uintp(factor.row_step), np.uintp(factor.column_step), np.uintp(step)
        if factor.column_step == 1:
            for r in range(rows):
                for o in range(np.uintp(columns)):
                    panels[target + r * beside + o] = w[source + r * down + o]
        else:  # numbers of a column are near, and columns may lie a power of two apart, in few places of the cache
            for o in range(np.uintp(columns)):
                for r in range(rows):
                    panels[target + r * beside + o] = w[source + r * down + o * across]
        for r in range(rows if columns < step else np.uintp(0)):
            for o in range(np.uintp(columns), beside):
                panels[target + r * beside + o] = 0
        k += np.int64(rows)


@helper
def _pack_chunk(w, table, factor, panels, task, chunks):
    """Do one of the tasks: a chunk of a panel of a part."""
    count = (factor.columns + factor.width - 1) // factor.width
    part, column, chunk = table[task // chunks // count], task // chunks % count * factor.width, task % chunks
    rows = part.kh * part.kw * factor.rows
    base = part.taps_before * factor.rows * factor.padded + rows * column
    pack_panel(w, part, factor, column, panels, base, chunk * rows // chunks, (chunk + 1) * rows // chunks)


@kernel
def _pack(w, table, factor, panels):
    for task in prange(len(table) * ((factor.columns + factor.width - 1) // factor.width) * CHUNKS):
        _pack_chunk(w, table, factor, panels, np.int64(task), CHUNKS)


@helper
def _pack_alone(w, table, factor, panels):
    for task in range(len(table) * ((factor.columns + factor.width - 1) // factor.width)):
        _pack_chunk(w, table, factor, panels, task, 1)


def packed(w: NDArray, how: Factor, parts: Parts = ONE_TAP, out: NDArray | None = None) -> NDArray:
    """Return the panels of a kernel, part by part.

    Parameters
    ----------
    w : ndarray
        The kernel.
    how : Factor
        How its numbers are read, if they lie in C order.
    parts : tuple of Part
        Which taps of the kernel each part uses, in which order.
    out : ndarray, flat, optional
        Where to write the panels.
    """
    size = taps(parts) * how.rows * how.padded
    panels = aligned(size, w.dtype) if out is None else out
    pack = _pack_alone if size <= SERIAL else _pack
    launch_by_dtype(pack, w.dtype, np.ravel(w), table(parts), how, panels)
    return panels
