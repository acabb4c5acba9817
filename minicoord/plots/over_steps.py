"""Columns of the history over the steps of training, a panel each. Shared by the curves of GAN and VAE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from minicoord.plots.inputs import check_results
from minicoord.plots.over_time import Result
from minicoord.plots.style import model_colours, model_name, new_figure, order_models


class Panel(NamedTuple):
    """What a panel shows: a column of the history, its title, and a factor."""

    column: str
    title: str
    factor: float = 1


def curves_over_steps(what: str, results: Sequence[Result], panels: Sequence[Panel], title: str) -> Figure:
    """Draw two rows of three panels: a thin line for each run, and a thick one through the medians of several.

    Parameters
    ----------
    what : str
        The name of the figure, for the errors.
    results : list of dict
        Runs with ``model``, and a ``history`` of rows with ``step`` and, where measured, the columns of the panels.
    panels : list of Panel
        Six.
    title : str
        The line above all panels.

    Raises
    ------
    ValueError
        If `results` is empty, or a run lacks what is drawn.
    """
    if not results:
        raise ValueError(f"{what}: results is empty, wanted at least one run")
    check_results(what, results, rows=("step",), measured=[panel.column for panel in panels], variant=False)
    models = order_models(r["model"] for r in results)
    colours = model_colours(models)
    figure = new_figure(8.6, 5.2)
    figure.suptitle(title)
    for ax, panel in zip(figure.subplots(2, 3).flat, panels, strict=True):
        for model in models:
            _draw(ax, [r for r in results if r["model"] == model], panel, colours[model])
        ax.set(xlabel="steps", title=panel.title)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
        ax.ticklabel_format(axis="y", useOffset=False)
        ax.grid(color="0.92", linewidth=0.6)
    counts = {model: sum(r["model"] == model for r in results) for model in models}
    handles = [
        Line2D([], [], color=colours[model], linewidth=1.8, label=f"{model_name(model)} ({counts[model]})")
        for model in models
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 4), frameon=False)
    return figure


def _draw(ax: Axes, runs: Sequence[Result], panel: Panel, colour: str) -> None:
    several = len(runs) > 1
    for run in runs:
        steps, values = curve(run, panel.column)
        width, alpha = (0.8, 0.5) if several else (1.8, 1.0)
        ax.plot(steps, panel.factor * values, color=colour, linewidth=width, alpha=alpha)
    if several:
        steps, middle = medians(runs, panel.column)
        ax.plot(steps, panel.factor * middle, color=colour, linewidth=1.8)


def curve(run: Result, column: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the steps and the values of a column, of those rows in which it was measured."""
    rows = [row for row in run["history"] if row.get(column) is not None]
    return np.array([row["step"] for row in rows], np.float64), np.array([row[column] for row in rows], np.float64)


def medians(runs: Sequence[Result], column: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the steps in which any run has a value of a column, and the median of the values there."""
    values: dict[float, list[float]] = {}
    for run in runs:
        for step, value in zip(*curve(run, column), strict=True):
            values.setdefault(float(step), []).append(float(value))
    steps = sorted(values)
    return np.array(steps), np.array([np.median(values[step]) for step in steps])
