"""Relative changes between two networks under several conditions, each with its pairs and its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from minicoord.plots.style import BLUE, REFERENCE_LINE, new_figure, styled
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import check_number, shown
from minicoord.system.arrays import as_array

LEAST = 0.05  # the scale shows at least 5 % to either side of zero
SPREAD = 0.2  # the points of a row lie this far above and below its middle

Row = tuple[ArrayLike, float, tuple[float, float] | None]


@styled
@check_types
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
    TypeError, ValueError
        If there is no row, a row has no pair, or something is not a finite number.
    """
    pairs = {name: _checked(f"relative_changes: rows[{shown(name)}]", row) for name, row in rows.items()}
    if paper is not None:
        check_number("relative_changes: paper", paper, -math.inf, above=True)
        paper = float(paper)  # unsigned numbers of NumPy would overflow
    if not rows or not all(map(len, pairs.values())):
        raise ValueError("relative_changes: a row is empty or there is none, wanted at least one pair in each")
    figure = new_figure(6.4, 1.2 + 0.3 * len(rows))
    ax = figure.subplots()
    ax.axvline(0, color="0.7", linewidth=0.8, zorder=0)
    values = [-LEAST, LEAST] if paper is None else [-LEAST, LEAST, paper]
    for place, (name, (_, change, interval)) in enumerate(rows.items()):
        percents = 100 * pairs[name]  # (pairs,)
        heights = place + (np.linspace(-SPREAD, SPREAD, len(percents)) if len(percents) > 1 else np.zeros(1))
        ax.plot(percents, heights, linestyle="", marker="o", markersize=3, color="0.6")
        if interval is not None:
            ax.plot(100 * np.array(interval), [place, place], color=BLUE, linewidth=2)
        ax.plot([100 * change], [place], marker="D", markersize=4.5, color=BLUE)
        values += [*pairs[name], change, *(() if interval is None else interval)]
    room = 0.06 * (max(values) - min(values))
    ax.set(xlim=(100 * (min(values) - room), 100 * (max(values) + room)), ylim=(len(rows) - 0.5, -0.5))
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


def _checked(what: str, row: tuple[Any, Any, Any]) -> NDArray[np.float64]:
    """Return the changes of the pairs of a row (pairs,), after a check that all of its numbers are finite."""
    pairs, change, interval = row
    wanted = "one axis of finite numbers"
    array = as_array(f"{what}[0]", pairs, "iuf", wanted)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise ValueError(f"{what}[0] was {shown(pairs)}, wanted {wanted}")
    for value in (change, *(() if interval is None else interval)):
        check_number(what, value, -math.inf, above=True)
    return array.astype(np.float64)
