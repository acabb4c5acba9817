"""What ``--out`` may be, before hours of work are done for it."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer

from minicoord.system.console import (
    forget_impossible_width,
    never_fail_to_print,
    prepare_file,
    prepare_folder,
    print_json,
    print_wrapped,
    say,
    told_if_output_fails,
)

HAS_PIPES = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")


def state(folder: Path) -> dict[str, tuple[int, int]]:
    found = {path.name: path.lstat() for path in folder.rglob("*")}
    return {name: (stat.S_IFMT(s.st_mode), s.st_ino) for name, s in found.items()}


def test_a_folder_is_made_and_left_empty(tmp_path):
    prepare_folder(tmp_path / "new" / "folder")
    prepare_folder(tmp_path / "new" / "folder")
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "folder"]


@HAS_PIPES
def test_what_is_not_a_folder_is_refused_in_one_sentence_and_left_as_it_is(tmp_path):
    (tmp_path / "note").write_text("kept")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("missing")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "link").symlink_to("pipe")
    before = state(tmp_path)
    kinds = {
        "note": "a file",
        "pipe": "a pipe",
        "link": "a pipe",
        "dangling": "a link to a name that does not exist",
        "circle": "a link that leads back to itself",
    }
    for name, kind in kinds.items():
        with pytest.raises(typer.BadParameter) as refused:
            prepare_folder(tmp_path / name)
        assert refused.value.message == f"cannot write to '{tmp_path / name}': it is {kind}, wanted a folder"
        assert (refused.value.param_hint, refused.value.exit_code) == ("--out", 2)
        with pytest.raises(typer.BadParameter) as refused:
            prepare_folder(tmp_path / name / "far" / "below")
        assert refused.value.message.endswith(f"below': {tmp_path / name} is {kind}, wanted a folder")
    assert state(tmp_path) == before


@pytest.mark.parametrize("prepare", [prepare_folder, lambda path: prepare_file(path, "--story")])
def test_an_impossible_name_is_a_usage_error(tmp_path, prepare):
    with pytest.raises(typer.BadParameter, match=r"cannot write to .*a.*b.*: .*NUL character"):
        prepare(tmp_path / "a\0b" / "c")
    with pytest.raises(typer.BadParameter, match="File name too long"):
        prepare(tmp_path / ("n" * 300) / "c")


@pytest.mark.parametrize("prepare", [prepare_folder, lambda path: prepare_file(path / "a.png", "--story")])
def test_a_disk_that_refuses_is_named(tmp_path, monkeypatch, prepare):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(typer.BadParameter, match=r"cannot write to .*: Permission denied"):
        prepare(tmp_path)


def test_a_file_can_be_written_into_a_folder_that_is_made(tmp_path):
    prepare_file(tmp_path / "new" / "a.png", "--story")
    assert [path.name for path in tmp_path.rglob("*")] == ["new"]
    (tmp_path / "new" / "a.png").write_bytes(b"old")
    prepare_file(tmp_path / "new" / "a.png", "--story")
    assert (tmp_path / "new" / "a.png").read_bytes() == b"old"


@HAS_PIPES
def test_what_is_not_a_file_is_refused_in_one_sentence_and_left_as_it_is(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "dangling").symlink_to("missing")
    before = state(tmp_path)
    for name, words in {
        "pipe": "a pipe, wanted",
        "link": f"a link to {tmp_path / 'pipe'}, a pipe; wanted",
        "dangling": "a link to a name that does not exist, wanted",
    }.items():
        with pytest.raises(typer.BadParameter) as refused:
            prepare_file(tmp_path / name, "--story")
        assert refused.value.message == f"{tmp_path / name} is {words} a regular file or a name that is free"
        assert (refused.value.param_hint, refused.value.exit_code) == ("--story", 2)
        with pytest.raises(typer.BadParameter, match=f"/{name} is .*, wanted a folder"):
            prepare_file(tmp_path / name / "far" / "below.png", "--story")
    assert state(tmp_path) == before


def test_json_has_the_numbers_of_numpy_and_null_for_what_is_not_finite(capsys):
    print_json(
        [{"error": np.float32(0.5), 3: np.bool_(True), "path": Path("out"), "odd": np.float64("nan")}, np.int64(2)]
    )
    assert json.loads(capsys.readouterr().out) == [{"error": 0.5, "3": True, "path": "out", "odd": None}, 2]


@pytest.mark.parametrize(
    ("columns", "kept"), [("0", False), ("-3", False), ("", False), ("²", False), ("wide", False), ("80", True)]
)
def test_a_width_that_is_none_is_left_out_of_account(monkeypatch, columns, kept):
    monkeypatch.setenv("COLUMNS", columns)
    forget_impossible_width()
    assert ("COLUMNS" in os.environ) is kept


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_what_goes_to_a_closed_stream_goes_nowhere(monkeypatch, name):
    monkeypatch.setattr(sys, name, None)
    never_fail_to_print()
    with contextlib.closing(getattr(sys, name)) as stream, told_if_output_fails():
        print_wrapped("a word")
        say("a word")
        assert stream.name == os.devnull


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_an_output_on_a_full_disk_is_told_in_a_sentence():
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "minicoord", "--version"]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert ended.returncode == 1
    assert ended.stderr.startswith("minicoord: cannot write the output: No space left on device")
    assert ended.stderr.count("\n") == 1
