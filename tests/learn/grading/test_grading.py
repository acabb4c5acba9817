"""A class of submissions becomes a table, and what is wrong with one submission affects no other."""

import csv
import json
import os

import pytest
from graded_rows import POSIX, grade_one, graded, solution
from typer.testing import CliRunner

from minicoord.learn.definition.course import get
from minicoord.learn.doors.terminal import learn
from minicoord.learn.grading.grade import NOT_READABLE
from minicoord.learn.grading.reports import CRASHED, TIMED_OUT
from minicoord.learn.grading.table import COLUMNS
from minicoord.learn.submissions.answer import verdict_on
from minicoord.learn.submissions.submission import read_submission


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Five submissions, graded by the command; the rows of the table by learner and exercise."""
    folder = tmp_path_factory.mktemp("class")
    submissions = folder / "submissions"
    (submissions / "empty").mkdir(parents=True)
    (submissions / "right").mkdir()
    (submissions / "right" / "lesson01.py").write_text(solution("draw_square"))
    (submissions / "right" / "lesson01.ipynb").write_text(
        json.dumps(
            {
                "cells": [
                    {"cell_type": "code", "metadata": {}, "source": "raise SystemExit('not an exercise')"},
                    {
                        "cell_type": "code",
                        "metadata": {"tags": ["exercise", "one_hot"]},
                        "source": solution("one_hot").splitlines(keepends=True),
                    },
                ],
                "nbformat": 4,
                "nbformat_minor": 5,
                "metadata": {},
            }
        )
    )
    (submissions / "wrong.py").write_text(
        "from minicoord.learn.exercises.one_hot import exercise\n"
        "def one_hot(*args):\n    return exercise.mistakes[0].function(*args)\n"
        f"{get('draw_square').stub_text()}"
    )
    (submissions / "crashing.py").write_text(
        "import ctypes, os\ndef one_hot(*args):\n    ctypes.string_at(0)\n"
        "def draw_square(*args):\n    os._exit(0)\ndef quadrant_split(*args):\n    os.execlp('true', 'true')\n"
    )
    (submissions / "endless.py").write_text("while True:\n    print('x' * 1000)\ndef one_hot(x):\n    return x\n")
    (submissions / "notes.txt").write_text("not a submission")
    out = folder / "grades.csv"
    arguments = ["grade", str(submissions), "--out", str(out), "--lesson", "1", "--seconds", "3", "--workers", "2"]
    result = CliRunner().invoke(learn, arguments)
    assert result.exit_code == 0, result.output
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    return {(row["learner"], row["exercise"]): row for row in rows}


def test_there_is_a_row_for_each_learner_and_exercise(table):
    learners = ("crashing", "empty", "endless", "right", "wrong")
    assert list(table) == [(name, id) for name in learners for id in ("draw_square", "one_hot", "quadrant_split")]
    assert {row["lesson"] for row in table.values()} == {"1"}


@pytest.mark.parametrize(
    ("learner", "id", "outcome", "words"),
    [
        ("right", "draw_square", "passed", "all"),
        ("right", "one_hot", "passed", "all"),
        ("right", "quadrant_split", "not attempted", "no answer was submitted"),
        ("wrong", "draw_square", "not attempted", "not attempted yet"),
        ("crashing", "draw_square", "raised", "it tried to exit Python"),
        ("crashing", "quadrant_split", CRASHED, "before it gave an answer"),
        ("crashing", "one_hot", CRASHED, "before it gave an answer"),
        ("endless", "one_hot", TIMED_OUT, "still running after 3 seconds"),
        ("empty", "one_hot", "not attempted", "no answer was submitted"),
    ],
)
def test_the_table_has_the_outcome_of_each_answer(table, learner, id, outcome, words):
    row = table[learner, id]
    assert row["outcome"] == outcome and words in row["sentence"]
    assert row["passed"] == str(outcome == "passed")


def test_a_common_mistake_is_named_as_in_a_notebook(table, tmp_path):
    row = table["wrong", "one_hot"]
    (tmp_path / "wrong.py").write_text(
        "from minicoord.learn.exercises.one_hot import exercise\n"
        "def one_hot(*args):\n    return exercise.mistakes[0].function(*args)\n"
    )
    verdict = verdict_on(read_submission(tmp_path / "wrong.py").answers["one_hot"])
    assert (row["outcome"], row["sentence"], row["cause"]) == (verdict.outcome, verdict.sentence, verdict.cause)
    assert row["cause"] == get("one_hot").mistakes[0].cause


def test_the_time_is_that_of_the_answer(table):
    assert 3 <= float(table["endless", "one_hot"]["seconds"]) < 6
    assert float(table["empty", "one_hot"]["seconds"]) == 0


@pytest.mark.parametrize(
    "body",
    [
        "    return None",
        "    return [1, 2]",
        "    x[:] = 0\n    return solution(x)",
        "    return 1 / 0",
        "    return {'a': x}",
        "    raise SystemExit",
        "    return solution(x) + 1e-3",
        "    return solution(x).astype(object)",
        "    import numpy as np\n    return np.ma.masked_array(solution(x) + 1)",
    ],
)
def test_an_answer_gets_the_verdict_of_its_own_check(body, tmp_path):
    source = f"from minicoord.learn.exercises.add_coords import add_coords as solution\ndef add_coords(x):\n{body}\n"
    row = grade_one(tmp_path, source)
    verdict = verdict_on(read_submission(tmp_path / "learner.py").answers["add_coords"])
    assert (row.outcome, row.sentence, row.cause) == (verdict.outcome, verdict.sentence, verdict.cause or "")
    assert not row.passed


@pytest.mark.parametrize(
    "source",
    [
        "def add_coords(x, y):\n    return x",
        "def add_coords(x:\n    return x",
        "1 / 0\ndef add_coords(x):\n    return x",
    ],
    ids=["other arguments", "no Python", "raises when it is read"],
)
def test_an_answer_that_cannot_be_called_gets_the_verdict_of_its_own_check(source, tmp_path):
    row = grade_one(tmp_path, source)
    verdict = verdict_on(read_submission(tmp_path / "learner.py").answers["add_coords"])
    assert (row.outcome, row.sentence) == (verdict.outcome, verdict.sentence)
    assert row.outcome == ("not run" if "(x:" in source else "raised")


def test_a_misnamed_answer_and_one_in_two_files_are_told(tmp_path):
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / "a.py").write_text(solution("add_coords"))
    (tmp_path / "anna" / "b.py").write_text(solution("add_coords") + "\ndef addr(x):\n    return x\n")
    rows = graded(tmp_path, "add_coords", "add_r")
    assert " add_coords is answered in " in rows["anna", "add_coords"].sentence
    assert rows["anna", "add_r"].sentence == "no answer was submitted. b.py defines addr; did you mean add_r?"


def test_an_unreadable_notebook_is_named_in_every_row(tmp_path):
    (tmp_path / "anna.ipynb").write_text("{")
    rows = graded(tmp_path, "add_coords", "im2col")
    assert {row.outcome for row in rows.values()} == {NOT_READABLE}
    assert "anna.ipynb is not a notebook" in rows["anna", "im2col"].sentence


BLOCK = """import numpy as np
def register_block(x, w):
    y = np.{create}((4, 2), x.dtype)
    for k in range(len(w)):
        {line}
    return y
