"""Losses, each with its gradient: softmax cross-entropy, sigmoid cross-entropy per element, mean squared error.

Both cross-entropies are computed from the logits in one go. Through the probabilities they would not survive: exp(1e4)
overflows, and the logarithm of a probability that was rounded to 0 is infinite. Sums are kept in float64.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minicoord.kernels.checks import check_array, check_same_dtype, check_shape
from minicoord.kernels.memory import empty_like
from minicoord.kernels.runtime import helper, kernel, launch, prange

BLOCK = 4096  # elements per task of the element-wise losses


@helper
def _exponentials(z, e):
    """Write ``e = exp(z - max(z))`` and return the maximum and the sum of e, which is at least 1."""
    largest = z[0]
    for k in range(z.shape[0]):
        if z[k] > largest:
            largest = z[k]
    total = 0.0
    for k in range(z.shape[0]):
        e[k] = math.exp(z[k] - largest)
        total += e[k]
    return largest, total


@kernel
def _softmax(z, p):
    for task in prange(z.shape[0]):
        _, total = _exponentials(z[task], p[task])
        for k in range(p.shape[1]):
            p[task, k] /= total


@kernel
def _softmax_cross_entropy(z, labels, losses, dz):
    """One task per image: the loss, and the gradient ``(softmax(z) - onehot) / N``."""
    for task in prange(z.shape[0]):
        label = labels[task]
        largest, total = _exponentials(z[task], dz[task])
        losses[task] = math.log(total) - (np.float64(z[task, label]) - largest)
        rest = (np.float64(dz[task, label]) - total) / (total * z.shape[0])
        for k in range(dz.shape[1]):
            dz[task, k] /= total * z.shape[0]
        dz[task, label] = rest


@kernel
def _sigmoid_cross_entropy(z, t, sums, dz):
    """One task per block: the sum of its losses ``max(z, 0) - z * t + log(1 + exp(-|z|))``, and ``sigmoid(z) - t``."""
    for task in prange(sums.shape[0]):
        first = np.int64(task) * BLOCK
        total = 0.0
        for k in range(first, min(first + BLOCK, z.shape[0])):
            e = math.exp(-abs(z[k]))
            positive = z[k] if z[k] > 0 else 0.0
            total += positive - z[k] * t[k] + math.log1p(e)
            p = (1.0 if z[k] > 0 else e) / (1.0 + e)
            dz[k] = (p - t[k]) / z.shape[0]
        sums[task] = total


@kernel
def _mean_squared_error(pred, target, sums, dpred):
    """One task per block: the sum of its squared differences, and ``2 * (pred - target) / size``."""
    for task in prange(sums.shape[0]):
        first = np.int64(task) * BLOCK
        total = 0.0
        for k in range(first, min(first + BLOCK, pred.shape[0])):
            difference = np.float64(pred[k]) - target[k]
            total += difference * difference
            dpred[k] = 2.0 * difference / pred.shape[0]
        sums[task] = total


def _check_logits(logits: object, what: str) -> NDArray:
    """Return logits (N, ...) contiguous, after checking that there is at least one class."""
    logits = check_array(logits, f"{what}: logits")
    if logits.ndim < 2 or 0 in logits.shape[1:]:
        raise ValueError(f"{what}: logits has shape {logits.shape}, wanted (N, ...) with at least one class")
    return logits


def _check_labels(labels: ArrayLike, images: int, classes: int) -> NDArray:
    """Return the labels as contiguous int64, after checking dtype, shape and range."""
    array = np.asarray(labels)
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"softmax_cross_entropy: labels has dtype {array.dtype}, wanted whole numbers")
    check_shape(array, (images,), "softmax_cross_entropy: labels")
    wrong = np.flatnonzero((array < 0) | (array >= classes))
    if wrong.size:
        raise ValueError(
            f"softmax_cross_entropy: labels[{wrong[0]}] is {array[wrong[0]]}, wanted a class from 0 to {classes - 1}"
        )
    return np.ascontiguousarray(array, np.int64)


def _check_pair(what: str, **arrays: object) -> tuple[NDArray, NDArray]:
    """Return prediction and target contiguous, after checking that they are alike and not empty."""
    (name_a, a), (name_b, b) = arrays.items()
    a, b = check_array(a, f"{what}: {name_a}"), check_array(b, f"{what}: {name_b}")
    check_same_dtype(what, **{name_a: a, name_b: b})
    check_shape(b, a.shape, f"{what}: {name_b}")
    if a.size == 0:
        raise ValueError(f"{what}: {name_a} has shape {a.shape}, wanted at least one element: none have no mean")
    return a, b


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
    logits = _check_logits(logits, "softmax")
    p = empty_like(logits)
    classes = int(np.prod(logits.shape[1:]))
    launch(_softmax, logits.reshape(-1, classes), p.reshape(-1, classes))
    return p


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
    logits = _check_logits(logits, "softmax_cross_entropy")
    images, classes = len(logits), int(np.prod(logits.shape[1:]))
    if images == 0:
        raise ValueError(f"softmax_cross_entropy: logits has shape {logits.shape}, wanted at least one image")
    labels = _check_labels(labels, images, classes)
    losses, dlogits = np.empty(images), empty_like(logits)
    launch(_softmax_cross_entropy, logits.reshape(images, classes), labels, losses, dlogits.reshape(images, classes))
    return float(losses.sum() / images), dlogits


def sigmoid_cross_entropy(logits: NDArray, targets: NDArray) -> tuple[float, NDArray]:
    """Return the cross-entropy of each element on its own, on average over all of them, and the gradient.

    Parameters
    ----------
    logits : any shape, of float32 or float64
        Such as (N, H, W, 1): the paper's rendering asks of every pixel whether it is lit.
    targets : same shape and dtype
        Probabilities, in [0, 1].

    Returns
    -------
    loss : float
        The mean over all elements of ``-t log(p) - (1 - t) log(1 - p)`` with ``p = sigmoid(logits)``, in nats.
    dlogits : same shape
        Its gradient, ``(p - t) / size``.

    Raises
    ------
    TypeError
        If an array is not float32 or float64, or the dtypes differ.
    ValueError
        If the shapes differ, a target lies outside [0, 1], or there is no element.

    Examples
    --------
    >>> import numpy as np
    >>> loss, dlogits = sigmoid_cross_entropy(np.array([0.0, 1e4]), np.array([1.0, 1.0]))
    >>> round(2 * loss, 4), dlogits.tolist()  # ln 2 from the first, nothing from the second
    (0.6931, [-0.25, 0.0])
    """
    logits, targets = _check_pair("sigmoid_cross_entropy", logits=logits, targets=targets)
    if targets.min() < 0 or targets.max() > 1:
        raise ValueError(
            f"sigmoid_cross_entropy: targets go from {targets.min()} to {targets.max()}, wanted values in [0, 1]"
        )
    sums, dlogits = np.empty(-(-logits.size // BLOCK)), empty_like(logits)
    launch(_sigmoid_cross_entropy, logits.reshape(-1), targets.reshape(-1), sums, dlogits.reshape(-1))
    return float(sums.sum() / logits.size), dlogits


def mean_squared_error(pred: NDArray, target: NDArray) -> tuple[float, NDArray]:
    """Return the mean over all elements of ``(pred - target)^2``, and its gradient.

    Parameters
    ----------
    pred, target : any shape, the same for both, of float32 or float64

    Returns
    -------
    loss : float
        In the square of their unit.
    dpred : same shape
        ``2 * (pred - target) / size``.

    Raises
    ------
    TypeError
        If an array is not float32 or float64, or the dtypes differ.
    ValueError
        If the shapes differ or there is no element.

    Examples
    --------
    >>> import numpy as np
    >>> loss, dpred = mean_squared_error(np.array([1.0, 5.0]), np.array([1.0, 2.0]))
    >>> loss, dpred.tolist()
    (4.5, [0.0, 3.0])
    """
    pred, target = _check_pair("mean_squared_error", pred=pred, target=target)
    sums, dpred = np.empty(-(-pred.size // BLOCK)), empty_like(pred)
    launch(_mean_squared_error, pred.reshape(-1), target.reshape(-1), sums, dpred.reshape(-1))
    return float(sums.sum() / pred.size), dpred
