"""Swap in: the library runs for a while with functions that a learner wrote.

Inside ``with using(im2col=my_im2col):`` the layers call the functions of a `TeachingPath` in place of kernels. To that
end the names of those kernels are bound anew, in the modules that call them, and bound back at the end. What is bound
looks at a context variable first, so that other threads keep the kernels. Outside of a block nothing is left of it, and
it costs nothing.
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
from minicoord.learn.swap_in.faster import FasterOnceSlow
from minicoord.learn.swap_in.teaching_path import REPLACEABLE, STANDS_IN, TeachingPath

Function = Callable[..., Any]

_current: ContextVar[TeachingPath | None] = ContextVar("minicoord_teaching_path", default=None)
_lock = threading.Lock()
_originals: dict[str, Function] = {}
_blocks = 0


def using(compiled: bool = True, **functions: Function) -> AbstractContextManager[Counter[str]]:
    """Let the library's layers call these functions inside a ``with`` block, as answers to exercises.

    A function that does not pass its check stays out: the library's solution takes its place, and a line says so. One
    with loops that took some seconds is compiled by Numba, if that works and gives the same result; the others run as
    they are. Blocks may be nested: the functions of the inner one come first, those of the outer one stay.

    Parameters
    ----------
    compiled : bool
        False runs everything as plain Python.
    **functions : callable
        The answer to each exercise, by its id: ``im2col=my_im2col``.

    Returns
    -------
    context manager
        It gives a `collections.Counter`: how often each function was called so far, by the id of its exercise. One
        that did not pass was never called.

    Raises
    ------
    TypeError, ValueError
        If no function is given, or an id is unknown, or belongs to an exercise that no part of the library answers to.

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
    if not functions:
        raise TypeError("using: no function was given, wanted at least one, such as using(im2col=im2col)")
    for id, function in functions.items():
        if id not in exercise_ids():
            raise ValueError(f"using: there is no exercise {id!r}; {suggestion(id, sorted(REPLACEABLE))}")
        if id not in REPLACEABLE:
            known = ", ".join(sorted(REPLACEABLE))
            raise ValueError(f"using: no layer calls what {id!r} computes; wanted some of {known}")
        if not callable(function):
            raise TypeError(f"using: {id} is of type {type(function).__name__}, wanted a function")
    chosen = {id: _passed_or_ours(id, function) for id, function in functions.items()}
    calls = Counter(dict.fromkeys(functions, 0))
    replaced = {id for id in functions if chosen[id] is not functions[id]}
    if compiled:
        chosen = {id: FasterOnceSlow(function) for id, function in chosen.items()}
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
    """Return the function if it passes the check of the exercise, else the solution, and say so."""
    exercise = get(id)
    if function is exercise.solution:
        return function
    verdict = verdict_of(exercise, function)
    if verdict.passed:
        return function
    print(f"using: {id} is ours here, because yours did not pass: {verdict.outcome}")
    return exercise.solution


def _bind() -> None:
    """Bind the names of the kernels anew; the first block does it for all."""
    global _blocks
    with _lock:
        _blocks += 1
        if _blocks > 1:
            return
        for place, ids in STANDS_IN.items():
            module, name = place.rsplit(".", 1)
            original = getattr(import_module(module), name)
            _originals[place] = original
            setattr(import_module(module), name, _either(original, name.strip("_"), ids))


def _unbind() -> None:
    """Bind the kernels themselves again; the last block does it for all."""
    global _blocks
    with _lock:
        _blocks -= 1
        if _blocks == 0:
            for place, original in _originals.items():
                module, name = place.rsplit(".", 1)
                setattr(import_module(module), name, original)
            _originals.clear()


def _either(original: Function, method: str, ids: frozenset[str]) -> Function:
    """Return a function that calls the method of this thread's teaching path, or else the original."""

    @functools.wraps(original)
    def call(*arguments: Any, **named: Any) -> Any:
        path = _current.get()
        if path is None or not path.uses(ids):
            return original(*arguments, **named)
        return getattr(path, method)(original, *arguments, **named)

    return call
