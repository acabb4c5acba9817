"""Recognising common mistakes: an answer that gives the same wrong results as a known mistake most likely makes it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicoord.learn.checking import empty_memory
from minicoord.learn.checking.comparison import changed, same_result
from minicoord.learn.checking.counted_loads import uncounted
from minicoord.learn.checking.errors import error_kind
from minicoord.learn.definition.exercise import Case, Exercise, Function


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a function: what it did with the arguments of a case.

    Attributes
    ----------
    case : Case
    result : object
    args_after : tuple or None
        The arguments after the call; None if unknown.
    error : str or None
        The `error_kind` of the exception that it raised.
    """

    case: Case
    result: Any = None
    args_after: tuple[Any, ...] | None = None
    error: str | None = None


def call(function: Function, case: Case) -> Call:
    """Call a function with a copy of the arguments of a case; an exception is recorded by its kind."""
    args = copy.deepcopy(case.args)
    try:
        with np.errstate(all="ignore"):
            result = uncounted(empty_memory.with_filled_memory(function)(*args))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a learner's function may even call sys.exit
        return Call(case, error=error_kind(error))
    return Call(case, result, args)


Calls = Callable[[Function, Case], Call]


class KnownCalls:
    """Makes each call once, and remembers it: the same mistakes are tried on the answers of a whole class.

    It is called as `call` is. A case is known by its identity.
    """

    def __init__(self) -> None:
        self._calls: dict[tuple[Function, int], Call] = {}

    def __call__(self, function: Function, case: Case) -> Call:
        """Return the call of a function with a case, which is made if it is the first."""
        key = function, id(case)
        if key not in self._calls:
            self._calls[key] = call(function, case)  # which refers to the case, so that its identity stays its own
        return self._calls[key]


def likely_cause(
    exercise: Exercise, calls: Sequence[Call], further: Iterable[Call] = (), call: Calls = call
) -> str | None:
    """Return the cause of the common mistake that behaves as the answer does, or None; None if two causes fit equally.

    Parameters
    ----------
    exercise : Exercise
    calls : sequence of Call
        Calls of the answer. The last one went wrong, and a mistake has to go wrong in the same way; the ones before
        were right, which rules out a mistake that would have shown there.
    further : iterable of Call
        Calls of the answer with other cases. The likeliest mistake is the one that agrees with the answer most often.
        Of the cases in which either is wrong, it has to agree on half; otherwise it matched by chance.
    call : callable
        How mistakes and the solution are called: `call`, or a `KnownCalls`.
    """
    *right, failed = calls
    others = [*right, *further]
    if empty_memory.left_over(failed.result):
        return empty_memory.CAUSE
    if _all_constant(exercise, [failed, *others], call):
        return "all numbers of the result are the same"
    matching = [m for m in exercise.mistakes if not m.races and _matches(exercise, m.function, [failed, *right], call)]
    alike = [[c for c in others if _behave_alike(exercise, call(m.function, c.case), c)] for m in matching]
    most = max(map(len, alike), default=0)
    likeliest = [(mistake, agreed) for mistake, agreed in zip(matching, alike, strict=True) if len(agreed) == most]
    if len(likeliest) != 1:
        return None
    mistake, agreed = likeliest[0]
    both_wrong = sum(not _is_right(exercise, answer, call) for answer in agreed)
    return mistake.cause if both_wrong >= len(others) - most else None


def _matches(exercise: Exercise, mistake: Function, calls: Sequence[Call], call: Calls) -> bool:
    """Whether a mistake behaves as the answer did in all of these calls."""
    return all(_behave_alike(exercise, call(mistake, answer.case), answer) for answer in calls)


def _all_constant(exercise: Exercise, calls: Sequence[Call], call: Calls) -> bool:
    """Whether the results have the right shapes, but hold one and the same number where the right ones differ."""
    results = [answer.result for answer in calls]
    expected = [call(exercise.solution, answer.case).result for answer in calls]
    shapes, expected_shapes = ([getattr(value, "shape", None) for value in values] for values in (results, expected))
    return shapes == expected_shapes and len(_numbers(results)) == 1 and len(_numbers(expected)) > 1


def _numbers(results: Sequence[Any]) -> set[float]:
    """Return up to two numbers of each array; none if a result is not an array of real numbers."""
    if not all(isinstance(result, np.ndarray) and result.dtype.kind in "biuf" for result in results):
        return set()
    return {float(number) for result in results for number in np.unique(result)[:2]}


def _is_right(exercise: Exercise, answer: Call, call: Calls) -> bool:
    if exercise.judge is not None and answer.error is None:
        return complaint_of_judge(exercise, answer.case, answer.result) is None
    return _behave_alike(exercise, call(exercise.solution, answer.case), answer)


def _behave_alike(exercise: Exercise, mistaken: Call, answer: Call) -> bool:
    """Whether a mistake and an answer raise the same error, or change their input alike and return the same result."""
    if mistaken.error or answer.error:
        return mistaken.error == answer.error
    case = answer.case
    known = answer.args_after is not None and mistaken.args_after is not None
    if known and bool(changed(case.args, answer.args_after)) != bool(changed(case.args, mistaken.args_after)):
        return False
    with np.errstate(all="ignore"):
        if same_result(mistaken.result, answer.result, tolerance(exercise, case, mistaken.result)):
            return True
    if exercise.judge is None:
        return False
    # With a judge, many different results are right, and many are wrong for one reason: these share its sentence.
    complaint = complaint_of_judge(exercise, case, answer.result)
    return complaint is not None and complaint == complaint_of_judge(exercise, case, mistaken.result)


def complaint_of_judge(exercise: Exercise, case: Case, result: Any) -> str | None:
    """Return what the judge of an exercise says about a result, or None if it is right."""
    assert exercise.judge is not None
    try:
        with np.errstate(all="ignore"):
            return exercise.judge(copy.deepcopy(case.args), result)
    except Exception as error:  # a judge computes with whatever a learner returned
        return f"the result cannot be used ({type(error).__name__}: {error})"


def tolerance(exercise: Exercise, case: Case, expected: Any) -> float:
    """Return the tolerance, relative to the largest expected number; it is wider where any value is a float32."""
    values = [*case.args, *(expected if isinstance(expected, tuple) else (expected,))]
    single = any(getattr(value, "dtype", None) == np.float32 for value in values)
    return min(exercise.tolerance * 1e5, 1e-3) if single else exercise.tolerance
