"""``minicoord lessons DIR``: every notebook arrives, and what a learner wrote is never lost."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from minicoord.app import lessons as command
from minicoord.app.cli import app


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two lessons, as an installation has it."""
    folder = tmp_path / "installed"
    (folder / "solutions").mkdir(parents=True)
    for name in ("00_start.ipynb", "01_next.ipynb", "README.md", "solutions/00_start.ipynb"):
        (folder / name).write_text(f"the original of {name}", encoding="utf-8")
    monkeypatch.setattr(command, "lessons_folder", lambda: folder)
    return folder


def ask(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["lessons", *map(str, arguments)], env={"COLUMNS": "300"})
    return done.exit_code, done.output


def in_one_line(output: str) -> str:
    """The words of an error box, which breaks long names anywhere, on one line."""
    return " ".join(output.replace("│", " ").split())


def test_the_student_notebooks_arrive_in_a_new_folder(course: Path, tmp_path: Path):
    code, output = ask(tmp_path / "my" / "course")
    assert code == 0
    assert [path.name for path in sorted((tmp_path / "my" / "course").rglob("*"))] == [
        "00_start.ipynb",
        "01_next.ipynb",
    ]
    assert "jupyter lab" in output and "00_start.ipynb" in output.splitlines()[-1]


def test_work_of_a_learner_is_kept_and_reported(course: Path, tmp_path: Path):
    mine = tmp_path / "mine"
    ask(mine)
    (mine / "01_next.ipynb").write_text("my answers", encoding="utf-8")
    code, output = ask(mine)
    assert code == 0
    assert (mine / "01_next.ipynb").read_text(encoding="utf-8") == "my answers"
    assert "00_start.ipynb: there already" in output
    assert "01_next.ipynb: kept" in output and "--fresh" in output


def test_fresh_copies_keep_every_version_of_the_learner(course: Path, tmp_path: Path):
    mine = tmp_path / "mine"
    ask(mine)
    for words in ("first answers", "second answers"):
        (mine / "01_next.ipynb").write_text(words, encoding="utf-8")
        code, output = ask(mine, "--fresh")
        assert code == 0
        assert (mine / "01_next.ipynb").read_text(encoding="utf-8") == "the original of 01_next.ipynb"
    assert (mine / "01_next-yours.ipynb").read_text(encoding="utf-8") == "first answers"
    assert (mine / "01_next-yours-2.ipynb").read_text(encoding="utf-8") == "second answers"
    assert "01_next-yours-2.ipynb" in output


def test_a_file_in_place_of_the_folder_is_named(course: Path, tmp_path: Path):
    (tmp_path / "note").write_text("", encoding="utf-8")
    code, output = ask(tmp_path / "note")
    assert code == 2
    assert "it is a file, wanted a folder" in in_one_line(output)


PIPES = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")


@PIPES
@pytest.mark.parametrize("options", [[], ["--fresh"]])
@pytest.mark.parametrize("what", ["a pipe", "a folder", "a link to a name that does not exist"])
def test_what_is_not_a_notebook_keeps_its_place_and_is_named(course: Path, tmp_path: Path, what: str, options):
    place = tmp_path / "mine" / "00_start.ipynb"
    place.parent.mkdir()
    make = {"a pipe": os.mkfifo, "a folder": os.mkdir}.get(what, lambda path: path.symlink_to("missing"))
    make(place)
    before = place.lstat()
    code, output = ask(tmp_path / "mine", *options)
    assert code == 2
    assert f"00_start.ipynb is {what}, wanted a regular file or a name that is free" in in_one_line(output)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["00_start.ipynb"]
    assert (place.lstat().st_mode, place.lstat().st_ino) == (before.st_mode, before.st_ino)


def test_a_link_that_leads_nowhere_does_not_count_as_a_free_name(course: Path, tmp_path: Path):
    mine = tmp_path / "mine"
    ask(mine)
    (mine / "01_next.ipynb").write_text("my answers", encoding="utf-8")
    try:
        (mine / "01_next-yours.ipynb").symlink_to("missing")
    except OSError:
        pytest.skip("this system makes no links for this user")
    ask(mine, "--fresh")
    assert (mine / "01_next-yours.ipynb").is_symlink()
    assert (mine / "01_next-yours-2.ipynb").read_text(encoding="utf-8") == "my answers"


