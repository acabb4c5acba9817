"""The drawings of lesson 09: residual blocks, the front layer, places, pairs, and how much a study can see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from numpy.typing import NDArray

from minicoord.experiments.image_classification.places import places_of, put
from minicoord.learn.lessons.lesson09 import (
    DEPTH,
    StudyPairs,
    bounds_without_effect,
    chosen_pairs,
    gradient_sizes,
    torn_differences,
)
from minicoord.plots import paired_differences
from minicoord.plots.style import BLACK, BLUE, ORANGE, VERMILLION, new_figure, show_image, styled

Interval = Callable[[NDArray, NDArray, NDArray], tuple[float, float, float]]


@styled
def block() -> Figure:
    """Draw a residual block: the ways of x to y, and those of the gradient back."""
    figure = new_figure(9, 3.1)
    panels = figure.subplots(1, 2)
    for ax, back in zip(panels, (False, True), strict=True):
        _draw_block(ax, VERMILLION if back else BLACK, back)
        ax.set_title("backward: one gradient, two paths" if back else "forward: two paths, one sum")
    return figure


def _draw_block(ax: Axes, colour: str, back: bool) -> None:
    ax.set(xlim=(0, 10), ylim=(0, 4.2), xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)
    for x, width, name in ((3.0, 2.2, "body"), (6.3, 0.7, "+"), (7.7, 1.1, "ReLU")):
        box = FancyBboxPatch((x, 1.0), width, 0.8, boxstyle="round,pad=0.08", facecolor="0.94", edgecolor="0.3")
        ax.add_patch(box)
        ax.text(x + width / 2, 1.4, name, ha="center", va="center")
    box = FancyBboxPatch((3.0, 2.9), 2.2, 0.8, boxstyle="round,pad=0.08", facecolor="0.94", edgecolor="0.3")
    ax.add_patch(box)
    ax.text(4.1, 3.3, "shortcut", ha="center", va="center")
    ends = ("dx", "dy") if back else ("x", "y")
    ax.text(0.5, 1.4, ends[0], ha="center", va="center", fontsize=12, color=colour)
    ax.text(9.7, 1.4, ends[1], ha="center", va="center", fontsize=12, color=colour)
    steps = [
        ((0.8, 1.4), (2.9, 1.4)),
        ((5.3, 1.4), (6.2, 1.4)),
        ((7.1, 1.4), (7.6, 1.4)),
        ((8.9, 1.4), (9.4, 1.4)),
        ((1.5, 1.4), (2.9, 3.3)),
        ((5.3, 3.3), (6.6, 1.9)),
    ]
    for start, end in steps:
        here, there = (end, start) if back else (start, end)
        ax.add_patch(FancyArrowPatch(here, there, arrowstyle="-|>", mutation_scale=11, color=colour, linewidth=1.4))
    if back:
        for x, y in ((5.75, 0.75), (6.35, 2.75)):
            ax.text(x, y, "dz", ha="center", va="center", color=colour)
        ax.text(1.3, 0.75, "added", ha="center", va="center", color=colour)


@styled
def gradients_by_depth(scale: float) -> Figure:
    """Draw the sizes of the gradients in a stack of layers and in one of residual blocks."""
    figure = new_figure(7.4, 3.2)
    ax = figure.subplots()
    layers = np.arange(DEPTH, 0, -1)
    for residual, name, colour in ((False, "layers in a row", VERMILLION), (True, "residual blocks", BLUE)):
        sizes = gradient_sizes(scale, residual)
        ax.plot(layers, sizes, "o-", color=colour, markersize=3.5, label=name)
        ax.annotate(f"{sizes[-1]:.2g}", (1, sizes[-1]), (-6, 0), textcoords="offset points", ha="right", va="center")
    ax.axhline(1, color="0.6", linestyle=":", linewidth=1.2)
    ax.set(xlabel="layer or block; the loss is on the right", ylabel="size of its gradient dx", yscale="log")
    ax.set(xlim=(-2.5, DEPTH + 1), xticks=(1, 6, 12, 18, 24), title=f"{DEPTH} deep, initial weights x {scale:g}")
    ax.grid(color="0.9", linewidth=0.6)
    ax.legend(loc="best")
    return figure


@styled
def clothes(images: NDArray, names: Sequence[str]) -> Figure:
    """Draw images (n, h, w) in one row, each below its name."""
    figure = new_figure(9, 1.4)
    for ax, image, name in zip(figure.subplots(1, len(images)), images, names, strict=True):
        show_image(ax, image, "gray", 0, 1)
        ax.set(xticks=[], yticks=[])
        ax.set_title(name, fontsize=8)
    return figure


@styled
def front_outputs(channels: Mapping[str, NDArray], outputs: Mapping[str, NDArray]) -> Figure:
    """Draw the input channels (h, w) of a front layer, and below them its outputs (h, w, 8), a row for each name.

    Each panel has a grey scale of its own, from its smallest number (black) to its largest (white).
    """
    figure = new_figure(9, 1.1 * (1 + len(outputs)))
    panels = figure.subplots(1 + len(outputs), 8)
    for ax in panels[0, len(channels) :]:
        ax.set_axis_off()
    rows = {"inputs": channels}
    rows |= {name: {f"output {k + 1}": array[..., k] for k in range(8)} for name, array in outputs.items()}
    for line, (name, pictures) in zip(panels, rows.items(), strict=True):
        line[0].set_ylabel(name)
        for ax, (title, picture) in zip(line, pictures.items(), strict=False):
            show_image(ax, picture, "gray", float(picture.min()), float(picture.max()))
            ax.set(title=title if line is not panels[-1] else "", xticks=[], yticks=[])
    return figure


@styled
def places_drawn(image: NDArray) -> Figure:
    """Draw an image (28, 28) at places of training and at new ones, and the places of both."""
    places = places_of("shifted")
    chosen = [places.seen[0], places.seen[len(places.seen) // 2], places.new[0], places.new[-1]]
    figure = new_figure(9, 2.4)
    panels = figure.subplots(1, 5)
    canvas = put(np.repeat(image[None, ..., None], 4, axis=0), np.array(chosen), places.canvas)[..., 0]
    for k, (ax, drawn) in enumerate(zip(panels, canvas, strict=False)):
        show_image(ax, drawn, "gray", 0, float(image.max()))
        row, column = chosen[k]
        ax.add_patch(Rectangle((column - 0.5, row - 0.5), 28, 28, fill=False, edgecolor=BLUE if k < 2 else ORANGE))
        ax.set(title="a position of training" if k < 2 else "a new position", xticks=[], yticks=[])
    for where, colour, name in ((places.seen, BLUE, "training"), (places.new, ORANGE, "new")):
        panels[4].plot(where[:, 1], where[:, 0], "s", color=colour, markersize=3.4, label=name)
    panels[4].set(
        title="top left corners", xlim=(-1, 13), ylim=(13, -1), aspect="equal", xticks=(0, 12), yticks=(0, 12)
    )
    return figure


@styled
def pairs_drawn(a: NDArray, b: NDArray, names: tuple[str, str]) -> Figure:
    """Draw the accuracies (pairs,) of two networks, a line for each seed, and their differences: in pairs, and torn."""
    figure = new_figure(9, 3.3)
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.2, 1, 1))
    for first, second in zip(100 * b, 100 * a, strict=True):
        left.plot([0, 1], [first, second], "o-", color="0.5", linewidth=0.9, markersize=4)
    left.set(xlim=(-0.3, 1.3), ylabel="test accuracy (%)", title="each line is a seed")
    left.set_xticks([0, 1], labels=[names[1], names[0]])
    torn = torn_differences(a, b)
    most = 1.1 * max(float(np.abs(torn).max()), 0.1)
    for ax, values, title in (
        (middle, 100 * (a - b), "differences of the same seed"),
        (right, torn, "differences of any two seeds"),
    ):
        ax.axvline(0, color="0.6", linewidth=0.8)
        ax.hist(values, bins=np.linspace(-most, most, 25), color=BLUE)
        ax.set(title=f"{title}\nspread {values.std(ddof=1):.2f} points", xlabel="points", yticks=[])
    return figure


@styled
def bootstrap_drawn(differences: NDArray, chosen: NDArray, seeds: int = 3) -> Figure:
    """Draw differences (pairs,), the first bootstrap samples of them with their means, and the means of all samples.

    Parameters
    ----------
    differences : ndarray (pairs,)
        In percentage points.
    chosen : ndarray of int, (draws, pairs)
        The pairs of each sample.
    seeds : int
        How many samples are drawn one by one.
    """
    figure = new_figure(9, 3.1)
    left, right = figure.subplots(1, 2, width_ratios=(1.3, 1), sharex=True)
    rows = {"the pairs": differences} | {f"sample {k + 1}": differences[chosen[k]] for k in range(seeds)}
    for row, values in enumerate(rows.values()):
        several = dict.fromkeys(values.tolist(), 0)
        for value in values.tolist():  # a pair that comes several times is stacked
            left.plot(value, row - 0.09 * several[value], "o", color="0.55", markersize=4.5)
            several[value] += 1
        left.plot(values.mean(), row + 0.24, "^", color=BLUE, markersize=7)
    left.set_yticks(range(len(rows)), labels=list(rows))
    left.set(ylim=(len(rows) - 0.4, -0.6), xlabel="difference (points)", title="dots: pairs; triangle: their mean")
    means = differences[chosen].mean(axis=1)
    right.hist(means, bins=40, color=BLUE)
    for bound in np.quantile(means, [0.025, 0.975]):
        right.axvline(bound, color=VERMILLION, linewidth=1.5)
    right.set(title=f"means of {len(chosen):,} samples; 95 % between the lines", xlabel="mean (points)", yticks=[])
    return figure


@styled
def chances(spread: float, counts: Sequence[int] = (2, 5, 10, 40)) -> Figure:
    """Draw in how many of many studies an interval below zero shows a harm, against the harm, for numbers of pairs.

    Parameters
    ----------
    spread : float
        The standard deviation of the difference of a pair, in percentage points.
    counts : sequence of int
        Numbers of pairs.
    """
    harms = np.linspace(0, 3 * spread, 121)
    figure = new_figure(7.4, 3.4)
    ax = figure.subplots()
    for pairs, colour in zip(counts, (ORANGE, VERMILLION, BLUE, BLACK), strict=False):
        upper = spread * bounds_without_effect(pairs)[:, 1]
        ax.plot(harms, [100 * (upper < harm).mean() for harm in harms], color=colour, label=f"{pairs} pairs")
    ax.axhline(80, color="0.6", linestyle=":", linewidth=1.2)
    ax.set(
        xlabel="true harm (percentage points)", ylabel="studies that show it (%)", ylim=(0, 102), xlim=(0, harms[-1])
    )
    ax.set_title(f"if the difference of a pair spreads by {spread:.2f} points")
    ax.grid(color="0.9", linewidth=0.6)
    ax.legend(loc="lower right")
    return figure


def differences_drawn(study: Sequence[StudyPairs], interval: Interval, paper: float | None = None) -> Figure:
    """Draw the differences of pairs with the interval of their mean, a panel for what was measured on which images.

    Parameters
    ----------
    study : sequence of StudyPairs
    interval : callable
        ``interval(a, b, chosen)`` returns mean, lower and upper bound: the answer to `paired_interval`.
    paper : float, optional
        The paper's difference in percentage points, as a mark in the first row of the first panel.
    """
    panels: dict[str, dict[str, tuple[NDArray, tuple[float, float]]]] = {}
    for pairs in study:
        _, low, high = interval(pairs.a, pairs.b, chosen_pairs(len(pairs.a)))
        row = pairs.networks.replace(" minus ", " minus\n")
        panels.setdefault(pairs.measured, {})[row] = pairs.differences, (low, high)
    first = next(iter(panels))
    mark = None if paper is None else (first, next(iter(panels[first])), paper)
    return paired_differences(panels, mark)
