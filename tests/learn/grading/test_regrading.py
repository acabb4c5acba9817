"""Grading again touches only what has changed, and says so; nothing of an earlier table is lost by an interrupt."""

import json
import os
import time

import pytest
from graded_rows import solution
from typer.testing import CliRunner

from minicoord.learn.definition.course import get
from minicoord.learn.definition.exercise import Case
from minicoord.learn.doors.terminal import learn
from minicoord.learn.grading.fingerprint import digest_of_task, fingerprint
from minicoord.learn.grading.grade import grade_folder, visible_cases
from minicoord.learn.grading.row import Kept, Known, Row
from minicoord.learn.grading.table import COLUMNS, OF_AN_ANSWER, Table, name_cell, read_table, row_cells, write_table

IDS = ("draw_square", "one_hot")
WRONG = "def one_hot(*args):\n    return None\n"


def grade(folder, known=None, ids=IDS, **options):
    """What is graded anew, and what is kept, by learner and exercise; and what is known of both afterwards."""
    new, kept, table = {}, {}, {}
    for rows in grade_folder(folder, ids, known=known, **{"seconds": 120.0, **options}):
        name = rows[0].learner
        table[name] = dict((known or {}).get(name, {}))
        for row in rows:
            (new if isinstance(row, Row) else kept)[name, row.exercise] = row
            if isinstance(row, Row):
                table[name][row.exercise] = Known(row.outcome, row.fingerprint, row.saved)
            elif isinstance(row, Kept):
                there = table[name][row.exercise]
                table[name][row.exercise] = type(there)(there.outcome, row.fingerprint, there.saved)
    return new, kept, table


def notebook(*sources):
    cells = [{"cell_type": "code", "metadata": {}, "source": source} for source in sources]
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


@pytest.fixture
def class_folder(tmp_path):
    folder = tmp_path / "class"
    folder.mkdir()
    (folder / "anna.ipynb").write_text(notebook(solution("draw_square"), WRONG))
    (folder / "ben.py").write_text(solution("draw_square") + solution("one_hot"))
    return folder


def test_what_has_not_changed_is_kept_without_running(class_folder):
    new, kept, known = grade(class_folder)
    assert len(new) == 4 and not kept
    new, kept, again = grade(class_folder, known)
    assert not new and len(kept) == 4 and again == known


def test_of_a_notebook_only_the_cell_that_changed_is_graded(class_folder):
    _, _, known = grade(class_folder)
    (class_folder / "anna.ipynb").write_text(notebook(solution("draw_square"), solution("one_hot")))
    new, kept, known = grade(class_folder, known)
    assert [row.passed for row in new.values()] == [True] and set(new) == {("anna", "one_hot")}
    assert ("anna", "draw_square") in kept
    new, kept, _ = grade(class_folder, known)
    assert not new, "the fingerprint of what was kept covers the new file"


def test_a_file_that_was_only_saved_again_is_kept_with_its_time(class_folder):
    new, _, known = grade(class_folder)
    saved = new["ben", "one_hot"].saved
    later = time.time() + 86400 * 3
    os.utime(class_folder / "ben.py", (later, later))
    new, _, known = grade(class_folder, known)
    assert not new and known["ben"]["one_hot"].saved == saved


def test_a_helper_beside_an_answer_counts(tmp_path):
    (tmp_path / "ben").mkdir()
    (tmp_path / "ben" / "lesson01.ipynb").write_text(
        notebook("from helper import one_hot\ndef one_hot(*args): 1", WRONG)
    )
    (tmp_path / "ben" / "helper.py").write_text("x = 1\n")
    _, _, known = grade(tmp_path)
    (tmp_path / "ben" / "helper.py").write_text("x = 2\n")
    new, _, _ = grade(tmp_path, known)
    assert ("ben", "one_hot") in new


def test_hidden_cases_grade_the_exercises_that_they_concern(class_folder):
    _, _, known = grade(class_folder)
    import numpy as np

    more = {"one_hot": [Case("hidden", (np.array([1]), np.array([2]), 5, 7))]}
    new, _, _ = grade(class_folder, known, hidden=lambda id: more.get(id, ()))
    assert set(new) == {("anna", "one_hot"), ("ben", "one_hot")}


def test_more_time_grades_those_that_ran_out_of_it(tmp_path):
    (tmp_path / "anna.py").write_text("import time\ndef one_hot(*args):\n    time.sleep(600)\n")
    new, _, known = grade(tmp_path, ids=("one_hot",), seconds=2.0)
    assert new["anna", "one_hot"].outcome == "timed out"
    assert not grade(tmp_path, known, ("one_hot",), seconds=2.0)[0]
    new, _, _ = grade(tmp_path, known, ("one_hot",), seconds=3.0)
    assert set(new) == {("anna", "one_hot")}


def test_an_exercise_that_was_changed_has_another_digest(monkeypatch):
    exercise = get("one_hot")
    cases = visible_cases(exercise)
    before = digest_of_task(exercise, cases)
    assert digest_of_task(exercise, visible_cases(exercise)) == before
    assert digest_of_task(exercise, cases[1:]) != before != digest_of_task(get("im2col"), cases)
    monkeypatch.setattr(exercise, "compiled", True)
    assert digest_of_task(exercise, cases) != before


