"""``minicoord learn grade``: its messages, its exit codes and the table that it writes."""

import sys

from graded_rows import POSIX
from typer.testing import CliRunner

from minicoord.learn.definition.course import COURSE
from minicoord.learn.doors.terminal import learn
from minicoord.learn.grading.class_folder import submissions_in
from minicoord.learn.grading.grade import grade_folder
from minicoord.learn.grading.grading_command import write_table


def test_unusable_arguments_end_the_command_before_it_starts(tmp_path):
    (tmp_path / "nobody").mkdir()
    (tmp_path / "hidden.toml").write_text("seeds = 3")
    (tmp_path / "anna.py").write_text("")
    for arguments, words in (
        ([str(tmp_path / "nobody")], "no submission"),
        ([str(tmp_path / "missing")], "is not a folder"),
        ([str(tmp_path), "--lesson", "9"], "no lesson 9"),
        ([str(tmp_path), "--hidden", str(tmp_path / "hidden.toml")], "expected a list"),
        ([str(tmp_path), "--out", str(tmp_path / "missing" / "grades.csv")], "no folder"),
        ([str(tmp_path), "--out", str(tmp_path)], "is a folder, expected a file name"),
        ([str(tmp_path), "--seconds", "inf"], "expected a finite number"),
    ):
        result = CliRunner().invoke(learn, ["grade", *arguments])
        assert result.exit_code == 2
        assert words in " ".join(result.output.replace("\u2502", " ").split())


def test_an_interrupt_keeps_what_has_been_graded(tmp_path, monkeypatch):
    from minicoord.learn.grading import grade as grading

    def interrupted(*arguments, **options):
        yield next(grade_folder(*arguments, **options))
        raise KeyboardInterrupt

    monkeypatch.setattr(grading, "grade_folder", interrupted)
    for name in ("anna.py", "ben.py", "ben.ipynb"):
        (tmp_path / name).touch()
    out = tmp_path / "grades.csv"
    result = CliRunner().invoke(learn, ["grade", str(tmp_path), "--lesson", "8", "--out", str(out), "--seconds", "60"])
    assert result.exit_code == 130
    assert "interrupted; 1 of 3 learners graded" in result.output
    exercises = len(COURSE[8])
    assert [line.split(",")[0] for line in out.read_text("utf-8").splitlines()] == ["learner", *["anna"] * exercises]
    # 3 learners, a minute to read each submission, and 3 minutes for each answer, all of which are compiled
    assert f"learners: 3, exercises: {exercises}, minutes: at most {3 * (1 + 3 * exercises)} (" in result.output
    assert "ben.py counts as a separate learner" in result.output


def test_a_learner_is_the_name_of_a_folder_or_file(tmp_path):
    for name in ("anna.py", "ben.ipynb", ".hidden.py", "readme.txt"):
        (tmp_path / name).touch()
    for name in ("anna", "carla smith", "__pycache__", ".git"):
        (tmp_path / name).mkdir()
    assert list(submissions_in(tmp_path)) == ["anna", "anna.py", "ben", "carla smith"]


def test_no_cell_of_the_table_is_a_formula(tmp_path):
    (tmp_path / "=1+1.py").touch()
    write_table(tmp_path / "grades.csv", next(grade_folder(tmp_path, ["im2col"])))
    assert (tmp_path / "grades.csv").read_text("utf-8").splitlines()[1].startswith("'=1+1,2,im2col,not attempted,False")


ODD_NAME = "carl\udcff" if sys.platform.startswith("linux") else "carl"


@POSIX
def test_unprintable_text_does_not_break_the_table(tmp_path):
    (tmp_path / f"{ODD_NAME}.py").write_text(
        "def im2col(*a):\n    raise ValueError('half a pair \\udcff, \\x1b[31m, \\0')\n"
    )
    (tmp_path / "\t=1+1.py").touch()
    write_table(tmp_path / "grades.csv", [row for rows in grade_folder(tmp_path, ["im2col"]) for row in rows])
    _, formula, odd = (tmp_path / "grades.csv").read_text("utf-8").splitlines()
    assert formula.startswith("'=1+1,")
    assert odd.startswith(ascii(ODD_NAME)[1:-1]) and "half a pair \\udcff, \\x1b[31m, \\x00" in odd


def test_a_table_that_cannot_be_written_gets_another_name(tmp_path, monkeypatch):
    from minicoord.learn.grading import grading_command

    def held_open(path, rows):
        if path.name == "grades.csv":
            raise PermissionError(13, "Permission denied")
        write_table(path, rows)

    monkeypatch.setattr(grading_command, "write_table", held_open)
    (tmp_path / "anna.py").touch()
    (tmp_path / "dora.zip").touch()
    arguments = ["grade", str(tmp_path), "--lesson", "0", "--out", str(tmp_path / "grades.csv")]
    result = CliRunner().invoke(learn, arguments)
    assert result.exit_code == 0, result.output
    assert "grades-2.csv" in result.output and "grades.csv cannot be written: Permission denied" in result.output
    assert "not graded: dora.zip" in result.output
    assert "anna,0," in (tmp_path / "grades-2.csv").read_text("utf-8")
