"""Batch normalisation (Ioffe and Szegedy, 2015)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.reference.activations import relu_backward


def batch_norm(
    x: NDArray, gamma: NDArray, beta: NDArray, eps: float = 1e-5, relu: bool = False
) -> tuple[NDArray, NDArray, NDArray]:
    """Give every channel the mean beta and the standard deviation gamma.

    ``y = gamma * (x - mean) / sqrt(var + eps) + beta``

    Parameters
    ----------
    x : (..., C)
    gamma, beta : (C,)
    relu : bool
        Whether negative outputs become zero.

    Returns
    -------
    y : (..., C)
    mean, var : (C,)
        Over all axes but the last; `var` is the mean of the squared deviations (divided by their number, not one less).
    """
    axes = tuple(range(x.ndim - 1))
    mean = x.mean(axis=axes)  # (..., C) -> (C,)
    var = ((x - mean) ** 2).mean(axis=axes)
    return batch_norm_inference(x, gamma, beta, mean, var, eps, relu), mean, var


def batch_norm_backward(
    dy: NDArray,
    x: NDArray,
    gamma: NDArray,
    mean: NDArray,
    var: NDArray,
    eps: float = 1e-5,
    y: NDArray | None = None,
) -> tuple[NDArray, NDArray, NDArray]:
    """Return the gradients of `batch_norm`; mean and var depend on x too, which subtracts two means from dy.

    With ``z = (x - mean) / sqrt(var + eps)`` and the mean over all axes but the last::

        dx = gamma / sqrt(var + eps) * (dy - mean(dy) - z * mean(dy * z))

    Parameters
    ----------
    dy, x : (..., C)
    gamma, mean, var : (C,)
    y : (..., C), optional
        The output, if ReLU was applied: nothing flows back where it is zero.

    Returns
    -------
    dx : (..., C)
    dgamma, dbeta : (C,)
        ``sum(dy * z)`` and ``sum(dy)``.
    """
    if y is not None:
        dy = relu_backward(dy, y)
    axes = tuple(range(x.ndim - 1))
    z = (x - mean) / np.sqrt(var + eps)
    dx = gamma / np.sqrt(var + eps) * (dy - dy.mean(axis=axes) - z * (dy * z).mean(axis=axes))
    return dx, (dy * z).sum(axis=axes), dy.sum(axis=axes)


def batch_norm_inference(
    x: NDArray,
    gamma: NDArray,
    beta: NDArray,
    mean: NDArray,
    var: NDArray,
    eps: float = 1e-5,
    relu: bool = False,
) -> NDArray:
    """Return ``gamma * (x - mean) / sqrt(var + eps) + beta`` for x (..., C) and four vectors (C,), ReLU after it."""
    y = gamma * (x - mean) / np.sqrt(var + eps) + beta
    return np.maximum(y, 0) if relu else y
