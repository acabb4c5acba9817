"""Checks of numeric arguments; an error is one sentence with the argument, the value given and the values allowed."""

from __future__ import annotations

import math
from typing import Any


def check_number(what: str, value: Any, least: float, above: bool = False, below: float = math.inf) -> None:
    """Check that `value` is a number in [least, below); with `above`, in (least, below).

    Parameters
    ----------
    what : str
        How the error names it, such as ``"Adam: lr"``.
    value : object
        The value given.
    least, below : float
        The bounds. With `below` infinite, or `least` minus infinity, that side is open, and any finite number passes.
    above : bool
        Whether `least` itself is excluded.

    Raises
    ------
    TypeError
        If `value` is not a number.
    ValueError
        If it is NaN or outside the bounds.
    """
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise TypeError(f"{what} was {value!r}, wanted a number")
    high_enough = value > least if above else value >= least
    if not (high_enough and value < below):
        if least == -math.inf:
            raise ValueError(f"{what} was {value!r}, wanted a finite number")
        lower = f"above {least:g}" if above else f"of at least {least:g}"
        upper = f"below {below:g}" if below < math.inf else "finite"
        raise ValueError(f"{what} was {value!r}, wanted a number {lower} and {upper}")


def check_whole(what: str, value: Any, least: int) -> None:
    """Raise ValueError unless `value` is a whole number of at least `least`; see `check_number`."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise ValueError(f"{what} was {value!r}, wanted a whole number of at least {least}")
