"""What an experiment measures: each metric with its name, its unit, and whether more of it is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Results = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Metric:
    """One number that is measured at the end of a run.

    Attributes
    ----------
    name : str
        Its name in ``result.json``, such as ``"test_accuracy"``.
    title : str
        Its name in tables, such as ``"test accuracy"``.
    unit : str
        What stands behind the number in a table, such as ``" %"`` or ``" px"``.
    more_is_better : bool
        Which of two runs is better, judged by it.
    primary : bool
        The one that runs are compared by; an experiment has one.
    factor : float
        What the number is multiplied by in a table: 100 for a share that is shown in percent.
    digits : int
        Digits behind the point in a table.
    """

    name: str
    title: str
    unit: str = ""
    more_is_better: bool = True
    primary: bool = False
    factor: float = 1
    digits: int = 1

    def band(self, results: Results) -> str:
        """Return the median over some results, with the smallest and the largest if there are several.

        A value that is not finite, null in a file of records, is counted and left out.

        Examples
        --------
        >>> overlap = Metric("test_iou", "test IOU", digits=2)
        >>> overlap.band([{"metrics": {"test_iou": 0.5}}, {"metrics": {"test_iou": 0.9}}])
        '0.70 (0.50 to 0.90)'
        """
        measured = np.array([r["metrics"].get(self.name) for r in results], np.float64)  # None becomes NaN
        values = self.factor * measured[np.isfinite(measured)]
        missing = len(measured) - len(values)
        words = f"{missing} not finite" if missing else ""
        if not len(values):
            return words or "-"
        text = f"{np.median(values):.{self.digits}f}{self.unit}"
        if len(values) > 1:
            text += f" ({min(values):.{self.digits}f} to {max(values):.{self.digits}f})"
        return f"{text}; {words}" if words else text
