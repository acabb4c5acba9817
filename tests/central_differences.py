"""Gradients by central differences, entry by entry, for the tests to compare with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


def numeric_gradient(f: Callable[[NDArray], float], x: NDArray, step: float = 1e-5) -> NDArray:
    """Return the gradient of the number f(x) by every entry of x (float64): ``(f(x + h) - f(x - h)) / 2h``."""
    assert x.dtype == np.float64
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[index] += step
        below[index] -= step
        gradient[index] = (f(above) - f(below)) / (above[index] - below[index])
    return gradient


def relative_error(a: NDArray, b: NDArray) -> float:
    """Return the largest difference over the largest magnitude; 0 if both arrays are zero."""
    assert a.shape == b.shape
    scale = max(np.abs(a).max(), np.abs(b).max())
    return 0.0 if scale == 0 else float(np.abs(a - b).max() / scale)
