"""One step of an optimiser. These functions change their arrays in place and return nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sgd_update(w: NDArray, g: NDArray, velocity: NDArray, lr: float, momentum: float, l2: float = 0.0) -> None:
    """Take one step of gradient descent with momentum: ``velocity = momentum * velocity + g; w -= lr * velocity``.

    Before that, the gradient ``2 * l2 * w`` of the penalty ``l2 * sum(w^2)`` is added to g.
    """
    velocity[...] = momentum * velocity + (g + 2 * l2 * w)
    w -= lr * velocity


def adam_update(
    w: NDArray,
    g: NDArray,
    m: NDArray,
    v: NDArray,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    t: int,
    l2: float = 0.0,
) -> None:
    """Take step `t` (the first is 1) of Adam (Kingma and Ba, 2015), in the order of section 2 of their paper::

        g = g + 2 * l2 * w
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g^2
        w -= lr * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + eps)

    All of `w`, `g`, `m` and `v` have one shape; `w`, `m` and `v` change in place.
    """
    g = g + 2 * l2 * w
    m[...] = beta1 * m + (1 - beta1) * g
    v[...] = beta2 * v + (1 - beta2) * g**2
    w -= lr * (1 - beta2**t) ** 0.5 / (1 - beta1**t) * m / (np.sqrt(v) + eps)
