"""The paper's Figure 4: where all runs of classification ended, and how test accuracy grew with the seconds."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from minicoord.plots.over_time import (
    GOOD,
    REFERENCE,
    Result,
    count_of,
    dashes_of,
    draw_ends,
    draw_runs,
    marker_of,
)
from minicoord.plots.style import model_colours, model_name, new_figure, order_models, styled

# What the paper reports: the best convolution on the uniform split, and the seconds to so many per cent.
PAPER_CONV_UNIFORM = 86
PAPER_SECONDS = {"conv": (4000, 4000, 80), "conv-no-bn": (4000, 4000, 80), "coordconv": (10, 20, 100)}
CONVOLUTIONS = ("conv", "conv-no-bn")  # whether the paper's had batch norm it does not say


@styled
def classification_figure(results: Sequence[Result]) -> Figure:
    """Draw a row for each model: left test against train accuracy of every run, right test accuracy against seconds.

    Parameters
    ----------
    results : list of dict
        Each with "model", "split", "metrics" ("train_accuracy" and "test_accuracy", shares from 0 to 1) and "history",
        a list of rows with "train_seconds" and "test_accuracy".

    Returns
    -------
    matplotlib.figure.Figure
        Circles and solid lines: uniform split; squares and dashed lines: quadrant split. Right, as in the paper, the
        runs that end at 80 % or more are drawn as their median and a band from the worst to the best; others are thin
        lines. A number beside a marker: so many runs ended there. Dotted and crossed: what the paper reports.

    Raises
    ------
    ValueError
        If there are no results.
    """
    if not results:
        raise ValueError("classification_figure: no results came, wanted at least one")
    models = order_models(r["model"] for r in results)
    splits = list(dict.fromkeys(r["split"] for r in results))
    colours = model_colours(models)
    figure = new_figure(9.2, 0.8 + 3.3 * len(models))
    panels = figure.subplots(len(models), 2, squeeze=False, width_ratios=(1, 1.55))
    for row, model in enumerate(models):
        some = [r for r in results if r["model"] == model]
        _ends(panels[row, 0], some, colours[model], model)
        _growth(panels[row, 1], some, splits, colours[model], model)
    figure.legend(handles=_legend(splits, models), loc="outside lower center", ncols=3, frameon=False)
    return figure


def _ends(ax: Axes, results: list[Result], colour: str, model: str) -> None:
    """Draw every run where it ended."""
    ax.plot([0, 100], [0, 100], color="0.75", linewidth=0.8, zorder=0)
    draw_ends(ax, results, "accuracy", colour, scale=100)
    if model in CONVOLUTIONS:
        ax.axhline(PAPER_CONV_UNIFORM, **REFERENCE)
    ax.set(xlim=(-4, 104), ylim=(-4, 104), aspect="equal", xticks=range(0, 101, 25), yticks=range(0, 101, 25))
    ax.set(xlabel="train accuracy (%)", ylabel="test accuracy (%)")
    ax.set_title(f"{model_name(model)}:\nwhere {count_of(results)} ended")


def _growth(ax: Axes, results: list[Result], splits: list[str], colour: str, model: str) -> None:
    """Draw test accuracy against the seconds."""
    counts = []
    for split in splits:
        some = [r for r in results if r["split"] == split]
        if some:
            good = draw_runs(ax, some, "test_accuracy", colour, dashes_of(split), scale=100)
            counts.append(f"{split} {good} of {len(some)}")
    if model in CONVOLUTIONS:
        ax.axhline(PAPER_CONV_UNIFORM, **REFERENCE)
    if model in PAPER_SECONDS:
        first, last, accuracy = PAPER_SECONDS[model]
        ax.plot([first, last], [accuracy] * 2, color="black", marker="x", markersize=7, linewidth=1.2, zorder=5)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set(ylim=(-4, 104), yticks=range(0, 101, 25), xlabel="training time (seconds, log scale)")
    ax.grid(color="0.92", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.set_title(f"{model_name(model)}, runs that end at {100 * GOOD:.0f} % or more:\n{', '.join(counts)}")


def _legend(splits: list[str], models: list[str]) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = []
    for split in splits:
        look = {"marker": marker_of(split), "markerfacecolor": "none", "linestyle": dashes_of(split)}
        handles.append(Line2D([], [], color="black", label=f"{split} split", **look))
    handles.append(Line2D([], [], color="black", linewidth=2, label="median, ending at 80 % or more"))
    handles.append(Patch(color="black", alpha=0.18, linewidth=0, label="worst to best of these"))
    handles.append(Line2D([], [], color="black", linewidth=0.9, label="a run that ends below 80 %"))
    handles.append(Line2D([], [], linestyle="", marker="$n$", color="0.35", label="so many runs at one place"))
    if set(CONVOLUTIONS) & set(models):
        label = f"paper, best convolution: {PAPER_CONV_UNIFORM} % (uniform)"
        handles.append(Line2D([], [], label=label, **REFERENCE))
    said = {"conv": "conv 80 % after 4,000 s", "coordconv": "CoordConv 100 %\nafter 10 to 20 s"}
    if words := [said[model] for model in models if model in said]:
        label = f"paper: {', '.join(words)}"
        handles.append(Line2D([], [], color="black", marker="x", linewidth=1.2, label=label))
    return handles
