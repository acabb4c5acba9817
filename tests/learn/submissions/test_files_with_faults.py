"""Files with a syntax error, answers under a wrong name or in two files, and answers that change the process."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from answer_files import SOLVED, TAGS, WRONG, notebook

from minicoord.learn.checking.check import verdict_of
from minicoord.learn.checking.undisturbed import undisturbed
from minicoord.learn.definition.course import get
from minicoord.learn.submissions.answer import verdict_on
from minicoord.learn.submissions.source_text import nearest_id
from minicoord.learn.submissions.submission import read_submission

MISNAMED = SOLVED.replace("pixel_index", "pixelindex")


@pytest.mark.parametrize(
    "line, words", [("return (x", "'(' was never closed"), ("    return 3\nreturn 4", "outside function")]
)
def test_a_syntax_error_belongs_to_the_file(tmp_path: Path, line: str, words: str):
    (tmp_path / "a.py").write_text(f"{SOLVED}\ndef iou(a, b):\n    {line}\n")
    found = read_submission(tmp_path)
    (problem,) = found.problems
    assert problem.startswith(f"a.py: line {len((SOLVED + line).splitlines()) + 2} (return ") and words in problem
    for id in ("pixel_index", "iou"):
        verdict = verdict_on(found.answers[id])
        assert verdict.outcome == "not run"
        assert verdict.sentence == f"not run, because of an error in its file: {problem}"


def test_a_syntax_error_is_told_where_no_answer_can_be_found(tmp_path: Path):
    (tmp_path / "a.py").write_text("deff pixel_index(x, y, height, width):\n    return x\n")
    (tmp_path / "unrelated.py").write_text("print 'Python 2'\n")
    assert [problem.split(":")[0] for problem in read_submission(tmp_path).problems] == ["a.py"]


def test_a_helper_with_a_syntax_error_is_no_error_of_the_file(tmp_path: Path):
    (tmp_path / "help_me.py").write_text("x = (\n")
    (tmp_path / "a.py").write_text(f"import help_me\n{SOLVED}")
    found = read_submission(tmp_path)
    assert found.problems == [] and verdict_on(found.answers["pixel_index"]).outcome == "raised"


def test_a_misnamed_answer_is_told(tmp_path: Path):
    (tmp_path / "a.py").write_text(MISNAMED)
    found = read_submission(tmp_path)
    assert found.notes == {"pixel_index": "a.py defines pixelindex; did you mean pixel_index?"} and not found.answers
    (tmp_path / "a.py").write_text(f"{MISNAMED}\n{SOLVED}")
    assert read_submission(tmp_path).notes == {}
    (tmp_path / "a.py").write_text(f"{MISNAMED}\n{get('pixel_index').stub_text()}")
    assert "pixelindex" in read_submission(tmp_path).notes["pixel_index"]
    (tmp_path / "a.py").write_text("")
    (tmp_path / "a.ipynb").write_text(notebook((MISNAMED, TAGS)))
    found = read_submission(tmp_path)
    assert "pixelindex" in found.notes["pixel_index"]
    assert "no function pixel_index; it defines pixelindex." in verdict_on(found.answers["pixel_index"]).sentence


def test_helpers_are_not_taken_for_misnamed_answers():
    for name in ("helper", "index", "conv", "relu", "add", "loss", "im2col_fast", "max_pool_of_one_image", "train"):
        assert nearest_id(name) is None
    for name, id in {
        "Im2Col": "im2col",
        "conv_loop": "conv_loops",
        "softmax_crossentropy": "softmax_cross_entropy",
    }.items():
        assert nearest_id(name) == id


def test_an_answer_in_two_files_is_told(tmp_path: Path):
    for number, (name, text) in enumerate({"old.py": WRONG, "new.py": SOLVED}.items()):
        (tmp_path / name).write_text(text)
        os.utime(tmp_path / name, (number, number))
    (tmp_path / "stub.py").write_text(get("pixel_index").stub_text())
    found = read_submission(tmp_path)
    assert found.notes == {
        "pixel_index": "pixel_index is answered in old.py, too; new.py counts, which was saved last."
    }


def test_a_suffix_in_upper_case(tmp_path: Path):
    (tmp_path / "LESSON00.PY").write_text(SOLVED)
    (tmp_path / "LESSON00.IPYNB").write_text(notebook((WRONG, TAGS)))
    os.utime(tmp_path / "LESSON00.IPYNB", (1, 1))
    assert "LESSON00.IPYNB" in read_submission(tmp_path).notes["pixel_index"]
    assert verdict_on(read_submission(tmp_path).answers["pixel_index"]).passed


def change_much() -> None:
    os.chdir("/")
    sys.stdout = sys.stderr = None
    np.seterr(all="raise")


def test_what_an_answer_changes_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    before = sys.stdout, sys.stderr, np.geterr(), os._exit

    def pixel_index(x, y, height, width):
        change_much()
        return y * width + x

    assert verdict_of(get("pixel_index"), pixel_index).passed
    change = "import os, sys, numpy\nos.chdir('/')\nsys.stdout = sys.stderr = None\nnumpy.seterr(all='raise')\n"
    for name in ("a.py", "b.py"):
        Path(name).write_text(change + SOLVED)
        assert verdict_on(read_submission(Path(name)).answers["pixel_index"]).passed
    assert (sys.stdout, sys.stderr, np.geterr(), os._exit) == before and Path.cwd() == tmp_path


CHANGES = """import os, signal, sys, warnings
import numpy as np
signal.signal(signal.SIGINT, signal.SIG_IGN)
os.environ['NUMBA_NUM_THREADS'] = '1'
del os.environ['MINICOORD_TEST']
sys.setrecursionlimit(5000)
sys.path.clear()
warnings.simplefilter('error')
np.set_printoptions(precision=1)
"""


def of_the_process() -> tuple[object, ...]:
    where, filters = list(sys.path), list(warnings.filters)
    depth, numbers = sys.getrecursionlimit(), np.get_printoptions()
    return signal.getsignal(signal.SIGINT), dict(os.environ), depth, where, filters, numbers


def test_what_belongs_to_the_process_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MINICOORD_TEST", "here")
    (tmp_path / "a.py").write_text(CHANGES + SOLVED)
    before = of_the_process()
    assert verdict_on(read_submission(tmp_path).answers["pixel_index"]).passed
    assert of_the_process() == before


def test_an_answer_that_ends_python_at_once_gets_a_verdict(tmp_path: Path):
    def pixel_index(x, y, height, width):
        os._exit(0)

    assert "it tried to exit Python" in verdict_of(get("pixel_index"), pixel_index).sentence
    (tmp_path / "a.py").write_text(f"import os\nos._exit(0)\n{SOLVED}")
    assert "it tried to exit Python" in verdict_on(read_submission(tmp_path).answers["pixel_index"]).sentence


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_a_forked_process_may_end_and_does_not_go_on():
    read, write = os.pipe()
    with undisturbed():
        if os.fork() == 0:
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.wait()[1]) == 7
        child = os.fork()
    os.write(write, b"here")
    if child:
        os.waitpid(child, 0)
        os.close(write)
        with open(read, "rb") as file:
            assert file.read() == b"here"


def test_a_folder_that_is_gone_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    with undisturbed():
        os.chdir(tmp_path)
        gone.rmdir()
    assert Path.cwd() == tmp_path
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    with undisturbed():
        os.chdir(tmp_path)
