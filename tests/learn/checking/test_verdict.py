"""The verdict on a result: the outcomes in their order, and their sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from minicoord.learn.checking.check import verdict_of
from minicoord.learn.checking.check_result import compare
from minicoord.learn.checking.comparison import (
    first_difference,
    same_result,
    shortest_distinct,
    wrong_dtype,
    wrong_shape,
    wrong_type,
)
from minicoord.learn.checking.verdict import Verdict
from minicoord.learn.definition.course import get
from minicoord.learn.definition.exercise import Case, Exercise

X = np.arange(6.0).reshape(2, 3)


def exercise(solution: Any, args: tuple[Any, ...] = (X,), **facts: Any) -> Exercise:
    """Return an exercise with one case that `solution` solves."""

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield Case("the case", args)

    task = Exercise("answer", 0, "A title", 1, 1, cases, ("a", "b"), **facts)
    task._solution = solution
    return task


def verdict(solution: Any, result: Any, args: tuple[Any, ...] = (X,), **facts: Any) -> Verdict:
    """Return the verdict on a result where `solution` gives the right one."""
    return compare(exercise(solution, args, **facts), Case("the case", args), result, args)


@pytest.mark.parametrize(
    "solution, result, outcome, words",
    [
        (lambda x: x, X.copy(), "passed", ""),
        (lambda x: x, None, "returned None", "end with a return statement"),
        (lambda x: x, X.tolist(), "wrong type", "got a list of length 2, expected an array"),
        (lambda x: x, (X,), "wrong type", "got a tuple of length 1, expected an array"),
        (lambda x: x, np.array([[1, 2], [3]], dtype=object), "wrong type", "do its rows have different lengths"),
        (lambda x: x, X.T, "wrong shape", "got (3, 2), expected (2, 3): rows, columns. The lengths are right"),
        (lambda x: x, X[:, :2], "wrong shape", "got (2, 2), expected (2, 3): rows, columns. Wrong: columns."),
        (lambda x: x, X.ravel(), "wrong shape", "1 axis instead of 2"),
        (lambda x: x, X.astype(np.float32), "wrong dtype", "got float32, expected float64"),
        (
            lambda x: x,
            X + np.array([0, 1, 0]),
            "wrong values",
            "at index (0, 1) got 2, expected 1; 2 of 6 numbers differ",
        ),
        (lambda x: x, X + 1, "wrong values", "all 6 numbers differ"),
        (lambda x: x, X * np.nan, "wrong values", "got nan, expected 0"),
        (lambda x: x, X + 1e-12, "passed", ""),
        (lambda x: x > 2, (X > 2).astype(int), "wrong dtype", "got int64, expected bool"),
        (lambda x: x > 2, X > 1, "wrong values", "at index (0, 2) got True, expected False; 1 of 6 numbers differs"),
        (lambda x: np.zeros(0, int), np.array([]), "wrong dtype", "np.array turns an empty list into float64"),
        (lambda x: 7, 7, "passed", ""),
        (lambda x: 7, np.int32(7), "passed", ""),
        (lambda x: 7, 7.0, "wrong type", "// gives an integer"),
        (lambda x: 7, True, "wrong type", "got a bool, expected an integer"),
        (lambda x: 7, 8, "wrong values", "got 8, expected 7"),
        (lambda x: 0.5, np.float32(0.5), "passed", ""),
        (lambda x: 2.0, 2, "passed", ""),
        (lambda x: 0.5, np.array(0.5), "passed", ""),
        (lambda x: 0.5, np.array([0.5]), "wrong type", "got an array, expected a float"),
        (lambda x: True, 1, "wrong type", "got an integer, expected a bool"),
        (lambda x: (x, 3), (X, 3), "passed", ""),
        (lambda x: (x, 3), X, "wrong type", "got an array, expected a tuple of length 2"),
        (lambda x: (x, 3), (X, 3, 4), "wrong type", "got a tuple of length 3, expected a tuple of length 2"),
        (lambda x: (x, 3), (X, None), "wrong type", "the second returned value: got None"),
        (lambda x: (x, 3), (X.T, 3), "wrong shape", "the first returned value: got (3, 2)"),
        (lambda x: (x, 3), (X, 4), "wrong values", "the second returned value: got 4, expected 3"),
        (lambda x: "same", "valid", "wrong values", "got 'valid', expected 'same'"),
    ],
)
def test_outcomes(solution: Any, result: Any, outcome: str, words: str):
    got = verdict(solution, result, axes=("rows", "columns"))
    assert got.outcome == outcome, got
    assert words in got.sentence
    assert got.passed == (outcome == "passed")


@pytest.mark.parametrize(
    "solution, result, outcome",
    [
        (lambda x: 0.5, 10**400, "wrong type"),
        (lambda x: x, X.astype("U3"), "wrong dtype"),
        (lambda x: x, X.astype(complex), "wrong dtype"),
        (lambda x: x, X.astype("datetime64[s]"), "wrong dtype"),
        (lambda x: x, np.zeros((2, 3), "i4,f8"), "wrong dtype"),
        (lambda x: x, np.ma.masked_array(X, X > 2), "passed"),
    ],
)
def test_odd_results_get_a_verdict(solution: Any, result: Any, outcome: str):
    assert verdict(solution, result).outcome == outcome
    assert compare(exercise(solution), Case("c", (X,)), result).outcome == outcome
    verdict(solution, result, judge=judge)


def test_an_integer_too_long_to_be_printed():
    assert not verdict(lambda x: 7, 10**5000).passed
    assert not verdict(lambda x: (7,), (10**5000,)).passed


def test_the_first_of_several_failures_is_reported():
    both = X.T.astype(np.float32)
    assert verdict(lambda x: x, both).outcome == "wrong shape"
    assert verdict(lambda x: x, X.astype(np.float32) + 1).outcome == "wrong dtype"


def test_a_changed_argument_comes_before_wrong_values():
    got = compare(exercise(lambda x: x), Case("the case", (X,)), X + 1, (X * 2,))
    assert got.outcome == "changed its input"
    assert got.sentence.endswith("the call changed the values of x; work on a copy, x.copy().")


def test_a_change_inside_a_tuple_argument_is_found():
    args = ((X, 2), 3)
    after = ((X + 1, 2), 3)
    got = compare(exercise(lambda pair, n: n, args), Case("c", args), 3, after)
    assert got.outcome == "changed its input" and ": the call changed the values of pair[0];" in got.sentence


def test_a_rounding_error_is_explained():
    thirds = X / 3
    close = thirds.astype(np.float32).astype(np.float64)
    assert "rounding to float32 on the way" in verdict(lambda x: thirds, close).sentence
    assert "rounding to float32 on the way" in verdict(lambda x: 1 / 3, float(np.float32(1 / 3))).sentence
    assert "float32" not in verdict(lambda x: thirds, thirds * 1.001).sentence
    added = verdict(lambda x: thirds, thirds + 1e-8).sentence
    assert "float32" not in added and added.endswith("or from a small number that was added.")
    assert "float32" not in verdict(lambda x: np.arange(6), np.arange(6) + 1).sentence


def test_nan_equals_nan_in_arguments_and_results():
    x = np.array([np.nan, np.inf, 1.0])
    assert verdict(lambda x: x, x.copy(), (x,)).passed


def test_the_tolerance_depends_on_the_dtype():
    x = np.ones((2, 3))
    assert verdict(lambda x: x, x + 1e-7, (x,)).outcome == "wrong values"
    x = np.ones((2, 3), np.float32)
    assert verdict(lambda x: x, x + np.float32(1e-6), (x,)).passed
    assert verdict(lambda x: float(x.mean()), 1 + 1e-6, (x,)).passed
    assert verdict(lambda x: x, x + np.float32(1e-2), (x,), tolerance=1e-3).outcome == "wrong values"


def test_empty_arrays_are_compared_by_shape():
    x = np.zeros((0, 3))
    assert verdict(lambda x: x, np.zeros((0, 3)), (x,)).passed
    assert verdict(lambda x: x, np.zeros((3, 0)), (x,)).outcome == "wrong shape"


def judge(args: tuple[Any, ...], result: Any) -> str | None:
    return None if result.sum() > 0 else "the sum is not positive"


def test_a_judge_decides_where_more_than_one_answer_is_right():
    assert verdict(lambda x: x, np.ones((2, 3), np.float32), judge=judge).passed
    wrong = verdict(lambda x: x, -np.ones((2, 3)), judge=judge)
    assert wrong.outcome == "wrong values" and "the sum is not positive." in wrong.sentence
    assert verdict(lambda x: x, np.ones(3), judge=judge).outcome == "wrong shape"
    for odd in (np.ones((2, 3), complex), np.full((2, 3), "1")):
        got = verdict(lambda x: x, odd, judge=judge)
        assert got.outcome == "wrong dtype" and "expected real numbers." in got.sentence


def test_a_judge_that_raises_rejects_the_result():
    def stumbling(args: tuple[Any, ...], result: Any) -> str | None:
        return None if result[7] else ""

    assert "IndexError" in verdict(lambda x: x, X.copy(), judge=stumbling).sentence


def test_with_a_judge_a_mistake_is_recognised_by_the_same_complaint():
    task = exercise(lambda x: x, judge=judge)
    task.mistake("the sign is wrong")(lambda x: -x)
    assert compare(task, Case("c", (X,)), -7 * X - 1).cause == "the sign is wrong"


def test_further_cases_decide_between_two_matching_mistakes():
    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield Case("2", (2,))
        yield Case("3", (3,))

    task = Exercise("double_plus_one", 0, "t", 1, 1, cases, ("a", "b"))

    @task.solved_by
    def double_plus_one(n):
        return 2 * n + 1

    task.mistake("squared")(lambda n: n * n)
    task.mistake("the one is missing")(lambda n: 2 * n)
    assert verdict_of(task, lambda n: n + n).cause == "the one is missing"
    assert verdict_of(task, lambda n: n**2).cause == "squared"
    assert verdict_of(task, lambda n: 17).cause is None


def test_where_two_causes_fit_equally_neither_is_named():
    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield Case("2", (2,))
        yield Case("3", (3,))

    task = Exercise("same", 0, "t", 1, 1, cases, ("a", "b"))
    task._solution = lambda n: n
    task.mistake("doubled")(lambda n: 2 * n)
    assert verdict_of(task, lambda n: n + n).cause == "doubled"
    task.mistake("added to itself")(lambda n: n + n)
    verdict = verdict_of(task, lambda n: n + n)
    assert verdict.outcome == "wrong values" and verdict.cause is None


def test_agreement_where_both_are_right_does_not_count():
    def cases(rng: np.random.Generator) -> Iterator[Case]:
        for n in (1, 5, 2, 3, 4, 6):
            yield Case(str(n), (n,))

    task = Exercise("same", 0, "t", 1, 1, cases, ("a", "b"))
    task._solution = lambda n: n
    task.mistake("the largest are seven")(lambda n: 7 if n > 4 else n)
    assert verdict_of(task, lambda n: 7 if n > 4 else n).cause == "the largest are seven"
    assert verdict_of(task, lambda n: 7 if n == 5 else n).cause is None, "of 5 and 6, only 5 is the same"


def test_a_mistake_that_fails_an_earlier_case_is_not_named():
    def cases(rng: np.random.Generator) -> Iterator[Case]:
        for n in (1, 2, 3):
            yield Case(str(n), (n,))

    task = Exercise("same", 0, "t", 1, 1, cases, ("a", "b"))
    task._solution = lambda n: n
    task.mistake("odd ones are seven")(lambda n: n if n == 2 else 7)
    assert verdict_of(task, lambda n: n if n == 2 else 7).cause == "odd ones are seven"
    got = verdict_of(task, lambda n: 7 if n == 3 else n)  # right for 1, where that mistake is wrong
    assert got.outcome == "wrong values" and got.cause is None


def test_a_mistake_that_raises_is_recognised_by_its_error():
    task = exercise(lambda n: n, (0,))
    task.mistake("a division by zero")(lambda n: 1 // n)
    got = verdict_of(task, lambda n: 5 % n)
    assert got.outcome == "raised" and got.cause == "a division by zero"


def test_a_mistake_that_changes_its_input_is_distinguished():
    def in_place(x):
        x += 1
        return x

    task = exercise(lambda x: x + 1)
    task.mistake("it works in place")(in_place)
    assert verdict_of(task, in_place).cause == "it works in place"
    assert verdict_of(task, lambda x: x + 1).passed


def test_a_verdict_reads_as_one_sentence_and_names_the_cause():
    got = compare(get("add_coords"), Case("c", (np.zeros((1, 2, 3, 1)),)), np.zeros((1, 2, 3, 2)))
    assert str(got) == (
        'add_coords: wrong shape on "c": got (1, 2, 3, 2), expected (1, 2, 3, 3): images, rows, columns, channels. '
        "Wrong: channels."
    )
    named = Verdict("im2col", "wrong values", "wrong values.", "rows and columns are exchanged")
    assert str(named).splitlines()[1] == "Likely cause: rows and columns are exchanged."
    assert repr(named) == str(named)


def test_a_notebook_shows_the_sentence_the_cause_and_a_picture():
    exercise = get("add_coords")
    verdict = verdict_of(exercise, exercise.mistakes[1].function)
    page = verdict._repr_html_()
    assert "Not yet." in page and verdict.cause is not None and verdict.cause in page
    assert "<strong>Likely cause:</strong>" in page and 'hint("add_coords")' in page
    assert 'alt="Three panels' in page and "data:image/png;base64," in page


def test_in_a_notebook_a_pass_and_a_stub_have_no_picture():
    passed, stub = Verdict("im2col", "passed", "passed."), Verdict("im2col", "not attempted", "not attempted yet.")
    assert "Right." in passed._repr_html_() and "img" not in passed._repr_html_()
    assert "Open." in stub._repr_html_() and "img" not in stub._repr_html_()


def test_in_a_notebook_the_text_of_a_verdict_is_escaped():
    page = Verdict("im2col", "raised", "raised <b>", cause="a < b")._repr_html_()
    assert "raised &lt;b&gt;" in page and "a &lt; b" in page


@pytest.mark.parametrize("a, b, words", [(1.0, 1.0000001, ("1", "1.0000001")), (3, 4, ("3", "4")), (1e9, 2.0, None)])
def test_numbers_get_enough_digits_to_differ(a: float, b: float, words: tuple[str, str] | None):
    left, right = shortest_distinct(a, b)
    assert left != right
    assert words in (None, (left, right))


def test_same_result_is_strict_about_type_shape_and_dtype():
    assert same_result(X, X + 1e-12, 1e-9)
    assert not same_result(X, X.astype(np.float32), 1e-9)
    assert not same_result(X, X.tolist(), 1e-9)
    assert same_result(None, None, 1e-9) and not same_result(None, X, 1e-9) and not same_result(X, None, 1e-9)
    assert not same_result([X], [X.copy()], 1e-9)  # comparing lists of arrays gives no single True or False


def test_each_comparison_returns_none_for_equal_values():
    for look in (wrong_type, wrong_shape, wrong_dtype):
        assert look(X, X) is None
        assert look((X, 1, 0.5), (X, 1, 0.5)) is None
    assert first_difference((X, "a"), (X, "a"), 1e-9) is None
    assert wrong_dtype(np.arange(3, dtype=np.int64), np.arange(3, dtype=np.int32)) is None
