"""JSON files that somebody else may have written: read strictly, with a sentence about what is wrong.

Python's reader takes more than JSON allows: NaN, two entries of one name, of which the last counts, and numbers that
become infinite. None of these is what minicoord writes, and each would travel far before something notices.
"""

from __future__ import annotations

import json
import math
from typing import Any

from minicoord.system.arguments import shown
from minicoord.system.places import FILE, PathLike, what_is_at


def read_json(path: PathLike) -> Any:
    """Return the content of a JSON file.

    Parameters
    ----------
    path : str or path

    Raises
    ------
    ValueError
        If there is no regular file of that name, it cannot be read, or it is not JSON. The message goes on after the
        path, which whoever caught it puts in front: ``is a pipe, wanted a file``.

    Examples
    --------
    >>> read_json("no/such/file.json")
    Traceback (most recent call last):
    ValueError: is missing, wanted a file
    """
    try:
        found = what_is_at(path)
        if found != FILE:  # opening a pipe would block forever
            raise ValueError(f"is {found or 'missing'}, wanted a file")
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError("is damaged: it is not text in UTF-8, wanted JSON") from None
    try:
        return json.loads(text, object_pairs_hook=_object, parse_float=_number, parse_constant=_number)
    except RecursionError:
        raise ValueError("is damaged: it is nested too deeply, wanted JSON of fewer levels") from None
    except json.JSONDecodeError:
        raise ValueError("is damaged: it is not valid JSON") from None
    except _NotStrictError as error:
        raise ValueError(f"is damaged: {error}") from None
    except ValueError:  # a whole number of more digits than Python reads
        raise ValueError("is damaged: a number in it has too many digits, wanted fewer") from None


class _NotStrictError(ValueError):
    """Something that Python reads, and that is not JSON or fits no float."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))
        raise _NotStrictError(f"it has {shown(twice)} twice in one object, wanted one value for each name")
    return found


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _NotStrictError(f"it has the number {shown(text)[1:-1]}, wanted finite numbers")
    return number
