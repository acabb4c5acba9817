"""Figures that are drawn from the records of a folder: what such a figure is, and all of them by name.

Every experiment names its own; a figure whose runs are not recorded says which are missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from minicoord import experiments
from minicoord.experiments.records.reading import KeptRuns, Record, best, for_figures, run_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class MissingRecordsError(ValueError):
    """What a figure shows was not recorded in this folder."""


@dataclass(frozen=True)
class Drawn:
    """A figure, and what it was drawn from in words."""

    figure: Figure
    source: str


@dataclass(frozen=True)
class RecordFigure:
    """A figure that can be drawn.

    Attributes
    ----------
    line : str
        What it shows.
    draw : callable
        Draws it from the runs of a folder; raises MissingRecordsError.
    """

    line: str
    draw: Callable[[KeptRuns], Drawn]


def all_figures() -> dict[str, RecordFigure]:
    """Return the figures of all experiments by name: those of the paper in its order, of its blog, then ours."""
    loaded, _ = experiments.all_that_load()
    found = {name: figure for experiment in loaded for name, figure in experiment.record_figures().items()}
    return {name: found[name] for name in sorted(found, key=_place)}


def _place(name: str) -> tuple[int, int]:
    number = re.fullmatch(r"(figure-|figure-s|blog-)(\d+)", name)
    return (3, 0) if number is None else (("figure-", "figure-s", "blog-").index(number[1]), int(number[2]))


def runs_of(kept: KeptRuns, experiment: str, models: Sequence[str]) -> list[Record]:
    """Return the runs of some models of an experiment that figures show, on the variants that are compared.

    Raises
    ------
    MissingRecordsError
        If there are none.
    """
    groups = for_figures(kept.records)
    variants = experiments.get(experiment).variants
    found = [r for m in models for v in variants for r in groups.get((experiment, m, v), [])]
    if not found:
        raise MissingRecordsError(f"no run of {experiment} is recorded")
    return found


def counts(runs: Sequence[Record]) -> str:
    """Say how many runs there are of each model, variant and preset."""
    kinds = [f"{r['model']} {r['variant']}".rstrip() for r in runs]
    parts = [f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)]
    presets = " and ".join(dict.fromkeys(r["preset"] for r in runs))
    return f"{', '.join(parts)} (preset {presets})"


def best_of(runs: Sequence[Record], variants: Sequence[str]) -> str:
    """Say out of how many runs a figure shows the best, since one run alone could be luck."""
    from minicoord.plots.style import model_name

    words = []
    for model in dict.fromkeys(r["model"] for r in runs):
        numbers = [sum((r["model"], r["variant"]) == (model, variant) for r in runs) for variant in variants]
        words.append(f"{' or '.join(map(str, dict.fromkeys(n for n in numbers if n)))} of {model_name(model)}")
    return ", ".join(words)


def best_maps(kept: KeptRuns, runs: Sequence[Record], variant: str) -> tuple[dict[str, dict[str, NDArray]], list[str]]:
    """Return the arrays of the best run of each model on a variant, and in words which run that was of how many."""
    arrays: dict[str, dict[str, NDArray]] = {}
    words = []
    for model in dict.fromkeys(r["model"] for r in runs):
        some = [r for r in runs if (r["model"], r["variant"]) == (model, variant)]
        with_maps = [r for r in some if kept.maps(r) is not None]
        if with_maps:
            chosen = best(with_maps)
            arrays[model] = kept.maps(chosen) or {}
            words.append(f"{run_name(chosen)} (best of {len(some)})")
    return arrays, words


def of_variant(experiment: str, models: Sequence[str], variant: str, name: str) -> Callable[[KeptRuns], Drawn]:
    """Return what draws the figure `name` of the package plots from the best runs on one variant."""

    def draw(kept: KeptRuns) -> Drawn:
        from minicoord import plots

        arrays, words = best_maps(kept, runs_of(kept, experiment, models), variant)
        if not arrays:
            raise MissingRecordsError(f"no arrays are kept of runs of {experiment} on the {variant} split")
        function: Callable[[Any, str], Figure] = getattr(plots, name)
        return Drawn(function(arrays, variant), "; ".join(words))

    return draw
