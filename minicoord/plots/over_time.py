"""What figures of many runs share: where runs ended, how a metric grew with the seconds of training, and legends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from minicoord.plots.inputs import check_results
from minicoord.plots.style import order_models

Result = Mapping[str, Any]
Curve = tuple[NDArray[np.float64], NDArray[np.float64]]

GOOD = 0.8  # as in the paper, runs that end at this or more are drawn as a median and a band
MARKERS = {"uniform": "o", "quadrant": "s"}
DASHES: dict[str, Any] = {"uniform": "-", "quadrant": (0, (4, 1.6))}
GRID_POINTS = 200
SAME = 0.04  # runs that end closer together than this count as one stack
WORTH_COUNTING = 0.2  # share of the runs: smaller stacks get no number, because numbers must not overlap
MANY = 20  # from this many runs on, single ones are drawn faintly


def marker_of(split: str) -> str:
    """Return the marker that stands for a split in every figure."""
    return MARKERS.get(split, "^")


def dashes_of(split: str) -> Any:
    """Return the dashes of a split's lines."""
    return DASHES.get(split, (0, (1, 1)))


def tint(colour: str) -> tuple[float, float, float]:
    """Return the colour that fills a marker: mixed with white, so that a stack of markers is no darker than one."""
    red, green, blue = to_rgb(colour)
    return 1 - 0.45 * (1 - red), 1 - 0.45 * (1 - green), 1 - 0.45 * (1 - blue)


def curve_of(result: Result, metric: str) -> Curve:
    """Return the seconds and the values of a metric, of those epochs in which it was measured."""
    rows = [row for row in result["history"] if row.get(metric) is not None]
    seconds = np.array([row["train_seconds"] for row in rows], np.float64)
    return seconds, np.array([row[metric] for row in rows], np.float64)


def final(result: Result, metric: str) -> float:
    """Return a metric after the last epoch; NaN for null, which stands in records for values that are not finite."""
    value = result["metrics"].get(metric)
    return float("nan") if value is None else float(value)


def models_and_splits(results: Sequence[Result], figure: str, metric: str) -> tuple[list[str], list[str]]:
    """Return the models and the splits of the results, each once.

    Raises
    ------
    ValueError
        Naming `figure`, if there are no results, or one lacks what curves and ends of `metric` are drawn from.
    """
    if not results:
        raise ValueError(f"{figure}: results is empty, wanted at least one run")
    measured = (f"train_{metric}", f"test_{metric}")
    check_results(figure, results, rows=("train_seconds",), measured=measured, metrics=True)
    return order_models(r["model"] for r in results), list(dict.fromkeys(r["variant"] for r in results))


def draw_ends(
    ax: Axes, results: Sequence[Result], metric: str, colour: str, scale: float = 1, filled: bool = False
) -> None:
    """Draw each run of one model where it ended, test against train, and the number of runs in each stack.

    Parameters
    ----------
    ax : Axes
        Its limits go from 0 to `scale`.
    results : list of dict
    metric : str
        Such as "accuracy", which stands for "train_accuracy" and "test_accuracy".
    colour : str
    scale : float
        100 for per cent.
    filled : bool
        Whether the markers are tinted inside, so that two models in one panel differ in print without colour, too.
    """
    inside = tint(colour) if filled else "none"
    for split in dict.fromkeys(r["variant"] for r in results):
        some = [r for r in results if r["variant"] == split]
        ends = [(scale * final(r, f"train_{metric}"), scale * final(r, f"test_{metric}")) for r in some]
        look: dict[str, Any] = {"markersize": 7, "markerfacecolor": inside, "linestyle": ""}
        above = 2.5 if split == "uniform" else 2  # a circle is visible on a square, a square would hide the circle
        ax.plot(*zip(*ends, strict=True), marker=marker_of(split), color=colour, zorder=above, **look)
        for place, count in _stacks(ends, scale * SAME):
            if count >= WORTH_COUNTING * len(some):
                _write_count(ax, place, count, colour, scale, beside=split == "uniform")


