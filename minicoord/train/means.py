"""The means of what the steps of a row return: what the history records of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minicoord.system.arguments import shown

SAMPLES = "samples"
"""The key under which a step returns how many samples its other numbers are means over: their weight."""


def is_number(value: Any) -> bool:
    """Return whether a mean can be taken of `value`: a real number of Python or NumPy, or an array of no axes.

    Examples
    --------
    >>> is_number(np.float32(0.5)), is_number("0.5"), is_number(np.ones(2))
    (True, False, False)
    """
    array = np.asarray(value)
    return array.ndim == 0 and array.dtype.kind in "biuf"


class Means:
    """Running means, by name, of the numbers that steps return; each step is weighted by its `SAMPLES`, 1 by default.

    Examples
    --------
    >>> means = Means()
    >>> means.add({"loss": 1.0, "samples": 3})
    >>> means.add({"loss": 2.0, "samples": 1})
    >>> means.values()
    {'loss': 1.25}
    """

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, float]] = {}  # name: (weighted sum, sum of the weights)

    def add(self, numbers: Mapping[str, float]) -> None:
        """Add the numbers of one step; raise ValueError if its weight is not above 0."""
        weight = numbers.get(SAMPLES, 1)
        if not weight > 0:
            raise ValueError(f"step returned {shown(weight)} {SAMPLES}, wanted a number above 0")
        for name, value in numbers.items():
            if name != SAMPLES:
                total, weights = self._sums.get(name, (0.0, 0))
                self._sums[name] = total + value * weight, weights + weight

    def values(self) -> dict[str, float]:
        """Return the means so far, by name."""
        return {name: total / weights for name, (total, weights) in self._sums.items()}
