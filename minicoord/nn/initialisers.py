"""How weights start: the two random initialisers of the paper's code, and zeros for biases.

Each takes a shape and a ``numpy.random.Generator``. The last axis of the shape counts outputs; the product of the axes
before it is *fan-in*, the number of inputs that one output adds up. (The last axis of a transposed convolution's kernel
``(kh, kw, c_out, c_in)`` counts inputs instead; the paper's code made no exception for it, and this module makes none.)
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, prod, sqrt
from operator import index

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minicoord.system.arguments import call_given, check_number, check_shape_given, is_whole, shown
from minicoord.system.arrays import as_array, check_float_type, check_room

Init = str | Callable[[tuple[int, ...], np.random.Generator], NDArray]
Rng = np.random.Generator | int | None

# The standard deviation of a standard normal truncated at +-2; dividing by it restores the deviation asked for.
_TRUNCATED_DEVIATION = 0.8796


def he_normal(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray:
    """Return weights from a truncated normal of standard deviation ``sqrt(2 / fan_in)``: right for ReLU.

    He et al. (2015). The normal before truncation has ``sigma = sqrt(2 / fan_in) / 0.8796``, so that the values between
    ``-2 sigma`` and ``2 sigma`` have the deviation wanted. A value outside is drawn again.

    Parameters
    ----------
    shape : tuple of int
        At least two axes, such as (kh, kw, c_in, c_out) or (c_in, c_out).
    rng : numpy.random.Generator
        Where the randomness comes from.

    Returns
    -------
    ndarray of float64, `shape`

    Examples
    --------
    >>> w = he_normal((3, 3, 16, 32), np.random.default_rng(0))
    >>> bool(abs(w.std() / np.sqrt(2 / 144) - 1) < 0.03)
    True
    """
    fan_in, _ = fans(shape)
    values = rng.standard_normal(shape)
    outside = np.abs(values) > 2
    while outside.any():
        values[outside] = rng.standard_normal(np.count_nonzero(outside))
        outside = np.abs(values) > 2
    return values * (sqrt(2 / fan_in) / _TRUNCATED_DEVIATION)


def glorot_uniform(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray:
    """Return uniform weights in ``+-sqrt(6 / (fan_in + fan_out))``: Glorot and Bengio (2010).

    Parameters
    ----------
    shape : tuple of int
        At least two axes, such as (kh, kw, c_in, c_out) or (c_in, c_out).
    rng : numpy.random.Generator
        Where the randomness comes from.

    Returns
    -------
    ndarray of float64, `shape`

    Examples
    --------
    >>> w = glorot_uniform((4, 2), np.random.default_rng(0))
    >>> bool(np.abs(w).max() <= 1)
    True
    """
    limit = sqrt(6 / sum(fans(shape)))
    return rng.uniform(-limit, limit, shape)


def zeros(shape: tuple[int, ...], rng: np.random.Generator | None = None) -> NDArray:
    """Return zeros of float64; `rng` is not used."""
    return np.zeros(shape)


def scaled(init: Init, factor: float) -> Callable[[tuple[int, ...], np.random.Generator], NDArray]:
    """Return an initialiser that draws as `init` does and multiplies by `factor`.

    With smaller initial weights a network begins with a simpler function, and learns its features rather than using
    random ones.

    Examples
    --------
    >>> half = scaled("he_normal", 0.5)
    >>> first, second = half((3, 4), np.random.default_rng(0)), he_normal((3, 4), np.random.default_rng(0))
    >>> bool(np.array_equal(2 * first, second))
    True
    """
    check_number("scaled: factor", factor, -inf, above=True)

    def initialiser(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray:
        return float(factor) * initialise(init, shape, rng, np.float64)

    return initialiser


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return (fan_in, fan_out) of a weight array: its last two axes, each times the number of pixels of the kernel.

    Raises
    ------
    ValueError
        If the shape has fewer than two axes, or one of length 0.

    Examples
    --------
    >>> fans((3, 3, 16, 32)), fans((4, 2))
    ((144, 288), (4, 2))
    """
    if len(shape) < 2 or min(shape) < 1:
        raise ValueError(
            f"a weight array of shape {tuple(shape)} has no fan-in, wanted (..., c_in, c_out) of at least 1"
        )
    receptive_field = prod(shape[:-2])
    return receptive_field * shape[-2], receptive_field * shape[-1]


INITIALISERS: dict[str, Callable[..., NDArray]] = {
    "he_normal": he_normal,
    "glorot_uniform": glorot_uniform,
    "zeros": zeros,
}


def initialise(init: Init, shape: tuple[int, ...], rng: Rng = None, dtype: DTypeLike = np.float32) -> NDArray:
    """Return a new weight array.

    Parameters
    ----------
    init : {"he_normal", "glorot_uniform", "zeros"} or callable
        The initialiser's name, or a function of (shape, Generator) that returns an array of that shape.
    shape : tuple of int
        The shape wanted.
    rng : numpy.random.Generator, int or None
        A generator is drawn from; a whole number is a seed; None takes fresh entropy. Layers that are given the same
        seed start with the same draws, so hand one generator to all layers of a model.
    dtype : float32 or float64
        The dtype of the result. The draws are the same for both.

    Returns
    -------
    ndarray of `dtype`, `shape`

    Raises
    ------
    ValueError
        If the name is unknown, the seed is negative, or a callable returns another shape.
    TypeError
        If `init` is neither a name nor callable, `rng` is none of the three, or `dtype` neither float32 nor float64.

    Examples
    --------
    >>> initialise("zeros", (2,), dtype=np.float64)
    array([0., 0.])
    """
    if isinstance(init, str):
        if init not in INITIALISERS:
            raise ValueError(f"init was {shown(init)}, it must be one of {', '.join(INITIALISERS)} or a function")
        function = INITIALISERS[init]
    elif callable(init):
        function = init
    else:
        raise TypeError(f"init was {shown(init)}, it must be a name or a function of (shape, generator)")
    dtype, shape = check_float_type("initialise", dtype), check_shape_given("initialise: shape", shape)
    check_room("initialise: an array", shape, np.float64)  # which initialisers draw
    given = call_given("init", function, "a function of (shape, generator)", shape, as_generator(rng))
    values = as_array("what init returned", given, "fiu", "an array of numbers")
    if values.shape != shape:
        raise ValueError(f"init returned an array of shape {values.shape}, wanted {shape}")
    return values.astype(dtype)


def as_generator(rng: Rng) -> np.random.Generator:
    """Return a generator: the one given, one seeded with a whole number, or one with fresh entropy for None.

    Raises
    ------
    TypeError
        If `rng` is none of the three.
    ValueError
        If the seed is negative.
    """
    if isinstance(rng, np.random.Generator):
        return rng
    if rng is None:
        return np.random.default_rng()
    if not is_whole(rng):
        raise TypeError(f"rng was {shown(rng)}, it must be a numpy Generator, a seed (a whole number) or None")
    if rng < 0:
        raise ValueError(f"rng was the seed {shown(rng)}, it must not be negative")
    return np.random.default_rng(index(rng))
