"""Notebook and terminal give the same verdicts, and share one progress file."""

from __future__ import annotations

import json
import linecache
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from minicoord import learn
from minicoord.learn.checking.check import verdict_of
from minicoord.learn.definition.course import COURSE, get
from minicoord.learn.definition.exercise import Exercise
from minicoord.learn.doors import notebook
from minicoord.learn.doors.terminal import learn as terminal
from minicoord.learn.submissions.answer import verdict_on
from minicoord.learn.submissions.progress import FILE_NAME, read_progress
from minicoord.learn.submissions.submission import read_submission

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)  # a worker of pytest-xdist sets it, and sentences would be wrapped
    monkeypatch.setattr(notebook, "_passed", {})


def wrong_text(exercise: Exercise) -> str:
    """Return the source of an answer that makes the first common mistake of an exercise."""
    name = exercise.mistakes[0].function.__name__
    lines = f"from {exercise.solution.__module__} import {name}", "", "", f"def {exercise.id}(*args):"
    return "\n".join([*lines, f"    return {name}(*args)", ""])


def as_notebook(text: str, id: str) -> str:
    cell = {"cell_type": "code", "metadata": {"tags": ["exercise", id]}, "source": text, "outputs": []}
    return json.dumps({"cells": [cell], "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


@pytest.mark.parametrize("lesson", sorted(COURSE))
def test_one_right_and_one_wrong_answer_of_each_lesson(lesson: int):
    """The check in a notebook, a .py file, a notebook read from disk, and the command line give the same verdict."""
    id = COURSE[lesson][-1]
    exercise = get(id)
    for text, code in ((exercise.solution_text(), 0), (wrong_text(exercise), 1)):
        names: dict = {"__name__": "__main__"}  # as in a notebook
        # Jupyter keeps the text of a cell, so that a traceback can show its lines.
        linecache.cache["<cell>"] = len(text), None, text.splitlines(keepends=True), "<cell>"
        exec(compile(text, "<cell>", "exec"), names)
        at_once = learn.check(names[id])
        assert at_once.passed is (code == 0)
        for name, content in (("a.py", text), ("a.ipynb", as_notebook(text, id))):
            Path(name).write_text(content, "utf-8")
            answer = read_submission(Path(name)).answers[id]
            assert str(verdict_on(answer)) == str(at_once)
            result = CliRunner().invoke(terminal, ["check", id])
            assert result.exit_code == code
            assert at_once.sentence.encode("ascii", "replace").decode() in result.stdout
            Path(name).unlink()


def test_notebook_and_terminal_share_one_progress_file():
    names: dict = {}
    exec(get("pixel_index").solution_text(), names)
    learn.check(names["pixel_index"])
    assert "1 of 1   Start here" in CliRunner().invoke(terminal, ["progress"]).stdout
    Path("a.py").write_text(get("iou").solution_text())
    CliRunner().invoke(terminal, ["check"])
    learn.check(names["pixel_index"])
    assert read_progress().of("iou").passed and read_progress().of("pixel_index").checks == 2
    assert [path.name for path in Path().glob("*.json")] == [FILE_NAME]


def test_check_returns_a_verdict_on_anything(capsys: pytest.CaptureFixture[str]):
    def im2cal(x):
        return x

    assert "did you mean 'im2col'?" in learn.check(im2cal).sentence
    for odd in (3, None, print, lambda x: x, int):
        assert learn.check(odd).outcome == "not attempted"  # type: ignore[arg-type]
    assert learn.check("im2col").sentence == "check takes the function itself: check(im2col)"  # type: ignore[arg-type]
    called = learn.check(np.ones(3))  # type: ignore[arg-type]
    assert str(called) == (
        "check: check takes a function, got a value of type ndarray: write check(im2col), not check(im2col(x))"
    )
    assert not Path(FILE_NAME).exists()


def test_a_function_may_stand_for_its_id(capsys: pytest.CaptureFixture[str]):
    names: dict = {}
    exec(get("pixel_index").stub_text(), names)
    learn.hint(names["pixel_index"])
    assert capsys.readouterr().out.startswith("pixel_index, hint 1 of ")
    learn.solution(names["pixel_index"], now=True)
    assert capsys.readouterr().out == get("pixel_index").solution_text()
    assert learn.yours_or_ours(names["pixel_index"]) is get("pixel_index").solution
    for odd in (3, None, [], print):
        with pytest.raises(ValueError, match='expected the name of an exercise in quotes, such as "im2col"'):
            learn.hint(odd)  # type: ignore[arg-type]


def test_hints_are_wrapped_between_words(capsys: pytest.CaptureFixture[str]):
    for _ in range(len(get("conv_product").hints) + 1):
        learn.hint("conv_product")
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= notebook.WIDTH
    assert all(hint in " ".join(printed.split()) for hint in get("conv_product").hints)


def test_a_folder_that_cannot_be_written_to_costs_no_verdict(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(notebook, "record", lambda verdict: "progress cannot be written to X: no.")
    assert learn.check(get("pixel_index").solution).passed
    assert "note: progress cannot be written to X" in capsys.readouterr().out


def test_a_note_names_what_a_cell_takes_from_other_cells(capsys: pytest.CaptureFixture[str]):
    cells = [
        "%matplotlib inline\nimport numpy as np\nfrom math import floor, pi",
        "FACTOR = 1\ndef helper(x): return x",
        "def pixel_index(x, y, h, w):\n    return helper(np.multiply(y, w)) + FACTOR * x + floor(0 / pi)\n",
    ]
    names: dict = {"__name__": "__main__", "In": ["", *cells]}  # as in Jupyter
    for number, cell in enumerate(cells):
        file = f"/tmp/ipykernel_1/{number}.py"
        cell = cell.removeprefix("%matplotlib inline\n")
        linecache.cache[file] = len(cell), None, cell.splitlines(keepends=True), file
        exec(compile(cell, file, "exec"), names)
    assert learn.check(names["pixel_index"]).passed
    note = " ".join(capsys.readouterr().out.split())
    assert note.startswith(
        "note: the cell of pixel_index uses FACTOR, helper of other cells. In the terminal, in pytest"
    )
    names["helper"] = names["FACTOR"] = lambda x: x
    book = json.loads(as_notebook(cells[2], "pixel_index"))
    book["cells"][:0] = [{**book["cells"][0], "metadata": {}, "source": cell} for cell in cells[:2]]
    Path("a.ipynb").write_text(json.dumps(book))
    sentence = verdict_on(read_submission(Path()).answers["pixel_index"]).sentence
    assert "NameError: name 'helper'" in sentence and "with the imports of the others" in sentence


def test_yours_or_ours_follows_the_last_check(capsys: pytest.CaptureFixture[str]):
    names: dict = {}
    exec(get("pixel_index").solution_text(), names)
    yours, ours = names["pixel_index"], get("pixel_index").solution
    assert learn.yours_or_ours("pixel_index") is ours
    learn.check(yours)
    assert learn.yours_or_ours("pixel_index") is yours

    def pixel_index(x, y, height, width):
        return x

    learn.check(pixel_index)
    assert learn.yours_or_ours("pixel_index") is ours
    assert capsys.readouterr().out.splitlines() == [
        "pixel_index: ours, because yours has not passed its check here",
        "pixel_index: yours",
        "pixel_index: ours, because yours has not passed its check here",
    ]
    with pytest.raises(ValueError, match="did you mean 'im2col'"):
        learn.yours_or_ours("im2cal")


def test_yours_is_found_in_the_notebook_of_another_lesson(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    Path("00_start_here.ipynb").write_text(as_notebook(get("pixel_index").solution_text(), "pixel_index"))
    assert learn.yours_or_ours("pixel_index") is get("pixel_index").solution, "never checked"
    CliRunner().invoke(terminal, ["check"])
    yours = learn.yours_or_ours("pixel_index")
    assert yours is not get("pixel_index").solution and yours(2, 1, 5, 10) == 12
    Path("00_start_here.ipynb").write_text(as_notebook(wrong_text(get("pixel_index")), "pixel_index"))
    assert learn.yours_or_ours("pixel_index") is get("pixel_index").solution, "it was right when it was checked"
    Path("00_start_here.ipynb").unlink()
    assert learn.yours_or_ours("pixel_index") is get("pixel_index").solution
    assert [line.split(",")[0] for line in capsys.readouterr().out.splitlines()] == [
        "pixel_index: ours",
        "pixel_index: yours",
        "pixel_index: ours",
        "pixel_index: ours",
    ]


def test_the_solution_in_a_notebook(capsys: pytest.CaptureFixture[str]):
    learn.solution("pixel_index")
    assert 'solution("pixel_index", now=True) shows the solution now' in capsys.readouterr().out
    with pytest.raises(TypeError, match=r"solution: now was .*, wanted True or False"):
        learn.solution("pixel_index", now=np.ones(2))  # type: ignore[arg-type]
    learn.solution("pixel_index", now=True)
    assert capsys.readouterr().out == get("pixel_index").solution_text()
    learn.check(get("pixel_index").solution)
    learn.solution("pixel_index")
    assert capsys.readouterr().out == get("pixel_index").solution_text()


def test_a_verdict_does_not_depend_on_earlier_checks():
    exercise = get("im2col")
    first = str(verdict_of(exercise, exercise.mistakes[0].function))
    verdict_of(exercise, exercise.solution)
    assert str(verdict_of(exercise, exercise.mistakes[0].function)) == first


def test_importing_the_package_imports_nothing_heavy():
    heavy = "{'numba', 'matplotlib', 'numpy', 'typer', 'minicoord.learn.doors.notebook'}"
    code = f"import sys, minicoord.learn; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    code = "import sys; from minicoord.learn import check, hint; print({'numba', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_every_public_name_exists():
    for name in learn.__all__:
        assert getattr(learn, name) is not None
        assert name in dir(learn)
    with pytest.raises(AttributeError, match="no attribute 'grade_me'"):
        _ = learn.grade_me  # pyright: ignore[reportAttributeAccessIssue]
