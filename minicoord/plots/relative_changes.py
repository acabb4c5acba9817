"""Relative changes between two networks under several conditions, each with its pairs and its interval."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from minicoord.plots.style import BLUE, REFERENCE_LINE, new_figure, styled

LEAST = 0.05  # the scale shows at least 5 % to either side of zero
SPREAD = 0.2  # the points of a row lie this far above and below its middle

Row = tuple[ArrayLike, float, tuple[float, float] | None]


@styled
def relative_changes(rows: Mapping[str, Row], of: str, paper: float | None = None) -> Figure:
    """Draw a row for each condition: a point for each pair of one seed, the change of the mean, and its interval.

    Parameters
    ----------
    rows : dict
        For the name of each row: the relative changes of the pairs (pairs,), that of the mean, and the bounds of its
        interval or None; .24 for 24 %.
    of : str
        What changes, for the label of the axis.
    paper : float, optional
        The relative change that the paper reports, as a line.

    Returns
    -------
    matplotlib.figure.Figure
        Rows from top to bottom in their order.

    Raises
    ------
    ValueError
        If there is no row, or a row has no pair.
    """
    if not rows or not all(np.size(pairs) for pairs, _, _ in rows.values()):
        raise ValueError("relative_changes: a row is empty or there is none, wanted at least one pair in each")
    figure = new_figure(6.4, 1.2 + 0.3 * len(rows))
    ax = figure.subplots()
    ax.axvline(0, color="0.7", linewidth=0.8, zorder=0)
    shown = [-LEAST, LEAST] if paper is None else [-LEAST, LEAST, paper]
    for place, (pairs, change, interval) in enumerate(rows.values()):
        percents = 100 * np.asarray(pairs, np.float64)  # (pairs,)
        heights = place + (np.linspace(-SPREAD, SPREAD, len(percents)) if len(percents) > 1 else np.zeros(1))
        ax.plot(percents, heights, linestyle="", marker="o", markersize=3, color="0.6")
        if interval is not None:
            ax.plot(100 * np.array(interval), [place, place], color=BLUE, linewidth=2)
        ax.plot([100 * change], [place], marker="D", markersize=4.5, color=BLUE)
        shown += [*(percents / 100), *(interval or ())]
    room = 0.06 * (max(shown) - min(shown))
    ax.set(xlim=(100 * (min(shown) - room), 100 * (max(shown) + room)), ylim=(len(rows) - 0.5, -0.5))
    ax.set_xlabel(f"change of {of} (%)")
    ax.set_yticks(range(len(rows)), labels=list(rows))
    ax.tick_params(axis="y", length=0)
    handles = [
        Line2D([], [], linestyle="", marker="o", markersize=3, color="0.6", label="one pair"),
        Line2D([], [], marker="D", markersize=4.5, color=BLUE, linewidth=2, label="mean and its 95 % interval"),
    ]
    if paper is not None:
        ax.axvline(100 * paper, zorder=0, **REFERENCE_LINE)
        handles.append(Line2D([], [], label=f"paper: {100 * paper:+.0f} %", **REFERENCE_LINE))
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure
