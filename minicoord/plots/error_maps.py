"""The error of a regressor at each position of the canvas."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from minicoord.plots.inputs import CLOUD, check_arrays, check_size, check_within
from minicoord.plots.style import PARTS, check_models, label_pixel_axes, model_name, new_figure, show_image, styled
from minicoord.system.argument_types import check_types


@styled
@check_types
def error_maps(predictions: Mapping[str, Mapping[str, NDArray]], split: str, canvas: int = 64) -> Figure:
    """Draw the distance between prediction and truth at each true centre: a column per model, a row per part.

    Parameters
    ----------
    predictions : dict of dict of ndarray
        As for `point_clouds`.
    split : str
        The name of the split, for the title.
    canvas : int
        Side of the canvas in pixels.

    Returns
    -------
    matplotlib.figure.Figure
        All panels share one scale, from 0 to the largest error of all, in pixels. Pixels without a centre of that part
        are grey.

    Raises
    ------
    ValueError
        If `predictions` is empty, an array is missing or of another shape, or a centre lies beyond the canvas.
    """
    check_size("error_maps: canvas", canvas)
    models = check_models(predictions, "error_maps: predictions")
    for model in models:
        check_arrays(f"error_maps: predictions[{model!r}]", predictions[model], CLOUD)
        for part in PARTS:
            what = f"error_maps: predictions[{model!r}]['{part}_centres']"
            check_within(what, predictions[model][f"{part}_centres"], canvas)
    maps = {(model, part): _map(predictions[model], part, canvas) for model in models for part in PARTS}
    largest = max(float(np.nanmax(errors)) for errors in maps.values())
    figure = new_figure(1.2 + 2.6 * len(models), 0.8 + 2.8 * len(PARTS))
    figure.suptitle(f"distance from the lit pixel, {split} split")
    panels = figure.subplots(len(PARTS), len(models), squeeze=False)
    for (i, part), (j, model) in product(enumerate(PARTS), enumerate(models)):
        image = show_image(panels[i, j], maps[model, part], "cividis", 0.0, largest)
        image.set_cmap(matplotlib.colormaps["cividis"].with_extremes(bad="0.85"))
        mean = np.nanmean(maps[model, part])
        panels[i, j].set_title(f"{model_name(model)}, {part}: mean {mean:.2f} px")
        label_pixel_axes(panels[i, j], x=i == len(PARTS) - 1, y=j == 0)
    figure.colorbar(panels[0, 0].images[0], ax=panels, label="distance (pixels)", shrink=0.6)
    return figure


def _map(arrays: Mapping[str, NDArray], part: str, canvas: int) -> NDArray[np.float64]:
    """Return an image (canvas, canvas) of the distances at the centres of a part, NaN elsewhere."""
    errors = np.full((canvas, canvas), np.nan)
    x, y = np.asarray(arrays[f"{part}_centres"]).T
    errors[y, x] = np.hypot(*(np.asarray(arrays[part], np.float64) - arrays[f"{part}_centres"]).T)
    return errors
