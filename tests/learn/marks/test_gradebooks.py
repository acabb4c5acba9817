"""Files for Moodle and Canvas: their columns, their users, and what stands in them."""

import csv
from datetime import timedelta

import pytest
from graded_outcomes import NOON, outcome

from minicoord.learn.marks.gradebooks import feedback_line, name_of_lesson, write_gradebooks
from minicoord.learn.marks.roster import RosterError, read_roster
from minicoord.learn.marks.scheme import Scheme

SCHEME = Scheme(due=NOON, exercises={"im2col": 3.0})
CLASS = [
    outcome("anna", "pixel_index", scheme=SCHEME),
    outcome("anna", "im2col", False, scheme=SCHEME),
    outcome("anna", "conv_product", saved=NOON + timedelta(hours=1), scheme=SCHEME),
    outcome("=ben", "pixel_index", False, outcome="not attempted", scheme=SCHEME),
    outcome("=ben", "im2col", scheme=SCHEME),
    outcome("=ben", "conv_product", scheme=SCHEME),
]
ROSTER = (
    "submission,Student,ID,SIS Login ID,Section,Email address\n"
    'anna,"Arm, Anna",17,aarm,A,anna@school.example\n=ben,Ben,18,ben,A,ben@school.example\n'
    "carl,Carl,19,carl,B,carl@s.example\n"
)


def rows_of(path):
    content = path.read_bytes()
    assert not content.startswith(b"\xef\xbb\xbf"), "Canvas would take a byte order mark for a part of the first name"
    return list(csv.reader(content.decode("utf-8").splitlines()))


def roster_file(tmp_path, text=ROSTER):
    path = tmp_path / "roster.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_canvas_gets_points_and_how_many_are_possible(tmp_path):
    canvas, _ = write_gradebooks(tmp_path / "grades.csv", CLASS, read_roster(roster_file(tmp_path)))
    head, possible, *students = rows_of(canvas)
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "minicoord 00 Start here", LESSON_2]
    assert possible == ["Points Possible", "", "", "", "", "1", "4"]
    assert students[1] == ["Arm, Anna", "17", "", "aarm", "A", "1", "1"]
    assert students[0] == ["Ben", "18", "", "ben", "A", "0", "4"]
    assert students[2] == ["Carl", "19", "", "carl", "B", "0", "0"], "who handed in nothing is there, with nothing"


LESSON_2 = name_of_lesson("2")


def test_moodle_gets_percent_and_feedback(tmp_path):
    _, moodle = write_gradebooks(tmp_path / "grades.csv", CLASS, read_roster(roster_file(tmp_path)))
    head, *students = rows_of(moodle)
    assert head[0] == "Email address" and head[3:5] == [LESSON_2, f"{LESSON_2} (feedback)"]
    anna = next(row for row in students if row[0] == "anna@school.example")
    assert anna[1:4] == ["100.00", "1 of 1 exercises passed", "25.00"]
    assert anna[4] == "1 of 2 exercises passed; not yet right: im2col; late by 1 day"
    assert anna[5] == "40.00"
    carl = next(row for row in students if row[0] == "carl@s.example")
    assert carl[1:3] == ["0.00", "nothing was submitted"]


def test_without_a_roster_the_name_of_the_submission_is_the_login(tmp_path):
    canvas, moodle = map(rows_of, write_gradebooks(tmp_path / "grades.csv", CLASS))
    assert [row[3] for row in canvas[2:]] == ["'=ben", "anna"]
    assert moodle[0][0] == "Username" and [row[0] for row in moodle[1:]] == ["'=ben", "anna"]


def test_a_learner_who_is_not_in_the_roster_is_not_lost(tmp_path):
    only_anna = roster_file(tmp_path, "submission,Email address\nanna,anna@school.example\n")
    _, moodle = write_gradebooks(tmp_path / "grades.csv", CLASS, read_roster(only_anna))
    assert [row[0] for row in rows_of(moodle)[1:]] == ["'=ben", "anna@school.example"]


def test_a_line_of_feedback_names_what_is_open():
    rows = [outcome("ben", "pixel_index", False, outcome="not attempted"), outcome("ben", "one_hot", False)]
    assert feedback_line(rows) == "0 of 2 exercises passed; not yet right: one_hot; open: pixel_index"


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "is not a CSV file"),
        ("name,ID\nanna,1\n", "has the columns name, ID, expected one called submission"),
        ("submission,room\nanna,1\n", "identifies nobody, expected at least one of Student, ID"),
        ("submission,ID\nanna\n", "line 2 has 1 cells, expected 2"),
        ("submission,ID\nanna,1\nanna,2\n", "line 3 names the submission 'anna' a second time"),
    ],
)
def test_a_roster_that_cannot_be_used_is_refused_in_a_sentence(tmp_path, text, words):
    with pytest.raises(RosterError) as caught:
        read_roster(roster_file(tmp_path, text))
    assert words in str(caught.value)


def test_a_missing_roster_is_told(tmp_path):
    with pytest.raises(RosterError, match="cannot be read: No such file"):
        read_roster(tmp_path / "none.csv")
