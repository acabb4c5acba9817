"""The figures of lesson 07, and what they need from the networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from minicoord.datasets.not_so_clevr import NotSoClevr
from minicoord.datasets.splits import Split
from minicoord.nn.layers.activations import Softmax
from minicoord.nn.model import Sequential
from minicoord.plots.paper_values import CONV_IOU
from minicoord.plots.style import BLUE, GREEN, ORANGE, SKY_BLUE, VERMILLION, new_figure, show_image, styled

SLICE = 16  # images at a time

Overlap = Callable[[NDArray, NDArray], NDArray]


def probabilities(net: Sequential, data: NotSoClevr, part: NDArray) -> NDArray:
    """Return the probability of every pixel that a network draws for the samples `part`: (n, H, W)."""
    inputs = data.inputs()
    slices = [net.forward(inputs[part[k : k + SLICE]])[..., 0] for k in range(0, len(part), SLICE)]
    z = np.concatenate(slices)
    return np.exp(-np.logaddexp(0, -z))


def pointer_of(renderer: Sequential) -> Sequential:
    """Return the first part of a CoordConv renderer, up to the logits that its softmax sharpens."""
    layers = [layer for _, layer in renderer.leaves()]
    softmax = next(k for k, layer in enumerate(layers) if isinstance(layer, Softmax))
    return Sequential(layers[:softmax])


def maps_of(net: Sequential, data: NotSoClevr, part: NDArray) -> NDArray:
    """Return the maps of logits (n, H, W) of a network for the samples `part`."""
    inputs = data.inputs()
    return np.concatenate([net.forward(inputs[part[k : k + SLICE]])[..., 0] for k in range(0, len(part), SLICE)])


@styled
def two_squares(right: int, down: int, overlap: Overlap, side: int = 9) -> Figure:
    """Draw the target square, one that is shifted by so many pixels, and the pixels of both, with their IOU."""
    size = 16 + side + max(right, down, 8) - 8  # room for both
    images = np.zeros((2, size, size))
    images[0, 8 : 8 + side, 8 : 8 + side] = 1
    images[1, 8 + down : 8 + down + side, 8 + right : 8 + right + side] = 1
    wanted, drawn = images > 0.5
    share = overlap(images[1:], images[:1])[0]
    counts = int((wanted & drawn).sum()), int((wanted | drawn).sum())
    figure = new_figure(8.4, 3.4)
    titles = ("wanted", f"drawn: {right} to the right, {down} down", f"both: {counts[0]}, either: {counts[1]} pixels")
    either = np.where(wanted & drawn, 1.0, np.where(wanted | drawn, 0.45, 0.0))
    for ax, image, title in zip(figure.subplots(1, 3), (*images, either), titles, strict=True):
        show_image(ax, image, "gray", 0, 1)
        ax.set(xticks=[], yticks=[], title=title)
    figure.axes[2].set_xlabel(f"IOU = {counts[0]} / {counts[1]} = {share:.2f}", fontsize=11)
    return figure


@styled
def overlap_by_shift(overlap: Overlap, side: int = 9) -> Figure:
    """Draw how the IOU of two squares falls as one is shifted, along a row and along the diagonal."""
    figure = new_figure(7.2, 3.4)
    ax = figure.subplots()
    shifts = np.arange(side + 1)
    wanted = np.zeros((1, 2 * side, 2 * side))
    wanted[0, :side, :side] = 1
    for name, colour, rows in (("along a row", BLUE, 0), ("along the diagonal", ORANGE, 1)):
        values = [overlap(np.roll(wanted, (rows * k, k), axis=(1, 2)), wanted)[0] for k in shifts]
        ax.plot(shifts, values, "o-", color=colour, label=name)
        for k in (1, 2, 3):
            ax.annotate(f"{values[k]:.2f}", (k, values[k]), (5, 5), textcoords="offset points", fontsize=8)
    ax.set(xlabel="shift (pixels)", ylabel="IOU", ylim=(0, 1.05), xlim=(0, side + 0.3))
    ax.grid(color="0.9", linewidth=0.6)
    ax.legend()
    return figure


@styled
def one_hot_to_square(one_hot: NDArray, kernel: NDArray, drawn: NDArray) -> Figure:
    """Draw a one-hot image, a kernel, and what the convolution of the two draws."""
    figure = new_figure(8.4, 3.2)
    panels = figure.subplots(1, 3, width_ratios=(2, 1, 2))
    show_image(panels[0], one_hot, "gray", 0, 1)
    show_image(panels[1], kernel, "gray", 0, 1.3 * float(kernel.max()))
    show_image(panels[2], drawn, "gray", 0, 1)
    for ax, title in zip(
        panels, ("one lit pixel", "a kernel of ones", "how many lit pixels are under it"), strict=True
    ):
        ax.set(title=title, xticks=[], yticks=[])
    for (i, j), value in np.ndenumerate(kernel):
        panels[1].text(j, i, f"{value:g}", ha="center", va="center", fontsize=7)
    return figure


@styled
def overlap_curves(histories: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Draw train and test IOU over the epochs, a panel for each split, with the paper's best as a dotted line."""
    figure = new_figure(9, 3.5)
    panels = figure.subplots(1, len(histories), sharey=True, squeeze=False)[0]
    for ax, (split, rows) in zip(panels, histories.items(), strict=True):
        epochs = [row["epoch"] for row in rows]
        ax.plot(epochs, [r["train_iou"] for r in rows], "o--", color=VERMILLION, markersize=3, lw=1, label="train")
        ax.plot(epochs, [r["test_iou"] for r in rows], "o-", color=VERMILLION, markersize=3, lw=2, label="test")
        ax.axhline(CONV_IOU[split], color="0.35", linestyle=":", linewidth=1.2)
        words = f"the paper's best deconvolution, test: {CONV_IOU[split]:.2f}"
        ax.text(0.03, CONV_IOU[split] + 0.015, words, fontsize=8, transform=ax.get_yaxis_transform())
        ax.set(title=f"{split} split", xlabel="epoch", ylim=(-0.03, 1.03), xlim=(0, None))
        ax.grid(color="0.9", linewidth=0.6)
        ax.legend(loc="lower right")
    panels[0].set_ylabel("mean IOU")
    return figure


