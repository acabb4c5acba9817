"""Accuracy against the place of an image on its canvas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from minicoord.plots.style import check_models, model_name, new_figure, show_image, styled
from minicoord.system.argument_types import check_types


@dataclass(frozen=True, eq=False)
class Guesses:
    """What a network said about images, and where they were.

    Attributes
    ----------
    places : ndarray of int, (n, 2)
        Row and column of each image's top left corner, in pixels, not negative.
    right : ndarray of bool, (n,)
        Whether the class was right.
    new : ndarray of bool, (n,)
        Whether no training image was at that place.
    """

    places: NDArray[np.integer]
    right: NDArray[np.bool_]
    new: NDArray[np.bool_]


def accuracy_by_place(guesses: Guesses, side: int) -> NDArray[np.float64]:
    """Return the share of right guesses at each place (side, side), row and column; NaN where no image was."""
    flat = np.asarray(guesses.places, np.int64) @ (side, 1)  # (n,)
    count = np.bincount(flat, minlength=side * side)
    right = np.bincount(flat, weights=guesses.right.astype(np.float64), minlength=side * side)
    with np.errstate(invalid="ignore"):
        return (right / np.where(count, count, np.nan)).reshape(side, side)


@styled
@check_types
def place_accuracy(guesses: Mapping[str, Guesses], title: str = "") -> Figure:
    """Draw the accuracy at each place as an image, a panel for each model.

    Parameters
    ----------
    guesses : dict of Guesses
        Those of each model.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        All panels share one scale. A line encloses the places that were new; places without an image are grey.

    Raises
    ------
    ValueError
        If `guesses` is empty, or has no image.
    """
    models = check_models(guesses, "place_accuracy: guesses")
    if not all(len(guesses[model].right) for model in models):
        raise ValueError("place_accuracy: a model has no guesses, wanted at least one")
    side = 1 + max(int(guesses[model].places.max()) for model in models)
    maps = {model: 100 * accuracy_by_place(guesses[model], side) for model in models}
    low, high = (bound([bound(maps[m][np.isfinite(maps[m])]) for m in models]) for bound in (np.min, np.max))
    figure = new_figure(1.2 + 2.7 * len(models), 3.9)
    figure.suptitle(title)
    panels = figure.subplots(1, len(models), squeeze=False)[0]
    for k, (ax, model) in enumerate(zip(panels, models, strict=True)):
        image = show_image(ax, maps[model], "cividis", float(low), float(high))
        image.set_cmap(matplotlib.colormaps["cividis"].with_extremes(bad="0.85"))
        found = guesses[model]
        is_new = np.zeros((side, side))
        is_new[tuple(found.places[found.new].T)] = 1
        if found.new.any() and not found.new.all():
            fine = np.kron(is_new, np.ones((8, 8)))  # so that the line follows the borders of the pixels
            at = (np.arange(8 * side) + 0.5) / 8 - 0.5
            ax.contour(at, at, fine, levels=[0.5], colors="white", linewidths=1.5)
        ax.set_title(f"{model_name(model)}\n{_means(found)}")
        ax.set_xlabel("columns to the right (pixels)")
        if k == 0:
            ax.set_ylabel("rows down (pixels)")
        else:
            ax.set_yticklabels([])
    figure.colorbar(panels[0].images[0], ax=panels, label="accuracy (%)", shrink=0.8)
    return figure


def _means(found: Guesses) -> str:
    """Return the accuracies at places that were in training and that were not, in words."""
    parts = [("seen", found.right[~found.new]), ("new", found.right[found.new])]
    return ", ".join(f"{name}: {100 * right.mean():.1f} %" for name, right in parts if len(right))
