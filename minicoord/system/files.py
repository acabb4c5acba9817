"""Files that are either the old one or the whole new one, even if the process dies while it writes.

The new content goes to a temporary name in the same folder and reaches the disk; then one rename puts it in place,
which the operating system does as one step. Only a regular file is ever replaced (``places.py``), and what a killed
process left behind is removed (``leftovers.py``). `one_process_at_a_time` keeps two processes from the same work.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from minicoord.system.leftovers import remove_abandoned, remove_leftovers as remove_leftovers, temporary_name
from minicoord.system.places import PathLike as PathLike, check_file, what_is_at

_DISK_FULL = {errno.ENOSPC, errno.EFBIG, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC)}


@contextlib.contextmanager
def write_atomically(path: PathLike, mode: str = "wb") -> Iterator[IO[Any]]:
    r"""Open a file for writing that takes the name `path` only when the ``with`` block ends well.

    If the block raises, the file that had the name before is untouched and the temporary one is removed. A link is
    followed: the file that it points to is replaced. What a killed process left of an earlier write of this file is
    removed first.

    Parameters
    ----------
    path : str or path
        The name wanted, kept exactly: no suffix is added. Its folder must exist.
    mode : {"wb", "w"}
        Bytes, or text in UTF-8 with ``\n`` at the end of each line on every system.

    Yields
    ------
    file object
        The temporary file, open for writing.

    Raises
    ------
    ValueError
        If `mode` is another one, or `path` is empty or holds a NUL character.
    OSError
        If something that is not a regular file has the name (a folder, a device, a pipe, a socket, a link to one of
        them or to nothing), the folder is missing or cannot be written to, or the disk is full. The sentence names
        `path`, never the temporary file.

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
        raise ValueError(f"write_atomically: mode was {mode!r}, wanted 'wb' or 'w'")
    target = check_file(path)
    remove_abandoned(target)
    # A name of its own for each write: two processes that write the same file do not write into each other's.
    temporary = temporary_name(target)
    text: dict[str, Any] = {} if mode == "wb" else {"encoding": "utf-8", "newline": "\n"}
    try:
        with open(temporary, mode.replace("w", "x"), **text) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        with contextlib.suppress(OSError):  # a disk that refuses writes may refuse this too, and name the wrong file
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            _name_file(error, temporary, path)
        raise
    _sync_folder(target.parent)


def _name_file(error: OSError, temporary: Path, path: PathLike) -> None:
    """Let an error name the file that the user knows: not the temporary one, and not none when the disk is full."""
    if error.filename == str(temporary) or (error.filename is None and error.errno in _DISK_FULL):
        error.filename = os.fspath(path)
        del error.filename2  # None would be shown: "'result.json' -> None"


def _sync_folder(folder: Path) -> None:
    """Make the rename itself reach the disk, on systems where a folder can be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def one_process_at_a_time(path: PathLike) -> Iterator[None]:
    """Wait until no other process holds the lock of this name, and hold it for the ``with`` block.

    The operating system gives the lock back when a process ends, however it ends. The file stays; that it is there
    means nothing. On a file system without locks there is no waiting.

    Parameters
    ----------
    path : str or path
        The name of an empty file to make. Its folder must exist.

    Raises
    ------
    ValueError
        If the name is empty or holds a NUL character.
    OSError
        If something that is not a regular file has the name, or the file cannot be made.
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
    """Remove a file, if there is one of this name; of a link, the link.

    Raises
    ------
    OSError
        If something that is not a regular file has the name, which is left as it is; or the system refuses.
    """
    if what_is_at(path) is not None:
        check_file(path)
        Path(path).unlink()


def write_json(path: PathLike, data: Any, indent: int | None = 2) -> None:
    """Write `data` to `path` as JSON, atomically. What it holds is first made `plain`.

    Raises
    ------
    TypeError
        If `data` holds something that JSON has no form for.
    OSError
        As `write_atomically`.
    """
    text = json.dumps(plain(data), indent=indent, allow_nan=False, ensure_ascii=False)
    with write_atomically(path, "w") as file:
        file.write(text + "\n")


def plain(data: Any, non_finite: Callable[[float], Any] = lambda _: None) -> Any:
    """Return `data` with nothing in it but what JSON knows: dict, list, str, int, float, bool and None.

    NumPy numbers and arrays become numbers and lists, tuples become lists, paths become strings.

    Parameters
    ----------
    data : object
        What to convert; dicts and sequences may be nested. Keys of dicts must be str, int or float.
    non_finite : callable
        What stands for NaN and the infinities, which JSON does not have; by default None (``null``).

    Raises
    ------
    TypeError
        If something has no form in JSON.

    Examples
    --------
    >>> plain({"loss": np.float32(0.5), "shape": (2, 3), "worst": float("nan")})
    {'loss': 0.5, 'shape': [2, 3], 'worst': None}
    """
    if data is None or isinstance(data, (bool, str)):
        return data
    if isinstance(data, (np.generic, np.ndarray)):
        return plain(data.tolist(), non_finite)
    if isinstance(data, int):
        return int(data)
    if isinstance(data, float):
        return float(data) if math.isfinite(data) else non_finite(data)
    if isinstance(data, os.PathLike):
        return os.fspath(data)
    if isinstance(data, Mapping):
        return {_key(key): plain(value, non_finite) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [plain(value, non_finite) for value in data]
    raise TypeError(f"a value of type {type(data).__name__} cannot be written as JSON: {data!r}")


def _key(key: Any) -> str:
    if isinstance(key, (str, int, float, np.integer, np.floating)) and not isinstance(key, bool):
        return str(key)
    raise TypeError(f"a key of type {type(key).__name__} cannot be written as JSON: {key!r}")
