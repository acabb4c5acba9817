"""The figures of lesson 01, and the distances and overlaps that they show."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Patch, Rectangle
from numpy.typing import NDArray

from minicoord.datasets.not_so_clevr import NotSoClevr
from minicoord.plots.style import (
    BLUE,
    ORANGE,
    label_pixel_axes,
    new_figure,
    show_black_to_white,
    show_image,
    styled,
)


@styled
def three_attributes(data: NotSoClevr, x: int, y: int) -> Figure:
    """Draw the sample whose centre is (x, y): the two numbers, the one-hot image and the square."""
    index = int(np.flatnonzero((data.centres == (x, y)).all(axis=1))[0])
    figure = new_figure(9, 3.3)
    words, pixel, square = figure.subplots(1, 3)
    words.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[], aspect="equal", title="two numbers")
    words.text(0.5, 0.5, f"x = {x}\ny = {y}", ha="center", va="center", fontsize=16)
    show_black_to_white(pixel, data.one_hot([index])[0, :, :, 0])
    pixel.add_patch(Circle((x, y), 4, fill=False, color=ORANGE, linewidth=1.5))
    pixel.set_title("one-hot: 1 at row y, column x")
    show_black_to_white(square, data.squares([index])[0, :, :, 0])
    square.set_title("the 9 x 9 square around it")
    for ax in (pixel, square):
        label_pixel_axes(ax, x=True, y=True)
    figure.set_label(
        f"Three panels. The numbers x = {x} and y = {y}. A black canvas with one white pixel at column {x}, "
        f"row {y}, ringed. A black canvas with a white square of 9 by 9 pixels around that position."
    )
    return figure


@styled
def coverage(total: NDArray) -> Figure:
    """Draw how many of the squares cover each pixel, from their sum (H, W)."""
    figure = new_figure(9, 3.6)
    ax, line = figure.subplots(1, 2)
    drawn = show_image(ax, total, "gray", 0, float(total.max()))
    label_pixel_axes(ax, x=True, y=True)
    ax.set_title("all squares on one canvas")
    figure.colorbar(drawn, ax=ax, label="squares that cover the pixel")
    row = total.shape[0] // 2
    line.step(range(total.shape[1]), total[row], where="mid", color=BLUE)
    line.set(title=f"squares that cover the pixels of row {row}", xlabel="x (pixels)", ylim=(0, None))
    line.spines[["top", "right"]].set_visible(False)
    figure.set_label(
        "The sum of all squares: white in the middle, darker towards the border. Along the middle row it "
        f"climbs from {total[row, 0]:.0f} at the left edge to {total.max():.0f}, stays there, and falls again "
        "on the right."
    )
    return figure


@styled
def split_maps(maps: Mapping[str, tuple[NDArray, NDArray]]) -> Figure:
    """Draw which centres are in the training set and which in the test set.

    Parameters
    ----------
    maps : dict
        For each split by name, the sums (H, W) of the one-hot images of its train and of its test samples.
    """
    figure = new_figure(9, 4.3)
    panels = figure.subplots(1, len(maps), squeeze=False)[0]
    colours = {"train": BLUE, "test": ORANGE}
    for ax, (name, sums) in zip(panels, maps.items(), strict=True):
        picture = np.ones((*sums[0].shape, 3))
        for total, colour in zip(sums, colours.values(), strict=True):
            picture[total > 0] = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        height, width = sums[0].shape
        ax.imshow(picture, interpolation="nearest", extent=(-0.5, width - 0.5, height - 0.5, -0.5))
        ax.set(xticks=[0, 4, 32, 59, width - 1], yticks=[0, 4, 32, 59, height - 1])
        ax.set(xlabel="x of the centre (pixels)", ylabel="y of the centre (pixels)")
        ax.set_title(f"{name}: {int(sums[0].sum()):,} train, {int(sums[1].sum()):,} test")
    figure.legend(handles=[Patch(color=c, label=n) for n, c in colours.items()], loc="outside right center")
    figure.set_label(
        "Maps of all centres. Uniform: single test pixels, sprinkled evenly among the train pixels. Quadrant:"
        " the test pixels fill the square at the bottom right, from 33 to 59 in x and in y."
    )
    return figure


def nearest_train(test: NDArray, train: NDArray) -> NDArray[np.float64]:
    """Return for each test centre the distance to the nearest train centre in pixels; both (n, 2)."""
    return np.sqrt(((test[:, None, :] - train[None, :, :]) ** 2).sum(axis=2).min(axis=1))


def mean_distance_to(guess: tuple[float, float] | NDArray, centres: NDArray) -> float:
    """Return the mean distance in pixels from the constant answer (x, y) = `guess` to the centres (n, 2)."""
    return float(np.linalg.norm(centres - np.asarray(guess), axis=1).mean())


@styled
def distance_maps(parts: Mapping[str, tuple[NDArray, NDArray]]) -> Figure:
    """Draw for each split how far each test centre lies from the nearest train centre.

    Parameters
    ----------
    parts : dict
        For each split by name, the centres (n, 2) of its train and of its test samples.
    """
    distances = {name: nearest_train(test, train) for name, (train, test) in parts.items()}
    largest = max(float(distance.max()) for distance in distances.values())
    figure = new_figure(9, 3.9)
    panels = figure.subplots(1, len(parts), squeeze=False)[0]
    for ax, (name, (_, test)) in zip(panels, parts.items(), strict=True):
        picture = np.full((64, 64), np.nan)
        picture[test[:, 1], test[:, 0]] = distances[name]
        drawn = show_image(ax, np.ma.masked_invalid(picture), "viridis", 0, largest)
        drawn.set_cmap(drawn.get_cmap().with_extremes(bad="0.93"))
        label_pixel_axes(ax, x=True, y=True)
        d = distances[name]
        ax.set_title(f"{name}: median {np.median(d):.0f}, furthest {d.max():.1f} pixels")
        figure.colorbar(drawn, ax=ax, label="to the nearest training position (pixels)") if ax is panels[-1] else None
    figure.set_label(
        "Maps of the test positions. "
        + " ".join(
            f"{name}: at most {d.max():.1f} pixels to the nearest training position." for name, d in distances.items()
        )
        + " On the quadrant split the distance grows evenly from its inner edges to the corner at the bottom right."
    )
    return figure


def overlap(dx: int, dy: int, side: int = 9) -> float:
    """Return the IOU of two squares of `side` pixels, one of them shifted by (dx, dy)."""
    both = max(side - abs(dx), 0) * max(side - abs(dy), 0)
    return both / (2 * side * side - both)


@styled
def overlapping_squares(dx: int, dy: int, side: int = 9) -> Figure:
    """Draw a square, the same one shifted by (dx, dy), and their IOU."""
    figure = new_figure(9, 3.4)
    ax, bar = figure.subplots(1, 2, width_ratios=(1, 1.2))
    for (x, y), colour, name in (((0, 0), BLUE, "wanted"), ((dx, dy), ORANGE, "painted")):
        ax.add_patch(Rectangle((x, y), side, side, facecolor=colour, alpha=0.55, label=name))
    ax.set(xlim=(-10, 19), ylim=(19, -10), aspect="equal", xlabel="pixels", ylabel="pixels")
    ax.legend(loc="upper left", ncols=2, frameon=False)
    value = overlap(dx, dy, side)
    both = max(side - abs(dx), 0) * max(side - abs(dy), 0)
    bar.barh([1, 0], [both, 2 * side * side - both], color=["0.45", "0.75"])
    bar.set_yticks([1, 0], ["in both", "in either"])
    bar.set(xlim=(0, 2 * side * side), xlabel="pixels", title=f"IOU = {both} / {2 * side * side - both} = {value:.2f}")
    bar.spines[["top", "right"]].set_visible(False)
    figure.set_label(
        f"A blue square of {side} by {side} pixels and an orange one, shifted by {dx} columns and {dy} rows. "
        f"{both} pixels are in both; their IOU is {value:.2f}."
    )
    return figure


def bowl(x: int, y: int, steepness: float, height: int = 64, width: int = 64) -> tuple[NDArray, NDArray]:
    """Return logits (height, width) that fall with the squared distance from (x, y), and their softmax."""
    i, j = np.indices((height, width))
    logits = -steepness * ((i - y) ** 2 + (j - x) ** 2).astype(np.float64)
    e = np.exp(logits)  # the largest logit is 0
    return logits, e / e.sum()


@styled
def perfect_answer(x: int, y: int, steepness: float) -> Figure:
    """Draw an answer that is right by a formula: its logits, and a close-up of its softmax."""
    logits, probabilities = bowl(x, y, steepness)
    figure = new_figure(9, 3.7)
    left, right = figure.subplots(1, 2)
    drawn = show_image(left, logits, "cividis", float(logits.min()), 0)
    label_pixel_axes(left, x=True, y=True)
    left.set_title("logits: a bowl upside down")
    figure.colorbar(drawn, ax=left, label="logit")
    _near(right, probabilities, x, y)
    chosen = "the right pixel" if int(np.argmax(logits)) == y * 64 + x else "another pixel"
    right.set_title(f"softmax nearby; largest at {chosen}: {probabilities[y, x]:.4f}")
    figure.set_label(
        f"Left, logits that are largest at ({x}, {y}) and fall off to all sides. Right, the softmax around "
        f"that pixel, which has a probability of {probabilities[y, x]:.4f}."
    )
    return figure


def _near(ax: Axes, probabilities: NDArray, x: int, y: int, half: int = 4) -> None:
    """Draw the probabilities in a window around (x, y), which lies at least `half` pixels from every border."""
    window = probabilities[y - half : y + half + 1, x - half : x + half + 1]
    show_image(ax, window, "gray", 0, 1, corner=(x - half, y - half))
    ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, edgecolor=ORANGE, linewidth=2))
    label_pixel_axes(ax, x=True, y=True)
    for (i, j), p in np.ndenumerate(window):
        if p >= 0.001:
            words, colour = "1" if p == 1 else f"{p:.3f}"[1:], "black" if p > 0.5 else "white"
            ax.text(x - half + j, y - half + i, words, ha="center", va="center", fontsize=6.5, color=colour)
