"""What actions were worth: n-step returns, and the advantage over what was expected."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def n_step_returns(rewards: NDArray, ended: NDArray, cut: NDArray, after: NDArray, gamma: float) -> NDArray:
    """Return the return of every action: its reward, and what followed, discounted::

        R[t] = r[t]                              where the episode ended
        R[t] = r[t] + gamma * after[t]           where a time limit cut it off, and at the last t
        R[t] = r[t] + gamma * R[t + 1]           elsewhere

    `after` is the value of the picture that the action led to, as the critic estimates it: the *bootstrap*. A cut
    episode would have gone on, so that its future is worth that value and not 0; and the next row, t + 1, belongs to a
    new episode.

    Parameters
    ----------
    rewards : ndarray of float32 or float64, (T, N)
        Of T actions in each of N episodes side by side.
    ended, cut : ndarray of bool, (T, N)
        Where the episode ended with this action, and where the time limit cut it off.
    after : ndarray of the dtype of `rewards`, (T, N)
        Values; only those of the last row and of cut episodes count.
    gamma : float
        What a reward is worth one step later, from 0 to 1.

    Returns
    -------
    ndarray of the dtype of `rewards`, or float64 if those are whole numbers, (T, N)

    Examples
    --------
    >>> never, r, v = np.zeros((3, 1), bool), np.ones((3, 1)), np.full((3, 1), 8.0)
    >>> n_step_returns(r, never, never, v, 0.5).ravel()
    array([2.75, 3.5 , 5.  ])
    """
    returns = np.empty(rewards.shape, np.result_type(rewards, after, float(gamma)))
    following = after[-1] if len(after) else after  # (N,)
    for t in reversed(range(len(rewards))):
        following = np.where(cut[t], after[t], np.where(ended[t], 0, following))
        returns[t] = following = rewards[t] + gamma * following
    return returns


def advantages(returns: NDArray, values: NDArray) -> NDArray:
    """Return by how much actions turned out better than the critic expected: ``R - V``, shape and dtype of both."""
    return returns - values
