"""A learner's function made faster by Numba, where that changes nothing but the time."""

from __future__ import annotations

import copy
import dis
import warnings
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from minicoord.learn.exercise import Exercise

Function = Callable[..., Any]


def compiled_where_equal(function: Function, exercise: Exercise) -> Function:
    """Return the function compiled, if it has a loop, compiles, and agrees with itself on the cases of the exercise.

    Compiled code differs from Python in places: in the dtype of ``float32 * 2.0``, or where an integer overflows. It
    looks at the bounds of every array, and is not cached. Whatever does not work out gives back the function itself,
    and arguments of types for which it cannot be compiled go to the function itself, too.
    """
    if not isinstance(function, FunctionType) or not _has_loop(function):
        return function
    import numba
    from numba.core.errors import NumbaError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Numba's advice on speed is for another lesson
            compiled = numba.njit(boundscheck=True)(function)
            for case in exercise.cases(np.random.default_rng(0)):
                wanted, got = function(*copy.deepcopy(case.args)), compiled(*copy.deepcopy(case.args))
                if not _same(wanted, got):
                    return function
    except Exception:  # what a function raises inside of a compiler is anyone's guess
        return function

    def compiled_or_plain(*arguments: Any) -> Any:
        try:
            return compiled(*arguments)
        except NumbaError:
            return function(*arguments)

    return compiled_or_plain


def _has_loop(function: FunctionType) -> bool:
    """Whether the function's own code jumps back."""
    jumps = {*dis.hasjrel, *dis.hasjabs}
    return any(
        step.opcode in jumps and isinstance(step.argval, int) and step.argval < step.offset
        for step in dis.get_instructions(function)
    )


def _same(wanted: Any, got: Any) -> bool:
    if isinstance(wanted, (tuple, list)):
        return (
            type(wanted) is type(got)
            and len(wanted) == len(got)
            and all(_same(a, b) for a, b in zip(wanted, got, strict=True))
        )
    a, b = np.asarray(wanted), np.asarray(got)
    if isinstance(wanted, np.ndarray) != isinstance(got, np.ndarray) or a.shape != b.shape or a.dtype != b.dtype:
        return False
    tolerance = 1e-5 if a.dtype == np.float32 else 1e-10
    return bool(np.allclose(a, b, rtol=tolerance, atol=tolerance))