def _write_count(ax: Axes, place: tuple[float, float], count: int, colour: str, scale: float, beside: bool) -> None:
    """Write the number of runs in a stack beside it, or below it: stacks of two splits may lie on each other."""
    x, y = place
    look: dict[str, Any] = {"textcoords": "offset points", "fontsize": 8, "color": colour}
    if beside:
        at_axis = x < scale / 10  # then the number goes to the other side
        look |= {"xytext": (7 if at_axis else -7, 0), "va": "center", "ha": "left" if at_axis else "right"}
    else:
        at_axis = y < scale / 10
        look |= {"xytext": (0, 5 if at_axis else -6), "va": "bottom" if at_axis else "top", "ha": "center"}
    ax.annotate(str(count), place, **look)


def _stacks(places: Sequence[tuple[float, float]], step: float) -> list[tuple[tuple[float, float], int]]:
    """Return the places at which several points lie within about one `step`, and how many they are."""
    cells: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for x, y in places:
        if np.isfinite([x, y]).all():
            cells.setdefault((round(x / step), round(y / step)), []).append((x, y))
    return [(some[0], len(some)) for some in cells.values() if len(some) > 1]


def middle_and_ends(curves: Sequence[Curve]) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Return times, and the median, the smallest and the largest value of some curves at each of them.

    A curve is a straight line between its epochs. A run that has ended keeps its last value, for that is what it offers
    after so many seconds.
    """
    start = max(seconds[0] for seconds, _ in curves)
    times = np.geomspace(start, max(max(seconds[-1] for seconds, _ in curves), start), GRID_POINTS)
    values = np.stack([np.interp(times, seconds, ys) for seconds, ys in curves])  # (curves, GRID_POINTS)
    return times, np.median(values, axis=0), values.min(axis=0), values.max(axis=0)


def draw_runs(ax: Axes, results: Sequence[Result], metric: str, colour: str, dashes: Any, scale: float = 1) -> int:
    """Draw the runs of one model on one split, and return how many of them end at `GOOD` or more.

    Those runs are drawn as their median, a thick line, and a band from the smallest to the largest value; all others as
    thin lines.
    """
    good = [curve_of(r, metric) for r in results if final(r, metric) >= GOOD]
    others = [r for r in results if not final(r, metric) >= GOOD]  # a run that diverged ends at NaN
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


def log_seconds(ax: Axes, only_tens_beyond: float = np.inf) -> None:
    """Make the axis of seconds logarithmic, with plain numbers such as 2,000.

    If its ends differ by more than a factor of `only_tens_beyond`, only powers of ten are numbered.
    """
    ax.set_xscale("log", nonpositive="mask")  # a row from before the training, at 0 seconds, has no place there
    low, high = ax.get_xlim()
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0,) if high > only_tens_beyond * low else (1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())


def legend_of_runs(splits: Sequence[str], good: str, ends: bool = True, curves: bool = True) -> list[Line2D | Patch]:
    """Return the entries of a legend that say how `draw_ends` and `draw_runs` draw; `good` is `GOOD` in words.

    Without `ends` or `curves`, only what the other of the two draws is named.
    """
    handles: list[Line2D | Patch] = []
    for split in splits:
        look = {"marker": marker_of(split), "markerfacecolor": "none", "linestyle": dashes_of(split)}
        handles.append(Line2D([], [], color="black", label=f"{split} split", **look))
    if curves:
        handles.append(Line2D([], [], color="black", linewidth=2, label=f"median, ending at {good} or more"))
        handles.append(Patch(color="black", alpha=0.18, linewidth=0, label="worst to best of these"))
        handles.append(Line2D([], [], color="black", linewidth=0.9, label=f"a run that ends below {good}"))
    if ends:
        handles.append(Line2D([], [], linestyle="", marker="$n$", color="0.35", label="this many runs at one point"))
    return handles
