"""What grading says about one answer: a row of the table, or that the row that is there stays."""

from __future__ import annotations

from dataclasses import dataclass

from minicoord.learn.checking.verdict import NOT_ATTEMPTED

NOT_READABLE = "not readable"
NOT_GRADED = "not graded"
UNATTEMPTED = (NOT_ATTEMPTED, NOT_READABLE)
"""The outcomes of answers that were not looked at."""


@dataclass(frozen=True)
class Row:
    """One row of the table: the verdict on one learner's answer to one exercise.

    Attributes
    ----------
    learner : str
        The name of their folder or file.
    lesson : int
    exercise : str
        The id.
    outcome : str
        One of `minicoord.learn.checking.verdict.OUTCOMES`, or "timed out", "crashed", "not readable" or
        "not graded".
    passed : bool
    sentence : str
        What is wrong, or that everything is right.
    cause : str
        The common mistake that gives the same result; empty if none is known.
    seconds : float
        How long the child process ran, in wall-clock time, including the start of Python.
    saved : str
        When the file with the answer was last saved, as ISO 8601 with the offset from UTC; empty if there is none.
    fingerprint : str
        Of all that led to the verdict: see `minicoord.learn.grading.fingerprint`.
    """

    learner: str
    lesson: int
    exercise: str
    outcome: str
    passed: bool
    sentence: str
    cause: str
    seconds: float
    saved: str = ""
    fingerprint: str = ""

    @property
    def attempted(self) -> bool:
        """Whether the learner wrote something."""
        return self.outcome not in UNATTEMPTED


@dataclass(frozen=True)
class Known:
    """What the table has on an answer: its outcome, the fingerprint of what led to it, and when its file was saved."""

    outcome: str
    fingerprint: str
    saved: str


@dataclass(frozen=True)
class Kept:
    """The row on an exercise stays, as nothing that led to it has changed; its new fingerprint covers the rest, too."""

    learner: str
    exercise: str
    fingerprint: str
