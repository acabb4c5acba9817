"""A learner's answers in real files, some of them half-written, with helpers beside them."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Any

import pytest
from answer_files import SOLVED, STUB, TAGS, WRONG, notebook, outcome

from minicoord.learn.checking.verdict import Verdict
from minicoord.learn.definition.course import get
from minicoord.learn.submissions.answer import verdict_on
from minicoord.learn.submissions.progress import read_progress, record
from minicoord.learn.submissions.submission import answers_in, read_submission


@pytest.mark.parametrize("text, expected", [(SOLVED, "passed"), (STUB, "not attempted"), (WRONG, "wrong values")])
def test_a_file_and_a_notebook_get_the_same_verdict(tmp_path: Path, text: str, expected: str):
    (tmp_path / "answers.py").write_text(text)
    (tmp_path / "answers.ipynb").write_text(notebook((text, TAGS)))
    first, second = (
        verdict_on(read_submission(tmp_path / f"answers{s}").answers["pixel_index"]) for s in (".py", ".ipynb")
    )
    assert first.outcome == expected
    assert str(first) == str(second)


def test_a_file_that_cannot_be_decoded_is_a_problem(tmp_path: Path):
    (tmp_path / "odd.py").write_bytes(b"\xff\xfe\x00def")
    (tmp_path / "other.py").write_text("# coding: no-such-encoding\n")
    (tmp_path / "third.ipynb").write_text(notebook(("# Müller", TAGS)).replace("\\u00fc", "ü"), "latin-1")
    odd, other, third = read_submission(tmp_path).problems
    assert odd.startswith("odd.py cannot be read") and other.startswith("other.py cannot be read")
    assert "save it as UTF-8" in odd and str(tmp_path) not in odd + other
    assert third == "third.ipynb is not encoded in UTF-8; save it again in Jupyter."


def test_a_missing_file_is_a_problem(tmp_path: Path):
    assert "cannot be read" in read_submission(tmp_path / "none.py").problems[0]
    assert "cannot be read" in read_submission(tmp_path / "none.ipynb").problems[0]


def test_a_syntax_error_is_reported_with_its_line(tmp_path: Path):
    (tmp_path / "lesson.py").write_text("import math\n\ndef pixel_index(x, y, height, width):\n    return (x\n")
    verdict = verdict_on(read_submission(tmp_path).answers["pixel_index"])
    assert verdict.outcome == "not run"
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
