"""Nearest-neighbour upsampling: every pixel becomes a block of equal pixels. Backward adds each block up again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.checks import check_images
from minicoord.kernels.backend.memory import empty
from minicoord.kernels.backend.runtime import kernel, launch, prange
from minicoord.kernels.geometry import Pair, pair
from minicoord.system.arguments import shown
from minicoord.system.arrays import check_room


@kernel
def _repeat(x, y, rows, columns):
    images, height, width, channels = x.shape
    for task in prange(images * height):
        n, i = np.int64(task) // height, np.int64(task) % height
        for di in range(rows):
            for j in range(width):
                pixel = x[n, i, j]  # (C,)
                for dj in range(columns):
                    copy = y[n, i * rows + di, j * columns + dj]  # (C,)
                    for c in range(channels):
                        copy[c] = pixel[c]


@kernel
def _sum_blocks(dy, dx, rows, columns):
    images, height, width, channels = dx.shape
    for task in prange(images * height):
        n, i = np.int64(task) // height, np.int64(task) % height
        dx[n, i] = 0
        for di in range(rows):
            for j in range(width):
                pixel = dx[n, i, j]  # (C,)
                for dj in range(columns):
                    copy = dy[n, i * rows + di, j * columns + dj]  # (C,)
                    for c in range(channels):
                        pixel[c] += copy[c]


def upsample_nearest(x: NDArray, factor: Pair) -> NDArray:
    """Return images enlarged by a whole factor, each pixel repeated as a block.

    Parameters
    ----------
    x : ndarray of float32 or float64, (N, H, W, C)
        Images.
    factor : int or (int, int)
        Rows and columns of the block, at least 1 each.

    Returns
    -------
    ndarray of the same dtype, (N, H * rows, W * columns, C)

    Examples
    --------
    >>> upsample_nearest(np.array([1.0, 2.0]).reshape(1, 1, 2, 1), (1, 2)).reshape(-1)
    array([1., 1., 2., 2.])
    """
    x = check_images(x, "upsample_nearest: x")
    rows, columns = pair(factor, "upsample_nearest: factor")
    images, height, width, channels = x.shape
    shape = images, height * rows, width * columns, channels
    check_room("upsample_nearest: the output", shape, x.dtype)
    y = empty(shape, x.dtype)
    launch(_repeat, x, y, rows, columns)
    return y


def upsample_nearest_backward(dy: NDArray, factor: Pair) -> NDArray:
    """Return the gradient of `upsample_nearest` with respect to its images: the sum over each block.

    Parameters
    ----------
    dy : ndarray of float32 or float64, (N, H * rows, W * columns, C)
        Gradient of the loss with respect to the output.
    factor : int or (int, int)
        Rows and columns of the block.

    Returns
    -------
    ndarray of the same dtype, (N, H, W, C)
    """
    dy = check_images(dy, "upsample_nearest_backward: dy")
    rows, columns = pair(factor, "upsample_nearest_backward: factor")
    images, height, width, channels = dy.shape
    if height % rows or width % columns:
        raise ValueError(
            f"upsample_nearest_backward: dy has shape {dy.shape}, wanted rows in multiples of {shown(rows)} "
            f"and columns in multiples of {shown(columns)}"
        )
    dx = empty((images, height // rows, width // columns, channels), dy.dtype)
    launch(_sum_blocks, dy, dx, rows, columns)
    return dx
