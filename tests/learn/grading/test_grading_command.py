"""``minicoord learn grade``: its messages, its exit codes and the table that it writes."""

import codecs
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from graded_rows import POSIX, has_ended, solution
from typer.testing import CliRunner

from minicoord.learn.definition.course import COURSE
from minicoord.learn.doors.terminal import learn
from minicoord.learn.grading.class_folder import submissions_in
from minicoord.learn.grading.grade import grade_folder
from minicoord.learn.grading.row import Row
from minicoord.learn.grading.table import name_cell, read_table, row_cells, write_table


def test_unusable_arguments_end_the_command_before_it_starts(tmp_path):
    (tmp_path / "nobody").mkdir()
    (tmp_path / "hidden.toml").write_text("seeds = 3")
    (tmp_path / "anna.py").write_text("")
    for arguments, words in (
        ([str(tmp_path / "nobody")], "no submission"),
        ([str(tmp_path / "missing")], "is not a folder"),
        ([str(tmp_path), "--lesson", "99"], "no lesson 99"),
        ([str(tmp_path), "--hidden", str(tmp_path / "hidden.toml")], "expected a list"),
        ([str(tmp_path), "--out", str(tmp_path / "missing" / "grades.csv")], "no folder"),
        ([str(tmp_path), "--out", str(tmp_path)], "is a folder, expected a file name"),
        ([str(tmp_path), "--seconds", "inf"], "expected a finite number"),
        ([str(tmp_path), "--scheme", str(tmp_path / "hidden.toml")], "has the entry 'seeds', which is unknown"),
        ([str(tmp_path), "--scheme", str(tmp_path / "none.toml")], "cannot be read: No such file"),
        ([str(tmp_path), "--roster", str(tmp_path / "hidden.toml")], "expected one called submission"),
        ([str(tmp_path), "--feedback", str(tmp_path / "pages")], "lies in SUBMISSIONS"),
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
    arguments = ["grade", str(tmp_path), "--lesson", "8", "--out", str(out), "--seconds", "60", "--workers", "1"]
    result = CliRunner().invoke(learn, arguments)
    assert result.exit_code == 130
    assert "interrupted; 1 of 3 learners graded" in result.output
    exercises = len(COURSE[8])
    names = [line.split(",")[0] for line in out.read_text("utf-8-sig").splitlines()]
    assert names == ["learner", *["anna"] * exercises]
    # 3 learners, a minute to read each submission, and 3 minutes for each answer, all of which are compiled
    assert f"learners: 3, exercises: {exercises}, minutes: at most {3 * (1 + 3 * exercises)} (" in result.output
    assert "ben.py counts as a separate learner" in result.output


def test_a_learner_is_the_name_of_a_folder_or_file(tmp_path):
    for name in ("anna.py", "ben.ipynb", ".hidden.py", "readme.txt"):
        (tmp_path / name).touch()
    for name in ("anna", "carla smith", "__pycache__", ".git"):
        (tmp_path / name).mkdir()
    assert list(submissions_in(tmp_path)) == ["anna", "anna.py", "ben", "carla smith"]


def test_every_archive_gets_a_row_of_its_own(tmp_path):
    for name in ("anna.py", "anna.zip", "ben.zip", "ben.7z", "ben.RAR"):
        (tmp_path / name).touch()
    assert {name: path.name for name, path in submissions_in(tmp_path).items()} == {
        "anna": "anna.py",
        "ben": "ben.7z",
        "ben.RAR": "ben.RAR",
        "ben.zip": "ben.zip",
    }


def rows_of(folder, *ids):
    return [row for rows in grade_folder(folder, ids) for row in rows if isinstance(row, Row)]


def test_no_cell_of_the_table_is_a_formula(tmp_path):
    (tmp_path / "=1+1.py").touch()
    write_table(tmp_path / "grades.csv", map(row_cells, rows_of(tmp_path, "im2col")))
    assert (
        (tmp_path / "grades.csv")
        .read_text("utf-8-sig")
        .splitlines()[1]
        .startswith("'=1+1,2,im2col,not attempted,False")
    )


ODD_NAME = "carl\udcff" if sys.platform.startswith("linux") else "carl"


@POSIX
def test_unprintable_text_does_not_break_the_table(tmp_path):
    (tmp_path / f"{ODD_NAME}.py").write_text(
        "def im2col(*a):\n    raise ValueError('half a pair \\udcff, \\x1b[31m, \\0')\n"
    )
    (tmp_path / "\t=1+1.py").touch()
    write_table(tmp_path / "grades.csv", map(row_cells, rows_of(tmp_path, "im2col")))
    _, formula, odd = (tmp_path / "grades.csv").read_text("utf-8-sig").splitlines()
    assert formula.startswith("'\t=1+1,")
    assert odd.startswith(ascii(ODD_NAME)[1:-1]) and "half a pair \\udcff, \\x1b[31m, \\x00" in odd


def test_a_table_that_cannot_be_written_gets_another_name(tmp_path, monkeypatch):
    from minicoord.learn.grading import table
    from minicoord.learn.marks import gradebooks, summaries  # they import write_table, which is not theirs to lose

    def held_open(path, *of_the_table):
        if path.name == "grades.csv":
            raise PermissionError(13, "Permission denied")
        write_table(path, *of_the_table)

    assert summaries.write_table is write_table and gradebooks

    monkeypatch.setattr(table, "write_table", held_open)
    (tmp_path / "anna.py").touch()
    (tmp_path / "dora.txt").touch()
    arguments = ["grade", str(tmp_path), "--lesson", "0", "--out", str(tmp_path / "grades.csv")]
    result = CliRunner().invoke(learn, arguments)
    assert result.exit_code == 0, result.output
    assert "grades-2.csv" in result.output and "grades.csv cannot be written: Permission denied" in result.output
    assert "not graded: dora.txt" in result.output
    assert "anna,0," in (tmp_path / "grades-2.csv").read_text("utf-8-sig")
    assert (tmp_path / "grades-2.csv").read_bytes().startswith(codecs.BOM_UTF8), "without it Excel takes UTF-8 for ANSI"


NAMES = [
    "=1+1",
    "'=1+1",
    " =1+1",
    "\u200b@a",
    "\uff1da",
    "|a",
    "%a",
    "two  spaces",
    "two spaces",
    "a\nb",
    "a b",
    "-",
    "",
    "\x1b",
]


def test_names_are_kept_and_no_two_become_the_same():
    cells = [name_cell(name) for name in NAMES]
    assert len(set(cells)) == len(NAMES)
    assert [cell[1:] == name for name, cell in zip(NAMES[:7], cells, strict=False)] == [True] * 7
    assert cells[7:11] == NAMES[7:11] and name_cell("anna=1") == "anna=1"


HANGING = "import os, time\nopen({pid!r}, 'w').write(str(os.getpid()))\nos.mkdir('d')\ntime.sleep(600)\n"


@POSIX
@pytest.mark.parametrize("number", [signal.SIGTERM, getattr(signal, "SIGHUP", None)])
def test_every_signal_ends_the_command_and_keeps_what_has_been_graded(number, tmp_path):
    for folder in ("class", "tmp"):
        (tmp_path / folder).mkdir()
    pid = tmp_path / "pid"
    (tmp_path / "class" / "anna.py").touch()
    (tmp_path / "class" / "ben.py").write_text(HANGING.format(pid=str(pid)) + solution("pixel_index"))
    out = tmp_path / "grades.csv"
    root = str(Path(__file__).resolve().parents[3])
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "minicoord",
            "learn",
            "grade",
            "class",
            "--lesson",
            "0",
            "--out",
            str(out),
            "--workers",
            "1",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root, "TMPDIR": str(tmp_path / "tmp")},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: [signal.signal(each, signal.SIG_DFL) for each in (signal.SIGINT, signal.SIGHUP)],
    )
    while process.poll() is None and not (pid.exists() and pid.read_text()):
        time.sleep(0.02)
    assert [row[0] for row in read_table(out)] == ["anna"]
    process.send_signal(number)
    printed, said = process.communicate(timeout=60)
    assert process.returncode == 128 + number, said
    assert "interrupted; 1 of 2 learners graded" in said and "grades.csv, 1 rows" in printed
    assert has_ended(int(pid.read_text()))
    assert list((tmp_path / "tmp").iterdir()) == []


@POSIX
def test_answers_end_with_a_command_that_is_killed(tmp_path):
    code = (
        "import pathlib, sys\nfrom minicoord.learn.grading.limits import run_limited\n"
        "run_limited([sys.executable, '-c', sys.argv[1]], pathlib.Path('.'), {}, 600.0)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, HANGING.format(pid="pid")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
    )
    pid = tmp_path / "pid"
    while process.poll() is None and not (pid.exists() and pid.read_text()):
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert has_ended(int(pid.read_text()))
