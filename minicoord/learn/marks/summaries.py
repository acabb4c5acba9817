"""Summaries of a class as CSV files beside the table of grades: one row for each student, one for each exercise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from minicoord.learn.grading.table import Cells, write_table
from minicoord.learn.marks.outcomes import ExerciseSummary, Outcome, Student, exercises_of, points_of, students_of
from minicoord.learn.marks.points import number, percent

OF_A_STUDENT = ("learner", "exercises", "attempted", "passed", "points", "possible", "percent", "late")
OF_AN_EXERCISE = (
    "lesson",
    "exercise",
    "title",
    "learners",
    "attempted",
    "passed",
    "percent",
    "common mistake",
    "made by",
)


def write_summaries(table: Path, outcomes: Sequence[Outcome]) -> list[Path]:
    """Write ``NAME-students.csv`` and ``NAME-exercises.csv`` beside the table ``NAME.csv``, and return their paths."""
    students, exercises = students_of(outcomes), exercises_of(outcomes)
    lessons = list(dict.fromkeys(exercise.lesson for exercise in exercises))
    of_students, of_exercises = beside(table, "students"), beside(table, "exercises")
    columns = [*OF_A_STUDENT, *(f"lesson {lesson}" for lesson in lessons)]
    write_table(of_students, [student_cells(student, lessons) for student in students], columns)
    write_table(of_exercises, map(exercise_cells, exercises), OF_AN_EXERCISE)
    return [of_students, of_exercises]


def beside(table: Path, what: str) -> Path:
    """Return the path of a file that belongs to a table: ``grades-students.csv``."""
    return table.with_name(f"{table.stem}-{what}.csv")


def student_cells(student: Student, lessons: Sequence[str]) -> Cells:
    """Return the row of one student; the last cells are the points of each lesson."""
    outcomes, of_lesson = student.outcomes, student.lessons
    points, possible = points_of(outcomes)
    return (
        student.name,
        str(len(outcomes)),
        str(sum(outcome.attempted for outcome in outcomes)),
        str(sum(outcome.passed for outcome in outcomes)),
        number(points),
        number(possible),
        f"{percent(points, possible):.1f}",
        lateness(student),
        *(number(points_of(of_lesson.get(lesson, []))[0]) for lesson in lessons),
    )


def lateness(student: Student) -> str:
    """Return which lessons have late work, and by how much at most: ``"lesson 2 by 1 day; lesson 3 by 4 days"``."""
    worst: dict[str, int] = {}
    for outcome in student.late:
        worst[outcome.lesson] = max(worst.get(outcome.lesson, 0), outcome.days_late)
    return "; ".join(f"lesson {lesson} by {in_days(days)}" for lesson, days in worst.items())


def in_days(days: int) -> str:
    """Return a number of days in words."""
    return f"{days} day{'s' * (days != 1)}"


def exercise_cells(summary: ExerciseSummary) -> Cells:
    """Return the row of one exercise."""
    share = percent(summary.passed, summary.learners)
    counts = (str(summary.learners), str(summary.attempted), str(summary.passed), f"{share:.1f}")
    times = str(summary.times) if summary.times else ""
    return summary.lesson, summary.exercise, summary.title, *counts, summary.mistake, times