def test_an_installation_without_notebooks_says_so(course: Path, tmp_path: Path):
    for notebook in course.glob("*.ipynb"):
        notebook.unlink()
    code, output = ask(tmp_path / "mine")
    assert code == 1 and "there is no notebook" in output
    assert not (tmp_path / "mine").exists()


@pytest.fixture
def teaching(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The course with real notebooks, a page for teachers, and a rubric."""
    ask = "## To think about\n\n<details><summary>1. Why?</summary>\n\nBecause.\n\n</details>"
    for name in ("00_start.ipynb", "01_next.ipynb", "solutions/00_start.ipynb"):
        cells = [
            {"cell_type": "markdown", "id": f"c{k}", "metadata": {}, "source": text}
            for k, text in enumerate(("# 00 · A", ask))
        ]
        (course / name).write_text(json.dumps({"cells": cells}), encoding="utf-8")
    (course / "TEACHING.md").write_text("# For teachers", encoding="utf-8")
    folder = tmp_path / "teaching"
    folder.mkdir()
    (folder / "conventions.md").write_text("# Conventions", encoding="utf-8")
    (folder / "rubric.toml").write_text("general = ['a claim']\nquestion = []\n", encoding="utf-8")
    monkeypatch.setattr(command, "teaching_folder", lambda: folder)
    return folder


@pytest.mark.parametrize("option", [["--teacher"], ["--for", "teacher"]])
def test_the_teachers_edition_arrives_and_what_was_changed_in_it_is_kept(teaching: Path, tmp_path: Path, option):
    code, output = ask(tmp_path / "pack", *option)
    assert code == 0, output
    names = {
        path.relative_to(tmp_path / "pack").as_posix() for path in (tmp_path / "pack").rglob("*") if path.is_file()
    }
    assert {"00_start.ipynb", "solutions/00_start.ipynb", "TEACHING.md", "teaching/conventions.html"} <= names
    assert {"teaching/slides/00_start.html", "teaching/slides/01_next.html", "teaching/answer_key.md"} <= names
    assert "Because." in (tmp_path / "pack" / "teaching" / "answer_key.md").read_text(encoding="utf-8")
    mine = tmp_path / "pack" / "teaching" / "conventions.md"
    mine.write_text("mine", encoding="utf-8")
    _, output = ask(tmp_path / "pack", *option)
    assert mine.read_text(encoding="utf-8") == "mine" and "conventions.md: kept" in output


def test_the_students_edition_has_room_for_answers_and_a_wheel(teaching: Path, tmp_path: Path, monkeypatch):
    from minicoord.learn.teaching import student_wheel

    def fake(folder: Path) -> Path:
        (folder / "minicoord.whl").touch()
        return folder / "minicoord.whl"

    monkeypatch.setattr(student_wheel, "write_student_wheel", fake)
    code, output = ask(tmp_path / "handout", "--for", "student")
    assert code == 0 and 'pip install "minicoord.whl[lessons]"' in output, output
    names = sorted(path.relative_to(tmp_path / "handout").as_posix() for path in (tmp_path / "handout").rglob("*.*"))
    assert names == ["00_start.ipynb", "01_next.ipynb", "install/minicoord.whl"]
    text = (tmp_path / "handout" / "00_start.ipynb").read_text(encoding="utf-8")
    assert "*Your answer:*" in text and "Because" not in text


def test_options_that_contradict_each_other_are_refused(course: Path, tmp_path: Path):
    code, output = ask(tmp_path / "mine", "--for", "student", "--teacher")
    assert code == 2 and "it contradicts --for student" in in_one_line(output) and not (tmp_path / "mine").exists()
    code, output = ask(tmp_path / "mine", "--for", "parents")
    assert code == 2 and "teacher" in output


def test_an_installation_of_students_has_no_pages_for_teachers(teaching: Path, tmp_path: Path, monkeypatch):
    def missing() -> Path:
        raise FileNotFoundError("this installation has no pages for teachers, because it is one for students")

    monkeypatch.setattr(command, "teaching_folder", missing)
    code, output = ask(tmp_path / "pack", "--teacher")
    assert code == 1 and "no pages for teachers" in output
