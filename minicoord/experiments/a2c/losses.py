"""The three losses of A2C, each with its gradient, as means over B actions::

    policy    L = -mean(A * log p(a))          dL/dz = A * (p - onehot(a)) / B
    entropy   H = -mean(sum(p * log p))        dH/dz = -p * (log p + H_b) / B
    value     L = mean((V - R)^2)              dL/dV = 2 * (V - R) / B

z are the actor's logits, p = softmax(z), and H_b is the entropy of one row. The advantage A is a number here: the
gradient of the policy does not go through the critic. What is minimised is policy - .01 * entropy + .5 * value, so that
the actor is drawn to better actions, and yet kept from being sure too early.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


def log_softmax(logits: NDArray) -> NDArray:
    """Return ``log(softmax(z))`` of each row, (B, A), without a logarithm of 0.

    Examples
    --------
    >>> log_softmax(np.array([[0.0, 1000.0]]))
    array([[-1000.,     0.]])
    """
    shifted = logits - logits.max(axis=1, keepdims=True)  # (B, A), at most 0
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def policy_loss(logits: NDArray, actions: NDArray[np.int64], advantages: NDArray) -> tuple[float, NDArray]:
    """Return ``-mean(A * log p(a))`` and its gradient with respect to the logits.

    Parameters
    ----------
    logits : ndarray of float32 or float64, (B, A)
    actions : ndarray of int64, (B,)
        The actions that were taken.
    advantages : ndarray of the dtype of `logits`, (B,)
        What they were worth more than expected; constants of this loss.

    Returns
    -------
    loss : float
    dlogits : ndarray of the dtype of `logits`, (B, A)

    Raises
    ------
    ValueError
        If there is no such action, or not one action and one advantage for each row.

    Examples
    --------
    >>> loss, dlogits = policy_loss(np.zeros((1, 2)), np.array([1]), np.array([3.0]))
    >>> round(loss, 4), dlogits
    (2.0794, array([[ 1.5, -1.5]]))
    """
    _check_rows("policy_loss", len(logits), actions=actions, advantages=advantages)
    if actions.size and not (actions.min() >= 0 and actions.max() < logits.shape[1]):
        found, last = f"{actions.min()} to {actions.max()}", logits.shape[1] - 1
        raise ValueError(f"policy_loss: actions go from {found}, wanted 0 to {last}")
    rows, log_p = np.arange(len(logits)), log_softmax(logits)
    dlogits = np.exp(log_p)  # p
    dlogits[rows, actions] -= 1
    dlogits *= (advantages / len(logits))[:, np.newaxis]
    return -float(np.mean(advantages * log_p[rows, actions], dtype=np.float64)), dlogits


def policy_entropy(logits: NDArray) -> tuple[float, NDArray]:
    """Return the entropy of the policy in nats, the mean over B rows, and its gradient with respect to the logits.

    Parameters
    ----------
    logits : ndarray of float32 or float64, (B, A)

    Returns
    -------
    entropy : float
        From 0 (sure) to log(A) (all actions equally likely).
    dlogits : ndarray of the dtype of `logits`, (B, A)

    Examples
    --------
    >>> mean, dlogits = policy_entropy(np.zeros((2, 4)))
    >>> round(mean, 4), np.abs(dlogits).max().item()  # log(4), and a maximum
    (1.3863, 0.0)
    """
    log_p = log_softmax(logits)
    p = np.exp(log_p)
    of_rows = -(p * log_p).sum(axis=1, keepdims=True)  # (B, 1)
    return float(of_rows.mean(dtype=np.float64)), -p * (log_p + of_rows) / len(logits)


def value_loss(values: NDArray, returns: NDArray) -> tuple[float, NDArray]:
    """Return ``mean((V - R)^2)`` and its gradient with respect to the values.

    Parameters
    ----------
    values, returns : ndarray of float32 or float64, (B,)
        The critic's estimates, and the returns, which are constants of this loss.

    Returns
    -------
    loss : float
    dvalues : ndarray, (B,)

    Raises
    ------
    ValueError
        If they are not one axis of the same length.

    Examples
    --------
    >>> value_loss(np.array([1.0, 2.0]), np.array([0.0, 2.0]))
    (0.5, array([1., 0.]))
    """
    _check_rows("value_loss", len(values), values=values, returns=returns)
    difference = values - returns
    return float(np.mean(np.square(difference), dtype=np.float64)), 2 * difference / len(values)


def _check_rows(what: str, count: int, **arrays: NDArray) -> None:
    """Raise ValueError unless each array is (B,): (B, 1) would be broadcast to B x B numbers without a word."""
    for name, array in arrays.items():
        if array.shape != (count,):
            raise ValueError(f"{what}: {name} has shape {array.shape}, wanted ({count},)")


class Losses(NamedTuple):
    """The three losses of a batch of B actions, and the gradients of their weighted sum.

    Attributes
    ----------
    policy, entropy, value : float
        Each by itself, without its weight.
    dlogits : ndarray (B, A)
    dvalues : ndarray (B,)
    """

    policy: float
    entropy: float
    value: float
    dlogits: NDArray
    dvalues: NDArray


def a2c_loss(
    logits: NDArray,
    values: NDArray,
    actions: NDArray[np.int64],
    returns: NDArray,
    advantages: NDArray,
    entropy_weight: float,
    value_weight: float,
) -> Losses:
    """Return the losses of A2C, and the gradients of ``policy - entropy_weight * entropy + value_weight * value``.

    The arrays are those of `policy_loss`, `policy_entropy` and `value_loss`.
    """
    policy, dpolicy = policy_loss(logits, actions, advantages)
    mean_entropy, dentropy = policy_entropy(logits)
    value, dvalues = value_loss(values, returns)
    dlogits = dpolicy - logits.dtype.type(entropy_weight) * dentropy
    return Losses(policy, mean_entropy, value, dlogits, values.dtype.type(value_weight) * dvalues)
