"""Figure 7 of the paper: what generators make of two coloured objects, and where they put them."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from minicoord.plots.inputs import Lengths, check_arrays
from minicoord.plots.montage import MapsByModel, check_images, show_montage
from minicoord.plots.style import BLACK, BLUE, VERMILLION, check_models, model_name, new_figure, styled
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import shown

COLUMNS = ("samples", "centres of blue and red", "red minus blue", "average of all samples")
DOT = {"s": 3.0, "linewidths": 0, "alpha": 0.6}

ARRAYS: dict[str, Lengths] = {
    "samples": ("samples", "height", "width", 3),
    "average": ("height", "width", 3),
    "centres": ("images", 2, 2),
    "entropies": (3,),
}


@styled
@check_types
def two_objects_figure(maps: MapsByModel, title: str) -> Figure:
    """Draw samples, the centres of both objects, their differences and the average image; a row for each model.

    Parameters
    ----------
    maps : mapping of str to mapping of str to ndarray
        For each model, ``"truth"`` for the data: ``samples`` (M, H, W, 3) and ``average`` (H, W, 3) of uint8,
        ``centres`` (N, 2, 2), (x, y) of blue and red in pixels with NaN where one is missing, and ``entropies`` (3,) of
        red, blue and their difference.
    title : str
        The line above all panels.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If `maps` is empty, or its arrays are not as above.
    """
    models = check_models(maps, "two_objects_figure: maps")
    for model in models:
        what = f"two_objects_figure: maps[{shown(model)}]"
        check_arrays(what, maps[model], ARRAYS)
        check_images(maps[model], "samples", 4, what)
        check_images(maps[model], "average", 3, what)
    figure = new_figure(9.2, 0.9 + 2.45 * len(models))
    figure.suptitle(title)
    panels = figure.subplots(len(models), len(COLUMNS), squeeze=False)
    for row, model in zip(panels, models, strict=True):
        arrays = maps[model]
        samples = arrays["samples"]
        side = math.isqrt(len(samples))
        show_montage(row[0], samples[: side * side].reshape(side, side, *samples.shape[1:]))
        red, blue, difference = map(float, arrays["entropies"])
        centres, canvas = arrays["centres"].astype(np.float64), samples.shape[1]
        _draw_centres(row[1], centres, canvas)
        row[1].set_xlabel(f"entropy {blue:.2f} blue, {red:.2f} red", labelpad=3)
        _draw_differences(row[2], centres, canvas)
        row[2].set_xlabel(f"entropy {difference:.2f}", labelpad=3)
        row[3].imshow(arrays["average"], interpolation="nearest")
        row[3].set(xticks=[], yticks=[])
        row[0].set_ylabel(model_name(model), weight="bold")
    for ax, heading in zip(panels[0], COLUMNS, strict=True):
        ax.set_title(heading)
    return figure


def _draw_centres(ax: Axes, centres: NDArray[np.floating], canvas: int) -> None:
    """Draw the centres (N, 2, 2) in pixels; the paper's panels go from edge to edge of the image, y downwards."""
    for k, colour in enumerate((BLUE, VERMILLION)):
        ax.scatter(*centres[:, k].T, color=colour, **DOT)
    ax.set(xlim=(0, canvas), ylim=(canvas, 0), aspect="equal", xticks=(0, canvas), yticks=(0, canvas))


def _draw_differences(ax: Axes, centres: NDArray[np.floating], canvas: int) -> None:
    ax.scatter(*(centres[:, 1] - centres[:, 0]).T, color=BLACK, **DOT)
    ends = (-canvas, 0, canvas)
    ax.set(xlim=(-canvas, canvas), ylim=(canvas, -canvas), aspect="equal", xticks=ends, yticks=ends)
