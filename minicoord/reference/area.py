"""Area resizing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def area_resize(images: NDArray, height: int, width: int) -> NDArray:
    """Return images (N, H, W) as (N, height, width), where each pixel is the mean of the rectangle that it covers.

    Means of uint8 are rounded, a half to the even number.
    """
    rows, columns = shares(images.shape[1], height), shares(images.shape[2], width)
    means = np.stack([rows @ image @ columns.T for image in images.astype(np.float64)])
    if images.dtype == np.uint8:
        means = np.rint(means.astype(np.float32))  # in float32, a half that a sum misses by a hair is a half
    return means.astype(images.dtype)


def shares(size: int, parts: int) -> NDArray[np.float64]:
    """Return (parts, size): how much of each part of a line is taken up by each of its `size` pixels."""
    edges = np.linspace(0, size, parts + 1)
    matrix = np.zeros((parts, size))
    for i in range(parts):
        for k in range(size):
            overlap = min(edges[i + 1], k + 1) - max(edges[i], k)
            matrix[i, k] = max(overlap, 0) / (size / parts)
    return matrix
