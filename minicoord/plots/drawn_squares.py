"""What the renderers draw: some squares, wanted and drawn, at positions of the train and of the test part."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from minicoord.plots.inputs import Lengths, check_arrays, check_size
from minicoord.plots.style import PARTS, check_models, model_name, new_figure, show_image, styled
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import shown

SQUARES: dict[str, Lengths] = {
    "train_samples": ("train samples", 2),
    "train_drawn": ("train samples", "H", "W"),
    "test_samples": ("test samples", 2),
    "test_drawn": ("test samples", "H", "W"),
}


@styled
@check_types
def drawn_squares(arrays: Mapping[str, Mapping[str, NDArray]], split: str, square: int = 9) -> Figure:
    """Draw a few squares of train and of test: in the top row the wanted ones, below them those of each model.

    Parameters
    ----------
    arrays : dict of dict of ndarray
        For each model: ``train_samples`` and ``test_samples``, shape (k, 2), the centres in pixels, and ``train_drawn``
        and ``test_drawn``, shape (k, H, W), the probabilities that the model drew for them. The samples are the same
        for all models.
    split : str
        The name of the split, for the title.
    square : int
        Side of the squares in pixels.

    Returns
    -------
    matplotlib.figure.Figure
        Black is a probability of 0, white a probability of 1.

    Raises
    ------
    ValueError
        If `arrays` is empty, or an array is missing or of another shape.
    """
    models = check_models(arrays, "drawn_squares: arrays")
    check_size("drawn_squares: square", square)
    for model in models:
        check_arrays(f"drawn_squares: arrays[{model!r}]", arrays[model], SQUARES)
    first = arrays[models[0]]
    for model, part in product(models, PARTS):
        shape, wanted = arrays[model][f"{part}_drawn"].shape, first[f"{part}_drawn"].shape
        if shape != wanted:
            raise ValueError(f"drawn_squares: '{part}_drawn' of {shown(model)} has shape {shape}, wanted {wanted}")
    columns = [(part, k) for part in PARTS for k in range(len(first[f"{part}_samples"]))]
    figure = new_figure(0.6 + 1.5 * len(columns), 0.9 + 1.6 * (len(models) + 1))
    figure.suptitle(f"squares wanted and drawn, {split} split, centres in pixels\n(black: probability 0, white: 1)")
    panels = figure.subplots(len(models) + 1, len(columns), squeeze=False)
    for j, (part, k) in enumerate(columns):
        x, y = (int(v) for v in first[f"{part}_samples"][k])
        wanted = np.zeros(first[f"{part}_drawn"][k].shape)
        half = square // 2
        wanted[max(0, y - half) : y + half + 1, max(0, x - half) : x + half + 1] = 1
        images = [wanted, *(arrays[model][f"{part}_drawn"][k] for model in models)]
        for i, image in enumerate(images):
            show_image(panels[i, j], np.asarray(image, np.float64), "gray", 0.0, 1.0)
            panels[i, j].set(xticks=[], yticks=[])
            if j == 0:
                panels[i, j].set_ylabel(model_name("truth" if i == 0 else models[i - 1]))
        panels[0, j].set_title(f"{part}, ({x}, {y})")
    return figure
