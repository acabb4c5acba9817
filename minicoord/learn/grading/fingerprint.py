"""Fingerprints: what has to stay the same for a row of the table to be kept when grading is resumed.

A row has two, joined by a hyphen. The first covers the exercise and **all files** of the learner; if it is the same,
nothing is read again. The second covers the exercise and what **this answer** consists of: its own cell or file, and
the files beside it that it may import or read. So if another cell of a notebook has changed, the row stays.

The exercise counts with its definition, its cases, hidden ones included, and the code that checks. The limits on time
and memory count only where an answer met one of them.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import minicoord
from minicoord.learn import checking, submissions
from minicoord.learn.definition.exercise import Case, Exercise
from minicoord.learn.grading.reports import CRASHED, TIMED_OUT
from minicoord.learn.grading.snapshot import KeptSubmission

LENGTH = 16
MET_A_LIMIT = (TIMED_OUT, CRASHED)


def fingerprint(task: str, everything: str, answer: str, outcome: str, limits: Sequence[float]) -> str:
    """Return both fingerprints of a row.

    Parameters
    ----------
    task, everything, answer : str
        The digests of the exercise, of all files of the learner, and of what the answer consists of.
    outcome : str
        That of the row.
    limits : sequence of float
        They count if the answer met one of them.
    """
    basis = [task, *(map(str, limits) if outcome in MET_A_LIMIT else ())]
    return f"{digest([*basis, everything])[:LENGTH]}-{digest([*basis, answer])[:LENGTH]}"


def digest_of_task(exercise: Exercise, cases: Iterable[Case]) -> str:
    """Return the digest of an exercise, of the cases on which it is graded, and of the code that checks."""
    module = sys.modules[exercise.solution.__module__]
    source = Path(str(module.__file__)).read_bytes().hex() if getattr(module, "__file__", None) else ""
    words = [minicoord.__version__, _digest_of_checking(), exercise.id, str(exercise.compiled), source]
    return digest([*words, *(word for case in cases for word in (case.name, *_words(case.args)))])


def digest_of_files(submission: KeptSubmission) -> str:
    """Return the digest of all files of a learner, and of what is said about those that cannot be read."""
    files = sorted(f"{file.original.name} {file.digest}" for file in submission.files)
    return digest([submission.problem, submission.unread, *files])


def digest_of_answer(text: str, note: str, submission: KeptSubmission) -> str:
    """Return the digest of what an answer consists of.

    Parameters
    ----------
    text : str
        The digest of its cell or file, from `minicoord.learn.grading.child`.
    note : str
        What is said about other answers to the same exercise.
    submission : KeptSubmission
        All its files but notebooks count, because an answer may import or read them.
    """
    beside = sorted(
        f"{file.original.name} {file.digest}" for file in submission.files if file.original.suffix.lower() != ".ipynb"
    )
    return digest([text, note, *beside])


def digest(words: Iterable[str]) -> str:
    """Return the SHA-256 of a list of texts, in which their borders count."""
    found = hashlib.sha256()
    for word in words:
        data = word.encode("utf-8", "surrogatepass")
        found.update(b"%d:" % len(data) + data)
    return found.hexdigest()


@cache
def _digest_of_checking() -> str:
    """Return the digest of the source files that find and judge an answer."""
    folders = [Path(inspect.getfile(package)).parent for package in (checking, submissions)]
    return digest(path.read_text("utf-8") for folder in folders for path in sorted(folder.glob("*.py")))


def _words(value: Any) -> list[str]:
    """Return the arguments of a case as texts."""
    if isinstance(value, np.ndarray):
        return [str(value.dtype), str(value.shape), np.ascontiguousarray(value).tobytes().hex()]
    if isinstance(value, (tuple, list)):
        return [type(value).__name__, *(word for item in value for word in _words(item))]
    return [value.__name__ if callable(value) else repr(value)]
