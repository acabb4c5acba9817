"""The rows of a table of grades as outcomes with points, and their sums for each learner and each exercise."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from minicoord.learn.definition.course import exercise_ids, get
from minicoord.learn.grading.row import UNATTEMPTED
from minicoord.learn.grading.table import COLUMNS, Cells, moment


@dataclass(frozen=True)
class Outcome:
    """One row of the table, with its points.

    Attributes
    ----------
    learner, lesson, exercise, outcome, sentence, cause : str
        As the table has them.
    passed : bool
    saved : datetime or None
        When the file of the answer was saved.
    days_late : int
    points, possible : float
    """

    learner: str
    lesson: str
    exercise: str
    outcome: str
    passed: bool
    sentence: str
    cause: str
    saved: datetime | None
    days_late: int
    points: float
    possible: float

    @property
    def attempted(self) -> bool:
        """Whether the learner wrote something that could be read."""
        return self.outcome not in UNATTEMPTED


@dataclass(frozen=True)
class Student:
    """The outcomes of one learner, in the order of the course."""

    name: str
    outcomes: Sequence[Outcome]

    @property
    def lessons(self) -> dict[str, list[Outcome]]:
        """The outcomes of each lesson."""
        found: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            found.setdefault(outcome.lesson, []).append(outcome)
        return found

    @property
    def late(self) -> list[Outcome]:
        """What was handed in late."""
        return [outcome for outcome in self.outcomes if outcome.days_late]


@dataclass(frozen=True)
class ExerciseSummary:
    """How a class did in one exercise.

    Attributes
    ----------
    exercise, lesson, title : str
    learners, attempted, passed : int
        How many there are, wrote something, and passed.
    mistake : str
        The most common mistake that was named; empty if none was.
    times : int
        How often it was made.
    """

    exercise: str
    lesson: str
    title: str
    learners: int
    attempted: int
    passed: int
    mistake: str
    times: int


def outcomes_in(rows: Iterable[Cells]) -> list[Outcome]:
    """Return the rows of a table of grades as outcomes."""
    return [_outcome(dict(zip(COLUMNS, cells, strict=True))) for cells in rows]


def _outcome(row: Mapping[str, str]) -> Outcome:
    return Outcome(
        **{name: row[name] for name in ("learner", "lesson", "exercise", "outcome", "sentence", "cause")},
        passed=row["passed"] == "True",
        saved=moment(row["saved"]),
        days_late=int(row["late"] or 0),
        points=float(row["points"]),
        possible=float(row["possible"]),
    )


def students_of(outcomes: Iterable[Outcome]) -> list[Student]:
    """Return the learners with their outcomes, in the order of their names."""
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.learner, []).append(outcome)
    order = {id: number for number, id in enumerate(exercise_ids())}
    return [
        Student(name, sorted(found[name], key=lambda outcome: order.get(outcome.exercise, len(order))))
        for name in sorted(found)
    ]


def exercises_of(outcomes: Iterable[Outcome]) -> list[ExerciseSummary]:
    """Return a summary of each exercise that occurs, in the order of the course."""
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.exercise, []).append(outcome)
    return [_summary(id, found[id]) for id in exercise_ids() if id in found]


def _summary(id: str, rows: Sequence[Outcome]) -> ExerciseSummary:
    named = Counter(row.cause for row in rows if row.cause)
    mistake, times = min(named.items(), key=lambda item: (-item[1], item[0]), default=("", 0))
    attempted, passed = sum(row.attempted for row in rows), sum(row.passed for row in rows)
    return ExerciseSummary(id, rows[0].lesson, get(id).title, len(rows), attempted, passed, mistake, times)


def points_of(outcomes: Iterable[Outcome]) -> tuple[float, float]:
    """Return the points that were earned and those that were possible."""
    rows = list(outcomes)
    return math.fsum(row.points for row in rows), math.fsum(row.possible for row in rows)
