"""``minicoord learn watch``: which files it sees, and what it prints."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from terminal_runner import SOLVED, WRONG, Command, run_in_empty_folder  # noqa: F401 (the fixture "run")

from minicoord.learn.checking.check import verdict_of
from minicoord.learn.definition.course import get
from minicoord.learn.doors import watching
from minicoord.learn.doors.watching import saved_files
from minicoord.learn.submissions.progress import read_progress


def test_a_saved_file_is_reported_once_it_stops_changing(tmp_path: Path):
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


def test_watch_checks_saved_files_and_prints_each_pass_once(run: Command, monkeypatch: pytest.MonkeyPatch):
    def saved(folder: Path) -> Iterator[list[Path]]:
        for text in (SOLVED, SOLVED + "\n\n" + get("iou").stub_text(), WRONG):
            Path("a.py").write_text(text)
            yield [Path("a.py")]
        raise KeyboardInterrupt

    monkeypatch.setattr(watching, "saved_files", saved)
    result = run("watch")
    assert result.exit_code == 0
    assert "minicoord learn start 0" in result.stdout.splitlines()[1]  # the folder is empty at first
    assert [line.split(" on ")[0].strip() for line in result.stdout.splitlines()[2:]] == [
        "-- a.py: 1 of 1 attempted",
        f"[pass] {verdict_of(get('pixel_index'), get('pixel_index').solution)} (a.py)",
        "-- a.py: 1 of 2 attempted",
        "passed, as before",
        "-- a.py: 1 of 1 attempted",
        "[FAIL] pixel_index: wrong values",
        "Likely cause: " + get("pixel_index").mistakes[1].cause + ".",
        "A hint: minicoord learn hint pixel_index",
        "The smallest case that fails: minicoord learn check pixel_index --show",
        "Stopped. Your progress: minicoord learn progress",
    ]
    assert read_progress().of("pixel_index").checks == 3


def test_watch_goes_on_after_ctrl_c_stopped_an_answer(run: Command, monkeypatch: pytest.MonkeyPatch):
    def saved(folder: Path) -> Iterator[list[Path]]:
        for text in ("def pixel_index(x, y, height, width):\n    raise KeyboardInterrupt\n", SOLVED):
            Path("a.py").write_text(text)
            yield [Path("a.py")]
        raise KeyboardInterrupt

    monkeypatch.setattr(watching, "saved_files", saved)
    lines = [line.strip() for line in run("watch").stdout.splitlines()[2:]]
    assert lines[1] == "pixel_index: stopped. Still watching; Ctrl-C ends."
    assert lines[3].startswith("[pass] pixel_index") and lines[4].startswith("Stopped.")


def test_watch_names_a_file_without_an_exercise(run: Command, monkeypatch: pytest.MonkeyPatch):
    def saved(folder: Path) -> Iterator[list[Path]]:
        Path("a.py").write_text("")
        yield [Path("a.py")]
        raise KeyboardInterrupt

    monkeypatch.setattr(watching, "saved_files", saved)
    assert "-- a.py: contains no exercise" in run("watch").stdout.splitlines()


def test_watch_sees_changes_of_a_helper_in_the_current_folder(run: Command, monkeypatch: pytest.MonkeyPatch):
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
    """Let the child react to Ctrl-C: a process that a shell starts in the background, and its children, ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(os.name == "nt", reason="there a test cannot press Ctrl-C in a process of its own")
def test_watch_in_a_process_of_its_own(tmp_path: Path):
    command = [sys.executable, "-u", "-m", "minicoord", "learn", "watch", "--work", str(tmp_path)]
    root = str(Path(__file__).resolve().parents[3])
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
        env={name: value for name, value in os.environ.items() if name != "COLUMNS"},  # lines are not wrapped
        preexec_fn=hear_ctrl_c,
    )
    try:
        assert process.stdout is not None
        assert "Watching" in process.stdout.readline()
        assert "The folder contains no exercise yet" in process.stdout.readline()
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