@styled
def overlap_over_the_canvas(overlaps: Mapping[str, NDArray], data: NotSoClevr, parts: Mapping[str, Split]) -> Figure:
    """Draw for each split the IOU of every sample at its centre; held-out positions have a red dot."""
    figure = new_figure(9, 4.4)
    panels = figure.subplots(1, len(overlaps), squeeze=False)[0]
    x, y = data.centres.T
    for ax, (split, values) in zip(panels, overlaps.items(), strict=True):
        canvas = np.full(data.canvas, np.nan)
        canvas[y, x] = values
        image = show_image(ax, canvas, "cividis", 0, 1)
        image.set_cmap(matplotlib.colormaps["cividis"].with_extremes(bad="0.9"))
        test = parts[split].test
        train_mean, test_mean = values[parts[split].train].mean(), values[test].mean()
        ax.set(title=f"{split} split: mean {train_mean:.2f} on train, {test_mean:.2f} on test", xlabel="x (pixels)")
        if split == "quadrant":
            low, high = data.centres[test].min(axis=0), data.centres[test].max(axis=0)
            size = high - low + 1
            ax.add_patch(Rectangle(low - 0.5, *size, fill=False, edgecolor=VERMILLION, linestyle=":", linewidth=2))
        else:
            ax.scatter(*data.centres[test].T, s=1.6, color=VERMILLION, linewidths=0)
    panels[0].set_ylabel("y (pixels)")
    figure.colorbar(panels[0].images[0], ax=panels, label="IOU of the square around this position", shrink=0.8)
    return figure


@styled
def wanted_and_drawn(places: NDArray, rows: Mapping[str, NDArray]) -> Figure:
    """Draw images (n, H, W) in a grid, a row for each name and a column for each position (x, y)."""
    figure = new_figure(9, 0.35 + 1.45 * len(rows))
    panels = figure.subplots(len(rows), len(places), squeeze=False)
    for axes, (name, images) in zip(panels, rows.items(), strict=True):
        for ax, image in zip(axes, images, strict=True):
            show_image(ax, np.asarray(image, np.float64), "gray", 0, 1)
            ax.set(xticks=[], yticks=[])
        axes[0].set_ylabel(name)
    for ax, (x, y) in zip(panels[0], places.tolist(), strict=True):
        ax.set_title(f"({x}, {y})")
    return figure


@styled
def softmax_pointing(logits: NDArray, sharpness: float, point: Callable[[NDArray], NDArray]) -> Figure:
    """Draw logits (h, w), the softmax of the logits multiplied by `sharpness`, and where it points."""
    z = sharpness * logits
    p = np.exp(z - z.max())
    p /= p.sum()
    x, y = point(z[None])[0]
    figure = new_figure(8.4, 3.9)
    left, right = figure.subplots(1, 2)
    show_image(left, logits, "cividis", float(logits.min()), float(logits.max()))
    left.set_title("logits")
    show_image(right, p, "gray", 0, float(p.max()))
    for ax in (left, right):
        ax.plot(x, y, "+", color=VERMILLION, markersize=16, markeredgewidth=2.2)
    right.set_title(f"softmax of {sharpness:g} x logits (white: {p.max():.3f})")
    right.set_xlabel(f"mean position ({x:.2f}, {y:.2f})")
    return figure


@styled
def where_it_is_pointed(centres: NDArray, pointed: Mapping[str, NDArray]) -> Figure:
    """Draw the positions (n, 2) that maps point at, a panel for each name, with lines to the right positions."""
    figure = new_figure(5.2 * len(pointed), 4.6)
    panels = figure.subplots(1, len(pointed), squeeze=False)[0]
    for ax, (name, places) in zip(panels, pointed.items(), strict=True):
        ax.plot(*np.stack([centres, places]).transpose(2, 0, 1), color="0.6", linewidth=0.6)
        ax.scatter(*centres.T, s=14, facecolors="none", edgecolors=SKY_BLUE, linewidths=0.8, label="right position")
        ax.scatter(*places.T, s=4, color=GREEN, zorder=3, label="pointed at")
        off = np.hypot(*(places - centres).T).mean()
        ax.set(xlim=(0, 63), ylim=(63, 0), aspect="equal", xlabel="x (pixels)", ylabel="y (pixels)")
        ax.set_title(f"{name}: off by {off:.2f} pixels on average")
        ax.legend(loc="upper left", fontsize=7.5)
    return figure
