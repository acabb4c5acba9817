"""A dense layer: ``y = x @ w + b``, and backward ``dx = dy @ w.T``, ``dw = x.T @ dy``, ``db`` the sum of dy's rows.

Each task computes a *tile* of rows of the result with one matrix product. The rows of dw are the input channels, so a
task first copies its channels out of x. Tiles depend on shapes alone, so the bits do not depend on the threads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.blas import one_blas_thread
from minicoord.kernels.checks import check_array, check_same_dtype, check_shape
from minicoord.kernels.denormals import denormals_as, flush_denormals
from minicoord.kernels.runtime import kernel, launch, prange

TILE = 128  # rows of the result per product; with fewer, BLAS would spend its time on preparing w again for each tile


@kernel
def _forward(x, w, b, y):
    for task in prange((y.shape[0] + TILE - 1) // TILE):
        before = flush_denormals()
        first = np.int64(task) * TILE
        tile = y[first : first + TILE]  # (rows, c_out)
        np.dot(x[first : first + TILE], w, tile)  # (rows, c_in) @ (c_in, c_out)
        for r in range(tile.shape[0]):
            for c in range(tile.shape[1]):
                tile[r, c] += b[c]
        denormals_as(before)


@kernel
def _backward_x(w, dy, dx):
    for task in prange((dx.shape[0] + TILE - 1) // TILE):
        before = flush_denormals()
        first = np.int64(task) * TILE
        np.dot(dy[first : first + TILE], w.T, dx[first : first + TILE])  # (rows, c_out) @ (c_out, c_in)
        denormals_as(before)


@kernel
def _backward_w(x, dy, dw):
    for task in prange((dw.shape[0] + TILE - 1) // TILE):
        before = flush_denormals()
        first = np.int64(task) * TILE
        channels = x[:, first : first + TILE].copy()  # (N, rows)
        np.dot(channels.T, dy, dw[first : first + TILE])  # (rows, N) @ (N, c_out)
        denormals_as(before)


def _check_weights(x: object, w: object, what: str) -> tuple[NDArray, NDArray]:
    """Return x (N, c_in) and w (c_in, c_out) contiguous, after checking that they fit."""
    x = check_array(x, f"{what}: x", 2, "(N, c_in)")
    w = check_array(w, f"{what}: w", 2, "(c_in, c_out)")
    check_same_dtype(what, x=x, w=w)
    if 0 in w.shape:
        raise ValueError(f"{what}: w has shape {w.shape}, wanted (c_in, c_out) with at least one channel each")
    if x.shape[1] != w.shape[0]:
        raise ValueError(f"{what}: x has shape {x.shape}, wanted (N, {w.shape[0]}) to fit w of shape {w.shape}")
    return x, w


def dense(x: NDArray, w: NDArray, b: NDArray | None = None) -> NDArray:
    """Return ``x @ w + b``.

    Parameters
    ----------
    x : (N, c_in) of float32 or float64
    w : (c_in, c_out)
    b : (c_out,), optional

    Returns
    -------
    (N, c_out)

    Raises
    ------
    TypeError
        If an array is not float32 or float64, or the dtypes differ.
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> dense(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0, 3.0], [0.0, 1.0, 4.0]]), np.ones(3)).tolist()
    [[2.0, 3.0, 12.0]]
    """
    x, w = _check_weights(x, w, "dense")
    b = np.zeros(w.shape[1], x.dtype) if b is None else check_array(b, "dense: b", 1, "(c_out,)")
    check_shape(b, w.shape[1:], "dense: b")
    check_same_dtype("dense", x=x, b=b)
    y = np.empty((x.shape[0], w.shape[1]), x.dtype)
    with one_blas_thread():
        launch(_forward, x, w, b, y)
    return y


def dense_backward(x: NDArray, w: NDArray, dy: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Return the gradients of `dense`: ``dy @ w.T``, ``x.T @ dy`` and the sum of dy over the images.

    Parameters
    ----------
    x : (N, c_in) of float32 or float64
    w : (c_in, c_out)
    dy : (N, c_out)
        Gradient of the loss by the output.

    Returns
    -------
    dx : (N, c_in)
    dw : (c_in, c_out)
    db : (c_out,)

    Raises
    ------
    TypeError, ValueError
        As `dense`.
    """
    x, w = _check_weights(x, w, "dense_backward")
    dy = check_array(dy, "dense_backward: dy", 2, "(N, c_out)")
    check_shape(dy, (x.shape[0], w.shape[1]), "dense_backward: dy")
    check_same_dtype("dense_backward", x=x, dy=dy)
    dx, dw = np.empty_like(x), np.zeros_like(w)
    if x.shape[0] > 0:  # BLAS leaves the result of a product over no images as it is
        with one_blas_thread():
            launch(_backward_x, w, dy, dx)
            launch(_backward_w, x, dy, dw)
    return dx, dw, dy.sum(axis=0)  # db: (N, c_out) -> (c_out,)
