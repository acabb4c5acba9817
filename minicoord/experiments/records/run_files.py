"""Where the files of finished runs are: which folders hold a run, and which of two versions of it to read."""

from __future__ import annotations

import os
from pathlib import Path

from minicoord.experiments.frame.folder import NEW, RESULT
from minicoord.system.places import what_is_at


def folders_of_runs(folder: Path, problems: list[str], depth: int | None = None) -> list[Path]:
    """Return the folders at or below `folder` that hold a ``result.json``, sorted.

    Parameters
    ----------
    folder : path
        Where to look.
    problems : list of str
        Receives a message for each folder that cannot be read.
    depth : int, optional
        How many levels below `folder` the runs are; by default any number.
    """

    def note(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):  # a live run may have removed its new/ a moment ago
            problems.append(f"{error.filename} cannot be read: {error.strerror}")

    found = []
    for place, folders, files in os.walk(folder, onerror=note, followlinks=depth is not None):
        path = Path(place)
        level = len(path.relative_to(folder).parts)
        if RESULT in (*folders, *files) and depth in (None, level) and not is_replacement(path):
            found.append(path)
        if level == depth:
            folders.clear()
    return sorted(found)


def is_replacement(folder: Path) -> bool:
    """Return whether a folder holds the new version of the finished run above it; any run may be called ``new``."""
    return folder.name == NEW and os.path.lexists(folder.parent / RESULT)


def file_of_run(folder: Path, name: str) -> Path:
    """Return the path of a file of a finished run; the file itself may be missing.

    A run that replaces another is complete once ``new/`` holds its result. Its files are then moved out of ``new/``,
    the result last. Where the process was killed in between, those that are still there belong to the new version.

    Raises
    ------
    ValueError
        If the system refuses to tell.
    """
    try:
        moving = what_is_at(folder / NEW / RESULT) is not None
        return folder / NEW / name if moving and what_is_at(folder / NEW / name) is not None else folder / name
    except OSError as error:
        raise ValueError(f"{error.filename} cannot be read: {error.strerror}") from None
