"""What stands at a name: only regular files are replaced, and a refusal touches nothing.

The devices, pipes and sockets of these tests are their own; none of the machine's is ever named.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from minicoord.system.files import one_process_at_a_time, remove_file, write_atomically, write_json
from minicoord.system.places import make_folder, what_is_at, why_no_folder

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")

Make = Callable[[Path, pytest.MonkeyPatch], object]


def make_device(path: Path, kind: int, patch: pytest.MonkeyPatch) -> None:
    """Make a device node with the numbers of the null device; where that is forbidden, a file that passes for one."""
    with contextlib.suppress(PermissionError):
        os.mknod(path, kind | 0o600, os.makedev(1, 3))
        return
    path.write_bytes(b"a device")
    real = os.stat

    def stat_of_a_device(name: Any, *args: Any, **options: Any) -> os.stat_result:
        found = real(name, *args, **options)
        if os.path.realpath(name) == os.path.realpath(path):
            return os.stat_result([kind | 0o600, *found[1:]])
        return found

    patch.setattr(os, "stat", stat_of_a_device)


def make_socket(path: Path, _: pytest.MonkeyPatch) -> None:
    short = tempfile.mkdtemp(dir="/tmp")  # the address of a socket has some hundred characters at most
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{short}/s")
    os.rename(f"{short}/s", path)
    os.rmdir(short)


KINDS: dict[str, Make] = {
    "a pipe": lambda path, _: os.mkfifo(path),
    "a socket": make_socket,
    "a folder": lambda path, _: path.mkdir(),
    "a character device": lambda path, patch: make_device(path, stat.S_IFCHR, patch),
    "a block device": lambda path, patch: make_device(path, stat.S_IFBLK, patch),
}


def state(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Everything in a folder: name, kind, number on the disk, size."""
    found = {path.name: path.lstat() for path in folder.iterdir()}
    return {name: (stat.S_IFMT(s.st_mode), s.st_ino, s.st_size) for name, s in found.items()}


def write(path: Path | str) -> None:
    with write_atomically(path) as file:
        file.write(b"new")


WRITERS: dict[str, Callable[[Path], None]] = {
    "write_atomically": write,
    "write_json": lambda path: write_json(path, {"a": 1}),
    "remove_file": remove_file,
}


@pytest.mark.parametrize("writer", WRITERS.values(), ids=list(WRITERS))
@pytest.mark.parametrize("through", ["its name", "a link", "a link to a link"])
@pytest.mark.parametrize("kind, make", KINDS.items(), ids=list(KINDS))
def test_what_is_not_a_regular_file_is_refused_and_left_as_it_is(tmp_path, monkeypatch, kind, make, through, writer):
    place = name = tmp_path / "place"
    make(place, monkeypatch)
    for k in range(["its name", "a link", "a link to a link"].index(through)):
        link = tmp_path / f"link{k}"
        link.symlink_to(name)
        name = link
    before = state(tmp_path)
    with pytest.raises(OSError) as refused:
        writer(name)
    assert state(tmp_path) == before
    words = f"{name} is {kind}" if through == "its name" else f"{name} is a link to {place}, {kind};"
    assert str(refused.value).startswith(words)
    assert str(refused.value).endswith("wanted a regular file or a name that is free")


def test_a_file_or_a_link_to_one_is_removed(tmp_path):
    (tmp_path / "real").write_text("kept")
    (tmp_path / "link").symlink_to("real")
    remove_file(tmp_path / "link")
    assert list(state(tmp_path)) == ["real"]
    remove_file(tmp_path / "real")
    remove_file(tmp_path / "real")
    remove_file(tmp_path / "missing" / "real")
    assert list(state(tmp_path)) == []


@pytest.mark.parametrize("kind, make", KINDS.items(), ids=list(KINDS))
def test_the_lock_is_a_regular_file_too(tmp_path, monkeypatch, kind, make):
    make(tmp_path / "lock", monkeypatch)
    before = state(tmp_path)
    # In a thread: to open a pipe for writing waits for a reader.
    raised: list[BaseException] = []

    def hold() -> None:
        try:
            with one_process_at_a_time(tmp_path / "lock"):
                pass
        except OSError as error:
            raised.append(error)

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    thread.join(10)
    assert len(raised) == 1 and f"is {kind}, wanted a regular file" in str(raised[0])
    assert state(tmp_path) == before


