"""Usual mistakes are recognised by what comes out: the same wrong result has, most likely, the same cause."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicoord.learn.exercise import Case, Exercise, Function
from minicoord.learn.values import changed, same


@dataclass(frozen=True, eq=False)
class Run:
    """What a function did with one case.

    Attributes
    ----------
    case : Case
    result : object
    args_after : tuple or None
        The arguments after the call; None if that is not known.
    error : str or None
        The name of the type of the exception that it raised.
    """

    case: Case
    result: Any = None
    args_after: tuple[Any, ...] | None = None
    error: str | None = None


def run(function: Function, case: Case) -> Run:
    """Call a function with a copy of the arguments of a case; what it raises is told by name."""
    args = copy.deepcopy(case.args)
    try:
        with np.errstate(all="ignore"):
            result = function(*args)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # of a learner's function: sys.exit and the like
        return Run(case, error=type(error).__name__)
    return Run(case, result, args)


def likely_cause(exercise: Exercise, runs: Sequence[Run], more: Iterable[Run] = ()) -> str | None:
    """Return the cause of the usual mistake that does what the answer did, or None.

    Parameters
    ----------
    exercise : Exercise
    runs : sequence of Run
        What the answer did. On the last one it was wrong, and there a mistake has to do the same.
    more : iterable of Run
        What the answer does with other cases; it is asked for only to choose between several such mistakes. The
        likeliest is the one that agrees with the answer most often.
    """
    *others, failed = runs
    fitting = [m for m in exercise.mistakes if not m.races and _alike(exercise, run(m.function, failed.case), failed)]
    if len(fitting) < 2:
        return fitting[0].cause if fitting else None
    others += more
    agreed = [sum(_alike(exercise, run(m.function, other.case), other) for other in others) for m in fitting]
    return fitting[agreed.index(max(agreed))].cause


def _alike(exercise: Exercise, mistaken: Run, answer: Run) -> bool:
    """Whether a mistake and an answer did the same: the same error, or the same change, and the same result."""
    if mistaken.error or answer.error:
        return mistaken.error == answer.error
    case = answer.case
    known = answer.args_after is not None and mistaken.args_after is not None
    if known and bool(changed(case.args, answer.args_after)) != bool(changed(case.args, mistaken.args_after)):
        return False
    with np.errstate(all="ignore"):
        if same(mistaken.result, answer.result, tolerance(exercise, case, mistaken.result)):
            return True
    if exercise.judge is None:
        return False
    # Many answers are right where a judge decides, and so are many wrong for one reason; it gives them one sentence.
    complaint = judged(exercise, case, answer.result)
    return complaint is not None and complaint == judged(exercise, case, mistaken.result)


def judged(exercise: Exercise, case: Case, result: Any) -> str | None:
    """Return what the judge of an exercise says about a result, or None if it is right."""
    assert exercise.judge is not None
    try:
        with np.errstate(all="ignore"):
            return exercise.judge(copy.deepcopy(case.args), result)
    except Exception as error:  # a judge computes with what a learner returned
        return f"the result cannot be used ({type(error).__name__}: {error})"


def tolerance(exercise: Exercise, case: Case, wanted: Any) -> float:
    """Return how far a result may be off, relative to the largest number wanted: float32 anywhere makes it wider."""
    values = [*case.args, *(wanted if isinstance(wanted, tuple) else (wanted,))]
    single = any(getattr(value, "dtype", None) == np.float32 for value in values)
    return min(exercise.tolerance * 1e5, 1e-3) if single else exercise.tolerance
