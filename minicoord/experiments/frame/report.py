"""The table of results of an experiment: for each model and variant, the paper's numbers below the measured ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.experiments.frame.declaration import Declaration
from minicoord.experiments.frame.folder import MAPS
from minicoord.experiments.frame.metrics import Results


def beside(measured: str, paper: str | None) -> str:
    r"""Return a table cell: the measured value and, on a second line, the paper's, if it reports one.

    Examples
    --------
    >>> beside("85.0 %", "86 %")
    '85.0 %\npaper: 86 %'
    """
    return measured if paper is None else f"{measured}\npaper: {paper}"


def by_model_and_variant(results: Results) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """Return the results of each (model, variant), in their original order."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for result in results:
        groups.setdefault((result["model"], result["variant"]), []).append(result)
    return groups


def length_of(result: Mapping[str, Any]) -> int:
    """Return the length of a run in its own unit, epochs or steps."""
    return result[f"{result.get('unit', 'epoch')}s"]


def summary_table(experiment: Declaration, results: Results) -> list[dict[str, str]]:
    """Return a row for each model and variant, with the median and range of each metric over the seeds."""
    rows = []
    for (model, variant), runs in by_model_and_variant(results).items():
        paper = experiment.paper_of(model, variant)
        row = {"model": model}
        if any(experiment.variants):
            row[experiment.variant_name] = variant
        row |= {"parameters": f"{runs[0]['parameters']:,}", f"{runs[0].get('unit', 'epoch')}s": str(length_of(runs[0]))}
        row |= {m.title: beside(m.band(runs), paper.get(m.name)) for m in experiment.metrics}
        row["seconds"] = beside(f"{np.median([r['train_seconds'] for r in runs]):.0f}", paper.get("seconds"))
        if any(r["solved"] is not None for r in runs):
            row["solved"] = f"{sum(bool(r['solved']) for r in runs)} of {len(runs)}"
        rows.append(row)
    return rows


def maps_of(result: Mapping[str, Any]) -> dict[str, NDArray]:
    """Return the arrays that a run wrote for its figures, those that `Declaration.measure` returned."""
    with np.load(Path(result["folder"]) / MAPS, allow_pickle=False) as file:
        return dict(file)
