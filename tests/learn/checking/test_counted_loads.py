"""Arrays that count their loads: single numbers, views, limits, copies, and what NumPy computes at once."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from numba import njit

from minicoord.learn.checking.check import python_verdict, verdict_of
from minicoord.learn.checking.counted_loads import LoadedAgainError, SeveralAtOnceError, count, counted, uncounted
from minicoord.learn.definition.course import get

X = np.arange(12.0).reshape(3, 4)


def test_a_number_is_known_in_every_view_of_it():
    x = counted(X)
    row, column, part = x[1], x[:, 2], x[1:, ::2]
    values = [x[1, 2], row[2], row[-2], column[1], part[0, 1], x[np.int64(1)][np.int64(2)]]
    assert values == [6.0] * 6
    assert x.tally is not None
    assert (x.tally.loads, x.tally.stores) == (6, 0)
    assert dict(x.tally.seen) == {6: 6}


def test_the_load_beyond_the_limit_is_refused():
    x = counted(X, limit=1)
    _ = x[2, 1], x[2, 2]
    with pytest.raises(LoadedAgainError, match="a number is loaded a second time; keep it in a variable"):
        x[2][1]
    y = counted(X[0], limit=2)
    _ = y[3], y[3]
    with pytest.raises(LoadedAgainError, match="loaded 3 times"):
        y[-1]


def test_a_deep_copy_counts_from_zero():
    x = counted(X, limit=1)
    _ = x[0, 0]
    again = copy.deepcopy(x)
    assert again[0, 0] == 0.0
    assert np.array_equal(again, X)
    again[0, 1] = 7
    assert x[0, 1] == 1.0


def test_numpy_does_not_compute_with_views():
    x = counted(X)
    for compute in (lambda: x[0] + 1, lambda: x[:, 1] * x[:, 2], lambda: np.outer(x[0], x[1]), lambda: x[0].sum()):
        with pytest.raises(SeveralAtOnceError, match="several numbers at once"):
            compute()


def test_what_a_function_creates_counts_too():
    @njit
    def product(a, b):
        y = np.zeros((len(a), b.shape[1]), a.dtype)
        for i in range(len(a)):
            for j in range(b.shape[1]):
                for k in range(len(b)):
                    y[i, j] += a[i, k] * b[k, j]
        return y

    multiplications = 3 * 4 * 3
    assert count(product, X, X.T) == (3 * multiplications, multiplications)


def test_helpers_that_a_function_has_from_outside_are_kept():
    factor = 2.0

    def scaled(x):
        y = np.empty(len(x))
        for k in range(len(x)):
            y[k] = factor * x[k]
        return y

    assert count(scaled, X[0]) == (4, 4)


def test_a_result_counts_no_more():
    x = counted(X, limit=1)
    _ = x[0, 0]
    first, (second, number) = uncounted((x, [x[:, 1], 3]))
    assert (type(first), type(second), number) == (np.ndarray, np.ndarray, 3)
    assert np.array_equal(first + first, 2 * X) and (second == X[:, 1]).all()


def test_a_part_of_an_argument_is_compared_like_any_result():
    verdict = verdict_of(get("register_block"), lambda x, w: x[:, :2].copy())
    assert verdict.outcome == "wrong values", verdict


@pytest.mark.compiled
def test_compiled_code_sees_an_ordinary_array():
    x = counted(X, limit=1)
    assert njit(lambda a: a[0, 1] + a[0, 1])(x) == 2.0


def test_register_block_says_where_a_number_is_loaded_again():
    def in_turn(x, w):
        y = np.empty((4, 2), x.dtype)
        for k in range(2):
            for r in range(4):
                s = x.dtype.type(0)
                for d in range(len(w)):
                    s += x[r, d] * w[d, k]
                y[r, k] = s
        return y

    verdict = verdict_of(get("register_block"), in_turn)
    assert verdict.outcome == "raised"
    assert "(s += x[r, d] * w[d, k]): " in verdict.sentence
    assert "a number is loaded a second time" in verdict.sentence
    assert verdict.cause is not None and verdict.cause.startswith("a number is loaded again for each sum")


def test_register_block_wants_single_numbers():
    def whole_rows(x, w):
        s = np.zeros((4, 2), x.dtype)
        for k in range(len(w)):
            s += x[:, k][:, None] * w[k]
        return s

    exercise = get("register_block")
    verdict = python_verdict(exercise, whole_rows, list(exercise.cases(np.random.default_rng(0))))
    assert not verdict.passed
    assert "several numbers at once" in verdict.sentence
