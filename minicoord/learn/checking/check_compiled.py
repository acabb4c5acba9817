"""The second half of a check: an answer that is right in Python runs compiled, with one thread and with two.

Every stage runs on the same cases. An answer that is right in Python and fails here is "not compiled"; one that is
right with one thread and wrong with two "depends on threads".
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

from minicoord.kernels.backend.runtime import launch
from minicoord.kernels.backend.threading_layer import apply_threads, get_threads, set_threads
from minicoord.learn.checking.access_log import Race
from minicoord.learn.checking.check_result import compare
from minicoord.learn.checking.numba_errors import describe_numba_error
from minicoord.learn.checking.races import find_race
from minicoord.learn.checking.verdict import DEPENDS_ON_THREADS, NOT_COMPILED, Verdict, in_quotes, passed
from minicoord.learn.definition.exercise import Case, Exercise, Function

STAGES = ("compiled", "1 thread", "2 threads")
"""How an answer runs once it is right in Python, in this order."""

RACE_STAGE = "1 thread"
"""The stage before which races are looked for."""

REPEATS = 5
"""How often each case runs with two threads, as a race does not show every time."""


def compiled_verdict(exercise: Exercise, function: Function, cases: Sequence[Case]) -> Verdict:
    """Return the verdict on the compiled form of a function that is right in Python."""
    for stage in STAGES:
        if stage == RACE_STAGE:
            race = first_race(function, cases)
            if race:
                return depends_on_threads(exercise, str(race), race, cases)
        compiled = at_stage(function, stage)
        for case in cases:
            for _ in range(REPEATS if stage == "2 threads" else 1):
                verdict = _run_case(exercise, compiled, case, stage)
                if not verdict.passed:
                    return verdict
    return passed(exercise, len(cases))


def at_stage(function: Function, stage: str) -> Function:
    """Return a function that runs `function` as one of the `STAGES` does.

    It is compiled at the first call, which raises what Numba raises, and is never cached on disk.
    """
    parallel = stage != "compiled"
    dispatcher = _dispatcher(function, parallel)

    def call(*args: Any) -> Any:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # such as Numba's warning that there is nothing to run in parallel
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
    """Return the verdict on a case that was right in Python, given the verdict on its result at this stage."""
    if verdict.passed:
        return verdict
    if stage == "2 threads":
        return depends_on_threads(exercise, f"With two threads: {verdict.sentence}")
    how = "compiled" if stage == "compiled" else "compiled with parallel=True"
    sentence = f"right in Python, but {how}: {verdict.sentence}"
    return replace(verdict, outcome=NOT_COMPILED, sentence=sentence, cause=None)


def depends_on_threads(
    exercise: Exercise, sentence: str, race: Race | None = None, cases: Sequence[Case] = ()
) -> Verdict:
    """Return the verdict on an answer with a race: right with one thread, but not always with two."""
    cause = _cause_of_race(exercise, race, cases)
    conflict = "a task reads what another one writes" if race and race.reads else "two tasks write the same cell"
    sentence = f"right, but the result depends on the number of threads: {conflict}. {sentence}"
    return Verdict(exercise.id, DEPENDS_ON_THREADS, sentence, cause)


def _cause_of_race(exercise: Exercise, race: Race | None, cases: Sequence[Case]) -> str | None:
    """Return the cause of the common mistake that races in the same way over the same kind of array, or None.

    None also if several mistakes do so. Where two threads gave another result but the race itself was not found, every
    mistake of the exercise that races fits.
    """
    causes = [mistake for mistake in exercise.mistakes if mistake.races]
    if race is None:
        return causes[0].cause if len(causes) == 1 else None
    races = [(mistake.cause, first_race(mistake.function, cases)) for mistake in causes]
    same_kind = [(cause, other) for cause, other in races if other is not None and _alike(race, other)]
    same_shape = [cause for cause, other in same_kind if other.shape == race.shape]
    same_ndim = [cause for cause, other in same_kind if len(other.shape) == len(race.shape)]
    fitting = same_shape or same_ndim
    return fitting[0] if len(fitting) == 1 else None


def _alike(race: Race, other: Race) -> bool:
    """Whether two races are of one kind, as far as is known of the first."""
    return race.reads == other.reads and race.reads_first in (None, other.reads_first)


def first_race(function: Function, cases: Sequence[Case]) -> Race | None:
    """Return the first race that shows when a function runs on these cases, or None."""
    for case in cases:
        race = find_race(function, copy.deepcopy(case.args))
        if race:
            return race
    return None


def compiled_failure(exercise: Exercise, case: Case, description: str) -> Verdict:
    """Return the verdict on an answer that is right in Python, and whose compiled form raises an error on this case."""
    sentence = f"right in Python, but the compiled function fails on {in_quotes(case.name)}: {description}"
    return Verdict(exercise.id, NOT_COMPILED, sentence, case=case.name)


def _run_case(exercise: Exercise, compiled: Function, case: Case, stage: str) -> Verdict:
    args = copy.deepcopy(case.args)
    try:
        result = compiled(*args)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return compiled_failure(exercise, case, describe_numba_error(error))
    return stage_verdict(exercise, stage, compare(exercise, case, result, args, recognise=False))
