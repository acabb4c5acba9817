"""The paper's Figure 3: a convolution beside a CoordConv, which sees two more channels."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from minicoord.nn.layers.coordinates import AddCoords
from minicoord.plots.style import BLUE, ORANGE, new_figure, styled
from minicoord.system.argument_types import check_types

SIDE = 6  # pixels of the maps in the drawing
SHIFT = 0.16  # each card lies this far to the right of, and above, the one in front of it; a card is 1 wide
ARROW = {"arrowstyle": "-|>", "color": "0.25", "linewidth": 1.4}
PLAIN = "0.85"
WIDTHS, MARGIN = (4.15, 7.45), 0.3  # of the two drawings, in widths of a card


@styled
@check_types
def coord_block(with_r: bool = False) -> Figure:
    """Draw both layers as stacks of channels: a convolution on the left, a CoordConv on the right.

    Parameters
    ----------
    with_r : bool
        Whether the CoordConv also sees the distance from the centre.

    Returns
    -------
    matplotlib.figure.Figure
        The added channels show the values that `AddCoords` gives, from black at -1 to white at 1; r, which reaches from
        0 to the square root of 2, likewise from its smallest to its largest value.
    """
    names = ("i", "j", "r") if with_r else ("i", "j")
    coordinates = AddCoords(with_r).forward(np.zeros((1, SIDE, SIDE, 1), np.float32))[0, :, :, 1:]
    figure = new_figure(9.4, 3.7)
    left, right = figure.subplots(1, 2, width_ratios=(WIDTHS[0] + MARGIN, WIDTHS[1] + MARGIN))
    _convolution(left)
    _coordconv(right, [coordinates[..., k] for k in range(len(names))], names)
    return figure


def _convolution(ax: Axes) -> None:
    _stack(ax, 0.0, 0.0, [PLAIN] * 3)
    _label(ax, 0.0, "input\n$h \\times w \\times c$")
    _arrow(ax, (1.45, 0.65), (2.35, 0.65), "convolution")
    _stack(ax, 2.5, 0.0, [PLAIN] * 4)
    _label(ax, 2.5, "output\n$h' \\times w' \\times c'$")
    _finish(ax, "convolution", WIDTHS[0])


def _coordconv(ax: Axes, coordinates: list[NDArray], names: tuple[str, ...]) -> None:
    _stack(ax, 0.0, 0.0, [PLAIN] * 3)
    _label(ax, 0.0, "input\n$h \\times w \\times c$")
    extra = len(names)
    _arrow(ax, (1.45, 0.65), (2.45, 0.65), "concatenate")
    _stack(ax, 2.6, 0.0, [PLAIN] * 3 + list(coordinates))
    _label(ax, 2.6, f"with coordinates\n$h \\times w \\times (c + {extra})$")
    for k, (image, name) in enumerate(zip(coordinates, names, strict=True)):
        _card(ax, 1.25 * k, 2.05, image)
        words = {"i": "$i$: the row", "j": "$j$: the column", "r": "$r$: distance"}[name]
        ax.text(1.25 * k + 0.5, 3.12, words, ha="center", va="bottom")
    right = 1.25 * extra - 0.25
    _arrow(ax, (right + 0.1, 2.45), (3.6 + SHIFT * (extra + 1), 1.1 + SHIFT * (extra + 2)), "")
    meaning = "black: -1, white: 1" + ("\n$r$: white, far from the middle" if extra == 3 else "")
    ax.text(right + 0.2, 2.85, meaning, ha="left", va="center", color="0.35", fontsize=8)
    _arrow(ax, (4.7, 0.65), (5.6, 0.65), "convolution")
    _stack(ax, 5.75, 0.0, [PLAIN] * 4)
    _label(ax, 5.75, "output\n$h' \\times w' \\times c'$")
    _finish(ax, "CoordConv", WIDTHS[1])


def _stack(ax: Axes, x: float, y: float, cards: list[str | NDArray]) -> None:
    """Draw channels as cards, the first one in front."""
    for k, card in enumerate(reversed(cards)):
        shift = SHIFT * (len(cards) - 1 - k)
        _card(ax, x + shift, y + shift, card)


def _card(ax: Axes, x: float, y: float, card: str | NDArray) -> None:
    """Draw one channel as a square with its lower left corner at (x, y): a plain colour, or an image (H, W)."""
    if isinstance(card, str):
        ax.add_patch(Rectangle((x, y), 1, 1, facecolor=card, edgecolor="0.25", linewidth=0.9))
        return
    low, high = float(card.min()), float(card.max())
    ax.imshow(card, cmap="gray", vmin=low, vmax=high, extent=(x, x + 1, y, y + 1), interpolation="nearest", zorder=1)
    ax.add_patch(Rectangle((x, y), 1, 1, fill=False, edgecolor=ORANGE, linewidth=1.6))


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], words: str) -> None:
    ax.annotate("", end, start, arrowprops=ARROW, zorder=20)
    if words:
        ax.text((start[0] + end[0]) / 2, start[1] + 0.12, words, ha="center", va="bottom", fontsize=8, color=BLUE)


def _label(ax: Axes, x: float, words: str) -> None:
    ax.text(x + 0.5, -0.12, words, ha="center", va="top")


def _finish(ax: Axes, title: str, width: float) -> None:
    ax.set(xlim=(-MARGIN, width), ylim=(-0.75, 4.0), aspect="equal")
    ax.set_axis_off()
    ax.text(0, 3.85, title, fontweight="bold", fontsize=11, va="center")
