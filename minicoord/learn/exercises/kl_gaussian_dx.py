"""Lesson 12: the gradients of the KL divergence."""

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
    yield Case("the standard normal distribution: no gradient is left", (0 * mean, 0 * log_variance))
    yield Case("wide distributions", drawn(n, z, wide=3.0))
    yield Case("narrow distributions", drawn(n, z, wide=-6.0))
    yield Case("one image", drawn(1, z))
    yield Case("float32", tuple(array.astype(np.float32) for array in drawn(n, z)))


exercise = Exercise(
    id="kl_gaussian_dx",
    lesson=12,
    title="The gradients of the divergence",
    minutes=10,
    difficulty=2,
    builds_on=("kl_gaussian",),
    cases=cases,
    hints=(
        "Differentiate (m * m + exp(l) - 1 - l) / 2 with respect to m, then with respect to l.",
        "With respect to l: exp(l) stays exp(l), and - l becomes - 1. Both are halved.",
        "The divergence is a mean over N images. What does that do to the gradients of each?",
    ),
)


@exercise.solved_by
def kl_gaussian_dx(mean, log_variance):
    """Return the gradients of kl_gaussian(mean, log_variance).

    mean: the means, shape (N, z). log_variance: the natural logarithms of the variances, (N, z).

    Returns two arrays (N, z), dmean and dlog_variance, in the dtype of mean.
    """
    return mean / len(mean), (np.exp(log_variance) - 1) / (2 * len(mean))


def _scaled(mean: np.ndarray, log_variance: np.ndarray, of_mean: float, of_variance: float) -> tuple:
    dmean, dlog_variance = kl_gaussian_dx(mean, log_variance)
    return of_mean * dmean, of_variance * dlog_variance


@exercise.mistake("the divergence is a mean over the images, so that the gradients of each are divided by their number")
def not_divided(mean, log_variance):
    return _scaled(mean, log_variance, len(mean), len(mean))


@exercise.mistake("they were divided by images times numbers; the mean runs over images alone")
def over_everything(mean, log_variance):
    return _scaled(mean, log_variance, 1 / mean.shape[1], 1 / mean.shape[1])


@exercise.mistake("dlog_variance lacks a factor of one half")
def half_missing_in_variance(mean, log_variance):
    return _scaled(mean, log_variance, 1, 2)


@exercise.mistake("dmean is 2 * mean / 2: the half of the formula cancels the 2 from the square")
def twice_the_mean(mean, log_variance):
    return _scaled(mean, log_variance, 2, 1)


@exercise.mistake("dmean is halved once too often: the 2 of the square cancels the half")
def half_the_mean(mean, log_variance):
    return _scaled(mean, log_variance, 0.5, 1)


@exercise.mistake("the factor of one half is missing in both")
def both_doubled(mean, log_variance):
    return _scaled(mean, log_variance, 2, 2)


@exercise.mistake("the - 1 is missing in dlog_variance: the derivative of - log_variance")
def without_the_one(mean, log_variance):
    return mean / len(mean), np.exp(log_variance) / (2 * len(mean))


@exercise.mistake("- log_variance has the derivative - 1; it was copied as it is")
def logarithm_kept(mean, log_variance):
    return mean / len(mean), (np.exp(log_variance) - log_variance) / (2 * len(mean))


@exercise.mistake("that is the gradient with respect to the variance, (1 - 1 / v) / 2; go on to its logarithm")
def by_the_variance(mean, log_variance):
    return mean / len(mean), (1 - np.exp(-log_variance)) / (2 * len(mean))


@exercise.mistake("log_variance was taken for the logarithm of the standard deviation; v is exp(log_variance)")
def taken_for_the_deviation(mean, log_variance):
    return mean / len(mean), (np.exp(2 * log_variance) - 1) / len(mean)


@exercise.mistake("the signs are flipped: these are the directions in which the divergence falls")
def turned(mean, log_variance):
    return _scaled(mean, log_variance, -1, -1)


@exercise.mistake("the sign of dlog_variance is flipped: it is above 0 where the variance is above 1")
def variance_turned(mean, log_variance):
    return _scaled(mean, log_variance, 1, -1)


@exercise.mistake("the order is dmean, then dlog_variance")
def exchanged(mean, log_variance):
    return kl_gaussian_dx(mean, log_variance)[::-1]


@exercise.mistake("the gradients of all images were added up; each image has its own")
def summed(mean, log_variance):
    return tuple(array.sum(axis=0) for array in kl_gaussian_dx(mean, log_variance))


@exercise.mistake("the results are float64 for float32 arrays; they should have the dtype of mean")
def float64(mean, log_variance):
    return tuple(array.astype(np.float64) for array in kl_gaussian_dx(mean, log_variance))


@exercise.mistake("dmean was not divided by the number of images; both gradients are")
def mean_not_divided(mean, log_variance):
    return _scaled(mean, log_variance, len(mean), 1)


@exercise.mistake("dlog_variance was not divided by the number of images; both gradients are")
def variance_not_divided(mean, log_variance):
    return _scaled(mean, log_variance, 1, len(mean))


@exercise.mistake("exp(log_variance / 2) is the standard deviation; the derivative has the variance, exp(log_variance)")
def deviation_for_variance(mean, log_variance):
    return mean / len(mean), (np.exp(log_variance / 2) - 1) / (2 * len(mean))


@exercise.mistake("log_variance was taken for the variance; v is exp(log_variance)")
def taken_for_the_variance(mean, log_variance):
    return mean / len(mean), (log_variance - 1) / (2 * len(mean))


@exercise.mistake("1 was added in dlog_variance; the derivative of - log_variance is - 1")
def one_added(mean, log_variance):
    return mean / len(mean), (np.exp(log_variance) + 1) / (2 * len(mean))


@exercise.mistake("mean was changed in place, and it belongs to the caller; mean / len(mean) makes a new array")
def changed_in_place(mean, log_variance):
    mean /= len(mean)
    return mean, (np.exp(log_variance) - 1) / (2 * len(mean))
