"""A learner's function made faster by Numba, where that changes nothing but the time."""

from __future__ import annotations

import dis
import time
import warnings
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

Function = Callable[..., Any]

PATIENCE = 2.0
"""Seconds of running as plain Python before a function is compiled: most lessons end before the compiler would."""


class FasterOnceSlow:
    """A function that runs as it is, until it has taken a while; then compiled, if it has a loop and that works.

    Compiled code differs from Python in places: in the dtype of ``float32 * 2.0``, or where an integer overflows. So
    it must first give the same result for the arguments of that moment. It looks at the bounds of every array, and is
    not cached. Arguments of other types than those go on to the function as it is.

    Parameters
    ----------
    function : callable
        It returns the same for the same arguments, and changes none of them.
    patience : float
        In seconds.

    Attributes
    ----------
    compiled : callable or None
        What took the function's place.
    """

    def __init__(self, function: Function, patience: float = PATIENCE) -> None:
        self.function = function
        self.compiled: Function | None = None
        self._left = patience if isinstance(function, FunctionType) and has_loop(function) else np.inf

    def __call__(self, *arguments: Any) -> Any:
        """Return what the function returns."""
        if self.compiled is not None:
            try:
                return self.compiled(*arguments)
            except TypeError:  # other types; see `_compile`
                return self.function(*arguments)
        start = time.perf_counter()
        result = self.function(*arguments)
        self._left -= time.perf_counter() - start
        if self._left < 0:
            self._left = np.inf  # once is enough
            self.compiled = _compile(self.function, arguments, result)
        return result


def _compile(function: Function, arguments: tuple[Any, ...], result: Any) -> Function | None:
    """Return the function compiled for arguments of these types alone, or None where it is not the same."""
    import numba

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Numba's advice on speed is for another lesson
            compiled = numba.njit(boundscheck=True)(function)
            if not _same(result, compiled(*arguments)):
                return None
            compiled.disable_compile()  # from now on it raises TypeError for arguments of other types
    except Exception:  # what a function raises inside of a compiler is anyone's guess
        return None
    return compiled


def has_loop(function: FunctionType) -> bool:
    """Whether the function's own code jumps back."""
    jumps = {*dis.hasjrel, *dis.hasjabs}
    return any(
        step.opcode in jumps and isinstance(step.argval, int) and step.argval < step.offset
        for step in dis.get_instructions(function)
    )


def _same(wanted: Any, got: Any) -> bool:
    """Whether two results are alike to rounding."""
    if isinstance(wanted, tuple):
        return isinstance(got, tuple) and len(wanted) == len(got) and all(map(_same, wanted, got))
    a, b = np.asarray(wanted), np.asarray(got)
    if isinstance(wanted, np.ndarray) != isinstance(got, np.ndarray) or a.shape != b.shape or a.dtype != b.dtype:
        return False
    tolerance = 1e-5 if a.dtype == np.float32 else 1e-10
    return bool(np.allclose(a, b, rtol=tolerance, atol=tolerance))
