"""Editions: what a teacher gets, what a course that marks hands out, and an installation without solutions."""

import ast
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from typer.testing import CliRunner

from minicoord import __version__, lessons_folder
from minicoord.learn.definition.course import PARTS, exercise_ids, get
from minicoord.learn.definition.sealed import sealed_module
from minicoord.learn.teaching import student_wheel
from minicoord.learn.teaching.marked import marked_edition
from minicoord.learn.teaching.notebooks import lesson_files, read_lesson
from minicoord.learn.teaching.pack import files_for_students, files_for_teachers
from minicoord.learn.teaching.print_page import print_page
from minicoord.learn.teaching.questions import all_questions, questions_of
from minicoord.learn.teaching.student_wheel import WheelError, write_student_wheel
from minicoord.system.paths import teaching_folder

FILES = lesson_files(lessons_folder())
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def marked(path):
    return marked_edition(json.loads(path.read_text(encoding="utf-8")), read_lesson(path).number)


@each_file
def test_a_marked_lesson_asks_and_does_not_answer(path):
    notebook, lesson = marked(path), read_lesson(path)
    text = "\n".join("".join(cell["source"]) for cell in notebook["cells"])
    for question in questions_of(lesson):
        assert question.answer.split("\n")[0] not in text
        assert any(cell["metadata"].get("tags") == ["answer", question.id] for cell in notebook["cells"])
    assert not re.search(r"^#? ?solution\(", text, re.MULTILINE)
    nbformat.validate(nbformat.from_dict(notebook))
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(ids) == len(set(ids))


@each_file
def test_a_marked_lesson_keeps_its_code_its_outputs_and_its_other_text(path):
    before, after = json.loads(path.read_text(encoding="utf-8")), marked(path)
    code = [[cell for cell in notebook["cells"] if cell["cell_type"] == "code"] for notebook in (before, after)]
    assert [cell["outputs"] for cell in code[0]] == [cell["outputs"] for cell in code[1]]
    dropped = [
        line
        for a, b in zip(*code, strict=True)
        for line in set(a["source"]) - {s + e for s in b["source"] for e in ("", "\n")}
    ]
    assert all("solution(" in line for line in dropped)
    words = [
        " ".join(" ".join("".join(c["source"]) for c in n["cells"] if c["cell_type"] != "code").split())
        for n in (before, after)
    ]
    for kept in ("What you now know", "Where the paper says it", "After this lesson you can"):
        assert all(kept in text for text in words)


def test_an_answer_cell_stands_below_each_question():
    source = (
        "## What you now know\n\n- a\n\n## To think about\n\n"
        "<details><summary>1. Why?</summary>\n\nBecause.\n\n</details>\n\n"
        "<details><summary>2. How\nso?</summary>\n\nLike this.\n\n</details>\n\n## Where the paper says it\n\nFigure 1."
    )
    early = "<details><summary>Answer</summary>\n\n19.\n\n</details>"
    cells = [
        {"cell_type": "markdown", "id": id, "metadata": {}, "source": text}
        for id, text in (("a", early), ("b", source))
    ]
    made = ["".join(cell["source"]) for cell in marked_edition({"cells": cells}, "42")["cells"]]
    assert made[0] == early, "what is asked in the middle of a lesson is answered"
    assert made[1].endswith("## To think about\n\n**1.** Why?") and made[2] == "*Your answer:*\n\n"
    assert made[3] == "**2.** How so?" and made[4] == made[2]
    assert made[5] == "## Where the paper says it\n\nFigure 1." and "Because" not in "".join(made)


def test_the_teachers_edition_is_complete():
    files = dict(files_for_teachers(lessons_folder(), teaching_folder()))
    names = {path.name for path in FILES}
    assert names <= set(files) and {f"solutions/{name}" for name in names} <= set(files)
    assert {f"teaching/slides/{path.stem}.html" for path in FILES} <= set(files)
    for page in (
        "README",
        "syllabus",
        "answer_key",
        "question_bank",
        "question_bank_answers",
        "conventions",
        "jupyterhub",
        "offline",
    ):
        assert {f"teaching/{page}.md", f"teaching/{page}.html"} <= set(files)
    assert "TEACHING.md" in files
    for question in all_questions(lessons_folder()):
        assert question.id.encode() in files["teaching/answer_key.md"]


def test_links_between_the_pages_of_the_pack_lead_somewhere():
    files = dict(files_for_teachers(lessons_folder(), teaching_folder()))
    for name in [
        name for name in files if name.startswith("teaching/") and name.endswith(".html") and "slides" not in name
    ]:
        for link in re.findall(r'href="([^"#]+)', files[name].decode("utf-8")):
            if not link.startswith("http") and "rubric.toml" not in link:
                target = os.path.normpath(os.path.join("teaching", link)).replace(os.sep, "/").replace(".html", ".md")
                assert target in files, (name, link)


def test_the_students_edition_has_every_lesson_and_no_answer():
    files = dict(files_for_students(lessons_folder()))
    assert set(files) == {path.name for path in FILES}


def test_a_page_that_prints_is_html_with_a_title():
    page = print_page("# A *title*\n\n[there](other.md#part) [x](https://a.b/c.md)", on_one_page=True)
    assert "<title>A title</title>" in page and 'href="other.html#part"' in page and 'href="https://a.b/c.md"' in page


# Sealed exercises, and the wheel that has them.


