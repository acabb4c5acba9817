"""Lesson 03 has two parts, 03 and 03b. What was written, passed and recorded when it was one still counts."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from terminal_runner import Command, run_in_empty_folder  # noqa: F401 (the fixture "run")

from minicoord.app.lessons import copy_lessons
from minicoord.learn import yours_or_ours
from minicoord.learn.definition.course import COURSE, LESSONS, PARTS, exercise_ids, get, part_of, typed
from minicoord.learn.submissions.progress import FILE_NAME, read_progress
from minicoord.learn.submissions.submission import answers_in, read_submission

LATER = PARTS["03b"].exercises

OLD_PROGRESS = {
    "version": 1,
    "exercises": {
        id: {
            "passed": k % 2 == 0,
            "outcome": "passed" if k % 2 == 0 else "wrong values",
            "checks": k + 1,
            "hints": k % 3,
            "solution_shown": k == 4,
            "last": "2026-01-02T03:04:05+00:00",
        }
        for k, id in enumerate(COURSE[3])
    },
}
"""A progress file of the time when lesson 03 was one notebook."""


def whole_lesson(solved: tuple[str, ...] = ()) -> str:
    """The text of lesson03.py from that time: ten functions, some of them solved."""
    texts = (get(id).solution_text() if id in solved else get(id).stub_text() for id in COURSE[3])
    return "\n\n".join(texts)


def test_the_parts_are_the_lessons_in_order():
    assert list(PARTS) == sorted(PARTS)
    assert {part.lesson for part in PARTS.values()} == set(LESSONS)
    assert [id for part in PARTS.values() for id in part.exercises] == exercise_ids()
    assert [name for name, part in PARTS.items() if part.lesson == 3] == ["03", "03b"]
    assert all(int(name[:2]) == part.lesson for name, part in PARTS.items())
    assert all(get(id).lesson == PARTS[part_of(id)].lesson for id in exercise_ids())


@pytest.mark.parametrize("name", PARTS)
def test_a_part_fits_one_sitting(name: str):
    assert sum(get(id).minutes for id in PARTS[name].exercises) <= 80


@pytest.mark.parametrize("word, file", [("3", "03"), ("03", "03"), ("3b", "03b"), ("03B", "03b")])
def test_a_part_can_be_typed_in_several_ways(run: Command, word: str, file: str):
    assert run("start", word).exit_code == 0
    assert [answer.id for answer in answers_in(Path(f"lesson{file}.py"))] == list(PARTS[file].exercises)


def test_each_part_has_its_row_of_progress_and_its_command(run: Command):
    listed = run("list").stdout
    assert listed.index("Lesson 03: ") < listed.index("numeric_gradient") < listed.index("Lesson 03b: ")
    assert listed.index("Lesson 03b: ") < listed.index("max_pool") < listed.index("Lesson 04: ")
    assert "`minicoord learn start 3b`" in run("check", "max_pool").stderr
    assert "`minicoord learn start 3`" in run("check", "col2im").stderr
    assert [typed(part_of(id)) for id in ("pixel_index", "max_pool")] == ["0", "3b"]


def test_json_has_the_lesson_as_before_and_the_part(run: Command):
    rows = {row["id"]: (row["lesson"], row["part"]) for row in json.loads(run("list", "--json").stdout)}
    assert rows["col2im"] == (3, "03") and rows["adam_step"] == (3, "03b")


def test_an_old_progress_file_loses_nothing(run: Command):
    Path(FILE_NAME).write_text(json.dumps(OLD_PROGRESS), encoding="utf-8")
    before = read_progress()
    assert before.complaint is None and list(before.entries) == list(COURSE[3])
    out = run("progress").stdout
    assert "Lesson 03  ###..       3 of 5" in out and "Lesson 03b ##...       2 of 5" in out
    assert f"5 of {len(exercise_ids())} exercises passed." in out
    run("hint", "im2col")  # writes the file again
    after = read_progress().entries
    assert {id: after[id] for id in COURSE[3]} == before.entries
    assert "adam_step: wrong values after 10 checks" in out


def test_an_old_file_of_the_whole_lesson_is_complete_for_both_parts(run: Command):
    Path("lesson03.py").write_text(whole_lesson(("max_pool",)), encoding="utf-8")
    for word in ("3", "3b"):
        assert "lesson03.py: already complete; nothing was changed." in run("start", word).stdout
    assert [path.name for path in Path().glob("*.py")] == ["lesson03.py"]
    assert "[pass] max_pool: passed" in run("check", "max_pool").stdout


def test_only_what_the_other_file_lacks_is_written(run: Command):
    Path("lesson03.py").write_text(get("max_pool").solution_text(), encoding="utf-8")
    assert "written, with 4 stubs" in run("start", "3b").stdout
    assert [answer.id for answer in answers_in(Path("lesson03b.py"))] == list(LATER[1:])
    assert "your file was kept, with 5 stubs added at the end" in run("start", "3").stdout
    assert "lesson03b.py" not in run("check", "max_pool").stdout


def test_answers_in_the_old_notebook_count_beside_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    old = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(get(id).solution_text()) for id in COURSE[3]])
    (tmp_path / "03_backprop.ipynb").write_text(nbformat.writes(old), encoding="utf-8")
    done = {path.name: what for path, what in copy_lessons(tmp_path)}
    assert done["03_backprop.ipynb"].startswith("kept")
    (new,) = (name for name, what in done.items() if name.startswith("03b_") and what == "copied")
    assert {answer.id for answer in answers_in(tmp_path / new) if answer.stub} == set(LATER)
    (tmp_path / FILE_NAME).write_text(json.dumps(OLD_PROGRESS), encoding="utf-8")
    monkeypatch.setattr("minicoord.learn.doors.notebook._passed", {})  # what other tests may have checked
    monkeypatch.chdir(tmp_path)
    answers = read_submission(Path()).answers
    assert {answers[id].path.name for id in COURSE[3]} == {"03_backprop.ipynb"}
    assert yours_or_ours("max_pool_dx").__code__.co_filename.startswith(str(tmp_path / "03_backprop.ipynb"))
