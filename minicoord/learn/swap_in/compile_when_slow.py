"""Compiling a learner's function with Numba where this changes nothing but its speed."""

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
"""Seconds that a function runs as plain Python before it is compiled; most lessons end sooner than the compiler."""


class CompiledWhenSlow:
    """A function that runs as plain Python at first, and compiled once it has taken a while, if it has a loop.

    Compiled code differs from Python in places, such as the dtype of ``float32 * 2.0`` or an integer overflow. So it
    takes over only if it gives the same result for the current arguments. It checks bounds and is not cached on disk.
    Arguments of other types are passed to the Python function.

    Parameters
    ----------
    function : callable
        A function that returns the same result for the same arguments, and changes none of them.
    patience : float
        In seconds.

    Attributes
    ----------
    compiled : callable or None
        The compiled function that takes its place.
    """

    def __init__(self, function: Function, patience: float = PATIENCE) -> None:
        self.function = function
        self.compiled: Function | None = None
        self._seconds_left = patience if isinstance(function, FunctionType) and has_loop(function) else np.inf

    def __call__(self, *arguments: Any) -> Any:
        """Return what the function returns."""
        if self.compiled is not None:
            try:
                return self.compiled(*arguments)
            except TypeError:  # arguments of other types; see `_compile`
                return self.function(*arguments)
        start = time.perf_counter()
        result = self.function(*arguments)
        self._seconds_left -= time.perf_counter() - start
        if self._seconds_left < 0:
            self._seconds_left = np.inf  # try to compile only once
            self.compiled = _compile(self.function, arguments, result)
        return result


def _compile(function: Function, arguments: tuple[Any, ...], result: Any) -> Function | None:
    """Return the function compiled for arguments of these types only, or None if it fails or gives another result."""
    import numba

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Numba's performance advice belongs to another lesson
            compiled = numba.njit(boundscheck=True)(function)
            if not _same(result, compiled(*arguments)):
                return None
            compiled.disable_compile()  # so that arguments of other types raise TypeError
    except Exception:  # a compiler can fail in any way
        return None
    return compiled


def has_loop(function: FunctionType) -> bool:
    """Whether the function's own bytecode jumps back."""
    jumps = {*dis.hasjrel, *dis.hasjabs}
    return any(
        step.opcode in jumps and isinstance(step.argval, int) and step.argval < step.offset
        for step in dis.get_instructions(function)
    )


def _same(expected: Any, got: Any) -> bool:
    """Whether two results are equal up to rounding."""
    if isinstance(expected, tuple):
        return isinstance(got, tuple) and len(expected) == len(got) and all(map(_same, expected, got))
    a, b = np.asarray(expected), np.asarray(got)
    if isinstance(expected, np.ndarray) != isinstance(got, np.ndarray) or a.shape != b.shape or a.dtype != b.dtype:
        return False
    tolerance = 1e-5 if a.dtype == np.float32 else 1e-10
    return bool(np.allclose(a, b, rtol=tolerance, atol=tolerance))
