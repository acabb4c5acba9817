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
    Result,
    curve_of,
    dashes_of,
    draw_ends,
    draw_runs,
    legend_of_runs,
    models_and_splits,
    tint,
)
from minicoord.plots.paper_values import CONV_IOU
from minicoord.plots.style import REFERENCE_LINE, model_colours, model_name, new_figure, styled
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import shown
from minicoord.system.counting import counted

LAYOUTS: dict[str, tuple[str, tuple[float, ...], tuple[float, float]]] = {
    "both": ("as;az", (1.15, 1), (9.2, 5.6)),
    "ends": ("a", (1,), (6.0, 5.4)),
    "times": ("s;z", (1,), (7.2, 5.6)),
}
"""For what is shown: the mosaic of panels (a for the ends, s and z for the times), their widths, and the inches."""

FILLED = ("coordconv",)  # models whose markers are tinted inside
ZOOM = 4  # the zoom shows this many times the median seconds in which runs of the faster model became good


@styled
@check_types
def overlap_figure(results: Sequence[Result], show: str = "both") -> Figure:
    """Draw where each run ended, test against train, and how its test overlap grew with the seconds of training.

    Parameters
    ----------
    results : list of dict
        Each with "model", "variant", "metrics" ("train_iou" and "test_iou", 0 to 1) and "history", a list of rows with
        "train_seconds" and "test_iou".
    show : {"both", "ends", "times"}
        Both halves, or one of them.

    Returns
    -------
    matplotlib.figure.Figure
        On the left all runs, those of CoordConv with tinted markers; a number beside a marker counts the runs that
        ended there. On the right, as in the paper, the runs that end at .8 or more are drawn as their median with a
        band from the worst to the best, all others as thin lines: above for the whole training, below for its
        beginning. Dotted lines show the best test overlap that the paper reports for convolution on each split.

    Raises
    ------
    ValueError
        If `results` is empty, or `show` is something else.
    """
    if show not in LAYOUTS:
        raise ValueError(f"overlap_figure: show was {shown(show)}, wanted {', '.join(map(repr, LAYOUTS))}")
    models, splits = models_and_splits(results, "overlap_figure", "iou")
    colours = model_colours(models)
    layout, widths, size = LAYOUTS[show]
    figure = new_figure(*size)
    panels = figure.subplot_mosaic(layout, width_ratios=widths)
    if "a" in panels:
        _ends(panels["a"], results, splits, colours)
    longest = max((curve_of(r, "test_iou")[0][-1] for r in results if r["history"]), default=1.0)
    parts = {"s": (longest, "the whole training"), "z": (_zoom(results, longest), "its beginning")}
    for name in [name for name in parts if name in panels]:
        ax, (seconds, title) = panels[name], parts[name]
        for model in models:
            for split in splits:
                some = [r for r in results if (r["model"], r["variant"]) == (model, split)]
                draw_runs(ax, some, "test_iou", colours[model], dashes_of(split))
        _reference(ax, splits)
        ax.set(xlim=(0, seconds), ylim=(-0.03, 1.03), ylabel="test IOU", title=title)
        ax.set_xlabel("training time (seconds)")
    figure.legend(handles=_legend(models, splits, colours, show), loc="outside lower center", ncols=3, frameon=False)
    return figure


def _ends(ax: Axes, results: Sequence[Result], splits: list[str], colours: dict[str, str]) -> None:
    """Draw every run where it ended, and label the lines of the paper."""
    ax.plot([0, 1], [0, 1], color="0.75", linewidth=0.8, zorder=0)
    for model, colour in colours.items():
        draw_ends(ax, [r for r in results if r["model"] == model], "iou", colour, filled=model in FILLED)
    _reference(ax, splits)
    for split, best in CONV_IOU.items():
        if split in splits:
            ax.text(0.0, best + 0.012, f"paper, {split}: {best:g}", fontsize=8, color="0.25", va="bottom")
    ax.set(xlabel="train IOU", ylabel="test IOU", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    ax.set_title(f"where {counted(len(results), 'run')} ended")


def _reference(ax: Axes, splits: list[str]) -> None:
    for split, best in CONV_IOU.items():
        if split in splits:
            ax.axhline(best, **REFERENCE_LINE)


def _zoom(results: Sequence[Result], longest: float) -> float:
    """Return the seconds that the zoom shows: until half of the faster model's runs were good, and somewhat more."""
    reached: dict[str, list[float]] = {}
    for result in results:
        seconds, values = curve_of(result, "test_iou")
        if (values >= GOOD).any():
            reached.setdefault(result["model"], []).append(float(seconds[(values >= GOOD).argmax()]))
    return min(longest, ZOOM * min(map(median, reached.values()))) if reached else longest / ZOOM


def _legend(models: list[str], splits: list[str], colours: dict[str, str], show: str) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = []
    for model in models:
        inside = tint(colours[model]) if model in FILLED else "none"
        handles.append(Patch(edgecolor=colours[model], facecolor=inside, linewidth=1.2, label=model_name(model)))
    handles += legend_of_runs(splits, str(GOOD), ends=show != "times", curves=show != "ends")
    handles.append(Line2D([], [], label="the paper's best convolution", **REFERENCE_LINE))
    return handles
