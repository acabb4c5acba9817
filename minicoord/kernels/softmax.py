"""The softmax over all classes, or all pixels, of an image: alone, backward, and in the cross-entropy.

The cross-entropy is computed from the logits in one go. Through the probabilities it would not survive: exp(1e4)
overflows, and the logarithm of a probability that was rounded to 0 is infinite. Sums are kept in float64.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minicoord.kernels.backend.checks import check_array, check_same_dtype, check_shape
from minicoord.kernels.backend.denormals import denormals_as, flush_denormals
from minicoord.kernels.backend.memory import empty_like
from minicoord.kernels.backend.runtime import helper, kernel, launch, prange
from minicoord.system.arrays import as_array

LANES = 64  # maxima and sums that run side by side, since one alone would wait for its own last addition
LN2_HIGH, LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)  # ln 2 in two parts: the first has few digits
LOWEST = np.float32(-87)  # exp of less is nearly the smallest number of float32


@helper
def _exp32(v):
    """Return exp(v) for a float32 v <= 0, to about one unit in the last place; unlike math.exp it can be vectorised.

    With n the whole number next to v / ln 2, ``exp(v) = 2**n * exp(r)`` and ``|r| <= ln 2 / 2``. There the power series
    up to r**7 / 7! is exact to rounding, and 2**n is made by writing n where a float32 has its exponent.
    """
    inside = max(v, LOWEST)
    n = np.rint(inside * np.float32(1.44269504))
    r = (inside - n * LN2_HIGH) - n * LN2_LOW
    series = np.float32(1 / 5040)
    series = series * r + np.float32(1 / 720)
    series = series * r + np.float32(1 / 120)
    series = series * r + np.float32(1 / 24)
    series = series * r + np.float32(1 / 6)
    series = series * r + np.float32(1 / 2)
    series = series * r + np.float32(1)
    series = series * r + np.float32(1)
    power = np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)
    return v if v != v else np.float32(0) if v < LOWEST else series * power


@helper
def _exponentials(z, e):
    """Write ``e = exp(z - max(z))`` and return the maximum and the sum of e, which is at least 1."""
    lanes = min(LANES, z.size)
    maxima, sums = z[:lanes].copy(), np.zeros(lanes, np.float64)
    for start in range(lanes, z.size, lanes):
        at = np.uintp(start)
        for k in range(np.uintp(min(lanes, z.size - start))):
            maxima[k] = max(maxima[k], z[at + k])
    largest = maxima.max()
    if z.itemsize == 4:
        for k in range(np.uintp(z.size)):
            e[k] = _exp32(np.float32(z[k] - largest))
    else:
        for k in range(z.size):
            e[k] = math.exp(z[k] - largest)
    for start in range(0, z.size, lanes):
        at = np.uintp(start)
        for k in range(np.uintp(min(lanes, z.size - start))):
            sums[k] += e[at + k]
    return largest, sums.sum()


@kernel
def _softmax(z, p):
    for task in prange(z.shape[0]):
        fp_mode = flush_denormals()
        _, total = _exponentials(z[task], p[task])
        for k in range(p.shape[1]):
            p[task, k] /= total
        denormals_as(fp_mode)


@kernel
def _softmax_backward(dp, p, dz):
    """One task per image: ``dz = p * (dp - sum(dp * p))``."""
    for task in prange(p.shape[0]):
        fp_mode = flush_denormals()
        total = 0.0
        for k in range(p.shape[1]):
            total += np.float64(dp[task, k]) * p[task, k]
        for k in range(p.shape[1]):
            dz[task, k] = p[task, k] * (dp[task, k] - total)
        denormals_as(fp_mode)


@kernel
def _softmax_cross_entropy(z, labels, losses, dz):
    """One task per image: the loss, and the gradient ``(softmax(z) - onehot) / N``."""
    for task in prange(z.shape[0]):
        fp_mode = flush_denormals()
        label = labels[task]
        largest, total = _exponentials(z[task], dz[task])
        losses[task] = math.log(total) - (np.float64(z[task, label]) - largest)
        rest = (np.float64(dz[task, label]) - total) / (total * z.shape[0])
        for k in range(dz.shape[1]):
            dz[task, k] /= total * z.shape[0]
        dz[task, label] = rest
        denormals_as(fp_mode)


def _check_classes(x: object, what: str) -> NDArray:
    """Return an array (N, ...) contiguous, after checking that there is at least one class."""
    x = check_array(x, what)
    if x.ndim < 2 or 0 in x.shape[1:]:
        raise ValueError(f"{what} has shape {x.shape}, wanted (N, ...) with at least one class")
    return x


def _check_labels(labels: ArrayLike, images: int, classes: int) -> NDArray:
    """Return the labels as contiguous int64, after checking dtype, shape and range."""
    what = "softmax_cross_entropy: labels"
    array = labels if type(labels) is np.ndarray else as_array(what, labels, "iu", "whole numbers")
    if array.dtype.kind not in "iu":
        raise TypeError(f"{what} has dtype {array.dtype}, wanted whole numbers")
    check_shape(array, (images,), what)
    wrong = np.flatnonzero((array < 0) | (array >= classes))
    if wrong.size:
        raise ValueError(f"{what}[{wrong[0]}] is {array[wrong[0]]}, wanted a class from 0 to {classes - 1}")
    return np.ascontiguousarray(array, np.int64)


def softmax(logits: NDArray) -> NDArray:
    """Return the softmax of each image's logits: ``exp(z) / sum(exp(z))`` over all axes but the first.

    Parameters
    ----------
    logits : (N, ...) of float32 or float64

    Returns
    -------
    (N, ...)
        Each ``result[n]`` sums to 1.

    Raises
    ------
    TypeError
        If the logits are not float32 or float64.
    ValueError
        If they have fewer than two axes or no class.

    Examples
    --------
    >>> import numpy as np
    >>> softmax(np.array([[0.0, 0.0], [1e4, -1e4]])).tolist()
    [[0.5, 0.5], [1.0, 0.0]]
    """
    logits = _check_classes(logits, "softmax: logits")
    p = empty_like(logits)
    classes = int(np.prod(logits.shape[1:]))
    launch(_softmax, logits.reshape(-1, classes), p.reshape(-1, classes))  # (N, ...) -> (N, classes)
    return p


def softmax_backward(dp: NDArray, p: NDArray) -> NDArray:
    """Return the gradient of `softmax` with respect to the logits: ``p * (dp - sum(dp * p))``.

    Parameters
    ----------
    dp : (N, ...) of float32 or float64
        Gradient of the loss with respect to the probabilities.
    p : same shape and dtype
        The probabilities that `softmax` returned.

    Returns
    -------
    (N, ...)
        Each ``result[n]`` sums to 0: to add a number to all logits changes nothing.

    Examples
    --------
    >>> import numpy as np
    >>> softmax_backward(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]]))
    array([[ 0.25, -0.25]])
    """
    p = _check_classes(p, "softmax_backward: p")
    dp = check_array(dp, "softmax_backward: dp", shape=p.shape)
    check_same_dtype("softmax_backward", dp=dp, p=p)
    dz = empty_like(p)
    classes = int(np.prod(p.shape[1:]))
    # (N, ...) -> (N, classes)
    launch(_softmax_backward, dp.reshape(-1, classes), p.reshape(-1, classes), dz.reshape(-1, classes))
    return dz


def softmax_cross_entropy(logits: NDArray, labels: ArrayLike) -> tuple[float, NDArray]:
    """Return how surprised the softmax of the logits is by the true class, on average, and the gradient.

    Parameters
    ----------
    logits : (N, ...) of float32 or float64
        All axes but the first are the classes in C order: of maps (N, H, W, 1), pixel (row, column) is class
        ``row * W + column``. The paper's coordinate classification has 64 x 64 of them.
    labels : (N,) of an integer dtype
        The true classes.

    Returns
    -------
    loss : float
        The mean over the images of ``-log(softmax(logits)[label])``, in nats.
    dlogits : (N, ...)
        Its gradient, ``(softmax(logits) - onehot) / N``.

    Raises
    ------
    TypeError
        If the logits are not float32 or float64, or the labels not whole numbers.
    ValueError
        If a shape is wrong, a label is no class, or the batch is empty.

    Examples
    --------
    >>> import numpy as np
    >>> loss, dlogits = softmax_cross_entropy(np.zeros((1, 64, 64, 1)), np.array([0]))
    >>> round(loss, 3)  # chance among 4096 pixels: ln 4096
    8.318
    """
    logits = _check_classes(logits, "softmax_cross_entropy: logits")
    images, classes = len(logits), int(np.prod(logits.shape[1:]))
    if images == 0:
        raise ValueError(f"softmax_cross_entropy: logits has shape {logits.shape}, wanted at least one image")
    labels = _check_labels(labels, images, classes)
    losses, dlogits = np.empty(images), empty_like(logits)
    # (N, ...) -> (N, classes)
    launch(_softmax_cross_entropy, logits.reshape(images, classes), labels, losses, dlogits.reshape(images, classes))
    return float(losses.sum() / images), dlogits
