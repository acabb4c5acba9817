"""The figures of lesson 14: recorded scores, what a border gives away, i, j and r, wrong copies, a grown network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from minicoord.learn.lessons.lesson14 import Outcome
from minicoord.learn.lessons.lesson14_networks import CANVAS, seen_of_the_border
from minicoord.plots.style import BLACK, BLUE, VERMILLION, new_figure, show_image, styled


@styled
def scores_of_tasks(found: Sequence[Outcome]) -> Figure:
    """Draw the scores of recorded runs, a row for each task, a dot for each seed; each kind of answer apart."""
    answers = list(dict.fromkeys(outcome.task.answer for outcome in found))
    figure = new_figure(9, 0.9 + 0.36 * len(found) + 0.25 * len(answers))
    ax = figure.subplots()
    height, ticks, names = 0.0, [], []
    for answer in answers:
        some = [outcome for outcome in found if outcome.task.answer == answer]
        ax.text(101.5, height + (len(some) - 1) / 2, f"the answer is\n{answer}", va="center", fontsize=8.5)
        for outcome in some:
            means = [100 * np.mean(list(scores.values())) for scores in (outcome.without, outcome.coordconv)]
            ax.plot(means, [height, height], color="0.75", linewidth=3, zorder=1, solid_capstyle="butt")
            for scores, colour, shift in ((outcome.without, VERMILLION, -0.12), (outcome.coordconv, BLUE, 0.12)):
                dots = 100 * np.array(list(scores.values()))
                ax.plot(dots, np.full(len(dots), height + shift), "o", color=colour, markersize=4.5, alpha=0.6, mew=0)
            ticks.append(height)
            names.append(outcome.task.words)
            height += 1
        if answer != answers[-1]:
            ax.axhline(height - 0.2, color="0.85", linewidth=0.8)
        height += 0.6
    ax.set(xlim=(-1, 101), ylim=(height - 0.6, -0.6), xlabel="score on test data in percent: accuracy, or mean IOU")
    ax.set_yticks(ticks, names)
    marks = [Line2D([], [], marker="o", linestyle="", color=colour) for colour in (VERMILLION, BLUE)]
    figure.legend(marks, ["without coordinates", "CoordConv"], loc="outside upper center", ncols=2, frameon=False)
    return figure


@styled
def border_reach(depths: Sequence[int], size: tuple[int, int] = (32, 48)) -> Figure:
    """Draw, for each depth and both kinds of padding, how far the features of a grey image are from the middle's."""
    figure = new_figure(2.2 * len(depths) + 1.2, 3.6)
    panels = figure.subplots(2, len(depths), squeeze=False)
    drawn = None
    for row, (padding, name) in zip(panels, (("zeros", "zeros around"), ("mirror", "mirrored")), strict=True):
        for ax, depth in zip(row, depths, strict=True):
            off = seen_of_the_border(depth, padding, size)
            drawn = show_image(ax, np.log10(np.maximum(off, 1e-5)), "magma", -5, 0)
            ax.set(xticks=[], yticks=[])
            ax.set_title(f"{depth} layer{'s' if depth > 1 else ''}: {100 * np.mean(off > 0):.0f} % see it")
        row[0].set_ylabel(name)
    assert drawn is not None
    bar = figure.colorbar(drawn, ax=panels, ticks=[-5, -3, -1], shrink=0.8)
    bar.ax.set_yticklabels(["0", ".001", ".1"])
    bar.set_label("distance from the middle's features")
    return figure


@styled
def three_channels(height: int, width: int) -> Figure:
    """Draw i, j and r of a canvas, with the lines on which they are constant."""
    rows, columns = (np.linspace(-1, 1, length) if length > 1 else np.zeros(1) for length in (height, width))
    i, j = np.meshgrid(rows, columns, indexing="ij")
    figure = new_figure(9, 2.6)
    for ax, (name, channel, low, high) in zip(
        figure.subplots(1, 3),
        (("i: the row", i, -1, 1), ("j: the column", j, -1, 1), ("r: the distance", np.hypot(i, j), 0, 2**0.5)),
        strict=True,
    ):
        drawn = show_image(ax, channel, "viridis", low, high)
        if height > 1 and width > 1:
            lines = ax.contour(channel, levels=[-0.5, 0, 0.5, 1], colors="white", linewidths=0.9)
            ax.clabel(lines, fontsize=7, fmt="%g")
        ax.set_title(name)
        figure.colorbar(drawn, ax=ax, shrink=0.75, ticks=[low, (low + high) / 2, high], format="%.1f")
    return figure


@styled
def copies(found: Mapping[str, NDArray]) -> Figure:
    """Draw the coordinates (2, H, W) that several layers give to the same rectangle, each number in its pixel."""
    height, width = next(iter(found.values())).shape[1:]
    figure = new_figure(4.6, 0.5 + 1.5 * len(found))
    for row, (name, coords) in zip(figure.subplots(len(found), 2, squeeze=False), found.items(), strict=True):
        for ax, letter, channel in zip(row, "ij", coords, strict=True):
            show_image(ax, channel, "viridis", -1, 1)
            ax.set(xticks=[], yticks=[], title=f"{name}: {letter}")
            for k, m in np.ndindex(height, width):
                colour = BLACK if channel[k, m] > 0.3 else "white"
                ax.text(m, k, f"{channel[k, m]:.2g}", ha="center", va="center", fontsize=7, color=colour)
    return figure


@styled
def continued(before: Sequence[float], ways: Mapping[str, Sequence[float]]) -> Figure:
    """Draw how far a network is off, epoch by epoch, and how it goes on in two ways from the same weights."""
    figure = new_figure(7.4, 3.2)
    ax = figure.subplots()
    ax.plot(range(len(before)), before, color="0.4", label="plain, at first")
    start = len(before) - 1
    for (name, off), colour in zip(ways.items(), (VERMILLION, BLUE), strict=True):
        ax.plot(range(start, start + len(off)), off, color=colour, label=name)
        ax.annotate(f"{off[-1]:.1f}", (start + len(off) - 1, off[-1]), (4, 0), textcoords="offset points", va="center")
    ax.axvline(start, color="0.7", linestyle=":", linewidth=1.2)
    ax.set(xlabel="epochs", ylabel="off, in pixels", xlim=(0, None), ylim=(0, None))
    ax.set_title(f"where is the lit pixel of {CANVAS[0]} x {CANVAS[1]}? positions that training left out")
    ax.legend(loc="lower left", frameon=False)
    return figure
