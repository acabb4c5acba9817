"""Summaries of a class: points of each student and lesson, and how each exercise went."""

import csv
from datetime import timedelta

from graded_outcomes import NOON, outcome

from minicoord.learn.marks.outcomes import exercises_of, students_of
from minicoord.learn.marks.scheme import Scheme
from minicoord.learn.marks.summaries import write_summaries

SCHEME = Scheme(due=NOON, late_percent=10, exercises={"im2col": 3.0}, weights={"1": 2.0})


def a_class():
    late = NOON + timedelta(days=1, hours=1)
    return [
        outcome("ben", "pixel_index", scheme=SCHEME),
        outcome("ben", "one_hot", False, cause="x and y are exchanged", scheme=SCHEME),
        outcome("ben", "im2col", saved=late, scheme=SCHEME),
        outcome("anna", "pixel_index", scheme=SCHEME),
        outcome("anna", "one_hot", False, cause="x and y are exchanged", scheme=SCHEME),
        outcome("anna", "im2col", False, outcome="not attempted", scheme=SCHEME),
        outcome("carl", "pixel_index", False, outcome="not readable", scheme=SCHEME),
        outcome("carl", "one_hot", False, cause="another mistake", scheme=SCHEME),
        outcome("carl", "im2col", False, outcome="timed out", scheme=SCHEME),
    ]


def read(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_students_and_exercises_become_a_file_each(tmp_path):
    paths = write_summaries(tmp_path / "grades.csv", a_class())
    assert [path.name for path in paths] == ["grades-students.csv", "grades-exercises.csv"]
    students, exercises = map(read, paths)
    assert [row["learner"] for row in students] == ["anna", "ben", "carl"]
    ben = students[1]
    # One point for lesson 0; 2 days have begun, so four fifths of three points.
    assert (ben["points"], ben["possible"], ben["percent"]) == ("3.4", "6", "56.7")
    assert (ben["lesson 0"], ben["lesson 1"], ben["lesson 2"]) == ("1", "0", "2.4")
    assert (ben["exercises"], ben["attempted"], ben["passed"], ben["late"]) == ("3", "3", "2", "lesson 2 by 2 days")
    assert students[2]["attempted"] == "2" and students[2]["late"] == "" and students[2]["percent"] == "0.0"
    one_hot = next(row for row in exercises if row["exercise"] == "one_hot")
    assert (one_hot["common mistake"], one_hot["made by"]) == ("x and y are exchanged", "2")
    assert (one_hot["lesson"], one_hot["learners"], one_hot["passed"], one_hot["percent"]) == ("1", "3", "0", "0.0")
    im2col = next(row for row in exercises if row["exercise"] == "im2col")
    assert (im2col["attempted"], im2col["passed"], im2col["common mistake"], im2col["made by"]) == ("2", "1", "", "")


def test_outcomes_stand_in_the_order_of_the_course():
    shuffled = a_class()[::-1]
    assert [student.name for student in students_of(shuffled)] == ["anna", "ben", "carl"]
    assert [row.exercise for row in students_of(shuffled)[0].outcomes] == ["pixel_index", "one_hot", "im2col"]
    assert [row.exercise for row in exercises_of(shuffled)] == ["pixel_index", "one_hot", "im2col"]


def test_what_was_not_attempted_is_never_late():
    open_ = outcome("anna", "im2col", False, outcome="not attempted", saved=NOON + timedelta(days=9), scheme=SCHEME)
    assert open_.days_late == 0


def test_of_mistakes_that_are_equally_common_the_first_in_the_alphabet_is_named():
    rows = [
        outcome(name, "im2col", False, cause=cause) for name, cause in (("a", "z"), ("b", "b"), ("c", "b"), ("d", "z"))
    ]
    assert exercises_of(rows)[0].mistake == "b"
