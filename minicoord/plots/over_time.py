"""What figures share that draw a metric against the seconds of training: curves, their median, and where they reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

Result = Mapping[str, Any]
Curve = tuple[NDArray[np.float64], NDArray[np.float64]]

GOOD = 0.8  # the paper draws the runs that end at this or more
MARKERS = {"uniform": "o", "quadrant": "s"}
DASHES: dict[str, Any] = {"uniform": "-", "quadrant": (0, (4, 1.6))}
REFERENCE: dict[str, Any] = {"color": "0.35", "linewidth": 1.2, "linestyle": (0, (1, 1.5))}
GRID_POINTS = 200
SAME = 0.04  # runs that end nearer than this to each other share one number
WORTH_COUNTING = 0.2  # of the runs: smaller heaps get no number, for numbers must not lie on one another
MANY = 20  # runs: from here on single ones are drawn faintly


def marker_of(split: str) -> str:
    """Return the marker that stands for a split in every figure."""
    return MARKERS.get(split, "^")


def dashes_of(split: str) -> Any:
    """Return the dashes of a split's lines."""
    return DASHES.get(split, (0, (1, 1)))


def tint(colour: str) -> tuple[float, float, float]:
    """Return a colour as it fills a marker: mixed with white, so that many on one place are no darker than one."""
    red, green, blue = to_rgb(colour)
    return 1 - 0.45 * (1 - red), 1 - 0.45 * (1 - green), 1 - 0.45 * (1 - blue)


def curve_of(result: Result, metric: str) -> Curve:
    """Return the seconds and the values of a metric, the epochs in which it was measured."""
    rows = [row for row in result["history"] if row.get(metric) is not None]
    seconds = np.array([row["train_seconds"] for row in rows], np.float64)
    return seconds, np.array([row[metric] for row in rows], np.float64)


def count_of(runs: Sequence[Result]) -> str:
    """Say how many runs there are.

    Examples
    --------
    >>> count_of([{}])
    '1 run'
    """
    return f"{len(runs)} run{'' if len(runs) == 1 else 's'}"


def final(result: Result, metric: str) -> float:
    """Return a metric after the last epoch; NaN where it was not finite, which is null in a file of records."""
    value = result["metrics"].get(metric)
    return float("nan") if value is None else float(value)


def draw_ends(
    ax: Axes, results: Sequence[Result], metric: str, colour: str, scale: float = 1, filled: bool = False
) -> None:
    """Draw each run of one model where it ended, test against train, and how many ended at one place.

    Parameters
    ----------
    ax : Axes
        Its limits go from 0 to `scale`.
    results : list of dict
    metric : str
        Such as "accuracy", of which there are "train_accuracy" and "test_accuracy".
    colour : str
    scale : float
        100 for per cent.
    filled : bool
        Whether the markers are tinted inside: so two models in one panel are told apart in print without colour.
    """
    inside = tint(colour) if filled else "none"
    for split in dict.fromkeys(r["split"] for r in results):
        some = [r for r in results if r["split"] == split]
        ends = [(scale * final(r, f"train_{metric}"), scale * final(r, f"test_{metric}")) for r in some]
        look: dict[str, Any] = {"markersize": 7, "markerfacecolor": inside, "linestyle": ""}
        above = 2.5 if split == "uniform" else 2  # a circle shows on a square, and not the other way round
        ax.plot(*zip(*ends, strict=True), marker=marker_of(split), color=colour, zorder=above, **look)
        for (x, y), count in _stacks(ends, scale * SAME):
            if count < WORTH_COUNTING * len(some):
                continue
            left = x < scale / 10  # beside the axis: the number goes to the other side
            place: dict[str, Any] = {
                "va": "center",
                "ha": "left" if left else "right",
                "xytext": (7 if left else -7, 0),
            }
            if split != "uniform":  # two stacks may lie on one another: their numbers must not
                up = y < scale / 10
                place = {"va": "bottom" if up else "top", "ha": "center", "xytext": (0, 5 if up else -6)}
            ax.annotate(str(count), (x, y), textcoords="offset points", fontsize=8, color=colour, **place)


def _stacks(places: Sequence[tuple[float, float]], step: float) -> list[tuple[tuple[float, float], int]]:
    """Return the places at which several points lie within a `step` or so, and how many."""
    cells: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for x, y in places:
        if np.isfinite([x, y]).all():
            cells.setdefault((round(x / step), round(y / step)), []).append((x, y))
    return [(some[0], len(some)) for some in cells.values() if len(some) > 1]


def middle_and_ends(curves: Sequence[Curve]) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Return times, and the median, the smallest and the largest value of some curves at each of them.

    A curve is a straight line between its epochs. A run that has ended keeps its last value: that is what one has after
    so many seconds.
    """
    start = max(seconds[0] for seconds, _ in curves)
    times = np.geomspace(start, max(max(seconds[-1] for seconds, _ in curves), start), GRID_POINTS)
    values = np.stack([np.interp(times, seconds, ys) for seconds, ys in curves])
    return times, np.median(values, axis=0), values.min(axis=0), values.max(axis=0)


def draw_runs(ax: Axes, results: Sequence[Result], metric: str, colour: str, dashes: Any, scale: float = 1) -> int:
    """Draw the runs of one model on one split, and return how many of them end well, at `GOOD` or more.

    Of those that end well, the median as a thick line and a band from the smallest to the largest; the others as thin
    lines.
    """
    good = [curve_of(r, metric) for r in results if final(r, metric) >= GOOD]
    others = [r for r in results if not final(r, metric) >= GOOD]
    for result in others:
        seconds, values = curve_of(result, metric)
        alpha = 0.75 if len(others) < MANY else 0.2
        ax.plot(seconds, scale * values, color=colour, linewidth=0.9, linestyle=dashes, alpha=alpha)
    good = [curve for curve in good if len(curve[0])]
    if good:
        times, middle, low, high = middle_and_ends(good)
        ax.plot(times, scale * middle, color=colour, linewidth=2.0, linestyle=dashes)
        if len(good) > 1:
            ax.fill_between(times, scale * low, scale * high, color=colour, alpha=0.18, linewidth=0)
    return len(good)
