"""Convolution with stride 1, padding "same" and no bias: what ``kernels/naive.py`` compiles as nested loops."""

from __future__ import annotations

from numpy.typing import NDArray

from minicoord.reference.convolution import conv2d, conv2d_backward


def naive_conv2d(x: NDArray, w: NDArray) -> NDArray:
    """Return y (N, H, W, c_out) for x (N, H, W, c_in) and w (kh, kw, c_in, c_out)."""
    return conv2d(x, w)


def naive_conv2d_backward(x: NDArray, w: NDArray, dy: NDArray) -> tuple[NDArray, NDArray]:
    """Return dx (N, H, W, c_in) and dw (kh, kw, c_in, c_out) from dy (N, H, W, c_out)."""
    dx, dw, _ = conv2d_backward(x, w, dy)
    return dx, dw
