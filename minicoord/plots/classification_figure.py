"""The paper's Figure 4: where all runs of classification ended, and how test accuracy grew with time."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from minicoord.plots.over_time import (
    GOOD,
    Result,
    dashes_of,
    draw_ends,
    draw_runs,
    legend_of_runs,
    log_seconds,
    models_and_splits,
)
from minicoord.plots.paper_values import CONV_ACCURACY_UNIFORM, CONVOLUTIONS, SECONDS_TO_ACCURACY
from minicoord.plots.style import REFERENCE_LINE, model_colours, model_name, new_figure, styled
from minicoord.system.argument_types import check_types
from minicoord.system.counting import counted

GOOD_IN_WORDS = f"{100 * GOOD:.0f} %"


@styled
@check_types
def classification_figure(results: Sequence[Result]) -> Figure:
    """Draw a row for each model: test against train accuracy of every run, and test accuracy against seconds.

    Parameters
    ----------
    results : list of dict
        Each with "model", "variant", "metrics" ("train_accuracy" and "test_accuracy", shares from 0 to 1) and
        "history", a list of rows with "train_seconds" and "test_accuracy".

    Returns
    -------
    matplotlib.figure.Figure
        Circles and solid lines stand for the uniform split, squares and dashed lines for the quadrant split. On the
        right, as in the paper, the runs that end at 80 % or more are drawn as their median and a band from the worst to
        the best; all others are thin lines. A number beside a marker counts the runs that ended there. Dotted lines and
        crosses show what the paper reports.

    Raises
    ------
    ValueError
        If `results` is empty.
    """
    models, splits = models_and_splits(results, "classification_figure", "accuracy")
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
        ax.axhline(CONV_ACCURACY_UNIFORM, **REFERENCE_LINE)
    ax.set(xlim=(-4, 104), ylim=(-4, 104), aspect="equal", xticks=range(0, 101, 25), yticks=range(0, 101, 25))
    ax.set(xlabel="train accuracy (%)", ylabel="test accuracy (%)")
    ax.set_title(f"{model_name(model)}:\nwhere {counted(len(results), 'run')} ended")


def _growth(ax: Axes, results: list[Result], splits: list[str], colour: str, model: str) -> None:
    """Draw test accuracy against the seconds of training."""
    counts = []
    for split in splits:
        some = [r for r in results if r["variant"] == split]
        if some:
            good = draw_runs(ax, some, "test_accuracy", colour, dashes_of(split), scale=100)
            counts.append(f"{split} {good} of {len(some)}")
    if model in CONVOLUTIONS:
        ax.axhline(CONV_ACCURACY_UNIFORM, **REFERENCE_LINE)
    if model in SECONDS_TO_ACCURACY:
        first, last, accuracy = SECONDS_TO_ACCURACY[model]
        ax.plot([first, last], [accuracy] * 2, color="black", marker="x", markersize=7, linewidth=1.2, zorder=5)
    log_seconds(ax)
    ax.set(ylim=(-4, 104), yticks=range(0, 101, 25), xlabel="training time (seconds, log scale)")
    ax.grid(color="0.92", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.set_title(f"{model_name(model)}, runs that end at {GOOD_IN_WORDS} or more:\n{', '.join(counts)}")


def _legend(splits: list[str], models: list[str]) -> list[Line2D | Patch]:
    handles = legend_of_runs(splits, GOOD_IN_WORDS)
    if set(CONVOLUTIONS) & set(models):
        label = f"paper, best convolution: {CONV_ACCURACY_UNIFORM} % (uniform)"
        handles.append(Line2D([], [], label=label, **REFERENCE_LINE))
    said = {"conv": "conv 80 % after 4,000 s", "coordconv": "CoordConv 100 %\nafter 10 to 20 s"}
    if words := [said[model] for model in models if model in said]:
        label = f"paper: {', '.join(words)}"
        handles.append(Line2D([], [], color="black", marker="x", linewidth=1.2, label=label))
    return handles
