"""The figures of lesson 06, and what they need: scores before the pooling, the state before training, answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from minicoord.datasets.not_so_clevr import NotSoClevr
from minicoord.nn.model import Sequential
from minicoord.plots.style import (
    BLACK,
    BLUE,
    ORANGE,
    VERMILLION,
    model_colours,
    model_name,
    new_figure,
    order_models,
    show_image,
    styled,
)

SIDE = 64


@styled
def lit_pixels(images: NDArray, targets: NDArray) -> Figure:
    """Draw images (n, H, W, 1) of one lit pixel each, ringed, with their targets (n, 2)."""
    figure = new_figure(9, 2.9)
    for ax, image, target in zip(
        figure.subplots(1, len(images), squeeze=False)[0], images[..., 0], targets, strict=True
    ):
        show_image(ax, image, "gray", 0, 1)
        y, x = np.argwhere(image)[0]
        ax.add_patch(Circle((x, y), 4, fill=False, color=ORANGE, linewidth=1.5))
        ax.set_title(f"wanted: ({target[0]:.3f}, {target[1]:.3f})")
        ax.set_xlabel("x (pixels)", labelpad=-4)
    figure.axes[0].set_ylabel("y (pixels)", labelpad=-4)
    return figure


@styled
def distance_curves(results: Sequence[Mapping[str, Any]], baseline: Mapping[str, float]) -> Figure:
    """Draw the test distance of runs epoch by epoch, a panel for each split, and that of a constant answer.

    Parameters
    ----------
    results : list of dict
        As `minicoord.experiments.frame.experiment.Experiment.run` returns them.
    baseline : dict of float
        For each split, the mean distance in pixels of the answer that is always the mean of the training set.
    """
    splits = list(dict.fromkeys(r["variant"] for r in results))
    models = order_models(r["model"] for r in results)
    colours = model_colours(models)
    figure = new_figure(9, 3.6)
    panels = figure.subplots(1, len(splits), squeeze=False, sharey=True)[0]
    for ax, split in zip(panels, splits, strict=True):
        for r in results:
            if r["variant"] != split:
                continue
            rows = [row for row in r["history"] if row.get("test_distance") is not None]
            for key, style in (("test_distance", {"linewidth": 2}), ("train_distance", {"linestyle": "--"})):
                ax.plot([row["epoch"] for row in rows], [row[key] for row in rows], color=colours[r["model"]], **style)
        ax.axhline(baseline[split], color="0.35", linestyle=":", linewidth=1.3)
        ax.set(title=f"{split} split", xlabel="epoch", yscale="log")
        ax.set_ylim(top=max(ax.get_ylim()[1], 1.4 * baseline[split]))
        ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.grid(color="0.9", linewidth=0.6)
    panels[0].set_ylabel("mean distance (pixels, log scale)")
    handles = [Line2D([], [], color=colours[m], linewidth=2, label=model_name(m)) for m in models]
    handles += [
        Line2D([], [], color=BLACK, linewidth=2, label="test"),
        Line2D([], [], color=BLACK, linestyle="--", label="train"),
        Line2D([], [], color="0.35", linestyle=":", label="always the mean of the training set"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


@styled
def clouds(predictions: Mapping[str, Mapping[str, NDArray]]) -> Figure:
    """Draw where each network sees the lit pixels: train above, test below, the truth on the left.

    Parameters
    ----------
    predictions : dict of dict of ndarray
        As for `minicoord.plots.point_clouds`.
    """
    models = order_models(predictions)
    colours = {"truth": BLACK} | model_colours(models)
    truth = predictions[models[0]]
    figure = new_figure(2.25 * (1 + len(models)), 5.0)
    panels = figure.subplots(2, 1 + len(models), sharex=True, sharey=True)
    for line, part in zip(panels, ("train", "test"), strict=True):
        for ax, model in zip(line, ("truth", *models), strict=True):
            points = np.asarray(truth[f"{part}_centres"] if model == "truth" else predictions[model][part], np.float64)
            ax.plot(*points.T, linestyle="", marker="o", markersize=1.4, markeredgewidth=0, color=colours[model])
            ax.set(xlim=(-4, 67), ylim=(67, -4), aspect="equal", xticks=(0, 63), yticks=(0, 63))
            outside = np.count_nonzero(((points < -4) | (points > 67)).any(axis=1))
            ax.set_title(f"{model_name(model)}, {part}" + (f"\n{outside} outside" if outside else ""))
    for ax in panels[1]:
        ax.set_xlabel("x (pixels)", labelpad=-4)
    for ax in panels[:, 0]:
        ax.set_ylabel("y (pixels)", labelpad=-4)
    return figure


def by_hand(x: int, y: int, lift: float) -> NDArray[np.float64]:
    """Return what a linear CoordConv computes for x at every pixel, (64, 64), in pixels, with (x, y) lit.

    Every pixel states its own column; all are pushed down by `lift` pixels, and the lit one is lifted by as much.
    """
    score = np.tile(np.arange(SIDE, dtype=np.float64), (SIDE, 1)) - lift
    score[y, x] += lift
    return score


@styled
def lifted(x: int, y: int, lift: float) -> Figure:
    """Draw the scores of `by_hand` as an image and along the row of the lit pixel, with their maximum and mean."""
    score = by_hand(x, y, lift)
    figure = new_figure(9, 3.3)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.7))
    show_image(left, score, "cividis", -SIDE, SIDE)
    column = int(score.argmax()) % SIDE
    left.add_patch(Circle((x, y), 3, fill=False, color=ORANGE, linewidth=2))
    left.set(title="the score for x at every pixel", xlabel="x (pixels)", ylabel="y (pixels)")
    right.plot(score[y], color=BLACK, linewidth=1)
    right.plot([x], [score[y, x]], "o", color=ORANGE, markersize=7, label=f"the lit pixel: {score[y, x]:.3g}")
    right.set(xlabel="column (pixels)", ylabel="score (pixels)", xticks=(0, 16, 32, 48, 63))
    right.grid(color="0.9", linewidth=0.6)
    right.axhline(score.mean(), color="0.35", linestyle=":", label=f"mean of all pixels: {score.mean():.1f}")
    right.axhline(score.max(), color=BLUE, linestyle="--", label=f"maximum: {score.max():g}, from column {column}")
    right.set_title(f"along row {y}; the lit pixel is in column {x}")
    right.set_ylim(-max(SIDE, lift) - 4, SIDE + 4)
    right.legend(loc="lower right")
    return figure


def scores(net: Sequential, images: NDArray) -> NDArray[np.float64]:
    """Return what a regressor computes before its global pooling, in pixels: (n, H, W, 2)."""
    return SIDE * Sequential(net.layers[:-1]).forward(images).astype(np.float64)


@styled
def learned_scores(net: Sequential, image: NDArray, half: int = 6) -> Figure:
    """Draw the scores for x of a regressor around the lit pixel of an image (1, 64, 64, 1), and along one row.

    The row is that of the maximum. It is marked in both panels, or only on the right if it is far from the lit pixel.
    """
    _, y, x, _ = (int(place) for place in np.argwhere(image)[0])
    score = scores(net, image)[0, ..., 0]
    row, column = divmod(int(score.argmax()), SIDE)
    figure = new_figure(9, 3.4)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
    top, first = max(y - half, 0), max(x - half, 0)
    window = score[top : y + half + 1, first : x + half + 1]
    largest = float(np.abs(window).max())
    drawn = show_image(left, window, "PuOr", -largest, largest, (first, top))
    left.plot([x], [y], "s", color=ORANGE, fillstyle="none", markersize=11, markeredgewidth=2, label="lit")
    if abs(column - x) <= half and abs(row - y) <= half:  # a marker further out would squeeze the window
        left.plot([column], [row], "o", color=BLUE, fillstyle="none", markersize=11, markeredgewidth=2, label="maximum")
    left.set(title=f"scores for x around the lit pixel ({x}, {y})", xlabel="x (pixels)", ylabel="y (pixels)")
    left.legend(loc="lower left")
    figure.colorbar(drawn, ax=left, label="score (pixels)", shrink=0.8)
    right.plot(score[row], color=BLACK, linewidth=1)
    right.plot([column], [score.max()], "o", color=BLUE, markersize=7, label=f"maximum: {score.max():.3g}")
    right.set(title=f"along row {row}", xlabel="column (pixels)", ylabel="score (pixels)", xticks=(0, 16, 32, 48, 63))
    right.grid(color="0.9", linewidth=0.6)
    right.legend(loc="best")
    return figure


@styled
def pooled_answers(answers: Mapping[str, NDArray]) -> Figure:
    """Draw what networks answer for x against the true x, for a lit pixel that moves along one row.

    Parameters
    ----------
    answers : dict of ndarray
        For each name, pairs (n, 2) of the true x and the answer, in pixels.
    """
    said = np.concatenate([pairs[:, 1] for pairs in answers.values()])
    near = bool(((said >= -40) & (said <= 67)).all())  # else each panel has its own scale
    figure = new_figure(9, 3.0)
    for ax, (name, pairs) in zip(
        figure.subplots(1, len(answers), sharey=near, squeeze=False)[0], answers.items(), strict=True
    ):
        ax.plot([0, 63], [0, 63], color="0.6", linestyle=":", linewidth=1.2)
        ax.plot(*pairs.T, color=BLUE, linewidth=2)
        ax.set(title=name, xlabel="true x (pixels)", xlim=(0, 63), xticks=(0, 32, 63))
        if near:
            ax.set(ylim=(-40, 67), yticks=(-32, 0, 32, 63))
        ax.grid(color="0.9", linewidth=0.6)
    figure.axes[0].set_ylabel("answer (pixels)")
    return figure


def share_seen(net: Sequential, data: NotSoClevr, samples: NDArray, reach: int = 2) -> NDArray[np.float64]:
    """Return the share of images whose maximum, for x and for y, comes from within `reach` pixels of the lit one."""
    near = []
    for k in range(0, len(samples), SIDE):
        some = samples[k : k + SIDE]
        best = scores(net, data.one_hot(some)).reshape(len(some), -1, 2).argmax(axis=1)
        x, y = data.centres[some].T[..., None]
        near.append(np.maximum(abs(best % SIDE - x), abs(best // SIDE - y)) <= reach)
    return np.concatenate(near).mean(axis=0)


@styled
def starts(shares: Mapping[str, NDArray]) -> Figure:
    """Draw for how many images the lit pixel is the maximum before any training, seed by seed.

    Parameters
    ----------
    shares : dict of ndarray
        For each way to start, the shares (seeds, 2) of `share_seen`, for x and for y.
    """
    figure = new_figure(9, 3.0)
    for ax, (name, values) in zip(
        figure.subplots(1, len(shares), sharey=True, squeeze=False)[0], shares.items(), strict=True
    ):
        seeds = np.arange(len(values))
        for c, (colour, marker, label) in enumerate(((BLUE, "o", "for x"), (VERMILLION, "s", "for y"))):
            ax.plot(seeds + 0.2 * (c - 0.5), 100 * values[:, c], marker, color=colour, markersize=4.5, label=label)
        ax.set(title=name, xlabel="seed", ylim=(-5, 105), xticks=seeds[::2])
        ax.grid(color="0.9", linewidth=0.6, axis="y")
    figure.axes[0].set_ylabel("images whose maximum is\nat the lit pixel (%)")
    figure.axes[0].legend(loc="center right")
    return figure


@styled
def small_canvas(data: NotSoClevr, parts: Any, said: NDArray, rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw the answers (n, 2) of a network over a small canvas, and the test distance epoch by epoch."""
    figure = new_figure(9, 3.4)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
    left.plot(*data.centres.T, "o", color="0.8", markersize=6, label="the true positions")
    for part, colour, name in ((parts.train, BLUE, "answers, trained on"), (parts.test, VERMILLION, "held out")):
        left.plot(*said[part].T, ".", color=colour, markersize=4, label=name)
    side = data.canvas[0]
    left.set(xlim=(-0.5, side - 0.5), ylim=(side - 0.5, -0.5), aspect="equal", xlabel="x (pixels)", ylabel="y (pixels)")
    left.legend(
        loc="upper center", bbox_to_anchor=(0.5, 1.2), ncols=3, frameon=False, handletextpad=0.1, columnspacing=0.8
    )
    right.plot([row["epoch"] for row in rows], [row["test_distance"] for row in rows], color=BLUE)
    right.set(xlabel="epoch", ylabel="mean distance on the test (pixels)", ylim=(0, None))
    right.grid(color="0.9", linewidth=0.6)
    return figure
