"""The left half of the paper's Figure 5: where a classifier puts its probability, summed over train or test."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure
from numpy.typing import NDArray

from minicoord.plots.style import (
    PARTS,
    check_image,
    label_pixel_axes,
    model_name,
    new_figure,
    order_models,
    show_black_to_white,
    styled,
)
from minicoord.system.argument_types import check_types


@styled
@check_types
def softmax_maps(maps: Mapping[str, Mapping[str, NDArray]], split: str) -> Figure:
    """Draw the summed softmax probabilities of the train and of the test samples, one row per model.

    Parameters
    ----------
    maps : dict of dict of ndarray (H, W)
        ``maps[model][part]`` is the sum of the softmax images of all samples of the part, "train" or "test". The
        model "truth" holds the sums of the one-hot images. Models come in the order truth, conv, coordconv,
        then any others; a missing model has no row, a missing part an empty panel.
    split : str
        The name of the split, for the title.

    Returns
    -------
    matplotlib.figure.Figure
        Each panel runs from black at 0 to white at its own largest value, as in the paper. That value is stated,
        because brightness alone does not tell a sum of 2 from a sum of 200.

    Raises
    ------
    ValueError
        If `maps` is empty, or an array does not have two axes.
    """
    models = order_models(model for model in maps if maps[model])
    if not models:
        raise ValueError("softmax_maps: maps is empty, wanted at least one of 'truth', 'conv' and 'coordconv'")
    images = {
        (model, part): check_image(image, f"softmax_maps: the map of {model!r}, {part!r}")
        for model in models
        for part, image in maps[model].items()
    }
    height, width = next(iter(images.values())).shape
    figure = new_figure(5.4, 0.9 + len(models) * (0.25 + 2.35 * min(height / width, 2)))
    figure.suptitle(
        f"softmax probability summed over all samples, {split} split\n"
        "(black is 0, white the largest value of the panel)"
    )
    panels = figure.subplots(len(models), len(PARTS), squeeze=False)
    for i, model in enumerate(models):
        for j, part in enumerate(PARTS):
            ax = panels[i, j]
            if (model, part) not in images:
                ax.set_axis_off()
                continue
            largest = show_black_to_white(ax, images[model, part])
            ax.set_title(f"{model_name(model)}, {part}: white = {largest:.3g}")
            label_pixel_axes(ax, x=i == len(models) - 1, y=j == 0)
    return figure
