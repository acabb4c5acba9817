"""Activations: one number in, one number out, for arrays of any shape.

Each forward function takes an array `x` of float32 or float64. Each backward function takes `dy`, the gradient of the
loss with respect to the output, and what that depends on, of the same dtype and shape: the output `y`, or `x`. What
comes back has the dtype and shape of what went in. NaN comes out as NaN.

Every function flattens its arrays, and each thread takes a part of the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.checks import check_array, check_same_dtype
from minicoord.kernels.backend.memory import empty
from minicoord.kernels.backend.runtime import helper, kernel, launch, prange
from minicoord.kernels.softmax import LN2_HIGH, LN2_LOW
from minicoord.system.arguments import check_number

SATURATED = np.float32(9.02)  # tanh of more is 1 in float32


@kernel
def _relu(x, y):
    for k in prange(x.size):
        y[k] = 0 if x[k] <= 0 else x[k]


@kernel
def _relu_backward(dy, y, dx):
    for k in prange(dy.size):
        dx[k] = 0 if y[k] <= 0 else dy[k]


@kernel
def _leaky_relu(x, y, slope):
    for k in prange(x.size):
        y[k] = x[k] if x[k] > 0 else slope * x[k]


@kernel
def _leaky_relu_backward(dy, x, dx, slope):
    for k in prange(dy.size):
        dx[k] = dy[k] if x[k] > 0 else slope * dy[k]


@kernel
def _sigmoid(x, y):
    """Use ``1 / (1 + e^-x)`` for positive x and ``e^x / (1 + e^x)`` for negative: the exponential never overflows."""
    for k in prange(x.size):
        e = np.exp(-abs(x[k]))
        y[k] = (e if x[k] < 0 else 1) / (1 + e)


@kernel
def _sigmoid_backward(dy, y, dx):
    for k in prange(dy.size):
        dx[k] = dy[k] * y[k] * (1 - y[k])


@kernel
def _tanh(x, y):
    for k in prange(x.size):
        y[k] = np.tanh(x[k])


@helper
def _tanh_of_float32(x):
    """Return tanh(x) to three units in the last place; unlike np.tanh it can be vectorised.

    With ``v = -2 * abs(x)`` and ``e = exp(v) - 1`` it is ``-e / (e + 2)``, which keeps its digits near zero. As in
    ``softmax.py``, ``exp(v) = 2**n * exp(r)``, but here the power series gives exp(r) - 1.
    """
    v = np.float32(-2) * min(abs(x), SATURATED)
    n = np.rint(v * np.float32(1.44269504))
    r = (v - n * LN2_HIGH) - n * LN2_LOW
    series = np.float32(1 / 5040)
    series = series * r + np.float32(1 / 720)
    series = series * r + np.float32(1 / 120)
    series = series * r + np.float32(1 / 24)
    series = series * r + np.float32(1 / 6)
    series = series * r + np.float32(1 / 2)
    power = np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)
    e = power * (series * r * r + r) + (power - np.float32(1))
    y = e / (e + np.float32(2))
    return -y if x > 0 else y if x < 0 else x  # NaN is neither, nor are the two zeros


@kernel
def _tanh32(x, y):
    for k in prange(x.size):
        y[k] = _tanh_of_float32(x[k])


@kernel
def _tanh_backward(dy, y, dx):
    for k in prange(dy.size):
        dx[k] = dy[k] * (1 - y[k] * y[k])


def relu(x: NDArray) -> NDArray:
    """Return ``max(x, 0)``.

    Examples
    --------
    >>> relu(np.array([-1.0, 0.0, 2.0, np.nan]))
    array([ 0.,  0.,  2., nan])
    """
    return _forward(_relu, "relu", x)


def relu_backward(dy: NDArray, y: NDArray) -> NDArray:
    """Return the gradient of `relu` with respect to x: `dy` where the output `y` is positive or NaN, else 0."""
    return _backward(_relu_backward, "relu_backward", dy, y, "y")


def leaky_relu(x: NDArray, slope: float = 0.2) -> NDArray:
    """Return x where it is positive, ``slope * x`` elsewhere; 0.2 is what discriminators of generative networks use.

    Examples
    --------
    >>> leaky_relu(np.array([-1.0, 0.0, 2.0]), 0.5)
    array([-0.5,  0. ,  2. ])
    """
    check_number("leaky_relu: slope", slope, -math.inf, above=True)
    return _forward(_leaky_relu, "leaky_relu", x, float(slope))


def leaky_relu_backward(dy: NDArray, x: NDArray, slope: float = 0.2) -> NDArray:
    """Return the gradient of `leaky_relu` with respect to x: `dy` where x is positive, ``slope * dy`` elsewhere."""
    check_number("leaky_relu_backward: slope", slope, -math.inf, above=True)
    return _backward(_leaky_relu_backward, "leaky_relu_backward", dy, x, "x", float(slope))


def sigmoid(x: NDArray) -> NDArray:
    """Return ``1 / (1 + exp(-x))``, in a form that does not overflow.

    Examples
    --------
    >>> sigmoid(np.array([-1e4, 0.0, 1e4]))
    array([0. , 0.5, 1. ])
    """
    return _forward(_sigmoid, "sigmoid", x)


def sigmoid_backward(dy: NDArray, y: NDArray) -> NDArray:
    """Return the gradient of `sigmoid` with respect to x: ``dy * y * (1 - y)``."""
    return _backward(_sigmoid_backward, "sigmoid_backward", dy, y, "y")


def tanh(x: NDArray) -> NDArray:
    """Return the hyperbolic tangent.

    Examples
    --------
    >>> tanh(np.array([-1e4, 0.0, 1e4]))
    array([-1.,  0.,  1.])
    """
    return _forward(_tanh32 if isinstance(x, np.ndarray) and x.dtype == np.float32 else _tanh, "tanh", x)


def tanh_backward(dy: NDArray, y: NDArray) -> NDArray:
    """Return the gradient of `tanh` with respect to x: ``dy * (1 - y^2)``."""
    return _backward(_tanh_backward, "tanh_backward", dy, y, "y")


def _forward(loop: Callable[..., Any], what: str, x: NDArray, *numbers: float) -> NDArray:
    """Check `x`, run the loop ``x -> y`` over all its numbers and return y."""
    flat = check_array(x, f"{what}: x").reshape(-1)  # (size,)
    y = empty(x.shape, x.dtype)
    launch(loop, flat, y.reshape(-1), *numbers)
    return y


def _backward(
    loop: Callable[..., Any], what: str, dy: NDArray, seen: NDArray, seen_name: str, *numbers: float
) -> NDArray:
    """Check the arrays, run the loop ``dy, seen -> dx`` and return dx; `seen` is the x or y that the gradient needs."""
    flat_dy = check_array(dy, f"{what}: dy").reshape(-1)  # (size,), as all that follow
    flat_seen = check_array(seen, f"{what}: {seen_name}", shape=dy.shape).reshape(-1)
    check_same_dtype(what, dy=dy, **{seen_name: seen})
    dx = empty(dy.shape, dy.dtype)
    launch(loop, flat_dy, flat_seen, dx.reshape(-1), *numbers)
    return dx
