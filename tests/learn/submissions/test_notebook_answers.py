"""A learner's answers in notebooks: tagged and untagged cells, and lines that only Jupyter understands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from answer_files import SOLVED, STUB, TAGS, WRONG, notebook, outcome

from minicoord.learn.submissions.answer import verdict_on
from minicoord.learn.submissions.submission import read_submission


def test_a_cell_runs_on_its_own(tmp_path: Path):
    path = tmp_path / "lesson.ipynb"
    path.write_text(notebook(("width_of = 3", []), ("raise ValueError", []), (SOLVED, TAGS)))
    assert outcome(path) == "passed"
    needs_more = "def pixel_index(x, y, height, width):\n    return helper(x)\n"
    path.write_text(notebook(("def helper(x):\n    return x", []), (needs_more, TAGS)))
    verdict = verdict_on(read_submission(path).answers["pixel_index"])
    assert "line 2 (return helper(x)): NameError" in verdict.sentence
    assert "An exercise cell runs on its own" in verdict.sentence


def test_lines_that_only_jupyter_understands_are_ignored(tmp_path: Path):
    path = tmp_path / "lesson.ipynb"
    path.write_text(notebook((f"%matplotlib inline\n!ls\n{SOLVED}\n%timeit 3", TAGS)))
    assert outcome(path) == "passed"


def test_without_a_tag_the_last_definition_counts(tmp_path: Path):
    path = tmp_path / "lesson.ipynb"
    path.write_text(notebook((WRONG, []), (SOLVED, [])))
    assert outcome(path) == "passed"


def test_a_tagged_cell_that_defines_something_else(tmp_path: Path):
    path = tmp_path / "lesson.ipynb"
    path.write_text(notebook(("def pixel_number(x):\n    return x", TAGS)))
    verdict = verdict_on(read_submission(path).answers["pixel_index"])
    assert (
        verdict.outcome == "raised" and "defines no function pixel_index; it defines pixel_number" in verdict.sentence
    )


@pytest.mark.parametrize("content", ["nonsense", "{}", "[]", '{"cells": [3]}', '{"cells": [{"cell_type": "code"}]}'])
def test_a_malformed_notebook_is_a_problem(tmp_path: Path, content: str):
    (tmp_path / "broken.ipynb").write_text(content)
    (tmp_path / "good.py").write_text(SOLVED)
    found = read_submission(tmp_path)
    assert found.problems == ["broken.ipynb is not a notebook in format 4."]
    assert list(found.answers) == ["pixel_index"]


def test_a_notebook_in_an_old_format_gets_advice(tmp_path: Path):
    (tmp_path / "old.ipynb").write_text(json.dumps({"nbformat": 3, "worksheets": [{"cells": []}]}))
    assert "save it again in Jupyter" in read_submission(tmp_path).problems[0]


def test_results_in_a_notebook_are_not_answers(tmp_path: Path):
    path = tmp_path / "lesson.ipynb"
    cells = [("pixel_index = 7", []), ("from minicoord import softmax_cross_entropy", []), (STUB, TAGS)]
    path.write_text(notebook(*cells))
    assert list(read_submission(path).answers) == ["pixel_index"]
    assert outcome(path) == "not attempted"


def test_an_answer_below_the_tagged_stub_counts(tmp_path: Path):
    path = tmp_path / "lesson.ipynb"
    path.write_text(notebook((STUB, TAGS), (SOLVED, [])))
    assert outcome(path) == "passed"
    assert read_submission(path).answers["pixel_index"].cell == 3


@pytest.mark.parametrize(
    "line", ["%matplotlib inline", "  ", "np.pad?", "np.pad??", "?np.pad", "files = !ls", "t = %timeit -o 1", "%%time"]
)
def test_jupyter_syntax_is_replaced(tmp_path: Path, line: str):
    sum_over_lines = "remainder = (\n    7\n    % 4\n)\nassert remainder == 3\n"
    path = tmp_path / "lesson.ipynb"
    path.write_text(notebook((f"{line}\n{sum_over_lines}{SOLVED}", TAGS)))
    assert outcome(path) == "passed"


def test_replaced_lines_keep_their_numbers(tmp_path: Path):
    path = tmp_path / "lesson.ipynb"
    path.write_text(notebook(("%pylab\n!ls\ndef pixel_index(x, y, height, width):\n    return nothing", TAGS)))
    verdict = verdict_on(read_submission(path).answers["pixel_index"])
    assert "line 4 (return nothing): NameError" in verdict.sentence


@pytest.mark.parametrize("tags", [None, ["exercise", ["a"], "pixel_index"], ["exercise", 3, "pixel_index"], "exercise"])
def test_malformed_tags_are_ignored(tmp_path: Path, tags: Any):
    path = tmp_path / "lesson.ipynb"
    path.write_text(notebook((SOLVED, tags)))
    assert outcome(path) == "passed"


def test_cells_without_metadata_are_read(tmp_path: Path):
    content = json.loads(notebook((SOLVED, [])))
    content["cells"][1]["metadata"] = None
    path = tmp_path / "lesson.ipynb"
    path.write_text(json.dumps(content))
    assert outcome(path) == "passed"
