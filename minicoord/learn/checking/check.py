"""Checking an answer: run it on every case, and say what came of it.

An answer runs as it is first. Where the exercise asks for compiled code, it then runs compiled for one thread, with a
look at the bounds of every array, and at last in parallel. (Numba gives wrong results when it is asked for both at
once: numba issue 9380.)
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minicoord.learn.checking.bytecode import Manner, manner_of
from minicoord.learn.checking.errors import in_words, wrong_arguments
from minicoord.learn.checking.recognition import Run, likely_cause, run
from minicoord.learn.checking.verdict import NOT_AS_ASKED, NOT_ATTEMPTED, RAISED, Verdict, compare, in_quotes, passed
from minicoord.learn.definition.exercise import Case, Exercise, Function

SEED = 0


def verdict_of(exercise: Exercise, function: Function, cases: Sequence[Case] | None = None) -> Verdict:
    """Run a function on the cases of an exercise and return the verdict. What it raises, it does not raise.

    Parameters
    ----------
    exercise : Exercise
    function : callable
        The answer; one that Numba has compiled already is taken as the Python function that it was.
    cases : sequence of Case, optional
        By default those of the exercise, from seed 0.

    Raises
    ------
    KeyboardInterrupt
        If the user ends a check that takes too long.
    """
    function = plain_function(function)
    if cases is None:
        cases = list(exercise.cases(np.random.default_rng(SEED)))
    verdict = python_verdict(exercise, function, cases)
    if verdict.passed and exercise.manner:
        verdict = manner_verdict(exercise, manner_of(function), verdict)
    if verdict.passed and exercise.compiled:
        from minicoord.learn.checking.check_compiled import compiled_verdict  # Numba takes its time to be imported

        return compiled_verdict(exercise, function, cases)
    return verdict


def python_verdict(exercise: Exercise, function: Function, cases: Sequence[Case]) -> Verdict:
    """Return the verdict on a function that runs as it is."""
    runs: list[Run] = []
    for case in cases:
        args = copy.deepcopy(case.args)
        try:
            sentence = wrong_arguments(function, args, exercise.solution)
            if sentence:
                return Verdict(exercise.id, RAISED, f"{RAISED} an error: {sentence}")
            with np.errstate(all="ignore"):
                result = function(*args)
        except KeyboardInterrupt:
            raise
        except NotImplementedError as error:
            if not runs and _is_stub_error(error):
                return not_attempted(exercise)
            verdict = raised(exercise, case, error, function)
            runs.append(Run(case, error=type(error).__name__))
        except BaseException as error:  # sys.exit and the like
            verdict = raised(exercise, case, error, function)
            runs.append(Run(case, error=type(error).__name__))
        else:
            verdict = compare(exercise, case, result, args, recognise=False)
            runs.append(Run(case, result, args))
        if not verdict.passed:
            more = (run(function, other) for other in cases[len(runs) :])
            return replace(verdict, cause=likely_cause(exercise, runs, more))
    return passed(exercise, len(cases))


def manner_verdict(exercise: Exercise, manner: Manner, right: Verdict) -> Verdict:
    """Return the verdict on an answer with right values that is written in this manner."""
    complaint = None if exercise.manner is None else exercise.manner(manner)
    if complaint is None:
        return right
    return Verdict(exercise.id, NOT_AS_ASKED, f"the values are right, but {complaint}.")


def not_attempted(exercise: Exercise) -> Verdict:
    """Return the verdict on a stub."""
    return Verdict(exercise.id, NOT_ATTEMPTED, "not attempted yet.")


def raised(exercise: Exercise, case: Case, error: BaseException, function: Function) -> Verdict:
    """Return the verdict on a function that raised this error on this case."""
    words = in_words(error, file_of(function))
    return Verdict(exercise.id, RAISED, f"{RAISED} an error on {in_quotes(case.name)}: {words}", case=case.name)


def plain_function(function: Any) -> Any:
    """Return the Python function that Numba compiled, or what came."""
    return getattr(function, "py_func", function)


def file_of(function: Any) -> str | None:
    """Return the name of the file of a function's code, as the code knows it."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return getattr(code, "co_filename", None)


def _is_stub_error(error: NotImplementedError) -> bool:
    """Whether the error carries no message, as that of a stub does."""
    return not error.args
