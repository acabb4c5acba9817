"""The close-ups of the authors' blog (its figures 5 and 9): softmax and logits around one pixel."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from minicoord.plots.close_up import (
    SMALLEST_NUMBER,
    colour_bar,
    frame_target,
    place_of_largest,
    window_around,
    write_probabilities,
)
from minicoord.plots.style import check_image, model_name, new_figure, show_image, styled
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import shown

LARGEST_HALF_WITH_NUMBERS = 5


@styled
@check_types
def pixel_zoom(
    panels: Mapping[str, tuple[NDArray, NDArray]], target: tuple[int, int], half: int = 4, title: str = ""
) -> Figure:
    """Draw each model's softmax and logits in a window around the pixel that it should have found.

    Parameters
    ----------
    panels : dict of (ndarray (H, W), ndarray (H, W))
        For each model its logits and its softmax probabilities for the one sample.
    target : (int, int)
        The sample's pixel as (x, y): column, row.
    half : int
        The window reaches this many pixels from the target to each side, less at the border of the image.
    title : str
        A line above the figure; by default it names the target.

    Returns
    -------
    matplotlib.figure.Figure
        One row per model: softmax from 0 (black) to 1 (white), logits over their own range in the window. The
        target is framed in orange. In windows of at most 11 x 11 pixels, probabilities of .01 and more are written
        out.

    Raises
    ------
    ValueError
        If `panels` is empty, `half` is below 1, the two arrays of a model differ in shape or are not images, or the
        target lies outside the image.
    """
    if not panels:
        raise ValueError("pixel_zoom: panels is empty, wanted at least one model")
    if half < 1:
        raise ValueError(f"pixel_zoom: half is {shown(half)}, wanted 1 or more")
    half = int(half)  # numbers of NumPy would overflow
    figure = new_figure(7.0, 0.5 + 3.2 * len(panels))
    figure.suptitle(title or f"softmax and logits around the target pixel (x, y) = ({target[0]}, {target[1]})")
    axes = figure.subplots(len(panels), 2, squeeze=False)
    for row, (model, (logits, probabilities)) in enumerate(panels.items()):
        logits = check_image(logits, f"pixel_zoom: the logits of {model!r}")
        probabilities = check_image(probabilities, f"pixel_zoom: the probabilities of {model!r}")
        if logits.shape != probabilities.shape:
            raise ValueError(
                f"pixel_zoom: {shown(model)} has logits of shape {logits.shape} and probabilities of shape "
                f"{probabilities.shape}, wanted the same"
            )
        _draw_softmax(axes[row, 0], model, probabilities, target, half)
        _draw_logits(axes[row, 1], model, logits, target, half)
    return figure


def _draw_softmax(ax: Axes, model: str, probabilities: NDArray, target: tuple[int, int], half: int) -> None:
    """Draw the probabilities, 0 black and 1 white, and write out those that matter."""
    window, corner = window_around(probabilities, target, half)
    image = show_image(ax, window, "gray", 0.0, 1.0, corner)
    colour_bar(ax, image, "probability")
    frame_target(ax, target)
    ax.set_title(f"{model_name(model)}: softmax\n{_summary(probabilities, target, _probability)}")
    if half <= LARGEST_HALF_WITH_NUMBERS:
        write_probabilities(ax, window, corner, fontsize=7)


def _draw_logits(ax: Axes, model: str, logits: NDArray, target: tuple[int, int], half: int) -> None:
    """Draw the logits, from the smallest to the largest in the window."""
    window, corner = window_around(logits, target, half)
    finite = window[np.isfinite(window)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    image = show_image(ax, window, "cividis", low, high if high > low else low + 1.0, corner)
    colour_bar(ax, image, "logit")
    frame_target(ax, target)
    ax.set_title(f"{model_name(model)}: logits\n{_summary(logits, target, _logit)}")


def _probability(p: float) -> str:
    """Return the probability with two decimal places."""
    return "below .01" if p < SMALLEST_NUMBER else f"{p:.2f}"


def _logit(value: float) -> str:
    """Return the logit with one decimal place."""
    return f"{value:.1f}"


def _summary(image: NDArray, target: tuple[int, int], write: Callable[[float], str]) -> str:
    """Return the target's value and the largest of the whole image, which may lie outside the window, in words."""
    at_target = image[target[1], target[0]]
    if not np.isfinite(image).all():
        return f"target {write(at_target)}, not all values finite"
    x, y = place_of_largest(image)
    return f"target {write(at_target)}, largest {write(image[y, x])} at ({x}, {y})"
