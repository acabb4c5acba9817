"""The paper's Figure 1: its toy tasks as sketches, with the output of the network and the loss."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from minicoord.plots.style import BLUE, VERMILLION, new_figure, styled

CANVAS, CENTRE, SQUARE = 32, (20, 11), 9  # a canvas of half the experiments' side, so that a pixel is visible
ARROW = {"arrowstyle": "-|>", "color": "0.25", "linewidth": 1.4}


@styled
def toy_tasks() -> Figure:
    """Draw the four tasks, one column each: the input, the network, the target, and the kind of output with its loss.

    Returns
    -------
    matplotlib.figure.Figure
        The canvas has 32 x 32 pixels in the drawing, 64 x 64 in the experiments.
    """
    one_hot, square = _canvas(1), _canvas(SQUARE)
    columns: list[tuple[str, Callable[[Axes], None], Callable[[Axes], None], str]] = [
        (
            "classification",
            _numbers("(x, y)"),
            _image(one_hot, "one of 4,096 pixels"),
            "softmax over all pixels\ncross-entropy",
        ),
        ("regression", _image(one_hot, "one lit pixel"), _numbers("(x, y)"), "two numbers, linear\nmean squared error"),
        (
            "rendering",
            _numbers("(x, y)"),
            _image(square, "9 x 9 square"),
            "sigmoid of each pixel\ncross-entropy, pixel by pixel",
        ),
        ("generation (GAN)", _noise, _image(_objects(), "two objects"), "RGB image\njudged by a second network"),
    ]
    figure = new_figure(9.4, 4.6)
    panels = figure.subplots(3, 4, height_ratios=(1, 0.5, 1))
    for (upper, middle, lower), (title, draw_input, draw_output, loss) in zip(panels.T, columns, strict=True):
        draw_input(upper)
        draw_output(lower)
        upper.set_title(title, fontweight="bold", pad=18)
        _network(middle)
        lower.text(0.5, -0.28, loss, transform=lower.transAxes, ha="center", va="top")
    for ax, y, words in (
        (panels[0, 0], 0.6, "input"),
        (panels[2, 0], 0.6, "target"),
        (panels[2, 0], -0.28, "output\nloss"),
    ):
        ax.text(-0.35, y, words, transform=ax.transAxes, ha="right", va="top", color="0.35")
    return figure


def _canvas(side: int) -> NDArray:
    """Return a black canvas (H, W) with a white square of `side` pixels around the centre."""
    image = np.zeros((CANVAS, CANVAS))
    x, y = CENTRE
    half = side // 2
    image[y - half : y + half + 1, x - half : x + half + 1] = 1
    return image


def _objects() -> NDArray:
    """Return a white image (H, W, 3) with a blue square and a red circle, as in the generative tasks."""
    image = np.ones((64, 64, 3))
    y, x = np.mgrid[:64, :64]
    blue, red = (tuple(int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)) for colour in (BLUE, VERMILLION))
    image[(abs(x - 18) <= 10) & (abs(y - 22) <= 10)] = blue
    image[(x - 42) ** 2 + (y - 42) ** 2 <= 100] = red
    return image


def _image(image: NDArray, words: str) -> Callable[[Axes], None]:
    """Return a function that draws an image with a grid of pixels and `words` below it."""

    def draw(ax: Axes) -> None:
        height, width = image.shape[:2]
        ax.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest", extent=(0, width, height, 0))
        if height == CANVAS:
            for k in range(1, CANVAS):
                ax.axhline(k, color="0.35", linewidth=0.2)
                ax.axvline(k, color="0.35", linewidth=0.2)
        ax.set(xticks=[], yticks=[])
        ax.set_xlabel(words, labelpad=3)

    return draw


def _numbers(words: str) -> Callable[[Axes], None]:
    """Return a function that draws `words` in a box."""

    def draw(ax: Axes) -> None:
        _blank(ax)
        box = {"boxstyle": "round,pad=0.5", "facecolor": "0.94", "edgecolor": "0.4"}
        ax.text(0.5, 0.5, words, ha="center", va="center", fontsize=13, bbox=box)

    return draw


def _noise(ax: Axes) -> None:
    """Draw a random vector as a row of bars."""
    _blank(ax)
    values = np.random.default_rng(3).uniform(-1, 1, 12)
    ax.bar(np.linspace(0.1, 0.9, 12), 0.22 * values, width=0.05, bottom=0.5, color="0.35")
    ax.text(0.5, 0.14, "random vector z", ha="center", va="center")


def _network(ax: Axes) -> None:
    """Draw the box of the network between two arrows that point down."""
    _blank(ax)
    ax.set_aspect("auto")
    for start, end in pairwise((1.05, 0.72, None, 0.28, -0.05)):
        if start is not None and end is not None:
            ax.annotate("", (0.5, end), (0.5, start), arrowprops=ARROW, annotation_clip=False)
    box = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": "0.25"}
    ax.text(0.5, 0.5, "network", ha="center", va="center", bbox=box)


def _blank(ax: Axes) -> None:
    """Make a square, empty panel without axes."""
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    ax.set_axis_off()
