"""What figures of boxes share: an image with boxes over it.

A box is (i, j, h, w): row and column of its centre, height and width in pixels from the image's top left corner, which
lies half a pixel above and left of the middle of the first pixel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from minicoord.plots.inputs import Lengths, check_arrays
from minicoord.plots.style import label_pixel_axes, show_image
from minicoord.system.arguments import shown

TRUTH_COLOUR = "#F0E442"  # the yellow of Okabe and Ito, which shows on black

MapsByModel = Mapping[str, Mapping[str, NDArray]]
"""The arrays of a run of each network, as `minicoord.experiments.detection` measures them."""

BOXES: dict[str, Lengths] = {"images": ("E", "H", "W"), "truth": ("E", "D", 4)}
"""What every figure of boxes reads of a network: images, and the boxes of their digits."""


def check_boxes(what: str, maps: MapsByModel, models: Sequence[str], more: Mapping[str, Lengths]) -> None:
    """Raise ValueError if an array that a figure of boxes reads is missing or of another shape.

    All networks have the same images, so the first says how many there are.
    """
    for model in models:
        check_arrays(f"{what}: maps[{model!r}]", maps[model], {**BOXES, **more})
        if maps[model]["images"].shape != maps[models[0]]["images"].shape or not len(maps[model]["images"]):
            shape = maps[models[0]]["images"].shape
            raise ValueError(
                f"{what}: the images of {shown(model)} have shape {maps[model]['images'].shape} and those of "
                f"{shown(models[0])} {shape}, wanted the same, and at least one"
            )


def show_canvas(ax: Axes, image: NDArray) -> None:
    """Draw an image (H, W), black to white; boxes that stick out of it are cut off at its edge."""
    show_image(ax, image, "gray", 0.0, 1.0)
    height, width = image.shape
    ax.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))


def draw_boxes(ax: Axes, boxes: NDArray, colour: str, widths: float | NDArray, **look: Any) -> None:
    """Draw the outlines of boxes (K, 4), in pixels; those with NaN are left out.

    Parameters
    ----------
    ax : Axes
    boxes : ndarray (K, 4)
    colour : str
    widths : float or ndarray (K,)
        Line widths in points.
    **look
        For `matplotlib.patches.Rectangle`.
    """
    for (i, j, h, w), line in zip(boxes, np.broadcast_to(widths, len(boxes)), strict=True):
        if np.isfinite([i, j, h, w]).all():
            corner = (float(j - w / 2 - 0.5), float(i - h / 2 - 0.5))
            ax.add_patch(
                Rectangle(corner, float(w), float(h), fill=False, edgecolor=colour, linewidth=float(line), **look)
            )


def figure_width(columns: int) -> float:
    """Return the width, in inches, of a figure with so many image panels in a row; the legend needs some of it."""
    return max(0.7 + 1.75 * columns, 5.2)


def name_rows(panels: NDArray, names: Sequence[str]) -> None:
    """Write the name of each row of image panels at its left, and label the axes of the outermost panels."""
    for row, name in zip(panels, names, strict=True):
        row[0].text(-0.34, 0.5, name, transform=row[0].transAxes, rotation=90, ha="right", va="center", weight="bold")
    for place, ax in np.ndenumerate(panels):
        label_pixel_axes(ax, x=place[0] == len(panels) - 1, y=place[1] == 0)
