"""A count in words, so that one run is not called "1 runs"."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, which gets an "s" unless there is exactly one.

    Examples
    --------
    >>> counted(1, "run"), counted(20, "run"), counted(0, "run")
    ('1 run', '20 runs', '0 runs')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"
