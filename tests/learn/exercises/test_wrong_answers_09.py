"""Wrong answers to the exercises of lesson 09 are refused, and their cause is the right one or none."""

from __future__ import annotations

import numpy as np
import pytest
from wrong_answers import Answer, WrongAnswers, assert_refused

from minicoord.learn.definition.course import get

wrong = WrongAnswers()


@wrong("residual_dx")
def above_a_half(dy, y, through_body, through_shortcut):
    dz = dy * (y > 0.5)
    return through_body(dz) + through_shortcut(dz)


@wrong("residual_dx", "y >= 0 is always true")
def zero_passes_too(dy, y, through_body, through_shortcut):
    dz = np.where(y >= 0, dy, 0)
    return through_body(dz) + through_shortcut(dz)


@wrong("residual_dx", "belongs to the caller")
def multiplied_in_place(dy, y, through_body, through_shortcut):
    dy *= y > 0
    return through_body(dy) + through_shortcut(dy)


@wrong("residual_dx", "call through_shortcut")
def dz_in_place_of_the_shortcut(dy, y, through_body, through_shortcut):
    dz = np.where(y > 0, dy, 0).astype(dy.dtype)
    return through_body(dz) + dz


@wrong("front_features", "divisors are exchanged")
def scaled_by_the_other_side(x, w, b):
    n, h, width, _ = x.shape
    i = np.arange(h) * 2 / (width - 1) - 1 if width > 1 else np.zeros(h)
    j = np.arange(width) * 2 / (h - 1) - 1 if h > 1 else np.zeros(width)
    grid = np.stack(np.meshgrid(i, j, indexing="ij"), axis=2)
    r = np.sqrt((grid**2).sum(axis=2, keepdims=True))
    more = np.broadcast_to(np.concatenate([grid, r], axis=2), (n, h, width, 3)).astype(x.dtype)
    return np.concatenate([x, more], axis=3) @ w[0, 0] + b


@wrong("front_features")
def at_most_64_pixels(x, w, b):
    y = get("front_features").solution(x, w, b)
    y[:, 64:] = 0
    return y


@wrong("paired_interval")
def with_draws_of_its_own(a, b, chosen):
    drawn = np.random.default_rng(12345).integers(0, len(a), chosen.shape)
    return get("paired_interval").solution(a, b, drawn)


@wrong("paired_interval")
def both_arms_with_draws_of_their_own(a, b, chosen):
    rng = np.random.default_rng(7)
    means = [100 * (rng.choice(a, len(a)).mean() - rng.choice(b, len(b)).mean()) for _ in chosen]
    return 100 * float((a - b).mean()), float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


@wrong("paired_interval", "from 0 to 100")
def percentiles_by_name(a, b, chosen):
    means = (100 * a - 100 * b)[chosen].mean(1)
    low, high = np.percentile(means, 0.025), np.percentile(means, 0.975)
    return (100 * a - 100 * b).mean(), low, high


@wrong("paired_interval", "take the mean of each sample, a row, first")
def raveled(a, b, chosen):
    d = 100 * (a - b)
    low, high = np.quantile(d[chosen].ravel(), [0.025, 0.975])
    return d.mean(), low, high


@wrong("residual_dx")
def four_images(dy, y, through_body, through_shortcut):
    dz = dy * (y > 0)
    dz[4:] = 0
    return through_body(dz) + through_shortcut(dz)


@wrong("residual_dx", "you did the opposite")
def where_nothing_came_out(dy, y, through_body, through_shortcut):
    dz = np.where(y == 0, dy, 0).astype(dy.dtype)
    return through_body(dz) + through_shortcut(dz)


@wrong("paired_interval", "with n in place of n - 1")
def standard_errors(a, b, chosen):
    d = 100 * (a - b)
    half = 1.96 * np.std(d) / len(d) ** 0.5
    return d.mean(), d.mean() - half, d.mean() + half


def features(x, w, b, of_one_row, of_one_column):
    i, j = (
        np.linspace(-1, 1, n) if n > 1 else np.array([of_one])
        for n, of_one in zip(x.shape[1:3], (of_one_row, of_one_column), strict=True)
    )
    grid = np.stack(np.meshgrid(i, j, indexing="ij"), axis=2)
    more = np.concatenate([grid, np.sqrt((grid**2).sum(axis=2, keepdims=True))], axis=2)
    more = np.broadcast_to(more, (*x.shape[:3], 3)).astype(x.dtype)
    return np.concatenate([x, more], axis=3) @ w[0, 0] + b


@wrong("front_features", "one column is not: there too you divide by zero")
def one_column_is_nan(x, w, b):
    return features(x, w, b, 0.0, np.nan)


@wrong("front_features", "one row is not: it is in the middle")
def one_row_at_the_edge(x, w, b):
    return features(x, w, b, -1.0, 0.0)


@wrong("residual_dx")
def nearly_zero_is_zero(dy, y, through_body, through_shortcut):
    dz = np.where(np.isclose(y, 0), 0, dy).astype(dy.dtype)
    return through_body(dz) + through_shortcut(dz)


@pytest.mark.parametrize("id, answer, cause", wrong.answers, ids=wrong.names())
def test_a_wrong_answer_is_refused(id: str, answer: Answer, cause: str | None):
    assert_refused(id, answer, cause)
