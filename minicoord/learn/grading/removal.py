"""Temporary folders that are removed whatever an answer made in them."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

PREFIX = "minicoord-grading-"


@contextlib.contextmanager
def new_folder() -> Iterator[Path]:
    """Provide a temporary folder; nothing that is found in it at the end keeps it from being removed."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        yield folder
    finally:
        remove_folder(folder)


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it, as far as the system allows; no link is followed.

    Folders may be nested so deeply that a recursive function fails, and so do paths. Each folder is therefore moved up
    before it is emptied, and never lies deeper than one level.
    """
    with contextlib.suppress(OSError):
        pit = tempfile.mkdtemp(prefix=PREFIX, dir=folder.parent)
        os.rename(folder, os.path.join(pit, "0"))
        _empty(pit)
        os.rmdir(pit)


def _empty(pit: str) -> None:
    """Remove the folder ``0`` in this one, and those that move up from it, which get the next numbers."""
    last = number = 0
    while number <= last:
        folder = os.path.join(pit, str(number))
        with contextlib.suppress(OSError):
            os.chmod(folder, stat.S_IRWXU)
            with os.scandir(folder) as entries:
                found = list(entries)
            for entry in found:
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        os.chmod(entry.path, stat.S_IRWXU)  # only a folder that can be written to can be moved
                        os.rename(entry.path, os.path.join(pit, str(last + 1)))
                        last += 1
                    else:
                        os.unlink(entry.path)
            os.rmdir(folder)
        number += 1
