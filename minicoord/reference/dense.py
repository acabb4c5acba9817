"""A dense layer's products."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def dense(x: NDArray, w: NDArray, b: NDArray | None = None) -> NDArray:
    """Return ``x @ w + b`` for x (N, c_in), w (c_in, c_out) and b (c_out,): a result of shape (N, c_out)."""
    y = np.zeros((x.shape[0], w.shape[1]), x.dtype)
    for n in range(x.shape[0]):
        for c in range(w.shape[1]):
            y[n, c] = (x[n] * w[:, c]).sum()  # (c_in,) * (c_in,)
    return y if b is None else y + b


def dense_backward(x: NDArray, w: NDArray, dy: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Return the gradients of `dense`: dx (N, c_in), dw (c_in, c_out), db (c_out,) from dy (N, c_out)."""
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for n in range(x.shape[0]):
        for c in range(w.shape[1]):
            dx[n] += dy[n, c] * w[:, c]  # (c_in,)
            dw[:, c] += dy[n, c] * x[n]  # (c_in,)
    return dx, dw, dy.sum(axis=0)  # db: (N, c_out) -> (c_out,)
