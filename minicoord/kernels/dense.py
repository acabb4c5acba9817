"""A dense layer: ``y = x @ w + b``, and backward ``dx = dy @ w.T``, ``dw = x.T @ dy``, ``db`` the sum of dy's rows.

All three are one product for the micro-kernel, which is told where the numbers lie: the rows of ``x.T`` are the columns
of x. A task has a tile of rows of the result and one panel of its columns. The right factor is rearranged into panels
before, unless one tile has all rows and the factor consists of whole vectors: each of its numbers is then read once,
and rearranging it would take longer. For the same reason ``dx.T = w @ dy.T`` is computed for a small batch: then dy is
the factor that is rearranged, and w the one that is read once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.checks import check_array, check_bias, check_same_dtype
from minicoord.kernels.backend.denormals import denormals_as, flush_denormals
from minicoord.kernels.backend.memory import empty
from minicoord.kernels.backend.runtime import kernel, prange
from minicoord.kernels.micro_kernel import PLAIN, Extent, Left, Place, Right, address, launch, multiply
from minicoord.kernels.panels import factor, packed
from minicoord.kernels.sums import channel_sums

TILE = 64  # rows of the result in a task
FEW = 4  # backward: a batch with at most c_out / FEW rows is the factor to rearrange, and the result is transposed


@kernel
def _product(left, row_step, k_step, depth, right, is_packed, width, padded, initial, y):
    """Write ``left @ right + initial`` to y, where number k of row r lies at ``left[r * row_step + k * k_step]``."""
    rows, columns = y.shape
    count = (columns + width - 1) // width
    for task in prange((rows + TILE - 1) // TILE * count):
        fp_mode = flush_denormals()
        first, column = np.int64(task) // count * TILE, np.int64(task) % count * width
        multiply(
            Extent((1, 1, min(TILE, rows - first)), (1, 1, depth), min(width, columns - column)),
            Left(address(left), first * row_step, (0, 0, row_step), (0, 0, k_step)),
            Right(
                address(right),
                depth * column if is_packed else column,
                min(width, padded - column) if is_packed else columns,
            ),
            Place(address(initial), column, (0, 0, 0)),
            Place(address(y), first * columns + column, (0, 0, columns)),
            Place(address(y), 0, (0, 0, 0)),
            PLAIN,
        )
        denormals_as(fp_mode)


def _multiply(left: NDArray, transposed: bool, right: NDArray, initial: NDArray | None, flip: bool = False) -> NDArray:
    """Return ``left @ right + initial``, with left or right transposed."""
    how = factor(right.shape, right.dtype, flip)
    rows, depth = left.shape[::-1] if transposed else left.shape
    columns = how.columns
    y = empty((rows, columns), left.dtype)
    initial = np.zeros(columns, left.dtype) if initial is None else initial
    if depth == 0:
        y[:] = initial
        return y
    steps = (1, rows) if transposed else (depth, 1)
    # The micro-kernel reads whole vectors, and behind the last row there is nothing to read.
    is_packed = rows > TILE or flip or columns != how.padded
    right = packed(right, how) if is_packed else np.ravel(right)
    launch(_product, left.reshape(-1), *steps, depth, right, is_packed, how.width, how.padded, initial, y)
    return y


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

    Examples
    --------
    >>> import numpy as np
    >>> dense(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0, 3.0], [0.0, 1.0, 4.0]]), np.ones(3)).tolist()
    [[2.0, 3.0, 12.0]]
    """
    x, w = _check_weights(x, w, "dense")
    b = check_bias(b, w.shape[1], x.dtype, "dense")
    check_same_dtype("dense", x=x, b=b)
    return _multiply(x, False, w, b)


def dense_backward(x: NDArray, w: NDArray, dy: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Return the gradients of `dense`: ``dy @ w.T``, ``x.T @ dy`` and the sum of dy over the images.

    Parameters
    ----------
    x : (N, c_in) of float32 or float64
    w : (c_in, c_out)
    dy : (N, c_out)
        Gradient of the loss with respect to the output.

    Returns
    -------
    dx : (N, c_in)
    dw : (c_in, c_out)
    db : (c_out,)
    """
    x, w = _check_weights(x, w, "dense_backward")
    dy = check_array(dy, "dense_backward: dy", shape=(x.shape[0], w.shape[1]))
    check_same_dtype("dense_backward", x=x, dy=dy)
    if FEW * len(dy) <= w.shape[1]:
        dx = np.ascontiguousarray(_multiply(w, False, dy, None, flip=True).T)  # (c_in, N) -> (N, c_in)
    else:
        dx = _multiply(dy, False, w, None, flip=True)
    return dx, _multiply(x, True, dy, None), channel_sums(dy, None)
