"""The figures of lessons 03 and 03b, and the data: four shapes on a small canvas for a small network to tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.ticker import MultipleLocator
from numpy.typing import NDArray

from minicoord.learn.lessons.lesson02 import DIFFERENCES, frame, numbers
from minicoord.plots.style import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY_BLUE,
    VERMILLION,
    new_figure,
    show_image,
    styled,
)

SHAPES = ("square", "cross", "level bar", "upright bar")


def relative_error(a: NDArray, b: NDArray) -> float:
    """Return the largest difference of two gradients of the same shape over the largest number in them.

    Examples
    --------
    >>> relative_error(np.array([1.0, 4.0]), np.array([1.0, 3.0]))
    0.25
    """
    return float(np.abs(a - b).max() / max(np.abs(a).max(), np.abs(b).max(), 1e-300))


def four_shapes(count: int, seed: int) -> tuple[NDArray, NDArray]:
    """Return float32 images (count, 12, 12, 1) of one of four shapes at a random position, with noise, and labels."""
    rng = np.random.default_rng(seed)
    patterns = np.zeros((4, 5, 5))
    patterns[0] = 1
    patterns[0, 1:4, 1:4] = 0
    patterns[1, 2, :] = patterns[1, :, 2] = 1
    patterns[2, 2, :] = 1
    patterns[3, :, 2] = 1
    labels = rng.integers(0, 4, count)
    images = 0.35 * rng.normal(size=(count, 12, 12, 1))
    for image, label, (row, column) in zip(images, labels, rng.integers(0, 8, (count, 2)), strict=True):
        image[row : row + 5, column : column + 5, 0] += patterns[label]
    return images.astype(np.float32), labels


@styled
def there_and_back(steps: Sequence[str], shapes: Sequence[str]) -> Figure:
    """Draw the layers of a network as boxes, with values that go forward above and gradients that come back below."""
    figure = new_figure(9, 2.3)
    ax = figure.subplots()
    for k, step in enumerate(steps):
        ax.add_patch(FancyBboxPatch((k - 0.22, -0.16), 0.44, 0.32, boxstyle="round,pad=0.05", facecolor="0.93"))
        ax.text(k, 0, step, ha="center", va="center", fontsize=9)
    for k, shape in enumerate(shapes):
        middle = k + 0.5
        for height, colour, (start, end) in ((0.1, BLUE, (-0.21, 0.21)), (-0.1, VERMILLION, (0.21, -0.21))):
            ax.add_patch(
                FancyArrowPatch(
                    (middle + start, height), (middle + end, height), arrowstyle="-|>", mutation_scale=12, color=colour
                )
            )
        ax.text(middle, 0.42, shape, ha="center", fontsize=7.5, color=BLUE)
        ax.text(middle, -0.5, f"d{shape}" if shape[0] != "d" else shape, ha="center", fontsize=7.5, color=VERMILLION)
    ax.text(-0.3, 0.68, "forward: values", color=BLUE)
    ax.text(-0.3, -0.8, "backward: gradients, of the same shapes", color=VERMILLION)
    ax.set(xlim=(-0.4, len(steps) - 0.6), ylim=(-0.9, 0.85))
    ax.axis("off")
    return figure


@styled
def error_against_step(steps: NDArray, errors: Mapping[str, NDArray]) -> Figure:
    """Draw the relative error of difference quotients against the step eps, both logarithmic."""
    figure = new_figure(8, 3.6)
    ax = figure.subplots()
    looks = ((VERMILLION, "s", "--"), (BLUE, "o", "-"), (PURPLE, "^", ":"), (GREEN, "d", "-."))
    for (name, values), (colour, marker, line) in zip(errors.items(), looks, strict=False):
        ax.plot(steps, np.maximum(values, 1e-16), line, color=colour, marker=marker, markersize=4, label=name)
    ax.axhline(1e-7, color="0.35", linewidth=0.9)
    ax.text(steps.max(), 7e-8, "below this line: right", va="top", ha="right", fontsize=8, color="0.25")
    ax.set(xscale="log", yscale="log", xlabel="step eps (logarithmic)", ylabel="relative error", ylim=(1e-13, 30))
    ax.grid(color="0.92", linewidth=0.6)
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


@styled
def windows_over_pixels(counts: Mapping[str, NDArray]) -> Figure:
    """Draw, for several kinds of window, under how many windows each pixel (h, w) of an image lies."""
    figure = new_figure(9, 2.4)
    panels = figure.subplots(1, len(counts), squeeze=False)[0]
    most = max(float(count.max()) for count in counts.values())
    for ax, (title, count) in zip(panels, counts.items(), strict=True):
        show_image(ax, count, "Blues", 0, 1.3 * most)
        numbers(ax, count, size=7, light_from=0.8 * most)
        ax.set(title=title, xticks=[], yticks=[])
    return figure


@styled
def added_back(rows: NDArray, size: tuple[int, int], k: int, done: int) -> Figure:
    """Draw how col2im adds rows to an image of one channel: the first `done` of the rows, and the image so far.

    Parameters
    ----------
    rows : ndarray
        Shape (windows, k * k), for a window of k that moves by one pixel.
    size : tuple of int
        Height and width of the image.
    """
    across = size[1] - k + 1
    so_far = np.zeros(size)
    for row in range(done):
        i, j = divmod(row, across)
        so_far[i : i + k, j : j + k] += rows[row].reshape(k, k)
    figure = new_figure(7, 0.9 + 0.42 * max(len(rows), size[0]))
    matrix, image = figure.subplots(1, 2, width_ratios=(k * k, size[1]))
    for ax, values in ((matrix, rows), (image, so_far)):
        show_image(ax, values, "Blues", 0, 2.5 * float(rows.max()))
        numbers(ax, values)
        ax.set(xticks=[], yticks=[])
    matrix.set_title("what comes back, a row for each window")
    image.set_title(f"the image after {done} of {len(rows)} rows")
    if done:
        i, j = divmod(done - 1, across)
        frame(matrix, done - 1, 0, 1, k * k)
        frame(image, i, j, k, k)
    return figure


@styled
def winners(x: NDArray, dy: NDArray, dx: NDArray, k: int, stride: int) -> Figure:
    """Draw the backward pass of max pooling: the image (h, w) with its windows, dy, and where each gradient goes."""
    figure = new_figure(9, 2.7)
    panels = figure.subplots(1, 3, width_ratios=(2, 1, 2))
    limit = float(np.abs(dy).max()) * 1.3
    show_image(panels[0], x, "Blues", float(x.min()), float(x.max()) * 1.6)
    show_image(panels[1], dy, DIFFERENCES, -limit, limit)
    show_image(panels[2], dx, DIFFERENCES, -limit, limit)
    for ax, values, title in zip(panels, (x, dy, dx), ("x, and its windows", "dy", "dx"), strict=True):
        numbers(ax, values, light_from=np.inf if ax is panels[0] else 0.75 * limit)
        ax.set(title=title, xticks=[], yticks=[])
    for i, j in np.ndindex(dy.shape):
        frame(panels[0], i * stride, j * stride, k, k)
        frame(panels[2], i * stride, j * stride, k, k)
    return figure


@styled
def probabilities_minus_truth(z: NDArray, p: NDArray, dz: NDArray, label: int) -> Figure:
    """Draw logits, softmax and gradient of one sample as bars, the right class in another colour."""
    figure = new_figure(9, 2.5)
    panels = figure.subplots(1, 3)
    colours = [ORANGE if k == label else SKY_BLUE for k in range(len(z))]
    titles = "logits z", "softmax p", "gradient p minus truth"
    for ax, values, title in zip(panels, (z, p, dz), titles, strict=True):
        ax.bar(range(len(z)), values, color=colours)
        ax.axhline(0, color="0.3", linewidth=0.8)
        ax.set(title=title, xlabel="class", xticks=range(len(z)))
    panels[0].set_ylabel("value")
    panels[0].set_ylim(
        min(-4.5, float(z.min())), max(6.5, float(z.max()))
    )  # the same for every position of the sliders
    panels[1].set_ylim(0, 1)
    panels[2].set_ylim(-1, 1)
    return figure


@styled
def where_gradients_differ(parts: Mapping[str, tuple[NDArray, NDArray]]) -> Figure:
    """Draw gradients (h, w), their difference quotients and the difference of the two, one row for each name."""
    figure = new_figure(9, 1.9 * len(parts))
    rows = figure.subplots(len(parts), 3, squeeze=False)
    for panels, (name, (gradient, quotient)) in zip(rows, parts.items(), strict=True):
        limit = float(max(np.abs(gradient).max(), np.abs(quotient).max()))
        images = gradient, quotient, gradient - quotient
        for ax, image, title in zip(panels, images, ("gradient", "difference quotient", "difference"), strict=True):
            show_image(ax, image, DIFFERENCES, -limit, limit)
            ax.set(title=title, xticks=[], yticks=[])
        panels[0].set_ylabel(name)
        panels[2].set_xlabel(f"largest: {np.abs(images[2]).max():.2g}")
    return figure


@styled
def first_steps(paths: Mapping[str, NDArray], optimum: float) -> Figure:
    """Draw a parameter step by step, for several ways to take the steps."""
    figure = new_figure(8, 3)
    ax = figure.subplots()
    looks = ((BLUE, "o", "-"), (VERMILLION, "s", "--"), (GREEN, "^", ":"))
    for (name, path), (colour, marker, line) in zip(paths.items(), looks, strict=False):
        ax.plot(path, line, color=colour, marker=marker, markersize=3, label=name)
    ax.axhline(optimum, color="0.35", linewidth=0.9)
    ax.text(0, optimum, "minimum", va="bottom", fontsize=8, color="0.25")
    ax.set(xlabel="step", ylabel="parameter w")
    ax.grid(color="0.92", linewidth=0.6)
    ax.legend(frameon=False)
    return figure


@styled
def shapes(images: NDArray, titles: Sequence[str]) -> Figure:
    """Draw images (n, h, w) in one row."""
    figure = new_figure(9, 1.6)
    for ax, image, title in zip(figure.subplots(1, len(images), squeeze=False)[0], images, titles, strict=True):
        show_image(ax, image, "gray", -1, 1.5)
        ax.set(xticks=[], yticks=[])
        ax.set_title(title, fontsize=8)
    return figure


@styled
def losses(curves: Mapping[str, Sequence[float]], chance: float, unit: str = "step") -> Figure:
    """Draw training losses, smoothed over ten steps where there are many, and the loss of guessing."""
    figure = new_figure(8, 3)
    ax = figure.subplots()
    looks = ((BLUE, "-"), (VERMILLION, "--"), (GREEN, ":"))
    for (name, values), (colour, line) in zip(curves.items(), looks, strict=False):
        width = 10 if len(values) > 40 else 1
        smooth = np.convolve(values, np.ones(width) / width, mode="valid")
        ax.plot(np.arange(len(smooth)) + width, smooth, line, color=colour, label=name)
    ax.axhline(chance, color="0.35", linestyle=":", linewidth=1)
    ax.text(
        0.99,
        chance - 0.02,
        "guessing",
        transform=ax.get_yaxis_transform(),
        ha="right",
        va="top",
        fontsize=8,
        color="0.25",
    )
    ax.set(xlabel=unit, ylabel="training loss (nats)", ylim=(0, None))
    ax.legend(frameon=False, loc="center right")
    ax.yaxis.set_major_locator(MultipleLocator(0.5))  # automatic ticks would be chosen after the layout
    return figure
