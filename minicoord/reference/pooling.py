"""Pooling over windows: the maximum or the mean, channel by channel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.reference.geometry import Padding, Pair, Windows, windows


def _first_largest(x: NDArray, pixels: list[tuple[int, int]]) -> tuple[int, int]:
    """Return the first pixel of `x` (H, W) in the list that holds the largest value; NaN counts as largest of all."""
    best = pixels[0]
    for pixel in pixels[1:]:
        if x[pixel] > x[best] or (np.isnan(x[pixel]) and not np.isnan(x[best])):
            best = pixel
    return best


def _pixels_under(over: Windows, i: int, j: int, height: int, width: int) -> list[tuple[int, int]]:
    """Return the pixels (row, column) of the image under the window of output position (i, j), in reading order."""
    top, left = over.rows[i], over.columns[j]
    rows = range(max(top, 0), min(top + over.kh, height))
    columns = range(max(left, 0), min(left + over.kw, width))
    pixels = [(row, column) for row in rows for column in columns]
    if not pixels:
        raise ValueError(f"pooling: the window of output position ({i}, {j}) lies wholly in the padding")
    return pixels


def max_pool2d(
    x: NDArray, size: Pair = 2, stride: Pair | None = None, padding: Padding = "valid"
) -> tuple[NDArray, NDArray]:
    """Keep the largest value of each window; of equal ones the first in reading order.

    Parameters
    ----------
    x : (N, H, W, C)
    size : int or (int, int)
        Rows and columns of the window.
    stride : int or (int, int), optional
        The default is `size`: the windows lie side by side.

    Returns
    -------
    y : (N, out_h, out_w, C)
    argmax : (N, out_h, out_w, C) of int32
        Where it came from: ``row * W + column``. Padding never wins; NaN always does.
    """
    images, height, width, channels = x.shape
    over = windows(height, width, size, size if stride is None else stride, padding)
    y = np.zeros((images, len(over.rows), len(over.columns), channels), x.dtype)
    argmax = np.zeros(y.shape, np.int32)
    for n, i, j, c in np.ndindex(y.shape):
        row, column = _first_largest(x[n, :, :, c], _pixels_under(over, i, j, height, width))
        y[n, i, j, c] = x[n, row, column, c]
        argmax[n, i, j, c] = row * width + column
    return y, argmax


def max_pool2d_backward(dy: NDArray, argmax: NDArray, x_shape: tuple[int, int, int, int]) -> NDArray:
    """Give each gradient of dy (N, out_h, out_w, C) to the pixel that won: dx of shape `x_shape` (N, H, W, C)."""
    dx = np.zeros(x_shape, dy.dtype)
    for n, i, j, c in np.ndindex(dy.shape):
        row, column = divmod(argmax[n, i, j, c], x_shape[2])
        dx[n, row, column, c] += dy[n, i, j, c]
    return dx


def avg_pool2d(x: NDArray, size: Pair = 2, stride: Pair | None = None, padding: Padding = "valid") -> NDArray:
    """Return the mean of each window over those of its pixels that lie inside the image.

    Parameters
    ----------
    x : (N, H, W, C)
    size, stride, padding
        As for `max_pool2d`.

    Returns
    -------
    (N, out_h, out_w, C)
    """
    images, height, width, channels = x.shape
    over = windows(height, width, size, size if stride is None else stride, padding)
    y = np.zeros((images, len(over.rows), len(over.columns), channels), x.dtype)
    for n, i, j in np.ndindex(y.shape[:3]):
        pixels = _pixels_under(over, i, j, height, width)
        for row, column in pixels:
            y[n, i, j] += x[n, row, column]  # (C,)
        y[n, i, j] /= len(pixels)
    return y


def avg_pool2d_backward(
    dy: NDArray,
    x_shape: tuple[int, int, int, int],
    size: Pair = 2,
    stride: Pair | None = None,
    padding: Padding = "valid",
) -> NDArray:
    """Share each gradient of dy (N, out_h, out_w, C) equally among its window's pixels: dx of shape `x_shape`."""
    _, height, width, _ = x_shape
    over = windows(height, width, size, size if stride is None else stride, padding)
    dx = np.zeros(x_shape, dy.dtype)
    for n, i, j in np.ndindex(dy.shape[:3]):
        pixels = _pixels_under(over, i, j, height, width)
        for row, column in pixels:
            dx[n, row, column] += dy[n, i, j] / len(pixels)  # (C,)
    return dx
