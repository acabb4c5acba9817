"""The paper's Figure 6: test against train overlap of all runs, and test overlap against training time."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from minicoord.plots.over_time import (
    GOOD,
    REFERENCE,
    Result,
    count_of,
    curve_of,
    dashes_of,
    draw_ends,
    draw_runs,
    marker_of,
    tint,
)
from minicoord.plots.style import model_colours, model_name, new_figure, order_models, styled

PAPER_CONV = {"uniform": 0.83, "quadrant": 0.36}  # the best test overlap of any convolutional network of the paper
FILLED = ("coordconv",)  # models whose markers are tinted inside
ZOOM = 4  # the zoom shows so many times the seconds in which runs of the faster model became good, as a median


@styled
def overlap_figure(results: Sequence[Result]) -> Figure:
    """Draw where each run ended, test against train, and how its test overlap grew with the seconds of training.

    Parameters
    ----------
    results : list of dict
        Each with "model", "split", "metrics" ("train_iou" and "test_iou", 0 to 1) and "history", a list of rows with
        "train_seconds" and "test_iou".

    Returns
    -------
    matplotlib.figure.Figure
        Left all runs, those of CoordConv with tinted markers; a number beside a marker: so many ended there. Right, as
        in the paper, the runs that end at .8 or more as their median with a band from the worst to the best; others as
        thin lines. Above the whole time, below its beginning. Dotted lines: the best test overlap that the paper
        reports for convolution on each split.

    Raises
    ------
    ValueError
        If there are no results.
    """
    if not results:
        raise ValueError("overlap_figure: no results came, wanted at least one")
    models = order_models(r["model"] for r in results)
    splits = list(dict.fromkeys(r["split"] for r in results))
    colours = model_colours(models)
    figure = new_figure(9.2, 5.6)
    panels = figure.subplot_mosaic("as;az", width_ratios=(1.15, 1))
    scatter, whole, zoomed = panels["a"], panels["s"], panels["z"]
    _ends(scatter, results, splits, colours)
    longest = max((curve_of(r, "test_iou")[0][-1] for r in results if r["history"]), default=1.0)
    zoom = _zoom(results, longest)
    for ax, seconds, title in ((whole, longest, "the whole training"), (zoomed, zoom, "its beginning")):
        for model in models:
            for split in splits:
                some = [r for r in results if (r["model"], r["split"]) == (model, split)]
                draw_runs(ax, some, "test_iou", colours[model], dashes_of(split))
        _reference(ax, splits)
        ax.set(xlim=(0, seconds), ylim=(-0.03, 1.03), ylabel="test IOU", title=title)
        ax.set_xlabel("training time (seconds)")
    figure.legend(handles=_legend(models, splits, colours), loc="outside lower center", ncols=3, frameon=False)
    return figure


def _ends(ax: Axes, results: Sequence[Result], splits: list[str], colours: dict[str, str]) -> None:
    """Draw every run where it ended, and name the lines of the paper."""
    ax.plot([0, 1], [0, 1], color="0.75", linewidth=0.8, zorder=0)
    for model, colour in colours.items():
        draw_ends(ax, [r for r in results if r["model"] == model], "iou", colour, filled=model in FILLED)
    _reference(ax, splits)
    for split, best in PAPER_CONV.items():
        if split in splits:
            ax.text(0.0, best + 0.012, f"paper, {split}: {best:g}", fontsize=8, color="0.25", va="bottom")
    ax.set(xlabel="train IOU", ylabel="test IOU", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    ax.set_title(f"where {count_of(results)} ended")


def _reference(ax: Axes, splits: list[str]) -> None:
    for split, best in PAPER_CONV.items():
        if split in splits:
            ax.axhline(best, **REFERENCE)


def _zoom(results: Sequence[Result], longest: float) -> float:
    """Return the seconds that the zoom shows: until half of the runs of the faster model were good, and some more."""
    reached: dict[str, list[float]] = {}
    for result in results:
        seconds, values = curve_of(result, "test_iou")
        if (values >= GOOD).any():
            reached.setdefault(result["model"], []).append(float(seconds[(values >= GOOD).argmax()]))
    return min(longest, ZOOM * min(map(median, reached.values()))) if reached else longest / ZOOM


def _legend(models: list[str], splits: list[str], colours: dict[str, str]) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = []
    for model in models:
        inside = tint(colours[model]) if model in FILLED else "none"
        handles.append(Patch(edgecolor=colours[model], facecolor=inside, linewidth=1.2, label=model_name(model)))
    for split in splits:
        look = {"marker": marker_of(split), "markerfacecolor": "none", "linestyle": dashes_of(split)}
        handles.append(Line2D([], [], color="black", label=f"{split} split", **look))
    handles.append(Line2D([], [], color="black", linewidth=2, label=f"median, ending at {GOOD} or more"))
    handles.append(Patch(color="black", alpha=0.18, linewidth=0, label="worst to best of these"))
    handles.append(Line2D([], [], color="black", linewidth=0.9, label=f"a run that ends below {GOOD}"))
    handles.append(Line2D([], [], linestyle="", marker="$n$", color="0.35", label="so many runs at one place"))
    handles.append(Line2D([], [], label="the paper's best convolution", **REFERENCE))
    return handles
