"""One step of RMSprop. The function changes its arrays in place and returns nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rmsprop_update(
    w: NDArray, g: NDArray, v: NDArray, lr: float, alpha: float, eps: float, eps_inside: bool, l2: float = 0.0
) -> None:
    """Take one step of RMSprop::

        g = g + 2 * l2 * w
        v = alpha * v + (1 - alpha) * g^2
        w -= lr * g / sqrt(v + eps)          # or, with eps outside of the root, lr * g / (sqrt(v) + eps)

    All of `w`, `g` and `v` have one shape; `w` and `v` change in place.
    """
    g = g + 2 * l2 * w
    v[...] = alpha * v + (1 - alpha) * g**2
    w -= lr * g / (np.sqrt(v + eps) if eps_inside else np.sqrt(v) + eps)
