"""What an experiment measures: each metric with its name, its unit, and whether larger values are better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Results = Sequence[Mapping[str, Any]]
"""Finished runs, each as ``result.json`` holds it."""


@dataclass(frozen=True)
class Metric:
    """One number that is measured at the end of a run.

    Attributes
    ----------
    name : str
        The key in ``result.json``, such as ``"test_accuracy"``.
    title : str
        The heading in tables, such as ``"test accuracy"``.
    unit : str
        What follows the number in a table, such as ``" %"`` or ``" px"``.
    more_is_better : bool
        Whether larger values are better.
    primary : bool
        Whether runs are compared by this metric; an experiment has one such.
    factor : float
        What the number is multiplied by in a table: 100 to show a share in percent.
    digits : int
        Decimals in a table.
    reproduced : bool
        Whether ``minicoord reproduce`` sets it beside the paper's number, as it always does with the primary one.
    """

    name: str
    title: str
    unit: str = ""
    more_is_better: bool = True
    primary: bool = False
    factor: float = 1
    digits: int = 1
    reproduced: bool = False

    def band(self, results: Results) -> str:
        """Return the median over results as text, with the smallest and the largest value if there are several.

        Values that are not finite (null in a file of records) are counted and left out.

        Examples
        --------
        >>> overlap = Metric("test_iou", "test IOU", digits=2)
        >>> overlap.band([{"metrics": {"test_iou": 0.5}}, {"metrics": {"test_iou": 0.9}}])
        '0.70 (0.50 to 0.90)'
        """
        measured = np.array([r["metrics"].get(self.name) for r in results], np.float64)  # None becomes NaN
        values = self.factor * measured[np.isfinite(measured)]
        missing = len(measured) - len(values)
        left_out = f"{missing} not finite" if missing else ""
        if not len(values):
            return left_out or "-"
        text = f"{np.median(values):.{self.digits}f}{self.unit}"
        if len(values) > 1:
            text += f" ({min(values):.{self.digits}f} to {max(values):.{self.digits}f})"
        return f"{text}; {left_out}" if left_out else text
