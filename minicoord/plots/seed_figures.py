"""How each seed fared under each setting: which seeds never generalise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from minicoord.plots.inputs import check_results
from minicoord.plots.over_time import Result, final
from minicoord.plots.style import BLUE, VERMILLION, new_figure, styled
from minicoord.system.argument_types import check_types

COLUMNS = 5
SOLVED: dict[str, Any] = {"color": BLUE, "linestyle": "-"}
FAILED: dict[str, Any] = {"color": VERMILLION, "linestyle": (0, (3, 1.2))}
TRAIN: dict[str, Any] = {"color": "0.6", "linewidth": 0.9}
SPREAD = 0.28  # the points of a row lie this far above and below its middle


def _solved(run: Result) -> bool:
    return final(run, "train_accuracy") == final(run, "test_accuracy") == 1.0


def _count(runs: Sequence[Result]) -> str:
    return f"{sum(map(_solved, runs))} of {len(runs)} solved"


def _check(groups: Mapping[str, Sequence[Result]], name: str) -> None:
    if not groups or not all(groups.values()):
        raise ValueError(f"{name}: {len(groups)} groups were given, wanted one or more, each with a run")
    for title, runs in groups.items():
        of = {"measured": ("train_accuracy", "test_accuracy"), "group": f"groups[{title!r}]"}
        check_results(name, runs, rows=("epoch",), metrics=True, variant=False, **of)


@styled
@check_types
def seed_curves(groups: Mapping[str, Sequence[Result]]) -> Figure:
    """Draw train and test accuracy of each run against epochs, a panel for each group.

    Parameters
    ----------
    groups : dict
        For the title of each panel a list of runs, each with "history" (rows with "epoch" and, where measured,
        "train_accuracy" and "test_accuracy", shares from 0 to 1) and "metrics".

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no group, or a group without runs.
    """
    _check(groups, "seed_curves")
    columns = min(COLUMNS, len(groups))
    rows = math.ceil(len(groups) / columns)
    figure = new_figure(max(2.1 * columns, 7.2), 1.85 * rows + 0.5)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for ax, (title, runs) in zip(panels.flat, groups.items(), strict=False):
        for run in sorted(runs, key=_solved, reverse=True):
            for key, look in (("train_accuracy", TRAIN), ("test_accuracy", SOLVED if _solved(run) else FAILED)):
                points = [(row["epoch"], 100 * row[key]) for row in run["history"] if row.get(key) is not None]
                ax.plot(*np.array(points, np.float64).reshape(-1, 2).T, **{"linewidth": 1.3, **look})
        ax.set_title(f"{title}\n{_count(runs)}", fontsize=8.5)
        ax.grid(color="0.92", linewidth=0.6)
    for ax in list(panels.flat)[len(groups) :]:
        ax.set_axis_off()
    for column in range(columns):
        last = max(row for row in range(rows) if row * columns + column < len(groups))
        panels[last, column].set_xlabel("epoch")
        panels[last, column].xaxis.set_tick_params(labelbottom=True)
    for row in range(rows):
        panels[row, 0].set(ylabel="accuracy (%)", ylim=(-4, 104), yticks=range(0, 101, 25))
    handles = [
        Line2D([], [], label="test, solved: 100 % of train and test at the end", **SOLVED),
        Line2D([], [], label="test, not solved", **FAILED),
        Line2D([], [], label="train", **TRAIN),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


@styled
@check_types
def seed_ends(groups: Mapping[str, Sequence[Result]]) -> Figure:
    """Draw the test accuracy that each run ended with: a row for each group, a point for each seed.

    Parameters
    ----------
    groups : dict
        For the name of each row a list of runs, each with "seed" and "metrics" ("train_accuracy" and
        "test_accuracy", shares from 0 to 1).

    Returns
    -------
    matplotlib.figure.Figure
        Within a row, the seeds are in order from top to bottom.

    Raises
    ------
    ValueError
        If there is no group, or a group without runs.
    """
    _check(groups, "seed_ends")
    figure = new_figure(7.2, 0.33 * len(groups) + 1.3)
    ax = figure.subplots()
    for row, runs in enumerate(groups.values()):
        heights = row + (np.linspace(-SPREAD, SPREAD, len(runs)) if len(runs) > 1 else np.zeros(1))
        for height, run in zip(heights, sorted(runs, key=lambda r: r["seed"]), strict=True):
            look: dict[str, Any] = (
                {"color": BLUE, "marker": "o"} if _solved(run) else {"color": VERMILLION, "marker": "x"}
            )
            ax.plot(100 * final(run, "test_accuracy"), height, linestyle="", markersize=4, clip_on=False, **look)
        median = 100 * float(np.nanmedian([final(run, "test_accuracy") for run in runs]))
        ax.plot([median, median], [row - 0.36, row + 0.36], color="0.7", linewidth=3, zorder=1)
        ax.text(1.02, row, _count(runs), transform=ax.get_yaxis_transform(), va="center", fontsize=8.5)
    ax.set(xlim=(0, 102), ylim=(len(groups) - 0.5, -0.5), xlabel="test accuracy after the last epoch (%)")
    ax.set_yticks(range(len(groups)), labels=list(groups))
    ax.tick_params(axis="y", length=0)
    for border in range(1, len(groups)):
        ax.axhline(border - 0.5, color="0.9", linewidth=0.6, zorder=0)
    handles = [
        Line2D([], [], color=BLUE, marker="o", linestyle="", markersize=4, label="solved"),
        Line2D([], [], color=VERMILLION, marker="x", linestyle="", markersize=4, label="not solved"),
        Line2D([], [], color="0.7", linewidth=3, label="median"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure
