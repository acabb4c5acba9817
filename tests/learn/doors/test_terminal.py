"""``minicoord learn``: what it prints and writes, and its exit codes."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from terminal_runner import SOLVED, WRONG, Command, run_in_empty_folder  # noqa: F401 (the fixture "run")

from minicoord.learn.definition.course import PARTS, exercise_ids, get
from minicoord.learn.doors import notebook
from minicoord.learn.submissions.progress import FILE_NAME, read_progress
from minicoord.learn.submissions.submission import answers_in


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


@pytest.mark.parametrize("part", PARTS)
def test_start_writes_stubs_that_are_python_and_not_attempted(run: Command, part: str):
    result = run("start", part.lstrip("0") or "0")
    assert result.exit_code == 0
    path = Path(f"lesson{part}.py")
    assert [answer.id for answer in answers_in(path)] == list(PARTS[part].exercises)
    assert all(answer.stub for answer in answers_in(path))
    lines = path.read_text().splitlines()
    for line in {line for id in PARTS[part].exercises for line in get(id).imports}:
        assert lines.count(line) == 1
    exec(compile(path.read_text(), str(path), "exec"), {})
    checked = run("check")
    assert checked.exit_code == 0
    assert f"0 passed, 0 wrong, {len(PARTS[part].exercises)} not attempted." in checked.stdout


def test_start_never_overwrites(run: Command):
    Path("lesson01.py").write_bytes(b"# mine\r\n\r\ndef draw_square(a):\r\n    return a\r\n")
    assert "2 stubs added" in run("start", "1").stdout
    content = Path("lesson01.py").read_bytes()
    assert content.startswith(b"# mine\r\n\r\ndef draw_square(a):\r\n    return a\r\n")
    assert content.count(b"\n") == content.count(b"\r\n")  # the line endings stay the same
    assert content.count(b"def draw_square") == content.count(b"def one_hot") == 1
    assert "nothing was changed" in run("start", "1").stdout
    assert Path("lesson01.py").read_bytes() == content


def test_start_keeps_a_file_with_a_syntax_error(run: Command):
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


def test_a_wrong_answer_is_printed_with_its_cause_and_a_hint(run: Command):
    Path("a.py").write_text(WRONG)
    first, second, third, fourth, last = run("check").stdout.splitlines()
    assert first.endswith("(a.py)")
    assert second.strip().startswith("Likely cause: a row was assumed to have `height` pixels")
    assert third.strip() == "A hint: minicoord learn hint pixel_index"
    assert fourth.strip() == "The smallest case that fails: minicoord learn check pixel_index --show"
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
    assert "there is no answer to im2col in .; `minicoord learn start 2`" in result.stderr


def test_check_reports_unreadable_files(run: Command):
    Path("a.py").write_text(SOLVED)
    Path("b.ipynb").write_text("nonsense")
    result = run("check")
    assert result.exit_code == 1
    assert "b.ipynb is not a notebook" in result.stderr
    assert "[pass]" in result.stdout


def test_a_syntax_error_is_told_once_and_blamed_on_no_exercise(run: Command):
    texts = [WRONG, get("iou").stub_text(), "def draw_square(x):\n    return (x\n", "def one_hot(x):\n    return x\n"]
    Path("a.py").write_text("\n\n".join(texts))
    result = run("check")
    assert result.exit_code == 1
    assert "minicoord: a.py: line" in result.stderr and (result.stdout + result.stderr).count("SyntaxError") == 1
    assert "[    ] draw_square: not run, because a.py has an error." in result.stdout
    assert "[    ] iou: not attempted yet." in result.stdout
    assert "0 passed, 0 wrong, 1 not attempted, 3 not run." in result.stdout
    assert not Path(FILE_NAME).exists()
    assert run("check", "one_hot").exit_code == 1


def test_a_file_that_cannot_be_run_is_reported_once(run: Command):
    Path("a.py").write_text(f"import nothing_of_that_name\n{WRONG}\n\ndef one_hot(x):\n    return x\n")
    out = run("check").stdout
    assert out.count("ModuleNotFoundError") == 1 and "[FAIL] one_hot: as above, a.py cannot be run." in out


def test_a_misnamed_answer_and_one_in_two_files_are_told(run: Command):
    Path("a.py").write_text(SOLVED.replace("pixel_index", "pixelindex"))
    assert "a.py defines pixelindex; did you mean pixel_index?" in run("check").stderr
    assert "did you mean pixel_index?" in run("check", "pixel_index").stderr
    for name in ("a.py", "b.py"):
        Path(name).write_text(SOLVED)
    assert "pixel_index is answered in " in run("check").stderr


CHANGES_THE_FOLDER = "import os\nos.chdir('/')\n" + SOLVED.replace("    return", "    os.chdir('/')\n    return")


def test_a_change_of_the_folder_affects_neither_progress_nor_the_next_file(run: Command):
    Path("a.py").write_text(CHANGES_THE_FOLDER)
    Path("b.py").write_text("from helper import iou\n")
    Path("helper.py").write_text(get("iou").solution_text().replace("iou", "other") + "\n\niou = other\n")
    result = run("check")
    assert "2 passed" in result.stdout and result.exit_code == 0
    assert read_progress().of("pixel_index").passed and read_progress().of("iou").passed


def test_an_answer_that_ends_python_fails(run: Command):
    Path("a.py").write_text("import os\ndef pixel_index(x, y, height, width):\n    os._exit(0)\n")
    result = run("check")
    assert result.exit_code == 1 and "[FAIL] pixel_index: raised an error on" in result.stdout


def test_an_answer_that_runs_for_long_is_named(run: Command, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("minicoord.learn.doors.still_running.SECONDS", 0.05)
    Path("a.py").write_text(SOLVED.replace("    return", "    import time\n    time.sleep(0.2)\n    return"))
    told = "minicoord: pixel_index has been running for 0.05 seconds; Ctrl-C stops it\n"
    assert run("check").stderr == told
    # A busy machine may need more than a moment for a short answer, so the limit is not a moment here.
    monkeypatch.setattr("minicoord.learn.doors.still_running.SECONDS", 300)
    Path("a.py").write_text(SOLVED)
    assert run("check").stderr == ""
    waiting = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    for thread in waiting:
        thread.join(60)
    assert not any(thread.is_alive() for thread in waiting), "the timer of an answer that is done still runs"


def test_an_interrupt_ends_a_check_with_130(run: Command):
    Path("a.py").write_text("def pixel_index(x, y, height, width):\n    raise KeyboardInterrupt\n")
    result = run("check")
    assert result.exit_code == 130 and "interrupted while pixel_index was running" in result.stderr


def test_characters_outside_ascii_are_replaced(run: Command):
    Path("a.py").write_text("def pixel_index(x, y, height, width):\n    raise ValueError('größe × 2 … ∑')\n", "utf-8")
    assert "gr??e x 2 ... ?" in run("check").stdout


def test_hints_come_one_at_a_time_and_are_shared_with_the_notebook(run: Command, capsys: pytest.CaptureFixture[str]):
    hints = get("pixel_index").hints
    assert run("hint", "pixel_index").stdout == f"pixel_index, hint 1 of {len(hints)}: {hints[0]}\n"
    notebook.hint("pixel_index")
    printed = " ".join(capsys.readouterr().out.split())  # a notebook wraps lines between words
    assert printed == f"pixel_index, hint 2 of {len(hints)}: {hints[1]}"
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


def test_progress(run: Command):
    Path("a.py").write_text(SOLVED)
    run("check")
    out = run("progress").stdout
    assert "Lesson 00  #           1 of 1   Start here" in out
    assert f"1 of {len(exercise_ids())} exercises passed." in out
    Path("a.py").write_text(WRONG)
    run("check")
    assert "pixel_index: wrong values after 2 checks, 0 hints; passed before" in run("progress").stdout


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
        (["start", "99"], "there is no lesson 99"),
        (["start", "two"], "there is no lesson two; expected 0 to 14, 3b"),
        (["start", "1.5"], "there is no lesson 1.5"),
        (["check", "--work", "nowhere"], "does not exist"),
        (["watch", "--work", "a.py"], "is a file"),
    ],
)
def test_a_wrong_argument_is_a_usage_error(run: Command, arguments: list[str], words: str):
    Path("a.py").write_text(SOLVED)
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.replace("\u2502", " ").split())


@pytest.mark.parametrize("columns", [60, 80])
def test_lines_are_wrapped_between_words(run: Command, monkeypatch: pytest.MonkeyPatch, columns: int):
    Path("a.py").write_text(WRONG)
    whole = [run(*command.split()).stdout for command in ("list", "check", "progress")]
    monkeypatch.setenv("COLUMNS", str(columns))
    broken = [run(*command.split()).stdout for command in ("list", "check", "progress")]
    for before, after in zip(whole, broken, strict=True):
        assert max(map(len, before.splitlines())) > 60 and max(map(len, after.splitlines())) <= columns
        assert after.replace("2 checks", "1 check").split() == before.split()
    assert run("solution", "iou", "--now").stdout == get("iou").solution_text()


def test_the_smallest_failing_case_is_written_out_on_request(run: Command):
    Path("a.py").write_text(WRONG)
    lines = [line.strip() for line in run("check", "--show").stdout.splitlines()]
    assert any(line.startswith('The smallest case that fails: "') for line in lines)
    assert "height = " in "\n".join(lines) and not any("--show" in line for line in lines)
    Path("a.py").write_text("import nothing_of_that_name\n" + WRONG)
    out = run("check", "pixel_index", "--show").stdout
    assert "ModuleNotFoundError" in out and "smallest" not in out
