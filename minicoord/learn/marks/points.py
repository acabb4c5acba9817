"""Points as numbers and as text."""

from __future__ import annotations


def percent(points: float, possible: float) -> float:
    """Return how many percent of the possible points were earned; 0 if none were possible."""
    return 100 * points / possible if possible else 0.0


def number(value: float) -> str:
    """Return points as they are written: two decimals at most.

    Examples
    --------
    >>> number(3.0), number(2.25), number(1 / 3)
    ('3', '2.25', '0.33')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".")
