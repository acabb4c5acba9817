"""The figures of lesson 05: coordinate channels and their bugs, the map, equivariance, seeds, and sharpness."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.plots.style import BLUE, ORANGE, VERMILLION, new_figure, show_image, styled

COORDINATES = "cividis"
DIFFERENCES = "PuOr"


def _numbers(ax: Axes, channel: NDArray, low: float, high: float, size: float = 7) -> None:
    """Write the values into the pixels of an image that runs from `low` (dark) to `high` (light)."""
    for (i, j), value in np.ndenumerate(channel):
        dark = value < low + 0.55 * (high - low)
        text = f"{value:.2f}".removesuffix("0").removesuffix(".0") if np.isfinite(value) else "nan"
        ax.text(j, i, text, ha="center", va="center", fontsize=size, color="white" if dark else "black")


@styled
def channels(pictures: Mapping[str, NDArray], low: float = -1.0, high: float = 1.0) -> Figure:
    """Draw small channels (h, w) side by side with their numbers, each below its title."""
    figure = new_figure(9, 2.6)
    for ax, (title, channel) in zip(figure.subplots(1, len(pictures), squeeze=False)[0], pictures.items(), strict=True):
        show_image(ax, channel, COORDINATES, low, high)
        _numbers(ax, channel, low, high)
        ax.set(title=title, xlabel="column (pixels)")
    figure.axes[0].set_ylabel("row (pixels)")
    return figure


@styled
def bugs(wrong: Mapping[str, Sequence[tuple[NDArray, NDArray]]], sizes: Sequence[str]) -> Figure:
    """Draw how far wrong coordinate channels are off, on images of several sizes.

    Parameters
    ----------
    wrong : dict
        For each bug and each size: its channels and the right ones, each (h, w, 2).
    sizes : list of str
        The sizes in words, for the titles.
    """
    figure = new_figure(9, 0.7 + 1.25 * len(wrong))
    columns = 2 * len(sizes)
    widths = [pair[0].shape[1] for pair in next(iter(wrong.values())) for _ in "ij"]
    panels = figure.subplots(len(wrong), columns, squeeze=False, width_ratios=widths)
    for line, (name, pairs) in zip(panels, wrong.items(), strict=True):
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", labelpad=8)
        for k, (got, wanted) in enumerate(pairs):
            for c in (0, 1):
                ax, off = line[2 * k + c], (got - wanted)[..., c]
                show_image(ax, off, DIFFERENCES, -2, 2)
                ax.set(xticks=[], yticks=[])
                for (i, j), value in np.ndenumerate(off):
                    if abs(value) >= 0.05:
                        colour = "black" if abs(value) < 1.4 else "white"
                        text = re.sub(r"\b0\.", ".", f"{value:.1f}".removesuffix(".0"))
                        ax.text(j, i, text, ha="center", va="center", fontsize=6, color=colour)
    for k, size in enumerate(sizes):
        for c, channel in enumerate("ij"):
            panels[0, 2 * k + c].set_title(f"{channel}, {size}")
    figure.suptitle("got minus wanted; an empty panel is right")
    return figure


@styled
def sum_of_maps(parts: Mapping[str, NDArray], signs: str = "+=") -> Figure:
    """Draw images (h, w) in one row with a sign between neighbours, all on one scale around zero."""
    largest = max(float(np.abs(image).max()) for image in parts.values())
    figure = new_figure(9, 2.7)
    panels = figure.subplots(1, len(parts), squeeze=False)[0]
    for ax, (title, image) in zip(panels, parts.items(), strict=True):
        show_image(ax, image, DIFFERENCES, -largest, largest)
        ax.set(title=title, xticks=[], yticks=[])
    for ax, sign in zip(panels[1:], signs, strict=False):
        ax.text(-0.09, 0.5, sign, transform=ax.transAxes, fontsize=16, ha="center", va="center")
    figure.colorbar(panels[0].images[0], ax=panels, label="value", shrink=0.8)
    return figure


def moved(image: NDArray, rows: int, columns: int) -> NDArray:
    """Return an image (h, w) moved down by `rows` and right by `columns`, wrapping around at the borders."""
    return np.roll(image, (rows, columns), axis=(0, 1))


@styled
def equivariance(layer: CoordConv2D, image: NDArray, of_i: float, of_j: float, rows: int, columns: int) -> Figure:
    """Draw the output of a one-channel CoordConv for an image and for the same image moved, and how they differ.

    Parameters
    ----------
    layer : CoordConv2D
        One channel in, one out; the weights of its coordinates are changed in place.
    image : ndarray, shape (h, w), float32
    of_i, of_j : float
        The weights of the two coordinates, at the middle pixel of the kernel.
    rows, columns : int
        How far the image is moved.
    """
    k = layer.kernel_size[0] // 2
    layer.params["w"][:, :, 1:] = 0
    layer.params["w"][k, k, 1:, 0] = of_i, of_j
    plain, shifted = (layer.forward(x[None, :, :, None])[0, ..., 0] for x in (image, moved(image, rows, columns)))
    back = moved(shifted, -rows, -columns)
    inside = np.zeros(image.shape, bool)  # without the pixels that re-entered on the other side, and the border
    inside[k : image.shape[0] - rows - k, k : image.shape[1] - columns - k] = True
    off = np.where(inside, back - plain, 0)
    figure = new_figure(9, 2.1)
    panels = figure.subplots(1, 5)
    high = float(max(plain.max(), shifted.max(), 1e-6))
    for ax, picture, title in zip(
        panels,
        (image, plain, shifted, back, off),
        ("the image", "its output", "output of the\nmoved image", "that one,\nmoved back", "difference"),
        strict=True,
    ):
        if title == "difference":
            show_image(ax, picture, DIFFERENCES, -0.5, 0.5)
        else:
            show_image(ax, picture, "gray", 0, 1 if title == "the image" else high)
        ax.set(title=title, xticks=[], yticks=[])
    panels[-1].set_xlabel(f"largest: {np.abs(off).max():.2g}")
    return figure


@styled
def toy_losses(runs: Mapping[str, Sequence[Mapping[str, Any]]], chance: float) -> Figure:
    """Draw the training loss of runs, from the rows of their histories, against epochs, and the loss of guessing."""
    figure = new_figure(7, 2.8)
    ax = figure.subplots()
    top = chance
    for (name, rows), colour in zip(runs.items(), (VERMILLION, BLUE), strict=False):
        epochs, losses = [row["epoch"] for row in rows], [row["train_loss"] for row in rows]
        ax.plot(epochs, losses, color=colour, marker="o", markersize=3, label=name)
        top = max(top, *losses)
    ax.axhline(chance, color="0.35", linestyle=":", linewidth=1.2)
    ax.text(0.99, chance + 0.1, "guessing", transform=ax.get_yaxis_transform(), va="bottom", ha="right", color="0.35")
    ax.set(xlabel="epoch", ylabel="training loss (nats)", ylim=(0, 1.15 * top))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(loc="center right", frameon=False)
    return figure


@styled
def sharpness(logits: Mapping[str, NDArray], x: int, y: int, half: int = 3) -> Figure:
    """Draw logits (h, w) and their softmax in a window around the pixel (x, y), one pair for each name."""
    figure = new_figure(9, 2.7)
    panels = figure.subplots(1, 2 * len(logits))
    top, left = max(y - half, 0), max(x - half, 0)
    for k, (name, z) in enumerate(logits.items()):
        e = np.exp(z - z.max())
        p = e / e.sum()
        window = slice(top, y + half + 1), slice(left, x + half + 1)
        raw, soft = panels[2 * k], panels[2 * k + 1]
        show_image(raw, z[window], COORDINATES, float(z[window].min()), float(z[window].max()), (left, top))
        show_image(soft, p[window], "gray", 0, 1, (left, top))
        for (i, j), value in np.ndenumerate(p[window]):
            if value >= 0.005:
                colour = "black" if value > 0.5 else "white"
                text = f"{value:.2f}"[1:] if value < 0.995 else "1"
                soft.text(left + j, top + i, text, ha="center", va="center", fontsize=6.5, color=colour)
        raw.set_title(f"{name}\nlogits")
        soft.set_title(f"softmax:\n{p[y, x]:.4f} at the pixel")
        for ax in (raw, soft):
            ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, edgecolor=ORANGE, linewidth=2))
    return figure
