"""The folder of a run: what it holds, and how a new run safely replaces a finished one.

A finished run is never replaced silently, and an interrupted run never replaces it. A run that is to replace a finished
one works in a subfolder, ``new/``. When it is complete, its files are moved out of it, the result last. If the process
is killed during the move, the next start finishes it. A name that belongs to something other than a file, such as a
pipe, is found before anything is trained.
"""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from minicoord.experiments.frame.result import is_of_first_version, problem_of
from minicoord.system.counting import counted
from minicoord.system.files import one_process_at_a_time, remove_file, write_atomically
from minicoord.system.json_files import read_json
from minicoord.system.places import FILE, FOLDER, check_file, make_folder, what_is_at
from minicoord.train.archive import CheckpointError
from minicoord.train.checkpoint import read_checkpoint

RESULT, CHECKPOINT, MAPS, LOCK, NEW = "result.json", "checkpoint.npz", "maps.npz", ".lock", "new"
MARK = ".replaces"
"""A file in ``new/``: a replacement was asked for. It goes before the result is moved, and so never outlasts it."""


class RunExistsError(ValueError):
    """The folder already holds a run, and neither resuming nor overwriting was asked for."""


@dataclass(frozen=True)
class Found:
    """What the folder of a run holds.

    Attributes
    ----------
    result : dict or None
        The result of a finished run.
    rows : int
        Rows in the history of an unfinished run's checkpoint; 0 if there is none.
    damaged : str
        Which file of an unfinished run cannot be read, and why; empty if all can.
    outdated : str
        Why an unfinished run cannot be continued by this version; empty if it can.
    blocked : str
        Why no run can write its files here; empty if one can.
    """

    result: dict[str, Any] | None = None
    rows: int = 0
    damaged: str = ""
    outdated: str = ""
    blocked: str = ""

    def in_the_way(self, folder: Path, resume: bool, overwrite: bool = False) -> str:
        """Return why a run cannot start (or, with `resume`, continue) here and what to do; empty if it can."""
        if self.blocked or overwrite:
            return self.blocked
        if self.damaged:
            return f"{self.damaged}; remove that file, or replace the run with --overwrite"
        if self.outdated and resume:
            return f"{self.outdated}; start from the beginning with --overwrite"
        if resume or not (self.result or self.rows):
            return ""
        if self.result is not None:
            date = self.result.get("date", "an unknown date")
            return f"{folder} holds a finished run of {date}; --resume keeps it, --overwrite replaces it"
        rows = f"{counted(self.rows, 'row')} of its history"
        return f"{folder} holds an unfinished run, {rows}; --resume continues it, --overwrite starts from the beginning"


def look(folder: Path) -> Found:
    """Return what the folder of a run holds; changes nothing."""
    blocked = what_blocks(folder)
    if blocked:
        return Found(blocked=blocked)
    result, damaged = None, ""
    if what_is_at(folder / RESULT) is not None:
        result, damaged = read_result(folder / RESULT)
    if result is not None and not result.get("interrupted"):
        damaged = problem_of(result)
        if not damaged:
            return Found(result)
    found = _unfinished(folder / CHECKPOINT)
    return replace(found, damaged=f"{folder / RESULT} {damaged}") if damaged else found


def _unfinished(checkpoint: Path) -> Found:
    """Return what the checkpoint of an unfinished run says; nothing is found if it is missing."""
    try:
        saved = read_checkpoint(checkpoint)
    except FileNotFoundError:
        return Found()
    except OSError as error:
        return Found(damaged=f"{checkpoint} cannot be read: {error.strerror}")
    except CheckpointError as error:
        return Found(damaged=str(error))
    of_run = saved.settings.get("settings")  # version 0.1 kept what identifies a run there
    outdated = isinstance(of_run, dict) and is_of_first_version({**of_run, **saved.settings})
    words = f"{checkpoint} was written by version 0.1, and this version cannot continue it"
    return Found(rows=saved.epoch, outdated=words if outdated else "")


