"""The second half of a check: an answer that is right in Python runs compiled, for one thread and for two.

Each stage runs on the same cases. What is right as Python and goes wrong here is told as "not compiled", or, if it is
right for one thread and wrong for more, as "depends on threads".
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numba
import numpy as np

from minicoord.kernels.runtime import launch
from minicoord.kernels.threading_layer import apply_threads, get_threads, set_threads
from minicoord.learn.checking.numba_errors import numba_in_words
from minicoord.learn.checking.races import Race, find_race
from minicoord.learn.checking.verdict import DEPENDS_ON_THREADS, NOT_COMPILED, Verdict, compare, in_quotes, passed
from minicoord.learn.definition.exercise import Case, Exercise, Function

STAGES = ("compiled", "1 thread", "2 threads")
"""How an answer runs after it was right in Python."""

RACE_STAGE = "1 thread"
"""Before which one races are looked for."""

REPEATS = 5


def compiled_verdict(exercise: Exercise, function: Function, cases: Sequence[Case]) -> Verdict:
    """Return the verdict on a function that is right as Python, from running it compiled."""
    for stage in STAGES:
        if stage == RACE_STAGE:
            race = first_race(function, cases)
            if race:
                return depends_on_threads(exercise, str(race), race, cases)
        run_it = at_stage(function, stage)
        for case in cases:
            for _ in range(REPEATS if stage == "2 threads" else 1):
                verdict = _one_run(exercise, run_it, case, stage)
                if not verdict.passed:
                    return verdict
    return passed(exercise, len(cases))


def at_stage(function: Function, stage: str) -> Function:
    """Return a function that does what `function` does, at one of the `STAGES`.

    Nothing of it is cached on disk. It is compiled when it is called for the first time, and raises what Numba raises.
    """
    parallel = stage != "compiled"
    dispatcher = _dispatcher(function, parallel)

    def call(*args: Any) -> Any:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # such as Numba's, that there is nothing to run in parallel
            if not parallel:
                return dispatcher(*args)
            before = get_threads()
            try:
                set_threads(1 if stage == "1 thread" else 2)
                return launch(dispatcher, *args)
            finally:
                set_threads(before)
                apply_threads()

    return call


@lru_cache(maxsize=2)  # one compilation serves both stages of parallel code
def _dispatcher(function: Function, parallel: bool) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return numba.njit(parallel=parallel, boundscheck=not parallel)(function)


def stage_verdict(exercise: Exercise, stage: str, verdict: Verdict) -> Verdict:
    """Return what a verdict on a result means if the same case was right in Python, and wrong at this stage."""
    if verdict.passed:
        return verdict
    if stage == "2 threads":
        return depends_on_threads(exercise, f"With two threads it is {verdict.sentence}")
    what = "compiled" if stage == "compiled" else "compiled with parallel=True"
    return replace(
        verdict, outcome=NOT_COMPILED, sentence=f"right in Python, but {what} it is {verdict.sentence}", cause=None
    )


def depends_on_threads(
    exercise: Exercise, sentence: str, race: Race | None = None, cases: Sequence[Case] = ()
) -> Verdict:
    """Return the verdict on a race: right with one thread, not always with two."""
    cause = _cause_of_race(exercise, race, cases)
    meeting = "a task reads what another one writes" if race and race.reads else "two tasks write the same cell"
    sentence = f"right, but it depends on the thread count: {meeting}. {sentence}"
    return Verdict(exercise.id, DEPENDS_ON_THREADS, sentence, cause)


def _cause_of_race(exercise: Exercise, race: Race | None, cases: Sequence[Case]) -> str | None:
    """Return the cause of the usual race that meets in the same way in the same kind of array, or None.

    Where two threads gave another result, and it was not seen where they met, the first is likely enough.
    """
    causes = [mistake for mistake in exercise.mistakes if mistake.races]
    if race is None:
        return causes[0].cause if causes else None
    races = [(mistake.cause, first_race(mistake.function, cases)) for mistake in causes]
    alike = [(cause, other) for cause, other in races if other is not None and other.reads == race.reads]
    same_shape = [cause for cause, other in alike if other.shape == race.shape]
    as_many_axes = [cause for cause, other in alike if len(other.shape) == len(race.shape)]
    return next(iter([*same_shape, *as_many_axes]), None)


def first_race(function: Function, cases: Sequence[Case]) -> Race | None:
    """Return the first race that shows when a function runs on these cases, or None."""
    for case in cases:
        race = find_race(function, copy.deepcopy(case.args))
        if race:
            return race
    return None


def _one_run(exercise: Exercise, run_it: Function, case: Case, stage: str) -> Verdict:
    args = copy.deepcopy(case.args)
    try:
        result = run_it(*args)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        sentence = f"right in Python, but not compiled on {in_quotes(case.name)}: {numba_in_words(error)}"
        return Verdict(exercise.id, NOT_COMPILED, sentence, case=case.name)
    return stage_verdict(exercise, stage, compare(exercise, case, result, args, recognise=False))
