"""The paper's Figure 2: examples of Not-so-Clevr, and what each split holds out for the test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Circle

from minicoord.datasets import NotSoClevr, Split
from minicoord.plots.style import ORANGE, label_pixel_axes, new_figure, show_black_to_white, styled
from minicoord.system.argument_types import check_types

PANEL_WIDTH = 1.7  # inches
EXAMPLES = ((0.2, 0.75), (0.43, 0.2), (0.62, 0.6), (0.85, 0.35))  # (x, y) as shares of the canvas
SPLIT_TITLES = {
    "uniform": "uniform split",
    "quadrant": "quadrant split",
    "quadrant-symmetric": "quadrant split, symmetric rule",
    "official-uniform": "uniform split of the released data",
}


@styled
@check_types
def not_so_clevr_figure(data: NotSoClevr, splits: Split | Sequence[Split]) -> Figure:
    """Draw examples of the data and, for each split, the sums of its train and test images.

    Parameters
    ----------
    data : NotSoClevr
    splits : Split, or a sequence of them
        The paper shows "uniform" and "quadrant".

    Returns
    -------
    matplotlib.figure.Figure
        At the top, one-hot centres, each circled because a single pixel is hard to see, and their squares; below them
        one row per split. Each panel runs from black at 0 to white at its own largest value, which is stated.
    """
    parts = list(splits) if isinstance(splits, Sequence) else [splits]
    height, width = data.canvas
    panel = PANEL_WIDTH * min(height / width, 2)
    heights = [2 * panel + 1.0, *[panel + 0.95] * len(parts)]
    figure = new_figure(4 * PANEL_WIDTH + 0.8, sum(heights))
    blocks = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    _draw_examples(blocks[0], data)
    for block, part in zip(blocks[1:], parts, strict=True):
        _draw_sums(block, data, part)
    return figure


def _draw_examples(block: SubFigure, data: NotSoClevr) -> None:
    """Draw a few samples: the one-hot centre above the square."""
    panels = block.subplots(2, len(EXAMPLES), squeeze=False)
    side = data.square
    block.suptitle(f"examples of the {len(data):,} samples: one-hot centre, and its {side} x {side} square")
    for column, place in enumerate(EXAMPLES):
        upper, lower = panels[:, column]
        index = _nearest_sample(data, place)
        x, y = data.centres[index]
        show_black_to_white(upper, data.one_hot([index])[0, :, :, 0])
        upper.add_patch(Circle((x, y), max(data.canvas) / 14, fill=False, color=ORANGE, linewidth=1.2))
        upper.set_title(f"(x, y) = ({x}, {y})")
        show_black_to_white(lower, data.squares([index])[0, :, :, 0])
        label_pixel_axes(upper, x=False, y=column == 0)
        label_pixel_axes(lower, x=True, y=column == 0)


def _nearest_sample(data: NotSoClevr, place: tuple[float, float]) -> int:
    """Return the index of the sample nearest to `place`, given as shares of the canvas's width and height."""
    height, width = data.canvas
    distance = np.abs(data.centres - np.multiply(place, (width - 1, height - 1))).sum(axis=1)
    return int(np.argmin(distance))


def _draw_sums(block: SubFigure, data: NotSoClevr, part: Split) -> None:
    """Draw the sums over train and over test, of the one-hot centres and of the squares."""
    panels: list[Axes] = list(block.subplots(1, 4))
    block.suptitle(f"{SPLIT_TITLES.get(part.name, part.name)}: sums over train and over test (black is 0)")
    columns = [
        ("train", "centres", data.one_hot(part.train)),
        ("test", "centres", data.one_hot(part.test)),
        ("train", "squares", data.squares(part.train)),
        ("test", "squares", data.squares(part.test)),
    ]
    for k, (ax, (name, what, images)) in enumerate(zip(panels, columns, strict=True)):
        largest = show_black_to_white(ax, images.sum(axis=0)[:, :, 0])
        ax.set_title(f"{name}: {len(images):,} {what}\nwhite = {largest:g}")
        label_pixel_axes(ax, x=True, y=k == 0)
