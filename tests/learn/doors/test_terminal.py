"""``minicoord learn``: what it prints and writes, and its exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from minicoord.learn.checking.check import verdict_of
from minicoord.learn.definition.course import COURSE, exercise_ids, get
from minicoord.learn.doors import notebook, watching
from minicoord.learn.doors.terminal import learn
from minicoord.learn.doors.watching import saved_files
from minicoord.learn.submissions.progress import FILE_NAME, read_progress
from minicoord.learn.submissions.submission import answers_in

WRONG = "def pixel_index(x, y, height, width):\n    return y * height + x\n"
SOLVED = get("pixel_index").solution_text()

Command = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command in an empty folder; what it prints must be ASCII."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)  # without a terminal, lines stay whole

    def command(*arguments: str) -> Result:
        result = CliRunner().invoke(learn, list(arguments))
        if result.exit_code != 2:
            assert (result.stdout + result.stderr).isascii()
        return result

    return command


def test_list_shows_every_exercise(run: Command):
    lines = run("list").stdout.splitlines()
    for id in exercise_ids():
        assert any(line.startswith(f"  [ ] {id} ") for line in lines)
    assert "Lesson 05: CoordConv" in lines


def test_list_as_json(run: Command):
    Path("a.py").write_text(SOLVED)
    run("check")
    rows = json.loads(run("list", "--json").stdout)
    assert [row["id"] for row in rows] == exercise_ids()
    first = rows[0]
    assert (first["lesson"], first["passed"], first["outcome"]) == (0, True, "passed")
    assert first["minutes"] == get(first["id"]).minutes
    assert not rows[1]["passed"]


@pytest.mark.parametrize("lesson", sorted(COURSE))
def test_start_writes_stubs_that_are_python_and_not_attempted(run: Command, lesson: int):
    result = run("start", str(lesson))
    assert result.exit_code == 0
    path = Path(f"lesson{lesson:02d}.py")
    assert [answer.id for answer in answers_in(path)] == list(COURSE[lesson])
    assert all(answer.stub for answer in answers_in(path))
    lines = path.read_text().splitlines()
    for line in {line for id in COURSE[lesson] for line in get(id).imports}:
        assert lines.count(line) == 1
    exec(compile(path.read_text(), str(path), "exec"), {})
    checked = run("check")
    assert checked.exit_code == 0
    assert f"0 passed, 0 wrong, {len(COURSE[lesson])} not attempted." in checked.stdout


def test_start_never_overwrites(run: Command):
    Path("lesson01.py").write_bytes(b"# mine\r\n\r\ndef draw_square(a):\r\n    return a\r\n")
    assert "2 stubs added" in run("start", "1").stdout
    content = Path("lesson01.py").read_bytes()
    assert content.startswith(b"# mine\r\n\r\ndef draw_square(a):\r\n    return a\r\n")
    assert content.count(b"\n") == content.count(b"\r\n")  # the lines end as they did
    assert content.count(b"def draw_square") == content.count(b"def one_hot") == 1
    assert "nothing was changed" in run("start", "1").stdout
    assert Path("lesson01.py").read_bytes() == content


def test_start_leaves_a_file_alone_that_is_not_python(run: Command):
    Path("lesson01.py").write_text("def draw_square(a:\n")
    result = run("start", "1")
    assert result.exit_code == 1
    assert "has an error in line 1" in result.stderr
    assert Path("lesson01.py").read_text() == "def draw_square(a:\n"


@pytest.mark.parametrize(
    "text, code, line",
    [
        (SOLVED, 0, "[pass] pixel_index: passed"),
        (WRONG, 1, "[FAIL] pixel_index: wrong values on"),
        (get("pixel_index").stub_text(), 0, "[    ] pixel_index: not attempted yet. (a.py)"),
    ],
)
def test_check(run: Command, text: str, code: int, line: str):
    Path("a.py").write_text(text)
    result = run("check")
    assert result.exit_code == code
    assert result.stdout.startswith(line)
    one = run("check", "pixel_index")
    assert one.stdout.startswith(line)
    assert one.exit_code == (0 if "pass" in line else 1)


def test_a_wrong_answer_is_told_its_cause_and_where_a_hint_is(run: Command):
    Path("a.py").write_text(WRONG)
    first, second, third, last = run("check").stdout.splitlines()
    assert first.endswith("(a.py)")
    assert second.strip().startswith("The likely cause: a row was assumed to have `height` pixels")
    assert third.strip() == "A hint: minicoord learn hint pixel_index"
    assert last == "0 passed, 1 wrong, 0 not attempted."


def test_check_finds_files_elsewhere_and_keeps_progress_there(run: Command):
    Path("mine").mkdir()
    Path("mine/a.py").write_text(SOLVED)
    assert run("check", "--work", "mine").exit_code == 0
    assert read_progress("mine").of("pixel_index").passed
    assert not Path(FILE_NAME).exists()


def test_check_without_work_says_how_to_begin(run: Command):
    result = run("check")
    assert result.exit_code == 1
    assert "`minicoord learn start 0` writes a file" in result.stderr
    result = run("check", "im2col")
    assert result.exit_code == 1
    assert "there is no im2col in .; `minicoord learn start 2`" in result.stderr


def test_check_tells_of_files_that_cannot_be_read(run: Command):
    Path("a.py").write_text(SOLVED)
    Path("b.ipynb").write_text("nonsense")
    result = run("check")
    assert result.exit_code == 1
    assert "b.ipynb is no notebook" in result.stderr
    assert "[pass]" in result.stdout


def test_a_file_that_cannot_be_run_is_told_once_and_its_stubs_stay_stubs(run: Command):
    texts = [WRONG, get("iou").stub_text(), "def draw_square(x):\n    return (x\n", "def one_hot(x):\n    return x\n"]
    Path("a.py").write_text("\n\n".join(texts))
    result = run("check")
    assert result.exit_code == 1
    assert result.stdout.count("SyntaxError") == 1
    assert "[FAIL] draw_square: as above, a.py cannot be run." in result.stdout
    assert "[    ] iou: not attempted yet." in result.stdout
    assert "0 passed, 3 wrong, 1 not attempted." in result.stdout


def test_an_interrupt_ends_a_check_with_130(run: Command):
    Path("a.py").write_text("def pixel_index(x, y, height, width):\n    raise KeyboardInterrupt\n")
    assert run("check").exit_code == 130


def test_signs_that_are_not_ascii_are_replaced(run: Command):
    Path("a.py").write_text("def pixel_index(x, y, height, width):\n    raise ValueError('größe × 2 … ∑')\n", "utf-8")
    assert "gr??e x 2 ... ?" in run("check").stdout


def test_hints_come_one_at_a_time_and_are_shared_with_the_notebook(run: Command, capsys: pytest.CaptureFixture[str]):
    hints = get("pixel_index").hints
    assert run("hint", "pixel_index").stdout == f"pixel_index, hint 1 of {len(hints)}: {hints[0]}\n"
    notebook.hint("pixel_index")
    told = " ".join(capsys.readouterr().out.split())  # a page has lines that end between words
    assert told == f"pixel_index, hint 2 of {len(hints)}: {hints[1]}"
    for _ in hints:
        last = run("hint", "pixel_index").stdout
    assert all(hint in last for hint in hints)


def test_the_solution_comes_after_a_pass_or_on_request(run: Command):
    Path("a.py").write_text(WRONG)
    run("check")
    result = run("solution", "pixel_index")
    assert result.exit_code == 1 and result.stdout == "" and "--now" in result.stderr
    assert run("solution", "pixel_index", "--now").stdout == SOLVED
    assert read_progress().of("pixel_index").solution_shown
    Path("a.py").write_text(SOLVED)
    run("check")
    assert run("solution", "pixel_index").stdout == SOLVED


def test_reset_puts_the_stub_back_and_keeps_a_copy(run: Command):
    run("start", "1")
    path = Path("lesson01.py")
    fresh = path.read_text()
    changed = fresh.replace("    raise NotImplementedError  # your code in place of this line", "    return 3", 1)
    assert "return 3" in changed
    path.write_text(changed)
    assert run("reset", "draw_square").exit_code == 0
    assert path.read_text() == fresh
    assert Path("lesson01.py.backup").read_text() == changed
    path.write_text(changed)
    run("reset", "draw_square")
    assert Path("lesson01.py.backup-2").read_text() == changed


def test_reset_takes_decorators_away_and_leaves_neighbours(run: Command):
    Path("a.py").write_text(f"A = 1\n\n\n@staticmethod\n{WRONG}\n\nB = 2\n")
    run("reset", "pixel_index")
    text = Path("a.py").read_text()
    assert text.startswith("A = 1\n\n\ndef pixel_index") and text.endswith("\n\nB = 2\n")
    assert "staticmethod" not in text


def test_reset_of_a_file_that_is_not_python(run: Command):
    Path("a.py").write_text("A = 1\n\ndef pixel_index(\n    x,\n):\n    return (x\n\n\nB = 2\n")
    run("reset", "pixel_index")
    text = Path("a.py").read_text()
    compile(text, "a.py", "exec")
    assert text.startswith("A = 1\n\ndef pixel_index(x, y") and text.endswith("\n\n\nB = 2\n")


@pytest.mark.parametrize("sign", ["\x0c", "\x0b", "\x1c", "\x85", "\u2028", "\u2029"])
def test_reset_cuts_where_python_ends_a_line_and_nowhere_else(run: Command, sign: str):
    head = f"import numpy as np\n\x0c\nKEEP = 1  # one{sign}two\n\n"
    tail = f"\nALSO = 2  # three{sign}four\n"
    Path("a.py").write_text(head + "def pixel_index(x, y, height, width):\n    a = 1\n    return a\n" + tail, "utf-8")
    run("reset", "pixel_index")
    with open("a.py", encoding="utf-8", newline="") as file:
        text = file.read()
    stub = get("pixel_index").stub_text()
    assert text == head + stub[stub.index("def ") :] + tail


def test_reset_does_not_cut_into_another_statement(run: Command):
    text = "if True:\n    def pixel_index(x, y, height, width):\n        return 3\n"
    Path("a.py").write_text(text)
    result = run("reset", "pixel_index")
    assert result.exit_code == 1
    assert "pixel_index stands within another statement, in line 2; take it out by hand" in result.stderr
    assert Path("a.py").read_text() == text
    assert not Path("a.py.backup").exists()


def test_reset_of_what_was_assigned(run: Command):
    Path("a.py").write_text("pixel_index = (\n    lambda x, y, height, width: 3\n)\nB = 2\n")
    run("reset", "pixel_index")
    text = Path("a.py").read_text()
    assert text.startswith("def pixel_index(x, y") and text.endswith("\nB = 2\n")


def test_reset_of_a_cell(run: Command):
    cell = {"cell_type": "code", "metadata": {"tags": ["exercise", "pixel_index"]}, "execution_count": 3}
    other = {"cell_type": "markdown", "metadata": {}, "source": ["größer"]}
    book = {"cells": [other, {**cell, "source": [WRONG], "outputs": [1]}], "nbformat": 4, "nbformat_minor": 5}
    Path("a.ipynb").write_text(json.dumps(book), "utf-8")
    assert run("reset", "pixel_index").exit_code == 0
    after = json.loads(Path("a.ipynb").read_text("utf-8"))
    assert after["cells"][0] == other
    assert "".join(after["cells"][1]["source"]) == get("pixel_index").stub_text().rstrip("\n")
    assert after["cells"][1]["outputs"] == [] and after["cells"][1]["execution_count"] is None
    assert json.loads(Path("a.ipynb.backup").read_text("utf-8")) == book


def test_reset_without_an_answer(run: Command):
    result = run("reset", "pixel_index")
    assert result.exit_code == 1 and "`minicoord learn start 0`" in result.stderr


def test_progress(run: Command):
    Path("a.py").write_text(SOLVED)
    run("check")
    out = run("progress").stdout
    assert "Lesson 00  #           1 of 1   Start here" in out
    assert f"1 of {len(exercise_ids())} exercises passed." in out
    Path("a.py").write_text(WRONG)
    run("check")
    assert "pixel_index: wrong values at the last of 2 checks, 0 hints; passed before" in run("progress").stdout


def test_a_damaged_progress_file_stops_nothing(run: Command):
    Path("a.py").write_text(SOLVED)
    for command in (["progress"], ["check"], ["list"], ["hint", "pixel_index"]):
        Path(FILE_NAME).write_text("damaged")
        result = run(*command)
        assert result.exit_code == 0
        assert "was damaged" in result.stderr


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["check", "pixel_indx"], "did you mean"),
        (["hint", "zzzz"], "minicoord learn list"),
        (["start", "9"], "there is no lesson 9"),
        (["check", "--work", "nowhere"], "does not exist"),
        (["watch", "--work", "a.py"], "is a file"),
    ],
)
def test_a_wrong_word_is_a_usage_error(run: Command, arguments: list[str], words: str):
    Path("a.py").write_text(SOLVED)
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.replace("\u2502", " ").split())


@pytest.mark.parametrize("columns", [60, 80])
def test_in_a_terminal_no_word_is_broken(run: Command, monkeypatch: pytest.MonkeyPatch, columns: int):
    Path("a.py").write_text(WRONG)
    whole = [run(*command.split()).stdout for command in ("list", "check", "progress")]
    monkeypatch.setenv("COLUMNS", str(columns))
    broken = [run(*command.split()).stdout for command in ("list", "check", "progress")]
    for before, after in zip(whole, broken, strict=True):
        assert max(map(len, before.splitlines())) > 60 and max(map(len, after.splitlines())) <= columns
        assert after.replace("2 checks", "1 check").split() == before.split()
    assert run("solution", "iou", "--now").stdout == get("iou").solution_text()


def test_saved_files_are_those_that_came_to_rest(tmp_path: Path):
    path, other = tmp_path / "a.py", tmp_path / "b.py"
    other.write_text("old")
    steps: list[Callable[[], object]] = [
        lambda: path.write_text("1"),
        lambda: path.write_text("12"),
        lambda: None,
        lambda: None,
        lambda: other.unlink(),
        lambda: other.write_text("old"),
        lambda: None,
    ]

    def sleep(seconds: float) -> None:
        if not steps:
            raise KeyboardInterrupt
        steps.pop(0)()

    found = []

    def look() -> None:
        for files in saved_files(tmp_path, sleep=sleep):
            found.append([file.name for file in files])

    with pytest.raises(KeyboardInterrupt):
        look()
    assert found == [["a.py"], ["b.py"]]


def test_watch_checks_what_was_saved_and_is_quiet_about_what_still_passes(
    run: Command, monkeypatch: pytest.MonkeyPatch
):
    def saved(folder: Path) -> Iterator[list[Path]]:
        for text in (SOLVED, SOLVED + "\n\n" + get("iou").stub_text(), WRONG):
            Path("a.py").write_text(text)
            yield [Path("a.py")]
        raise KeyboardInterrupt

    monkeypatch.setattr(watching, "saved_files", saved)
    result = run("watch")
    assert result.exit_code == 0
    assert "minicoord learn start 0" in result.stdout.splitlines()[1]  # nothing is there to be watched at first
    assert [line.split(" on ")[0].strip() for line in result.stdout.splitlines()[2:]] == [
        "-- a.py: 1 of 1 attempted",
        f"[pass] {verdict_of(get('pixel_index'), get('pixel_index').solution)} (a.py)",
        "-- a.py: 1 of 2 attempted",
        "passed, as before",
        "-- a.py: 1 of 1 attempted",
        "[FAIL] pixel_index: wrong values",
        "The likely cause: " + get("pixel_index").mistakes[1].cause + ".",
        "A hint: minicoord learn hint pixel_index",
        "Stopped. Your progress: minicoord learn progress",
    ]
    assert read_progress().of("pixel_index").checks == 3


def test_watch_names_a_file_without_an_exercise(run: Command, monkeypatch: pytest.MonkeyPatch):
    def saved(folder: Path) -> Iterator[list[Path]]:
        Path("a.py").write_text("")
        yield [Path("a.py")]
        raise KeyboardInterrupt

    monkeypatch.setattr(watching, "saved_files", saved)
    assert "-- a.py: no exercise is in it" in run("watch").stdout.splitlines()


def test_watch_sees_what_became_of_a_helper_in_the_current_folder(run: Command, monkeypatch: pytest.MonkeyPatch):
    text = "import helper\n\ndef pixel_index(x, y, height, width):\n    return helper.index(x, y, height, width)\n"

    def saved(folder: Path) -> Iterator[list[Path]]:
        Path("a.py").write_text(text)
        for helper in (WRONG, SOLVED):
            Path("helper.py").write_text(helper + "\n\nindex = pixel_index\n")
            yield [Path("a.py")]
        raise KeyboardInterrupt

    monkeypatch.setattr(watching, "saved_files", saved)
    marks = [line[:6] for line in run("watch").stdout.splitlines() if line.startswith("[")]
    assert marks == ["[FAIL]", "[pass]"]


def hear_ctrl_c() -> None:
    """In the child: what a shell starts in the background ignores Ctrl-C, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(os.name == "nt", reason="there a test cannot press Ctrl-C in a process of its own")
def test_watch_as_it_really_runs(tmp_path: Path):
    command = [sys.executable, "-u", "-m", "minicoord", "learn", "watch", "--work", str(tmp_path)]
    root = str(Path(__file__).resolve().parents[3])
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
        env={name: value for name, value in os.environ.items() if name != "COLUMNS"},  # lines stay whole
        preexec_fn=hear_ctrl_c,
    )
    try:
        assert process.stdout is not None
        assert "Watching" in process.stdout.readline()
        assert "There is no exercise in it yet" in process.stdout.readline()
        time.sleep(1.0)
        (tmp_path / "lesson00.py").write_text(SOLVED)
        assert "lesson00.py: 1 of 1 attempted" in process.stdout.readline()
        assert "[pass] pixel_index" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert "Stopped." in out
        assert err == ""
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()
