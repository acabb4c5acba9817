"""Atomic writes: a file is either the old one or the complete new one, even if the process dies while writing.

The new content is written under a temporary name in the same folder and flushed to the disk; one rename, which the
operating system does as a single step, then puts it in place. Only regular files are ever replaced (``places.py``), and
what a killed process left behind is removed (``leftovers.py``). `one_process_at_a_time` is a lock between processes.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from minicoord.system.arguments import MOST_DIGITS, as_float, check_whole, is_number, shown
from minicoord.system.arrays import check_room
from minicoord.system.leftovers import remove_abandoned, remove_leftovers as remove_leftovers, temporary_name
from minicoord.system.places import PathLike as PathLike, check_file, check_path, what_is_at

MOST_INDENT = 16
"""How many spaces `write_json` puts before a line, for each level at most."""

_PART_WRITTEN = re.compile(r"^\d+ requested and \d+ written$")  # NumPy's words, without the number of the error
_DISK_FULL = {errno.ENOSPC, errno.EFBIG, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC)}


@contextlib.contextmanager
def write_atomically(path: PathLike, mode: str = "wb") -> Iterator[IO[Any]]:
    r"""Open a file for writing that gets the name `path` only when the ``with`` block ends without an error.

    If the block raises, the temporary file is removed and the previous file stays untouched. A link is followed: the
    file that it points to is replaced. Temporary files that killed processes left of this file are removed first.

    Parameters
    ----------
    path : str or path
        The final name, used exactly as given: no suffix is added. Its folder must exist.
    mode : {"wb", "w"}
        Bytes, or text in UTF-8 with ``\n`` at the end of each line on every system.

    Yields
    ------
    file object
        The temporary file, open for writing.

    Raises
    ------
    TypeError
        If `path` is neither a str nor a path.
    ValueError
        If `mode` is anything else, or `path` is empty or a name that no file system allows.
    OSError
        If the name belongs to something other than a regular file (a folder, a device, a pipe, a socket, a link to one
        of these, or a dangling link), the folder is missing or cannot be written to, or the disk is full. The message
        names `path`, never the temporary file.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with write_atomically(folder / "note.txt", "w") as file:
    ...     _ = file.write("done")
    >>> [file.name for file in folder.iterdir()]
    ['note.txt']
    """
    if mode not in ("wb", "w"):
        raise ValueError(f"write_atomically: mode was {shown(mode)}, wanted 'wb' or 'w'")
    target = check_file(path)
    remove_abandoned(target)
    # Each write has its own temporary name, so that two processes writing the same file do not mix their content.
    temporary = temporary_name(target)
    text: dict[str, Any] = {} if mode == "wb" else {"encoding": "utf-8", "newline": "\n"}
    try:
        with open(temporary, mode.replace("w", "x"), **text) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        with contextlib.suppress(OSError):  # a failing disk may refuse this as well; the first error tells more
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            if _PART_WRITTEN.search(str(error)):
                words = f"the disk is full, or the file larger than it may be ({error})"
                raise OSError(errno.ENOSPC, words, os.fspath(path)) from None
            _name_file(error, temporary, path)
        raise
    _sync_folder(target.parent)


def _name_file(error: OSError, temporary: Path, path: PathLike) -> None:
    """Make an error name the file that the user knows: in place of the temporary one, and when the disk is full."""
    if error.filename == str(temporary) or (error.filename is None and error.errno in _DISK_FULL):
        error.filename = os.fspath(path)
        del error.filename2  # set to None it would be printed: "'result.json' -> None"


def _sync_folder(folder: Path) -> None:
    """Flush the rename itself to the disk, on systems where a folder can be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def one_process_at_a_time(path: PathLike) -> Iterator[None]:
    """Wait for the lock of this name, and hold it during the ``with`` block.

    The operating system releases the lock when a process ends, however it ends. The file remains; its existence means
    nothing. On a file system without locks, nothing is locked and nobody waits.

    Parameters
    ----------
    path : str or path
        The name of an empty file, which is created if it is missing. Its folder must exist.

    Raises
    ------
    TypeError, ValueError
        If the name is empty; also as `minicoord.system.places.check_path`.
    OSError
        If the name belongs to something other than a regular file, or the file cannot be created.
    """
    with open(check_file(path), "ab") as file:
        _wait_for_lock(file.fileno())
        yield


