"""IOU and recall of detectors over the epochs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from minicoord.plots.inputs import check_results
from minicoord.plots.over_time import Result
from minicoord.plots.style import PARTS, model_colours, model_name, new_figure, order_models, styled
from minicoord.system.argument_types import check_types

PANELS = (
    ("iou", "mean IOU of kept boxes", 1),
    ("recall_50", "recall at .5 (%)", 100),
    ("recall_70", "recall at .7 (%)", 100),
)
TRAIN_DASHES = (0, (2, 1.5))


@styled
@check_types
def detection_curves(results: Sequence[Result], padding: str) -> Figure:
    """Draw the IOU of kept boxes and two recalls after each epoch, on test and training images.

    Parameters
    ----------
    results : list of dict
        Runs with ``model``, and a ``history`` of rows with ``epoch`` and, where measured, ``test_iou``,
        ``test_recall_50``, ``test_recall_70``, and the same of training images; shares from 0 to 1.
    padding : str
        The padding of the networks, for the title.

    Returns
    -------
    matplotlib.figure.Figure
        For each network a line through the medians over its runs, and where there are several a band from the smallest
        to the largest value.

    Raises
    ------
    ValueError
        If `results` is empty.
    """
    if not results:
        raise ValueError("detection_curves: results is empty, wanted at least one run")
    measured = [f"{part}_{metric}" for part in PARTS for metric, _, _ in PANELS]
    check_results("detection_curves", results, rows=("epoch",), measured=measured, variant=False)
    models = order_models(r["model"] for r in results)
    colours = model_colours(models)
    figure = new_figure(8.4, 3.5)
    figure.suptitle(f'test images after each epoch, padding "{padding}"')
    for ax, (metric, title, scale) in zip(figure.subplots(1, len(PANELS)), PANELS, strict=True):
        for model in models:
            runs = [r for r in results if r["model"] == model]
            epochs, middle, low, high = bands(runs, f"test_{metric}")
            ax.plot(epochs, scale * middle, color=colours[model], linewidth=1.8, marker="o", markersize=2.5)
            if len(runs) > 1:
                ax.fill_between(epochs, scale * low, scale * high, color=colours[model], alpha=0.18, linewidth=0)
            epochs, middle, _, _ = bands(runs, f"train_{metric}")
            ax.plot(epochs, scale * middle, color=colours[model], linewidth=1.0, linestyle=TRAIN_DASHES)
        ax.set(xlabel="epoch", title=title)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        ax.grid(color="0.92", linewidth=0.6)
    counts = {model: sum(r["model"] == model for r in results) for model in models}
    handles = [
        Line2D([], [], color=colours[model], linewidth=1.8, label=f"{model_name(model)} ({counts[model]})")
        for model in models
    ]
    handles.append(Line2D([], [], color="0.35", linewidth=1.0, linestyle=TRAIN_DASHES, label="training images"))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 3), frameon=False)
    return figure


def bands(runs: Sequence[Result], metric: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the epochs in which any run has a metric, and the median, the smallest and the largest of its values."""
    values: dict[int, list[float]] = {}
    for run in runs:
        for row in run["history"]:
            if row.get(metric) is not None:
                values.setdefault(row["epoch"], []).append(row[metric])
    epochs = sorted(values)
    measured = [np.array(values[epoch], np.float64) for epoch in epochs]
    ends = [(np.median(v), v.min(), v.max()) for v in measured]
    middle, low, high = np.array(ends, np.float64).reshape(-1, 3).T
    return np.array(epochs), middle, low, high
