"""Lesson 12: the gradient that passes through a random code."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield more codes than numbers and fewer, wide and narrow distributions, no noise, one code, none, and float32."""
    n, z = int(rng.integers(2, 4)), int(rng.integers(5, 8))

    def drawn(codes: int, numbers: int, wide: float = 0.5) -> tuple[np.ndarray, ...]:
        dcodes, log_variance, noise = (rng.normal(size=(codes, numbers)) for _ in range(3))
        return dcodes, log_variance + wide, noise

    yield Case(f"{n} codes of {z} numbers", drawn(n, z))
    yield Case(f"{z} codes of {n} numbers", drawn(z, n))
    yield Case("wide distributions", drawn(n, z, wide=4.0))
    yield Case("narrow distributions", drawn(n, z, wide=-4.0))
    dcodes, log_variance, noise = drawn(n, z)
    yield Case("the noise is 0", (dcodes, log_variance, 0 * noise))
    yield Case("one code", drawn(1, z))
    yield Case("no code", drawn(0, z))
    yield Case("float32", tuple(array.astype(np.float32) for array in drawn(n, z)))


exercise = Exercise(
    id="reparametrise_dx",
    lesson=12,
    title="The gradient through a random code",
    minutes=12,
    difficulty=2,
    builds_on=("reparametrise",),
    cases=cases,
    hints=(
        "Take one number: code = mean + exp(l / 2) * noise. By how much does it grow if mean grows by a little?",
        "And if l grows by a little? The noise is a constant; the derivative of exp(l / 2) has a factor from inside.",
        "Each code depends on its own mean and l alone: multiply dcodes by each derivative. Nothing is summed.",
    ),
)


@exercise.solved_by
def reparametrise_dx(dcodes, log_variance, noise):
    """Return the gradients of a loss with respect to mean and log_variance.

    dcodes: the gradient of the loss with respect to the codes that reparametrise returned, (N, z).
    log_variance, noise: what it was given, (N, z) each.

    Returns two arrays (N, z), dmean and dlog_variance, in the dtype of dcodes.
    """
    return dcodes.copy(), dcodes * noise * np.exp(log_variance / 2) / 2


def _with(dcodes: np.ndarray, dlog_variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return dcodes.copy(), dlog_variance


@exercise.mistake("a factor is missing in dlog_variance: the derivative of exp(l / 2) is exp(l / 2) / 2")
def without_the_half(dcodes, log_variance, noise):
    return _with(dcodes, dcodes * noise * np.exp(log_variance / 2))


@exercise.mistake("the noise is missing in dlog_variance: it is what the standard deviation is multiplied by")
def without_noise(dcodes, log_variance, noise):
    return _with(dcodes, dcodes * np.exp(log_variance / 2) / 2)


@exercise.mistake("exp(log_variance) in dlog_variance is the variance; the code has exp(log_variance / 2)")
def variance(dcodes, log_variance, noise):
    return _with(dcodes, dcodes * noise * np.exp(log_variance) / 2)


@exercise.mistake("that is the gradient with respect to the standard deviation; go on to log_variance")
def by_the_deviation(dcodes, log_variance, noise):
    return _with(dcodes, dcodes * noise)


@exercise.mistake("that is the gradient with respect to the variance; go on to its logarithm")
def by_the_variance(dcodes, log_variance, noise):
    return _with(dcodes, dcodes * noise / (2 * np.exp(log_variance / 2)))


@exercise.mistake("dmean is wrong: the mean is added as it is, so that its gradient is that of the codes")
def mean_scaled(dcodes, log_variance, noise):
    return dcodes * np.exp(log_variance / 2), dcodes * noise * np.exp(log_variance / 2) / 2


@exercise.mistake("dmean is 0, as if the codes did not depend on the means; they do")
def no_gradient_of_the_mean(dcodes, log_variance, noise):
    return 0 * dcodes, dcodes * noise * np.exp(log_variance / 2) / 2


@exercise.mistake("dlog_variance is 0, as if nothing could be learned about a random step; the noise is a constant")
def no_gradient_of_the_variance(dcodes, log_variance, noise):
    return _with(dcodes, 0 * dcodes)


@exercise.mistake("the order is dmean, then dlog_variance")
def exchanged(dcodes, log_variance, noise):
    return reparametrise_dx(dcodes, log_variance, noise)[::-1]


@exercise.mistake("dcodes is missing: those are the derivatives of the codes, and the loss comes after them")
def without_dcodes(dcodes, log_variance, noise):
    return np.ones_like(dcodes), noise * np.exp(log_variance / 2) / 2


@exercise.mistake("both were divided by the number of codes; dcodes has that already, if the loss is a mean")
def divided_by_codes(dcodes, log_variance, noise):
    return tuple(
        array / dcodes.dtype.type(max(len(dcodes), 1)) for array in reparametrise_dx(dcodes, log_variance, noise)
    )


@exercise.mistake("the gradients of all codes were added up; each code has its own mean and variance")
def summed(dcodes, log_variance, noise):
    return tuple(array.sum(axis=0) for array in reparametrise_dx(dcodes, log_variance, noise))


@exercise.mistake("the sign of dlog_variance is wrong: with noise above 0 a larger variance gives a larger code")
def turned(dcodes, log_variance, noise):
    return _with(dcodes, -dcodes * noise * np.exp(log_variance / 2) / 2)


@exercise.mistake("the results are float64 for float32 arrays; they should have the dtype of dcodes")
def float64(dcodes, log_variance, noise):
    return tuple(array.astype(np.float64) for array in reparametrise_dx(dcodes, log_variance, noise))


@exercise.mistake("dmean is 1, the derivative of the codes; multiply it by dcodes")
def ones_for_the_mean(dcodes, log_variance, noise):
    return np.ones_like(dcodes), dcodes * noise * np.exp(log_variance / 2) / 2


@exercise.mistake("dmean was multiplied by the noise; the noise is a factor of the standard deviation alone")
def mean_times_noise(dcodes, log_variance, noise):
    return dcodes * noise, dcodes * noise * np.exp(log_variance / 2) / 2


@exercise.mistake("log_variance was clipped; it may be any number")
def clipped(dcodes, log_variance, noise):
    return _with(dcodes, dcodes * noise * np.exp(np.clip(log_variance, -4, 4) / 2) / 2)


@exercise.mistake("dlog_variance alone was returned; return two arrays, dmean and dlog_variance")
def variance_alone(dcodes, log_variance, noise):
    return reparametrise_dx(dcodes, log_variance, noise)[1]
