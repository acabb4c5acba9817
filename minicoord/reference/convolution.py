"""Convolution, forward and backward, pixel by pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.reference.activations import relu_backward
from minicoord.reference.geometry import Padding, Pair, steps, windows


def conv2d(
    x: NDArray, w: NDArray, b: NDArray | None = None, stride: Pair = 1, padding: Padding = "same", relu: bool = False
) -> NDArray:
    """Convolve: ``y[n, i, j] = b + sum over ki, kj of x[n, i * sy - top + ki, j * sx - left + kj] @ w[ki, kj]``.

    Parameters
    ----------
    x : (N, H, W, c_in)
    w : (kh, kw, c_in, c_out)
        As everywhere in deep learning the kernel is not flipped: this is a cross-correlation.
    b : (c_out,), optional
    stride, padding
        See `minicoord.reference.geometry.windows`.
    relu : bool
        Whether negative results become zero.

    Returns
    -------
    (N, out_h, out_w, c_out)
    """
    images, height, width, _ = x.shape
    kh, kw, _, c_out = w.shape
    over = windows(height, width, (kh, kw), stride, padding)
    y = np.zeros((images, len(over.rows), len(over.columns), c_out), x.dtype)
    for n, i, j, ki, kj, row, column in steps(images, height, width, over):
        y[n, i, j] += x[n, row, column] @ w[ki, kj]  # (c_in,) @ (c_in, c_out)
    if b is not None:
        y += b
    return np.maximum(y, 0) if relu else y


def conv2d_backward(
    x: NDArray, w: NDArray, dy: NDArray, stride: Pair = 1, padding: Padding = "same", y: NDArray | None = None
) -> tuple[NDArray, NDArray, NDArray]:
    """Return the gradients of `conv2d`: the gradient of every product of the forward pass, sent to both its factors.

    Parameters
    ----------
    x : (N, H, W, c_in)
    w : (kh, kw, c_in, c_out)
    dy : (N, out_h, out_w, c_out)
        Gradient of the loss with respect to the output.
    y : (N, out_h, out_w, c_out), optional
        The output, if ReLU was applied: nothing flows back where it is zero.

    Returns
    -------
    dx : (N, H, W, c_in)
    dw : (kh, kw, c_in, c_out)
    db : (c_out,)
    """
    if y is not None:
        dy = relu_backward(dy, y)
    images, height, width, _ = x.shape
    over = windows(height, width, w.shape[:2], stride, padding)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for n, i, j, ki, kj, row, column in steps(images, height, width, over):
        dx[n, row, column] += w[ki, kj] @ dy[n, i, j]  # (c_in, c_out) @ (c_out,)
        dw[ki, kj] += np.outer(x[n, row, column], dy[n, i, j])  # (c_in, c_out)
    return dx, dw, dy.sum(axis=(0, 1, 2))  # db: (N, out_h, out_w, c_out) -> (c_out,)
