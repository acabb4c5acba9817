"""The answer to an answer: what came of it in one sentence, and how a result is compared with what was wanted.

`compare` knows nothing of how the result was made, so that it serves where the learner's code ran in another process.
"""

from __future__ import annotations

import copy
import inspect
from dataclasses import dataclass, replace
from typing import Any

from minicoord.learn.checking.comparison import (
    changed,
    no_real_numbers,
    values_differ,
    wrong_dtype,
    wrong_shape,
    wrong_type,
)
from minicoord.learn.checking.recognition import Run, judged, likely_cause, tolerance
from minicoord.learn.definition.exercise import Case, Exercise

PASSED = "passed"
NOT_ATTEMPTED = "not attempted"
RAISED = "raised"
RETURNED_NONE = "returned None"
WRONG_TYPE = "wrong type"
WRONG_SHAPE = "wrong shape"
WRONG_DTYPE = "wrong dtype"
CHANGED_INPUT = "changed its input"
WRONG_VALUES = "wrong values"
NOT_AS_ASKED = "not as asked"
NOT_COMPILED = "not compiled"
DEPENDS_ON_THREADS = "depends on threads"

OUTCOMES = (
    PASSED,
    NOT_ATTEMPTED,
    RAISED,
    RETURNED_NONE,
    WRONG_TYPE,
    WRONG_SHAPE,
    WRONG_DTYPE,
    CHANGED_INPUT,
    WRONG_VALUES,
    NOT_AS_ASKED,
    NOT_COMPILED,
    DEPENDS_ON_THREADS,
)
"""Everything that can come of an answer; after the first, in the order in which it is looked at."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """What came of an answer.

    Printed, it is one sentence, and a second one if the mistake is a usual one. A notebook shows a picture, too.

    Attributes
    ----------
    exercise : str
        The id.
    outcome : str
        One of `OUTCOMES`.
    sentence : str
        What is wrong, or that nothing is.
    cause : str or None
        Which usual mistake gives the same result.
    case : str
        The name of the case where it shows, if it is one.
    wanted, got : object
        What the picture compares; None where there is nothing to compare.
    """

    exercise: str
    outcome: str
    sentence: str
    cause: str | None = None
    case: str = ""
    wanted: Any = None
    got: Any = None

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.outcome == PASSED

    def __str__(self) -> str:
        first = f"{self.exercise}: {self.sentence}"
        return first if self.cause is None else f"{first}\nThe likely cause: {self.cause}."

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        from minicoord.learn.checking.picture import verdict_html  # only a notebook needs matplotlib

        return verdict_html(self)


def passed(exercise: Exercise, cases: int) -> Verdict:
    """Return the verdict on an answer that is right on so many cases."""
    return Verdict(exercise.id, PASSED, f"passed, all {cases} cases are right.")


def compare(
    exercise: Exercise,
    case: Case,
    result: Any,
    args_after: tuple[Any, ...] | None = None,
    *,
    recognise: bool = True,
) -> Verdict:
    """Compare what an answer returned for one case with what was wanted.

    Parameters
    ----------
    exercise : Exercise
    case : Case
        With the arguments as they were before the call.
    result : object
        What the answer returned. It is not trusted to be of any type.
    args_after : tuple, optional
        The arguments after the call, to see whether the answer changed them.
    recognise : bool
        Whether to look for the usual mistake that gives this result.

    Returns
    -------
    Verdict
        Passed, or the first that is wrong in the order of `OUTCOMES`; never "not attempted" or "raised", nor the two
        that come with compiled code.
    """
    wanted = exercise.solution(*copy.deepcopy(case.args))
    try:
        verdict = _compare(exercise, case, wanted, result, args_after)
    except Exception as error:  # a type of the learner's own, or a number of a thousand digits, may do anything
        sentence = f"{WRONG_TYPE} on {in_quotes(case.name)}: the result cannot be compared ({type(error).__name__})."
        return Verdict(exercise.id, WRONG_TYPE, sentence, case=case.name)
    if verdict.passed or not recognise:
        return verdict
    return replace(verdict, cause=likely_cause(exercise, [Run(case, result, args_after)]))


def _compare(exercise: Exercise, case: Case, wanted: Any, result: Any, args_after: tuple[Any, ...] | None) -> Verdict:
    def verdict(outcome: str, sentence: str, **shown: Any) -> Verdict:
        return Verdict(
            exercise.id, outcome, f"{outcome} on {in_quotes(case.name)}: {sentence}", case=case.name, **shown
        )

    if result is None:
        what = "nothing came back; does every way through the function end with return?"
        return verdict(RETURNED_NONE, what)
    sentence = wrong_type(wanted, result)
    if sentence:
        return verdict(WRONG_TYPE, sentence)
    sentence = wrong_shape(wanted, result, exercise.axes)
    if sentence:
        return verdict(WRONG_SHAPE, sentence)
    sentence = no_real_numbers(result) if exercise.judge else wrong_dtype(wanted, result)
    if sentence:
        return verdict(WRONG_DTYPE, sentence)
    names = list(inspect.signature(exercise.solution).parameters)
    sentence = changed(case.args, args_after, names) if args_after is not None else None
    if sentence:
        return verdict(CHANGED_INPUT, sentence)
    if exercise.judge:
        sentence = judged(exercise, case, result)
        return verdict(WRONG_VALUES, f"{sentence}.") if sentence else passed(exercise, 1)
    difference = values_differ(wanted, result, tolerance(exercise, case, wanted))
    if difference:
        return verdict(WRONG_VALUES, difference.sentence, wanted=difference.wanted, got=difference.got)
    return passed(exercise, 1)


def in_quotes(text: str) -> str:
    """Return the name of a case as a sentence shows it."""
    return f'"{text}"'
