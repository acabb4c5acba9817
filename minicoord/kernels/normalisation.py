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

import math

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.checks import check_array, check_same_dtype
from minicoord.kernels.backend.memory import empty_like
from minicoord.kernels.backend.runtime import helper, kernel, launch, prange
from minicoord.system.arguments import check_flag, check_number

CHUNK = 8192  # values per chunk: 32 kB of float32 are still in the cache when they are read for the second time
BAND = 64  # rows that are summed in the dtype of x before they join a sum in float64


@helper
def _statistics(x, first, last, mean, square):
    """Write to `mean` the mean per channel of some rows, and to `square` the sum of squared deviations from it.

    Added up is the difference to the first row, then that to the mean as x's dtype has it: both are exact where numbers
    lie close to each other. The second pass finds the rows still in the cache.
    """
    channels = x.shape[1]
    part, near = np.empty(channels, x.dtype), x[first].copy()  # (C,)
    mean[:] = 0
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
        rest = mean[c] - near[c]
        square[c] = -(last - first) * rest * rest
    for band in range(first, last, BAND):
        part[:] = 0
        for r in range(band, min(band + BAND, last)):
            for c in range(channels):
                deviation = x[r, c] - near[c]
                part[c] += deviation * deviation
        for c in range(channels):
            square[c] += part[c]


@helper
def _merge(means, squares, rows, chunk, mean, var):
    """Write the mean and the variance of all rows, from those of the chunks in order.

    Squared deviations from the whole mean are those from the chunk's own mean, and that mean's own, once per row.
    """
    chunks, channels = means.shape
    mean[:] = 0
    for k in range(chunks):
        count = min(chunk, rows - k * chunk)
        for c in range(channels):
            mean[c] += count * means[k, c] / rows
    total = np.zeros(channels, np.float64)
    for k in range(chunks):
        count = min(chunk, rows - k * chunk)
        for c in range(channels):
            between = means[k, c] - mean[c]
            total[c] += squares[k, c] + count * between * between
    for c in range(channels):
        var[c] = total[c] / rows


