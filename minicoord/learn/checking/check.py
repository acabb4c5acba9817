"""Checking an answer: run it on every case, and return the verdict.

An answer runs as plain Python first, in which `np.empty` fills its arrays: see `empty_memory`. Where the exercise asks
for compiled code, it then runs compiled for one thread with bounds checking, and finally in parallel. (Bounds checking
together with ``parallel=True`` gives wrong results: numba issue 9380.)
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicoord.learn.checking.bytecode import CodeTraits, traits_of
from minicoord.learn.checking.check_result import compare, with_cause
from minicoord.learn.checking.counted_loads import uncounted
from minicoord.learn.checking.empty_memory import with_filled_memory
from minicoord.learn.checking.errors import describe_error, error_kind, wrong_arguments
from minicoord.learn.checking.recognition import Call, call, likely_cause
from minicoord.learn.checking.undisturbed import undisturbed
from minicoord.learn.checking.verdict import NOT_AS_ASKED, NOT_ATTEMPTED, RAISED, Verdict, in_quotes, passed
from minicoord.learn.definition.exercise import Case, Exercise, Function

SEED = 0


def verdict_of(exercise: Exercise, function: Function, cases: Sequence[Case] | None = None) -> Verdict:
    """Run a function on the cases of an exercise and return the verdict; its exceptions become part of the verdict.

    Parameters
    ----------
    exercise : Exercise
    function : callable
        The answer; of a function that Numba has compiled, the original Python function is checked.
    cases : sequence of Case, optional
        By default those of the exercise, from seed 0.

    Raises
    ------
    KeyboardInterrupt
        If the user interrupts a check that takes too long.
    """
    function = plain_function(function)
    if cases is None:
        cases = list(exercise.cases(np.random.default_rng(SEED)))
    with undisturbed():
        return _verdict(exercise, function, cases)


def _verdict(exercise: Exercise, function: Function, cases: Sequence[Case]) -> Verdict:
    verdict = python_verdict(exercise, function, cases)
    if verdict.passed and exercise.code_check:
        args = None if exercise.traced is None else exercise.traced()
        verdict = code_verdict(exercise, traits_of(function, args), verdict)
    if verdict.passed and exercise.compiled:
        from minicoord.learn.checking.check_compiled import compiled_verdict  # importing Numba is slow

        return compiled_verdict(exercise, function, cases)
    return verdict


def python_verdict(exercise: Exercise, function: Function, cases: Sequence[Case]) -> Verdict:
    """Return the verdict on a function that runs as plain Python."""
    calls: list[Call] = []
    filled = with_filled_memory(function)
    for case in cases:
        args = copy.deepcopy(case.args)
        try:
            sentence = wrong_arguments(function, args, exercise.solution)
            if sentence:
                return Verdict(exercise.id, RAISED, f"{RAISED} an error: {sentence}")
            with np.errstate(all="ignore"):
                result = uncounted(filled(*args))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # sys.exit and the like, too
            if _is_stub_error(error) and not calls:
                return not_attempted(exercise)
            verdict = raised(exercise, case, error, function)
            calls.append(Call(case, error=error_kind(error)))
        else:
            verdict = compare(exercise, case, result, args, recognise=False)
            calls.append(Call(case, result, args))
        if not verdict.passed:
            further = (call(function, other) for other in cases[len(calls) :])
            return with_cause(verdict, likely_cause(exercise, calls, further))
    return passed(exercise, len(cases))


def code_verdict(exercise: Exercise, traits: CodeTraits, right: Verdict) -> Verdict:
    """Return `right`, the verdict on an answer with right values, unless its code is not as the exercise asks."""
    complaint = None if exercise.code_check is None else exercise.code_check(traits)
    if complaint is None:
        return right
    return Verdict(exercise.id, NOT_AS_ASKED, f"the values are right, but {complaint}.")


def not_attempted(exercise: Exercise) -> Verdict:
    """Return the verdict on a stub."""
    return Verdict(exercise.id, NOT_ATTEMPTED, "not attempted yet.")


def raised(exercise: Exercise, case: Case, error: BaseException, function: Function) -> Verdict:
    """Return the verdict on a function that raised this error on this case."""
    description = describe_error(error, file_of(function))
    return Verdict(exercise.id, RAISED, f"{RAISED} an error on {in_quotes(case.name)}: {description}", case=case.name)


def plain_function(function: Any) -> Any:
    """Return the Python function that Numba compiled, or anything else unchanged."""
    return getattr(function, "py_func", function)


def file_of(function: Any) -> str | None:
    """Return the file name that a function's code carries, or None."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return getattr(code, "co_filename", None)


def _is_stub_error(error: BaseException) -> bool:
    """Whether this is the error that a stub raises: a NotImplementedError without a message."""
    return isinstance(error, NotImplementedError) and not error.args
