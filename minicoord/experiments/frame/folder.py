"""The folder of a run: what it holds, and how a new run safely replaces a finished one.

A finished run is never replaced silently, and an interrupted run never replaces it. A run that is to replace a finished
one works in a subfolder, ``new/``. When it is complete, its files are moved out of it, the result last. If the process
is killed during the move, the next start finishes it.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from minicoord.experiments.frame.result import is_of_first_version, problem_of
from minicoord.system.files import one_process_at_a_time
from minicoord.system.places import FILE, make_folder, what_is_at
from minicoord.train.archive import CheckpointError
from minicoord.train.checkpoint import read_checkpoint

RESULT, CHECKPOINT, MAPS, LOCK, NEW = "result.json", "checkpoint.npz", "maps.npz", ".lock", "new"


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
    """

    result: dict[str, Any] | None = None
    rows: int = 0
    damaged: str = ""
    outdated: str = ""

    def in_the_way(self, folder: Path, resume: bool) -> str:
        """Return why a run cannot start (or, with `resume`, continue) here and what to do; empty if it can."""
        if self.damaged:
            return f"{self.damaged}; remove that file, or replace the run with --overwrite"
        if self.outdated and resume:
            return f"{self.outdated}; start from the beginning with --overwrite"
        if resume or not (self.result or self.rows):
            return ""
        if self.result is not None:
            date = self.result.get("date", "an unknown date")
            return f"{folder} holds a finished run of {date}; --resume keeps it, --overwrite replaces it"
        rows = f"{self.rows} row{'' if self.rows == 1 else 's'} of its history"
        return f"{folder} holds an unfinished run, {rows}; --resume continues it, --overwrite starts from the beginning"


def look(folder: Path) -> Found:
    """Return what the folder of a run holds; changes nothing."""
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
        kind = what_is_at(checkpoint)
        if kind is None:
            return Found()
        if kind != FILE:  # opening a pipe would block forever
            return Found(damaged=f"{checkpoint} is {kind}, wanted a checkpoint")
        saved = read_checkpoint(checkpoint)
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
        kind = what_is_at(path)  # opening a pipe would block forever
        if kind != FILE:
            return None, f"is {kind}, wanted the result of a run"
        result = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return None, f"cannot be read: {error.strerror}"
    except (ValueError, RecursionError):
        return None, "is damaged: it is not valid JSON"
    if not isinstance(result, dict) or not isinstance(result.get("metrics"), dict):
        return None, "is not the result of a run"
    return result, ""


def mark_to_replace(folder: Path) -> None:
    """Make ``new/`` in the folder of a finished run, where the run that replaces it will work."""
    make_folder(folder / NEW)


def is_to_be_replaced(folder: Path) -> bool:
    """Return whether a replacement of the finished run in a folder was started or requested."""
    return (folder / NEW).is_dir()


def working_folder(folder: Path, found: Found) -> Path:
    """Return where a run works: in its folder, or in ``new/`` inside it if it is to replace a finished run."""
    if found.result is None:
        return folder
    mark_to_replace(folder)
    return folder / NEW


def settle(folder: Path) -> None:
    """Finish a move that a killed process left half done; if a live process is at it, wait until it has finished."""
    if (folder / NEW / RESULT).exists():
        with one_process_at_a_time(folder / LOCK):
            finish_move(folder)


def finish_move(folder: Path) -> None:
    """Finish a move that a killed process left half done, if there is one. The caller holds the folder's lock."""
    if (folder / NEW / RESULT).exists():
        move_out(folder)


def move_out(folder: Path) -> None:
    """Move the files of a complete run from ``new/`` into the folder of the run, the result last."""
    new = folder / NEW
    names = [path.name for path in new.iterdir()]
    for name in sorted(names, key=lambda name: name == RESULT):
        os.replace(new / name, folder / name)
    new.rmdir()
