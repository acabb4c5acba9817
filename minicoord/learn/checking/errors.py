"""An error in a learner's code, in one sentence: what went wrong, and in which line of theirs."""

from __future__ import annotations

import inspect
import linecache
import traceback
from collections.abc import Callable
from typing import Any

Function = Callable[..., Any]

CELL = ".ipynb, cell "
"""In the name of the file of every cell that was read from a notebook."""


def in_words(error: BaseException, file: str | None = None) -> str:
    """Return an error in one sentence.

    Parameters
    ----------
    error : BaseException
        As it was caught, with its traceback.
    file : str, optional
        The file of the learner's code, as the code knows it; the last line in it is named.
    """
    alone = isinstance(error, NameError) and file is not None and CELL in file
    advice = " An exercise's cell runs alone: put all that it needs into it." if alone else ""
    return f"{_line(error, file)}{_what(error)}{advice}"


def _line(error: BaseException, file: str | None) -> str:
    """Return "line 4 (y = x / 0): " for the last line of the learner's file on the way to the error, or ""."""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno} ({(error.text or '').strip()}): " if error.lineno else ""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if file and frame.filename == file]
    if not frames or frames[-1].lineno is None:
        return ""
    number = frames[-1].lineno
    text = (frames[-1].line or linecache.getline(frames[-1].filename, number)).strip()
    return f"line {number} ({text}): " if text else f"line {number}: "


def _what(error: BaseException) -> str:
    name, message = type(error).__name__, _message(error)
    if isinstance(error, RecursionError):
        return "the function calls itself without end."
    if isinstance(error, SystemExit):
        return "it tried to end Python (SystemExit)."
    if isinstance(error, MemoryError):
        return f"there is not enough memory{f' ({message})' if message else ''}."
    if isinstance(error, SyntaxError):
        return f"{name}: {error.msg}."
    if len(message) > 300:
        message = message[:297] + "..."
    if message.endswith("."):  # NumPy ends some of its messages so
        return f"{name}: {message}"
    return f"{name}: {message}." if message else f"{name}."


def _message(error: BaseException) -> str:
    try:
        return " ".join(str(error).split())
    except Exception:  # an error of the learner's own may fail to say what it is
        return ""


def wrong_arguments(function: Function, args: tuple[Any, ...], wanted: Function) -> str | None:
    """Return in a sentence why a function cannot be called with these arguments, or None if it can."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None  # some built-in functions do not tell what they take
    try:
        signature.bind(*args)
    except TypeError:
        names = ", ".join(inspect.signature(wanted).parameters)
        return f"it is called as {wanted.__name__}({names}), and yours is {function.__name__}{signature}."
    return None
