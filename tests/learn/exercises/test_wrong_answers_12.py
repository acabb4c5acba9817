"""Answers to the exercises of lesson 12 as learners write them: wrong ones are refused with the right cause or none."""

from __future__ import annotations

import numpy as np
import pytest
from wrong_answers import SEEDS, Answer, WrongAnswers, assert_refused

from minicoord.experiments.two_objects.interpolation import path
from minicoord.experiments.vae import losses
from minicoord.learn.checking.check import python_verdict
from minicoord.learn.definition.course import get

wrong = WrongAnswers()


@wrong("reparametrise", "multiply it by the standard deviation")
def variance_in_a_loop(mean, log_variance, noise):
    codes = mean.copy()
    for place in np.ndindex(codes.shape):
        codes[place] += noise[place] * np.exp(log_variance[place])
    return codes


@wrong("reparametrise", "may be negative; first exp")
def power_of_the_logarithm(mean, log_variance, noise):
    return log_variance**0.5 * noise + mean


@wrong("reparametrise")
def of_base_two(mean, log_variance, noise):
    return mean + 2 ** (log_variance / 2) * noise


@wrong("reparametrise_dx", "a factor is missing in dlog_variance")
def deviation_times_noise(dcodes, log_variance, noise):
    deviation = np.sqrt(np.exp(log_variance))
    return dcodes.copy(), dcodes * deviation * noise


@wrong("reparametrise_dx", "that is the gradient with respect to the standard deviation")
def stopped_half_way(dcodes, log_variance, noise):
    return dcodes.copy(), noise * dcodes


@wrong("reparametrise_dx")
def a_list(dcodes, log_variance, noise):
    return list(get("reparametrise_dx").solution(dcodes, log_variance, noise))


@wrong("kl_gaussian", "the mean was taken over all numbers")
def np_mean(mean, log_variance):
    return float(np.mean(mean**2 + np.exp(log_variance) - 1 - log_variance) / 2)


@wrong("kl_gaussian", "the logarithm of the standard deviation")
def of_deviations(mean, log_variance):
    deviation = np.exp(log_variance)
    return float((mean**2 + deviation**2 - 1 - 2 * np.log(deviation)).sum(axis=1).mean() / 2)


@wrong("kl_gaussian")
def of_each_image(mean, log_variance):
    return (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(axis=1) / 2


@wrong("kl_gaussian_dx", "2 * mean / 2")
def square_alone(mean, log_variance):
    return 2 * mean / len(mean), (np.exp(log_variance) - 1) / (2 * len(mean))


@wrong("kl_gaussian_dx", "go on to its logarithm")
def variance_as_the_variable(mean, log_variance):
    v = np.exp(log_variance)
    return mean / len(mean), (1 - 1 / v) / 2 / len(mean)


@wrong("walk_codes", "that is the straight line")
def listed(start, end, n):
    return np.array([start + (end - start) * start.dtype.type(k / (n - 1)) for k in range(n)], start.dtype)


@wrong("walk_codes", "was divided by its length, 0")
def without_a_floor(start, end, n):
    codes = []
    for k in range(n):
        share = start.dtype.type(k / (n - 1))
        code = (1 - share) * start + share * end
        length = (1 - share) * np.linalg.norm(start) + share * np.linalg.norm(end)
        codes.append(code / np.linalg.norm(code) * length)
    return np.array(codes, start.dtype)


@wrong("walk_codes", "the mean length of both ends")
def mean_length(start, end, n):
    right = get("walk_codes").solution(start, end, n)
    middle = (np.linalg.norm(start) + np.linalg.norm(end)) / 2
    return right / np.maximum(np.linalg.norm(right, axis=1, keepdims=True), 1e-12) * middle


@wrong("kl_gaussian_dx", "dmean was not divided")
def one_of_two_divided(mean, log_variance):
    return mean.copy(), (np.exp(log_variance) - 1) / 2 / mean.shape[0]


@wrong("kl_gaussian_dx", "dlog_variance was not divided")
def the_other_of_two_divided(mean, log_variance):
    return mean / mean.shape[0], (np.exp(log_variance) - 1) / 2


@wrong("kl_gaussian", "the other way round")
def summed_over_images(mean, log_variance):
    terms = (mean * mean + np.exp(log_variance) - 1 - log_variance) / 2
    return float(np.mean(np.sum(terms, axis=0)))


@wrong("walk_codes", "the length of the end")
def as_long_as_the_end(start, end, n):
    t = np.arange(n, dtype=start.dtype)[:, None] / start.dtype.type(n - 1)
    line = start + t * (end - start)
    return line / np.maximum(np.linalg.norm(line, axis=1)[:, None], 1e-12) * np.linalg.norm(end)


@pytest.mark.parametrize("id, answer, cause", wrong.answers, ids=wrong.names())
def test_a_wrong_answer_is_refused(id: str, answer: Answer, cause: str | None):
    assert_refused(id, answer, cause)


def passed_on(dcodes, log_variance, noise):
    """The library hands the gradient of the codes on without a copy, which a learner need not."""
    return tuple(array.copy() for array in losses.reparametrise_backward(dcodes, log_variance, noise))


@pytest.mark.parametrize(
    "id, answer",
    [
        ("reparametrise", losses.reparametrise),
        ("reparametrise_dx", passed_on),
        ("kl_gaussian", lambda mean, log_variance: losses.kl_divergence(mean, log_variance)[0]),
        ("kl_gaussian_dx", lambda mean, log_variance: losses.kl_divergence(mean, log_variance)[1:]),
        ("walk_codes", path),
    ],
)
def test_the_library_computes_what_the_exercise_asks(id: str, answer: Answer):
    for seed in SEEDS:
        verdict = python_verdict(get(id), answer, list(get(id).cases(np.random.default_rng(seed))))
        assert verdict.passed, f"seed {seed}: {verdict}"
