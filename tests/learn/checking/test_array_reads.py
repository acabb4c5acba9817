"""How an answer reads its arrays: single numbers in order, whole rows, copies."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numba import njit

from minicoord.learn.checking.array_reads import MAX_READS, log_of
from minicoord.learn.checking.bytecode import CodeTraits, traits_of

X = np.arange(6.0).reshape(2, 3)


def test_single_numbers_are_noted_with_their_place_in_the_argument():
    def reads(x, y, factor):
        row, column = x[1], x[:, 2]
        return x[0, 1] + row[-1] + column[0] + y[np.int64(2)] * factor + x.T[0, 1] + x.reshape(-1)[4]

    log = log_of(reads, (X, np.arange(3), 2.0))
    assert log.reads == [(0, 0, 1), (0, 1, 2), (0, 0, 2), (1, 2), (0, 1, 0), (0, 1, 1)]
    assert not log.whole_arrays


def test_copies_and_results_are_other_arrays():
    def reads(x):
        y, z = x.copy(), np.zeros_like(x)
        z[0, 0] = 1
        return y[0, 0] + z[0, 0] + x[1, 1]

    assert log_of(reads, (X,)).reads == [(0, 1, 1)]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + 1,
        lambda x: np.maximum(x[0], 0),
        lambda x: x.sum(),
        lambda x: x[:, 1] @ x[:, 1],
        lambda x: np.add(x[0], x[1], out=np.zeros(3)),
        lambda x: x.copy().__iadd__(1),
        lambda x: (x > 0)[0, 0],
    ],
)
def test_arithmetic_on_several_numbers_is_noted(function: Any):
    assert log_of(function, (X,)).whole_arrays


def test_arithmetic_gives_what_it_gives_on_plain_arrays():
    results = []
    log_of(lambda x: results.append((x.max(axis=0), np.add(x, x, out=x), x)), (X,))
    ((largest, doubled, after),) = results
    np.testing.assert_array_equal(largest, X[1])
    np.testing.assert_array_equal(doubled, 2 * X)
    np.testing.assert_array_equal(after, 2 * X)


def test_arguments_are_copied_and_long_logs_are_cut():
    def writes(x):
        for k in range(MAX_READS + 5):
            x[0, 0] = x[0, 1] + k

    x = X.copy()
    assert len(log_of(writes, (x,)).reads) == MAX_READS
    np.testing.assert_array_equal(x, X)


@pytest.mark.compiled
def test_nothing_is_said_where_the_answer_cannot_run_with_such_arrays():
    @njit
    def first(x):
        return x[0, 0]

    def fails(x):
        x += 1
        raise ValueError

    for function in (lambda x: first(x), fails):
        log = log_of(function, (X,))
        assert not log.reads and not log.whole_arrays


def test_reads_survive_json_and_malformed_ones_are_ignored():
    traits = traits_of(lambda x: x[0, 1] + x[1, 0], (X,))
    assert traits.reads == ((0, 0, 1), (0, 1, 0))
    assert CodeTraits.from_report(json.loads(json.dumps(traits.report()))) == traits
    assert CodeTraits.from_report({"reads": [[0, 1], [0, "x"], 7, [True]], "whole_arrays": 1}) == CodeTraits(
        reads=((0, 1),)
    )
    assert CodeTraits.from_report({"reads": 3}) == CodeTraits()
