"""Nearest-neighbour upsampling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.reference.geometry import Pair, pair


def upsample_nearest(x: NDArray, factor: Pair) -> NDArray:
    """Repeat every pixel: (N, H, W, C) -> (N, H * rows, W * columns, C). `factor` is (rows, columns) or one number."""
    rows, columns = pair(factor)
    images, height, width, channels = x.shape
    y = np.zeros((images, height * rows, width * columns, channels), x.dtype)
    for i in range(height * rows):
        for j in range(width * columns):
            y[:, i, j] = x[:, i // rows, j // columns]  # (N, C)
    return y


def upsample_nearest_backward(dy: NDArray, factor: Pair) -> NDArray:
    """Return dx: for every pixel the sum of the gradients dy (N, H * rows, W * columns, C) of its copies."""
    rows, columns = pair(factor)
    images, height, width, channels = dy.shape
    dx = np.zeros((images, height // rows, width // columns, channels), dy.dtype)
    for i in range(height):
        for j in range(width):
            dx[:, i // rows, j // columns] += dy[:, i, j]  # (N, C)
    return dx