def _wait_for_lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        while True:
            with contextlib.suppress(OSError):  # it gives up after ten seconds
                msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
                return
    else:
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)


def remove_file(path: PathLike) -> None:
    """Remove a file, if it exists; for a link to a file, the link is removed.

    Raises
    ------
    OSError
        If the name belongs to something other than a regular file, which is left untouched; or the system refuses.
    """
    if what_is_at(path) is not None:
        check_file(path)
        Path(path).unlink()


def write_json(path: PathLike, data: Any, indent: int | None = 2) -> None:
    r"""Write `data` to `path` as JSON, atomically; it is converted by `plain` first.

    Bytes of a path that are not UTF-8, which Python keeps as surrogates, are written as escapes such as ``\udcff``.

    Raises
    ------
    TypeError
        If `data` contains something that JSON cannot represent.
    ValueError
        If `indent` is neither None nor a whole number from 0 to 16, or `data` is nested too deeply.
    OSError
        As `write_atomically`.
    """
    if indent is not None:
        check_whole("write_json: indent", indent, 0)
        if indent > MOST_INDENT:
            raise ValueError(f"write_json: indent was {shown(indent)}, wanted None or at most {MOST_INDENT} spaces")
        indent = int(indent)
    text = json.dumps(plain(data), indent=indent, allow_nan=False, ensure_ascii=False)
    text = re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)
    with write_atomically(path, "w") as file:
        file.write(text + "\n")


def plain(data: Any, non_finite: Callable[[float], Any] = lambda _: None) -> Any:
    """Return `data` converted to the types of JSON: dict, list, str, int, float, bool and None.

    NumPy numbers and arrays become numbers and lists, tuples become lists, paths become strings.

    Parameters
    ----------
    data : object
        What to convert; dicts and sequences may be nested. Keys of dicts must be str, int or float.
    non_finite : callable
        Returns the replacement for NaN or an infinity, which JSON lacks; by default None (``null``).

    Raises
    ------
    TypeError
        If JSON cannot represent something in `data`.
    ValueError
        If it is nested too deeply.

    Examples
    --------
    >>> plain({"loss": np.float32(0.5), "shape": (2, 3), "worst": float("nan")})
    {'loss': 0.5, 'shape': [2, 3], 'worst': None}
    """
    try:
        return _plain(data, non_finite)
    except RecursionError:
        raise ValueError("the data are nested too deeply to be written as JSON, wanted fewer levels") from None


def _plain(data: Any, non_finite: Callable[[float], Any]) -> Any:
    if data is None or isinstance(data, (bool, str)):
        return data
    if isinstance(data, (np.generic, np.ndarray)):
        lists = data.shape[: data.shape.index(0)] if 0 in data.shape else data.shape  # of no elements, and yet many
        check_room("an array to be written as JSON", lists, np.float64)
        return _plain(data.tolist(), non_finite)
    if isinstance(data, int):
        if abs(data) >= MOST_DIGITS:
            raise ValueError(f"{shown(data)} cannot be written as JSON, wanted fewer")
        return int(data)
    if isinstance(data, float):
        return float(data) if math.isfinite(data) else non_finite(data)
    if isinstance(data, os.PathLike):
        check_path("a path to be written as JSON", data)
        return os.fspath(data)
    if isinstance(data, Mapping):
        return {_key(key): _plain(value, non_finite) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_plain(value, non_finite) for value in data]
    if is_number(data):  # such as a fraction
        return _plain(as_float(data), non_finite)
    raise TypeError(f"a value of type {type(data).__name__} cannot be written as JSON: {shown(data)}")


def _key(key: Any) -> str:
    if isinstance(key, (str, int, float, np.integer, np.floating)) and not isinstance(key, bool):
        return str(key)
    raise TypeError(f"a key of type {type(key).__name__} cannot be written as JSON: {shown(key)}")
