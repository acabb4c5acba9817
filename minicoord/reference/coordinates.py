"""Coordinate channels (paper, Figure 3), and the vectors that become images for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def _coordinate(k: int, n: int) -> float:
    """Return the coordinate of pixel `k` on an axis of `n` pixels: from -1 to 1, and 0 where there is one pixel."""
    return 0.0 if n == 1 else -1 + 2 * k / (n - 1)


def coordinate_channels(height: int, width: int, with_r: bool = False, dtype: type = np.float32) -> NDArray:
    """Return the coordinates of every pixel: the row i and the column j in [-1, 1], then ``r = sqrt(i^2 + j^2)``.

    Returns
    -------
    (height, width, 2), or (height, width, 3) with r
    """
    channels = np.zeros((height, width, 3 if with_r else 2), dtype)
    for row in range(height):
        for column in range(width):
            i, j = _coordinate(row, height), _coordinate(column, width)
            channels[row, column] = (i, j, (i**2 + j**2) ** 0.5) if with_r else (i, j)
    return channels


def add_coords(x: NDArray, with_r: bool = False) -> NDArray:
    """Append the coordinate channels to every image: (N, H, W, C) -> (N, H, W, C + 2), or C + 3 with r."""
    images, height, width, channels = x.shape
    coords = coordinate_channels(height, width, with_r, x.dtype.type)
    y = np.zeros((images, height, width, channels + coords.shape[2]), x.dtype)
    for n in range(images):
        y[n, :, :, :channels] = x[n]  # (H, W, C)
        y[n, :, :, channels:] = coords  # (H, W, 2 or 3)
    return y


def add_coords_backward(dy: NDArray, with_r: bool = False) -> NDArray:
    """Return dx (N, H, W, C) from dy (N, H, W, C + 2 or 3): coordinates are constants, their part is dropped."""
    return dy[..., : dy.shape[3] - (3 if with_r else 2)].copy()


def tile(v: NDArray, height: int, width: int) -> NDArray:
    """Repeat a vector at every pixel: (N, C) -> (N, height, width, C)."""
    y = np.zeros((v.shape[0], height, width, v.shape[1]), v.dtype)
    for i in range(height):
        for j in range(width):
            y[:, i, j] = v  # (N, C)
    return y


def tile_backward(dy: NDArray) -> NDArray:
    """Return dv (N, C): the sum of dy (N, H, W, C) over the pixels, since each of them held a copy of v."""
    return dy.sum(axis=(1, 2))