"""


@pytest.mark.parametrize(
    ("create", "line", "words"),
    [
        ("zeros", "y += x[:, k][:, None] * w[k]", "NumPy computes with several numbers at once"),
        (
            "zeros",
            "\n        ".join(f"y[{r}, {v}] += x[{r}, k] * w[k, {v}]" for r in range(4) for v in range(2)),
            "a number is loaded a second time",
        ),
        ("empty", "y[:] = x[:, :2]", "wrong"),
    ],
    ids=["whole columns", "loaded for each sum", "a part of x"],
)
def test_an_answer_that_loads_too_often_gets_the_verdict_of_its_own_check(create, line, words, tmp_path):
    row = grade_one(tmp_path, BLOCK.format(create=create, line=line), "register_block", seconds=60.0)
    verdict = verdict_on(read_submission(tmp_path / "learner.py").answers["register_block"])
    assert (row.outcome, row.sentence, row.cause) == (verdict.outcome, verdict.sentence, verdict.cause or "")
    assert not row.passed and words in row.sentence


@pytest.mark.compiled
def test_an_answer_that_loads_each_number_once_passes(tmp_path):
    assert grade_one(tmp_path, solution("register_block"), "register_block", seconds=60.0).outcome == "passed"


IN_PARALLEL = """import numpy as np
from numba import prange
def pixel_index(x, y, height, width):
    index, row = np.empty(len(x), x.dtype), np.zeros(1, x.dtype)
    for k in prange(len(x)):
        {line}
    return index
