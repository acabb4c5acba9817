"""The losses that treat every element on its own, each with its gradient: sigmoid cross-entropy, mean squared error.

The cross-entropy is computed from the logits in one go, as in ``softmax.py``. Sums are kept in float64.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.checks import check_array, check_same_dtype
from minicoord.kernels.backend.memory import empty_like
from minicoord.kernels.backend.runtime import kernel, launch, prange

BLOCK = 4096  # elements per task


@kernel
def _sigmoid_cross_entropy(z, t, sums, dz):
    """One task per block: the sum of its losses ``max(z, 0) - z * t + log(1 + exp(-|z|))``, and ``sigmoid(z) - t``."""
    for task in prange(sums.shape[0]):
        first = np.int64(task) * BLOCK
        total = 0.0
        for k in range(first, min(first + BLOCK, z.shape[0])):
            e = math.exp(-abs(z[k]))
            positive = z[k] if z[k] > 0 else 0.0
            # In float64 the product is exact, and what is left of z - z * t for a target near 1 as well.
            total += positive - np.float64(z[k]) * t[k] + math.log1p(e)
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


def _check_pair(what: str, **arrays: object) -> tuple[NDArray, NDArray]:
    """Return prediction and target contiguous, after checking that they are alike and not empty."""
    (name_a, a), (name_b, b) = arrays.items()
    a = check_array(a, f"{what}: {name_a}")
    b = check_array(b, f"{what}: {name_b}", shape=a.shape)
    check_same_dtype(what, **{name_a: a, name_b: b})
    if a.size == 0:
        raise ValueError(f"{what}: {name_a} has shape {a.shape}, wanted at least one element: none have no mean")
    return a, b


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
        If the shapes differ, a target lies outside [0, 1] or is NaN, or there is no element.

    Examples
    --------
    >>> import numpy as np
    >>> loss, dlogits = sigmoid_cross_entropy(np.array([0.0, 1e4]), np.array([1.0, 1.0]))
    >>> round(2 * loss, 4), dlogits.tolist()  # ln 2 from the first, nothing from the second
    (0.6931, [-0.25, 0.0])
    """
    logits, targets = _check_pair("sigmoid_cross_entropy", logits=logits, targets=targets)
    if not (targets.min() >= 0 and targets.max() <= 1):  # neither holds for NaN
        raise ValueError(
            f"sigmoid_cross_entropy: targets go from {targets.min()} to {targets.max()}, wanted values in [0, 1]"
        )
    sums, dlogits = np.empty(-(-logits.size // BLOCK)), empty_like(logits)
    # flat: (size,); sums has one number for each block
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
        If the shapes differ, there is no element, or a target is not finite. Predictions may be anything: the loss is
        NaN or infinite then.

    Examples
    --------
    >>> import numpy as np
    >>> loss, dpred = mean_squared_error(np.array([1.0, 5.0]), np.array([1.0, 2.0]))
    >>> loss, dpred.tolist()
    (4.5, [0.0, 3.0])
    """
    pred, target = _check_pair("mean_squared_error", pred=pred, target=target)
    sums, dpred = np.empty(-(-pred.size // BLOCK)), empty_like(pred)
    # flat: (size,); sums has one number for each block
    launch(_mean_squared_error, pred.reshape(-1), target.reshape(-1), sums, dpred.reshape(-1))
    loss = float(sums.sum() / pred.size)
    if not math.isfinite(loss) and not np.isfinite(target).all():
        count = target.size - np.count_nonzero(np.isfinite(target))
        raise ValueError(f"mean_squared_error: of {target.size} targets {count} are not finite, wanted all finite")
    return loss, dpred
