"""The close-ups of the authors' blog (its figures 5 and 9): softmax and logits around one pixel."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from minicoord.plots.style import ORANGE, check_image, model_name, new_figure, show_image, styled

LARGEST_HALF_WITH_NUMBERS = 5
SMALLEST_NUMBER = 0.01


@styled
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
        target is framed in orange. Probabilities of .01 and more are written out while the window is at most
        11 pixels wide.

    Raises
    ------
    ValueError
        If `panels` is empty, an array has not two axes, or the target lies outside the image.
    """
    if not panels:
        raise ValueError("pixel_zoom: panels is empty, wanted at least one model")
    if half < 1:
        raise ValueError(f"pixel_zoom: half is {half}, wanted 1 or more")
    figure = new_figure(7.0, 0.5 + 3.2 * len(panels))
    figure.suptitle(title or f"softmax and logits around the target pixel (x, y) = ({target[0]}, {target[1]})")
    axes = figure.subplots(len(panels), 2, squeeze=False)
    for row, (model, (logits, probabilities)) in enumerate(panels.items()):
        logits = check_image(logits, f"pixel_zoom: the logits of {model!r}")
        probabilities = check_image(probabilities, f"pixel_zoom: the probabilities of {model!r}")
        if logits.shape != probabilities.shape:
            raise ValueError(
                f"pixel_zoom: {model!r} has logits of shape {logits.shape} and probabilities of shape "
                f"{probabilities.shape}, wanted the same"
            )
        _draw_softmax(axes[row, 0], model, probabilities, target, half)
        _draw_logits(axes[row, 1], model, logits, target, half)
    return figure


def window_around(image: NDArray, target: tuple[int, int], half: int) -> tuple[NDArray, tuple[int, int]]:
    """Return the part of `image` around the target and the (x, y) of its first pixel."""
    height, width = image.shape
    x, y = target
    if not (0 <= x < width and 0 <= y < height):
        raise ValueError(
            f"pixel_zoom: the target (x, y) = ({x}, {y}) lies outside the image, "
            f"wanted x below {width} and y below {height}"
        )
    left, top = max(x - half, 0), max(y - half, 0)
    return image[top : y + half + 1, left : x + half + 1], (left, top)


def frame_target(ax: Axes, target: tuple[int, int]) -> None:
    """Frame the target's cell and name the axes."""
    x, y = target
    for colour, width in (("black", 3.6), (ORANGE, 2)):  # orange alone is lost on bright logits
        ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, edgecolor=colour, linewidth=width))
    ax.set_xticks(_ticks(ax.get_xticks(), x))
    ax.set_yticks(_ticks(ax.get_yticks(), y))
    ax.set_xlabel("x (pixels)")
    ax.set_ylabel("y (pixels)")


def _ticks(ends: NDArray, target: int) -> list[float]:
    """Return the target and those ends of the axis that are far enough from it for both numbers to be read."""
    room = (ends[-1] - ends[0]) / 8
    return sorted({target, *(float(end) for end in ends if abs(end - target) > room)})


def _colour_bar(ax: Axes, image: AxesImage, label: str) -> None:
    """Draw the colour bar beside the panel and exactly as high."""
    ax.figure.colorbar(image, cax=ax.inset_axes((1.04, 0, 0.06, 1)), label=label)


def _draw_softmax(ax: Axes, model: str, probabilities: NDArray, target: tuple[int, int], half: int) -> None:
    """Draw the probabilities, 0 black and 1 white, and write down those that matter."""
    window, corner = window_around(probabilities, target, half)
    image = show_image(ax, window, "gray", 0.0, 1.0, corner)
    _colour_bar(ax, image, "probability")
    frame_target(ax, target)
    ax.set_title(f"{model_name(model)}: softmax\n{_summary(probabilities, target, _probability)}")
    if half > LARGEST_HALF_WITH_NUMBERS:
        return
    for i, j in zip(*np.nonzero(window >= SMALLEST_NUMBER), strict=True):
        p = window[i, j]
        text = "1" if p >= 0.995 else f"{p:.2f}"[1:]
        ax.text(corner[0] + j, corner[1] + i, text, ha="center", va="center", fontsize=7, color=str(float(p < 0.5)))


def _draw_logits(ax: Axes, model: str, logits: NDArray, target: tuple[int, int], half: int) -> None:
    """Draw the logits over the range that they have in the window."""
    window, corner = window_around(logits, target, half)
    finite = window[np.isfinite(window)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    image = show_image(ax, window, "cividis", low, high if high > low else low + 1.0, corner)
    _colour_bar(ax, image, "logit")
    frame_target(ax, target)
    ax.set_title(f"{model_name(model)}: logits\n{_summary(logits, target, _logit)}")


def _probability(p: float) -> str:
    """Return the probability with two decimals."""
    return "below .01" if p < SMALLEST_NUMBER else f"{p:.2f}"


def _logit(value: float) -> str:
    """Return the logit with one decimal."""
    return f"{value:.1f}"


def _summary(image: NDArray, target: tuple[int, int], write: Callable[[float], str]) -> str:
    """Give the target's value and the largest of the whole image, which may lie outside the window."""
    at_target = image[target[1], target[0]]
    if not np.isfinite(image).all():
        return f"target {write(at_target)}, not all values finite"
    y, x = np.unravel_index(np.argmax(image), image.shape)
    return f"target {write(at_target)}, largest {write(image[y, x])} at ({x}, {y})"
