"""What stands at a name on the disk, and whether a file or a folder can be put there: asked before anything is touched.

A rename replaces whatever has the name, a device or a pipe as well as a file. Written as root onto the null device, a
result would take it away from the whole machine; so only regular files are replaced, and new names made.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

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


def what_is_at(path: PathLike) -> str | None:
    """Return in words what a path leads to, links followed, such as ``"a file"``; None if the name is free.

    Nothing is opened, so that a pipe without a writer cannot make this wait.

    Raises
    ------
    OSError
        If the system refuses to say: a folder on the way may not be searched, or the name is too long.

    Examples
    --------
    >>> what_is_at("."), what_is_at("no/such/name")
    ('a folder', None)
    """
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
    """Return where a file of this name would be written, links followed: to a regular file or a new name in a folder.

    Parameters
    ----------
    path : str or path

    Raises
    ------
    ValueError
        If the name is empty or holds a NUL character.
    OSError
        If something else than a regular file has the name, be it through a link; if the link leads nowhere; if the
        folder is missing, or a file stands in its place.
    """
    name = os.fspath(path)
    if not name:
        raise ValueError("the name of the file to write is empty, wanted a path")
    if "\0" in name:
        raise ValueError(f"the name {name!r} has a NUL character in it, which the name of a file cannot have")
    target = Path(os.path.realpath(name))
    # Asked of the name as it was given, too: "/dev/stdout" leads to a pipe that has no path of its own.
    found = what_is_at(name) or what_is_at(target)
    if found != FOLDER and name.endswith(("/", os.sep)):
        raise IsADirectoryError(f"{name} is the name of a folder, wanted that of a file")
    if found not in (FILE, None):
        via = f"a link to {target}, {found};" if os.path.islink(name) and os.path.exists(name) else f"{found},"
        kind = IsADirectoryError if found == FOLDER else OSError
        raise kind(f"{name} is {via} wanted a regular file or a name that is free")
    reason = why_no_folder(target) if found is None else None
    if reason is not None:
        raise NotADirectoryError(f"{name} cannot be written: {reason}")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {target.parent} for {target.name}")
    return target


def why_no_folder(path: PathLike) -> str | None:
    """Return in words why there can be no folder at a path: something else is there or above; None if there can be.

    Raises
    ------
    ValueError
        If the name holds a NUL character.
    OSError
        As `what_is_at`.

    Examples
    --------
    >>> import tempfile
    >>> file = tempfile.NamedTemporaryFile()
    >>> why_no_folder(file.name)
    'it is a file, wanted a folder'
    """
    place = Path(path)
    for part in (place, *place.parents):
        found = what_is_at(part)
        if found == FOLDER:
            return None
        if found is not None:
            return f"{'it' if part == place else part} is {found}, wanted a folder"
    return None


def make_folder(path: PathLike) -> Path:
    """Make a folder, and those above it that are missing; one that is there already is left as it is.

    Raises
    ------
    ValueError
        If the name holds a NUL character.
    OSError
        If something that is not a folder has the name, or that of a folder above; or the system refuses.
    """
    folder = Path(path)
    reason = why_no_folder(folder)
    if reason is not None:
        raise NotADirectoryError(f"the folder {folder} cannot be made: {reason}")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
