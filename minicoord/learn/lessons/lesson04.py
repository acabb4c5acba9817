"""The figures of lesson 04, and what they need from the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from minicoord.datasets.not_so_clevr import NotSoClevr
from minicoord.datasets.splits import Split
from minicoord.experiments.supervised.pixels import logits_in_slices
from minicoord.nn.layers.base import Layer
from minicoord.nn.losses import softmax
from minicoord.plots.style import (
    BLACK,
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

PAPER_UNIFORM = 86.0  # per cent, the best test accuracy of a deconvolution network in the paper


@styled
def painting(x: NDArray, w: NDArray, stride: int, painted_by: int) -> Figure:
    """Draw how the pixels of an image x (h, w) paint with a kernel (kh, kw): the first `painted_by` of them so far."""
    (h, width), (kh, kw) = x.shape, w.shape
    canvas = np.zeros(((h - 1) * stride + kh, (width - 1) * stride + kw))
    for k in range(painted_by):
        i, j = divmod(k, width)
        canvas[i * stride : i * stride + kh, j * stride : j * stride + kw] += x[i, j] * w
    highest = max(3.0, float(canvas.max()))
    figure = new_figure(9, 3.7)
    panels = figure.subplots(1, 3, width_ratios=(1.1, 1, 2))
    for ax, image, title in zip(
        panels, (x, w, canvas), ("the image", "the kernel", "what is painted so far"), strict=True
    ):
        show_image(ax, image, "Blues", 0, 1.6 * highest)
        ax.set(title=title, xticks=[], yticks=[])
        for (i, j), value in np.ndenumerate(image):
            if value:
                ax.text(j, i, f"{value:g}", ha="center", va="center", fontsize=9)
    i, j = divmod(max(painted_by - 1, 0), width)
    _frame(panels[0], j, i, 1, 1, ORANGE)
    _frame(panels[2], j * stride, i * stride, kw, kh, ORANGE)
    top, left = (kh - stride) // 2, (kw - stride) // 2
    _frame(panels[2], left, top, width * stride, h * stride, BLACK, "--")
    panels[2].set_xlabel("orange: the last patch; dashed: what is kept at the end")
    return figure


def _frame(ax: Axes, x: float, y: float, width: float, height: float, colour: str, style: str = "-") -> None:
    ax.add_patch(
        Rectangle((x - 0.5, y - 0.5), width, height, fill=False, edgecolor=colour, linewidth=2, linestyle=style)
    )


@styled
def growing_images(shapes: Sequence[tuple[int, int, int]], kernel: int) -> Figure:
    """Draw the images (side, side, channels) inside a deconvolution network, first to last."""
    figure = new_figure(9, 2.9)
    ax = figure.subplots()
    sides = [0.14 * (1 + side) ** 0.6 for side, _, _ in shapes]
    x = 0.0
    for k, ((side, _, channels), size) in enumerate(zip(shapes, sides, strict=True)):
        for shift in (0.16, 0.08, 0.0) if channels > 1 else (0.0,):
            face = "white" if k == 0 else "#d8e8f4"
            corner = (x + shift, shift - size / 2)
            ax.add_patch(Rectangle(corner, size, size, facecolor=face, edgecolor="0.3", linewidth=0.8))
        words = f"{side} x {side}\n{channels}" + (" channels" if k == 0 else "")
        ax.text(x + size / 2, -size / 2 - 0.12, words, ha="center", va="top", fontsize=9)
        if k + 1 < len(shapes):
            ax.annotate("", (x + size + 0.72, 0), (x + size + 0.26, 0), arrowprops={"arrowstyle": "->", "color": "0.3"})
        x += size + 0.8
    ax.text(sides[0] / 2, sides[0] / 2 + 0.3, "(x, y)", ha="center", fontsize=9)
    words = (
        f"each arrow: transposed convolution {kernel} x {kernel}, stride 2; after all but the last, batch norm, ReLU"
    )
    ax.text(0, 1.45, words, fontsize=9)
    ax.set(xlim=(-0.2, x - 0.5), ylim=(-1.75, 1.75), aspect="equal")
    ax.set_axis_off()
    return figure


@styled
def parameter_bars(counts: Mapping[str, int]) -> Figure:
    """Draw parameter counts of networks as bars on a logarithmic axis; the last is the one to compare with."""
    figure = new_figure(8, 3.2)
    ax = figure.subplots()
    names = list(counts)
    colours = [VERMILLION] * (len(names) - 1) + [BLUE]
    ax.barh(names, list(counts.values()), color=colours, height=0.7)
    for k, name in enumerate(names):
        ax.text(counts[name] * 1.06, k, f"{counts[name]:,}", va="center", fontsize=8)
    ax.set(xscale="log", xlim=(3000, 6e6), xlabel="parameters (log scale)")
    ax.invert_yaxis()
    ax.spines[["top", "right"]].set_visible(False)
    return figure


Curve = tuple[str, Sequence[Mapping[str, Any]]]


@styled
def learning_curves(curves: Mapping[str, Sequence[Curve]]) -> Figure:
    """Draw train and test accuracy over the epochs: a panel for each split, a colour for each (name, rows).

    Where runs of different lengths share a panel, the axis is the part of the training, which their schedules follow.
    """
    figure = new_figure(9, 3.7)
    by_part = any(len({rows[-1]["epoch"] for _, rows in some}) > 1 for some in curves.values())
    panels = figure.subplots(1, len(curves), squeeze=False, sharey=True)[0]
    names = list(dict.fromkeys(name for of_split in curves.values() for name, _ in of_split))
    palette = (VERMILLION, PURPLE, GREEN, ORANGE, SKY_BLUE, BLUE, BLACK)
    colours = {name: palette[k % len(palette)] for k, name in enumerate(names)}
    for ax, (split, of_split) in zip(panels, curves.items(), strict=True):
        if split == "uniform":
            ax.axhline(PAPER_UNIFORM, color="0.35", linestyle=":", linewidth=1.2)
            style: dict[str, Any] = {"fontsize": 8, "ha": "left", "transform": ax.get_yaxis_transform(), "zorder": 4}
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8}
            ax.text(0.02, PAPER_UNIFORM + 2.5, "the paper's best test accuracy", bbox=box, **style)
        for name, rows in of_split:
            colour = colours[name]
            rows = [row for row in rows if row.get("train_accuracy") is not None]
            when = [100 * row["epoch"] / rows[-1]["epoch"] if by_part else row["epoch"] for row in rows]
            marker = "o" if len(rows) < 25 else ""
            train, test = ([100 * row[f"{part}_accuracy"] for row in rows] for part in ("train", "test"))
            ax.plot(when, train, "--", color=colour, linewidth=1, marker=marker, markersize=3)
            ax.plot(when, test, color=colour, linewidth=2, marker=marker, markersize=3)
        ax.set(
            title=f"{split} split",
            xlabel="part of the training (%)" if by_part else "epoch",
            ylim=(-4, 104),
            xlim=(0, None),
        )
        ax.grid(color="0.9", linewidth=0.6)
    shade = colours[names[0]] if len(names) == 1 else "0.35"
    looks: list[dict[str, Any]] = [{"label": name, "color": colours[name], "linewidth": 2} for name in names if name]
    looks += [{"label": "test", "color": shade, "linewidth": 2}]
    looks += [{"label": "train", "color": shade, "linewidth": 1, "linestyle": "--"}]
    handles = [Line2D([], [], **look) for look in looks]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(6, len(handles)), frameon=False)
    panels[0].set_ylabel("accuracy (%)")
    return figure


@styled
def test_against_train(points: Sequence[tuple[str, str, float, float]]) -> Figure:
    """Draw (group, split, train, test) in per cent, like the left half of the paper's Figure 4."""
    figure = new_figure(7.8, 4.2)
    ax = figure.subplots()
    ax.plot([0, 100], [0, 100], color="0.8", linewidth=1)
    ax.axhline(PAPER_UNIFORM, color="0.35", linestyle=":", linewidth=1.2)
    ax.text(0, PAPER_UNIFORM + 1.5, "the paper's best deconvolution network, uniform", fontsize=8)
    groups = list(dict.fromkeys(group for group, *_ in points))
    others = dict(zip([g for g in groups if "CoordConv" not in g], (VERMILLION, ORANGE, GREEN, PURPLE), strict=False))
    colours = {group: others.get(group, BLUE) for group in groups}
    for group, split in dict.fromkeys((group, split) for group, split, *_ in points):
        chosen = [(train, test) for g, s, train, test in points if (g, s) == (group, split)]
        marker = "o" if split == "uniform" else "s"
        style = {"markersize": 8, "markeredgewidth": 1.6, "markerfacecolor": "none", "linestyle": "", "clip_on": False}
        ax.plot(*np.transpose(chosen), marker, color=colours[group], label=f"{group}, {split}", zorder=3, **style)
    ax.set(xlim=(-2, 103), ylim=(-4, 103), xlabel="train accuracy (%)", ylabel="test accuracy (%)", aspect="equal")
    ax.legend(loc="center left", bbox_to_anchor=(1.03, 0.5), frameon=False)
    return figure


