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
        What is wrong with a result that cannot be read; empty if nothing is.
    """

    result: dict[str, Any] | None = None
    rows: int = 0
    damaged: str = ""

    def sentence(self, folder: Path) -> str:
        """Say what is there; empty if nothing would be lost."""
        if self.result is not None:
            return f"{folder} holds a finished run of {self.result.get('date', 'an unknown date')}"
        if self.damaged:
            return f"{folder / RESULT} {self.damaged}"
        return f"{folder} holds an unfinished run, {self.rows} rows of its history" if self.rows else ""


def look(folder: Path) -> Found:
    """Return what is in the folder of a run; finish a move that a killed process had begun."""
    if (folder / NEW / RESULT).exists():
        move_out(folder)
    result, damaged = None, ""
    if what_is_at(folder / RESULT) is not None:
        result, damaged = read_result(folder / RESULT)
    if result is not None and not result.get("interrupted"):
        return Found(result)
    return Found(None, _rows_of(folder / CHECKPOINT), damaged)


def _rows_of(checkpoint: Path) -> int:
    try:
        return read_checkpoint(checkpoint).epoch
    except (OSError, CheckpointError):
        return 0


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


def working_folder(folder: Path, found: Found) -> Path:
    """Return where a run works: in its folder, or in ``new/`` inside it where a finished run is to be replaced."""
    working = folder if found.result is None else folder / NEW
    make_folder(working)
    return working


def move_out(folder: Path) -> None:
    """Move the files of a complete run from ``new/`` to its folder, the result last."""
    new = folder / NEW
    arrived = {path.name for path in new.iterdir()}
    for name in sorted(arrived, key=lambda name: name == RESULT):
        os.replace(new / name, folder / name)
    new.rmdir()
