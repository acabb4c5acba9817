"""Figures drawn from the records in a folder: what such a figure is, all of them by name, and what they share.

Every experiment declares its own. A figure whose runs are not recorded raises an error that says which are missing.
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
    """The runs that a figure shows are not recorded in this folder."""


@dataclass(frozen=True)
class Drawn:
    """A figure, and in words the runs that it was drawn from."""

    figure: Figure
    source: str


@dataclass(frozen=True)
class RecordFigure:
    """A figure that can be drawn from records.

    Attributes
    ----------
    line : str
        What it shows, in one line.
    draw : callable
        Draws it from the runs in a folder; raises MissingRecordsError if they are not recorded.
    """

    line: str
    draw: Callable[[KeptRuns], Drawn]


def all_figures() -> dict[str, RecordFigure]:
    """Return the figures of all experiments by name: those of the paper in its order, those of the blog, then ours."""
    loaded, _ = experiments.all_that_load()
    found = {name: figure for experiment in loaded for name, figure in experiment.record_figures().items()}
    return {name: found[name] for name in sorted(found, key=_place)}


def _place(name: str) -> tuple[int, int]:
    """Return a sort key: the figures of the paper, of its supplement and of the blog by number, then all others."""
    match = re.fullmatch(r"(figure-|figure-s|blog-)(\d+)", name)
    return (3, 0) if match is None else (("figure-", "figure-s", "blog-").index(match[1]), int(match[2]))


def runs_of(kept: KeptRuns, experiment: str, models: Sequence[str]) -> list[Record]:
    """Return the runs that figures show of these models of an experiment, on the variants that run by default.

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
    """Return in words how many runs there are of each model and variant, and of which presets."""
    kinds = [f"{r['model']} {r['variant']}".rstrip() for r in runs]
    parts = [f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)]
    presets = " and ".join(dict.fromkeys(r["preset"] for r in runs))
    return f"{', '.join(parts)} (preset {presets})"


def best_of(runs: Sequence[Record], variants: Sequence[str]) -> str:
    """Return in words out of how many runs the best are shown, since a single run could be luck."""
    from minicoord.plots.style import model_name

    words = []
    for model in dict.fromkeys(r["model"] for r in runs):
        numbers = [sum((r["model"], r["variant"]) == (model, variant) for r in runs) for variant in variants]
        words.append(f"{' or '.join(map(str, dict.fromkeys(n for n in numbers if n)))} of {model_name(model)}")
    return ", ".join(words)


def best_maps(kept: KeptRuns, runs: Sequence[Record], variant: str) -> tuple[dict[str, dict[str, NDArray]], list[str]]:
    """Return the arrays of the best run of each model on a variant, and in words which run it is, out of how many."""
    arrays: dict[str, dict[str, NDArray]] = {}
    words = []
    for model in dict.fromkeys(r["model"] for r in runs):
        candidates = [r for r in runs if (r["model"], r["variant"]) == (model, variant)]
        with_maps = [r for r in candidates if kept.maps(r) is not None]
        if with_maps:
            chosen = best(with_maps)
            arrays[model] = kept.maps(chosen) or {}
            words.append(f"{run_name(chosen)} (best of {len(candidates)})")
    return arrays, words


def of_variant(experiment: str, models: Sequence[str], variant: str, name: str) -> Callable[[KeptRuns], Drawn]:
    """Return a function that draws `minicoord.plots.NAME` from the best runs on one variant."""

    def draw(kept: KeptRuns) -> Drawn:
        from minicoord import plots

        arrays, words = best_maps(kept, runs_of(kept, experiment, models), variant)
        if not arrays:
            raise MissingRecordsError(f"no arrays are kept of runs of {experiment}, {variant}")
        function: Callable[[Any, str], Figure] = getattr(plots, name)
        return Drawn(function(arrays, variant), "; ".join(words))

    return draw
