"""The im2col matrix, and its adjoint."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.reference.geometry import Padding, Pair, steps, windows


def im2col(x: NDArray, kernel_size: Pair, stride: Pair = 1, padding: Padding = "same") -> NDArray:
    """Return the pixels under the window side by side, one row for each output position.

    Parameters
    ----------
    x : (N, H, W, C)
    kernel_size, stride, padding
        See `minicoord.reference.geometry.windows`.

    Returns
    -------
    (N * out_h * out_w, kh * kw * C)
        ``cols[(n * out_h + i) * out_w + j, (ki * kw + kj) * C + c] = x[n, i * sy - top + ki, j * sx - left + kj, c]``,
        and zero in the padding.
    """
    images, height, width, channels = x.shape
    over = windows(height, width, kernel_size, stride, padding)
    out_h, out_w = len(over.rows), len(over.columns)
    cols = np.zeros((images, out_h, out_w, over.kh, over.kw, channels), x.dtype)
    for n, i, j, ki, kj, row, column in steps(images, height, width, over):
        cols[n, i, j, ki, kj] = x[n, row, column]  # (C,)
    return cols.reshape(images * out_h * out_w, over.kh * over.kw * channels)


def col2im(
    cols: NDArray, x_shape: tuple[int, int, int, int], kernel_size: Pair, stride: Pair = 1, padding: Padding = "same"
) -> NDArray:
    """Add every entry of an im2col matrix to the pixel that it came from: the adjoint of `im2col`.

    Parameters
    ----------
    cols : (N * out_h * out_w, kh * kw * C)
    x_shape : (N, H, W, C)

    Returns
    -------
    (N, H, W, C)
        Where windows overlap, their entries are summed.
    """
    images, height, width, channels = x_shape
    over = windows(height, width, kernel_size, stride, padding)
    cols = cols.reshape(images, len(over.rows), len(over.columns), over.kh, over.kw, channels)
    x = np.zeros(x_shape, cols.dtype)
    for n, i, j, ki, kj, row, column in steps(images, height, width, over):
        x[n, row, column] += cols[n, i, j, ki, kj]  # (C,)
    return x
