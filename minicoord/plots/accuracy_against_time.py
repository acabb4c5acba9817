"""The right half of the paper's Figure 4: how accuracy grows with the seconds spent on training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from minicoord.plots.inputs import check_results
from minicoord.plots.over_time import log_seconds
from minicoord.plots.paper_values import CONV_ACCURACY_UNIFORM
from minicoord.plots.style import REFERENCE_LINE, model_colours, model_name, new_figure, order_models, styled
from minicoord.system.argument_types import check_types

UNIFORM_SPLITS = ("uniform", "official-uniform")
LOG_IF_TIMES_DIFFER_BY = 10


@dataclass
class Curves:
    """The curves of one training run, or of several together: one value for each of k epochs.

    Attributes
    ----------
    epochs : ndarray (k,) of int64
    seconds : ndarray (k,) of float64
        Spent on training since the run began.
    train, test : ndarray (k,) of float64
        Accuracy in per cent, NaN where it was not measured.
    """

    epochs: NDArray[np.int64]
    seconds: NDArray[np.float64]
    train: NDArray[np.float64]
    test: NDArray[np.float64]


@styled
@check_types
def accuracy_against_time(results: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw train and test accuracy against training seconds, one panel per split, one colour per model.

    Parameters
    ----------
    results : list of dict
        Each with "model", "variant", "seed", "parameters" and "history", a list of rows with "epoch", "train_seconds"
        (spent on training since the run began, in seconds), "train_accuracy" and "test_accuracy" (shares, 0 to 1;
        None where it was not measured). A run without rows is left out.

    Returns
    -------
    matplotlib.figure.Figure
        Test accuracy is the thick line, train accuracy the thin dashed one. With several seeds these are medians
        over the seeds, epoch by epoch, at the median time of that epoch; the band reaches from the worst to the
        best seed, and each seed's own test line is drawn faintly. The axis of seconds is logarithmic if the longest
        run took more than ten times as long as the shortest. On uniform splits a dotted line marks what the paper
        reports for convolution.

    Raises
    ------
    ValueError
        If no result has a history.
    """
    measured = ("train_accuracy", "test_accuracy")
    check_results("accuracy_against_time", results, rows=("epoch", "train_seconds"), measured=measured)
    groups = _group(results)
    if not groups:
        raise ValueError(
            f"accuracy_against_time: {len(results)} results were given, wanted at least one with a history"
        )
    splits = list(dict.fromkeys(split for split, _ in groups))
    models = order_models(model for _, model in groups)
    colours = model_colours(models)
    figure = new_figure(1.4 + 3.8 * len(splits), 4.4 + 0.2 * len(models))
    panels = figure.subplots(1, len(splits), squeeze=False, sharey=True)[0]
    lengths = [run.seconds[-1] for runs in groups.values() for run in runs]
    log = min(lengths) > 0 and max(lengths) > LOG_IF_TIMES_DIFFER_BY * min(lengths)
    for k, (ax, split) in enumerate(zip(panels, splits, strict=True)):
        for model in models:
            if (split, model) in groups:
                _draw_runs(ax, groups[split, model], colours[model])
        _finish_panel(ax, split, log, first=k == 0)
    handles = _legend(results, groups, colours)
    figure.legend(handles=handles, loc="outside lower center", ncols=2 if len(splits) > 1 else 1, frameon=False)
    return figure


def _group(results: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[Curves]]:
    """Sort the runs that have a history by (split, model)."""
    groups: dict[tuple[str, str], list[Curves]] = {}
    for result in results:
        rows = result["history"]
        if rows:
            run = Curves(
                np.array([row["epoch"] for row in rows], np.int64),
                np.array([row["train_seconds"] for row in rows], np.float64),
                _per_cent(rows, "train_accuracy"),
                _per_cent(rows, "test_accuracy"),
            )
            groups.setdefault((result["variant"], result["model"]), []).append(run)
    return groups


def _per_cent(rows: Sequence[Mapping[str, Any]], name: str) -> NDArray[np.float64]:
    """Return a column of the history in per cent, NaN where it was not measured."""
    return 100 * np.array([row.get(name) for row in rows], np.float64)


