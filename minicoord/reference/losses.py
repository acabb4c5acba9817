"""The losses that take every element on its own, each with its gradient."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.reference.activations import sigmoid


def sigmoid_cross_entropy(logits: NDArray, targets: NDArray) -> tuple[float, NDArray]:
    """Return the mean over all elements of ``-t log(p) - (1 - t) log(1 - p)``, with ``p = sigmoid(z)``.

    Taken together that is ``max(z, 0) - z * t + log(1 + exp(-|z|))``; the gradient is ``(p - t) / size``.

    Parameters
    ----------
    logits, targets : same shape
        The targets lie in [0, 1].

    Returns
    -------
    loss : float
    dlogits : same shape
    """
    z, t = logits, targets
    losses = np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))
    return float(losses.mean(dtype=np.float64)), (sigmoid(z) - t) / z.size


def mean_squared_error(pred: NDArray, target: NDArray) -> tuple[float, NDArray]:
    """Return the mean over all elements of ``(pred - target)^2``, and its gradient ``2 * (pred - target) / size``."""
    difference = pred - target
    return float((difference**2).mean(dtype=np.float64)), 2 * difference / pred.size
