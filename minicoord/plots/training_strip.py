"""How a generator learned: its images of the same random vectors, report by report."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from minicoord.plots.inputs import check_arrays
from minicoord.plots.montage import MapsByModel, check_images, show_montage
from minicoord.plots.style import check_models, model_name, new_figure, styled
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import shown

MOST = 10  # reports that are shown


@styled
@check_types
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
        If `maps` is empty, or its arrays are not as above.
    """
    models = check_models(maps, "training_strip: maps")
    for model in models:
        what = f"training_strip: maps[{shown(model)}]"
        reports = len(check_images(maps[model], "strip", 5, what))
        check_arrays(what, maps[model], {"strip_steps": (reports,)})
        if maps[model]["strip_steps"].dtype.kind not in "iu":
            raise ValueError(
                f"{what}['strip_steps'] has dtype {maps[model]['strip_steps'].dtype}, wanted whole numbers"
            )
    rows = max(min(len(maps[model]["strip"]), MOST) for model in models)
    figure = new_figure(0.8 + 4.2 * len(models), 0.9 + 0.5 * rows)
    figure.suptitle(f"the same random vectors over the steps, {variant} recipe")
    for ax, model in zip(figure.subplots(1, len(models), squeeze=False)[0], models, strict=True):
        strip = maps[model]["strip"]
        reports = np.unique(np.linspace(0, len(strip) - 1, MOST).round().astype(int))
        names = [f"{maps[model]['strip_steps'][report]:,}" for report in reports]
        show_montage(ax, strip[reports], names)
        ax.set_title(model_name(model))
        ax.set_ylabel("steps")
    return figure
