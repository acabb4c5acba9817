"""The progress file: shared by several programs, and never a reason to stop."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from minicoord.learn.checking.verdict import Verdict
from minicoord.learn.submissions.progress import FILE_NAME, Entry, read_progress, record, record_hint, record_solution


def checked(outcome: str, id: str = "im2col") -> Verdict:
    return Verdict(id, outcome, "a sentence.")


def test_a_pass_stays_and_the_last_outcome_is_kept(tmp_path: Path):
    for outcome in ("wrong shape", "passed", "wrong values"):
        assert record(checked(outcome), tmp_path) is None
    entry = read_progress(tmp_path).of("im2col")
    assert (entry.passed, entry.outcome, entry.checks) == (True, "wrong values", 3)
    assert entry.last[:2] == "20"


def test_an_exercise_that_was_not_attempted_is_not_recorded(tmp_path: Path):
    record(checked("not attempted"), tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert read_progress(tmp_path).of("im2col") == Entry()


def test_hints_and_solutions_are_recorded(tmp_path: Path):
    record_hint("im2col", 2, tmp_path)
    record_hint("im2col", 1, tmp_path)
    record_solution("iou", tmp_path)
    progress = read_progress(tmp_path)
    assert progress.of("im2col").hints == 2
    assert progress.of("iou").solution_shown and not progress.of("iou").passed


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"version": 0, "exercises": {}}',
        '{"version": 1, "exercises": {"im2col": {"hints": -7}}}',
        "[" * 100_000,
        '{"version": 1, "exercises": {"im2col": 3}}',
        '{"version": 1, "exercises": {"im2col": {"passed": "yes"}}}',
        '{"version": 1, "exercises": {"im2col": {"outcome": "splendid"}}}',
        "\x00\x01",
    ],
)
def test_a_damaged_file_is_reported_and_set_aside(tmp_path: Path, content: str):
    path = tmp_path / FILE_NAME
    path.write_text(content)
    complaint = record(checked("passed"), tmp_path)
    assert complaint is not None and "minicoord-progress-damaged.json" in complaint
    assert (tmp_path / "minicoord-progress-damaged.json").read_text() == content
    assert read_progress(tmp_path).of("im2col").passed
    path.write_text("again")
    assert "damaged-2.json" in (read_progress(tmp_path).complaint or "")
    assert (tmp_path / "minicoord-progress-damaged.json").read_text() == content


def test_unknown_fields_of_an_entry_are_ignored(tmp_path: Path):
    entry = {"passed": True, "outcome": "passed", "stars": 5}
    (tmp_path / FILE_NAME).write_text(json.dumps({"version": 1, "exercises": {"im2col": entry}}))
    progress = read_progress(tmp_path)
    assert progress.of("im2col").passed and progress.complaint is None


def test_a_byte_order_mark_is_ignored(tmp_path: Path):
    record(checked("passed"), tmp_path)
    path = tmp_path / FILE_NAME
    path.write_text(path.read_text("utf-8"), "utf-8-sig")
    progress = read_progress(tmp_path)
    assert progress.complaint is None and progress.of("im2col").passed


def test_a_folder_in_its_place_is_reported(tmp_path: Path):
    (tmp_path / FILE_NAME).mkdir()
    sentence = record(checked("passed"), tmp_path)
    assert sentence is not None and "is a folder" in sentence and "write_atomically" not in sentence


def test_a_missing_folder_is_reported(tmp_path: Path):
    sentence = record(checked("passed"), tmp_path / "none")
    assert sentence is not None and "progress cannot be written" in sentence


def test_an_unreadable_file_is_reported(tmp_path: Path):
    (tmp_path / FILE_NAME).mkdir()
    assert "is a folder, wanted a file" in (read_progress(tmp_path).complaint or "")
    assert "progress cannot be written" in (record(checked("passed"), tmp_path) or "")


WRITER = """
import sys
from minicoord.learn.submissions.progress import record_hint
for k in range(40):
    assert record_hint(f"{sys.argv[2]}{k}", 1, sys.argv[1]) is None
"""


def test_two_programs_that_write_at_once_lose_nothing(tmp_path: Path):
    commands = [[sys.executable, "-c", WRITER, str(tmp_path), name] for name in ("a", "b")]
    assert [process.wait(100) for process in [subprocess.Popen(command) for command in commands]] == [0, 0]
    assert len(read_progress(tmp_path).entries) == 80
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_a_lock_that_was_left_behind_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("minicoord.learn.submissions.progress.LOCK_TIMEOUT", 0.05)
    (tmp_path / f".{FILE_NAME}.lock").touch()
    assert record(checked("passed"), tmp_path) is None
    assert read_progress(tmp_path).of("im2col").passed
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_a_lock_that_cannot_be_removed_is_not_waited_for_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("minicoord.learn.submissions.progress.LOCK_TIMEOUT", 0.05)
    (tmp_path / f".{FILE_NAME}.lock").mkdir()
    assert record(checked("passed"), tmp_path) is None
    assert read_progress(tmp_path).of("im2col").passed


def test_the_file_of_a_newer_version_is_not_changed(tmp_path: Path):
    text = '{"version": 2, "exercises": {}}'
    (tmp_path / FILE_NAME).write_text(text)
    assert "newer version of minicoord" in (record(checked("passed"), tmp_path) or "")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(FILE_NAME, text)]
