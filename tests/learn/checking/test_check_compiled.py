"""Answers that are compiled: what does not compile, what races, and what only looks as if it did."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numba import njit, prange

from minicoord.kernels.threading_layer import get_threads
from minicoord.learn.checking.check import verdict_of
from minicoord.learn.checking.check_compiled import at_stage, depends_on_threads, stage_verdict
from minicoord.learn.checking.check_result import compare
from minicoord.learn.checking.loop_carried import loop_carried_variables
from minicoord.learn.checking.numba_errors import describe_numba_error
from minicoord.learn.checking.races import Race, find_race
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
def test_no_race_is_seen_where_there_is_none(function: Any):
    assert find_race(function, (np.random.default_rng(0).normal(size=(6, 3)),)) is None


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
    assert verdict.sentence.startswith("right, but it depends on the number of threads: ")
    assert words in verdict.sentence
    if cause:
        assert "two tasks write the same cell" in verdict.sentence
        assert verdict.cause == cause


def test_a_function_that_was_compiled_already_is_checked_too():
    assert verdict_of(exercise, njit(row_sums)).passed
    assert verdict_of(exercise, njit(parallel=True)(one_cell)).outcome == "depends on threads"


def test_the_number_of_threads_is_put_back():
    before = get_threads()
    for stage in ("1 thread", "2 threads"):
        at_stage(no_loop_at_all, stage)(np.ones((2, 2)))
        assert get_threads() == before


def test_an_error_puts_the_number_of_threads_back():
    def fails(x):
        raise ValueError("no")

    before = get_threads()
    with pytest.raises(ValueError):
        at_stage(fails, "1 thread")(1.0)
    assert get_threads() == before


def test_an_answer_that_is_wrong_in_python_is_not_compiled():
    verdict = verdict_of(exercise, lambda x: x.sum(axis=0))
    assert verdict.outcome == "wrong shape"


def test_what_a_stage_makes_of_a_verdict():
    case = Case("c", (np.ones((2, 3)),))
    wrong = compare(exercise, case, np.zeros(2))
    assert stage_verdict(exercise, "compiled", wrong).outcome == "not compiled"
    assert "parallel=True: wrong values" in stage_verdict(exercise, "1 thread", wrong).sentence
    threads = stage_verdict(exercise, "2 threads", wrong)
    assert threads.outcome == "depends on threads" and threads.cause == "all tasks use one cell to add up"
    right = compare(exercise, case, np.full(2, 3.0))
    assert stage_verdict(exercise, "2 threads", right) is right


@pytest.mark.parametrize(
    "shape, reads, cause",
    [
        ((1,), False, "all tasks use one cell to add up"),
        ((6,), False, "the tasks are columns, and each adds to every row"),
        ((9,), False, "all tasks use one cell to add up"),  # as many axes
        ((9, 9), False, None),
        ((1,), True, None),
    ],
)
def test_a_race_gets_the_cause_of_a_usual_one_of_its_kind_or_none(shape: tuple[int, ...], reads: bool, cause: Any):
    race = Race("out", (0,) * len(shape), shape, (0, 1), reads)
    verdict = depends_on_threads(exercise, str(race), race, list(exercise.cases(np.random.default_rng(0))))
    assert verdict.cause == cause


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


def test_a_race_in_a_function_that_the_tasks_call_is_found():
    before = _add_row
    assert find_race(own_total_in_a_helper, (np.ones((3, 2)),)) is None
    assert globals()["_add_row"] is before  # it ran as plain Python, and is left as it was
    race = find_race(shared_total_in_a_helper, (np.arange(6.0).reshape(3, 2),))
    assert race is not None and race.array == "total" and not race.reads


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
    """Return what is right in Python, where whole numbers are of any size."""
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
def test_what_does_not_compile_is_told_in_one_sentence(function: Any, words: str):
    verdict = verdict_of(exercise, function)
    assert verdict.outcome == "not compiled", verdict
    assert verdict.sentence.startswith('right in Python, but the compiled function fails on "6 rows": ')
    assert words in verdict.sentence
    assert "\n" not in verdict.sentence and len(verdict.sentence) < 400


@pytest.mark.compiled
def test_what_is_right_in_python_and_wrong_compiled():
    assert verdict_of(exercise, negative_index).passed
    verdict = verdict_of(exercise, wraps_around)
    assert verdict.outcome == "not compiled", verdict
    assert "right in Python, but compiled: wrong" in verdict.sentence


def test_an_error_of_compiled_code_is_told():
    words = describe_numba_error(IndexError("index is out of bounds"))
    assert words == "it raises IndexError: index is out of bounds."
    for message in (
        "Sizes of $58binary_subscr.11, y do not match on lesson08.py (7)",
        "Dimension mismatch for (Var(y.3",
    ):
        assert describe_numba_error(AssertionError(message)).startswith("Numba cannot tell that the arrays")
    assert describe_numba_error(AssertionError("Sizes")) == "it raises AssertionError: Sizes."
    assert describe_numba_error(ZeroDivisionError()) == "it raises ZeroDivisionError."


def four_parts(dy):
    parts = np.zeros((4, dy.shape[3]), dy.dtype)
    for n in prange(dy.shape[0]):
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                for c in range(dy.shape[3]):
                    parts[n % 4, c] += dy[n, i, j, c]
    return parts.sum(axis=0)


def test_a_race_in_an_array_of_another_size_is_named_by_its_axes():
    verdict = verdict_of(get("find_race"), four_parts)
    assert verdict.outcome == "depends on threads", verdict
    assert "fewer partial sums than tasks" in str(verdict.cause)


@pytest.mark.parametrize(
    "message, words",
    [
        (
            (
                "Failed in nopython mode pipeline (step: nopython frontend)\n"
                "\x1b[1mUntyped global name 'helper':\x1b[0m "
                'Cannot determine Numba type\n\nFile "lesson08.py", line 12:\n'
            ),
            "line 12: helper is unknown inside the compiled function; if it is a function, put @njit above it.",
        ),
        ("Cannot unify array(float64, 1d, C) and float64 for 'out.2', defined at", "out has two types"),
        ("Unknown attribute 'pad' of type Module(<module 'numpy' from '/x'>)", "Numba does not support numpy.pad;"),
        (
            "Unknown attribute 'foo' of type array(float64, 2d, C)",
            "Numba does not support .foo of array(float64, 2d, C).",
        ),
        (
            "Use of unsupported opcode (IMPORT_NAME) found",
            "there is an import inside the function; move it above the function",
        ),
        (
            "Only constant step size is supported for prange",
            "the step of prange must be constant",
        ),
        (
            "Can't unify return type from the following types: none, float64",
            "it returns values of different types: none, float64.",
        ),
        (
            (
                "No implementation of function Function(<built-in function setitem>) found for signature:\n \n"
                " >>> setitem(array(int64, 1d, C), int64, none)\n"
            ),
            "Numba has no setitem for these types: setitem(array(int64, 1d, C), int64, none).",
        ),
        ("During: something\nsomething new. Raised from x.py (3)", "something new."),
        ("", "Numba cannot compile it."),
    ],
)
def test_the_words_of_numba_are_shortened(message: str, words: str):
    error = type("TypingError", (Exception,), {"__module__": "numba.core.errors"})(message)
    assert words in describe_numba_error(error)


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
def test_which_plain_variables_are_carried_from_task_to_task(body: str, names: list[str]):
    loop = ast.parse(f"for i in prange(n):\n    {body}").body[0]
    assert isinstance(loop, ast.For)
    assert loop_carried_variables(loop) == names


def test_a_long_run_is_looked_at_in_its_beginning_only():
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


def test_functions_without_source_are_left_alone():
    assert find_race(np.sum, (np.ones(3),)) is None
    assert find_race(lambda x: x, (np.ones(3),)) is None
