"""A learner's answers in real files: notebooks, half-written files, and helpers beside them."""

from __future__ import annotations

import json
import os
import textwrap
from pathlib import Path
from typing import Any

import pytest

from minicoord.learn.checking.verdict import Verdict
from minicoord.learn.definition.course import get
from minicoord.learn.submissions.progress import read_progress, record
from minicoord.learn.submissions.submission import LoadError, answers_in, read_submission, verdict_on

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


@pytest.mark.parametrize("text, expected", [(SOLVED, "passed"), (STUB, "not attempted"), (WRONG, "wrong values")])
def test_a_file_and_a_notebook_get_the_same_verdict(tmp_path: Path, text: str, expected: str):
    (tmp_path / "answers.py").write_text(text)
    (tmp_path / "answers.ipynb").write_text(notebook((text, TAGS)))
    first, second = (
        verdict_on(read_submission(tmp_path / f"answers{s}").answers["pixel_index"]) for s in (".py", ".ipynb")
    )
    assert first.outcome == expected
    assert str(first) == str(second)


def test_a_cell_runs_on_its_own(tmp_path: Path):
    path = tmp_path / "lesson.ipynb"
    path.write_text(notebook(("width_of = 3", []), ("raise ValueError", []), (SOLVED, TAGS)))
    assert outcome(path) == "passed"
    needs_more = "def pixel_index(x, y, height, width):\n    return helper(x)\n"
    path.write_text(notebook(("def helper(x):\n    return x", []), (needs_more, TAGS)))
    verdict = verdict_on(read_submission(path).answers["pixel_index"])
    assert "line 2 (return helper(x)): NameError" in verdict.sentence
    assert "An exercise cell runs on its own" in verdict.sentence


def test_a_cell_is_named_by_its_number_as_a_reader_counts(tmp_path: Path):
    path = tmp_path / "02_convolution.ipynb"
    path.write_text(notebook(("1 +", []), ("def pixel_index(:", TAGS)))
    answer = read_submission(path).answers["pixel_index"]
    assert answer.place == "02_convolution.ipynb, cell 3"
    with pytest.raises(LoadError, match=r"cell 3: line 1 \(def pixel_index\(:\): SyntaxError"):
        answer.load()


def test_lines_that_only_jupyter_understands_are_ignored(tmp_path: Path):
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
def test_a_malformed_notebook_is_a_problem(tmp_path: Path, content: str):
    (tmp_path / "broken.ipynb").write_text(content)
    (tmp_path / "good.py").write_text(SOLVED)
    found = read_submission(tmp_path)
    assert found.problems == ["broken.ipynb is not a notebook in format 4."]
    assert list(found.answers) == ["pixel_index"]


def test_a_file_that_cannot_be_decoded_is_a_problem(tmp_path: Path):
    (tmp_path / "odd.py").write_bytes(b"\xff\xfe\x00def")
    (tmp_path / "other.py").write_text("# coding: no-such-encoding\n")
    (tmp_path / "third.ipynb").write_text(notebook(("# Müller", TAGS)).replace("\\u00fc", "ü"), "latin-1")
    odd, other, third = read_submission(tmp_path).problems
    assert odd.startswith("odd.py cannot be read") and other.startswith("other.py cannot be read")
    assert "save it as UTF-8" in odd and str(tmp_path) not in odd + other
    assert third == "third.ipynb is not encoded in UTF-8; save it again in Jupyter."


def test_a_notebook_in_an_old_format_gets_advice(tmp_path: Path):
    (tmp_path / "old.ipynb").write_text(json.dumps({"nbformat": 3, "worksheets": [{"cells": []}]}))
    assert "save it again in Jupyter" in read_submission(tmp_path).problems[0]


def test_a_missing_file_is_a_problem(tmp_path: Path):
    assert "cannot be read" in read_submission(tmp_path / "none.py").problems[0]
    assert "cannot be read" in read_submission(tmp_path / "none.ipynb").problems[0]


def test_a_syntax_error_is_reported_with_its_line(tmp_path: Path):
    (tmp_path / "lesson.py").write_text("import math\n\ndef pixel_index(x, y, height, width):\n    return (x\n")
    verdict = verdict_on(read_submission(tmp_path).answers["pixel_index"])
    assert verdict.outcome == "raised"
    assert "lesson.py: line 4 (return (x): SyntaxError" in verdict.sentence


def test_an_answer_defined_before_an_error_counts(tmp_path: Path):
    (tmp_path / "lesson.py").write_text(f"{SOLVED}\n\nimport sys\nsys.exit(pixel_index(1, 1, 2, 2))\n")
    assert outcome(tmp_path) == "passed"
    (tmp_path / "lesson.py").write_text(f"import nothing_of_that_name\n{SOLVED}")
    verdict = verdict_on(read_submission(tmp_path).answers["pixel_index"])
    assert "line 1 (import nothing_of_that_name): ModuleNotFoundError" in verdict.sentence


def test_a_script_at_the_end_does_not_run(tmp_path: Path):
    (tmp_path / "lesson.py").write_text(f"{SOLVED}\n\nif __name__ == '__main__':\n    raise SystemExit\n")
    assert outcome(tmp_path) == "passed"


