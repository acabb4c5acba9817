"""The course: exercises with their checks, hints and solutions, for notebooks, the terminal and pytest.

``definition/`` says what an exercise is, and each file of ``exercises/`` defines one. ``checking/`` returns the verdict
on an answer, and ``submissions/`` finds answers in a learner's files. Learners check their answers by one of the
``doors/``: notebook, terminal or pytest; ``grading/`` checks the submissions of a class, and ``marks/`` makes points,
summaries and pages of the verdicts. ``swap_in/`` runs the library with a learner's functions, ``lessons/`` draws the
figures of the notebooks, and ``teaching/`` makes slides, an answer key and editions for a course of them.

The names below are those that lessons use. Each is imported on first use, so that importing this package is quick.

Begin with ``definition/exercise.py``, which says what an exercise is.

Examples
--------
>>> from minicoord.learn import check
>>> def pixel_index(x, y, height, width):
...     return x * height + y
>>> print(check(pixel_index))  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_MODULE_OF = {
    "check": "doors.notebook",
    "hint": "doors.notebook",
    "solution": "doors.notebook",
    "yours_or_ours": "doors.notebook",
    "using": "swap_in.swap",
    "Verdict": "checking.verdict",
    "Exercise": "definition.exercise",
    "Case": "definition.exercise",
    "Mistake": "definition.exercise",
    "LESSONS": "definition.course",
    "COURSE": "definition.course",
    "exercise_ids": "definition.course",
    "get": "definition.course",
}
"""Each public name and the module of minicoord.learn that defines it."""

__all__ = list(_MODULE_OF)  # pyright: ignore[reportUnsupportedDunderAll]

if TYPE_CHECKING:  # what editors and type checkers read
    from minicoord.learn.checking.verdict import Verdict as Verdict
    from minicoord.learn.definition.course import (
        COURSE as COURSE,
        LESSONS as LESSONS,
        exercise_ids as exercise_ids,
        get as get,
    )
    from minicoord.learn.definition.exercise import Case as Case, Exercise as Exercise, Mistake as Mistake
    from minicoord.learn.doors.notebook import (
        check as check,
        hint as hint,
        solution as solution,
        yours_or_ours as yours_or_ours,
    )
    from minicoord.learn.swap_in.swap import using as using


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
