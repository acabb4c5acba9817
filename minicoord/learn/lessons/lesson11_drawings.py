"""The figures of lesson 11: places of objects with their entropy, slopes of two losses, and single images."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from minicoord.experiments.two_objects.entropies import BINS
from minicoord.plots.montage import show_montage
from minicoord.plots.style import BLACK, BLUE, VERMILLION, model_name, new_figure, styled

Entropy = Callable[[NDArray, float, float, int], float]
"""``entropy(points, low, high, bins)``, in nats."""


@styled
def images(rows: NDArray[np.uint8]) -> Figure:
    """Draw images (rows, columns, H, W, 3) of uint8."""
    figure = new_figure(0.85 * rows.shape[1], 0.1 + 0.85 * rows.shape[0])
    show_montage(figure.subplots(), rows)
    return figure


def _canvas(ax: Axes, low: float, high: float) -> None:
    ends = np.linspace(low, high, BINS + 1)
    ax.set(xlim=(low, high), ylim=(high, low), aspect="equal", xticks=(low, high), yticks=(low, high))
    for end in ends[1:-1]:
        ax.axvline(end, color="0.88", linewidth=0.6, zorder=0)
        ax.axhline(end, color="0.88", linewidth=0.6, zorder=0)


@styled
def places_and_differences(centres: NDArray[np.floating], canvas: int, entropy: Entropy) -> Figure:
    """Draw where objects (N, 2, 2) are, blue, red, and red as seen from blue, each with its entropy."""
    figure = new_figure(9.0, 3.2)
    panels = figure.subplots(1, 3)
    blue, red = centres[:, 0], centres[:, 1]
    shown = (("blue", blue, BLUE, 0), ("red", red, VERMILLION, 0), ("red minus blue", red - blue, BLACK, -canvas))
    for ax, (name, points, colour, low) in zip(panels, shown, strict=True):
        _canvas(ax, low, canvas)
        ax.scatter(*points.T, s=4, color=colour, linewidths=0, alpha=0.7)
        ax.set_title(f"{name}: {entropy(points, low, canvas, BINS):.2f} nats")
    return figure


@styled
def places(points: NDArray[np.floating], canvas: int, entropy: Entropy) -> Figure:
    """Draw places (N, 2) in pixels over the bins of their entropy, and say it."""
    figure = new_figure(3.6, 3.7)
    ax = figure.subplots()
    _canvas(ax, 0, canvas)
    ax.scatter(*points.T, s=5, color=VERMILLION, linewidths=0, alpha=0.7)
    value = entropy(points, 0, canvas, BINS)
    ax.set_title(f"{value:.2f} nats, as {np.exp(value):.0f} bins evenly filled")
    return figure


@styled
def slopes_of_two_losses(logits: NDArray[np.floating], fooling: Callable[[NDArray], NDArray]) -> Figure:
    """Draw the slopes of both losses of a generator over the logit, and over the steps of a discriminator.

    Parameters
    ----------
    logits : ndarray (steps + 1, N)
        What the discriminator says of images of a generator, before its first step and after each.
    fooling : callable
        ``fooling(logits) -> gradient``, both (N, 1), of the non-saturating loss, a mean over N.
    """
    figure = new_figure(9.0, 3.2)
    left, right = figure.subplots(1, 2)
    axis = np.linspace(-9, 9, 181)[:, None]
    last = np.sort(logits[-1])
    names = ("non-saturating: 1 - sigmoid", "saturating: sigmoid")
    for pull, colour, name in zip(_pulls(axis, fooling), (BLUE, VERMILLION), names, strict=True):
        left.plot(axis[:, 0], pull, color=colour, label=name)
    words = f"fakes after {len(logits) - 1} steps"
    left.plot(last, np.full(len(last), 0.5), "|", color=BLACK, markersize=9, label=words)
    left.set(xlabel="logit of a generated image", ylabel="pull on it, upwards", xlim=(-9, 9), ylim=(-0.03, 1.2))
    left.legend(loc="upper center", ncols=2, frameon=False, fontsize=7.5)
    means = np.array([[pull.mean() for pull in _pulls(row[:, None], fooling)] for row in logits])
    for values, colour in zip(means.T, (BLUE, VERMILLION), strict=True):
        right.plot(np.arange(len(values)), values, color=colour)
    right.set(xlabel="steps of the discriminator alone", ylabel="mean pull on its fakes", yscale="log")
    return figure


def _pulls(logits: NDArray, fooling: Callable[[NDArray], NDArray]) -> tuple[NDArray, NDArray]:
    """Return by how much both losses pull each of the logits (N, 1) upwards: (N,) each."""
    upwards = -len(logits) * fooling(logits)[:, 0]
    return upwards, 1 / (1 + np.exp(-np.clip(logits[:, 0], -80, 80)))


@styled
def estimates(found: NDArray[np.floating], right: float) -> Figure:
    """Draw the estimates of the largest singular value after each step of power iteration, and the right value."""
    figure = new_figure(5.4, 2.7)
    ax = figure.subplots()
    ax.axhline(1, color="0.5", linewidth=1, linestyle=(0, (3, 2)))
    ax.plot(np.arange(1, len(found) + 1), found / right, color=BLUE, marker=".", markersize=4)
    ax.set(xlabel="steps of power iteration", ylabel="estimate / largest singular value", ylim=(0, 1.08))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    return figure


@styled
def side_by_side(shown: Mapping[str, NDArray[np.uint8]]) -> Figure:
    """Draw an image (H, W, 3) of each network."""
    figure = new_figure(2.3 * len(shown) + 0.3, 2.6)
    for ax, (model, image) in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown.items(), strict=True):
        ax.imshow(image, interpolation="nearest")
        ax.set(xticks=[], yticks=[], title=model_name(model))
    return figure
