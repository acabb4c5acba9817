"""The figures of lesson 00: the paper in three pictures, and its task on a canvas small enough to count by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from numpy.typing import NDArray

from minicoord.datasets.not_so_clevr import NotSoClevr
from minicoord.plots.style import BLUE, ORANGE, VERMILLION, new_figure, show_black_to_white, show_image, styled

# Test accuracy in the paper, per cent (its Figure 4): the best of 324 deconvolution networks, and CoordConv.
REPORTED = {("conv", "uniform"): 86.0, ("conv", "quadrant"): 0.0}
REPORTED |= {("coordconv", "uniform"): 100.0, ("coordconv", "quadrant"): 100.0}


@styled
def three_tasks(data: NotSoClevr, index: int) -> Figure:
    """Draw what goes into and comes out of a network in the paper's three supervised tasks, for one sample."""
    x, y = (int(number) for number in data.centres[index])
    pixel, square = data.one_hot([index])[0, :, :, 0], data.squares([index])[0, :, :, 0]
    words = f"({x}, {y})"
    figure = new_figure(9, 4.9)
    panels = figure.subplots(2, 3, gridspec_kw={"hspace": 0.12})
    tasks = [
        ("Classification", words, pixel, "light this one pixel of 4,096"),
        ("Regression", pixel, words, "say where the white pixel is"),
        ("Rendering", words, square, "paint the square around it"),
    ]
    for (upper, lower), (name, given, wanted, sentence) in zip(panels.T, tasks, strict=True):
        _draw_end(upper, given, (x, y))
        _draw_end(lower, wanted, (x, y))
        upper.set_title(f"{name}\n{sentence}")
        ends = {"xy": (0.5, 1.04), "xycoords": lower.transAxes, "xytext": (0.5, -0.04), "textcoords": upper.transAxes}
        lower.annotate("", **ends, arrowprops={"arrowstyle": "-|>", "color": BLUE, "lw": 2, "mutation_scale": 18})
        lower.annotate("network", (0.5, 1.0), (10, 19), "axes fraction", "offset points", color=BLUE, va="center")
    figure.set_label(
        f"Classification: from the numbers {words} to a black image with one white pixel at that position. "
        "Regression: from that image back to the numbers. Rendering: from the numbers to a white square "
        "around that position."
    )
    return figure


def _draw_end(ax: Axes, what: str | NDArray, centre: tuple[int, int]) -> None:
    """Draw an input or an output: two numbers as words, or an image; a single pixel is hard to see and gets a ring."""
    ax.set(xticks=[], yticks=[])
    if isinstance(what, str):
        ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        ax.text(0.5, 0.5, f"(x, y) =\n{what}", ha="center", va="center", fontsize=15)
        return
    show_black_to_white(ax, what)
    ax.set(xticks=[], yticks=[])
    if what.sum() == 1:
        ax.add_patch(Circle(centre, 4, fill=False, color=ORANGE, linewidth=1.5))


@styled
def reported_accuracies(ours: Mapping[tuple[str, str], Sequence[float]]) -> Figure:
    """Draw the test accuracies that the paper reports as bars, and those of recorded runs as rings.

    Parameters
    ----------
    ours : dict
        Test accuracies of runs, from 0 to 1, for each (model, split); "conv" or "coordconv", "uniform" or "quadrant".
    """
    figure = new_figure(9, 3.4)
    ax = figure.subplots()
    notes = {
        "conv": "some 200,000 parameters,\nmore than an hour",
        "coordconv": "7,553 parameters,\n10 to 20 seconds",
    }
    names = {"conv": "convolution", "coordconv": "CoordConv"}
    asked = {"uniform": "positions between\nthose it saw", "quadrant": "a quarter that\nit never saw"}
    colours = {"conv": VERMILLION, "coordconv": BLUE}
    for k, ((model, split), accuracy) in enumerate(REPORTED.items()):
        at = k + 0.6 * (model == "coordconv")
        ax.bar(at, accuracy, width=0.7, color=colours[model])
        label = {86.0: "at most about 86 %", 0.0: "about 0 %"}.get(accuracy, f"{accuracy:g} %")
        runs = [100 * run for run in ours.get((model, split), ())]
        rings = max((run for run in runs if abs(run - accuracy) < 10), default=-10.0)
        ax.text(at, max(accuracy + 3, rings + 5), label, ha="center", va="bottom")
        ax.plot([at] * len(runs), runs, "o", fillstyle="none", color="black", markersize=8, clip_on=False)
        ax.text(at, -5, asked[split], ha="center", va="top")
    for model, middle in (("conv", 0.5), ("coordconv", 3.1)):
        ax.text(middle, 141, names[model], ha="center", va="bottom", fontsize=11, weight="bold", color=colours[model])
        ax.text(middle, 139, notes[model], ha="center", va="top")
    ax.set(xlim=(-0.6, 4.2), ylim=(0, 155), xticks=[], yticks=[0, 50, 100], ylabel="right pixel found (%)")
    ax.spines[["top", "right"]].set_visible(False)
    figure.set_label(
        "Bars of the test accuracy in the paper. Convolution with some 200,000 parameters, after more than an"
        " hour: at most about 86 per cent at positions between those it saw, about 0 in a quarter that it never "
        "saw. CoordConv with 7,553 parameters, after 10 to 20 seconds: 100 per cent on both. Rings on the "
        "bars are recorded runs of minicoord."
    )
    return figure


