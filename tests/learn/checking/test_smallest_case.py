"""The smallest case that fails: it is small, it fails as the verdict says, and all of it is written out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minicoord.learn import check
from minicoord.learn.checking.check import python_verdict, verdict_of
from minicoord.learn.checking.smallest_case import SEEDS, size, smallest_failure
from minicoord.learn.checking.verdict import Verdict
from minicoord.learn.definition.course import exercise_ids, get
from minicoord.learn.definition.exercise import Case, Exercise


def exercise(solution: Any, *cases: tuple[str, tuple[Any, ...]], **facts: Any) -> Exercise:
    """An exercise with these cases, whatever the seed."""

    def given(rng: np.random.Generator) -> Iterator[Case]:
        yield from (Case(name, args) for name, args in cases)

    task = Exercise("answer", 0, "A title", 1, 1, given, ("a", "b"), **facts)
    task._solution = solution
    return task


def written(task: Exercise, answer: Any) -> list[str]:
    return smallest_failure(task, answer, verdict_of(task, answer)).splitlines()


def test_the_smallest_of_the_failing_cases_is_shown_with_arguments_result_and_what_was_expected():
    task = exercise(
        lambda x, k: x * k,
        ("three by four", (np.ones((3, 4)), 2)),
        ("two by one", (np.array([[1.0], [2.5]]), 3)),
        ("one number, doubled", (np.array([[7.0]]), 2)),
    )
    assert written(task, lambda x, k: x * 2 if x.size == 1 else x) == [
        'The smallest case that fails: "two by one"',
        "x: float64 of shape (2, 1)",
        "    [[1. ]",
        "     [2.5]]",
        "k = 3",
        "got: float64 of shape (2, 1)",
        "    [[1. ]",
        "     [2.5]]",
        "expected: float64 of shape (2, 1)",
        "    [[3. ]",
        "     [7.5]]",
        "at index (0, 0) got 1, expected 3; all 2 numbers differ.",
    ]


def test_a_case_may_leave_arguments_at_their_defaults():
    def scaled(x, factor=2.0):
        return x * factor

    task = exercise(scaled, ("one number", (np.ones(1),)))
    lines = written(task, lambda x, factor=3.0: x * factor)
    assert lines[:2] == ['The smallest case that fails: "one number"', "x: float64 of shape (1,)"]
    assert not any(line.startswith("factor") for line in lines)
    verdict = verdict_of(task, lambda x, factor: x * factor)
    assert "it is called as scaled(x, factor=2.0), but yours is <lambda>(x, factor)" in verdict.sentence


def test_images_are_written_slice_by_slice_and_kernels_by_their_rows_and_columns():
    x = np.arange(12.0).reshape(1, 2, 3, 2)
    task = exercise(lambda x, w: x, ("c", (x, np.arange(4).reshape(2, 1, 1, 2))))
    lines = written(task, lambda x, w: x + 1)
    place = lines.index("x: float64 of shape (1, 2, 3, 2)")
    assert lines[place + 1 : place + 7] == [
        "    [0, :, :, 0]",
        "        [[ 0.  2.  4.]",
        "         [ 6.  8. 10.]]",
        "    [0, :, :, 1]",
        "        [[ 1.  3.  5.]",
        "         [ 7.  9. 11.]]",
    ]
    place = lines.index("w: int64 of shape (2, 1, 1, 2)")
    assert lines[place + 1 : place + 7] == [
        "    [:, :, 0, 0]",
        "        [[0]",
        "         [2]]",
        "    [:, :, 0, 1]",
        "        [[1]",
        "         [3]]",
    ]


def test_of_many_slices_and_long_arrays_the_beginning_is_written():
    task = exercise(lambda x, y: 0, ("c", (np.zeros((5, 2, 2, 2)), np.arange(1000))))
    lines = written(task, lambda x, y: 1)
    assert "    and 4 more such slices" in lines and len(lines) < 30
    assert any("..." in line for line in lines)


def test_an_empty_case_is_shown_only_if_no_other_fails():
    cases = ("nothing", (np.zeros((0, 3)),)), ("large", (np.ones((9, 3)),))
    task = exercise(lambda x: x, *cases)
    assert "large" in written(task, lambda x: x.ravel())[0]
    assert "nothing" in written(task, lambda x: x if x.size else x.ravel())[0]


def test_it_is_about_the_mistake_of_the_verdict_and_not_about_another_one():
    cases = ("two", (np.ones(2),)), ("one", (np.ones(1),))
    task = exercise(lambda x: x, *cases)
    lines = written(task, lambda x: x[:0] if x.size == 1 else x + 1)
    assert lines[0].endswith('"two"') and lines[-1].startswith("at index 0 got 2, expected 1")


def test_an_error_a_changed_argument_and_a_missing_result_are_told():
    task = exercise(lambda x: 1, ("c: d", (np.array([1.0, 2.0]),)))

    def changes(x):
        x[:] = 5
        return 1

    lines = written(task, lambda x: 1 / 0)
    assert lines[-2] == "expected = 1" and lines[-1].endswith("ZeroDivisionError: division by zero.")
    lines = written(task, changes)
    assert lines[lines.index("x after the call: float64 of shape (2,)") + 1] == "    [5. 5.]"
    assert "got = None" in written(task, lambda x: None)
    assert "it is called as" in written(task, lambda: 1)[-1]


def test_what_cannot_be_printed_does_not_stop_it():
    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    task = exercise(lambda f, n: n, ("c", (np.sin, 3)))
    lines = written(task, lambda f, n: Odd())
    assert "f: the function sin" in lines
    assert "got = a value of type Odd that cannot be printed (RuntimeError)" in lines
    assert "\\x1b" in "\n".join(written(task, lambda f, n: "\x1b[31m"))


def test_where_more_than_one_result_is_right_none_is_called_expected():
    def judge(args: tuple[Any, ...], result: Any) -> str | None:
        return "too small" if result[0] < 5 else None

    task = exercise(lambda x: x, ("c", (np.ones(2),)), judge=judge)
    lines = written(task, lambda x: x)
    assert not any(line.startswith("expected") for line in lines) and lines[-1] == "too small."


@pytest.mark.parametrize("outcome", ["passed", "not attempted", "not as asked", "not compiled", "depends on threads"])
def test_a_verdict_about_no_case_gets_none(outcome: str):
    def never(x: Any) -> Any:
        raise AssertionError("it was called")

    assert smallest_failure(exercise(lambda x: x, ("c", (1,))), never, Verdict("answer", outcome, "so.")) == ""


@pytest.mark.parametrize("id", exercise_ids())
def test_a_common_mistake_of_each_exercise_is_shown_in_a_case_that_is_as_small_as_possible(id: str):
    task = get(id)
    mistake = next(mistake.function for mistake in task.mistakes if not mistake.races)
    verdict = verdict_of(task, mistake)
    lines = smallest_failure(task, mistake, verdict).splitlines()
    name = lines[0].partition('"')[2].removesuffix('"')
    cases = [case for seed in SEEDS for case in task.cases(np.random.default_rng(seed))]
    failing = [case for case in cases if python_verdict(task, mistake, [case]).outcome == verdict.outcome]
    assert name in [case.name for case in failing if size(case) == min(map(size, failing))]
    assert len(lines) < 160 and max(map(len, lines)) < 400


def test_check_shows_it_only_on_request_and_offers_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec("def pixel_index(x, y, height, width):\n    return x * height + y\n", names)
    plain, shown = check(names["pixel_index"]), check(names["pixel_index"], show=True)
    assert plain.smallest == "" and str(shown).startswith(f"{plain}\nThe smallest case that fails: ")
    assert "height = " in shown.smallest and "expected" in shown.smallest
    assert "check(pixel_index, show=True)" in plain._repr_html_()
    page = shown._repr_html_()
    assert "show=True" not in page and "<pre>The smallest case that fails: &quot;" in page


def test_what_passes_is_not_followed_by_a_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert str(check(get("pixel_index").solution, show=True)) == str(check(get("pixel_index").solution))


@pytest.mark.parametrize("outcome", ["not attempted", "not compiled", "raised"])
def test_where_there_is_no_case_none_is_offered(outcome: str):
    assert "show=True" not in Verdict("im2col", outcome, "a sentence.")._repr_html_()
