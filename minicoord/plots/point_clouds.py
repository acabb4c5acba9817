"""The right half of the paper's Figure 5: where a regressor sees the lit pixels, as clouds of points."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from minicoord.plots.inputs import CLOUD, check_arrays, check_size
from minicoord.plots.style import BLACK, PARTS, check_models, model_colours, model_name, new_figure, styled
from minicoord.system.argument_types import check_types


@styled
@check_types
def point_clouds(predictions: Mapping[str, Mapping[str, NDArray]], split: str, canvas: int = 64) -> Figure:
    """Draw where each network sees the train and the test centres, one row per model below the truth.

    Parameters
    ----------
    predictions : dict of dict of ndarray
        For each model: "train" and "test", shape (n, 2), the predicted x and y in pixels; "train_centres" and
        "test_centres", shape (n, 2), the true ones.
    split : str
        The name of the split, for the title.
    canvas : int
        Side of the canvas in pixels. The axes extend a little beyond it; points further out are counted in the title.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If `predictions` is empty, or an array is missing or of another shape.
    """
    check_size("point_clouds: canvas", canvas)
    models = check_models(predictions, "point_clouds: predictions")
    for model in models:
        check_arrays(f"point_clouds: predictions[{model!r}]", predictions[model], CLOUD)
    colours = {"truth": BLACK} | model_colours(models)
    figure = new_figure(6.0, 0.7 + 2.9 * (len(models) + 1))
    figure.suptitle(f"where the network sees the lit pixel, {split} split")
    panels = figure.subplots(len(models) + 1, len(PARTS), squeeze=False, sharex=True, sharey=True)
    truth = {part: predictions[models[0]][f"{part}_centres"] for part in PARTS}
    for i, model in enumerate(("truth", *models)):
        for j, part in enumerate(PARTS):
            points = truth[part] if model == "truth" else predictions[model][part]
            outside = draw_cloud(panels[i, j], points, colours[model], canvas)
            beyond = f", {outside} outside" if outside else ""
            panels[i, j].set_title(f"{model_name(model)}, {part}{beyond}")
            if i == len(models):
                panels[i, j].set_xlabel("x (pixels)")
            if j == 0:
                panels[i, j].set_ylabel("y (pixels)")
    return figure


def draw_cloud(ax: Axes, points: NDArray, colour: str, canvas: int) -> int:
    """Draw points (n, 2) with y pointing down as in an image; return how many lie outside the axes."""
    points = np.asarray(points, np.float64)
    margin = canvas / 16
    low, high = -margin, canvas - 1 + margin
    ax.plot(*points.T, linestyle="", marker="o", markersize=1.4, markeredgewidth=0, color=colour, rasterized=True)
    ax.set(xlim=(low, high), ylim=(high, low), aspect="equal", xticks=(0, canvas - 1), yticks=(0, canvas - 1))
    inside = np.all((points >= low) & (points <= high), axis=1)
    return int(np.count_nonzero(~inside))
