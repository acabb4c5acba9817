"""Forty generated students, graded by one command: right outcomes, summaries and pages, in minutes."""

import csv
import time

import pytest
from generated_class import write_class
from typer.testing import CliRunner

from minicoord.learn.definition.course import exercise_ids
from minicoord.learn.doors.terminal import learn

STUDENTS = 40
MOST_SECONDS = 600
"""On two cores that have nothing else to do."""


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.timeout(3600)
def test_forty_students_get_tables_summaries_and_pages(tmp_path):
    wanted = write_class(tmp_path / "class", STUDENTS)
    out, pages = tmp_path / "grades.csv", tmp_path / "pages"
    arguments = ["grade", str(tmp_path / "class"), "--out", str(out), "--feedback", str(pages), "--seconds", "60"]
    began = time.perf_counter()
    result = CliRunner().invoke(learn, arguments)
    seconds = time.perf_counter() - began
    assert result.exit_code == 0, result.output
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == STUDENTS * len(exercise_ids())
    outcomes = {"right": "passed", "open": "not attempted"}
    for row in rows:
        what = wanted[row["learner"]][row["exercise"]]
        assert row["outcome"] == outcomes.get(what, row["outcome"]), row
        assert (row["outcome"] == "passed") == (what == "right"), row
    with (tmp_path / "grades-exercises.csv").open(encoding="utf-8-sig", newline="") as file:
        assert sum(bool(row["common mistake"]) for row in csv.DictReader(file)) > len(exercise_ids()) / 2
    assert len(list(pages.iterdir())) == STUDENTS
    print(f"{STUDENTS} students, {len(rows)} rows: {seconds:.0f} seconds")
    began = time.perf_counter()
    again = CliRunner().invoke(learn, [*arguments, "--resume"])
    assert again.exit_code == 0 and f"{len(exercise_ids())} kept" in again.output and "0 of them new" in again.output
    print(f"again, with nothing changed: {time.perf_counter() - began:.1f} seconds")
    assert seconds < MOST_SECONDS
