"""Returns of agents while they learn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, StrMethodFormatter
from numpy.typing import NDArray

from minicoord.plots.inputs import check_results
from minicoord.plots.over_time import Result
from minicoord.plots.style import REFERENCE_LINE, model_colours, model_name, new_figure, order_models, styled
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import check_number, shown


@styled
@check_types
def learning_curves(results: Sequence[Result], game: str) -> Figure:
    """Draw the mean return of the episodes that were over since the row before, over the actions so far.

    Parameters
    ----------
    results : list of dict
        Runs with ``model``, and a ``history`` of rows with ``env_steps``, ``return`` (None or NaN where no episode was
        over) and ``moves``. Where a run has ``yardsticks``, its ``random_return`` is a dotted line.
    game : str
        The name of the game, for the title.

    Returns
    -------
    matplotlib.figure.Figure
        For each network a line through the medians over its runs, and where there are several a band from the smallest
        to the largest value. Left the return, right the length of episodes.

    Raises
    ------
    TypeError, ValueError
        If `results` is empty, or a run lacks what is drawn.
    """
    if not results:
        raise ValueError("learning_curves: results is empty, wanted at least one run")
    check_results("learning_curves", results, rows=("env_steps",), measured=("return", "moves"), variant=False)
    blind = _random_return(results)
    models = order_models(r["model"] for r in results)
    colours = model_colours(models)
    figure = new_figure(8.4, 3.6)
    figure.suptitle(f"{game}: episodes during training")
    panels = figure.subplots(1, 2)
    for ax, (metric, title) in zip(panels, (("return", "return"), ("moves", "moves per episode")), strict=True):
        for model in models:
            runs = [r for r in results if r["model"] == model]
            steps, middle, low, high = bands(runs, metric)
            ax.plot(steps, middle, color=colours[model], linewidth=1.8)
            if len(runs) > 1:
                ax.fill_between(steps, low, high, color=colours[model], alpha=0.18, linewidth=0)
        ax.set(xlabel="actions", title=title)
        ax.xaxis.set_major_locator(MaxNLocator(nbins=4))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        ax.grid(color="0.92", linewidth=0.6)
    counts = {model: sum(r["model"] == model for r in results) for model in models}
    handles = [
        Line2D([], [], color=colours[model], linewidth=1.8, label=f"{model_name(model)} ({counts[model]})")
        for model in models
    ]
    if blind is not None:
        panels[0].axhline(blind, **REFERENCE_LINE)
        handles.append(Line2D([], [], label="a walk at random", **REFERENCE_LINE))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 3), frameon=False)
    return figure


def _random_return(results: Sequence[Result]) -> float | None:
    """Return what an agent that moves at random gets, from the first run that says so."""
    for k, result in enumerate(results):
        yardsticks, what = result.get("yardsticks"), f"learning_curves: results[{k}]['yardsticks']"
        if yardsticks is None or (isinstance(yardsticks, Mapping) and not yardsticks):
            continue
        if not isinstance(yardsticks, Mapping) or "random_return" not in yardsticks:
            raise ValueError(f"{what} was {shown(yardsticks)}, wanted a dict with 'random_return'")
        check_number(f"{what}['random_return']", yardsticks["random_return"], -math.inf, above=True)
        return float(yardsticks["random_return"])
    return None


def bands(runs: Sequence[Result], metric: str) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Return the actions at which any run has a metric, and the median, the smallest and the largest of its values."""
    values: dict[int, list[float]] = {}
    for run in runs:
        for row in run["history"]:
            if row.get(metric) is not None and math.isfinite(row[metric]):
                values.setdefault(row["env_steps"], []).append(row[metric])
    steps = sorted(values)
    ends = [(np.median(values[step]), min(values[step]), max(values[step])) for step in steps]
    middle, low, high = np.array(ends, np.float64).reshape(-1, 3).T
    return np.array(steps), middle, low, high
