"""A process that is killed while it writes leaves a temporary file, which goes at the next start, and no other file."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from minicoord.system import leftovers
from minicoord.system.files import remove_leftovers, write_atomically

WRITER = """
import sys
from minicoord.system.files import write_atomically
with write_atomically(sys.argv[1], "w") as file:
    file.write("half of the n")
    file.flush()
    print("writing", flush=True)
    sys.stdin.read()
"""
OLD = ".result.json.0123456789abcdef0123456789abcdef.tmp"  # as names were before they told the process


@contextlib.contextmanager
def writing(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is in the middle of a write of `path`; its temporary file is there."""
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "writing\n"
        try:
            yield process
        finally:
            process.kill()


def kill_while_writing(path: Path) -> Path:
    """Return what a process left that was killed in the middle of a write."""
    before = set(path.parent.iterdir())
    with writing(path) as process:
        process.kill()
        process.wait()
    (left,) = set(path.parent.iterdir()) - before
    assert left.read_text() == "half of the n"
    return left


def write(path: Path) -> None:
    with write_atomically(path, "w") as file:
        file.write("new")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_next_write_removes_what_a_killed_one_left(tmp_path):
    (tmp_path / "result.json").write_text("old")
    for _ in range(2):
        kill_while_writing(tmp_path / "result.json")
    assert (tmp_path / "result.json").read_text() == "old"
    write(tmp_path / "result.json")
    assert names(tmp_path) == ["result.json"]
    assert (tmp_path / "result.json").read_text() == "new"


def test_a_write_that_is_refused_removes_it_too_and_no_name_is_too_long(tmp_path):
    path = tmp_path / ("n" * 255)
    kill_while_writing(path)
    with contextlib.suppress(KeyboardInterrupt), write_atomically(path):
        raise KeyboardInterrupt
    assert names(tmp_path) == []


def test_the_file_of_a_living_process_stays_and_that_process_ends_its_write(tmp_path):
    with writing(tmp_path / "result.json") as process:
        (living,) = tmp_path.iterdir()
        os.utime(living, (0, 0))  # however old
        write(tmp_path / "result.json")
        assert living.exists()
        process.communicate("", timeout=60)
        assert process.returncode == 0
    assert names(tmp_path) == ["result.json"]
    assert (tmp_path / "result.json").read_text() == "half of the n"


def test_what_was_left_of_other_files_stays(tmp_path):
    left = kill_while_writing(tmp_path / "weights.npz")
    write(tmp_path / "result.json")
    assert names(tmp_path) == sorted([left.name, "result.json"])


@pytest.mark.parametrize("name", [OLD, ".result.json.01234567-1-0123456789abcdef.tmp"])
def test_a_file_whose_writer_cannot_be_asked_for_goes_when_it_is_older_than_an_hour(tmp_path, name):
    (tmp_path / name).write_text("half")
    now = time.time()
    os.utime(tmp_path / name, (now, now - 3500))
    write(tmp_path / "result.json")
    assert names(tmp_path) == sorted([name, "result.json"])
    os.utime(tmp_path / name, (now, now - 3700))
    write(tmp_path / "result.json")
    assert names(tmp_path) == ["result.json"]


def test_a_process_of_somebody_else_is_a_living_one(tmp_path, monkeypatch):
    left = kill_while_writing(tmp_path / "result.json")

    def refuse(process: int, sign: int) -> None:
        assert sign == 0 and f"-{process}-" in left.name
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    write(tmp_path / "result.json")
    assert left.exists()


def test_where_processes_cannot_be_asked_for_the_age_decides(tmp_path, monkeypatch):
    left = kill_while_writing(tmp_path / "result.json")
    monkeypatch.setattr(leftovers.sys, "platform", "win32")
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("on Windows this ends the process"))
    write(tmp_path / "result.json")
    assert left.exists()
    os.utime(left, (0, 0))
    write(tmp_path / "result.json")
    assert not left.exists()


OTHERS = [
    "result.json",
    ".lock",
    "note.tmp",
    ".note.tmp",
    ".result.json.tmp",
    ".result.json.0123.tmp",
    "result.json.0123456789abcdef0123456789abcdef.tmp",
    ".result.json.01234567-12-0123456789abcdef.tmp~",
]


def test_remove_leftovers_takes_all_of_ours_and_nothing_else(tmp_path):
    ours = [kill_while_writing(tmp_path / name) for name in ("result.json", "weights.npz", ".hidden")]
    ours.append(tmp_path / OLD)
    ours[-1].write_text("half")
    for name in OTHERS:
        (tmp_path / name).write_text("kept")
    (tmp_path / OLD.replace("result", "folder")).mkdir()
    (tmp_path / "below").mkdir()
    below = kill_while_writing(tmp_path / "below" / "result.json")
    try:
        (tmp_path / OLD.replace("result", "link")).symlink_to("result.json")
    except OSError:
        pytest.skip("this system makes no links for this user")
    kept = set(tmp_path.iterdir()) - set(ours)

    assert sorted(remove_leftovers(tmp_path)) == sorted(ours)
    assert set(tmp_path.iterdir()) == kept
    assert below.exists()
    assert remove_leftovers(tmp_path) == []


def test_remove_leftovers_of_a_folder_that_is_not_there(tmp_path):
    assert remove_leftovers(tmp_path / "missing") == []


def test_a_leftover_that_cannot_be_removed_hinders_nothing(tmp_path, monkeypatch):
    left = kill_while_writing(tmp_path / "result.json")

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "in use", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    assert remove_leftovers(tmp_path) == []
    write(tmp_path / "result.json")
    assert names(tmp_path) == sorted([left.name, "result.json"])
