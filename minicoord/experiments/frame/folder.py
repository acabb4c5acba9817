"""The folder of a run: what it holds, and how a new run takes the place of a finished one without a moment between.

A finished run is never replaced silently, and one that was interrupted never takes its place. A run that is to replace
a finished one works in a folder of its own inside, ``new/``; when it is complete its files are moved out, the result
last. If the process dies on the way, the next start finishes the move.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minicoord.system.files import one_process_at_a_time
from minicoord.system.places import FILE, make_folder, what_is_at
from minicoord.train.archive import CheckpointError
from minicoord.train.checkpoint import read_checkpoint

RESULT, CHECKPOINT, MAPS, LOCK, NEW = "result.json", "checkpoint.npz", "maps.npz", ".lock", "new"


class RunExistsError(ValueError):
    """There is a run already, and nobody said whether to go on from it or to replace it."""


@dataclass(frozen=True)
class Found:
    """What a folder holds.

    Attributes
    ----------
    result : dict or None
        The record of a finished run.
    rows : int
        How many rows the history of a checkpoint has, where the run is not finished.
    damaged : str
        Which file cannot be read and what is wrong with it, where the run is not finished; empty if all can.
    """

    result: dict[str, Any] | None = None
    rows: int = 0
    damaged: str = ""

    def in_the_way(self, folder: Path, resume: bool) -> str:
        """Say what would be lost if the run began anew, or went on, and what to do; empty if nothing would."""
        if self.damaged:
            return f"{self.damaged}; remove that file, or replace the run with --overwrite"
        if resume or not (self.result or self.rows):
            return ""
        if self.result is not None:
            date = self.result.get("date", "an unknown date")
            return f"{folder} holds a finished run of {date}; --resume keeps it, --overwrite replaces it"
        rows = f"{self.rows} row{'' if self.rows == 1 else 's'} of its history"
        return f"{folder} holds an unfinished run, {rows}; --resume goes on with it, --overwrite begins anew"


def look(folder: Path) -> Found:
    """Return what is in the folder of a run, and change nothing."""
    result, damaged = None, ""
    if what_is_at(folder / RESULT) is not None:
        result, damaged = read_result(folder / RESULT)
    if result is not None and not result.get("interrupted"):
        return Found(result)
    rows, damaged_too = _rows_of(folder / CHECKPOINT)
    return Found(None, rows, f"{folder / RESULT} {damaged}" if damaged else damaged_too)


def _rows_of(checkpoint: Path) -> tuple[int, str]:
    """Return how many rows the history of a checkpoint has, and what is wrong with the file."""
    try:
        return read_checkpoint(checkpoint).epoch, ""
    except FileNotFoundError:
        return 0, ""
    except OSError as error:
        return 0, f"{checkpoint} cannot be read: {error.strerror}"
    except CheckpointError as error:
        return 0, str(error)


def read_result(path: Path) -> tuple[dict[str, Any] | None, str]:
    """Return what a ``result.json`` holds, or None and what is wrong with it."""
    try:
        there = what_is_at(path)  # to open a pipe would wait for ever
        if there != FILE:
            return None, f"is {there}, wanted the result of a run"
        result = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return None, f"cannot be read: {error.strerror}"
    except (ValueError, RecursionError):
        return None, "is damaged: it is not JSON"
    if not isinstance(result, dict) or not isinstance(result.get("metrics"), dict):
        return None, "is not the result of a run"
    return result, ""


def mark_to_replace(folder: Path) -> None:
    """Make ``new/`` in the folder of a finished run, where the one that replaces it will work."""
    make_folder(folder / NEW)


def is_to_be_replaced(folder: Path) -> bool:
    """Return whether somebody began to replace the finished run in a folder, or wants to."""
    return (folder / NEW).is_dir()


def working_folder(folder: Path, found: Found) -> Path:
    """Return where a run works: in its folder, or in ``new/`` inside it where a finished run is to be replaced."""
    if found.result is None:
        return folder
    mark_to_replace(folder)
    return folder / NEW


def settle(folder: Path) -> None:
    """Finish a move that a killed process had begun; wait for the end of one that a living process is at."""
    if (folder / NEW / RESULT).exists():
        with one_process_at_a_time(folder / LOCK):
            finish_move(folder)


def finish_move(folder: Path) -> None:
    """Finish a move that a killed process had begun, if there is one. The caller holds the lock of the folder."""
    if (folder / NEW / RESULT).exists():
        move_out(folder)


def move_out(folder: Path) -> None:
    """Move the files of a complete run from ``new/`` to its folder, the result last."""
    new = folder / NEW
    arrived = {path.name for path in new.iterdir()}
    for name in sorted(arrived, key=lambda name: name == RESULT):
        os.replace(new / name, folder / name)
    new.rmdir()
