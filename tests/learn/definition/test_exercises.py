"""What holds for every exercise of the course: the stub is open, the solution passes, each mistake is named."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from minicoord.learn.checking.check import python_verdict, verdict_of
from minicoord.learn.definition.course import COURSE, LESSONS, exercise_ids, get
from minicoord.learn.definition.exercise import Case, Exercise, Function

SEEDS = (0, 1, 2, 3)

every_exercise = pytest.mark.parametrize("id", exercise_ids())
every_seed = pytest.mark.parametrize("seed", SEEDS)


def cases_of(exercise: Exercise, seed: int) -> list[Case]:
    return list(exercise.cases(np.random.default_rng(seed)))


def function_from(text: str, name: str) -> Function:
    """Return a function from a text that has nothing else to stand on."""
    names: dict = {"__name__": "alone"}
    exec(compile(text, f"<{name} alone>", "exec"), names)
    return names[name]


@every_exercise
def test_the_stub_is_not_attempted(id: str):
    verdict = verdict_of(get(id), function_from(get(id).stub_text(), id))
    assert verdict.outcome == "not attempted"
    assert not verdict.passed


@every_exercise
def test_the_solution_passes_alone_whatever_the_seed(id: str):
    solution = function_from(get(id).solution_text(), id)
    for seed in SEEDS:
        verdict = python_verdict(get(id), solution, cases_of(get(id), seed))
        assert verdict.passed, f"seed {seed}: {verdict}"


@pytest.mark.compiled
@pytest.mark.parametrize("id", COURSE[8])
def test_the_solution_passes_compiled(id: str):
    assert get(id).compiled
    for seed in SEEDS[:2]:
        verdict = verdict_of(get(id), get(id).solution, cases_of(get(id), seed))
        assert verdict.passed, f"seed {seed}: {verdict}"


@every_exercise
def test_each_mistake_is_rejected_and_named(id: str):
    exercise = get(id)
    mistakes = [mistake for mistake in exercise.mistakes if not mistake.races]
    for seed in SEEDS:
        for mistake in mistakes:
            verdict = python_verdict(exercise, mistake.function, cases_of(exercise, seed))
            assert not verdict.passed, f"seed {seed}: {mistake.cause}"
            assert verdict.cause == mistake.cause, f"seed {seed}: {verdict}"


@pytest.mark.compiled
@pytest.mark.parametrize("id", exercise_ids())
def test_each_race_is_found_and_named(id: str):
    exercise = get(id)
    for mistake in [mistake for mistake in exercise.mistakes if mistake.races]:
        verdict = verdict_of(exercise, mistake.function)
        assert verdict.outcome == "depends on threads", f"{mistake.cause}: {verdict}"
        assert verdict.cause == mistake.cause


@every_exercise
def test_there_are_mistakes_hints_minutes_and_a_place_in_the_course(id: str):
    exercise = get(id)
    assert exercise.id == id
    assert id in COURSE[exercise.lesson]
    assert len(exercise.mistakes) >= 2
    assert len({mistake.cause for mistake in exercise.mistakes}) == len(exercise.mistakes)
    assert 2 <= len(exercise.hints) <= 5
    assert all(hint.strip() == hint != "" for hint in exercise.hints)
    assert 1 <= exercise.minutes <= 60
    assert exercise.difficulty in (1, 2, 3)


@every_exercise
def test_a_cause_reads_as_the_end_of_a_sentence(id: str):
    for mistake in get(id).mistakes:
        assert not mistake.cause.endswith("."), mistake.cause
        assert "\n" not in mistake.cause


@every_exercise
def test_it_builds_on_what_comes_before(id: str):
    ids = exercise_ids()
    before = ids[: ids.index(id)]
    assert set(get(id).builds_on) <= set(before)


@every_exercise
@every_seed
def test_cases_are_several_named_and_repeatable(id: str, seed: int):
    first, second = cases_of(get(id), seed), cases_of(get(id), seed)
    assert len(first) >= 3
    assert len({case.name for case in first}) == len(first)
    for a, b in zip(first, second, strict=True):
        assert a.name == b.name
        assert str(a.args) == str(b.args)


@every_exercise
def test_the_stub_has_the_docstring_and_no_line_of_the_solution(id: str):
    exercise = get(id)
    stub, solution = (ast.parse(text) for text in (exercise.stub_text(), exercise.solution_text()))
    (left,) = (node for node in stub.body if isinstance(node, ast.FunctionDef))
    (right,) = (node for node in solution.body if isinstance(node, ast.FunctionDef))
    assert ast.get_docstring(left) == ast.get_docstring(right)
    assert ast.unparse(left.args) == ast.unparse(right.args)
    assert not {ast.unparse(node) for node in left.body[1:]} & {ast.unparse(node) for node in right.body[1:]}


def test_every_lesson_has_exercises_and_titles_are_unique():
    assert set(COURSE) == set(LESSONS)
    assert all(COURSE.values())
    ids = exercise_ids()
    assert len(set(ids)) == len(ids)
    titles = [get(id).title for id in ids]
    assert len(set(titles)) == len(titles)


def test_an_unknown_exercise_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'im2col'"):
        get("im2cal")