def _draw_runs(ax: Axes, runs: list[Curves], colour: str) -> None:
    """Draw the runs of one model on one split."""
    middle = _over_seeds(runs, np.median)
    marker = "o" if len(middle.epochs) < 40 else ""
    if len(runs) > 1:
        for run in runs:
            _line(ax, run.seconds, run.test, color=colour, linewidth=0.6, alpha=0.35)
        worst, best = _over_seeds(runs, np.min), _over_seeds(runs, np.max)
        measured = np.isfinite(middle.test)
        low, high = worst.test[measured], best.test[measured]
        ax.fill_between(middle.seconds[measured], low, high, color=colour, alpha=0.15, linewidth=0)
    _line(ax, middle.seconds, middle.train, color=colour, linewidth=1.0, linestyle="--", marker=marker, markersize=2)
    _line(ax, middle.seconds, middle.test, color=colour, linewidth=2.0, marker=marker, markersize=3.5)


def _line(ax: Axes, seconds: NDArray, values: NDArray, **style: Any) -> None:
    """Draw a curve through the epochs that were measured; it would be interrupted at NaN."""
    measured = np.isfinite(values)
    ax.plot(seconds[measured], values[measured], **style)


def _over_seeds(runs: list[Curves], statistic: Any) -> Curves:
    """Return the median times and `statistic` of the accuracies, for the epochs that every run reached."""
    epochs = np.array(sorted(set.intersection(*(set(run.epochs.tolist()) for run in runs))), np.int64)
    rows = [np.searchsorted(run.epochs, epochs) for run in runs]
    seconds = np.median([run.seconds[row] for run, row in zip(runs, rows, strict=True)], axis=0)
    train = statistic([run.train[row] for run, row in zip(runs, rows, strict=True)], axis=0)
    test = statistic([run.test[row] for run, row in zip(runs, rows, strict=True)], axis=0)
    return Curves(epochs, seconds, train, test)


def _finish_panel(ax: Axes, split: str, log: bool, first: bool) -> None:
    """Set scales and labels, and draw the paper's reference line."""
    ax.set_title(f"{split} split")
    ax.set_ylim(-4, 104)
    ax.set_yticks(range(0, 101, 20))
    if log:
        log_seconds(ax, only_tens_beyond=300)
    else:
        ax.set_xlim(left=0)
    ax.set_xlabel("training time (seconds" + (", log scale)" if log else ")"))
    if first:
        ax.set_ylabel("accuracy (%)")
    ax.grid(color="0.9", linewidth=0.6)
    ax.set_axisbelow(True)
    if split in UNIFORM_SPLITS:
        ax.axhline(CONV_ACCURACY_UNIFORM, **REFERENCE_LINE)


def _legend(
    results: Sequence[Mapping[str, Any]], groups: Mapping[tuple[str, str], list[Curves]], colours: Mapping[str, str]
) -> list[Line2D | Patch]:
    """Return one entry per model, then one for each kind of line."""
    handles: list[Line2D | Patch] = []
    for model, colour in colours.items():
        sizes = sorted({result["parameters"] for result in results if result["model"] == model})
        size = " or ".join(f"{n:,}" for n in sizes)
        handles.append(Line2D([], [], color=colour, linewidth=2, label=f"{model_name(model)}, {size} parameters"))
    most = max(map(len, groups.values()))
    middle = f", median of {most} seeds" if most > 1 else ""
    handles.append(Line2D([], [], color="black", linewidth=2, label=f"test{middle}"))
    handles.append(Line2D([], [], color="black", linewidth=1, linestyle="--", label=f"train{middle}"))
    if most > 1:
        handles.append(Patch(color="black", alpha=0.15, linewidth=0, label="test, worst to best seed"))
    if any(split in UNIFORM_SPLITS for split, _ in groups):
        label = f"the paper's best test accuracy for convolution, about {CONV_ACCURACY_UNIFORM} %"
        handles.append(Line2D([], [], label=label, **REFERENCE_LINE))
    return handles
