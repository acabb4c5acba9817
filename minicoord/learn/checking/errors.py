"""An error in a learner's code, in one sentence: what went wrong, and in which of their lines."""

from __future__ import annotations

import inspect
import linecache
import re
import traceback
from collections.abc import Callable
from typing import Any

Function = Callable[..., Any]

CELL = ".ipynb, cell "
"""Part of the file name given to every cell that was read from a notebook."""
ADVICE_ON_CELLS = (
    " An exercise cell runs on its own, with the imports of the others: put everything else that it needs into it."
)
MAX_MESSAGE = 300


def describe_error(error: BaseException, file: str | None = None) -> str:
    """Return an error in one sentence.

    Parameters
    ----------
    error : BaseException
        As it was caught, with its traceback.
    file : str, optional
        The file name of the learner's code, as the code knows it; the last line in it is named.
    """
    missing_name = isinstance(error, NameError) and file is not None and CELL in file
    return f"{_line(error, file)}{_message(error)}{ADVICE_ON_CELLS if missing_name else ''}"


def _line(error: BaseException, file: str | None) -> str:
    """Return "line 4 (y = x / 0): " for the innermost line of the learner's file in the traceback, or ""."""
    if isinstance(error, SyntaxError):
        text = error.text or linecache.getline(error.filename or "", error.lineno or 0)
        return f"line {error.lineno} ({text.strip()}): " if error.lineno else ""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if file and frame.filename == file]
    if not frames or frames[-1].lineno is None:
        return ""
    number = frames[-1].lineno
    text = (frames[-1].line or linecache.getline(frames[-1].filename, number)).strip()
    return f"line {number} ({text}): " if text else f"line {number}: "


def _message(error: BaseException) -> str:
    name, text = type(error).__name__, _text(error)
    if isinstance(error, RecursionError):
        return "the function calls itself without end."
    if isinstance(error, SystemExit):
        return "it tried to exit Python (SystemExit)."
    if isinstance(error, MemoryError):
        return f"there is not enough memory{f' ({text})' if text else ''}."
    if isinstance(error, SyntaxError):
        return f"{name}: {error.msg}."
    if len(text) > MAX_MESSAGE:
        text = text[: MAX_MESSAGE - 3] + "..."
    if text.endswith("."):  # as some of NumPy's messages do
        return f"{name}: {text}"
    return f"{name}: {text}." if text else f"{name}."


def error_kind(error: BaseException) -> str:
    """Return what two errors have in common if they have one cause: the type, and the message.

    The shapes in a message of NumPy's tell one mistake from another. A position beyond the end does not, as it depends
    on the order of the loops; and there are several messages for a division by zero.

    Examples
    --------
    >>> error_kind(ValueError("cannot reshape array of size 6 into shape (4,)"))
    'ValueError: cannot reshape array of size 6 into shape (4,)'
    >>> error_kind(IndexError("index 9 is out of bounds for axis 0 with size 9"))
    'IndexError: index is out of bounds for axis with size'
    """
    name, text = type(error).__name__, _text(error)[:MAX_MESSAGE]
    if isinstance(error, ZeroDivisionError):
        return name
    if isinstance(error, IndexError):
        text = " ".join(re.sub(r"-?\d+", "", text).split())
    return f"{name}: {text}"


def _text(error: BaseException) -> str:
    try:
        return " ".join(str(error).split())
    except Exception:  # the __str__ of a learner's own exception may raise
        return ""


def wrong_arguments(function: Function, args: tuple[Any, ...], solution: Function) -> str | None:
    """Return in a sentence why a function cannot be called with these arguments, or None if it can.

    Parameters
    ----------
    function : callable
    args : tuple
    solution : callable
        The function whose name and parameters the sentence gives.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None  # some built-in functions have no signature
    try:
        signature.bind(*args)
    except TypeError:
        wanted = f"{solution.__name__}{inspect.signature(solution)}"
        return f"it is called as {wanted}, but yours is {function.__name__}{signature}."
    return None
