"""The verdict on one result: it is compared with the result of the solution.

How the result was computed plays no part here, so the same comparison serves for answers that ran in another process.
"""

from __future__ import annotations

import copy
import inspect
from dataclasses import replace
from typing import Any

from minicoord.learn.checking.comparison import (
    changed,
    first_difference,
    not_real_numbers,
    without_rounding_hint,
    wrong_dtype,
    wrong_shape,
    wrong_type,
)
from minicoord.learn.checking.recognition import Call, complaint_of_judge, likely_cause, tolerance
from minicoord.learn.checking.verdict import (
    CHANGED_INPUT,
    RETURNED_NONE,
    WRONG_DTYPE,
    WRONG_SHAPE,
    WRONG_TYPE,
    WRONG_VALUES,
    Verdict,
    in_quotes,
    passed,
)
from minicoord.learn.definition.exercise import Case, Exercise

NOT_COMPUTED = object()


def compare(
    exercise: Exercise,
    case: Case,
    result: Any,
    args_after: tuple[Any, ...] | None = None,
    *,
    recognise: bool = True,
    expected: Any = NOT_COMPUTED,
) -> Verdict:
    """Compare what an answer returned for one case with what the solution returns.

    Parameters
    ----------
    exercise : Exercise
    case : Case
        With the arguments as they were before the call.
    result : object
        What the answer returned, of any type.
    args_after : tuple, optional
        The arguments after the call, to see whether the answer changed them.
    recognise : bool
        Whether to look for the common mistake that gives this result.
    expected : object
        What the solution returns for this case, where that is known already.

    Returns
    -------
    Verdict
        Passed, or the first failure in the order of `OUTCOMES`; never "not attempted" or "raised", nor the two
        outcomes of compiled code.
    """
    if expected is NOT_COMPUTED:
        expected = exercise.solution(*copy.deepcopy(case.args))
    try:
        verdict = _compare(exercise, case, expected, result, args_after)
    except Exception as error:  # objects of a learner's own class, or huge integers, may do anything
        sentence = f"{WRONG_TYPE} on {in_quotes(case.name)}: the result cannot be compared ({type(error).__name__})."
        return Verdict(exercise.id, WRONG_TYPE, sentence, case=case.name)
    if verdict.passed or not recognise:
        return verdict
    return with_cause(verdict, likely_cause(exercise, [Call(case, result, args_after)]))


def with_cause(verdict: Verdict, cause: str | None) -> Verdict:
    """Return a verdict with its likely cause, which takes the place of what was said about a small difference."""
    sentence = verdict.sentence if cause is None else without_rounding_hint(verdict.sentence)
    return replace(verdict, sentence=sentence, cause=cause)


def _compare(exercise: Exercise, case: Case, expected: Any, result: Any, args_after: tuple[Any, ...] | None) -> Verdict:
    def verdict(outcome: str, sentence: str, **values: Any) -> Verdict:
        sentence = f"{outcome} on {in_quotes(case.name)}: {sentence}"
        return Verdict(exercise.id, outcome, sentence, case=case.name, **values)

    if result is None:
        return verdict(RETURNED_NONE, "does every path through the function end with a return statement?")
    sentence = wrong_type(expected, result)
    if sentence:
        return verdict(WRONG_TYPE, sentence)
    sentence = wrong_shape(expected, result, exercise.axes)
    if sentence:
        return verdict(WRONG_SHAPE, sentence)
    sentence = not_real_numbers(result) if exercise.judge else wrong_dtype(expected, result)
    if sentence:
        return verdict(WRONG_DTYPE, sentence)
    names = list(inspect.signature(exercise.solution).parameters)
    sentence = changed(case.args, args_after, names) if args_after is not None else None
    if sentence:
        return verdict(CHANGED_INPUT, sentence)
    if exercise.judge:
        complaint = complaint_of_judge(exercise, case, result)
        return verdict(WRONG_VALUES, f"{complaint}.") if complaint else passed(exercise, 1)
    difference = first_difference(expected, result, tolerance(exercise, case, expected))
    if difference:
        return verdict(WRONG_VALUES, difference.sentence, expected=difference.expected, got=difference.got)
    return passed(exercise, 1)
