"""What a path leads to, and whether a file or a folder can be written there: checked before anything is touched.

A rename replaces whatever has the name, a device or a pipe as well as a file. As root, a result written to the null
device would destroy it for the whole machine. So only regular files are replaced.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

from minicoord.system.arguments import shown

PathLike = str | os.PathLike[str]

FILE, FOLDER = "a file", "a folder"
_KINDS = {
    stat.S_IFREG: FILE,
    stat.S_IFDIR: FOLDER,
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}


def check_path(what: str, path: Any) -> None:
    """Check that `path` is a str or a path object that the system can take.

    A whole number would be the number of an open file, which whatever opens it would close at the end.

    Raises
    ------
    TypeError
        If it is of another type, such as bytes or a whole number.
    ValueError
        If it has a NUL character, or one that the file system cannot encode.

    Examples
    --------
    >>> check_path("read_checkpoint: path", 3)
    Traceback (most recent call last):
    TypeError: read_checkpoint: path was 3, wanted a str or a path such as pathlib.Path
    """
    name = path
    if isinstance(path, os.PathLike):
        try:
            name = os.fspath(path)
        except Exception:  # whatever the class of the path does
            name = None
    if not isinstance(name, str):
        raise TypeError(f"{what} was {shown(path)}, wanted a str or a path such as pathlib.Path")
    if "\0" in name:
        raise ValueError(f"{what} {shown(name)} contains a NUL character, wanted a name that a file system allows")
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        raise ValueError(f"{what} {shown(name)} cannot be encoded for the file system, wanted another name") from None


def what_is_at(path: PathLike) -> str | None:
    """Return in words what a path leads to, following links, such as ``"a file"``; None if the name is free.

    Nothing is opened: opening a pipe would wait until somebody writes to it.

    Raises
    ------
    TypeError, ValueError
        As `check_path`.
    OSError
        If the system refuses to tell: a folder above may not be searched, or the name is too long.

    Examples
    --------
    >>> what_is_at("."), what_is_at("no/such/name")
    ('a folder', None)
    """
    check_path("the path", path)
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise
        if not os.path.islink(path):
            return None
        circle = error.errno == errno.ELOOP
        return "a link that leads back to itself" if circle else "a link to a name that does not exist"
    return _KINDS.get(stat.S_IFMT(mode), "neither a file nor a folder")


def check_file(path: PathLike) -> Path:
    """Return the path, links followed, where a file of this name can be written: a regular file or a free name.

    Parameters
    ----------
    path : str or path

    Raises
    ------
    TypeError, ValueError
        If the name is empty; also as `check_path`.
    OSError
        If the name belongs to something other than a regular file, directly or through a link; if it is a dangling
        link; if the folder is missing, or is itself a file.
    """
    check_path("the path of the file to write", path)
    name = os.fspath(path)
    if not name:
        raise ValueError("the name of the file to write is empty, wanted a path")
    target = Path(os.path.realpath(name))
    # Also of the name as given: "/dev/stdout" may lead to a pipe that has no path of its own.
    found = what_is_at(name) or what_is_at(target)
    if found != FOLDER and name.endswith(("/", os.sep)):
        raise IsADirectoryError(f"{name} ends in a slash, as a folder does, wanted the name of a file")
    if found not in (FILE, None):
        via = f"a link to {target}, {found};" if os.path.islink(name) and os.path.exists(name) else f"{found},"
        kind = IsADirectoryError if found == FOLDER else OSError
        raise kind(f"{name} is {via} wanted a regular file or a name that is free")
    reason = why_no_folder(target) if found is None else None
    if reason is not None:
        raise NotADirectoryError(f"cannot write to {shown(name)}: {reason}")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {target.parent} for {target.name}")
    return target


def why_no_folder(path: PathLike) -> str | None:
    """Return in words why there cannot be a folder at a path, because it or a parent is something else, or None.

    Raises
    ------
    TypeError, ValueError
        As `check_path`.
    OSError
        As `what_is_at`.

    Examples
    --------
    >>> import tempfile
    >>> file = tempfile.NamedTemporaryFile()
    >>> why_no_folder(file.name)
    'it is a file, wanted a folder'
    """
    check_path("the path of the folder", path)
    place = Path(path)
    for part in (place, *place.parents):
        found = what_is_at(part)
        if found == FOLDER:
            return None
        if found is not None:
            return f"{'it' if part == place else part} is {found}, wanted a folder"
    return None


def make_folder(path: PathLike) -> Path:
    """Make a folder with its missing parents, if it does not exist yet.

    Raises
    ------
    TypeError, ValueError
        As `check_path`.
    OSError
        If it or one of its parents exists and is something other than a folder; or the system refuses.
    """
    reason = why_no_folder(path)
    folder = Path(path)
    if reason is not None:
        raise NotADirectoryError(f"cannot write to {str(folder)!r}: {reason}")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
