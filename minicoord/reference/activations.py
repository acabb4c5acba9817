"""Activations: one number in, one number out, for arrays of any shape."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def relu(x: NDArray) -> NDArray:
    """Return x where it is positive, else 0; NaN stays NaN."""
    return np.maximum(x, 0)


def relu_backward(dy: NDArray, y: NDArray) -> NDArray:
    """Return dy where the output y is positive or NaN, else 0: the slope at 0 is taken to be 0."""
    return np.where(y <= 0, 0, dy).astype(dy.dtype)


def leaky_relu(x: NDArray, slope: float = 0.2) -> NDArray:
    """Return x where it is positive, else ``slope * x``."""
    return np.where(x > 0, x, slope * x)


def leaky_relu_backward(dy: NDArray, x: NDArray, slope: float = 0.2) -> NDArray:
    """Return dy where the input x is positive, else ``slope * dy``: the slope at 0 is taken to be `slope`."""
    return np.where(x > 0, dy, slope * dy)


def sigmoid(x: NDArray) -> NDArray:
    """Return ``1 / (1 + exp(-x))``, written as ``e / (1 + e)`` with e = exp(x) for negative x: nothing overflows."""
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def sigmoid_backward(dy: NDArray, y: NDArray) -> NDArray:
    """Return ``dy * y * (1 - y)`` from the output y."""
    return dy * y * (1 - y)


def tanh(x: NDArray) -> NDArray:
    """Return the hyperbolic tangent of x."""
    return np.tanh(x)


def tanh_backward(dy: NDArray, y: NDArray) -> NDArray:
    """Return ``dy * (1 - y^2)`` from the output y."""
    return dy * (1 - y**2)
