"""Images beside what autoencoders make of them."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minicoord.plots.montage import MapsByModel, check_images, show_montage
from minicoord.plots.style import check_models, model_name, new_figure, styled
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import shown


@styled
@check_types
def reconstruction_rows(maps: MapsByModel, title: str) -> Figure:
    """Draw a row of images, and below it a row for each model with its reconstructions.

    Parameters
    ----------
    maps : mapping of str to mapping of str to ndarray
        For each model ``originals`` and ``reconstructions``, both (M, H, W, 3) of uint8. The originals are the same for
        all models.
    title : str
        The line above all rows.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If `maps` is empty, or its images are not as above.
    """
    models = check_models(maps, "reconstruction_rows: maps")
    rows, names = [], []
    for model in models:
        what = f"reconstruction_rows: maps[{shown(model)}]"
        for name in ("originals", "reconstructions"):
            check_images(maps[model], name, 4, what)
        originals, made = maps[model]["originals"], maps[model]["reconstructions"]
        if not rows:
            rows, names = [originals], ["truth"]
        if made.shape != rows[0].shape or not np.array_equal(originals, rows[0]):
            raise ValueError(f"{what} is of other images than those of {shown(models[0])}, wanted the same for all")
        rows.append(made)
        names.append(model)
    figure = new_figure(0.9 + 0.7 * len(rows[0]), 0.5 + 0.72 * len(rows))
    figure.suptitle(title)
    show_montage(figure.subplots(), np.stack(rows), [model_name(name) for name in names])
    return figure
