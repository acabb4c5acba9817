"""Lesson 12: a random code, written so that a gradient can pass through it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield more codes than numbers and fewer, no noise, wide and narrow distributions, one code, none, and float32."""
    n, z = int(rng.integers(2, 4)), int(rng.integers(5, 8))

    def drawn(codes: int, numbers: int, wide: float = 0.0) -> tuple[np.ndarray, ...]:
        mean, log_variance, noise = (rng.normal(size=(codes, numbers)) for _ in range(3))
        return 3 * mean, log_variance + wide, noise

    yield Case(f"{n} codes of {z} numbers", drawn(n, z))
    yield Case(f"{z} codes of {n} numbers", drawn(z, n))
    mean, log_variance, noise = drawn(n, z)
    yield Case("the noise is 0: the codes are the means", (mean, log_variance, 0 * noise))
    yield Case("all variances are 1", (mean, 0 * log_variance, noise))
    yield Case("wide distributions", drawn(n, z, wide=5.0))
    yield Case("narrow distributions", drawn(n, z, wide=-5.0))
    yield Case("one code", drawn(1, z))
    yield Case("no code", drawn(0, z))
    yield Case("float32", tuple(array.astype(np.float32) for array in drawn(n, z)))


exercise = Exercise(
    id="reparametrise",
    lesson=12,
    title="A random code",
    minutes=8,
    difficulty=1,
    axes=("codes", "numbers of a code"),
    cases=cases,
    hints=(
        "noise has mean 0 and variance 1. What do you multiply it by, so that it has a standard deviation of s?",
        "The standard deviation is the root of the variance, and np.exp(log_variance) is the variance.",
        "The root of exp(l) is exp(l / 2).",
    ),
)


@exercise.solved_by
def reparametrise(mean, log_variance, noise):
    """Return codes drawn from normal distributions, one for each image.

    mean: the means, shape (N, z). log_variance: the natural logarithms of the variances, (N, z).
    noise: numbers that somebody drew from the standard normal distribution, (N, z). Nothing else
    is random: the same three arrays give the same codes.

    Returns shape (N, z), in the dtype of mean.
    """
    return mean + np.exp(log_variance / 2) * noise


@exercise.mistake(
    "the noise was multiplied by the variance; multiply it by the standard deviation, exp(log_variance / 2)"
)
def by_the_variance(mean, log_variance, noise):
    return mean + np.exp(log_variance) * noise


@exercise.mistake("log_variance is a logarithm, and may be negative; take exp(log_variance / 2)")
def logarithm_itself(mean, log_variance, noise):
    return mean + log_variance * noise


@exercise.mistake("half of the logarithm is not yet the standard deviation; take exp of it")
def half_of_the_logarithm(mean, log_variance, noise):
    return mean + log_variance / 2 * noise


@exercise.mistake("the root was taken of the logarithm, which may be negative; first exp, then the root")
def root_of_the_logarithm(mean, log_variance, noise):
    return mean + np.sqrt(log_variance) * noise


@exercise.mistake("the noise is missing, so an image would always get the same code: its mean")
def without_noise(mean, log_variance, noise):
    return mean.copy()


@exercise.mistake("the noise has a standard deviation of 1 here, whatever log_variance says")
def unscaled(mean, log_variance, noise):
    return mean + noise


@exercise.mistake("the mean is missing: these codes all lie around 0")
def without_mean(mean, log_variance, noise):
    return np.exp(log_variance / 2) * noise


@exercise.mistake("the mean was multiplied, too; multiply the noise alone")
def mean_scaled(mean, log_variance, noise):
    return (mean + noise) * np.exp(log_variance / 2)


@exercise.mistake("the noise was subtracted; add it")
def subtracted(mean, log_variance, noise):
    return mean - np.exp(log_variance / 2) * noise


@exercise.mistake("the noise was divided by the standard deviation; multiply")
def divided(mean, log_variance, noise):
    return mean + noise / np.exp(log_variance / 2)


@exercise.mistake("the standard deviation was added, not multiplied: it belongs to the noise as a factor")
def deviation_added(mean, log_variance, noise):
    return mean + noise + np.exp(log_variance / 2)


@exercise.mistake("the result is float64 for float32 arrays; it should have the dtype of mean")
def float64(mean, log_variance, noise):
    return mean + np.exp(log_variance.astype(np.float64) / 2) * noise


@exercise.mistake("the sign of the logarithm is flipped: exp(-log_variance) is 1 over the variance")
def one_over_the_variance(mean, log_variance, noise):
    return mean + np.exp(-log_variance) * noise


@exercise.mistake("the noise lost its sign; a code lies on either side of its mean")
def noise_without_sign(mean, log_variance, noise):
    return mean + np.exp(log_variance / 2) * abs(noise)


@exercise.mistake("all codes got the noise of the first; each has its own")
def first_noise_for_all(mean, log_variance, noise):
    return mean + np.exp(log_variance / 2) * np.repeat(noise[:1], len(noise), axis=0)


@exercise.mistake("log_variance was clipped; it may be any number")
def clipped(mean, log_variance, noise):
    return mean + np.exp(np.clip(log_variance, -4, 4) / 2) * noise