def test_a_pipe_that_has_no_path_is_refused():
    reader, writer = os.pipe()
    try:
        folder = Path("/dev/fd")
        if not folder.is_dir():
            pytest.skip("this system does not show its descriptors as files")
        with pytest.raises(OSError, match="a pipe"):
            write(folder / str(writer))
    finally:
        os.close(reader)
        os.close(writer)


def test_a_link_that_leads_nowhere_is_refused(tmp_path):
    (tmp_path / "dangling").symlink_to("missing")
    (tmp_path / "circle").symlink_to("circle")
    before = state(tmp_path)
    with pytest.raises(OSError, match="dangling is a link to a name that does not exist, wanted a regular file"):
        write(tmp_path / "dangling")
    with pytest.raises(OSError, match="circle is a link that leads back to itself, wanted a regular file"):
        write(tmp_path / "circle")
    assert state(tmp_path) == before


def test_a_parent_that_is_not_a_folder_is_named(tmp_path):
    (tmp_path / "note").write_text("kept")
    os.mkfifo(tmp_path / "pipe")
    before = state(tmp_path)
    for name, kind in (("note", "a file"), ("pipe", "a pipe")):
        for below in ("below", "far/below"):
            with pytest.raises(
                OSError, match=f"cannot write to .*/{name}/{below}': .*/{name} is {kind}, wanted a folder"
            ):
                write(tmp_path / name / below)
    assert state(tmp_path) == before


@pytest.mark.parametrize(
    "name, sentence",
    [
        ("", "the name of the file to write is empty"),
        ("a\0b", r"'a\\x00b' contains a NUL character"),
        (".", r"\. is a folder, wanted a regular file"),
        ("missing/..", r"missing/\.\. is a folder, wanted a regular file"),
        ("missing/", "missing/ ends in a slash, as a folder does"),
        ("note/", "note/ ends in a slash, as a folder does"),
        ("missing/note", r"there is no folder .*/missing for note"),
        ("n" * 300, "File name too long"),
    ],
)
def test_an_impossible_name_is_refused_in_a_sentence(tmp_path, monkeypatch, name, sentence):
    monkeypatch.chdir(tmp_path)
    Path("note").write_text("kept")
    before = state(tmp_path)
    with pytest.raises((OSError, ValueError), match=sentence) as refused:
        write(name)
    assert ".tmp" not in str(refused.value)
    assert state(tmp_path) == before


def test_the_longest_name_that_the_disk_allows_can_be_written(tmp_path):
    for name in ("n" * 255, "ü" * 127):
        write(tmp_path / name)
        assert [path.name for path in tmp_path.iterdir()] == [name]
        (tmp_path / name).unlink()


def test_a_folder_is_made_only_where_there_can_be_one(tmp_path):
    make_folder(tmp_path / "new" / "folder")
    make_folder(tmp_path / "new" / "folder")
    (tmp_path / "link").symlink_to("new")
    make_folder(tmp_path / "link" / "below")
    assert (tmp_path / "new" / "below").is_dir()

    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("missing")
    before = state(tmp_path)
    for name, words in (("pipe", "a pipe"), ("dangling", "a link to a name that does not exist")):
        with pytest.raises(NotADirectoryError, match=f"cannot write to '.*/{name}': it is {words}, wanted a folder"):
            make_folder(tmp_path / name)
        with pytest.raises(
            NotADirectoryError, match=f"cannot write to '.*/{name}/far/below': .*/{name} is {words}, wanted a folder"
        ):
            make_folder(tmp_path / name / "far" / "below")
    assert state(tmp_path) == before


def test_what_may_not_be_looked_at_is_an_error_and_not_free(tmp_path, monkeypatch):
    def refuse(name, *_, **__):
        raise PermissionError(13, "Permission denied", str(name))

    monkeypatch.setattr(os, "stat", refuse)
    for ask in (what_is_at, why_no_folder):
        with pytest.raises(PermissionError):
            ask(tmp_path / "a")