"""


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("index[k] = y[k] * width + x[k]", "passed"),
        ("index[k] = eval('y[k]') * width + x[k]", "not compiled"),
        ("row[0] = y[k] * width; index[k] = row[0] + x[k]", "depends on threads"),
    ],
)
def test_compiled_answers_get_the_verdict_of_their_own_check(line, outcome, tmp_path, monkeypatch):
    monkeypatch.setattr(get("pixel_index"), "compiled", True)
    row = grade_one(tmp_path, IN_PARALLEL.format(line=line), "pixel_index", seconds=60.0)
    verdict = verdict_on(read_submission(tmp_path / "learner.py").answers["pixel_index"])
    assert (row.outcome, row.sentence) == (verdict.outcome, verdict.sentence) and row.outcome == outcome


@POSIX
def test_links_and_pipes_cost_only_their_own_rows(tmp_path):
    (tmp_path / "gone.py").symlink_to("nowhere.py")
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "endless.py").symlink_to("/dev/zero")
    (tmp_path / "right.py").write_text(solution("add_coords"))
    rows = graded(tmp_path, "add_coords")
    outcomes = {learner: row.outcome for (learner, _), row in rows.items()}
    assert outcomes == {"gone": NOT_READABLE, "pipe": NOT_READABLE, "endless": NOT_READABLE, "right": "passed"}
    assert "gone.py is a link, which is not followed" in rows["gone", "add_coords"].sentence
    assert "pipe.py is not a regular file" in rows["pipe", "add_coords"].sentence


def test_a_suffix_may_be_in_upper_case(tmp_path):
    (tmp_path / "carl.PY").write_text(solution("add_coords"))
    (tmp_path / "dora").mkdir()
    (tmp_path / "dora" / "LESSON05.PY").write_text(solution("add_coords"))
    assert [row.passed for row in graded(tmp_path, "add_coords").values()] == [True, True]


def test_subfolders_are_named_where_an_answer_is_missing(tmp_path):
    (tmp_path / "bob" / "inner").mkdir(parents=True)
    (tmp_path / "bob" / "inner" / "lesson05.py").write_text(solution("add_coords"))
    assert graded(tmp_path, "add_coords")["bob", "add_coords"].sentence.endswith("Subfolders are not read: inner.")


@POSIX
def test_files_that_are_not_read_are_named_where_an_answer_is_missing(tmp_path):
    (tmp_path / "bob").mkdir()
    (tmp_path / "bob" / "lesson05.py").symlink_to("elsewhere.py")
    (tmp_path / "bob" / "lesson05.zip").touch()
    (tmp_path / "bob" / "notes.py").touch()
    with (tmp_path / "bob" / "huge.ipynb").open("wb") as file:
        file.truncate(50 * 2**20 + 1)
    sentence = graded(tmp_path, "add_coords")["bob", "add_coords"].sentence
    assert sentence.endswith("Not read: huge.ipynb (over 50 MB), lesson05.py (a link), lesson05.zip.")
