"""The paper's Figure 5: what was learned on three quarters of the canvas, and how it carries over to the fourth."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from minicoord.plots.inputs import CLOUD, check_arrays, check_size
from minicoord.plots.point_clouds import draw_cloud
from minicoord.plots.regression_clouds import draw_prediction, leave_empty, name_axes
from minicoord.plots.style import (
    BLACK,
    PARTS,
    check_image,
    model_colours,
    model_name,
    new_figure,
    show_black_to_white,
    styled,
)
from minicoord.system.argument_types import check_types

ROWS = ("truth", "conv", "coordconv")
Maps = Mapping[str, Mapping[str, NDArray]]


@styled
@check_types
def quadrant_figure(maps: Maps, predictions: Maps, split: str = "quadrant", canvas: int = 64, note: str = "") -> Figure:
    """Draw the truth, convolution and CoordConv, a row each: classification on the left, regression on the right.

    Parameters
    ----------
    maps : dict of dict of ndarray (H, W)
        For "truth", "conv" and "coordconv" the sums of the softmax images of "train" and of "test", as for
        `softmax_maps`.
    predictions : dict of dict of ndarray
        For "conv" and "coordconv" the predictions and centres, as for `point_clouds`.
    split : str
        The name of the split, for the title.
    canvas : int
        Side of the canvas in pixels.
    note : str
        A second line of the title, for example the names of the runs.

    Returns
    -------
    matplotlib.figure.Figure
        On the left, each panel runs from black at 0 to white at its own largest value, as in the paper; that value is
        written above it. On the right, the true centres lie in grey under the clouds. A panel without data says so.

    Raises
    ------
    ValueError
        If there are neither maps nor predictions of "conv" or "coordconv", or an array is missing or of another shape.
    """
    if not any(model in some for model in ROWS[1:] for some in (maps, predictions)):
        raise ValueError(
            "quadrant_figure: neither maps nor predictions hold 'conv' or 'coordconv', wanted at least one"
        )
    check_size("quadrant_figure: canvas", canvas)
    for model, part in product(maps, PARTS):
        if model in ROWS:
            check_image(maps[model].get(part), f"quadrant_figure: maps[{model!r}][{part!r}]")
    for model, arrays in predictions.items():
        check_arrays(f"quadrant_figure: predictions[{model!r}]", arrays, CLOUD)
    colours = model_colours(list(ROWS))
    figure = new_figure(9.2, 7.4 + 0.2 * bool(note))
    title = f"{split} split: softmax probability summed over all samples, and where regressors see the pixel"
    figure.suptitle(f"{title}\n{note}" if note else title)
    panels = figure.subplots(len(ROWS), 4, squeeze=False)
    for i, model in enumerate(ROWS):
        for j, part in enumerate(PARTS):
            _draw_map(panels[i, j], maps.get(model), part)
            _draw_points(panels[i, j + 2], predictions, model, part, colours[model], canvas)
    name_axes(panels, [model_name(model) for model in ROWS])
    for ax in panels[:, len(PARTS)]:
        ax.tick_params(labelleft=True)  # clouds have a margin, so their rows do not line up with those of the maps
    return figure


def _draw_map(ax: Axes, maps: Mapping[str, NDArray] | None, part: str) -> None:
    """Draw the summed softmax of one model on one part, black to white."""
    if maps is None:
        leave_empty(ax)
    else:
        largest = show_black_to_white(ax, maps[part])
        ax.set_title(f"{part}: white = {largest:.3g}")


def _draw_points(ax: Axes, predictions: Maps, model: str, part: str, colour: str, canvas: int) -> None:
    """Draw the predictions of one model on one part over the true centres; for "truth" the centres themselves."""
    if model == "truth" and predictions:
        centres = next(iter(predictions.values()))[f"{part}_centres"]
        draw_cloud(ax, centres, BLACK, canvas)
        ax.set_title(f"{part}: the centres")
    elif model in predictions:
        draw_prediction(ax, predictions[model], part, colour, canvas)
        ax.set_title(f"{part}: {ax.get_title()}")
    else:
        leave_empty(ax)