def test_files_may_import_their_neighbours_which_are_read_again(tmp_path: Path):
    (tmp_path / "lesson.py").write_text(
        "from my_helper import times\n\ndef pixel_index(x, y, height, width):\n    return times(y, width) + x\n"
    )
    (tmp_path / "my_helper.py").write_text("def times(a, b):\n    return a * b + 1\n")
    answer = read_submission(tmp_path).answers["pixel_index"]
    assert verdict_on(answer).outcome == "wrong values"
    helper = tmp_path / "my_helper.py"
    helper.write_text("def times(a, b):\n    return a * b\n")
    os.utime(helper, (1, 1))  # Python dates bytecode to the second
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


def test_finding_answers_runs_no_code(tmp_path: Path):
    path = tmp_path / "lesson.py"
    path.write_text(f"raise SystemExit\n{SOLVED}")
    assert [answer.id for answer in answers_in(path)] == ["pixel_index"]


def test_hidden_and_other_files_are_ignored(tmp_path: Path):
    for name in (".hidden.py", "notes.txt", "lesson.py.backup"):
        (tmp_path / name).write_text(SOLVED)
    assert read_submission(tmp_path).answers == {}


def test_which_answers_are_stubs(tmp_path: Path):
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


@pytest.mark.parametrize(
    "text",
    [
        f"if True:\n{textwrap.indent(SOLVED, '    ')}",
        f"try:\n    import nothing_of_that_name\nexcept ImportError:\n{textwrap.indent(SOLVED, '    ')}",
        "pixel_index = lambda x, y, height, width: y * width + x\n",
        SOLVED.replace("pixel_index", "mine") + "\npixel_index = mine\n",
        SOLVED.replace("pixel_index", "mine") + "\nimport functools\npixel_index = functools.partial(mine)\n",
        "class C:\n    def __call__(self, x, y, height, width):\n        return y * width + x\n\npixel_index = C()\n",
        "from helper import pixel_index\n",
        "from helper import other as pixel_index\n",
    ],
)
def test_an_answer_need_not_be_a_def_at_the_margin(tmp_path: Path, text: str):
    (tmp_path / "helper.txt").write_text("not read")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "answers.py").write_text(text)
    (tmp_path / "lib" / "helper.py").write_text(f"{SOLVED}\nother = pixel_index\n")
    answer = {answer.id: answer for answer in answers_in(tmp_path / "lib" / "answers.py")}["pixel_index"]
    assert not answer.stub
    assert verdict_on(answer).outcome == "passed"


@pytest.mark.parametrize(
    "text, words",
    [
        ("pixel_index = 3\n", "pixel_index is of type int there, expected `def pixel_index(...)`"),
        ("class pixel_index:\n    pass\n", "pixel_index is a class there"),
        (f"async {SOLVED}", "pixel_index is an async function there"),
    ],
)
def test_an_answer_that_is_not_a_function(tmp_path: Path, text: str, words: str):
    path = tmp_path / "answers.py"
    path.write_text(text)
    verdict = verdict_on(read_submission(path).answers["pixel_index"])
    assert not verdict.passed and verdict.outcome != "not attempted"
    assert words in verdict.sentence


@pytest.mark.parametrize(
    "text",
    [
        'pixel_index = yours_or_ours("pixel_index")\n',
        "def other():\n    pixel_index = 3\n",
        'if __name__ == "__main__":\n    pixel_index = 3\n',
        "from minicoord.learn.exercises.pixel_index import pixel_index\n",
        "import pixel_index\n",
    ],
)
def test_names_that_are_not_answers(tmp_path: Path, text: str):
    path = tmp_path / "answers.py"
    path.write_text(text)
    assert not read_submission(path).answers


def test_a_stub_that_is_wrapped_is_a_stub(tmp_path: Path):
    path = tmp_path / "answers.py"
    path.write_text(f"{STUB}\npixel_index = print or pixel_index\n")
    assert outcome(path) == "not attempted"


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


def test_helpers_in_the_current_folder_and_in_packages_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "__init__.py").write_text("")
    text = "import helper\nimport parts.more\n\ndef pixel_index(x, y, height, width):\n"
    (tmp_path / "answers.py").write_text(f"{text}    return helper.times * y * width + parts.more.times * x\n")
    expected = {(2, 1): "wrong values", (1, 2): "wrong values", (1, 1): "passed"}
    for (first, second), what in expected.items():
        (tmp_path / "helper.py").write_text(f"times = {first}\n")
        (tmp_path / "parts" / "more.py").write_text(f"times = {second}\n")
        assert verdict_on(read_submission(Path()).answers["pixel_index"]).outcome == what


def test_a_file_that_asks_for_answers_itself_is_loaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    record(Verdict("pixel_index", "passed", ""), tmp_path)
    asks = 'from minicoord.learn import check, yours_or_ours\npixel_index = yours_or_ours("pixel_index")\n'
    (tmp_path / "answers.py").write_text(
        f"with open('times', 'a') as f:\n    f.write('x')\n{SOLVED}\n{asks}check(pixel_index)\n"
    )
    assert verdict_on(read_submission(Path()).answers["pixel_index"]).outcome == "passed"
    assert (tmp_path / "times").read_text() == "x"
    assert read_progress(tmp_path).of("pixel_index").checks == 1
