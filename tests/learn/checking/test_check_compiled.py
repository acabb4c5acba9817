"""Answers that are compiled: those that do not compile, those that race, and those that only seem to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numba import njit, prange

from minicoord.kernels.backend.threading_layer import get_threads
from minicoord.learn.checking.access_log import Race
from minicoord.learn.checking.check import verdict_of
from minicoord.learn.checking.check_compiled import at_stage, depends_on_threads, stage_verdict
from minicoord.learn.checking.check_result import compare
from minicoord.learn.definition.course import get
from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    yield Case("6 rows", (rng.normal(size=(6, 3)),))
    yield Case("one row", (rng.normal(size=(1, 4)),))


exercise = Exercise("row_sums", 8, "Sums of rows", 5, 1, cases, ("a", "b"), compiled=True, axes=("rows",))


@exercise.solved_by
def row_sums(x):
    """Return the sum of each row."""
    out = np.zeros(x.shape[0])
    for i in prange(x.shape[0]):
        total = 0.0
        for j in range(x.shape[1]):
            total += x[i, j]
        out[i] = total
    return out


@exercise.mistake("all tasks use one cell to add up", races=True)
def one_cell(x):
    out, total = np.zeros(x.shape[0]), np.zeros(1)
    for i in prange(x.shape[0]):
        total[0] = 0.0
        for j in range(x.shape[1]):
            total[0] += x[i, j]
        out[i] = total[0]
    return out


@exercise.mistake("the tasks are columns, and each adds to every row", races=True)
def by_columns(x):
    out = np.zeros(x.shape[0])
    for j in prange(x.shape[1]):
        for i in range(x.shape[0]):
            out[i] += x[i, j]
    return out


def reads_its_neighbour(x):
    sums = x.sum(axis=1)
    for i in prange(1, len(sums)):
        sums[i] = sums[i - 1] + sums[i]
    for i in range(len(sums) - 1, 0, -1):
        sums[i] = sums[i] - sums[i - 1]
    return sums


def running_total(x):
    out, total = np.zeros(x.shape[0]), 0.0
    for i in prange(x.shape[0]):
        before = total
        for j in range(x.shape[1]):
            total += x[i, j]
        out[i] = total - before
    return out


def no_loop_at_all(x):
    return x.sum(axis=1)


@pytest.mark.parametrize(
    "function, words, cause",
    [
        (one_cell, "Tasks 0 and 1 of the prange loop both write total[0].", "all tasks use one cell to add up"),
        (by_columns, "both write out[0].", "the tasks are columns, and each adds to every row"),
        (reads_its_neighbour, "Task 2 of the prange loop reads sums[1], which task 1 writes.", None),
        (running_total, "The prange loop reads total, which other tasks change", None),
    ],
)
def test_a_race_is_found_and_named(function: Any, words: str, cause: str | None):
    verdict = verdict_of(exercise, function)
    assert verdict.outcome == "depends on threads", verdict
    assert verdict.sentence.startswith("right, but the result depends on the number of threads: ")
    assert words in verdict.sentence
    if cause:
        assert "two tasks write the same cell" in verdict.sentence
        assert verdict.cause == cause


def test_a_function_that_is_already_compiled_is_checked():
    assert verdict_of(exercise, njit(row_sums)).passed
    assert verdict_of(exercise, njit(parallel=True)(one_cell)).outcome == "depends on threads"


def test_the_number_of_threads_is_restored():
    before = get_threads()
    for stage in ("1 thread", "2 threads"):
        at_stage(no_loop_at_all, stage)(np.ones((2, 2)))
        assert get_threads() == before


def test_the_number_of_threads_is_restored_after_an_error():
    def fails(x):
        raise ValueError("no")

    before = get_threads()
    with pytest.raises(ValueError):
        at_stage(fails, "1 thread")(1.0)
    assert get_threads() == before


def test_an_answer_that_is_wrong_in_python_is_not_compiled():
    verdict = verdict_of(exercise, lambda x: x.sum(axis=0))
    assert verdict.outcome == "wrong shape"


def test_a_wrong_result_means_something_else_at_each_stage():
    case = Case("c", (np.ones((2, 3)),))
    wrong = compare(exercise, case, np.zeros(2))
    assert stage_verdict(exercise, "compiled", wrong).outcome == "not compiled"
    assert "parallel=True: wrong values" in stage_verdict(exercise, "1 thread", wrong).sentence
    threads = stage_verdict(exercise, "2 threads", wrong)
    assert threads.outcome == "depends on threads" and threads.cause is None, "two mistakes of this exercise race"
    right = compare(exercise, case, np.full(2, 3.0))
    assert stage_verdict(exercise, "2 threads", right) is right


@pytest.mark.parametrize(
    "shape, reads, reads_first, cause",
    [
        ((1,), False, False, "all tasks use one cell to add up"),
        ((1,), False, None, "all tasks use one cell to add up"),
        ((6,), False, True, "the tasks are columns, and each adds to every row"),
        ((9,), False, False, "all tasks use one cell to add up"),  # the same number of axes
        ((9,), False, True, "the tasks are columns, and each adds to every row"),
        ((9,), False, None, None),  # both fit
        ((9, 9), False, None, None),
        ((1,), True, None, None),
    ],
)
def test_the_cause_of_a_race_is_a_common_mistake_of_the_same_kind(
    shape: tuple[int, ...], reads: bool, reads_first: bool | None, cause: Any
):
    race = Race("out", (0,) * len(shape), shape, (0, 1), reads, reads_first)
    verdict = depends_on_threads(exercise, str(race), race, list(exercise.cases(np.random.default_rng(0))))
    assert verdict.cause == cause


def with_einsum(x):
    return np.einsum("ij->i", x)


def with_two_types(x):
    out = None
    if x.shape[0] > 0:
        out = np.zeros(x.shape[0])
    if x.shape[0] > 100:
        out = 3.0
    for i in range(x.shape[0]):
        out[i] = x[i].sum()  # type: ignore[index]
    return out


def with_keepdims(x):
    return x.sum(axis=1, keepdims=False)


def plain_helper(x):
    return x.sum(axis=1)


def with_a_helper(x):
    return plain_helper(x)


def with_open(x):
    with open(__file__):
        return x.sum(axis=1)


def negative_index(x):
    out = np.zeros(x.shape[0])
    for i in range(-1, x.shape[0] - 1):
        out[i] = x[i].sum()
    return out


def wraps_around(x):
    """Return what is right in Python, where integers have any size."""
    big = 2**62
    return x.sum(axis=1) * ((big * 2) // big - 1)


@pytest.mark.compiled
@pytest.mark.parametrize(
    "function, words",
    [
        (with_einsum, "Numba does not support numpy.einsum"),
        (with_two_types, "out has two types"),
        (with_keepdims, "Numba cannot call"),
        (with_a_helper, "plain_helper is unknown inside the compiled function"),
        (with_open, "upported"),
    ],
)
def test_a_compilation_error_is_one_sentence(function: Any, words: str):
    verdict = verdict_of(exercise, function)
    assert verdict.outcome == "not compiled", verdict
    assert verdict.sentence.startswith('right in Python, but the compiled function fails on "6 rows": ')
    assert words in verdict.sentence
    assert "\n" not in verdict.sentence and len(verdict.sentence) < 400


@pytest.mark.compiled
def test_an_answer_that_is_right_in_python_and_wrong_compiled():
    assert verdict_of(exercise, negative_index).passed
    verdict = verdict_of(exercise, wraps_around)
    assert verdict.outcome == "not compiled", verdict
    assert "right in Python, but compiled: wrong" in verdict.sentence


def four_parts(dy):
    parts = np.zeros((4, dy.shape[3]), dy.dtype)
    for n in prange(dy.shape[0]):
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                for c in range(dy.shape[3]):
                    parts[n % 4, c] += dy[n, i, j, c]
    return parts.sum(axis=0)


def test_a_race_in_an_array_of_another_size_matches_by_its_axes():
    verdict = verdict_of(get("find_race"), four_parts)
    assert verdict.outcome == "depends on threads", verdict
    assert "fewer partial sums than tasks" in str(verdict.cause)
