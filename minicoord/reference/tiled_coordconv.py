"""1x1 CoordConv of a vector that is repeated at every pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def tiled_coordconv(v: NDArray, coordinates: NDArray, w: NDArray, b: NDArray, relu: bool) -> NDArray:
    """Concatenate a vector and the coordinates at each pixel, and multiply by the kernel.

    Parameters
    ----------
    v : (N, c_in)
    coordinates : (H, W, d)
    w : (c_in + d, c_out)
    b : (c_out,)
    relu : bool

    Returns
    -------
    ndarray (N, H, W, c_out)
    """
    height, width, _ = coordinates.shape
    y = np.zeros((len(v), height, width, w.shape[1]), v.dtype)
    for n in range(len(v)):
        for i in range(height):
            for j in range(width):
                y[n, i, j] = np.concatenate([v[n], coordinates[i, j]]) @ w + b
    return np.maximum(y, 0) if relu else y


def tiled_coordconv_backward(
    v: NDArray, coordinates: NDArray, w: NDArray, dy: NDArray, y: NDArray | None
) -> tuple[NDArray, NDArray, NDArray]:
    """Return dv (N, c_in), dw (c_in + d, c_out) and db (c_out,), added up pixel by pixel; y is None without ReLU."""
    if y is not None:
        dy = np.where(y > 0, dy, 0)
    dv, dw = np.zeros_like(v), np.zeros_like(w)
    for n in range(len(v)):
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                dw += np.outer(np.concatenate([v[n], coordinates[i, j]]), dy[n, i, j])
                dv[n] += (w @ dy[n, i, j])[: v.shape[1]]  # the coordinates are constants
    return dv, dw, dy.sum(axis=(0, 1, 2))
