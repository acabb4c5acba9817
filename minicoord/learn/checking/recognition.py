"""Usual mistakes are recognised by what comes out: the same wrong result has, most likely, the same cause."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicoord.learn.checking.comparison import changed, same
from minicoord.learn.definition.exercise import Case, Exercise, Function


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
        What the answer did. On the last one it was wrong, and there a mistake has to do the same; on those before it
        was right, and a mistake that would have shown there is not the one.
    more : iterable of Run
        What the answer does with other cases. The likeliest mistake is the one that agrees with the answer most often;
        one that disagrees on more than half of them met it by chance, as an empty result meets many.
    """
    *before, failed = runs
    others = [*before, *more]
    if _all_flat(exercise, [failed, *others]):
        return "all numbers of the result are the same"
    fitting = [m for m in exercise.mistakes if not m.races and _fits(exercise, m.function, failed, before)]
    agreed = [sum(_alike(exercise, run(m.function, other.case), other) for other in others) for m in fitting]
    if not fitting or 2 * max(agreed) < len(others):
        return None
    return fitting[agreed.index(max(agreed))].cause


def _fits(exercise: Exercise, mistake: Function, failed: Run, before: Sequence[Run]) -> bool:
    """Whether a mistake does the same as an answer where that failed, and where it was right before."""
    return all(_alike(exercise, run(mistake, answer.case), answer) for answer in (failed, *before))


def _all_flat(exercise: Exercise, answers: Sequence[Run]) -> bool:
    """Whether the results have the right shapes and one number all over, the same in all, and the right ones do not."""
    results = [answer.result for answer in answers]
    right = [run(exercise.solution, answer.case).result for answer in answers]
    shapes, wanted = ([getattr(value, "shape", None) for value in values] for values in (results, right))
    return shapes == wanted and len(_numbers(results)) == 1 and len(_numbers(right)) > 1


def _numbers(results: Sequence[Any]) -> set[float]:
    """Return the numbers in some arrays, at most two of each; none if one of them is no array of numbers."""
    if not all(isinstance(result, np.ndarray) and result.dtype.kind in "biuf" for result in results):
        return set()
    return {float(number) for result in results for number in np.unique(result)[:2]}


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
