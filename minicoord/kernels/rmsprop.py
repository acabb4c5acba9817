"""One step of RMSprop, in place: each parameter is read once and written once, without temporary arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.denormals import denormals_as, flush_denormals
from minicoord.kernels.backend.runtime import helper, kernel, launch, prange
from minicoord.kernels.updates import BLOCK, check_finite, check_update
from minicoord.system.arguments import check_flag


@helper
def _rmsprop_block(w, g, v, lr, keep, add, inside, outside, decay):
    for k in range(w.shape[0]):
        slope = g[k] + decay * w[k]
        v[k] = keep * v[k] + add * (slope * slope)
        w[k] -= lr * slope / (np.sqrt(v[k] + inside) + outside)


@kernel
def _rmsprop(w, g, v, lr, keep, add, inside, outside, decay):
    for task in prange((w.shape[0] + BLOCK - 1) // BLOCK):
        fp_mode = flush_denormals()
        first = np.int64(task) * BLOCK
        last = min(first + BLOCK, w.shape[0])
        _rmsprop_block(w[first:last], g[first:last], v[first:last], lr, keep, add, inside, outside, decay)
        denormals_as(fp_mode)


def rmsprop_update(
    w: NDArray, g: NDArray, v: NDArray, lr: float, alpha: float, eps: float, eps_inside: bool, l2: float = 0.0
) -> None:
    """Take one step of RMSprop, in place.

    ``v = alpha * v + (1 - alpha) * g^2`` is a running mean; the step is ``w -= lr * g / sqrt(v + eps)``, or with `eps`
    outside of the root ``w -= lr * g / (sqrt(v) + eps)``.

    Parameters
    ----------
    w, g, v : any shape, the same for all, of float32 or float64
        The parameters, their gradient, and the running mean of its square. `w` and `v` change.
    lr : float
        Learning rate.
    alpha : float
        How much of the running mean is kept, in [0, 1).
    eps : float
        Keeps the step finite where v is zero; 0 or more.
    eps_inside : bool
        Whether `eps` is added to v rather than to its root.
    l2 : float
        Strength of a penalty ``l2 * sum(w^2)``, whose gradient ``2 * l2 * w`` is added to `g`.

    Raises
    ------
    ValueError
        As `sgd_update`, and if a factor is outside of its bounds.

    Examples
    --------
    >>> w, v = np.array([1.0]), np.array([1.0])
    >>> rmsprop_update(w, np.array([2.0]), v, lr=0.5, alpha=0.75, eps=2.25, eps_inside=True)
    >>> w.item(), v.item()
    (0.5, 1.75)
    """
    check_finite("rmsprop_update", lr=lr, alpha=alpha, eps=eps, l2=l2)
    lr, alpha, eps = float(lr), float(alpha), float(eps)
    if not (0 <= alpha < 1 and eps >= 0):
        raise ValueError(
            f"rmsprop_update: alpha was {alpha} and eps {eps}, wanted alpha in [0, 1) and eps of at least 0"
        )
    eps_inside = check_flag("rmsprop_update: eps_inside", eps_inside)
    flat_w, flat_v, flat_g = check_update("rmsprop_update", g, w=w, v=v)
    inside, outside = (eps, 0.0) if eps_inside else (0.0, eps)
    factors = (w.dtype.type(f) for f in (lr, alpha, 1 - alpha, inside, outside, 2 * float(l2)))
    launch(_rmsprop_block if w.size <= BLOCK else _rmsprop, flat_w, flat_g, flat_v, *factors)
