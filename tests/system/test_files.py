import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from minicoord.system.files import one_process_at_a_time, plain, write_atomically, write_json


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("mode, content", [("wb", b"new\n"), ("w", "new\n")])
def test_the_new_content_takes_the_exact_name_and_leaves_nothing_else(tmp_path, mode, content):
    path = tmp_path / "weights"
    path.write_bytes(b"old")
    with write_atomically(path, mode) as file:
        file.write(content)
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new\n"
    assert names(tmp_path) == ["weights"]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file_and_no_temporary_one(tmp_path, error):
    path = tmp_path / "result.json"
    path.write_text("old")

    def fail():
        with write_atomically(path, "w") as file:
            file.write("half of the n")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["result.json"]


def test_a_failed_rename_removes_the_temporary_file(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError("in use")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError), write_atomically(tmp_path / "a") as file:
        file.write(b"new")
    assert names(tmp_path) == []


def test_an_error_names_the_file_and_not_the_temporary_one(tmp_path, monkeypatch):
    def refuse(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(PermissionError) as caught, write_atomically(tmp_path / "a.py"):
        pass
    assert caught.value.filename == str(tmp_path / "a.py")


FULL = """
import resource, sys
import numpy as np
from minicoord.system.files import write_atomically, write_json
from minicoord.train.archive import write_archive
path, how = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    if how == "bytes":
        with write_atomically(path) as file:
            file.write(bytes(1_000_000))
    elif how == "the last bytes":
        with write_atomically(path) as file:
            for _ in range(100_001):
                file.write(b"0")
    elif how == "json":
        write_json(path, list(range(100_000)))
    else:
        write_archive(path, "weights", {"w": np.random.default_rng(0).random(100_000)}, {})
except OSError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="this system sets no limit to the size of a file")
@pytest.mark.parametrize("how", ["bytes", "the last bytes", "json", "archive"])
def test_a_full_disk_names_the_file_and_leaves_the_old_one(tmp_path, how):
    path = tmp_path / "result"
    path.write_text("old")
    done = subprocess.run([sys.executable, "-c", FULL, str(path), how], capture_output=True, text=True, check=True)
    assert done.stdout == f"[Errno 27] File too large: '{path}'\n"
    assert path.read_text() == "old"
    assert names(tmp_path) == ["result"]


def test_an_error_of_another_file_in_the_block_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, write_atomically(tmp_path / "a"):
        (tmp_path / "another").read_bytes()
    assert caught.value.filename == str(tmp_path / "another")
    assert names(tmp_path) == []


def test_a_failed_rename_names_the_link_that_the_user_knows(tmp_path, monkeypatch):
    def refuse(source, target):
        raise OSError(16, "Device or resource busy", str(source), None, str(target))

    (tmp_path / "real").write_text("old")
    try:
        (tmp_path / "link").symlink_to("real")
    except OSError:
        pytest.skip("this system makes no links for this user")
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError) as caught, write_atomically(tmp_path / "link"):
        pass
    assert str(caught.value) == f"[Errno 16] Device or resource busy: '{tmp_path / 'link'}'"


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real").write_text("old")
    try:
        (tmp_path / "link").symlink_to("real")
    except OSError:
        pytest.skip("this system makes no links for this user")
    write_json(tmp_path / "link", 1)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "1\n"


def test_the_permissions_are_those_of_an_ordinary_file(tmp_path):
    (tmp_path / "ordinary").write_text("")
    write_json(tmp_path / "atomic", {})
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


@pytest.mark.parametrize("mode", ["r", "ab", "wt"])
def test_only_writing_is_possible(tmp_path, mode):
    with pytest.raises(ValueError, match="wanted 'wb' or 'w'"), write_atomically(tmp_path / "a", mode):
        pass


def test_a_folder_is_not_replaced(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder, wanted a regular file"):
        write_json(tmp_path, {})


def test_a_missing_folder_is_named_and_not_the_temporary_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*missing for result\.json") as raised:
        write_json(tmp_path / "missing" / "result.json", {})
    assert ".tmp" not in str(raised.value)


def test_json_is_valid_json_whatever_the_numbers(tmp_path):
    data = {
        "loss": float("nan"),
        "worst": [float("inf"), np.float32("-inf"), 0.1],
        "shape": (np.int64(2), 3),
        "matrix": np.eye(2, dtype=np.float32),
        "solved": np.bool_(True),
        "path": tmp_path,
        "none": None,
        "name": "Größe",
        3: "a number as key",
    }
    write_json(tmp_path / "a.json", data)

    def refuse(token):
        raise AssertionError(f"{token} is not JSON")

    read = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert read == {
        "loss": None,
        "worst": [None, None, 0.1],
        "shape": [2, 3],
        "matrix": [[1.0, 0.0], [0.0, 1.0]],
        "solved": True,
        "path": str(tmp_path),
        "none": None,
        "name": "Größe",
        "3": "a number as key",
    }
    assert read["solved"] is True


@pytest.mark.parametrize("data", [{"a": object()}, {(1, 2): 3}, {1j: 0}, {True: 1}, {"a": {1, 2}}])
def test_what_json_has_no_form_for_is_refused(tmp_path, data):
    with pytest.raises(TypeError, match="cannot be written as JSON"):
        write_json(tmp_path / "a.json", data)
    assert names(tmp_path) == []


def test_non_finite_numbers_can_be_kept():
    assert np.isnan(plain([np.float64("nan")], non_finite=float)[0])


HOLDER = """
import sys
from minicoord.system.files import one_process_at_a_time
with one_process_at_a_time(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_is_held_by_one_process_and_given_back_when_it_is_killed(tmp_path):
    arguments = [sys.executable, "-c", HOLDER, str(tmp_path / "lock")]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(arguments, **pipes) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        with subprocess.Popen(arguments, **pipes) as second:
            with pytest.raises(subprocess.TimeoutExpired):
                second.communicate("", timeout=3)  # it would end at once, if it did not wait
            with one_process_at_a_time(tmp_path / "other"):  # another name is another lock
                first.kill()
            assert second.wait(timeout=60) == 0


def test_a_surrogate_which_stands_for_a_byte_that_is_not_utf_8_comes_back(tmp_path):
    data = {"folder": "K\udcf6ln", "\ud800": "\\\udcff \u00f6 \U0001f600"}
    write_json(tmp_path / "a.json", data)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == data
    assert "\u00f6 \U0001f600" in text


def test_a_full_disk_is_named_also_where_numpy_gives_no_number(tmp_path):
    path = tmp_path / "weights.npy"
    path.write_text("old")
    with pytest.raises(OSError, match=r"full.*10000 requested and 109 written.*weights\.npy"), write_atomically(path):
        raise OSError("10000 requested and 109 written")
    assert path.read_text() == "old"


@pytest.mark.parametrize("path", [3, b"name", None, 1.5, ["a"]])
def test_only_names_and_paths_are_paths(path: Any):
    with pytest.raises(TypeError, match=r"was .*, wanted a str or a path"), write_atomically(path):
        pass
    with pytest.raises(TypeError, match=r"was .*, wanted a str or a path"):
        write_json(path, {})


def test_the_number_of_an_open_file_is_no_path_and_the_file_stays_open(tmp_path):
    from minicoord.train.checkpoint import read_checkpoint

    with open(tmp_path / "open", "w") as file:
        with pytest.raises(TypeError, match=r"path was \d+, wanted a str or a path"):
            read_checkpoint(file.fileno())  # type: ignore[arg-type]
        file.write("still open")
        file.flush()


def test_data_nested_without_end_are_refused():
    data: list[Any] = []
    for _ in range(100_000):
        data = [data]
    with pytest.raises(ValueError, match="nested too deeply"):
        plain(data)
