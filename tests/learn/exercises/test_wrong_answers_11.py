"""Answers to the exercises of lesson 11 as learners write them: wrong ones are refused with the right cause or none."""

from __future__ import annotations

import numpy as np
import pytest
from wrong_answers import SEEDS, Answer, WrongAnswers, assert_refused

from minicoord.experiments.gan.losses import taken_for_real
from minicoord.experiments.two_objects import entropies
from minicoord.learn.checking.check import python_verdict
from minicoord.learn.definition.course import get
from minicoord.nn.composites import spectral_norm

wrong = WrongAnswers()


@wrong("fooling_dx", "near 0 where the logit is low")
def minus_the_loss_of_the_discriminator(logits):
    p = 1 / (1 + np.exp(-logits))
    return -p / logits.size


@wrong("fooling_dx", "a mean over the images")
def of_the_sum(logits):
    return 1 / (1 + np.exp(-logits)) - 1


@wrong("fooling_dx", "inf / inf or 1 / p * p is nan")
def quotient_of_exponentials(logits):
    small = np.exp(-logits)
    return -(small / (small + 1)) / len(logits)


@wrong("fooling_dx", "the logits were clipped")
def clipped(logits):
    return get("fooling_dx").solution(np.clip(logits, -1, 1))


@wrong("entropy_of_places", "which counts missing objects")
def divided_by_all(points, low, high, bins):
    x, y = points[~np.isnan(points[:, 0])].T
    p = np.histogram2d(x, y, bins=bins, range=((low, high),) * 2)[0].ravel() / len(points)
    return -sum(share * np.log(share) for share in p if share > 0)


@wrong("entropy_of_places", "with the logarithm of base 2")
def log2(points, low, high, bins):
    x, y = points[~np.isnan(points[:, 0])].T
    counts = np.histogram2d(x, y, bins=bins, range=((low, high),) * 2)[0]
    p = counts[counts > 0] / counts.sum()
    return float((p * np.log2(1 / p)).sum())


@wrong("entropy_of_places", "0 * log(0), which is nan")
def over_all_bins(points, low, high, bins):
    x, y = points[~np.isnan(points[:, 0])].T
    counts = np.histogram2d(x, y, bins=bins, range=((low, high),) * 2)[0]
    p = counts / counts.sum()
    return float((-p * np.log(p)).sum())


@wrong("entropy_of_places")
def ten_bins_always(points, low, high, bins):
    return get("entropy_of_places").solution(points, low, high, 10)


@wrong("power_step", "neither v nor the next u has length 1")
def products_alone(w, u):
    v = w.dot(u)
    return v, float(np.sqrt((v**2).sum())), w.T.dot(v)


@wrong("power_step", "np.linalg.norm(w)")
def frobenius(w, u):
    v, _, after = get("power_step").solution(w, u)
    return v, max(float(np.sqrt((w**2).sum())), 1e-12), after


@wrong("power_step", "0 / 0 is nan")
def without_a_floor(w, u):
    v = w @ u
    sigma = np.sqrt(v @ v)
    v = v / sigma
    u = v @ w
    return v, sigma, u / np.sqrt(u @ u)


@wrong("power_step")
def two_steps(w, u):
    _, _, u = get("power_step").solution(w, u)
    return get("power_step").solution(w, u)


@wrong("fooling_dx", "1 / p * p is nan")
def the_whole_chain(logits):
    p = 1 / (1 + np.exp(-logits))
    return -1 / p * p * (1 - p) / len(logits)


@wrong("entropy_of_places", "use floor")
def cast_to_int(points, low, high, bins):
    points = points[~np.isnan(points[:, 0])]
    i, j = (bins * (points - low) / (high - low)).astype(np.int64).T
    kept = (i >= 0) & (i < bins) & (j >= 0) & (j < bins)
    counts = np.zeros((bins, bins))
    np.add.at(counts, (i[kept], j[kept]), 1)
    p = counts[counts > 0] / max(counts.sum(), 1)
    return float(-(p * np.log(p)).sum())


@wrong("power_step", "the largest number was taken for the length")
def by_the_maximum(w, u):
    v = w.dot(u)
    sigma = np.maximum(np.abs(v).max(), w.dtype.type(1e-12))
    u = (v / sigma).dot(w)
    return v / sigma, float(sigma), u / np.maximum(np.abs(u).max(), w.dtype.type(1e-12))


@wrong("power_step")
def lengths_of_at_least_1_on_the_way_back(w, u):
    v, sigma, after = get("power_step").solution(w, u)
    return v, sigma, after * w.dtype.type(min(1.0, float(np.linalg.norm(w.T @ v))))


@pytest.mark.parametrize("id, answer, cause", wrong.answers, ids=wrong.names())
def test_a_wrong_answer_is_refused(id: str, answer: Answer, cause: str | None):
    assert_refused(id, answer, cause)


def librarys_power_step(w, u):
    """The library returns sigma in the dtype of the matrix, which a learner need not."""
    v, sigma, moved = spectral_norm.power_step(w, u)
    return v, float(sigma), moved


@pytest.mark.parametrize(
    "id, answer",
    [
        ("fooling_dx", lambda logits: taken_for_real(logits)[1]),
        ("power_step", librarys_power_step),
    ],
)
def test_the_library_computes_what_the_exercise_asks(id: str, answer: Answer):
    for seed in SEEDS:
        verdict = python_verdict(get(id), answer, list(get(id).cases(np.random.default_rng(seed))))
        assert verdict.passed, f"seed {seed}: {verdict}"


def test_the_entropy_of_the_library_is_that_of_the_exercise_with_ten_bins():
    points = np.random.default_rng(0).uniform(-3, 35, (500, 2))
    points[::7] = np.nan
    found = get("entropy_of_places").solution(points, 0, 32, entropies.BINS)
    assert found == pytest.approx(entropies.entropy(points, 0, 32), rel=1e-12) and found > 3
