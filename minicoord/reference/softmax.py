"""The softmax over all classes, or all pixels, of an image, and the cross-entropy of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def softmax(logits: NDArray) -> NDArray:
    """Return ``exp(z) / sum(exp(z))`` over all axes of the logits (N, ...) but the first.

    Subtracting the largest logit first changes nothing but keeps exp from overflowing.
    """
    p = np.zeros_like(logits)
    for n in range(len(logits)):
        e = np.exp(logits[n] - logits[n].max())
        p[n] = e / e.sum()
    return p


def softmax_backward(dp: NDArray, p: NDArray) -> NDArray:
    """Return ``dz = p * (dp - sum(dp * p))`` for each image, from the probabilities p.

    Logit k raises its own probability and lowers all others: ``dp[m] / dz[k] = p[m] * ((m == k) - p[k])``.
    """
    dz = np.zeros_like(p)
    for n in range(len(p)):
        dz[n] = p[n] * (dp[n] - (dp[n] * p[n]).sum())
    return dz


def softmax_cross_entropy(logits: NDArray, labels: NDArray) -> tuple[float, NDArray]:
    """Return the mean over n of ``-log(p[n, label[n]])``, with p the softmax of the logits.

    ``-log(p[label]) = log(sum(exp(z - max))) - (z[label] - max)``, and the gradient is ``(p - onehot) / N``.

    Parameters
    ----------
    logits : (N, ...)
        All axes but the first are the classes, counted in C order: pixel (row, column) is class row * W + column.
    labels : (N,) of integers

    Returns
    -------
    loss : float
    dlogits : (N, ...)
    """
    images = len(logits)
    loss = 0.0
    dlogits = softmax(logits)
    for n in range(images):
        z = logits[n].reshape(-1) - logits[n].max()  # (classes,)
        loss += np.log(np.exp(z).sum()) - z[labels[n]]
        dlogits[n].reshape(-1)[labels[n]] -= 1
    return float(loss / images), dlogits / images
