"""How often a run of one arm is better than one of another."""

from __future__ import annotations

import math
from collections.abc import Mapping

from matplotlib.figure import Figure

from minicoord.plots.style import BLUE, new_figure, styled
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import shown


@styled
@check_types
def improvement_intervals(rows: Mapping[str, tuple[float, float, float]]) -> Figure:
    """Draw probabilities of improvement with their intervals, a row for each comparison.

    Parameters
    ----------
    rows : dict of (float, float, float)
        By the name of a comparison: the probability, and the lower and the upper bound of its interval, from 0 to 1.
        The bounds are NaN where there is none, and all three where nothing is known.

    Returns
    -------
    matplotlib.figure.Figure
        A line marks .5, where neither arm is better.

    Raises
    ------
    ValueError
        If `rows` is empty, or a number is not from 0 to 1, or an interval does not hold its probability.
    """
    if not rows:
        raise ValueError("improvement_intervals: rows is empty, wanted at least one comparison")
    for name, (value, low, high) in rows.items():
        none = math.isnan(low) and math.isnan(high)
        if none and math.isnan(value):
            continue
        if not 0 <= value <= 1 or not (none or 0 <= low <= value <= high <= 1):
            raise ValueError(
                f"improvement_intervals: {shown(name)} has {value:g} from {low:g} to {high:g}, "
                "wanted a probability within its interval, from 0 to 1"
            )
    figure = new_figure(6.4, 1.1 + 0.38 * len(rows))
    ax = figure.subplots()
    ax.axvline(0.5, color="0.7", linewidth=0.8, zorder=0)
    for k, (value, low, high) in enumerate(rows.values()):
        if not math.isnan(low):
            ax.plot([low, high], [k, k], color=BLUE, linewidth=2.4, solid_capstyle="butt")
        if math.isnan(value):
            ax.text(0.5, k, " not known", va="center", color="0.4")
        else:
            ax.plot([value], [k], marker="D", markersize=6, color=BLUE, clip_on=False)
    ax.set(xlim=(-0.03, 1.03), ylim=(len(rows) - 0.5, -0.5), xlabel="probability that a run with coordinates is better")
    ax.set_yticks(range(len(rows)), labels=list(rows))
    ax.tick_params(axis="y", length=0)
    return figure
