"""How a generator learned: its images of the same random vectors, report by report."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minicoord.plots.montage import MapsByModel, check_uint8, show_montage
from minicoord.plots.style import check_models, model_name, new_figure, styled

MOST = 10  # reports that are shown


@styled
def training_strip(maps: MapsByModel, variant: str) -> Figure:
    """Draw for each model a montage with a column for each random vector, and a row for each of up to ten reports.

    Parameters
    ----------
    maps : mapping of str to mapping of str to ndarray
        For each model ``strip`` (R, K, H, W, 3) of uint8, images of K random vectors at R reports, and ``strip_steps``
        (R,), after how many steps each was.
    variant : str
        What the title says of the runs, such as the recipe.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If `maps` is empty, or its images are not as above.
    """
    models = check_models(maps, "training_strip: maps")
    rows = max(min(len(maps[model]["strip"]), MOST) for model in models)
    figure = new_figure(0.8 + 4.2 * len(models), 0.9 + 0.5 * rows)
    figure.suptitle(f"the same random vectors after some steps of training, {variant} recipe")
    for ax, model in zip(figure.subplots(1, len(models), squeeze=False)[0], models, strict=True):
        strip = check_uint8(maps[model]["strip"], 5, "training_strip: strip")
        shown = np.unique(np.linspace(0, len(strip) - 1, MOST).round().astype(int))
        names = [f"{maps[model]['strip_steps'][report]:,}" for report in shown]
        show_montage(ax, strip[shown], names)
        ax.set_title(model_name(model))
        ax.set_ylabel("steps")
    return figure
