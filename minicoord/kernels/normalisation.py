"""Batch normalisation: give every channel the mean beta and the spread gamma, then undo its effect on the gradient.

With the statistics of a channel over all pixels of all images, `m` values in number,

    z = (x - mean) / sqrt(var + eps)        y = gamma * z + beta

and, since mean and var depend on every x,

    dbeta = sum(dy)        dgamma = sum(dy * z)        dx = gamma / sqrt(var + eps) * (dy - dbeta / m - z * dgamma / m)

The pixels are rows of a matrix ``(m, C)``, cut into chunks that fit a core's cache, by shape alone. Each chunk writes
its own sums, and these are added in order: the bits do not depend on the threads. Sums are kept in float64.

A channel may lie far from zero: 1000.1 with a spread of 0.01, or with none. Float32 has seven digits, so a sum of such
numbers loses what z is made of. Therefore a chunk subtracts a number of its own channel before it adds, and z is taken
from the difference to the mean. The mean, rounded to float32, is off by up to half of its last digit, which may be
more than the spread; this *rest* is known in float64, and a constant for each channel, so it goes into beta:

    scale = gamma / sqrt(var + eps)      mean = rounded + rest      y = (x - rounded) * scale + (beta - rest * scale)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.checks import check_array, check_same_dtype, check_shape
from minicoord.kernels.memory import empty_like
from minicoord.kernels.runtime import kernel, launch, prange
from minicoord.system.arguments import check_flag, check_number

CHUNK = 8192  # values per chunk: 32 kB of float32 are still in the cache when they are read for the second time
BAND = 64  # rows that are summed in the dtype of x before they join a sum in float64


@kernel
def _statistics(x, chunk, means, squares):
    """For each chunk of rows: the mean per channel, then the sum of squared deviations from it, while x is warm.

    Added up is the difference to the chunk's first row, then that to the mean as x's dtype has it: both are exact where
    numbers lie close to each other.
    """
    rows, channels = x.shape
    for task in prange(means.shape[0]):
        first = np.int64(task) * chunk
        last = min(rows, first + chunk)
        mean, square = means[task], squares[task]  # (C,)
        part, near = np.empty(channels, x.dtype), x[first].copy()  # (C,)
        for band in range(first, last, BAND):
            part[:] = 0
            for r in range(band, min(band + BAND, last)):
                for c in range(channels):
                    part[c] += x[r, c] - near[c]
            for c in range(channels):
                mean[c] += part[c]
        for c in range(channels):
            mean[c] = near[c] + mean[c] / (last - first)
            near[c] = mean[c]
        for band in range(first, last, BAND):
            part[:] = 0
            for r in range(band, min(band + BAND, last)):
                for c in range(channels):
                    deviation = x[r, c] - near[c]
                    part[c] += deviation * deviation
            for c in range(channels):
                square[c] += part[c]
        for c in range(channels):
            rest = mean[c] - near[c]
            square[c] -= (last - first) * rest * rest


@kernel
def _scale(x, mean, scale, beta, relu, chunk, y):
    """Write ``y = (x - mean) * scale + beta``; to subtract first keeps the digits of a channel far from zero."""
    rows, channels = x.shape
    zero = x.dtype.type(0)
    for task in prange((rows + chunk - 1) // chunk):
        first = np.int64(task) * chunk
        for r in range(first, min(rows, first + chunk)):
            for c in range(channels):
                value = (x[r, c] - mean[c]) * scale[c] + beta[c]
                y[r, c] = zero if relu and value <= zero else value


@kernel
def _gradient_sums(dy, y, relu, x, mean, chunk, sums):
    """For each chunk of rows: ``sums`` of dz, x - mean and their product, (3, C); dz is dy where ReLU let it by."""
    rows, channels = x.shape
    zero = x.dtype.type(0)
    for task in prange(sums.shape[0]):
        first = np.int64(task) * chunk
        last = min(rows, first + chunk)
        part = np.empty((3, channels), x.dtype)
        for band in range(first, last, BAND):
            part[:] = 0
            for r in range(band, min(band + BAND, last)):
                for c in range(channels):
                    dz = dy[r, c]
                    if relu and y[r, c] <= zero:
                        dz = zero
                    deviation = x[r, c] - mean[c]
                    part[0, c] += dz
                    part[1, c] += deviation
                    part[2, c] += dz * deviation
            for k in range(3):
                for c in range(channels):
                    sums[task, k, c] += part[k, c]


@kernel
def _gradient(dy, y, relu, x, mean, scale, offset, slope, chunk, dx):
    """Write ``dx = scale * (dz - offset - (x - mean) * slope)``; dz is dy where ReLU let it by."""
    rows, channels = x.shape
    zero = x.dtype.type(0)
    for task in prange((rows + chunk - 1) // chunk):
        first = np.int64(task) * chunk
        for r in range(first, min(rows, first + chunk)):
            for c in range(channels):
                dz = dy[r, c]
                if relu and y[r, c] <= zero:
                    dz = zero
                dx[r, c] = scale[c] * (dz - offset[c] - (x[r, c] - mean[c]) * slope[c])


def _rows(x: NDArray) -> NDArray:
    """Return x (..., C) as a matrix (m, C)."""
    return x.reshape(int(np.prod(x.shape[:-1])), x.shape[-1])


def _rows_per_chunk(channels: int) -> int:
    return max(1, CHUNK // max(1, channels))


def _check_input(x: object, what: str) -> NDArray:
    """Return x (..., C) contiguous, after checking that each channel has at least one value."""
    x = check_array(x, what)
    if x.ndim < 2:
        raise ValueError(f"{what} has shape {x.shape}, wanted (..., C): at least two axes")
    if 0 in x.shape[:-1]:
        raise ValueError(f"{what} has shape {x.shape}, wanted at least one value per channel: none have no mean")
    return x


def _check_channels(what: str, x: NDArray, **vectors: object) -> list[NDArray]:
    """Return the vectors contiguous, after checking that each has shape (C,) and the dtype of x."""
    checked = {name: check_array(vector, f"{what}: {name}", 1, "(C,)") for name, vector in vectors.items()}
    for name, vector in checked.items():
        check_shape(vector, x.shape[-1:], f"{what}: {name}")
    check_same_dtype(what, x=x, **checked)
    return list(checked.values())


def _normalise(
    x: NDArray, gamma: NDArray, beta: NDArray, mean: NDArray, var: NDArray, eps: float, relu: bool
) -> NDArray:
    """Return ``gamma * (x - mean) / sqrt(var + eps) + beta``; the mean may be more exact than the dtype of x."""
    scale = gamma / np.sqrt(var.astype(np.float64) + eps)
    rounded = mean.astype(x.dtype)
    with np.errstate(invalid="ignore"):  # infinity minus infinity, where x is infinite
        shift = beta - (mean - rounded) * scale
    factors = rounded, scale.astype(x.dtype), shift.astype(x.dtype)  # each (C,)
    y = empty_like(x)
    launch(_scale, _rows(x), *factors, relu, _rows_per_chunk(x.shape[-1]), _rows(y))
    return y


def batch_norm(
    x: NDArray, gamma: NDArray, beta: NDArray, eps: float = 1e-5, relu: bool = False
) -> tuple[NDArray, NDArray, NDArray]:
    """Normalise every channel by its own statistics, as in training.

    Parameters
    ----------
    x : (..., C) of float32 or float64
        Such as images (N, H, W, C); the statistics go over all axes but the last.
    gamma, beta : (C,)
        The spread and the mean that each channel is given.
    eps : float
        Added to the variance; 1e-5 in the paper's code.
    relu : bool
        Whether negative outputs become zero, in the same pass over memory.

    Returns
    -------
    y : (..., C)
        ``gamma * (x - mean) / sqrt(var + eps) + beta``.
    mean, var : (C,)
        `var` is the mean of the squared deviations: divided by their number m, not by m - 1.

    Raises
    ------
    TypeError
        If an array is not float32 or float64, or the dtypes differ.
    ValueError
        If a shape is wrong, or there is no value to take a mean of.

    Examples
    --------
    >>> import numpy as np
    >>> y, mean, var = batch_norm(np.array([[1.0], [3.0]]), np.ones(1), np.zeros(1), eps=0.0)
    >>> y.ravel().tolist(), mean.item(), var.item()
    ([-1.0, 1.0], 2.0, 1.0)
    """
    x, relu = _check_input(x, "batch_norm: x"), check_flag("batch_norm: relu", relu)
    check_number("batch_norm: eps", eps, 0.0)
    gamma, beta = _check_channels("batch_norm", x, gamma=gamma, beta=beta)
    matrix, chunk = _rows(x), _rows_per_chunk(x.shape[-1])
    rows, channels = matrix.shape
    chunks = -(-rows // chunk)
    means, squares = np.zeros((chunks, channels)), np.zeros((chunks, channels))
    launch(_statistics, matrix, chunk, means, squares)
    counts = np.minimum(chunk, rows - chunk * np.arange(chunks))[:, None]  # rows in each chunk, (chunks, 1)
    with np.errstate(invalid="ignore", over="ignore"):  # an infinite x makes NaN of its channel, as NaN itself does
        mean = (counts * means).sum(axis=0) / rows  # (chunks, 1) * (chunks, C) -> (C,)
        # Squared deviations from the whole mean: those from the chunk's own mean, and that mean's own, once per value.
        var = (squares + counts * (means - mean) ** 2).sum(axis=0) / rows
        var = var.astype(x.dtype)
        return _normalise(x, gamma, beta, mean, var, eps, relu), mean.astype(x.dtype), var


def batch_norm_backward(
    dy: NDArray,
    x: NDArray,
    gamma: NDArray,
    mean: NDArray,
    var: NDArray,
    eps: float = 1e-5,
    y: NDArray | None = None,
) -> tuple[NDArray, NDArray, NDArray]:
    """Return the gradients of `batch_norm`, through its statistics too.

    Parameters
    ----------
    dy, x : (..., C) of float32 or float64
        Gradient of the loss by the output, and the input of the forward pass.
    gamma, mean, var : (C,)
        As they were in the forward pass, and as it returned them.
    eps : float
        As in the forward pass.
    y : (..., C), optional
        The output, needed if and only if it was made with ``relu=True``: where it is zero, nothing flows back.

    Returns
    -------
    dx : (..., C)
    dgamma, dbeta : (C,)

    Raises
    ------
    TypeError, ValueError
        As `batch_norm`; also if dy or y has another shape than x.
    """
    x = _check_input(x, "batch_norm_backward: x")
    check_number("batch_norm_backward: eps", eps, 0.0)
    dy = check_array(dy, "batch_norm_backward: dy")
    check_shape(dy, x.shape, "batch_norm_backward: dy")
    relu = y is not None
    y = check_array(y, "batch_norm_backward: y") if relu else dy
    check_shape(y, x.shape, "batch_norm_backward: y")
    check_same_dtype("batch_norm_backward", x=x, dy=dy, y=y)
    gamma, mean, var = _check_channels("batch_norm_backward", x, gamma=gamma, mean=mean, var=var)
    matrix, chunk = _rows(x), _rows_per_chunk(x.shape[-1])
    rows, channels = matrix.shape
    chunks = -(-rows // chunk)
    sums = np.zeros((chunks, 3, channels))
    launch(_gradient_sums, _rows(dy), _rows(y), relu, matrix, mean, chunk, sums)
    inverse = 1 / np.sqrt(var.astype(np.float64) + eps)
    dbeta, deviations, products = sums.sum(axis=0)  # (chunks, 3, C) -> (C,) each
    with np.errstate(invalid="ignore", over="ignore"):
        rest = deviations / rows  # of the mean, which was rounded
        dgamma = (products - rest * dbeta) * inverse
        slope = inverse * dgamma / rows
        factors = [f.astype(x.dtype) for f in (gamma * inverse, dbeta / rows - rest * slope, slope)]
    dx = empty_like(x)
    launch(_gradient, _rows(dy), _rows(y), relu, matrix, mean, *factors, chunk, _rows(dx))
    return dx, dgamma.astype(x.dtype), dbeta.astype(x.dtype)


def batch_norm_inference(
    x: NDArray,
    gamma: NDArray,
    beta: NDArray,
    mean: NDArray,
    var: NDArray,
    eps: float = 1e-5,
    relu: bool = False,
) -> NDArray:
    """Normalise every channel by given statistics: ``gamma * (x - mean) / sqrt(var + eps) + beta``.

    Parameters
    ----------
    x : (..., C) of float32 or float64
    gamma, beta, mean, var : (C,)
        `mean` and `var` are the running statistics that training collected.
    eps : float
        Added to the variance.
    relu : bool
        Whether negative outputs become zero.

    Returns
    -------
    (..., C)

    Raises
    ------
    TypeError, ValueError
        As `batch_norm`, but an empty batch is no error here: it gives an empty result.
    """
    x, relu = check_array(x, "batch_norm_inference: x"), check_flag("batch_norm_inference: relu", relu)
    check_number("batch_norm_inference: eps", eps, 0.0)
    if x.ndim < 2:
        raise ValueError(f"batch_norm_inference: x has shape {x.shape}, wanted (..., C): at least two axes")
    gamma, beta, mean, var = _check_channels("batch_norm_inference", x, gamma=gamma, beta=beta, mean=mean, var=var)
    return _normalise(x, gamma, beta, mean, var, eps, relu)