def guesses(net: Layer, data: NotSoClevr, part: NDArray) -> NDArray[np.int64]:
    """Return the pixel (x, y) of the largest logit for each of the samples `part`, shape (n, 2)."""
    width = data.canvas[1]
    flat = [z.reshape(len(z), -1).argmax(axis=1) for _, z in logits_in_slices(net, data.inputs(), part)]
    return np.stack([np.concatenate(flat) % width, np.concatenate(flat) // width], axis=1)


@styled
def where_it_points(data: NotSoClevr, parts: Split, guessed: NDArray, step: int = 4) -> Figure:
    """Draw an arrow from test positions, every `step` pixels, to the pixel that the network lit, and all lit pixels."""
    figure = new_figure(9, 4.4)
    arrows, pixels = figure.subplots(1, 2)
    centres = data.centres[parts.test]
    chosen = ((centres - centres.min(axis=0)) % step == 0).all(axis=1)
    start, move = centres[chosen], (guessed - centres)[chosen]
    for ax in (arrows, pixels):
        ax.scatter(*data.centres[parts.train].T, s=1.2, color="0.8", marker="s", linewidths=0)
        ax.set(xlim=(0, 63), ylim=(63, 0), aspect="equal", xlabel="x (pixels)", ylabel="y (pixels)")
    arrows.scatter(*start.T, s=5, color=BLACK, zorder=3)
    colours = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.0035, "color": VERMILLION}
    arrows.quiver(*start.T, *move.T, **colours)
    arrows.set_title("from the right pixel (dot) to the one it lit (arrow)")
    places, counts = np.unique(guessed, axis=0, return_counts=True)
    pixels.scatter(*places.T, s=6 + 3 * counts, color=VERMILLION, alpha=0.7, linewidths=0)
    pixels.set_title(f"{len(places)} different pixels lit for {len(centres)} test positions\n(area: how often)")
    return figure


@styled
def lit_after(
    epoch: int, data: NotSoClevr, parts: Split, guessed: NDArray, rows: Sequence[Mapping[str, Any]]
) -> Figure:
    """Draw the pixels that a network lights for the test positions after an epoch, and its accuracy up to then.

    Parameters
    ----------
    guessed : ndarray
        The pixel (x, y) that it lit for each test position, shape (n, 2).
    rows : sequence of mapping
        The history: ``epoch``, ``train_accuracy`` and ``test_accuracy``; rows without an accuracy are left out.
    """
    figure = new_figure(8, 3.7)
    pixels, curves = figure.subplots(1, 2)
    low, high = data.centres[parts.test].min(axis=0), data.centres[parts.test].max(axis=0)
    height, width = data.canvas
    pixels.scatter(*data.centres[parts.train].T, s=5000 / width**2, color="0.8", marker="s", linewidths=0)
    across, down = high - low + 1
    _frame(pixels, low[0], low[1], across, down, BLACK, ":")
    places, counts = np.unique(guessed, axis=0, return_counts=True)
    areas = 3 * counts + 1600 / width
    pixels.scatter(places[:, 0], places[:, 1], s=areas, color=VERMILLION, alpha=0.7, linewidths=0)
    limits = {"xlim": (-0.5, width - 0.5), "ylim": (height - 0.5, -0.5)}
    ticks = {"xticks": range(0, width, width // 4), "yticks": range(0, height, height // 4)}
    pixels.set(**limits, **ticks, aspect="equal", xlabel="x (pixels)", ylabel="y (pixels)")
    pixels.set_title(f"epoch {epoch}: {len(places)} pixels lit for {len(guessed)} positions")
    known = [row for row in rows if row.get("train_accuracy") is not None]
    until = [row for row in known if row["epoch"] <= epoch]
    for part, look, width in (("train", "--", 1), ("test", "-", 2)):
        shares = [100 * row[f"{part}_accuracy"] for row in until]
        curves.plot([row["epoch"] for row in until], shares, look, color=VERMILLION, linewidth=width, label=part)
    curves.set(xlim=(0, known[-1]["epoch"]), ylim=(-4, 104), xlabel="epoch", ylabel="accuracy (%)")
    curves.set_title("trained on the grey part; asked inside the frame")
    curves.grid(color="0.9", linewidth=0.6)
    curves.legend(frameon=False, loc="upper left")
    return figure


def five_in_a_row(data: NotSoClevr, parts: Split, guessed: NDArray) -> NDArray[np.int64]:
    """Return five samples side by side, the middle one from the test set and wrong, the others trained on and right.

    Of all such rows, the one nearest to the middle of the canvas is taken. If there is none, as many of the five as
    possible satisfy the condition.
    """
    index = {tuple(centre): k for k, centre in enumerate(data.centres.tolist())}
    in_test = np.isin(np.arange(len(data)), parts.test)
    wrong = (guessed != data.centres).any(axis=1)
    best, rows = (-1, 0.0), None
    for x, y in data.centres.tolist():
        row = [index.get((x + k, y)) for k in range(-2, 3)]
        if None in row:
            continue
        as_wished = [bool(in_test[k] and wrong[k]) if k == row[2] else not (in_test[k] or wrong[k]) for k in row]
        score = 3 * as_wished[2] + sum(as_wished), -float(np.hypot(x - 31.5, y - 31.5))
        if score > best:
            best, rows = score, row
    return np.array(rows, np.int64)


@styled
def neighbours(net: Layer, data: NotSoClevr, parts: Split, samples: NDArray, half: int = 3) -> Figure:
    """Draw the softmax around each of some neighbouring positions, the right pixel framed."""
    p = softmax(net.forward(data.inputs(samples)))[..., 0]
    middle_x, middle_y = data.centres[samples[len(samples) // 2]].tolist()
    figure = new_figure(9.4, 2.5)
    panels = figure.subplots(1, len(samples), squeeze=False)[0]
    top, left = middle_y - half, middle_x - half
    for ax, sample, image in zip(panels, samples, p, strict=True):
        window = image[top : middle_y + half + 1, left : middle_x + half + 1]
        show_image(ax, window, "gray", 0, 1, (left, top))
        x, y = data.centres[sample].tolist()
        test = sample in parts.test
        colour = VERMILLION if test else SKY_BLUE
        _frame(ax, x, y, 1, 1, colour)
        for (i, j), value in np.ndenumerate(window):
            if value >= 0.05:
                grey = "black" if value > 0.5 else "white"
                ax.text(left + j, top + i, f"{value:.2f}"[1:] if value < 0.995 else "1", ha="center", va="center",
                        fontsize=6.5, color=grey)  # fmt: skip
        ax.set_title(f"({x}, {y}), {'held out' if test else 'trained on'}\nat the right pixel {image[y, x]:.2f}")
        ax.title.set_color(colour if test else "black")
        ax.set(xticks=[], yticks=[])
    return figure


@styled
def two_softmaxes(nets: Mapping[str, Layer], data: NotSoClevr, parts: Split, x: int, y: int) -> Figure:
    """Draw the softmax of each network for one position, over the whole canvas, with the held-out part outlined."""
    place = np.array([[2 * x / 63 - 1, 2 * y / 63 - 1]], np.float32)
    figure = new_figure(8.6, 4.3)
    low = data.centres[parts.test].min(axis=0)
    high = data.centres[parts.test].max(axis=0)
    wide, tall = high - low + 1
    test = bool((low <= (x, y)).all() and ((x, y) <= high).all())
    figure.suptitle(f"({x}, {y}): {'held out' if test else 'trained on'}")
    for ax, (name, net) in zip(figure.subplots(1, len(nets), squeeze=False)[0], nets.items(), strict=True):
        p = softmax(net.forward(place))[0, ..., 0]
        largest = int(p.argmax())
        show_image(ax, np.sqrt(p), "gray", 0, 1)
        _frame(ax, low[0], low[1], wide, tall, ORANGE, ":")
        ax.scatter([x], [y], s=90, facecolors="none", edgecolors=SKY_BLUE, linewidths=1.5)
        guess = f"largest at ({largest % 64}, {largest // 64})"
        ax.set_title(f"{name}\nat the right pixel {p[y, x]:.2f}, {guess}: {p.max():.2f}")
    return figure


@styled
def softmax_row(places: NDArray, probabilities: NDArray) -> Figure:
    """Draw softmax images (n, 64, 64) side by side, each with a circle around its position (x, y)."""
    figure = new_figure(9, 3.3)
    for ax, (x, y), p in zip(
        figure.subplots(1, len(places), squeeze=False)[0], places.tolist(), probabilities, strict=True
    ):
        show_image(ax, np.sqrt(p), "gray", 0, 1)
        ax.scatter([x], [y], s=90, facecolors="none", edgecolors=SKY_BLUE, linewidths=1.5)
        ax.set_title(f"({x}, {y}): at the right pixel {p[y, x]:.2f}")
    return figure


@styled
def binary_digits(column: int) -> Figure:
    """Draw the six binary digits of the columns 0 to 63, white for 1, and mark one column."""
    digits = (np.arange(64)[None, :] >> np.arange(5, -1, -1)[:, None]) & 1
    figure = new_figure(9, 2.3)
    ax = figure.subplots()
    show_image(ax, digits, "gray", -0.6, 1)
    ax.set_aspect(2.2)
    _frame(ax, column, 0, 1, 6, ORANGE)
    ax.set_yticks(range(6), [f"layer {k}: {2 ** (6 - k)} px" for k in range(1, 7)])
    ax.set_xticks([0, 8, 16, 24, 32, 40, 48, 56, 63, column])
    ax.set(xlabel="column of the output (pixels)")
    word = "".join(map(str, digits[:, column]))
    ax.set_title(f"dark: the path turns left; light: right. Column {column} is {word} in binary")
    return figure
