"""The smallest case in which an answer fails, written out: its arguments, what came back and what was expected."""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.learn.checking.check import plain_function, python_verdict
from minicoord.learn.checking.recognition import Call, call
from minicoord.learn.checking.undisturbed import undisturbed
from minicoord.learn.checking.untrusted_text import printable
from minicoord.learn.checking.verdict import FAILS_ON_A_CASE, Verdict, in_quotes
from minicoord.learn.definition.exercise import Case, Exercise, Function

SEEDS = range(4)
"""The cases of these seeds are tried, as other numbers and sizes may give a smaller one than the check came upon."""

MOST_SLICES = 6
MOST_NUMBERS = 300
"""How much is written of an array: at most so many slices of an array with four axes, of at most so many numbers."""

KERNELS = frozenset({"w", "dw"})
"""The arguments whose first two axes are rows and columns; of other arrays with four axes it is the middle two."""


def smallest_failure(exercise: Exercise, function: Function, verdict: Verdict) -> str:
    """Return the smallest case that an answer fails, in lines of text, or "" if its verdict is about no case.

    The cases of several seeds are tried in the order of their sizes. The first that fails with the outcome of the
    verdict is taken, so that it shows the mistake that the verdict is about.

    Parameters
    ----------
    exercise : Exercise
    function : callable
        The answer.
    verdict : Verdict
        What the check said about it.

    Raises
    ------
    KeyboardInterrupt
        If the user interrupts a call that takes too long.
    """
    if verdict.outcome not in FAILS_ON_A_CASE:
        return ""
    function = plain_function(function)
    cases = [case for seed in SEEDS for case in exercise.cases(np.random.default_rng(seed))]
    with undisturbed():
        for case in sorted(cases, key=size):
            with contextlib.redirect_stdout(io.StringIO()):  # it prints in the case that is shown, and in no other
                found = python_verdict(exercise, function, [case])
            if found.outcome == verdict.outcome:
                return printable("\n".join(_lines(exercise, function, case, found)))
    return ""  # an answer that does not do the same each time


def size(case: Case) -> tuple[bool, int, float]:
    """Return how large a case is, for sorting: by the numbers in its arrays, then by the magnitude of single numbers.

    Cases with an empty array come last: little is to be seen in them.
    """
    values = list(_flat(case.args))
    arrays = [value.size for value in values if isinstance(value, np.ndarray)]
    return 0 in arrays, sum(arrays), sum(abs(float(value)) for value in values if isinstance(value, int | float))


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, tuple | list):
            yield from _flat(value)
        else:
            yield value


def _lines(exercise: Exercise, function: Function, case: Case, verdict: Verdict) -> Iterator[str]:
    """Yield the lines on one case: its name, each argument, what the answer returned, and the right result."""
    yield f"The smallest case that fails: {in_quotes(case.name)}"
    names = list(inspect.signature(exercise.solution).parameters)
    for name, value in zip(names, case.args, strict=False):  # a case may leave the last ones at their defaults
        yield from _written(name, value, name in KERNELS)
    kernel = any("kernel" in axis for axis in exercise.axes[:1])
    answer = call(function, case)
    if answer.error is None:
        yield from _written("got", answer.result, kernel)
        yield from _changed(names, case.args, answer)
    if exercise.judge is None:  # with a judge, more than one result is right
        yield from _written("expected", exercise.solution(*copy.deepcopy(case.args)), kernel)
    yield verdict.sentence.partition(f"{in_quotes(case.name)}: ")[2] or verdict.sentence


def _changed(names: Sequence[str], before: Sequence[Any], answer: Call) -> Iterator[str]:
    """Yield the arrays among the arguments that are no longer what they were before the call."""
    for name, old, new in zip(names, before, answer.args_after or before, strict=False):
        if isinstance(old, np.ndarray) and not np.array_equal(old, new):
            yield from _written(f"{name} after the call", new, name in KERNELS)


def _written(name: str, value: Any, kernel: bool) -> Iterator[str]:
    """Yield the lines of one value: a single one for a number; for an array its shape, and then its numbers."""
    if isinstance(value, np.ndarray) and value.ndim and value.dtype.kind in "biuf":
        yield f"{name}: {value.dtype} of shape {value.shape}"
        yield from _numbers(value, kernel)
    elif isinstance(value, tuple) and any(isinstance(item, np.ndarray) for item in value):
        for number, item in enumerate(value):
            yield from _written(f"{name}[{number}]", item, kernel)
    elif callable(value):
        yield f"{name}: the function {getattr(value, '__name__', 'without a name')}"
    else:
        yield f"{name} = {_in_one_line(value)}"


def _numbers(array: NDArray, kernel: bool) -> Iterator[str]:
    """Yield the lines of the numbers of an array, slice by slice if it has four axes."""
    if array.ndim != 4:
        yield from _rows(array, 4)
        return
    others = [array.shape[k] for k in ((2, 3) if kernel else (0, 3))]
    slices = list(np.ndindex(*others))
    for first, last in slices[:MOST_SLICES]:
        index = (slice(None), slice(None), first, last) if kernel else (first, slice(None), slice(None), last)
        yield f"    [:, :, {first}, {last}]" if kernel else f"    [{first}, :, :, {last}]"
        yield from _rows(array[index], 8)
    if len(slices) > MOST_SLICES:
        yield f"    and {len(slices) - MOST_SLICES} more such slices"


def _rows(array: NDArray, indent: int) -> Iterator[str]:
    with np.printoptions(precision=4, suppress=True, threshold=MOST_NUMBERS, edgeitems=4, linewidth=90):
        lines = str(array).splitlines()
    yield from (" " * indent + line for line in lines)


def _in_one_line(value: Any) -> str:
    """Return a value in a line that is not too long, whatever a class of the learner's does when it is printed."""
    try:
        text = " ".join(repr(value.item() if isinstance(value, np.generic) else value).split())
    except Exception as error:
        return f"a value of type {type(value).__name__} that cannot be printed ({type(error).__name__})"
    return text if len(text) <= 90 else f"{text[:87]}..."
