"""What becomes of the weights of a CoordConv front layer: before and after training, and their size over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from minicoord.plots.style import check_models, model_colours, model_name, new_figure, styled
from minicoord.system.argument_types import check_types

ROWS = ("image", "i", "j", "r")


@styled
@check_types
def front_weights_figure(weights: Mapping[str, Sequence[tuple[NDArray, NDArray]]], title: str = "") -> Figure:
    """Draw the weights of the first run before and after training, and the norm of each channel's weights in all runs.

    Parameters
    ----------
    weights : dict of list of (ndarray, ndarray)
        For each model and run, the weights before and after training (4, outputs), with the rows image, i, j and r.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        A row of panels for each model. The right one has a line for each run, from the Euclidean norm of a channel's
        weights before training to that after it.

    Raises
    ------
    ValueError
        If there is no model or a model has no run, or weights have another shape.
    """
    models = check_models(weights, "front_weights_figure: weights")
    for model in models:
        for array in (array for pair in weights[model] for array in pair):
            if array.ndim != 2 or len(array) != len(ROWS):
                raise ValueError(f"front_weights_figure: {model} has weights {array.shape}, wanted ({len(ROWS)}, n)")
        if not weights[model]:
            raise ValueError(f"front_weights_figure: {model} has no run, wanted at least one")
    most = max(float(np.abs(pair).max()) for model in models for pair in weights[model][0])
    colours = model_colours(models)
    figure = new_figure(9.4, 0.7 + 2.1 * len(models))
    figure.suptitle(title)
    panels = figure.subplots(len(models), 3, squeeze=False, width_ratios=(1, 1, 1.1))
    drawn = None
    for (left, middle, right), model in zip(panels, models, strict=True):
        for ax, when, array in zip((left, middle), ("before", "after"), weights[model][0], strict=True):
            drawn = _draw_weights(ax, array, most)
            ax.set_title(f"{model_name(model)}, {when} training")
        middle.set_yticklabels([])
        _draw_norms(right, weights[model], colours[model])
    highest = max(ax.get_ylim()[1] for ax in panels[:, 2])
    for ax in panels[:, 2]:
        ax.set_ylim(0, highest)
    for ax in panels[-1, :2]:
        ax.set_xlabel("output of the front layer")
    panels[-1, 2].set_xlabel("channel")
    if drawn is not None:
        figure.colorbar(drawn, ax=panels[:, :2], label="weight", shrink=0.7)
    return figure


def _draw_weights(ax: Axes, array: NDArray, most: float) -> AxesImage:
    drawn = ax.imshow(array, cmap="RdBu", vmin=-most, vmax=most, interpolation="nearest", aspect="auto")
    ax.set_yticks(range(len(ROWS)), labels=ROWS)
    ax.set_xticks(range(array.shape[1]), labels=[str(k + 1) for k in range(array.shape[1])])
    ax.tick_params(length=0)
    return drawn


def _draw_norms(ax: Axes, pairs: Sequence[tuple[NDArray, NDArray]], colour: str) -> None:
    for before, after in pairs:
        norms = np.linalg.norm(before, axis=1), np.linalg.norm(after, axis=1)  # (4,) each
        for row, (start, end) in enumerate(zip(*norms, strict=True)):
            ax.plot([row - 0.22, row + 0.22], [start, end], color=colour, linewidth=0.9, marker="o", markersize=3)
    ax.set_xticks(range(len(ROWS)), labels=ROWS)
    ax.set(title="norm, before to after", xlim=(-0.5, len(ROWS) - 0.5), ylabel="norm")
    ax.grid(axis="y", color="0.92", linewidth=0.6)
