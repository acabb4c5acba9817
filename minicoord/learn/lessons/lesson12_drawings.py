"""The figures of lesson 12: normal distributions, lengths of codes, and images on the way between two others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from minicoord.plots.montage import show_montage
from minicoord.plots.style import BLACK, BLUE, VERMILLION, model_name, new_figure, styled

Paths = Mapping[str, NDArray[np.uint8]]


@styled
def rows_of_images(rows: Paths, columns: int = 9) -> Figure:
    """Draw for each name a row of images (K, H, W, 3) of uint8, at most so many columns of them."""
    figure = new_figure(1.5 + 0.85 * columns, 0.3 + 0.92 * len(rows))
    shown = [images[np.linspace(0, len(images) - 1, columns).round().astype(int)] for images in rows.values()]
    show_montage(figure.subplots(), np.stack(shown), [model_name(name) for name in rows])
    return figure


@styled
def two_bells(mean: float, deviation: float, divergence: float) -> Figure:
    """Draw a normal distribution over the standard normal one, and say its KL divergence."""
    figure = new_figure(6.4, 2.7)
    ax = figure.subplots()
    x = np.linspace(-5, 5, 501)
    for centre, width, colour, name in (
        (0.0, 1.0, BLACK, "standard normal"),
        (mean, deviation, VERMILLION, "codes of one image"),
    ):
        height = np.exp(-(((x - centre) / width) ** 2) / 2) / (width * np.sqrt(2 * np.pi))
        ax.fill_between(x, height, color=colour, alpha=0.15, linewidth=0)
        ax.plot(x, height, color=colour, label=name)
    ax.set(xlim=(-5, 5), ylim=(0, None), yticks=[], xlabel="a number of the code")
    ax.set_title(f"mean {mean:.1f}, standard deviation {deviation:.2f}: {divergence:.2f} nats")
    ax.legend(loc="upper right", frameon=False)
    return figure


@styled
def lengths(codes: NDArray[np.floating], straight: NDArray[np.floating], walked: NDArray[np.floating]) -> Figure:
    """Draw the lengths of random codes (N, z), and those along ways (P, K, z) of two kinds between some of them."""
    figure = new_figure(8.6, 2.9)
    left, right = figure.subplots(1, 2)
    left.hist(np.linalg.norm(codes, axis=1), bins=30, color="0.6")
    left.set(xlabel="length", ylabel="codes", xlim=(0, None), title=f"{len(codes):,} random codes of {codes.shape[1]}")
    share = np.linspace(0, 1, straight.shape[1])
    for ways, colour, name in ((straight, VERMILLION, "straight line"), (walked, BLUE, "stretched")):
        measured = np.linalg.norm(ways, axis=2)  # (P, K)
        right.plot(share, measured.T, color=colour, linewidth=0.9, alpha=0.7)
        right.plot([], [], color=colour, label=name)
    right.set(xlabel="share of the way", ylabel="length", ylim=(0, None), title=f"{len(straight)} ways")
    right.legend(loc="lower center", ncols=2, frameon=False)
    return figure


@styled
def on_the_way(ways: Paths, step: int) -> Figure:
    """Draw for each network the image at a step of a way (K, H, W, 3) of uint8, counted from 0."""
    figure = new_figure(2.1 * len(ways) + 0.4, 2.4)
    for ax, (name, images) in zip(figure.subplots(1, len(ways), squeeze=False)[0], ways.items(), strict=True):
        ax.imshow(images[step], interpolation="nearest")
        ax.set(xticks=[], yticks=[], title=model_name(name))
    return figure


@styled
def one_number(pairs: Paths) -> Figure:
    """Draw for each network two images (2, H, W, 3) of uint8: that of a code, and that with one number changed."""
    figure = new_figure(3.4 * len(pairs) + 0.4, 2.0)
    panels = figure.subplots(1, 2 * len(pairs), squeeze=False)[0]
    for k, (name, images) in enumerate(pairs.items()):
        for ax, image, said in zip(panels[2 * k :], images, (model_name(name), "one number changed"), strict=False):
            ax.imshow(image, interpolation="nearest")
            ax.set(xticks=[], yticks=[], title=said)
    return figure
