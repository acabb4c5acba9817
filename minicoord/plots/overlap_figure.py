"""The paper's Figure 6: test against train overlap of all runs, and test overlap against training time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from minicoord.plots.style import model_colours, model_name, new_figure, order_models, styled

PAPER_CONV = {"uniform": 0.83, "quadrant": 0.36}  # the best test overlap of any convolutional network of the paper
MARKERS = {"uniform": "o", "quadrant": "s"}


@styled
def overlap_figure(results: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw where each run ended, test against train, and how its test overlap grew with the seconds of training.

    Parameters
    ----------
    results : list of dict
        Each with "model", "split", "metrics" ("train_iou" and "test_iou", 0 to 1) and "history", a list of rows with
        "train_seconds" and "test_iou".

    Returns
    -------
    matplotlib.figure.Figure
        Dotted lines: the best test overlap that the paper reports for convolution on each split.

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
    figure = new_figure(9.0, 4.8)
    scatter, curves = figure.subplots(1, 2)
    scatter.plot([0, 1], [0, 1], color="0.8", linewidth=0.8)
    longest = max(row["train_seconds"] for r in results for row in r["history"])
    for r in results:
        colour, marker = colours[r["model"]], MARKERS.get(r["split"], "^")
        place = [r["metrics"]["train_iou"]], [r["metrics"]["test_iou"]]
        scatter.plot(*place, marker=marker, markersize=7, color=colour, markerfacecolor="none", linestyle="")
        rows = [row for row in r["history"] if row.get("test_iou") is not None]
        seconds, overlap = [row["train_seconds"] for row in rows], [row["test_iou"] for row in rows]
        curves.plot(seconds, overlap, color=colour, marker=marker, markersize=3.5, linewidth=1.2)
    for split, best in PAPER_CONV.items():
        if split in splits:
            for ax in (scatter, curves):
                ax.axhline(best, color="0.35", linewidth=1.2, linestyle=(0, (1, 1.5)))
            curves.annotate(
                f"paper, convolution, {split}: {best}", (longest, best), ha="right", va="bottom", fontsize=8
            )
    scatter.set(xlabel="train IOU", ylabel="test IOU", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    scatter.set_title("where the runs ended")
    curves.set(xlabel="training time (seconds)", ylabel="test IOU", ylim=(-0.03, 1.03))
    curves.set_xlim(left=0)
    curves.set_title("how they got there")
    handles = [Line2D([], [], color=colours[m], linewidth=2, label=model_name(m)) for m in models]
    handles += [
        Line2D(
            [], [], color="black", linestyle="", marker=MARKERS.get(s, "^"), markerfacecolor="none", label=f"{s} split"
        )
        for s in splits
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    return figure
