"""The marking scheme of a course: how many points an exercise is worth, when it is due, and what lateness costs.

It is a TOML file, in which everything may be left out::

    due = 2026-12-03T23:59:00+01:00     # for every lesson; without an offset, the time of this computer
    grace_minutes = 10                  # how much later still counts as in time; 0 if left out
    late_percent = 10                   # taken off for each day that has begun; 0, which only marks it, if left out
    points = 1                          # for an exercise that is passed; 1 if left out

    [exercises]                         # other points for single exercises; 0 leaves one out of the marks
    im2col = 3

    [lessons.3]                         # for one lesson, by the number in `minicoord learn list`
    due = 2026-12-17                    # the end of that day
    weight = 2                          # its points count twice

    [handed_in]                         # where the files do not tell the time, such as after a download
    anna = 2026-12-04T08:00:00+01:00

The time of an answer is that at which its file was last saved.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from minicoord.learn.definition.course import COURSE, exercise_ids
from minicoord.system.arguments import shown
from minicoord.system.suggestion import suggestion

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]

KEYS = ("due", "grace_minutes", "late_percent", "points", "exercises", "lessons", "handed_in")
LESSON_KEYS = ("due", "weight")
DAY = timedelta(days=1)


class SchemeError(ValueError):
    """A marking scheme is malformed; the message says where in one sentence, and what was expected."""


@dataclass(frozen=True)
class Scheme:
    """How answers become points.

    Attributes
    ----------
    due : datetime or None
        When every lesson is due that has no time of its own, with its offset from UTC.
    grace : timedelta
        How much later than that still counts as in time.
    late_percent : float
        What is taken off the points of a late answer for each day that has begun, in percent.
    points : float
        For an exercise that is passed.
    exercises : mapping
        Other points of single exercises, by id.
    due_of_lesson, weights : mapping
        When a lesson is due, and by what its points are multiplied, by its number as text.
    handed_in : mapping
        When learners handed in, where that is not the time of their files.
    """

    due: datetime | None = None
    grace: timedelta = timedelta(0)
    late_percent: float = 0.0
    points: float = 1.0
    exercises: Mapping[str, float] = field(default_factory=dict)
    due_of_lesson: Mapping[str, datetime] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    handed_in: Mapping[str, datetime] = field(default_factory=dict)

    def possible(self, lesson: str, exercise: str) -> float:
        """Return how many points an exercise is worth."""
        return self.exercises.get(exercise, self.points) * self.weights.get(lesson, 1.0)

    def days_late(self, learner: str, lesson: str, saved: datetime | None) -> int:
        """Return how many days, the one that has begun included, an answer was late; 0 if it was in time.

        Parameters
        ----------
        learner, lesson : str
        saved : datetime or None
            When the file of the answer was saved; None if that is not known, which counts as in time.
        """
        due, when = self.due_of_lesson.get(lesson, self.due), self.handed_in.get(learner, saved)
        if due is None or when is None or when <= due + self.grace:
            return 0
        return math.ceil((when - due) / DAY)

    def earned(self, lesson: str, exercise: str, passed: bool, days_late: int) -> float:
        """Return the points for an answer."""
        share = max(0.0, 1 - days_late * self.late_percent / 100) if passed else 0.0
        return self.possible(lesson, exercise) * share


def read_scheme(path: Path) -> Scheme:
    """Return the scheme in a TOML file.

    Raises
    ------
    SchemeError
        If the file cannot be read, or an entry is unknown or malformed.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise SchemeError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise SchemeError(f"{path} cannot be read as TOML: {error}") from None
    try:
        return _scheme(content)
    except SchemeError as error:
        raise SchemeError(f"{path}: {error}") from None


def _scheme(content: Mapping[str, Any]) -> Scheme:
    _check_keys(content, KEYS, "the file")
    tables = {name: _table(content, name) for name in ("exercises", "lessons", "handed_in")}
    _check_keys(tables["exercises"], exercise_ids(), "[exercises]")
    _check_keys(tables["lessons"], map(str, COURSE), "[lessons]")
    dues, weights = {}, {}
    for lesson in tables["lessons"]:
        table, place = _table(tables["lessons"], lesson, "lessons."), f"[lessons.{lesson}]"
        _check_keys(table, LESSON_KEYS, place)
        if "due" in table:
            dues[lesson] = _moment(table["due"], f"due in {place}")
        if "weight" in table:
            weights[lesson] = _amount(table["weight"], f"weight in {place}")
    return Scheme(
        due=_moment(content["due"], "due") if "due" in content else None,
        grace=timedelta(minutes=_amount(content.get("grace_minutes", 0), "grace_minutes")),
        late_percent=_amount(content.get("late_percent", 0), "late_percent", 100),
        points=_amount(content.get("points", 1), "points"),
        exercises={id: _amount(value, f"{id} in [exercises]") for id, value in tables["exercises"].items()},
        due_of_lesson=dues,
        weights=weights,
        handed_in={name: _moment(value, f"{name} in [handed_in]") for name, value in tables["handed_in"].items()},
    )


def _table(content: Mapping[str, Any], name: str, place: str = "") -> Mapping[str, Any]:
    value = content.get(name, {})
    if not isinstance(value, dict):
        raise SchemeError(f"{place}{name} was {shown(value)}, expected a table [{place}{name}]")
    return value


def _check_keys(table: Mapping[str, Any], known: Iterable[str], place: str) -> None:
    choices = list(known)
    for key in table:
        if key not in choices:
            raise SchemeError(f"{place} has the entry {shown(key)}, which is unknown; {suggestion(key, choices)}")


def _amount(value: Any, what: str, most: float = 1e6) -> float:
    if type(value) not in (int, float) or not 0 <= value <= most:
        raise SchemeError(f"{what} was {shown(value)}, expected a number from 0 to {most:,.0f}")
    return float(value)


def _moment(value: Any, what: str) -> datetime:
    """Return a date as the end of its day, and a time without an offset as one of this computer's time zone."""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time.max)
    if not isinstance(value, datetime):
        expected = "a date such as 2026-12-03, or one with 2026-12-03T23:59:00"
        raise SchemeError(f"{what} was {shown(value)}, expected {expected}")
    return value if value.tzinfo is not None else value.astimezone()
