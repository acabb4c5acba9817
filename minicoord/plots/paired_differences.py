"""Differences between two networks over paired seeds: each pair, their mean, and its interval."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from minicoord.plots.style import BLUE, REFERENCE_LINE, new_figure, styled
from minicoord.system.argument_types import check_types

Interval = tuple[float, float] | None
LEAST = 0.1  # percentage points to either side of zero that a panel shows at least
SPREAD = 0.22  # the points of a row lie this far above and below its middle


@styled
@check_types
def paired_differences(
    panels: Mapping[str, Mapping[str, tuple[ArrayLike, Interval]]], paper: tuple[str, str, float] | None = None
) -> Figure:
    """Draw the differences in panels side by side: a row for each comparison, a point for each pair.

    Parameters
    ----------
    panels : dict of dict
        For the title of each panel, and in it for the name of each row: the differences (pairs,) in percentage points,
        and the bounds of the interval of their mean, or None.
    paper : (str, str, float), optional
        The difference that the paper reports, in percentage points, as a mark: panel, row and value.

    Returns
    -------
    matplotlib.figure.Figure
        The panels have scales of their own.

    Raises
    ------
    ValueError
        If there is no panel, a panel has no row, or a row has no difference.
    """
    rows = list(dict.fromkeys(row for panel in panels.values() for row in panel))
    values = {(title, row): np.asarray(found[0], np.float64) for title, p in panels.items() for row, found in p.items()}
    if not values or not all(panels.values()) or not all(array.size for array in values.values()):
        raise ValueError("paired_differences: a panel or a row is empty, wanted at least one difference in each")
    figure = new_figure(1.6 + 2.6 * len(panels), 1.3 + 0.55 * len(rows))
    axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for ax, (title, panel) in zip(axes, panels.items(), strict=True):
        ax.axvline(0, color="0.7", linewidth=0.8, zorder=0)
        for row, (_, interval) in panel.items():
            _draw_row(ax, rows.index(row), values[title, row], interval)
            if paper is not None and paper[:2] == (title, row):
                place = rows.index(row)
                ax.plot([paper[2]] * 2, [place - 0.4, place + 0.4], **REFERENCE_LINE)
        largest = max(1.15 * max(np.abs(values[title, row]).max() for row in panel), LEAST)
        ax.set(title=title, xlim=(-largest, largest), ylim=(len(rows) - 0.5, -0.5), xlabel="difference (points)")
        ax.set_yticks(range(len(rows)), labels=rows)
        ax.tick_params(axis="y", length=0)
    handles = [
        Line2D([], [], linestyle="", marker="o", markersize=3.5, color="0.6", label="one pair"),
        Line2D([], [], marker="D", markersize=5, color=BLUE, linewidth=2, label="mean and its 95 % interval"),
    ]
    if paper is not None and paper[1] in panels.get(paper[0], {}):
        handles.append(Line2D([], [], label=f"paper, another task: {paper[2]:+.2f}", **REFERENCE_LINE))
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _draw_row(ax: Axes, row: int, values: NDArray, interval: Interval) -> None:
    heights = row + (np.linspace(-SPREAD, SPREAD, len(values)) if len(values) > 1 else np.zeros(1))
    ax.plot(values, heights, linestyle="", marker="o", markersize=3.5, color="0.6")
    if interval is not None:
        ax.plot(interval, [row, row], color=BLUE, linewidth=2)
    ax.plot([values.mean()], [row], marker="D", markersize=5, color=BLUE)
