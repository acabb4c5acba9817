"""Files that the gradebooks of Moodle and Canvas import, a column or two for each lesson.

Both are plain CSV in UTF-8. Canvas gets points, and in its second row how many are possible. Moodle gets percent, which
suits its default maximum of 100, and beside each grade its feedback; its import wants both.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from minicoord.learn.definition.course import LESSONS
from minicoord.learn.grading.table import name_cell
from minicoord.learn.marks.outcomes import Outcome, Student, points_of, students_of
from minicoord.learn.marks.points import number, percent
from minicoord.learn.marks.roster import CANVAS, MOODLE, Roster
from minicoord.learn.marks.summaries import beside, in_days
from minicoord.system.files import write_atomically

POINTS_POSSIBLE = "Points Possible"
NOTHING = "nothing was submitted"


def write_gradebooks(table: Path, outcomes: Sequence[Outcome], roster: Roster | None = None) -> list[Path]:
    """Write ``NAME-canvas.csv`` and ``NAME-moodle.csv`` beside the table ``NAME.csv``, and return their paths.

    Parameters
    ----------
    table : Path
    outcomes : sequence of Outcome
        Of all learners.
    roster : mapping, optional
        See `minicoord.learn.marks.roster`. Without it, or for a learner who is not in it, the name of the submission
        stands for the login. Students of whom there is no submission get 0.
    """
    students = {student.name: student for student in students_of(outcomes)}
    known = {name_cell(name): entry for name, entry in (roster or {}).items()}
    everybody = {name: students.get(name, Student(name, ())) for name in sorted({*students, *known})}
    possible = _possible(students.values())
    canvas, moodle = beside(table, "canvas"), beside(table, "moodle")
    _write(canvas, _canvas_rows(everybody, known, possible))
    _write(moodle, _moodle_rows(everybody, known, possible))
    return [canvas, moodle]


def name_of_lesson(lesson: str) -> str:
    """Return what a gradebook calls a lesson: ``minicoord 02 Convolution from scratch``."""
    titles = {str(number): title for number, title in LESSONS.items()}
    return f"minicoord {lesson.zfill(2) if lesson.isdecimal() else lesson} {titles.get(lesson, '')}".rstrip()


def _possible(students: Iterable[Student]) -> dict[str, float]:
    """Return how many points each lesson is worth, in the order of the course."""
    worth: dict[str, float] = {}
    for student in students:
        for lesson, rows in student.lessons.items():
            worth[lesson] = max(worth.get(lesson, 0.0), points_of(rows)[1])
    return {lesson: worth[lesson] for lesson in map(str, LESSONS) if lesson in worth}


def _canvas_rows(everybody: dict[str, Student], known: Roster, possible: dict[str, float]) -> Iterable[Sequence[str]]:
    yield [*CANVAS, *map(name_of_lesson, possible)]
    yield [POINTS_POSSIBLE, *[""] * (len(CANVAS) - 1), *map(number, possible.values())]
    for name, student in everybody.items():
        who = known.get(name, {"Student": name, "SIS Login ID": name})
        lessons = student.lessons
        earned = (points_of(lessons.get(lesson, []))[0] for lesson in possible)
        yield [*(who.get(column, "") for column in CANVAS), *map(number, earned)]


def _moodle_rows(everybody: dict[str, Student], known: Roster, possible: dict[str, float]) -> Iterable[Sequence[str]]:
    columns = [column for column in MOODLE if any(entry.get(column) for entry in known.values())] or ["Username"]
    of_lessons = [column for lesson in possible for column in (name_of_lesson(lesson), _feedback_column(lesson))]
    yield [*columns, *of_lessons, "minicoord total"]
    for name, student in everybody.items():
        login = "Username" if "Username" in columns else columns[0]
        who = known.get(name, {login: name})
        cells = []
        for lesson, most in possible.items():
            rows = student.lessons.get(lesson, [])
            cells += [f"{percent(points_of(rows)[0], most):.2f}", feedback_line(rows)]
        total = percent(points_of(student.outcomes)[0], sum(possible.values()))
        yield [*(who.get(column, "") for column in columns), *cells, f"{total:.2f}"]


def _feedback_column(lesson: str) -> str:
    return f"{name_of_lesson(lesson)} (feedback)"


def feedback_line(rows: Sequence[Outcome]) -> str:
    """Return one line on a lesson: how many exercises passed, which did not, and what is late."""
    if not rows:
        return NOTHING
    passed, late = sum(row.passed for row in rows), max(row.days_late for row in rows)
    wrong = [row.exercise for row in rows if row.attempted and not row.passed]
    open_ones = [row.exercise for row in rows if not row.attempted]
    parts = [f"{passed} of {len(rows)} exercises passed"]
    parts += [f"not yet right: {', '.join(wrong)}"] if wrong else []
    parts += [f"open: {', '.join(open_ones)}"] if open_ones else []
    return "; ".join([*parts, *([f"late by {in_days(late)}"] if late else [])])


def _write(path: Path, rows: Iterable[Sequence[str]]) -> None:
    # Without a byte order mark: Canvas would take it for a part of its first column's name.
    with write_atomically(path, "w") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
