"""Whatever a learner writes, a check returns a verdict."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from minicoord.learn.checking.check import verdict_of
from minicoord.learn.definition.course import get
from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    yield Case("2 x 3", (rng.normal(size=(2, 3)), 2))
    yield Case("3 x 5", (rng.normal(size=(3, 5)), 1))


exercise = Exercise("scaled", 0, "A factor", 2, 1, cases, ("a", "b"), axes=("rows", "columns"))


@exercise.solved_by
def scaled(x, factor):
    """Return x times the factor."""
    return x * factor


def ends_python(x, factor):
    sys.exit(1)


def without_end(x, factor):
    return without_end(x, factor)


def out_of_bounds(x, factor):
    y = x * factor
    return y[7]


def three_arguments(x, factor, more):
    return x


def generator(x, factor):
    yield x * factor


def not_for_large(x, factor):
    if len(x) > 2:
        raise NotImplementedError
    return x * factor


def unfinished(x, factor):
    raise NotImplementedError("stride 2 is missing")


class Odd:
    """A result that raises wherever it is used."""

    def __array__(self):
        raise RuntimeError

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    "function, outcome, words",
    [
        (scaled, "passed", "all 2 cases"),
        (ends_python, "raised", "it tried to exit Python"),
        (without_end, "raised", "calls itself without end"),
        (out_of_bounds, "raised", "(return y[7]): IndexError: index 7 is out of bounds"),
        (three_arguments, "raised", "called as scaled(x, factor), but yours is three_arguments(x, factor, more)"),
        (generator, "wrong type", "got a value of type generator, expected an array"),
        (not_for_large, "raised", 'on "3 x 5"'),
        (unfinished, "raised", "stride 2 is missing"),
        (lambda x, factor: Odd(), "wrong type", "type Odd"),
        (lambda x, factor: x.view(np.recarray) * factor, "passed", ""),
        (lambda x, factor: print, "wrong type", "got a function"),
        (lambda *args: args[0] * args[1], "passed", ""),
        (np.multiply, "passed", ""),
        (lambda x, factor: None, "returned None", "every path through the function"),
    ],
)
def test_every_function_gets_a_verdict(function: Any, outcome: str, words: str):
    verdict = verdict_of(exercise, function)
    assert verdict.outcome == outcome, verdict
    assert words in verdict.sentence


def test_an_error_names_the_line_of_the_learner_not_of_a_library():
    def inside_numpy(x, factor):
        return np.stack([x, x[:1]])

    assert "return np.stack([x, x[:1]])" in verdict_of(exercise, inside_numpy).sentence


def test_a_view_of_the_input_may_be_returned():
    task = Exercise("first_row", 0, "t", 1, 1, cases, ("a", "b"))
    task._solution = lambda x, factor: x[0].copy()
    assert verdict_of(task, lambda x, factor: x[0]).passed


def test_a_change_behind_a_returned_view_is_a_changed_input():
    def scaled_in_place(x, factor):
        x *= factor
        return x[:]

    assert verdict_of(exercise, scaled_in_place).outcome == "changed its input"


def test_functions_are_given_copies_of_the_cases():
    given = [Case("once", (np.ones((2, 2)), 3))]

    def spoils(x, factor):
        x[:] = 0
        return x

    verdict_of(exercise, spoils, given)
    assert given[0].args[0].min() == 1
    assert verdict_of(exercise, scaled, given).passed


def test_an_interrupt_is_not_swallowed():
    def interrupted(x, factor):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verdict_of(exercise, interrupted)


def test_numpy_warnings_as_errors_do_not_affect_a_check():
    with np.errstate(all="raise"):
        assert verdict_of(exercise, lambda x, factor: x / 0).outcome == "wrong values"


def test_an_error_with_a_long_message_is_shortened():
    def wordy(x, factor):
        raise ValueError("word " * 1000)

    assert len(verdict_of(exercise, wordy).sentence) < 500


@pytest.mark.parametrize("id", ["draw_square", "quadrant_split", "find_race", "iou", "add_coords"])
@pytest.mark.parametrize("number", [0, 1])
def test_a_constant_result_gets_that_cause(id: str, number: int):
    def blank(*args: Any) -> Any:
        return np.full_like(get(id).solution(*args), number)

    assert verdict_of(get(id), blank).cause == "all numbers of the result are the same"


def test_a_mistake_that_matches_one_case_by_chance_is_not_named():
    exercise = get("draw_square")
    cases = list(exercise.cases(np.random.default_rng(0)))

    def right_but_for_the_first(*args: Any) -> Any:
        wrong = exercise.mistakes[0].function if args == cases[0].args else exercise.solution
        return wrong(*args)

    assert verdict_of(exercise, exercise.mistakes[0].function).cause == exercise.mistakes[0].cause
    verdict = verdict_of(exercise, right_but_for_the_first)
    assert verdict.outcome == "wrong values" and verdict.cause is None


def test_a_message_that_ends_with_a_full_stop_gets_no_second_one():
    def scaled(x, factor):
        return np.array([[1, 2], [3]])

    assert verdict_of(exercise, scaled).sentence.endswith("inhomogeneous part.")


def test_an_argument_reshaped_in_place_is_a_changed_input():
    def scaled(x, factor):
        scaled = x * factor
        x.shape = (-1,)
        return scaled

    verdict = verdict_of(exercise, scaled)
    assert verdict.outcome == "changed its input"
    assert verdict.sentence.endswith("the call changed the shape of x from (2, 3) to (6,); use x.reshape instead.")


class SilentError(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


def test_an_exception_whose_message_cannot_be_read():
    def scaled(x, factor):
        raise SilentError

    verdict = verdict_of(exercise, scaled)
    assert verdict.outcome == "raised"
    assert verdict.sentence.endswith("(raise SilentError): SilentError.")
