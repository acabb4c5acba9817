"""Pooling over the whole image: one maximum or one mean for each channel."""

from __future__ import annotations

from numpy.typing import NDArray

from minicoord.reference.coordinates import tile
from minicoord.reference.pooling import max_pool2d, max_pool2d_backward


def global_max_pool(x: NDArray) -> tuple[NDArray, NDArray]:
    """Keep the largest pixel of each channel: (N, H, W, C) -> values (N, C) and ``row * W + column`` (N, C)."""
    y, argmax = max_pool2d(x, x.shape[1:3])  # (N, 1, 1, C)
    return y[:, 0, 0], argmax[:, 0, 0]


def global_max_pool_backward(dy: NDArray, argmax: NDArray, x_shape: tuple[int, int, int, int]) -> NDArray:
    """Give each gradient of dy (N, C) to the pixel that won: dx of shape `x_shape` (N, H, W, C)."""
    return max_pool2d_backward(dy[:, None, None], argmax[:, None, None], x_shape)  # (N, C) -> (N, 1, 1, C)


def global_avg_pool(x: NDArray) -> NDArray:
    """Return the mean of each channel over the pixels: (N, H, W, C) -> (N, C)."""
    return x.mean(axis=(1, 2))


def global_avg_pool_backward(dy: NDArray, x_shape: tuple[int, int, int, int]) -> NDArray:
    """Share each gradient of dy (N, C) equally among all pixels: dx of shape `x_shape` (N, H, W, C)."""
    _, height, width, _ = x_shape
    return tile(dy / (height * width), height, width)
