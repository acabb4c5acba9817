"""Sums over pixels: of a gradient, for each channel or for each image, and of the parts that tasks have made of a sum.

Rows of few numbers make short loops, which are slow. So an array of pixels is read as one long row of numbers, in
pieces of whole pixels: position c of a piece always belongs to channel ``c % C``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.denormals import denormals_as, flush_denormals
from minicoord.kernels.backend.memory import empty
from minicoord.kernels.backend.runtime import kernel, launch, prange

CHUNKS = 16
SERIAL = 2**15  # numbers: up to so many NumPy adds them up sooner
PIECE = 256  # numbers, or as many more as it takes to hold a pixel


@kernel
def _sums(dy, y, gated, parts):
    """Each task sums one range of pieces, in order, into its own part."""
    chunks, piece = parts.shape
    pieces = (dy.size + piece - 1) // piece
    for task in prange(chunks):
        fp_mode = flush_denormals()
        chunk = np.int64(task)
        total = parts[chunk]
        total[:] = 0
        for start in range(
            chunk * pieces // chunks * piece, min((chunk + 1) * pieces // chunks * piece, dy.size), piece
        ):
            at = np.uintp(start)
            for k in range(np.uintp(min(piece, dy.size - start))):
                value = dy[at + k]
                total[k] += 0 if gated and y[at + k] <= 0 else value
        denormals_as(fp_mode)


@kernel
def _add_parts(parts, y, gated, count, total):
    """Each task adds up one range of the numbers, part by part in order; `parts` is flat."""
    size = total.size
    for task in prange(CHUNKS):
        fp_mode = flush_denormals()
        first, last = np.uintp(task * size // CHUNKS), np.uintp((task + 1) * size // CHUNKS)
        for k in range(first, last):
            total[k] = 0 if gated and y[k] <= 0 else parts[k]
        for p in range(1, count):
            here = np.uintp(p * size)
            for k in range(first, last):
                total[k] += 0 if gated and y[here + k] <= 0 else parts[here + k]
        denormals_as(fp_mode)


@kernel
def _pixel_sums(dy, y, gated, sums):
    """One task for each image, which adds up its pixels in float64: there are thousands of them."""
    images, height, width, channels = dy.shape
    for task in prange(images):
        n = np.int64(task)
        total = np.zeros(channels, np.float64)
        for i in range(height):
            for j in range(width):
                pixel, out = dy[n, i, j], y[n, i, j]
                for c in range(channels):
                    total[c] += 0 if gated and out[c] <= 0 else pixel[c]
        for c in range(channels):
            sums[n, c] = total[c]


def add_parts(parts: NDArray, y: NDArray | None = None) -> NDArray:
    """Return the sum of the rows of `parts`, shape (numbers,).

    Parameters
    ----------
    parts : ndarray of float32 or float64, shape (parts, numbers)
        C-contiguous.
    y : ndarray, shape of `parts`, optional
        Where it is not positive, a number counts as zero.
    """
    if parts.size <= SERIAL:
        parts = parts if y is None else np.where(y <= 0, parts.dtype.type(0), parts)
        return parts[0] if len(parts) == 1 else parts.sum(axis=0)
    if len(parts) == 1 and y is None:
        return parts[0]
    total = empty(parts.shape[1:], parts.dtype)
    launch(_add_parts, parts.reshape(-1), (parts if y is None else y).reshape(-1), y is not None, len(parts), total)
    return total


def channel_sums(dy: NDArray, y: NDArray | None) -> NDArray:
    """Return the sums of dy (..., C) for each channel, shape (C,).

    Parameters
    ----------
    dy : ndarray of float32 or float64, shape (..., C)
        C-contiguous.
    y : ndarray, shape of `dy`, optional
        Where it is not positive, dy counts as zero.
    """
    channels = dy.shape[-1]
    parts = np.empty((CHUNKS, channels * max(PIECE // channels, 1)), dy.dtype)
    launch(_sums, dy.reshape(-1), (dy if y is None else y).reshape(-1), y is not None, parts)
    return parts.reshape(-1, channels).sum(axis=0)  # (CHUNKS * pixels of a piece, C) -> (C,)


def pixel_sums(dy: NDArray, y: NDArray | None) -> NDArray:
    """Return the sums of images dy (N, H, W, C) over their pixels, shape (N, C); arguments as in `channel_sums`."""
    sums = np.empty((dy.shape[0], dy.shape[3]), dy.dtype)
    launch(_pixel_sums, dy, dy if y is None else y, y is not None, sums)
    return sums
