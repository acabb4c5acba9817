"""Few channels: neighbouring pixels of a row are computed side by side, so that they fill a vector together.

A vector has 16 numbers of float32, and an image of two channels would use two of them. But what p neighbouring pixels
read overlaps. So they are computed as one pixel of p times as many channels, by a kernel that is a little wider, with
zeros where a pixel does not read:

    a kernel of 3 taps a, b, c            reads   0 1 2 3 4 5
    four pixels by one of 6 taps:         pixel 0 a b c . . .
                                          pixel 1 . a b c . .
                                          pixel 2 . . a b c .
                                          pixel 3 . . . a b c

Six loads of a vector of the kernel do the work of twelve. The adjoint of a convolution with stride s is the same with
the phases of ``parts.py`` side by side; and the gradient of the wide kernel, added up along its diagonals, is that of
the kernel.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.vectors import lanes
from minicoord.kernels.geometry import Window

ENOUGH = 2**16  # multiply-adds of an image: with fewer it takes longer to widen the kernel than is gained


class Neighbours(NamedTuple):
    """How pixels stand side by side: number m of the three arrays says that one of them reads by one column of w.

    Attributes
    ----------
    count : int
        How many pixels stand side by side.
    taps, stride, left : int
        Columns of the wide kernel, its step, and its padding, along a row of what is read.
    pixel, column, tap : ndarray of int, shape (m,)
        Pixel ``pixel[m]`` reads through column ``column[m]`` of the kernel at column ``tap[m]`` of the wide kernel.
    """

    count: int
    taps: int
    stride: int
    left: int
    pixel: NDArray
    column: NDArray
    tap: NDArray


def _side_by_side(count: int, kernel: int, stride: int, before: int, is_adjoint: bool) -> Neighbours:
    """Return how `count` pixels stand side by side, for an axis with `before` pixels of padding."""
    pairs = [(b, k) for b in range(count) for k in range(kernel)]
    if is_adjoint:
        read = [(b, k, (b + before - k) // stride) for b, k in pairs if (b + before - k) % stride == 0]
    else:
        read = [(b, k, b * stride + k - before) for b, k in pairs]
    pixel, column, position = np.array(read).T  # each (m,)
    lowest = position.min()
    taps, step = int(position.max() - lowest) + 1, count // stride if is_adjoint else count * stride
    return Neighbours(count, taps, step, -int(lowest), pixel, column, position - lowest)


@lru_cache(maxsize=1024)
def neighbours(
    win: Window, width: int, channels: int, others: int, dtype: np.dtype, is_adjoint: bool = False
) -> Neighbours | None:
    """Return how many pixels of a row of `width` pixels are best computed side by side, or None if one at a time.

    Parameters
    ----------
    channels, others : int
        Of a pixel that is computed, and of one that is read.
    is_adjoint : bool
        Whether it is a pixel that the convolution reads, and not one that it writes.
    """
    kernel, stride, before = win.kw, win.sx, win.left
    if win.out_h * win.out_w * win.kh * win.kw * channels * others < ENOUGH:
        return None
    least = stride if is_adjoint else 1
    counts = [p for p in range(least, lanes(dtype.itemsize) // channels + 1, least) if width % p == 0]
    found = [_side_by_side(p, kernel, stride, before, is_adjoint) for p in counts]
    best = min(found, key=lambda n: n.taps / n.count, default=None)
    return best if best is not None and best.count > 1 else None


def widened(w: NDArray, of: Neighbours) -> NDArray:
    """Return the wide kernel (kh, taps, c, count * d) of a kernel w (kh, kw, c, d)."""
    kh, _, c, d = w.shape
    wide = np.zeros((kh, of.taps, c, of.count, d), w.dtype)
    wide[:, of.tap, :, of.pixel] = w[:, of.column].swapaxes(0, 1)  # (m, kh, c, d)
    return wide.reshape(kh, of.taps, c, of.count * d)


def narrowed(wide: NDArray, of: Neighbours) -> NDArray:
    """Return the gradient (kh, kw, c, d) of a kernel of a convolution from that of its wide kernel."""
    kh, taps, c, channels = wide.shape
    each = wide.reshape(kh, taps, c, of.count, channels // of.count)[:, of.tap, :, of.pixel]  # (count * kw, kh, c, d)
    return np.ascontiguousarray(each.reshape(of.count, -1, *each.shape[1:]).sum(axis=0).swapaxes(0, 1))
