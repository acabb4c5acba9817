"""``minicoord lessons DIR``: every notebook arrives, and what a learner wrote is never lost."""

from __future__ import annotations

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
    done = CliRunner().invoke(app, ["lessons", *map(str, arguments)])
    return done.exit_code, done.output


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
    assert "it is a file, wanted a folder" in " ".join(output.replace("│", " ").split())


def test_an_installation_without_notebooks_says_so(course: Path, tmp_path: Path):
    for notebook in course.glob("*.ipynb"):
        notebook.unlink()
    code, output = ask(tmp_path / "mine")
    assert code == 1 and "there is no notebook" in output
    assert not (tmp_path / "mine").exists()