@pytest.mark.parametrize("id", exercise_ids())
def test_a_sealed_exercise_shows_nothing_of_its_solution(id, monkeypatch):
    exercise = get(id)
    source = Path(sys.modules[exercise.solution.__module__].__file__ or "").read_text(encoding="utf-8")
    sealed = sealed_module(source, exercise)
    docstring = ast.unparse(ast.parse(exercise.stub_text()))
    for line in ast.unparse(ast.parse(exercise.solution_text())).splitlines():
        if len(line.strip()) > 12 and line not in docstring:
            assert line.strip() not in sealed
    module = ModuleType(f"sealed_{id}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(sealed, module.__dict__)
    unpacked = module.exercise
    assert unpacked.sealed and unpacked.stub_text() == exercise.stub_text() and unpacked.hints == exercise.hints
    with pytest.raises(ValueError, match="is with the teacher"):
        unpacked.solution_text()


def test_the_doors_say_whom_to_ask(monkeypatch, capsys, tmp_path):
    from minicoord.learn import solution
    from minicoord.learn.doors.terminal import learn

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(get("im2col"), "sealed_stub", "def im2col(): ...")
    solution("im2col", now=True)
    assert capsys.readouterr().out == "the solution of im2col is with your teacher: ask them.\n"
    result = CliRunner().invoke(learn, ["solution", "im2col", "--now"])
    assert result.exit_code == 1 and "the solution of im2col is with your teacher: ask them" in result.output
    assert list(tmp_path.iterdir()) == [], "a solution that was not shown is not recorded as seen"


def test_the_syllabus_says_where_each_lesson_goes():
    text = (teaching_folder() / "syllabus.md").read_text(encoding="utf-8")
    cells = " ".join(re.sub(r"^\| \d+ \|", "|", line) for line in text.splitlines())  # without the numbers of weeks
    named = set(re.findall(r"(?<![\d-])(?:0\d|1[0-4])b?\b(?!-)", cells))
    assert [number for number in PARTS if number not in named] == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return write_student_wheel(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_no_solution(wheel):
    assert re.fullmatch(r"minicoord-[\d.]+\+students-py3-none-any\.whl", wheel.name)
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        texts = {name: archive.read(name).decode("utf-8") for name in names if name.endswith((".py", ".ipynb", ".md"))}
    assert not [name for name in names if "solutions/" in name or "_teaching" in name or "TEACHING" in name]
    assert {f"minicoord/_lessons/{path.name}" for path in FILES} <= names and "_minicoord_pytest.py" in names
    for id in exercise_ids():
        text = texts[f"minicoord/learn/exercises/{id}.py"]
        assert text.startswith('"""Exercise') and "mistake" not in text
    answers = [question.answer.split("\n")[0] for question in all_questions(lessons_folder())]
    assert not [answer for answer in answers for text in texts.values() if answer in text]


def test_the_wheel_lists_what_it_holds(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (record,) = (name for name in archive.namelist() if name.endswith(".dist-info/RECORD"))
        listed = {line.split(",")[0] for line in archive.read(record).decode("utf-8").splitlines()}
        assert listed == set(archive.namelist())
        metadata = archive.read(record.replace("RECORD", "METADATA")).decode("utf-8")
    assert f"\nVersion: {__version__}+students\n" in metadata and "Provides-Extra: lessons" in metadata


ASKS = """
from minicoord.learn import check, solution, hint, yours_or_ours, get
from minicoord.learn.swap_in.swap import using
import numpy as np
solution("add_coords", now=True)
hint("add_coords")
ours = yours_or_ours("add_coords")
print("ours", ours(np.zeros((1, 2, 3, 1)))[0, 0, 0])
def add_coords(x):
    return ours(x)
print(check(add_coords))
def add_coords(x):
    y = ours(x)
    return np.concatenate([x, y[..., :-3:-1]], axis=3)
print(check(add_coords))
print(get("add_coords").stub_text().splitlines()[-1])
"""


def test_an_installation_of_the_wheel_checks_and_does_not_tell(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}

    def python(*arguments):
        (tmp_path / "work").mkdir(exist_ok=True)
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path / "work", env=environment, capture_output=True, text=True
        )
        return done.stdout + done.stderr

    said = python("-c", ASKS)
    assert "the solution of add_coords is with your teacher" in said
    assert "ours [ 0. -1. -1.]" in said and "add_coords: passed" in said
    assert "Likely cause: x and y are exchanged" in said and "raise NotImplementedError" in said
    assert "is with your teacher" in python("-m", "minicoord", "learn", "solution", "im2col", "--now")
    assert "no pages for teachers" in python("-m", "minicoord", "lessons", "pack", "--teacher")
    assert "00_start_here.ipynb: copied" in python("-m", "minicoord", "lessons", "course")
    assert "*Your answer:*" in (tmp_path / "work" / "course" / "00_start_here.ipynb").read_text(encoding="utf-8")


def test_an_installation_for_students_makes_no_other(monkeypatch, tmp_path):
    monkeypatch.setattr(get("im2col"), "sealed_stub", "def im2col(): ...")
    with pytest.raises(WheelError, match="is one for students"):
        write_student_wheel(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_package_that_is_not_installed_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(student_wheel, "NAME", "minicoord-of-nobody")
    with pytest.raises(WheelError, match="runs here without being installed"):
        write_student_wheel(tmp_path)
