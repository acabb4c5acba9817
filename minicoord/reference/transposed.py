"""Transposed convolution, the paper's "deconvolution", forward and backward, pixel by pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.reference.activations import relu_backward
from minicoord.reference.geometry import Padding, Pair, Windows, explicit_padding, pair, steps, windows


def _output_windows(
    height: int, width: int, kernel_size: Pair, stride: Pair, padding: Padding
) -> tuple[int, int, Windows]:
    """Return the output's height and width, and the windows over it: one for each of the `height` x `width` pixels."""
    (kh, kw), (sy, sx) = pair(kernel_size), pair(stride)
    if padding == "same":
        out_h, out_w = height * sy, width * sx
    elif isinstance(padding, str):  # "valid"
        out_h, out_w = height * sy + max(kh - sy, 0), width * sx + max(kw - sx, 0)
    else:
        (top, bottom), (left, right) = explicit_padding(padding)
        out_h, out_w = (height - 1) * sy + kh - top - bottom, (width - 1) * sx + kw - left - right
    return out_h, out_w, windows(out_h, out_w, (kh, kw), (sy, sx), padding)


def conv_transpose2d(
    x: NDArray, w: NDArray, b: NDArray | None = None, stride: Pair = 1, padding: Padding = "same", relu: bool = False
) -> NDArray:
    """Scatter: each pixel adds ``w[ki, kj] @ x[n, i, j]`` to output pixel ``(i * sy - top + ki, j * sx - left + kj)``.

    It is the adjoint of the convolution with the same `w`, which is why `w` has its channel axes in reverse order.

    Parameters
    ----------
    x : (N, H, W, c_in)
    w : (kh, kw, c_out, c_in)
    b : (c_out,), optional
    padding
        ``"same"`` gives ``H * sy`` rows, ``"valid"`` gives ``H * sy + max(kh - sy, 0)``, and explicit padding is
        cropped from the ``(H - 1) * sy + kh`` rows that the kernel reaches; columns likewise.

    Returns
    -------
    (N, out_h, out_w, c_out)
    """
    images, height, width, _ = x.shape
    kh, kw, c_out, _ = w.shape
    out_h, out_w, over = _output_windows(height, width, (kh, kw), stride, padding)
    y = np.zeros((images, out_h, out_w, c_out), x.dtype)
    for n, i, j, ki, kj, row, column in steps(images, out_h, out_w, over):
        y[n, row, column] += w[ki, kj] @ x[n, i, j]  # (c_out, c_in) @ (c_in,)
    if b is not None:
        y += b
    return np.maximum(y, 0) if relu else y


def conv_transpose2d_backward(
    x: NDArray, w: NDArray, dy: NDArray, stride: Pair = 1, padding: Padding = "same", y: NDArray | None = None
) -> tuple[NDArray, NDArray, NDArray]:
    """Return the gradients of `conv_transpose2d`.

    Parameters
    ----------
    x : (N, H, W, c_in)
    w : (kh, kw, c_out, c_in)
    dy : (N, out_h, out_w, c_out)
        Gradient of the loss with respect to the output.
    y : (N, out_h, out_w, c_out), optional
        The output, if ReLU was applied: nothing flows back where it is zero.

    Returns
    -------
    dx : (N, H, W, c_in)
    dw : (kh, kw, c_out, c_in)
    db : (c_out,)
    """
    if y is not None:
        dy = relu_backward(dy, y)
    images, height, width, _ = x.shape
    out_h, out_w, over = _output_windows(height, width, w.shape[:2], stride, padding)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for n, i, j, ki, kj, row, column in steps(images, out_h, out_w, over):
        dx[n, i, j] += dy[n, row, column] @ w[ki, kj]  # (c_out,) @ (c_out, c_in)
        dw[ki, kj] += np.outer(dy[n, row, column], x[n, i, j])  # (c_out, c_in)
    return dx, dw, dy.sum(axis=(0, 1, 2))  # db: (N, out_h, out_w, c_out) -> (c_out,)