@kernel
def _normalise(x, gamma, beta, mean, var, eps, relu, chunk, y):
    """Write ``y = (x - rounded) * scale + shift``; `mean` is float64, and to subtract first keeps the digits of x."""
    rows, channels = x.shape
    zero = x.dtype.type(0)
    rounded, scale, shift = np.empty(channels, x.dtype), np.empty(channels, x.dtype), np.empty(channels, x.dtype)
    for c in range(channels):
        factor = gamma[c] / np.sqrt(np.float64(var[c]) + eps)
        rounded[c], scale[c] = mean[c], factor
        shift[c] = beta[c] - (mean[c] - rounded[c]) * factor
    for task in prange((rows + chunk - 1) // chunk):
        first = np.int64(task) * chunk
        for r in range(first, min(rows, first + chunk)):
            for c in range(channels):
                value = (x[r, c] - rounded[c]) * scale[c] + shift[c]
                y[r, c] = zero if relu and value <= zero else value


@kernel
def _forward(x, gamma, beta, eps, relu, chunk, parts, mean, var, y):
    """Each chunk of rows has its own statistics in `parts` (2, chunks, C); then all are merged, and x is normalised."""
    rows = x.shape[0]
    for task in prange(parts.shape[1]):
        first = np.int64(task) * chunk
        _statistics(x, first, min(rows, first + chunk), parts[0, task], parts[1, task])
    _merge(parts[0], parts[1], rows, chunk, mean, var)
    _normalise(x, gamma, beta, mean, var, eps, relu, chunk, y)


@helper
def _gradient_sums(dy, y, relu, x, mean, first, last, sums):
    """Add up some rows of dz, of x - mean, and of their product, per channel: (3, C). dz is dy where ReLU let it by."""
    channels, zero = x.shape[1], x.dtype.type(0)
    part = np.empty((3, channels), x.dtype)
    sums[:] = 0
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
                sums[k, c] += part[k, c]


@helper
def _gradient_factors(parts, rows, gamma, var, eps, dgamma, dbeta, factors):
    """Add up the parts in order, and write what follows from them; the rest of the mean goes into the offset."""
    sums = np.zeros(parts.shape[1:], np.float64)
    for k in range(parts.shape[0]):
        sums += parts[k]
    for c in range(parts.shape[2]):
        inverse, rest = 1 / np.sqrt(np.float64(var[c]) + eps), sums[1, c] / rows
        to_gamma = (sums[2, c] - rest * sums[0, c]) * inverse
        slope = inverse * to_gamma / rows
        dgamma[c], dbeta[c] = to_gamma, sums[0, c]
        factors[0, c], factors[1, c], factors[2, c] = gamma[c] * inverse, sums[0, c] / rows - rest * slope, slope


@kernel
def _backward(dy, y, relu, x, gamma, mean, var, eps, chunk, parts, dgamma, dbeta, dx):
    """Add up each chunk of rows in `parts` (chunks, 3, C), then ``dx = scale * (dz - offset - (x - mean) * slope)``."""
    rows, channels = x.shape
    zero = x.dtype.type(0)
    for task in prange(parts.shape[0]):
        first = np.int64(task) * chunk
        _gradient_sums(dy, y, relu, x, mean, first, min(rows, first + chunk), parts[task])
    factors = np.empty((3, channels), x.dtype)
    _gradient_factors(parts, rows, gamma, var, eps, dgamma, dbeta, factors)
    scale, offset, slope = factors[0], factors[1], factors[2]
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
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def _rows_per_chunk(channels: int) -> int:
    return max(1, CHUNK // max(1, channels))


def _check_input(x: object, what: str, may_be_empty: bool = False) -> NDArray:
    """Return x (..., C) contiguous, after checking that each channel has at least one value."""
    x = check_array(x, what)
    if x.ndim < 2:
        raise ValueError(f"{what} has shape {x.shape}, wanted (..., C): at least two axes")
    if 0 in x.shape[:-1] and not may_be_empty:
        raise ValueError(f"{what} has shape {x.shape}, wanted at least one value per channel: none have no mean")
    return x


def _check_channels(what: str, x: NDArray, **vectors: object) -> list[NDArray]:
    """Return the vectors contiguous, after checking that each has shape (C,) and the dtype of x."""
    checked = {name: check_array(vector, f"{what}: {name}", shape=x.shape[-1:]) for name, vector in vectors.items()}
    check_same_dtype(what, x=x, **checked)
    return list(checked.values())


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
    ValueError
        Also if there is no value to take a mean of.

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
    mean, var, y = np.empty(channels), np.empty(channels, x.dtype), empty_like(x)
    parts = np.empty((2, -(-rows // chunk), channels))
    launch(_forward, matrix, gamma, beta, eps, relu, chunk, parts, mean, var, _rows(y))
    return y, mean.astype(x.dtype), var


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
        Gradient of the loss with respect to the output, and the input of the forward pass.
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
    """
    what = "batch_norm_backward"
    x = _check_input(x, f"{what}: x")
    check_number(f"{what}: eps", eps, 0.0)
    dy = check_array(dy, f"{what}: dy", shape=x.shape)
    relu = y is not None
    y = check_array(y, f"{what}: y", shape=x.shape) if relu else dy
    check_same_dtype(what, x=x, dy=dy, y=y)
    gamma, mean, var = _check_channels(what, x, gamma=gamma, mean=mean, var=var)
    matrix, chunk = _rows(x), _rows_per_chunk(x.shape[-1])
    rows, channels = matrix.shape
    dx, dgamma, dbeta = empty_like(x), np.empty_like(gamma), np.empty_like(gamma)
    statistics = gamma, mean, var, eps, chunk, np.empty((-(-rows // chunk), 3, channels))
    launch(_backward, _rows(dy), _rows(y), relu, matrix, *statistics, dgamma, dbeta, _rows(dx))
    return dx, dgamma, dbeta


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
    x, gamma, beta, eps, relu
        As in `batch_norm`, but an empty batch gives an empty result.
    mean, var : (C,)
        The running statistics that training collected.

    Returns
    -------
    (..., C)
    """
    what = "batch_norm_inference"
    x, relu = _check_input(x, f"{what}: x", may_be_empty=True), check_flag(f"{what}: relu", relu)
    check_number(f"{what}: eps", eps, 0.0)
    gamma, beta, mean, var = _check_channels(what, x, gamma=gamma, beta=beta, mean=mean, var=var)
    y = empty_like(x)
    mean = mean.astype(np.float64)
    launch(_normalise, _rows(x), gamma, beta, mean, var, eps, relu, _rows_per_chunk(x.shape[-1]), _rows(y))
    return y
