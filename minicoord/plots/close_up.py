"""What close-ups of a few pixels share: the window around a target, its frame, and written probabilities."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from minicoord.plots.style import ORANGE

SMALLEST_NUMBER = 0.01  # probabilities below this are not written out


def window_around(image: NDArray, target: tuple[int, int], half: int) -> tuple[NDArray, tuple[int, int]]:
    """Return the part of an image (H, W) around the target (x, y), and the (x, y) of the window's first pixel.

    The window reaches `half` pixels from the target to each side, less at the border of the image.
    """
    height, width = image.shape
    x, y = target
    if not (0 <= x < width and 0 <= y < height):
        raise ValueError(
            f"the target (x, y) = ({x}, {y}) lies outside the image, wanted x below {width} and y below {height}"
        )
    left, top = max(x - half, 0), max(y - half, 0)
    return image[top : y + half + 1, left : x + half + 1], (left, top)


def frame_target(ax: Axes, target: tuple[int, int]) -> None:
    """Frame the target's pixel and label the axes."""
    x, y = target
    for colour, width in (("black", 3.6), (ORANGE, 2)):  # orange alone is hard to see on bright logits
        ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, edgecolor=colour, linewidth=width))
    ax.set_xticks(_ticks(ax.get_xticks(), x))
    ax.set_yticks(_ticks(ax.get_yticks(), y))
    ax.set_xlabel("x (pixels)")
    ax.set_ylabel("y (pixels)")


def _ticks(ends: NDArray, target: int) -> list[float]:
    """Return the target and those ends of the axis that are far enough from it for both numbers to be legible."""
    room = (ends[-1] - ends[0]) / 8
    return sorted({target, *(float(end) for end in ends if abs(end - target) > room)})


def write_probabilities(ax: Axes, window: NDArray, corner: tuple[int, int], fontsize: float) -> None:
    """Write each probability of .01 or more into its pixel, such as ".25", black on white and white on black."""
    for i, j in zip(*np.nonzero(window >= SMALLEST_NUMBER), strict=True):
        p = window[i, j]
        text = "1" if p >= 0.995 else f"{p:.2f}"[1:]
        x, y = corner[0] + j, corner[1] + i
        ax.text(x, y, text, ha="center", va="center", fontsize=fontsize, color=str(float(p < 0.5)))


def colour_bar(ax: Axes, image: AxesImage, label: str, width: float = 0.06) -> None:
    """Draw the colour bar beside the panel, exactly as high as it; `width` is a share of the panel's."""
    ax.figure.colorbar(image, cax=ax.inset_axes((1.04, 0, width, 1)), label=label)


def place_of_largest(image: NDArray) -> tuple[int, int]:
    """Return the (x, y) of the largest value of an image (H, W)."""
    y, x = np.unravel_index(np.argmax(image), image.shape)
    return int(x), int(y)