@styled
def coordinate_channels(height: int = 6, width: int = 8) -> Figure:
    """Draw the two channels that CoordConv adds, with their numbers, and where they go."""
    i, j = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    figure = new_figure(9, 2.3)
    panels = figure.subplots(1, 4, width_ratios=(1, 1, 1, 0.7))
    pictures = [("the image", None), ("i: which row am I in?", i), ("j: which column?", j)]
    for ax, (title, channel) in zip(panels, pictures, strict=False):
        show_image(ax, np.zeros((height, width)) if channel is None else channel, "cividis", -1.6, 1.4)
        ax.set(title=title, xticks=[], yticks=[])
        if channel is None:
            ax.text((width - 1) / 2, (height - 1) / 2, "whatever\nit holds", ha="center", va="center", color="white")
            continue
        for (row, column), value in np.ndenumerate(channel):
            colour = "white" if value < -0.1 else "black"  # whichever stands out more
            ax.text(column, row, f"{value:.1f}", ha="center", va="center", fontsize=6.5, color=colour)
    for ax, sign in zip(panels[:3], ("+", "+", ""), strict=True):
        ax.text(1.08, 0.5, sign, transform=ax.transAxes, fontsize=16, ha="center", va="center")
    last = panels[3]
    last.set_axis_off()
    last.annotate(
        "",
        (0.45, 0.5),
        (-0.05, 0.5),
        xycoords="axes fraction",
        arrowprops={"arrowstyle": "-|>", "color": BLUE, "lw": 1.5},
    )
    last.text(0.5, 0.5, "an ordinary\nconvolution", ha="left", va="center", transform=last.transAxes, color=BLUE)
    figure.set_label(
        f"An image, and beside it two channels of {height} rows and {width} columns. In channel i all numbers "
        "of a row are equal; they go from -1 at the top to 1 at the bottom. In channel j all numbers of a "
        "column are equal; they go from -1 on the left to 1 on the right. An arrow leads to an ordinary "
        "convolution."
    )
    return figure


@styled
def what_pixels_are_told(x: int, y: int, height: int = 6, width: int = 8) -> Figure:
    """Draw what each pixel of a small canvas is told, without and with coordinates, when (x, y) should be white."""
    figure = new_figure(9, 3.9)
    plain, told = figure.subplots(1, 2)
    plain.set_title(f"without coordinates: every pixel reads ({x}, {y})")
    told.set_title(f"with coordinates: ({x}, {y}), and below it the pixel's own position")
    for ax in (plain, told):
        _empty_canvas(ax, height, width)
        for row, column in np.ndindex(height, width):
            here = ax is told and (column, row) == (x, y)
            if here:
                ax.add_patch(
                    Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor="white", edgecolor=ORANGE, linewidth=2.5)
                )
            colour = "black" if here else "white"
            shift = 0.18 if ax is told else 0.0
            ax.text(column, row - shift, f"{x}, {y}", ha="center", va="center", fontsize=8, color=colour)
            if ax is told:
                own = ORANGE if not here else "black"
                ax.text(column, row + shift, f"{column}, {row}", ha="center", va="center", fontsize=8, color=own)
    figure.set_label(
        f"Left, all {height * width} pixels of a canvas read ({x}, {y}). Right, each reads ({x}, {y}) and its "
        f"own column and row; the pixel whose own position is ({x}, {y}) is white."
    )
    return figure


@styled
def numbered_canvas(numbers: NDArray, x: int, y: int) -> Figure:
    """Draw a canvas with the `numbers` (height, width) of its pixels, (x, y) white, and the same as one long row."""
    height, width = numbers.shape
    figure = new_figure(9, 4.3)
    ax, row = figure.subplots(2, 1, height_ratios=(6, 1))
    _empty_canvas(ax, height, width)
    for (i, j), number in np.ndenumerate(numbers):
        here = (j, i) == (x, y)
        if here:
            ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor="white", edgecolor=ORANGE, linewidth=2.5))
        ax.text(j, i, f"{number}", ha="center", va="center", color="black" if here else "white")
    ax.set_title(f"the pixel in column x = {x} and row y = {y} has the number {numbers[y, x]}")
    one_hot = np.zeros((1, numbers.size))
    one_hot[0, numbers[y, x] % numbers.size] = 1
    show_image(row, one_hot, "gray", 0, 1)
    row.set_aspect("auto")
    row.set(yticks=[], xticks=[0, int(numbers[y, x]), numbers.size - 1])
    row.set_title(f"the answer that is wanted: {numbers.size} numbers, a 1 at number {numbers[y, x]}, else 0")
    figure.set_label(
        f"A canvas of {height} rows and {width} columns with the number of each pixel. The pixel in column {x}"
        f" and row {y} is white; its number is {numbers[y, x]}. Below, a row of {numbers.size} pixels, white "
        "at that number."
    )
    return figure


def _empty_canvas(ax: Axes, height: int, width: int) -> None:
    """Draw a black canvas with thin lines between the pixels, columns and rows numbered."""
    show_image(ax, np.zeros((height, width)), "gray", 0, 1)
    ax.set(xticks=range(width), yticks=range(height), xlabel="x (column)", ylabel="y (row)")
    ax.set_xticks(np.arange(width - 1) + 0.5, minor=True)
    ax.set_yticks(np.arange(height - 1) + 0.5, minor=True)
    ax.grid(which="minor", color="0.45", linewidth=0.6)
    ax.tick_params(which="both", length=0)
