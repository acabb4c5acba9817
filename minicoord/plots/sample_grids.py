"""What generators make, beside the images that they were trained on."""

from __future__ import annotations

import math

from matplotlib.figure import Figure

from minicoord.plots.montage import MapsByModel, check_images, show_montage
from minicoord.plots.style import check_models, model_name, new_figure, styled
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import shown


@styled
@check_types
def sample_grids(maps: MapsByModel, title: str) -> Figure:
    """Draw a square of samples for each model, side by side.

    Parameters
    ----------
    maps : mapping of str to mapping of str to ndarray
        For each model, ``"truth"`` for the data, ``samples`` (M, H, W, 3) of uint8; of M the largest square number is
        drawn.
    title : str
        The line above all panels.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If `maps` is empty, or its images are not as above.
    """
    models = check_models(maps, "sample_grids: maps")
    figure = new_figure(0.3 + 3.1 * len(models), 3.7)
    figure.suptitle(title)
    for ax, model in zip(figure.subplots(1, len(models), squeeze=False)[0], models, strict=True):
        samples = check_images(maps[model], "samples", 4, f"sample_grids: maps[{shown(model)}]")
        side = math.isqrt(len(samples))
        show_montage(ax, samples[: side * side].reshape(side, side, *samples.shape[1:]))
        ax.set_title(model_name(model))
    return figure