def test_limits_count_where_one_was_met():
    def marks(outcome, seconds):
        return fingerprint("task", "all", "answer", outcome, (seconds, 4096))

    assert marks("timed out", 3.0) != marks("timed out", 4.0)
    assert marks("passed", 3.0) == marks("passed", 4.0)


# The table on the disk.


def table_of(path, *learners, ids=("pixel_index",), fingerprint="a-b"):
    rows = [Row(name, 0, id, "passed", True, 'a, "b"', "", 1.5, "", fingerprint) for name in learners for id in ids]
    write_table(path, map(row_cells, rows))


def test_a_table_is_read_for_those_who_are_still_there(tmp_path):
    table_of(tmp_path / "grades.csv", "=anna", "ben", ids=("pixel_index", "old"))
    table = Table(tmp_path / "grades.csv")
    known = table.resume(["=anna", "carl"])
    assert set(known) == {"=anna"} and set(known["=anna"]) == {"pixel_index"}, "an exercise that is gone is left out"
    table.write()
    assert [row[:3] for row in read_table(table.path)] == [("'=anna", "0", "pixel_index")]


def test_rows_of_other_lessons_stay(tmp_path):
    out = tmp_path / "grades.csv"
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "ben.py").write_text(solution("pixel_index"))
    arguments = ["grade", str(tmp_path / "class"), "--out", str(out), "--resume", "--lesson"]
    CliRunner().invoke(learn, [*arguments, "0"])
    result = CliRunner().invoke(learn, [*arguments, "1"])
    assert result.exit_code == 0, result.output
    assert [row[2] for row in read_table(out)] == ["pixel_index", "draw_square", "one_hot", "quadrant_split"]


def test_resume_grades_what_is_new_and_what_an_earlier_version_left_without_fingerprints(tmp_path):
    out = tmp_path / "grades.csv"
    for name in ("anna.py", "ben.py"):
        (tmp_path / name).touch()
    write_table(
        out, [(name, "0", "pixel_index", "passed", "True", "all", "", "1.5") for name in ("ben", "carl")], OF_AN_ANSWER
    )
    arguments = ["grade", str(tmp_path), "--lesson", "0", "--out", str(out), "--resume"]
    result = CliRunner().invoke(learn, arguments)
    assert "[2/2] ben: 0 of 1 passed" in result.output
    assert [row[:4:3] for row in read_table(out)] == [("anna", "not attempted"), ("ben", "not attempted")]
    assert "1 kept" in CliRunner().invoke(learn, arguments).output
    for content in ("", "a,b\n1,2\n", "\x00", ",".join(["learner"] * 8)):
        out.write_text(content)
        result = CliRunner().invoke(learn, arguments)
        assert result.exit_code == 2 and "not a table of grades" in " ".join(result.output.split())
        assert out.read_text() == content
    out.unlink()
    assert "there is no" in CliRunner().invoke(learn, arguments).output and len(read_table(out)) == 2


def test_another_scheme_changes_points_and_runs_nothing(tmp_path):
    out, scheme = tmp_path / "grades.csv", tmp_path / "marks.toml"
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "ben.py").write_text(solution("pixel_index"))
    arguments = ["grade", str(tmp_path / "class"), "--lesson", "0", "--out", str(out), "--resume"]
    CliRunner().invoke(learn, arguments)
    scheme.write_text("due = 2000-01-01\nlate_percent = 1\npoints = 4\n")
    result = CliRunner().invoke(learn, [*arguments, "--scheme", str(scheme), "--feedback", str(tmp_path / "pages")])
    assert result.exit_code == 0 and "1 kept" in result.output, result.output
    row = dict(zip(COLUMNS, read_table(out)[0], strict=True))
    assert (row["points"], row["possible"]) == ("0", "4") and int(row["late"]) > 9000
    assert "Late" in (tmp_path / "pages" / "ben.html").read_text(encoding="utf-8")
    assert (
        "1 pages, 0 of them new"
        in CliRunner()
        .invoke(learn, [*arguments, "--scheme", str(scheme), "--feedback", str(tmp_path / "pages")])
        .output
    )


def test_an_interrupt_while_grading_again_leaves_the_rows_that_were_there(tmp_path, monkeypatch):
    from minicoord.learn.grading import grade as grading

    def interrupted(*arguments, **options):
        yield next(grade_folder(*arguments, **options))
        raise KeyboardInterrupt

    out = tmp_path / "grades.csv"
    for name in ("anna.py", "ben.py"):
        (tmp_path / name).touch()
    table_of(out, "anna", "ben")
    monkeypatch.setattr(grading, "grade_folder", interrupted)
    result = CliRunner().invoke(learn, ["grade", str(tmp_path), "--lesson", "0", "--out", str(out), "--resume"])
    assert result.exit_code == 130
    assert [row[:4:3] for row in read_table(out)] == [("anna", "not attempted"), (name_cell("ben"), "passed")]
