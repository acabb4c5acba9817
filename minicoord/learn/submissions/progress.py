"""A learner's progress: one small JSON file in their folder, shared by the notebooks and the terminal."""

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

from minicoord.learn.checking.verdict import NOT_ATTEMPTED, NOT_RUN, OUTCOMES, PASSED, Verdict
from minicoord.system.files import write_json
from minicoord.system.places import FILE, what_is_at

FILE_NAME = "minicoord-progress.json"
VERSION = 1
LOCK_TIMEOUT = 5.0  # seconds; a write takes a few milliseconds


@dataclass
class Entry:
    """Progress on one exercise.

    Attributes
    ----------
    passed : bool
        Whether it has ever been passed.
    outcome : str
        The outcome of the last check.
    checks : int
        How often it was checked, not counting stubs.
    hints : int
        How many hints were shown.
    solution_shown : bool
    last : str
        When it was last checked: date and time with the offset from UTC.
    """

    passed: bool = False
    outcome: str = NOT_ATTEMPTED
    checks: int = 0
    hints: int = 0
    solution_shown: bool = False
    last: str = ""


@dataclass
class Progress:
    """The entries of a folder, by exercise id.

    Attributes
    ----------
    folder : Path
    entries : dict
    complaint : str or None
        What was wrong with the file, in one sentence.
    newer : bool
        Whether a newer version of minicoord wrote the file, which is then left unchanged.
    """

    folder: Path
    entries: dict[str, Entry] = field(default_factory=dict)
    complaint: str | None = None
    newer: bool = False

    def of(self, id: str) -> Entry:
        """Return the entry of an exercise, or an empty one."""
        return self.entries.get(id, Entry())


def read_progress(folder: Path | str = ".") -> Progress:
    """Return the progress of a folder, empty if there is no file yet; a damaged file is set aside.

    Parameters
    ----------
    folder : path
        The learner's folder.
    """
    path = Path(folder) / FILE_NAME
    try:
        there = what_is_at(path)  # to open a pipe would wait for ever
        if there not in (FILE, None):
            complaint = f"{path} is {there}, wanted a file; progress starts from zero."
            return Progress(Path(folder), complaint=complaint)
        content = json.loads(path.read_text("utf-8-sig"))  # some editors write a byte order mark
        if isinstance(content, dict) and type(content.get("version")) is int and content["version"] > VERSION:
            complaint = f"{path} was written by a newer version of minicoord; it is neither read nor updated."
            return Progress(Path(folder), complaint=complaint, newer=True)
        return Progress(Path(folder), _entries(content))
    except FileNotFoundError:
        return Progress(Path(folder))
    except OSError as error:
        return Progress(Path(folder), complaint=f"{path} cannot be read: {error.strerror}; progress starts from zero.")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Progress(Path(folder), complaint=_set_aside(path))


def record(verdict: Verdict, folder: Path | str = ".") -> str | None:
    """Write the outcome of a check into the progress file; an exercise that was not attempted or run is not recorded.

    Returns
    -------
    str or None
        What went wrong with the file, in one sentence. It never costs the learner the verdict.
    """
    if verdict.outcome in (NOT_ATTEMPTED, NOT_RUN):
        return None

    def update(entry: Entry) -> None:
        entry.passed = entry.passed or verdict.passed
        entry.outcome = verdict.outcome
        entry.checks += 1
        entry.last = datetime.now(timezone.utc).astimezone().isoformat(timespec="seconds")

    return _change(verdict.exercise, folder, update)


def record_hint(id: str, shown: int, folder: Path | str = ".") -> str | None:
    """Record how many hints of an exercise were shown; return what went wrong, as `record` does."""

    def update(entry: Entry) -> None:
        entry.hints = max(entry.hints, shown)

    return _change(id, folder, update)


def record_solution(id: str, folder: Path | str = ".") -> str | None:
    """Record that the solution was shown; return what went wrong, as `record` does."""

    def update(entry: Entry) -> None:
        entry.solution_shown = True

    return _change(id, folder, update)


def _change(id: str, folder: Path | str, update: Any) -> str | None:
    with _locked(Path(folder)):
        progress = read_progress(folder)  # again each time: another program may have written in the meantime
        if progress.newer:
            return progress.complaint
        entry = progress.entries.setdefault(id, Entry())
        update(entry)
        content = {"version": VERSION, "exercises": {id: asdict(entry) for id, entry in progress.entries.items()}}
        try:
            write_json(Path(folder) / FILE_NAME, content)
        except OSError as error:
            reason = error.strerror or str(error).removeprefix("write_atomically: ")
            return f"progress cannot be written to {Path(folder) / FILE_NAME}: {reason}."
        return progress.complaint


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other programs from writing between our reading and our writing.

    A lock that stays the same for `LOCK_TIMEOUT` was left behind by a program that was killed, and is removed. One that
    changes passes from one program to the next, and is waited for.
    """
    lock = folder / f".{FILE_NAME}.lock"
    held, seen, since = False, None, time.monotonic()
    while not held:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            held = True
        except FileExistsError:
            now = _stamp(lock)
            if now != seen:
                seen, since = now, time.monotonic()
            if time.monotonic() - since > LOCK_TIMEOUT and not _removed(lock):
                break
            time.sleep(0.01)
        except OSError:  # no file can be created here; writing the progress file will report it
            break
    try:
        yield
    finally:
        if held:
            with contextlib.suppress(OSError):
                lock.unlink()


def _stamp(lock: Path) -> tuple[int, int] | None:
    """Return what tells one lock from the next, or None if it was released a moment ago."""
    try:
        found = lock.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _removed(lock: Path) -> bool:
    try:
        lock.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _entries(content: Any) -> dict[str, Entry]:
    """Return the entries in the content of a progress file, without unknown fields; raise if it is malformed."""
    if content["version"] != VERSION:
        raise ValueError(f"version {content['version']}")
    kinds = {field.name: type(field.default) for field in fields(Entry)}
    entries = {}
    for id, values in content["exercises"].items():
        known = {name: values[name] for name in kinds if name in values}
        if any(type(value) is not kinds[name] for name, value in known.items()):
            raise TypeError(f"a value of {id} has the wrong type")
        if any(type(value) is int and value < 0 for value in known.values()):
            raise ValueError(f"a count of {id} is negative")
        if known.get("outcome", PASSED) not in OUTCOMES:
            raise ValueError(f"the outcome of {id} is unknown")
        entries[id] = Entry(**known)
    return entries


def _set_aside(path: Path) -> str:
    """Rename a damaged file, so that nothing in it is lost; return what happened in a sentence."""
    for number in range(1, sys.maxsize):
        aside = path.with_name(f"{path.stem}-damaged{'' if number == 1 else f'-{number}'}{path.suffix}")
        if not aside.exists():
            break
    try:
        path.replace(aside)
    except OSError as error:
        return f"{path} is damaged and cannot be renamed: {error.strerror}; progress starts from zero."
    return f"{path} was damaged; it was renamed to {aside.name}, and progress starts from zero."
