"""The boxes that detectors keep, beside the digits."""

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
from minicoord.plots.style import check_models, model_colours, model_name, new_figure, styled
from minicoord.system.argument_types import check_types

LEAST, MOST = 0.3, 2.6  # line widths in points, for the scores 0 and 1


@styled
@check_types
def kept_boxes(maps: MapsByModel, padding: str) -> Figure:
    """Draw test images with the boxes of their digits, and in a row for each network with the boxes that it keeps.

    Parameters
    ----------
    maps : dict of dict of ndarray
        For each network ``images`` (E, H, W), intensities from 0 to 1; ``truth`` (E, D, 4), the boxes of the digits;
        ``boxes`` (E, K, 4) and ``scores`` (E, K), the kept boxes and their scores, NaN where there are fewer. Boxes are
        (i, j, h, w): row and column of the centre, height and width in pixels. All networks have the same images.
    padding : str
        The padding of the networks, for the title.

    Returns
    -------
    matplotlib.figure.Figure
        The higher the score of a box, the wider its line.

    Raises
    ------
    ValueError
        If `maps` is empty, or an array is missing or of another shape.
    """
    models = check_models(maps, "kept_boxes: maps")
    check_boxes("kept_boxes", maps, models, {"boxes": ("E", "K", 4), "scores": ("E", "K")})
    first, colours = maps[models[0]], model_colours(models)
    columns = len(first["images"])
    figure = new_figure(figure_width(columns), 0.9 + 1.8 * (1 + len(models)))
    figure.suptitle(f'kept boxes on test images, padding "{padding}"')
    panels = figure.subplots(1 + len(models), columns, squeeze=False)
    for k in range(columns):
        show_canvas(panels[0, k], first["images"][k])
        draw_boxes(panels[0, k], first["truth"][k], TRUTH_COLOUR, 1.2)
        for row, model in enumerate(models, start=1):
            show_canvas(panels[row, k], maps[model]["images"][k])
            widths = LEAST + (MOST - LEAST) * maps[model]["scores"][k]  # (K,)
            draw_boxes(panels[row, k], maps[model]["boxes"][k], colours[model], widths)
    name_rows(panels, [model_name(model) for model in ("truth", *models)])
    scores = (0.0, 0.5, 1.0)
    handles = [
        Line2D([], [], color="0.35", linewidth=LEAST + (MOST - LEAST) * score, label=f"score {score:g}")
        for score in scores
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    return figure
