"""Figure 10 of the authors' blog: where each regressor sees the lit pixels, on train and test of both splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from minicoord.plots.inputs import CLOUD, check_arrays, check_size
from minicoord.plots.point_clouds import draw_cloud
from minicoord.plots.style import BLACK, PARTS, check_models, model_colours, model_name, new_figure, styled
from minicoord.system.argument_types import check_types

UNDER = "0.88"  # grey of the true centres under a cloud


@styled
@check_types
def regression_clouds(
    predictions: Mapping[str, Mapping[str, Mapping[str, NDArray]]], canvas: int = 64, title: str = ""
) -> Figure:
    """Draw the truth and a row of clouds for each network; train and test of each split side by side.

    Parameters
    ----------
    predictions : dict of dict of dict of ndarray
        For each split, for each model: "train" and "test", shape (n, 2), the predicted x and y in pixels;
        "train_centres" and "test_centres", shape (n, 2), the true ones. A model may be missing on a split.
    canvas : int
        Side of the canvas in pixels. The axes extend a little beyond it; points further out are counted in the title.
    title : str
        A line above the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The true centres lie in grey under each cloud; its title gives the mean distance from them.

    Raises
    ------
    ValueError
        If `predictions` is empty, or an array is missing or of another shape.
    """
    splits = [split for split in predictions if predictions[split]]
    models = check_models((m for split in splits for m in predictions[split]), "regression_clouds: predictions")
    check_size("regression_clouds: canvas", canvas)
    for split in splits:
        for model, arrays in predictions[split].items():
            check_arrays(f"regression_clouds: predictions[{split!r}][{model!r}]", arrays, CLOUD)
    colours = model_colours(models)
    columns = [(split, part) for split in splits for part in PARTS]
    figure = new_figure(0.9 + 2.1 * len(columns), 0.6 + 0.3 * bool(title) + 2.25 * (len(models) + 1))
    if title:
        figure.suptitle(title)
    panels = figure.subplots(len(models) + 1, len(columns), squeeze=False)
    for j, (split, part) in enumerate(columns):
        truth = next(iter(predictions[split].values()))[f"{part}_centres"]
        draw_cloud(panels[0, j], truth, BLACK, canvas)
        panels[0, j].set_title(f"{split} split, {part}\n{len(truth):,} centres")
        for i, model in enumerate(models, start=1):
            if model in predictions[split]:
                draw_prediction(panels[i, j], predictions[split][model], part, colours[model], canvas)
            else:
                leave_empty(panels[i, j])
    name_axes(panels, [model_name(model) for model in ("truth", *models)])
    return figure


def draw_prediction(ax: Axes, arrays: Mapping[str, NDArray], part: str, colour: str, canvas: int = 64) -> None:
    """Draw the cloud of one part over its true centres, and write its mean error above it."""
    centres = np.asarray(arrays[f"{part}_centres"], np.float64)
    points = np.asarray(arrays[part], np.float64)
    draw_cloud(ax, centres, UNDER, canvas)
    outside = draw_cloud(ax, points, colour, canvas)
    error = np.hypot(*(points - centres).T).mean()
    ax.set_title(f"mean error {error:.1f} px" + (f"\n{outside:,} of {len(points):,} outside" if outside else ""))


def leave_empty(ax: Axes) -> None:
    """Write in place of a panel that there is nothing to draw."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, "not recorded", transform=ax.transAxes, ha="center", va="center", color="0.45")


def name_axes(panels: NDArray, names: Sequence[str]) -> None:
    """Write the names of the rows on the left, and label the axes of the outermost panels that are drawn."""
    for row, name in zip(panels, names, strict=True):
        row[0].text(-0.32, 0.5, name, transform=row[0].transAxes, rotation=90, ha="right", va="center", weight="bold")
        drawn = [ax for ax in row if ax.axison]
        for ax in drawn[:1]:
            ax.set_ylabel("y (pixels)", labelpad=-4)
        for ax in drawn[1:]:
            ax.tick_params(labelleft=False)
    for column in panels.T:
        drawn = [ax for ax in column if ax.axison]
        for ax in drawn[-1:]:
            ax.set_xlabel("x (pixels)", labelpad=-4)
        for ax in drawn[:-1]:
            ax.tick_params(labelbottom=False)
