"""The figures of lesson 10: boxes and anchors on images of digits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from minicoord.plots.box_panels import TRUTH_COLOUR, draw_boxes, show_canvas
from minicoord.plots.style import BLUE, GREEN, ORANGE, SKY_BLUE, VERMILLION, model_colours, new_figure, styled

Overlap = Callable[[NDArray, NDArray], NDArray]

DASHED = (0, (3, 2))


def _dots(ax: Axes, centres: NDArray, colour: str, size: float) -> None:
    """Draw points (n, 2), row and column in pixels from the top left corner."""
    ax.plot(centres[:, 1] - 0.5, centres[:, 0] - 0.5, ".", color=colour, markersize=size, markeredgewidth=0)


def _legend(figure: Figure, lines: Mapping[str, Line2D]) -> None:
    figure.legend(list(lines.values()), list(lines), loc="outside lower center", ncols=len(lines), frameon=False)


@styled
def digits_and_boxes(images: NDArray, truth: NDArray) -> Figure:
    """Draw images (n, H, W, 1) with the boxes (n, D, 4) of their digits."""
    figure = new_figure(9, 2.6)
    for ax, image, boxes in zip(figure.subplots(1, len(images), squeeze=False)[0], images[..., 0], truth, strict=True):
        show_canvas(ax, image)
        draw_boxes(ax, boxes, TRUTH_COLOUR, 1.2)
        _dots(ax, boxes[:, :2], TRUTH_COLOUR, 6)
    return figure


@styled
def two_boxes(down: float, right: float, height: float, width: float, overlap: Overlap) -> Figure:
    """Draw a box of 20 x 28 pixels and another one that is moved and has another size, with their IOU."""
    boxes = np.array([[30.0, 40.0, 20.0, 28.0], [30.0 + down, 40.0 + right, height, width]])
    iou = float(overlap(boxes[:1], boxes[1:])[0, 0])
    first = (boxes[:, :2] - boxes[:, 2:] / 2).max(axis=0)
    both = np.maximum((boxes[:, :2] + boxes[:, 2:] / 2).min(axis=0) - first, 0)
    figure = new_figure(5.6, 3.6)
    ax = figure.subplots()
    ax.set(xlim=(0, 90), ylim=(60, 0), aspect="equal", xlabel="columns j (pixels)", ylabel="rows i (pixels)")
    ax.add_patch(Rectangle((first[1], first[0]), both[1], both[0], color="0.8"))
    for (i, j, h, w), colour in zip(boxes, (BLUE, VERMILLION), strict=True):
        ax.add_patch(Rectangle((j - w / 2, i - h / 2), w, h, fill=False, edgecolor=colour, linewidth=2))
        ax.plot(j, i, "+", color=colour)
    shared = both.prod()
    either = boxes[:, 2:].prod(axis=1).sum() - shared
    ax.set_title(f"intersection {shared:.0f}, union {either:.0f}: IOU {iou:.2f}")
    return figure


@styled
def anchor_grid(image: NDArray, truth: NDArray, anchors: NDArray, best: NDArray, place: tuple[int, int]) -> Figure:
    """Draw where anchors are: all centres, the nine at one position of the map, and the best one of each digit.

    Parameters
    ----------
    image : ndarray (H, W)
    truth : ndarray (D, 4)
    anchors : ndarray (rows, columns, 9, 4)
    best : ndarray (D,) of int
        The number of the anchor that overlaps each digit most, among all in order.
    place : (int, int)
        Row and column of the position whose nine anchors are drawn.
    """
    figure = new_figure(9, 3.7)
    left, middle, right = figure.subplots(1, 3)
    centres = anchors[:, :, 0, :2].reshape(-1, 2)
    for ax in (left, middle, right):
        show_canvas(ax, image)
    _dots(left, centres, ORANGE, 4)
    left.set_title(f"{len(anchors)} x {anchors.shape[1]} positions")
    _dots(middle, centres, ORANGE, 2.5)
    draw_boxes(middle, anchors[place], ORANGE, 1.0)
    _dots(middle, anchors[place][:1, :2], VERMILLION, 8)
    middle.set_title(f"the {anchors.shape[2]} anchors of one position")
    draw_boxes(right, truth, TRUTH_COLOUR, 1.2)
    draw_boxes(right, anchors.reshape(-1, 4)[best], ORANGE, 1.4, linestyle=DASHED)
    right.set_title("the best anchor of each digit")
    look: dict[str, Any] = {"linewidth": 1.5}
    _legend(
        figure, {"digit": Line2D([], [], color=TRUTH_COLOUR, **look), "anchor": Line2D([], [], color=ORANGE, **look)}
    )
    return figure


@styled
def seen_from_the_anchor(image: NDArray, box: NDArray, anchor: NDArray, numbers: NDArray) -> Figure:
    """Draw a box and its anchor, both (4,), over an image (H, W), with the four numbers from one to the other."""
    figure = new_figure(6.6, 3.4)
    ax, words = figure.subplots(1, 2)
    show_canvas(ax, image)
    draw_boxes(ax, anchor[None], ORANGE, 1.6, linestyle=DASHED)
    draw_boxes(ax, box[None], TRUTH_COLOUR, 1.6)
    start, end = anchor[1::-1] - 0.5, box[1::-1] - 0.5
    ax.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "->", "color": VERMILLION, "linewidth": 2})
    words.axis("off")
    sides = (
        "down, in heights of the anchor",
        "right, in widths of the anchor",
        "log of the height",
        "log of the width",
    )
    for row, (number, side) in enumerate(zip(numbers, sides, strict=True)):
        words.text(0.0, 0.72 - 0.14 * row, f"{number:+.2f}", family="monospace", size=11)
        words.text(0.24, 0.72 - 0.14 * row, side)
    words.text(0.0, 0.9, "from the anchor (dashed) to the digit:")
    return figure


@styled
def labelled_boxes(image: NDArray, truth: NDArray, boxes: NDArray, digit: NDArray, negative: NDArray) -> Figure:
    """Draw which boxes (A, 4) hold a digit, which are background, and how many are neither."""
    figure = new_figure(9, 3.7)
    left, middle, right = figure.subplots(1, 3)
    positive = digit >= 0
    neither = ~positive & ~negative
    some, others = (np.flatnonzero(which)[:: max(int(which.sum()) // 12, 1)] for which in (negative, neither))
    for ax, chosen, colour, title in (
        (left, np.flatnonzero(positive), SKY_BLUE, f"{positive.sum()} hold a digit"),
        (middle, some, VERMILLION, f"{negative.sum()} are background ({len(some)} drawn)"),
        (right, others, "0.6", f"{neither.sum()} are neither ({len(others)} drawn)"),
    ):
        show_canvas(ax, image)
        draw_boxes(ax, boxes[chosen], colour, 1.0)
        draw_boxes(ax, truth, TRUTH_COLOUR, 1.4)
        ax.set_title(title)
    return figure


@styled
def before_and_after(image: NDArray, truth: NDArray, boxes: NDArray, kept: NDArray, threshold: float) -> Figure:
    """Draw the boxes (n, 4) that a detector takes for digits, and the kept ones of them, given by their indices."""
    figure = new_figure(9, 3.5)
    panels = figure.subplots(1, 3)
    titles = ("five digits", f"{len(boxes)} boxes", f"{len(kept)} kept at a threshold of {threshold:g}")
    for ax, title in zip(panels, titles, strict=True):
        show_canvas(ax, image)
        ax.set_title(title)
    draw_boxes(panels[0], truth, TRUTH_COLOUR, 1.4)
    draw_boxes(panels[1], boxes, SKY_BLUE, 0.5)
    draw_boxes(panels[2], boxes[kept], SKY_BLUE, 1.4)
    return figure


@styled
def where_boxes_begin(
    image: NDArray, right: NDArray, scrambled: NDArray, places: Sequence[tuple[int, int]], which: int = 5
) -> Figure:
    """Draw what a position of the map sees, and where the network is told that its boxes begin.

    Parameters
    ----------
    image : ndarray (H, W)
    right, scrambled : ndarray (rows, columns, 9, 4)
        Anchors as they were meant, and as they are read.
    places : sequence of (int, int)
        The positions of the map to draw.
    which : int
        The number of the anchor to draw at each of them.
    """
    figure = new_figure(8.4, 4.9)
    panels = figure.subplots(1, 2)
    colours = (ORANGE, SKY_BLUE, GREEN, VERMILLION)
    for ax, anchors, title in zip(panels, (right, scrambled), ("as meant", "as read"), strict=True):
        show_canvas(ax, 0.5 * image)
        for place, colour in zip(places, colours, strict=False):
            centre = right[place][0, :2]
            window = np.array([[*centre, 16.0, 16.0]])
            draw_boxes(ax, window, colour, 0.8, linestyle=(0, (1, 1.5)))
            _dots(ax, centre[None], colour, 9)
            box = anchors[place][which : which + 1]
            draw_boxes(ax, box, colour, 2.0)
            start, end = centre[::-1] - 0.5, box[0, 1::-1] - 0.5
            if np.hypot(*(end - start)) > 1:
                ax.annotate(
                    "", xy=end, xytext=start, arrowprops={"arrowstyle": "->", "color": colour, "linewidth": 1.4}
                )
        ax.set_title(f"anchor {which}, {title}")
    grey: dict[str, Any] = {"color": "0.4"}
    _legend(
        figure,
        {
            "position of the map": Line2D([], [], marker=".", linestyle="", markersize=9, **grey),
            "what it sees first": Line2D([], [], linestyle=(0, (1, 1.5)), linewidth=1, **grey),
            "its anchor": Line2D([], [], linewidth=2, **grey),
        },
    )
    return figure


@styled
def all_nine(right: NDArray, scrambled: NDArray) -> Figure:
    """Draw the anchors of all positions, a panel for each of the nine, as they are read from the scrambled order.

    Parameters
    ----------
    right, scrambled : ndarray (rows, columns, 9, 4)
    """
    figure = new_figure(9, 1.5)
    for k, ax in enumerate(figure.subplots(1, right.shape[2], squeeze=False)[0]):
        ax.set(xlim=(-0.5, 63.5), ylim=(63.5, -0.5), aspect="equal", xticks=[], yticks=[], title=f"{k}")
        _dots(ax, right[:, :, k, :2].reshape(-1, 2), "0.8", 2)
        some = scrambled[::3, ::3, k].reshape(-1, 4)
        draw_boxes(ax, some, VERMILLION, 0.6, alpha=0.8)
    figure.axes[0].set_ylabel("every third position")
    return figure


@styled
def seeds_of_settings(settings: Mapping[str, Mapping[str, Mapping[int, float]]]) -> Figure:
    """Draw the test IOU of recorded runs, a row for each setting, a point for each seed of each network."""
    figure = new_figure(9, 1.1 + 0.34 * len(settings))
    ax = figure.subplots()
    colours = model_colours(["conv", "coordconv"])
    for row, models in enumerate(settings.values()):
        for model, shift, marker in (("conv", -0.12, "o"), ("coordconv", 0.12, "s")):
            values = list(models[model].values())
            ax.plot(values, [row + shift] * len(values), marker, color=colours[model], markersize=5, alpha=0.8)
    ax.set(yticks=range(len(settings)), yticklabels=list(settings), ylim=(len(settings) - 0.5, -0.5))
    ax.set(xlabel="test IOU", xlim=(0, None))
    ax.grid(color="0.9", linewidth=0.6, axis="x")
    _legend(
        figure,
        {
            "convolution": Line2D([], [], color=colours["conv"], marker="o", linestyle=""),
            "CoordConv": Line2D([], [], color=colours["coordconv"], marker="s", linestyle=""),
        },
    )
    return figure
