"""Calls with arguments that nobody should give, drawn by a seed, and what is wrong with the answers to them.

One or two arguments of a right call (``call_examples.py``) are exchanged for something else, or something within them
is. A call may succeed, because not every exchange is wrong; it may be refused by a ``raise`` of minicoord in one
sentence; or by the system, with the name of a file. Everything else is a fault: an error of Python's from the inside, a
warning, a call that takes longer than a moment.

No kernel runs: a call that starts one was let in, and that is all that is asked here.
"""

from __future__ import annotations

import ast
import contextlib
import linecache
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from call_examples import Arguments, Call

import minicoord

PACKAGE = str(Path(minicoord.__file__).parent)
WANTED = re.compile(
    r"wanted|expected|must|did you mean|choose|need|fetch|give |there (is|are) no|`minicoord|cannot|differ|non-finite"
)


class Thing:
    """An object of a class that nobody knows."""

    def __repr__(self) -> str:
        return "a thing"


def masked() -> Any:
    return np.ma.masked_array(np.ones((2, 4, 6, 3), np.float32), np.ones((2, 4, 6, 3), bool))


BAD: list[Callable[[], Any]] = [
    *(lambda value=value: value for value in (None, True, 0, 1, -1, 3, 2**31, 2**63, 10**30, 1.5, -0.5, 1e300)),
    *(lambda value=value: value for value in (float("nan"), float("inf"), 1j, "", "nan", "relu", "same", b"x", ...)),
    *(lambda value=value: value for value in ((), (2,), (2, 3), (2, 4, 6, 3), (-1, 2), (2**31, 2**31), (1.5, 2))),
    *(lambda value=value: value for value in (np.float16, np.int64, "float16", "float99", int, object, range(3))),
    *(lambda value=value: value for value in (np.int8(-1), np.float32("nan"), np.float64(2), np.bool_(True))),
    *(list, dict, set, Thing, lambda: Thing, lambda: len, lambda: lambda *a, **k: None, lambda: [1, "a"]),
    *(lambda: {"a": 1}, lambda: [[1, 2], [3]], lambda: Path("nowhere"), lambda: np.random.RandomState(0)),
    *(lambda: np.random.default_rng(0), lambda: minicoord.ReLU(), lambda: minicoord.Adam, lambda: "x" * 5000),
    *(lambda: np.array(3.0), lambda: np.array(np.nan, np.float32), lambda: np.zeros(0), lambda: np.zeros((0, 4, 6, 3))),
    *(lambda: np.ones((2, 3), object), lambda: np.array(["a", "b"]), lambda: np.ones((2, 3), complex), masked),
    *(lambda: np.array([[1, 2], [3, 4]]), lambda: np.ones((2, 4, 6, 3)), lambda: np.ones((2, 4, 6, 3), np.float16)),
    *(lambda: np.full((2, 4, 6, 3), np.nan, np.float32), lambda: np.ones((2, 3), ">f4"), lambda: np.ones((2, 2), bool)),
    *(
        lambda: np.zeros((2, 2), [("a", "f4")]),
        lambda: np.array(["2020-01-01"], "M8[D]"),
        lambda: np.ones((1, 1)).view(np.recarray),
    ),
    *(lambda: np.ma.masked_array([1.0, 2.0], [True, False]), lambda: np.arange(6), lambda: np.array([-1, 99])),
    *(lambda: np.broadcast_to(np.float32(0), (2**20, 2**20, 2**10)), lambda: np.zeros((1,) * 30, np.float32)),
]


def spoil(rng: np.random.Generator, value: Any) -> Any:
    """Return something else, or the same with something else within."""
    if rng.random() < 0.5 and isinstance(value, (dict, list, tuple)) and value:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = keys[rng.integers(len(keys))]
        entries = dict(value) if isinstance(value, dict) else dict(enumerate(value))
        if rng.random() < 0.3:
            del entries[key]
        else:
            entries[key] = spoil(rng, entries[key])
        return (
            entries
            if isinstance(value, dict)
            else type(value)(entries.values())
            if type(value) in (list, tuple)
            else value
        )
    return BAD[rng.integers(len(BAD))]()


def spoilt(rng: np.random.Generator, arguments: Arguments) -> tuple[Arguments, str]:
    """Return arguments of which one or two are spoilt, and how they look."""
    keys = [str(key) for key in rng.choice(list(arguments), min(len(arguments), 1 + (rng.random() < 0.25)), False)]
    changed = {key: spoil(rng, arguments[key]) for key in keys}
    return {**arguments, **changed}, ", ".join(f"{key}={_short(value)}" for key, value in changed.items())


def _short(value: Any) -> str:
    try:
        if isinstance(value, np.ndarray):
            return f"{type(value).__name__}{value.shape}{value.dtype}"
        return repr(value)[:150]
    except Exception:
        return f"<{type(value).__name__}>"


class StartedError(BaseException):
    """A kernel would run: the call was let in."""


def _started(*_: Any) -> None:
    raise StartedError


@contextlib.contextmanager
def no_kernel_runs() -> Iterator[None]:
    """Let every call that would start a kernel raise `StartedError`."""
    changed = []
    for name, module in list(sys.modules.items()):
        if name.startswith("minicoord.kernels."):
            for key in ("launch", "launch_kernel"):
                if hasattr(module, key):
                    changed.append((module, key, getattr(module, key)))
                    setattr(module, key, _started)
    try:
        yield
    finally:
        for module, key, value in changed:
            setattr(module, key, value)


def fault(call: Call, arguments: Arguments) -> str | None:
    """Call a function, and return what is wrong with its answer."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            call.function(**arguments)
    except StartedError:
        return None
    except Warning as warning:
        return None if _is_ours(warning) else f"warns: {warning!r}"[:300]
    except Exception as error:
        return _fault_of(error)
    return None


def _fault_of(error: Exception) -> str | None:
    message = str(error)
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{where.filename.removeprefix(PACKAGE)}:{where.lineno}"
    if isinstance(error, OSError) and error.filename is not None:
        return None
    if not _is_ours(error):
        inner = next(
            (f for f in reversed(traceback.extract_tb(error.__traceback__)) if f.filename.startswith(PACKAGE)), where
        )
        return (
            f"{type(error).__name__}: {message[:150]} [{place}; {inner.filename.removeprefix(PACKAGE)}:{inner.lineno}]"
        )
    if isinstance(error, (AttributeError, LookupError, AssertionError, NotImplementedError)) and not isinstance(
        error, UnicodeError
    ):
        return f"{type(error).__name__}, which is not for arguments: {message[:150]} [{place}]"
    if "\n" in message or len(message) > 700 or not WANTED.search(message):
        return f"no sentence: {message[:300]!r} ({len(message)}) [{place}]"
    return None


def _is_ours(error: BaseException) -> bool:
    """Whether an error or a warning comes of a statement of minicoord, and not of Python, NumPy or Numba."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return where.filename.startswith(PACKAGE) and (where.lineno or 0) in _raising_lines(where.filename)


@cache
def _raising_lines(file: str) -> frozenset[int]:
    tree = ast.parse("".join(linecache.getlines(file)))
    raising = [node for node in ast.walk(tree) if isinstance(node, ast.Raise) or _warns(node)]
    return frozenset(line for node in raising for line in range(node.lineno, (node.end_lineno or node.lineno) + 1))


def _warns(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "warnings.warn"
