"""Races found without threads, in arrays and in plain variables."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest
from numba import njit, prange

from minicoord.learn.checking.loop_carried import loop_carried_variables
from minicoord.learn.checking.races import find_race


def row_sums(x):
    """Return the sum of each row."""
    out = np.zeros(x.shape[0])
    for i in prange(x.shape[0]):
        total = 0.0
        for j in range(x.shape[1]):
            total += x[i, j]
        out[i] = total
    return out


def private_array(x):
    out = np.zeros(x.shape[0])
    for i in prange(x.shape[0]):
        parts = np.zeros(x.shape[1])
        for j in range(x.shape[1]):
            parts[j] = x[i, j]
        out[i] = parts.sum()
    return out


def row_views(x):
    out = np.zeros((x.shape[0], 1))
    for i in prange(x.shape[0]):
        row = out[i]
        row[0] = x[i].sum()
    return out[:, 0]


def same_flag(x):
    seen, out = np.zeros(1), np.zeros(x.shape[0])
    for i in prange(x.shape[0]):
        seen[0] = 1.0
        out[i] = x[i].sum()
    return out


def no_loop_at_all(x):
    return x.sum(axis=1)


@pytest.mark.parametrize("function", [row_sums, private_array, row_views, same_flag, no_loop_at_all])
def test_code_without_a_race_reports_none(function: Any):
    assert find_race(function, (np.random.default_rng(0).normal(size=(6, 3)),)) is None


@njit
def _add_row(total, row):
    for number in range(row.shape[0]):
        total[0] += row[number]


def own_total_in_a_helper(x):
    out = np.zeros(x.shape[0])
    for i in prange(x.shape[0]):
        total = np.zeros(1)
        _add_row(total, x[i])
        out[i] = total[0]
    return out


def shared_total_in_a_helper(x):
    out, total = np.zeros(x.shape[0]), np.zeros(1)
    for i in prange(x.shape[0]):
        total[0] = 0.0
        _add_row(total, x[i])
        out[i] = total[0]
    return out


def test_a_race_in_a_helper_is_found():
    before = _add_row
    assert find_race(own_total_in_a_helper, (np.ones((3, 2)),)) is None
    assert globals()["_add_row"] is before  # it ran as plain Python, and is unchanged
    race = find_race(shared_total_in_a_helper, (np.arange(6.0).reshape(3, 2),))
    assert race is not None and race.array == "total" and not race.reads


@pytest.mark.parametrize(
    "body, names",
    [
        ("total += x[i]", []),
        ("total = total + x[i]", []),
        ("total = max(total, x[i])", []),
        ("total += x[i]; out[i] = total", ["total"]),
        ("total = 0.0; total += x[i]; out[i] = total", []),
        ("if x[i] > best: best = x[i]", ["best"]),
        ("best = x[i] if x[i] > best else best", ["best"]),
        ("count += 1; out[count] = x[i]", ["count"]),
        ("out[i] = sum([v for v in x[i]])", []),
        ("v = v + sum([v for v in x[i]])", []),
        ("a, b = b, a", ["a", "b"]),
        ("a, b = x[i], 1; out[i] = a + b", []),
        ("last = i", []),
        ("for j in range(3): t = x[i, j]; out[i] = t", []),
        ("out[k] = total = total * x[i]", ["total"]),
    ],
)
def test_loop_carried_variables(body: str, names: list[str]):
    loop = ast.parse(f"for i in prange(n):\n    {body}").body[0]
    assert isinstance(loop, ast.For)
    assert loop_carried_variables(loop) == names


def test_a_long_run_is_traced_only_at_its_start():
    def many(x):
        for i in prange(x.shape[0]):
            x[i] = i
            x[0] = i

    def many_more(x):
        for i in prange(x.shape[0]):
            x[i] = i
        for i in prange(x.shape[0]):
            x[0] = i

    assert find_race(many, (np.zeros(10**6),)) is not None
    assert find_race(many_more, (np.zeros(10**6),)) is None


def test_functions_without_source_are_skipped():
    assert find_race(np.sum, (np.ones(3),)) is None
    assert find_race(lambda x: x, (np.ones(3),)) is None


def without_a_subscript(x):
    total = np.zeros(3)
    for i in prange(x.shape[0]):
        np.add(total, x[i], total)
    return total


def the_same_number_by_fill(x):
    seen, out = np.zeros(2), np.zeros(x.shape[0])
    for i in prange(x.shape[0]):
        seen.fill(1)
        out[i] = x[i].sum()
    return out


def a_nan_stays(x):
    left, out = np.full(2, np.nan), np.zeros(x.shape[0])
    for i in prange(x.shape[0]):
        out[i] = left[0] * 0 + x[i].sum()
    return out


def array_reduction(x):
    total = np.zeros(3)
    for i in prange(x.shape[0]):
        total += x[i]
    return total


def test_what_is_written_without_a_subscript_is_compared():
    race = find_race(without_a_subscript, (np.ones((6, 3)),))
    assert race is not None and (race.array, race.index, race.tasks, race.reads) == ("total", (0,), (0, 1), False)
    assert race.reads_first is None
    for function in (the_same_number_by_fill, a_nan_stays, array_reduction):
        assert find_race(function, (np.ones((6, 3)),)) is None


def added_in_one_cell(x):
    total = np.zeros(1)
    for i in prange(x.shape[0]):
        total[0] += x[i].sum()
    return total


def cleared_in_each_task(x):
    total, out = np.zeros(1), np.zeros(x.shape[0])
    for i in prange(x.shape[0]):
        total[0] = 0
        total[0] += x[i].sum()
        out[i] = total[0]
    return out


@pytest.mark.parametrize(("function", "reads_first"), [(added_in_one_cell, True), (cleared_in_each_task, False)])
def test_a_race_says_whether_the_task_reads_before_it_writes(function: Any, reads_first: bool):
    race = find_race(function, (np.arange(12.0).reshape(4, 3),))
    assert race is not None and not race.reads and race.reads_first is reads_first
