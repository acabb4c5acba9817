"""The table of an experiment: for each model and variant the paper's numbers beside the measured ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.experiments.frame.declaration import Declaration

Results = Sequence[Mapping[str, Any]]


def beside(measured: str, paper: str | None) -> str:
    r"""Return a cell of a table: what was measured and, below it, what the paper reports, if it does.

    Examples
    --------
    >>> beside("85.0 %", "86 %")
    '85.0 %\npaper: 86 %'
    """
    return measured if paper is None else f"{measured}\npaper: {paper}"


def by_model_and_variant(results: Results) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """Return the results of each model and variant, in the order in which they were given."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for result in results:
        groups.setdefault((result["model"], result["variant"]), []).append(result)
    return groups


def length_of(result: Mapping[str, Any]) -> int:
    """Return how many epochs or steps a run had."""
    return result[f"{result.get('unit', 'epoch')}s"]


def summary_table(experiment: Declaration, results: Results) -> list[dict[str, str]]:
    """Return one row for each model and variant of an experiment, with bands over the seeds."""
    rows = []
    for (model, variant), some in by_model_and_variant(results).items():
        paper = experiment.paper_of(model, variant)
        row = {"model": model}
        if any(experiment.variants):
            row[experiment.variant_name] = variant
        row |= {"parameters": f"{some[0]['parameters']:,}", f"{some[0].get('unit', 'epoch')}s": str(length_of(some[0]))}
        row |= {m.title: beside(m.band(some), paper.get(m.name)) for m in experiment.metrics}
        row["seconds"] = beside(f"{np.median([r['train_seconds'] for r in some]):.0f}", paper.get("seconds"))
        if any(r["solved"] is not None for r in some):
            row["solved"] = f"{sum(bool(r['solved']) for r in some)} of {len(some)}"
        rows.append(row)
    return rows


def maps_of(result: Mapping[str, Any]) -> dict[str, NDArray]:
    """Return the arrays that a run left for its figures."""
    with np.load(Path(result["folder"]) / "maps.npz", allow_pickle=False) as file:
        return dict(file)
