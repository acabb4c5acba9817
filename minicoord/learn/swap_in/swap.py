"""Swapping in a learner's functions: inside a ``with`` block, the library calls them in place of its kernels.

Inside ``with using(im2col=my_im2col):`` the layers call the methods of a `TeachingPath` instead of kernels. To do so,
the names of those kernels are rebound in the modules that call them, and restored at the end. The replacements consult
a context variable first, so other threads keep the kernels. Outside a block nothing of this remains or costs time.
"""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any

from minicoord.experiments import suggestion
from minicoord.learn.checking.check import verdict_of
from minicoord.learn.definition.course import exercise_ids, get
from minicoord.learn.swap_in.compile_when_slow import CompiledWhenSlow
from minicoord.learn.swap_in.teaching_path import REPLACEABLE, REPLACEMENTS, TeachingPath
from minicoord.system.arguments import check_flag, shown

Function = Callable[..., Any]

_current: ContextVar[TeachingPath | None] = ContextVar("minicoord_teaching_path", default=None)
_lock = threading.Lock()
_originals: dict[str, Function] = {}
_open_blocks = 0


def using(compiled: bool = True, **functions: Function) -> AbstractContextManager[Counter[str]]:
    """Let the library's layers call these answers to exercises inside a ``with`` block.

    A function that does not pass its check is replaced by the solution, and a message says so. A function with loops is
    compiled by Numba after it has run for some seconds, if that gives the same result; the others run as plain Python.
    Blocks may be nested: functions of the inner block take precedence over those of the outer one.

    Parameters
    ----------
    compiled : bool
        False runs everything as plain Python.
    **functions : callable
        The answer to each exercise, by its id: ``im2col=my_im2col``.

    Returns
    -------
    context manager
        It yields a `collections.Counter`: how often each function has been called so far, by the id of its exercise;
        0 for a function that did not pass.

    Raises
    ------
    TypeError, ValueError
        If no function is given, or an id is unknown or belongs to an exercise that computes nothing the library calls.

    Examples
    --------
    >>> import numpy as np
    >>> from minicoord import Conv2D
    >>> from minicoord.learn.definition.course import get
    >>> with using(im2col=get("im2col").solution) as calls:
    ...     y = Conv2D(1, 1, 3, rng=0).forward(np.ones((1, 4, 5, 1), np.float32))
    >>> calls["im2col"]
    1
    """
    compiled = check_flag("using: compiled", compiled)
    if not functions:
        raise TypeError("using: no function was given, expected at least one, such as using(im2col=im2col)")
    for id, function in functions.items():
        if id not in exercise_ids():
            raise ValueError(f"using: there is no exercise {shown(id)}; {suggestion(id, sorted(REPLACEABLE))}")
        if id not in REPLACEABLE:
            known = ", ".join(sorted(REPLACEABLE))
            raise ValueError(f"using: no layer calls what {shown(id)} computes; expected one or more of {known}")
        if not callable(function):
            raise TypeError(f"using: {id} is of type {type(function).__name__}, expected a function")
    chosen = {id: _passed_or_ours(id, function) for id, function in functions.items()}
    calls = Counter(dict.fromkeys(functions, 0))
    replaced = {id for id in functions if chosen[id] is not functions[id]}
    if compiled:
        chosen = {id: CompiledWhenSlow(function) for id, function in chosen.items()}
    called = {id: f if id in replaced else _counted(id, f, calls) for id, f in chosen.items()}
    return _swapped_in(called, calls)


@contextmanager
def _swapped_in(functions: dict[str, Function], calls: Counter[str]) -> Iterator[Counter[str]]:
    outer = _current.get()
    inherited = {} if outer is None else outer.functions
    token = _current.set(TeachingPath({**inherited, **functions}))
    try:
        _bind()
        try:
            yield calls
        finally:
            _unbind()
    finally:
        _current.reset(token)


def _counted(id: str, function: Function, calls: Counter[str]) -> Function:
    def call(*arguments: Any) -> Any:
        calls[id] += 1
        return function(*arguments)

    return call


def _passed_or_ours(id: str, function: Function) -> Function:
    """Return the function if it passes the check of the exercise; otherwise the solution, with a message."""
    exercise = get(id)
    if function is exercise.solution:
        return function
    verdict = verdict_of(exercise, function)
    if verdict.passed:
        return function
    print(f"using: {id} is ours here, because yours did not pass: {verdict.outcome}")
    return exercise.solution


def _bind() -> None:
    """Rebind the names of the kernels; the first open block does so for all."""
    global _open_blocks
    with _lock:
        _open_blocks += 1
        if _open_blocks > 1:
            return
        for place, ids in REPLACEMENTS.items():
            module, name = place.rsplit(".", 1)
            original = getattr(import_module(module), name)
            _originals[place] = original
            setattr(import_module(module), name, _replacement(original, name.strip("_"), ids))


def _unbind() -> None:
    """Restore the kernels; the last open block does so for all."""
    global _open_blocks
    with _lock:
        _open_blocks -= 1
        if _open_blocks == 0:
            for place, original in _originals.items():
                module, name = place.rsplit(".", 1)
                setattr(import_module(module), name, original)
            _originals.clear()


def _replacement(original: Function, method: str, ids: frozenset[str]) -> Function:
    """Return a function that calls the method of this thread's teaching path if there is one, or else the original."""

    @functools.wraps(original)
    def call(*arguments: Any, **named: Any) -> Any:
        path = _current.get()
        if path is None or not path.uses(ids):
            return original(*arguments, **named)
        return getattr(path, method)(original, *arguments, **named)

    return call
