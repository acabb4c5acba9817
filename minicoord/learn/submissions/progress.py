"""What a learner has done so far: one small JSON file in their folder, for the notebooks and the terminal alike."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from minicoord.learn.checking.verdict import NOT_ATTEMPTED, OUTCOMES, PASSED, Verdict
from minicoord.system.files import write_json

FILE_NAME = "minicoord-progress.json"
VERSION = 1
LONGEST_WAIT = 2.0  # seconds; a write takes a few milliseconds


@dataclass
class Entry:
    """What was done about one exercise.

    Attributes
    ----------
    passed : bool
        Whether it was ever passed.
    outcome : str
        What came of the last check.
    checks : int
        How often it was checked, stubs not counted.
    hints : int
        How many hints were shown.
    solution_shown : bool
    last : str
        When it was checked last: date and time with the offset from UTC.
    """

    passed: bool = False
    outcome: str = NOT_ATTEMPTED
    checks: int = 0
    hints: int = 0
    solution_shown: bool = False
    last: str = ""


@dataclass
class Progress:
    """The entries of a folder, by the ids of exercises.

    Attributes
    ----------
    folder : Path
    entries : dict
    complaint : str or None
        What was wrong with the file, in a sentence.
    newer : bool
        Whether a newer minicoord wrote the file, so that it stays as it is.
    """

    folder: Path
    entries: dict[str, Entry] = field(default_factory=dict)
    complaint: str | None = None
    newer: bool = False

    def of(self, id: str) -> Entry:
        """Return the entry of an exercise; an empty one if nothing was done about it."""
        return self.entries.get(id, Entry())


def read_progress(folder: Path | str = ".") -> Progress:
    """Return the progress of a folder; empty if there is no file yet. A file that is no progress file is set aside.

    Parameters
    ----------
    folder : path
        The learner's.
    """
    path = Path(folder) / FILE_NAME
    try:
        content = json.loads(path.read_text("utf-8-sig"))  # some editors put a mark in front
        if isinstance(content, dict) and type(content.get("version")) is int and content["version"] > VERSION:
            words = f"{path} was written by a newer minicoord; nothing is read from it, and nothing recorded."
            return Progress(Path(folder), complaint=words, newer=True)
        return Progress(Path(folder), _entries(content))
    except FileNotFoundError:
        return Progress(Path(folder))
    except OSError as error:
        return Progress(Path(folder), complaint=f"{path} cannot be read: {error.strerror}; progress begins anew.")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Progress(Path(folder), complaint=_set_aside(path))


def record(verdict: Verdict, folder: Path | str = ".") -> str | None:
    """Write what came of a check into the progress file; an exercise that was not attempted leaves no trace.

    Returns
    -------
    str or None
        What went wrong about the file, in a sentence. A check is never lost because of it.
    """
    if verdict.outcome == NOT_ATTEMPTED:
        return None

    def note(entry: Entry) -> None:
        entry.passed = entry.passed or verdict.passed
        entry.outcome = verdict.outcome
        entry.checks += 1
        entry.last = datetime.now(timezone.utc).astimezone().isoformat(timespec="seconds")

    return _change(verdict.exercise, folder, note)


def record_hint(id: str, shown: int, folder: Path | str = ".") -> str | None:
    """Write how many hints of an exercise were shown; return what went wrong, as `record` does."""

    def note(entry: Entry) -> None:
        entry.hints = max(entry.hints, shown)

    return _change(id, folder, note)


def record_solution(id: str, folder: Path | str = ".") -> str | None:
    """Write that the solution was shown; return what went wrong, as `record` does."""

    def note(entry: Entry) -> None:
        entry.solution_shown = True

    return _change(id, folder, note)


def _change(id: str, folder: Path | str, note: Any) -> str | None:
    with _one_at_a_time(Path(folder)):
        progress = read_progress(folder)  # anew each time: another program may have written in the meantime
        if progress.newer:
            return progress.complaint
        entry = progress.entries.setdefault(id, Entry())
        note(entry)
        content = {"version": VERSION, "exercises": {id: asdict(entry) for id, entry in progress.entries.items()}}
        try:
            write_json(Path(folder) / FILE_NAME, content)
        except OSError as error:
            reason = error.strerror or str(error).removeprefix("write_atomically: ")
            return f"progress cannot be written to {Path(folder) / FILE_NAME}: {reason}."
        return progress.complaint


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Keep other programs from writing between our reading and our writing; one that holds on is not waited for."""
    lock = folder / f".{FILE_NAME}.lock"
    ours = False
    give_up = time.monotonic() + LONGEST_WAIT
    while not ours and time.monotonic() < give_up:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            ours = True
        except FileExistsError:
            time.sleep(0.01)
        except OSError:  # no file can be made here; the writing itself says so
            break
    try:
        yield
    finally:
        # A lock that was waited for in vain is left over from a program that was killed.
        if ours or time.monotonic() >= give_up:
            with contextlib.suppress(OSError):
                lock.unlink()


def _entries(content: Any) -> dict[str, Entry]:
    """Return the entries in the content of a progress file; raise if it is none. What is unknown is left out."""
    if content["version"] != VERSION:
        raise ValueError(f"version {content['version']}")
    kinds = {field.name: type(field.default) for field in fields(Entry)}
    entries = {}
    for id, values in content["exercises"].items():
        known = {name: values[name] for name in kinds if name in values}
        if any(type(value) is not kinds[name] for name, value in known.items()):
            raise TypeError(f"a value of {id} is of another type")
        if any(type(value) is int and value < 0 for value in known.values()):
            raise ValueError(f"a count of {id} is below 0")
        if known.get("outcome", PASSED) not in OUTCOMES:
            raise ValueError(f"the outcome of {id} is unknown")
        entries[id] = Entry(**known)
    return entries


def _set_aside(path: Path) -> str:
    """Give a damaged file another name, so that nothing of it is lost; return what happened in a sentence."""
    for number in range(1, sys.maxsize):
        aside = path.with_name(f"{path.stem}-damaged{'' if number == 1 else f'-{number}'}{path.suffix}")
        if not aside.exists():
            break
    try:
        path.replace(aside)
    except OSError as error:
        return f"{path} is damaged and cannot be renamed: {error.strerror}; progress begins anew."
    return f"{path} was damaged; it is now {aside.name}, and progress begins anew."
