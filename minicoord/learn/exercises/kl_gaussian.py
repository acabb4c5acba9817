"""Lesson 12: how far the codes of images are from the standard normal distribution."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield more images than numbers and fewer, the standard normal itself, wide and narrow ones, one, and float32."""
    n, z = int(rng.integers(2, 4)), int(rng.integers(5, 8))

    def drawn(images: int, numbers: int, wide: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
        return 2 * rng.normal(size=(images, numbers)), rng.normal(size=(images, numbers)) + wide

    yield Case(f"{n} images, {z} numbers", drawn(n, z))
    yield Case(f"{z} images, {n} numbers", drawn(z, n))
    mean, log_variance = drawn(n, z)
    yield Case("all variances are 1", (mean, 0 * log_variance))
    yield Case("all means are 0", (0 * mean, log_variance))
    yield Case("the standard normal distribution: nothing is left", (0 * mean, 0 * log_variance))
    yield Case("wide distributions", drawn(n, z, wide=3.0))
    yield Case("narrow distributions", drawn(n, z, wide=-6.0))
    yield Case("one image, one number", drawn(1, 1))
    yield Case("float32", tuple(array.astype(np.float32) for array in drawn(n, z)))


exercise = Exercise(
    id="kl_gaussian",
    lesson=12,
    title="How far from the standard normal distribution",
    minutes=12,
    difficulty=2,
    cases=cases,
    hints=(
        "The formula of the text, for all numbers at once: mean is squared, and v is np.exp(log_variance).",
        "log v needs no logarithm: log_variance is given.",
        "Add up everything with .sum(), then divide by the number of images, len(mean).",
    ),
)


@exercise.solved_by
def kl_gaussian(mean, log_variance):
    """Return the KL divergence from the standard normal distribution, on average over images.

    mean: the means, shape (N, z). log_variance: the natural logarithms of the variances, (N, z).

    The divergence of one number with mean m and variance v is (m * m + v - 1 - log v) / 2, in nats.
    That of an image is the sum over its z numbers. Returns the mean over the N images, a float.
    """
    return float((mean**2 + np.exp(log_variance) - 1 - log_variance).sum() / (2 * len(mean)))


def _of(terms: np.ndarray) -> float:
    return float(terms.sum() / (2 * len(terms)))


@exercise.mistake("a factor of one half is missing")
def without_the_half(mean, log_variance):
    return 2 * kl_gaussian(mean, log_variance)


@exercise.mistake("the mean was taken over all numbers; add up the numbers of an image, and take the mean over images")
def mean_over_everything(mean, log_variance):
    return kl_gaussian(mean, log_variance) / mean.shape[1]


@exercise.mistake("the divergences of all images were added up; take their mean")
def sum_over_everything(mean, log_variance):
    return kl_gaussian(mean, log_variance) * len(mean)


@exercise.mistake("the sign is flipped: a divergence is never below 0")
def negative(mean, log_variance):
    return -kl_gaussian(mean, log_variance)


@exercise.mistake("the 1 is missing, so that the standard normal distribution would not get 0")
def without_the_one(mean, log_variance):
    return _of(mean**2 + np.exp(log_variance) - log_variance)


@exercise.mistake("the logarithm of the variance is missing: nothing keeps the variances from shrinking to 0")
def without_the_logarithm(mean, log_variance):
    return _of(mean**2 + np.exp(log_variance) - 1)


@exercise.mistake("the variance itself is missing: nothing keeps the variances from growing for ever")
def without_the_variance(mean, log_variance):
    return _of(mean**2 - log_variance)


@exercise.mistake("the logarithm was added; subtract it")
def logarithm_added(mean, log_variance):
    return _of(mean**2 + np.exp(log_variance) - 1 + log_variance)


@exercise.mistake("the means were not squared")
def not_squared(mean, log_variance):
    return _of(mean + np.exp(log_variance) - 1 - log_variance)


@exercise.mistake("log_variance was taken for the variance; v is exp(log_variance)")
def taken_for_the_variance(mean, log_variance):
    return _of(mean**2 + log_variance - 1 - np.log(log_variance))


@exercise.mistake("log_variance was taken for the logarithm of the standard deviation; v is exp(log_variance)")
def taken_for_the_deviation(mean, log_variance):
    return _of(mean**2 + np.exp(2 * log_variance) - 1 - 2 * log_variance)


@exercise.mistake("exp(log_variance / 2) is the standard deviation; the formula has the variance")
def deviation_for_variance(mean, log_variance):
    return _of(mean**2 + np.exp(log_variance / 2) - 1 - log_variance)


@exercise.mistake("that is the divergence the other way round, of the standard normal distribution from the codes")
def other_way_round(mean, log_variance):
    return _of((1 + mean**2) / np.exp(log_variance) - 1 + log_variance)


@exercise.mistake("the means are missing: codes far from 0 have to cost something")
def without_the_means(mean, log_variance):
    return kl_gaussian(0 * mean, log_variance)


@exercise.mistake("the images were added up and the mean taken over the numbers; it is the other way round")
def axes_exchanged(mean, log_variance):
    return float((mean**2 + np.exp(log_variance) - 1 - log_variance).sum(axis=0).mean() / 2)


@exercise.mistake("only the first image counts; take the mean over all of them")
def first_image(mean, log_variance):
    return kl_gaussian(mean[:1], log_variance[:1])


@exercise.mistake("exp(-log_variance) is 1 over the variance; v is exp(log_variance)")
def one_over_the_variance(mean, log_variance):
    return _of(mean**2 + np.exp(-log_variance) - 1 - log_variance)


@exercise.mistake("v was squared; the formula has the variance itself, exp(log_variance)")
def variance_squared(mean, log_variance):
    return _of(mean**2 + np.exp(2 * log_variance) - 1 - log_variance)


@exercise.mistake("log_variance was clipped; it may be any number")
def clipped(mean, log_variance):
    return kl_gaussian(mean, np.clip(log_variance, -5, 5))


@exercise.mistake("the 1 was added; subtract it, so that the standard normal distribution gets 0")
def one_added(mean, log_variance):
    return _of(mean**2 + np.exp(log_variance) + 1 - log_variance)
