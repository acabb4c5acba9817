"""A learner's answers, read from files as they really are: notebooks, half-written files, helpers beside them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from minicoord.learn.course import get
from minicoord.learn.submission import LoadError, answers_in, read_submission, verdict_on

SOLVED = get("pixel_index").solution_text()
STUB = get("pixel_index").stub_text()
WRONG = "def pixel_index(x, y, height, width):\n    return y * height + x\n"


def notebook(*cells: tuple[str, list[str]]) -> str:
    """Return a notebook of code cells, each with its tags."""
    content = [{"cell_type": "markdown", "source": ["# Title"], "metadata": {}}]
    content += [
        {"cell_type": "code", "source": source.splitlines(keepends=True), "metadata": {"tags": tags}, "outputs": []}
        for source, tags in cells
    ]
    return json.dumps({"cells": content, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


TAGS = ["exercise", "pixel_index"]


def outcome(path: Path) -> str:
    return verdict_on(read_submission(path).answers["pixel_index"]).outcome


@pytest.mark.parametrize("text, wanted", [(SOLVED, "passed"), (STUB, "not attempted"), (WRONG, "wrong values")])
def test_a_file_and_a_notebook_get_the_same_verdict(tmp_path: Path, text: str, wanted: str):
    (tmp_path / "answers.py").write_text(text)
    (tmp_path / "answers.ipynb").write_text(notebook((text, TAGS)))
    first, second = (
        verdict_on(read_submission(tmp_path / f"answers{s}").answers["pixel_index"]) for s in (".py", ".ipynb")
    )
    assert first.outcome == wanted
    assert str(first) == str(second)


def test_a_cell_runs_alone(tmp_path: Path):
    path = tmp_path / "lesson.ipynb"
    path.write_text(notebook(("width_of = 3", []), ("raise ValueError", []), (SOLVED, TAGS)))
    assert outcome(path) == "passed"
    needs_more = "def pixel_index(x, y, height, width):\n    return helper(x)\n"
    path.write_text(notebook(("def helper(x):\n    return x", []), (needs_more, TAGS)))
    verdict = verdict_on(read_submission(path).answers["pixel_index"])
    assert "line 2 (return helper(x)): NameError" in verdict.sentence
    assert "An exercise's cell runs alone" in verdict.sentence


def test_a_cell_is_named_by_its_number_as_a_reader_counts(tmp_path: Path):
    path = tmp_path / "02_convolution.ipynb"
    path.write_text(notebook(("1 +", []), ("def pixel_index(:", TAGS)))
    answer = read_submission(path).answers["pixel_index"]
    assert answer.place == "02_convolution.ipynb, cell 3"
    with pytest.raises(LoadError, match=r"cell 3: line 1 \(def pixel_index\(:\): SyntaxError"):
        answer.load()


def test_lines_for_the_notebook_are_passed_over(tmp_path: Path):
    path = tmp_path / "lesson.ipynb"
    path.write_text(notebook((f"%matplotlib inline\n!ls\n{SOLVED}\n%timeit 3", TAGS)))
    assert outcome(path) == "passed"


def test_without_a_tag_the_last_definition_counts(tmp_path: Path):
    path = tmp_path / "lesson.ipynb"
    path.write_text(notebook((WRONG, []), (SOLVED, [])))
    assert outcome(path) == "passed"


def test_with_a_tag_the_tagged_cell_counts(tmp_path: Path):
    path = tmp_path / "lesson.ipynb"
    path.write_text(notebook((WRONG, TAGS), (SOLVED, [])))
    assert outcome(path) == "wrong values"


def test_a_tagged_cell_that_defines_something_else(tmp_path: Path):
    path = tmp_path / "lesson.ipynb"
    path.write_text(notebook(("def pixel_number(x):\n    return x", TAGS)))
    verdict = verdict_on(read_submission(path).answers["pixel_index"])
    assert verdict.outcome == "raised" and "cell 2 defines no function pixel_index" in verdict.sentence


@pytest.mark.parametrize("content", ["nonsense", "{}", "[]", '{"cells": [3]}', '{"cells": [{"cell_type": "code"}]}'])
def test_a_file_that_is_no_notebook_is_a_problem_and_no_crash(tmp_path: Path, content: str):
    (tmp_path / "broken.ipynb").write_text(content)
    (tmp_path / "good.py").write_text(SOLVED)
    found = read_submission(tmp_path)
    assert found.problems == ["broken.ipynb is no notebook of format 4."]
    assert list(found.answers) == ["pixel_index"]


def test_a_file_that_cannot_be_decoded_is_a_problem(tmp_path: Path):
    (tmp_path / "odd.py").write_bytes(b"\xff\xfe\x00def")
    assert "odd.py cannot be read" in read_submission(tmp_path).problems[0]


def test_a_file_that_is_not_there(tmp_path: Path):
    assert "cannot be read" in read_submission(tmp_path / "none.py").problems[0]
    assert "cannot be read" in read_submission(tmp_path / "none.ipynb").problems[0]


def test_an_error_of_syntax_is_told_with_its_line(tmp_path: Path):
    (tmp_path / "lesson.py").write_text("import math\n\ndef pixel_index(x, y, height, width):\n    return (x\n")
    verdict = verdict_on(read_submission(tmp_path).answers["pixel_index"])
    assert verdict.outcome == "raised"
    assert "lesson.py: line 4 (return (x): SyntaxError" in verdict.sentence


def test_what_is_defined_before_a_file_stops_still_counts(tmp_path: Path):
    (tmp_path / "lesson.py").write_text(f"{SOLVED}\n\nimport sys\nsys.exit(pixel_index(1, 1, 2, 2))\n")
    assert outcome(tmp_path) == "passed"
    (tmp_path / "lesson.py").write_text(f"import nothing_of_that_name\n{SOLVED}")
    verdict = verdict_on(read_submission(tmp_path).answers["pixel_index"])
    assert "line 1 (import nothing_of_that_name): ModuleNotFoundError" in verdict.sentence


def test_a_script_at_the_end_does_not_run(tmp_path: Path):
    (tmp_path / "lesson.py").write_text(f"{SOLVED}\n\nif __name__ == '__main__':\n    raise SystemExit\n")
    assert outcome(tmp_path) == "passed"


def test_files_may_import_others_beside_them_and_are_read_anew(tmp_path: Path):
    (tmp_path / "lesson.py").write_text(
        "from my_helper import times\n\ndef pixel_index(x, y, height, width):\n    return times(y, width) + x\n"
    )
    (tmp_path / "my_helper.py").write_text("def times(a, b):\n    return a * b + 1\n")
    answer = read_submission(tmp_path).answers["pixel_index"]
    assert verdict_on(answer).outcome == "wrong values"
    helper = tmp_path / "my_helper.py"
    helper.write_text("def times(a, b):\n    return a * b\n")
    os.utime(helper, (1, 1))  # Python compares whole seconds of files with what it compiled
    assert outcome(tmp_path) == "passed"


def test_an_attempt_comes_before_a_stub_and_then_the_last_saved(tmp_path: Path):
    old, new, stub = (tmp_path / name for name in ("old.py", "new.py", "stub.py"))
    for path, text, time in ((old, WRONG, 100), (new, SOLVED, 200), (stub, STUB, 300)):
        path.write_text(text)
        os.utime(path, (time, time))
    assert read_submission(tmp_path).answers["pixel_index"].path == new
    os.utime(old, (400, 400))
    assert read_submission(tmp_path).answers["pixel_index"].path == old


def test_answers_come_in_the_order_of_the_course(tmp_path: Path):
    (tmp_path / "a.py").write_text(get("im2col").stub_text() + "\n\n" + SOLVED)
    assert list(read_submission(tmp_path).answers) == ["pixel_index", "im2col"]


def test_nothing_runs_while_answers_are_looked_for(tmp_path: Path):
    path = tmp_path / "lesson.py"
    path.write_text(f"raise SystemExit\n{SOLVED}")
    assert [answer.id for answer in answers_in(path)] == ["pixel_index"]


def test_hidden_and_other_files_are_passed_over(tmp_path: Path):
    for name in (".hidden.py", "notes.txt", "lesson.py.backup"):
        (tmp_path / name).write_text(SOLVED)
    assert read_submission(tmp_path).answers == {}


def test_what_is_no_stub_is_an_attempt(tmp_path: Path):
    texts: dict[str, Any] = {
        "def pixel_index(x, y, height, width):\n    raise NotImplementedError\n": True,
        "def pixel_index(x, y, height, width):\n    raise NotImplementedError('soon')\n": True,
        "def pixel_index(x, y, height, width):\n    z = 3\n    raise NotImplementedError\n": False,
        "def pixel_index(x, y, height, width):\n    raise ValueError\n": False,
        "def pixel_index(x, y, height, width):\n    return (\n": False,
    }
    for text, stub in texts.items():
        (tmp_path / "a.py").write_text(text)
        assert read_submission(tmp_path).answers["pixel_index"].stub is stub
