"""What the reports of all supervised experiments share: a value beside the paper's, and bands over seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Results = Sequence[Mapping[str, Any]]


def beside(measured: str, paper: str | None) -> str:
    r"""Return a cell of a table: what was measured and, below it, what the paper reports, if it does.

    Examples
    --------
    >>> beside("85.0 %", "86 %")
    '85.0 %\npaper: 86 %'
    """
    return measured if paper is None else f"{measured}\npaper: {paper}"


def band(results: Results, metric: str, factor: float = 1, unit: str = "", digits: int = 1) -> str:
    """Return the metric's median over the results, with the smallest and the largest if there are several.

    What is not finite, null in a file of records, is counted and left out.

    Examples
    --------
    >>> band([{"metrics": {"test_iou": 0.5}}, {"metrics": {"test_iou": 0.9}}], "test_iou", digits=2)
    '0.70 (0.50 to 0.90)'
    """
    measured = np.array([r["metrics"][metric] for r in results], np.float64)  # None becomes NaN
    values = factor * measured[np.isfinite(measured)]
    if len(values) < len(measured):
        left_out = f"{len(measured) - len(values)} not finite"
        rest = [r for r, value in zip(results, measured, strict=True) if np.isfinite(value)]
        return f"{band(rest, metric, factor, unit, digits)}; {left_out}" if rest else left_out
    middle = f"{np.median(values):.{digits}f}{unit}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def by_model_and_split(results: Results) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """Return the results of each model and split, in the order in which they came."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for result in results:
        groups.setdefault((result["model"], result["split"]), []).append(result)
    return groups


def table(
    results: Results, cells: Callable[[list[Mapping[str, Any]]], dict[str, str]], paper_seconds: Mapping[Any, str]
) -> list[dict[str, str]]:
    """Return one row for each model and split: what all experiments have, with the experiment's own `cells` inside."""
    rows = []
    for key, some in by_model_and_split(results).items():
        seconds = f"{np.median([r['train_seconds'] for r in some]):.0f}"
        rows.append(
            {
                "model": key[0],
                "split": key[1],
                "parameters": f"{some[0]['parameters']:,}",
                "epochs": str(some[0]["epochs"]),
                **cells(some),
                "seconds": beside(seconds, paper_seconds.get(key)),
                "solved": f"{sum(r['solved'] for r in some)} of {len(some)}",
            }
        )
    return rows


def maps_of(result: Mapping[str, Any]) -> dict[str, NDArray]:
    """Return the arrays that a run left for its figures."""
    with np.load(Path(result["folder"]) / "maps.npz", allow_pickle=False) as file:
        return dict(file)