def read_result(path: Path) -> tuple[dict[str, Any] | None, str]:
    """Return the content of a ``result.json`` and an empty text, or None and what is wrong with the file."""
    try:
        result = read_json(path)
    except ValueError as error:
        return None, str(error)
    if not isinstance(result, dict) or not isinstance(result.get("metrics"), dict):
        return None, "is not the result of a run"
    return result, ""


def what_blocks(folder: Path) -> str:
    """Return which name in the folder of a run cannot be written to or moved, and why; empty if all can."""
    new = folder / NEW
    try:
        if what_is_at(folder) is None:
            return ""
        for path in (folder / LOCK, *_files_of_runs(folder)):
            if what_is_at(path) is not None:
                check_file(path)
        kind = "a link" if new.is_symlink() else what_is_at(new)
        if kind is None:
            return ""
        if kind != FOLDER:
            return f"{new} is {kind}, wanted a folder or a name that is free"
        for path in sorted(new.iterdir()):
            kind = "a link" if path.is_symlink() else what_is_at(path)
            if kind != FILE:
                return f"{path} is {kind}, wanted a regular file or a name that is free"
            if what_is_at(folder / path.name) is not None:
                check_file(folder / path.name)
    except OSError as error:  # with the system's own words, or those of check_file
        return f"{error.filename or folder} cannot be used: {error.strerror}" if error.strerror else str(error)
    return ""


def _files_of_runs(folder: Path) -> list[Path]:
    """Return the names in a folder that a run writes to; the weights are those that an earlier run wrote."""
    return [folder / RESULT, folder / CHECKPOINT, folder / MAPS, *sorted(folder.glob("weights*.npz"))]


def mark_to_replace(folder: Path) -> None:
    """Make ``new/`` in the folder of a finished run, where the run that replaces it will work."""
    make_folder(folder / NEW)
    with write_atomically(folder / NEW / MARK):
        pass


def is_to_be_replaced(folder: Path) -> bool:
    """Return whether a replacement of the finished run in a folder was started or requested."""
    return (folder / NEW).is_dir() and any((folder / NEW).iterdir())


def working_folder(folder: Path, found: Found) -> Path:
    """Return where a run works: in its folder, or in ``new/`` inside it if it is to replace a finished run."""
    if found.result is None:
        return folder
    mark_to_replace(folder)
    return folder / NEW


def settle(folder: Path) -> None:
    """Finish a move that a killed process left half done; if a live process is at it, wait until it has finished.

    Where something blocks the move, nothing is moved; `look` says what.
    """
    if _waits_in_new(folder):
        with one_process_at_a_time(folder / LOCK):
            finish_move(folder)


def finish_move(folder: Path) -> None:
    """Finish a move that a killed process left half done, if there is one. The caller holds the folder's lock."""
    if _waits_in_new(folder):
        move_out(folder)


def _waits_in_new(folder: Path) -> bool:
    """Return whether a complete run waits in ``new/``, and nothing blocks its move."""
    return not what_blocks(folder) and what_is_at(folder / NEW / RESULT) is not None


def move_out(folder: Path) -> None:
    """Move the files of a complete run from ``new/`` into the folder of the run, the result last."""
    new = folder / NEW
    names = [path.name for path in new.iterdir()]
    for name in sorted(set(names) - {MARK, RESULT}):
        _move(new / name, folder / name)
    remove_file(new / MARK)
    _move(new / RESULT, folder / RESULT)
    new.rmdir()


def _move(source: Path, target: Path) -> None:
    """Move a file in place of another; where the other is a link, in place of the file that it points to."""
    place = check_file(target)
    try:
        os.replace(source, place)
    except OSError as error:
        if error.errno != errno.EXDEV:  # the link leads to another disk
            raise
        with open(source, "rb") as old, write_atomically(place) as new:
            shutil.copyfileobj(old, new)
        remove_file(source)
