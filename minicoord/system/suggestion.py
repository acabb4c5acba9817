"""The end of an error message about an unknown name: the nearest name that exists, or all of them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def suggestion(given: str, choices: Iterable[str]) -> str:
    """Return the nearest of the choices in words, or all of them if none is near.

    Examples
    --------
    >>> suggestion("cov", ["conv", "coordconv"])
    "did you mean 'conv'?"
    >>> suggestion("transformer", ["conv", "coordconv"])
    'choose from conv, coordconv'
    """
    names = list(choices)
    near = get_close_matches(given, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(names)}"
