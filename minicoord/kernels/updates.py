"""One step of an optimiser, in place: each parameter is read once and written once, without temporary arrays."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.checks import check_array, check_in_place, check_same_dtype
from minicoord.kernels.backend.denormals import denormals_as, flush_denormals
from minicoord.kernels.backend.runtime import helper, kernel, launch, prange
from minicoord.system.arguments import check_number, is_whole, shown

# Elements per task. Most layers have fewer parameters than this: one block is updated without waking the threads, which
# would cost more than the update itself.
BLOCK = 8192

LARGEST = 1e38
"""Factors are smaller than this: twice as much is still finite in float32."""


@helper
def _sgd_block(w, g, velocity, lr, momentum, decay):
    for k in range(w.shape[0]):
        velocity[k] = momentum * velocity[k] + (g[k] + decay * w[k])
        w[k] -= lr * velocity[k]


@kernel
def _sgd(w, g, velocity, lr, momentum, decay):
    for task in prange((w.shape[0] + BLOCK - 1) // BLOCK):
        fp_mode = flush_denormals()
        first = np.int64(task) * BLOCK
        last = min(first + BLOCK, w.shape[0])
        _sgd_block(w[first:last], g[first:last], velocity[first:last], lr, momentum, decay)
        denormals_as(fp_mode)


@helper
def _adam_block(w, g, m, v, step, keep_m, add_m, keep_v, add_v, eps, decay):
    for k in range(w.shape[0]):
        slope = g[k] + decay * w[k]
        m[k] = keep_m * m[k] + add_m * slope
        v[k] = keep_v * v[k] + add_v * (slope * slope)
        w[k] -= step * m[k] / (np.sqrt(v[k]) + eps)


@kernel
def _adam(w, g, m, v, step, keep_m, add_m, keep_v, add_v, eps, decay):
    for task in prange((w.shape[0] + BLOCK - 1) // BLOCK):
        fp_mode = flush_denormals()
        first = np.int64(task) * BLOCK
        last = min(first + BLOCK, w.shape[0])
        arrays = w[first:last], g[first:last], m[first:last], v[first:last]
        _adam_block(*arrays, step, keep_m, add_m, keep_v, add_v, eps, decay)
        denormals_as(fp_mode)


def check_update(what: str, g: NDArray, **changed: NDArray) -> list[NDArray]:
    """Return the arrays that change, then the gradient, as flat views."""
    g = check_array(g, f"{what}: g")
    for name, array in changed.items():
        check_array(array, f"{what}: {name}", shape=g.shape)
    check_in_place(what, **changed)
    check_same_dtype(what, g=g, **changed)
    return [array.reshape(-1) for array in (*changed.values(), g)]  # (size,) each


def check_finite(what: str, **numbers: float) -> None:
    """Check that the factors of a step are finite numbers: all at once, because a step asks for every parameter."""
    if not ({type(number) for number in numbers.values()} == {float} and sum(map(abs, numbers.values())) < LARGEST):
        for name, number in numbers.items():
            check_number(f"{what}: {name}", number, -LARGEST, above=True, below=LARGEST)


def sgd_update(w: NDArray, g: NDArray, velocity: NDArray, lr: float, momentum: float, l2: float = 0.0) -> None:
    """Take one step of gradient descent with momentum, in place.

    ``velocity = momentum * velocity + g``, then ``w -= lr * velocity``.

    Parameters
    ----------
    w, g, velocity : any shape, the same for all, of float32 or float64
        The parameters, their gradient, and the velocity (zeros before the first step). `w` and `velocity` change.
    lr : float
        Learning rate.
    momentum : float
        How much of the velocity is kept; 0 is plain gradient descent.
    l2 : float
        Strength of a penalty ``l2 * sum(w^2)``, whose gradient ``2 * l2 * w`` is added to `g`.

    Raises
    ------
    ValueError
        Also if an array that changes is not contiguous or cannot be written to.

    Examples
    --------
    >>> import numpy as np
    >>> w, velocity = np.array([1.0]), np.array([2.0])
    >>> sgd_update(w, np.array([1.0]), velocity, lr=0.25, momentum=0.5)
    >>> w.item(), velocity.item()
    (0.5, 2.0)
    """
    check_finite("sgd_update", lr=lr, momentum=momentum, l2=l2)
    flat_w, flat_velocity, flat_g = check_update("sgd_update", g, w=w, velocity=velocity)
    scalar = w.dtype.type
    arguments = flat_w, flat_g, flat_velocity, scalar(lr), scalar(momentum), scalar(2 * float(l2))
    launch(_sgd_block if w.size <= BLOCK else _sgd, *arguments)


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
    """Take one step of Adam (Kingma and Ba, 2015), in place, as TensorFlow orders it.

    ``m = beta1 * m + (1 - beta1) * g`` and ``v = beta2 * v + (1 - beta2) * g^2`` are running means that start at zero;
    the step makes up for that: ``w -= lr * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + eps)``.

    Parameters
    ----------
    w, g, m, v : any shape, the same for all, of float32 or float64
        The parameters, their gradient, and the two running means (zeros before the first step). All but `g` change.
    lr : float
        Learning rate.
    beta1, beta2 : float
        How much of the running means is kept; the paper's code used beta2 = 0.99.
    eps : float
        Keeps the step finite where v is zero.
    t : int
        Number of the step, the first is 1.
    l2 : float
        Strength of a penalty ``l2 * sum(w^2)``, whose gradient ``2 * l2 * w`` is added to `g`.

    Raises
    ------
    ValueError
        As `sgd_update`, and if `t` is below 1.

    Examples
    --------
    The first step moves each parameter by nearly `lr`, however large its gradient is:

    >>> import numpy as np
    >>> w = np.array([1.0, 1.0])
    >>> adam_update(w, np.array([1e-3, -1e3]), np.zeros(2), np.zeros(2), 0.1, 0.9, 0.99, 1e-8, t=1)
    >>> w.round(3).tolist()
    [0.9, 1.1]
    """
    if not is_whole(t) or not 1 <= t < 2**63:  # larger ones overflow as an exponent
        raise ValueError(f"adam_update: t was {shown(t)}, wanted the number of the step, from 1 on and below 2^63")
    check_finite("adam_update", lr=lr, beta1=beta1, beta2=beta2, eps=eps, l2=l2)
    lr, beta1, beta2, eps = float(lr), float(beta1), float(beta2), float(eps)
    if not (0 <= beta1 < 1 and 0 <= beta2 < 1 and eps >= 0):
        raise ValueError(
            f"adam_update: beta1 was {beta1}, beta2 {beta2} and eps {eps}, wanted beta1 and beta2 in [0, 1) and eps of "
            "at least 0"
        )
    flat_w, flat_m, flat_v, flat_g = check_update("adam_update", g, w=w, m=m, v=v)
    step = lr * math.sqrt(1 - beta2**t) / (1 - beta1**t)
    factors = (w.dtype.type(f) for f in (step, beta1, 1 - beta1, beta2, 1 - beta2, eps, 2 * float(l2)))
    arguments = flat_w, flat_g, flat_m, flat_v, *factors
    launch(_adam_block if w.size <= BLOCK else _adam, *arguments)
