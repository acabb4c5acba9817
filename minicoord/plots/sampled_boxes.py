"""The boxes that the loss of a detector sees."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from minicoord.plots.box_panels import (
    TRUTH_COLOUR,
    MapsByModel,
    check_boxes,
    draw_boxes,
    figure_width,
    name_rows,
    show_canvas,
)
from minicoord.plots.style import SKY_BLUE, VERMILLION, check_models, model_name, new_figure, styled
from minicoord.system.argument_types import check_types

DASHED = (0, (3, 2))


@styled
@check_types
def sampled_boxes(maps: MapsByModel, padding: str) -> Figure:
    """Draw images with the boxes that training would see after the last step: positive and negative ones.

    Parameters
    ----------
    maps : dict of dict of ndarray
        As for `kept_boxes`, with ``positive`` and ``negative`` (E, 6, 4) in place of the kept boxes: boxes that were
        drawn among those that hold a digit, and among those of background; NaN where there are fewer.
    padding : str
        The padding of the networks, for the title.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each network; the boxes of the digits lie below the others.

    Raises
    ------
    ValueError
        If `maps` is empty, or an array is missing or of another shape.
    """
    models = check_models(maps, "sampled_boxes: maps")
    check_boxes("sampled_boxes", maps, models, {"positive": ("E", "P", 4), "negative": ("E", "Q", 4)})
    columns = len(maps[models[0]]["images"])
    figure = new_figure(figure_width(columns), 0.9 + 1.8 * len(models))
    figure.suptitle(f'boxes that the loss sees, padding "{padding}"')
    panels = figure.subplots(len(models), columns, squeeze=False)
    for row, model in enumerate(models):
        for k in range(columns):
            arrays, ax = maps[model], panels[row, k]
            show_canvas(ax, arrays["images"][k])
            draw_boxes(ax, arrays["truth"][k], TRUTH_COLOUR, 0.8)
            draw_boxes(ax, arrays["positive"][k], SKY_BLUE, 1.5)
            draw_boxes(ax, arrays["negative"][k], VERMILLION, 1.2, linestyle=DASHED)
    name_rows(panels, [model_name(model) for model in models])
    handles = [
        Line2D([], [], color=TRUTH_COLOUR, linewidth=1.5, label="digit"),
        Line2D([], [], color=SKY_BLUE, linewidth=1.5, label="positive: holds a digit"),
        Line2D([], [], color=VERMILLION, linewidth=1.2, linestyle=DASHED, label="negative: background"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure
