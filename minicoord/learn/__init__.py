"""The course: exercises with their checks, hints and solutions, for notebooks, the terminal and pytest.

A lesson needs these names. Each is loaded when it is first asked for, so that importing this package is quick.

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
    "check": "notebook",
    "hint": "notebook",
    "solution": "notebook",
    "yours_or_ours": "notebook",
    "using": "swap_in",
    "Verdict": "verdict",
    "Exercise": "exercise",
    "Case": "exercise",
    "Mistake": "exercise",
    "LESSONS": "course",
    "COURSE": "course",
    "exercise_ids": "course",
    "get": "course",
}
"""Each public name and the module of minicoord.learn that defines it."""

__all__ = list(_MODULE_OF)  # pyright: ignore[reportUnsupportedDunderAll]

if TYPE_CHECKING:  # what editors and type checkers read
    from minicoord.learn.course import COURSE as COURSE, LESSONS as LESSONS, exercise_ids as exercise_ids, get as get
    from minicoord.learn.exercise import Case as Case, Exercise as Exercise, Mistake as Mistake
    from minicoord.learn.notebook import (
        check as check,
        hint as hint,
        solution as solution,
        yours_or_ours as yours_or_ours,
    )
    from minicoord.learn.swap_in import using as using
    from minicoord.learn.verdict import Verdict as Verdict


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
