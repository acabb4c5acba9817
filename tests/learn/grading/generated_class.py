"""A class of students as there might be one, generated: right answers, usual mistakes, and exercises left open."""

import random
from pathlib import Path

from minicoord.learn.definition.course import COURSE, get

RIGHT, WRONG = 0.62, 0.24
"""The shares of right and of wrong answers; the others are stubs."""


def write_class(folder: Path, students: int, seed: int = 0) -> dict[str, dict[str, str]]:
    """Write a folder for each student, with a file for each lesson, and return what each answer is.

    No two students hand in the same text. A wrong answer calls one of the usual mistakes of its exercise.
    """
    draw, wanted = random.Random(seed), {}
    for number in range(students):
        name = f"student{number:02d}"
        (folder / name).mkdir(parents=True)
        wanted[name] = {}
        for lesson, ids in COURSE.items():
            parts = [f'"""Lesson {lesson} of {name}."""\n']
            for id in ids:
                wanted[name][id], source = _answer(id, draw)
                parts.append(source)
            (folder / name / f"lesson{lesson}.py").write_text("\n\n".join(parts), encoding="utf-8")
    return wanted


def _answer(id: str, draw: random.Random) -> tuple[str, str]:
    """Return what an answer is, and its source."""
    exercise, luck = get(id), draw.random()
    # A mistake that only shows in the code or in threads calls helpers of ours that a learner's file would not have.
    mistakes = [mistake for mistake in exercise.mistakes if not mistake.races] if not exercise.compiled else []
    if luck < RIGHT:
        return "right", exercise.solution_text()
    if luck < RIGHT + WRONG and mistakes:
        place = exercise.mistakes.index(draw.choice(mistakes))
        module = f"minicoord.learn.exercises.{id}"
        return "wrong", (
            f"def {id}(*args):\n    from {module} import exercise\n\n"
            f"    return exercise.mistakes[{place}].function(*args)\n"
        )
    return "open", exercise.stub_text()
