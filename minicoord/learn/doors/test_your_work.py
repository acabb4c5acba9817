"""Tests of a learner's answers, one for each exercise.

    pytest --pyargs minicoord.learn --work DIR
    pytest --pyargs minicoord.learn --work DIR -k lesson03

In a checkout, ``pytest tests/learner --work DIR`` does the same.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from minicoord.learn.checking.verdict import NOT_ATTEMPTED, NOT_RUN
from minicoord.learn.definition.course import PARTS
from minicoord.learn.submissions.answer import verdict_on
from minicoord.learn.submissions.submission import Submission, read_submission


@pytest.fixture(scope="module")
def submission(pytestconfig: pytest.Config) -> Submission:
    """The answers in the folder that ``--work`` names."""
    work = pytestconfig.getoption("work", None)
    if work is None:
        pytest.skip("no answer was found; name your folder with --work DIR")
    return read_submission(Path(pytestconfig.invocation_params.dir, work))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test for each exercise, with its lesson in the name; without ``--work``, a single one."""
    if "exercise_id" in metafunc.fixturenames:
        ids = [(name, id) for name, part in PARTS.items() for id in part.exercises]
        names = [f"lesson{name}-{id}" for name, id in ids]
        if metafunc.config.getoption("work", None) is None:
            ids, names = ids[:1], ["without --work"]
        metafunc.parametrize("exercise_id", [id for _, id in ids], ids=names)


def test_your_answer(submission: Submission, exercise_id: str) -> None:
    """Check the answer to an exercise, as `minicoord.learn.check` does."""
    answer = submission.answers.get(exercise_id)
    if answer is None:
        notes = [note for id, note in submission.notes.items() if id == exercise_id]
        pytest.skip("; ".join([f"no answer to {exercise_id} was found", *notes, *submission.problems]))
    verdict = verdict_on(answer)
    if verdict.outcome == NOT_ATTEMPTED:
        pytest.skip(f"{exercise_id} is not attempted yet")
    if verdict.outcome == NOT_RUN:
        pytest.skip(f"{exercise_id} is not run, because {answer.place} has an error: see test_your_files_can_be_read")
    if not verdict.passed:
        pytest.fail(f"{verdict}\nIn {answer.place}; a hint: minicoord learn hint {exercise_id}", pytrace=False)


def test_your_files_can_be_read(submission: Submission) -> None:
    """Report files that cannot be read or run, so that answers are missing."""
    if submission.problems:
        pytest.fail("\n".join(submission.problems), pytrace=False)
    if not submission.answers:
        pytest.skip("no answer was found")
