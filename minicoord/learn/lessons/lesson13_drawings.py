"""The figures of lesson 13: worlds, what networks want to do in them, films, and one line a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter
from numpy.typing import NDArray

from minicoord.datasets.worlds.position import RADIUS, PositionWorld
from minicoord.learn.lessons.lesson13 import Answer
from minicoord.plots.film import film_colours
from minicoord.plots.style import BLUE, GREEN, ORANGE, VERMILLION, model_colours, model_name, new_figure, styled

Pictures = NDArray[np.float32]

DIRECTIONS = np.array([(0, -1), (0, 1), (-1, 0), (1, 0)])
"""To the right and downwards, of up, down, left and right."""


def _show(ax: Axes, picture: NDArray) -> None:
    """Show a picture (H, W, C) of values from 0 to 1, or of uint8, in the colours of a film."""
    shown = picture if picture.dtype == np.uint8 else np.round(255 * picture).astype(np.uint8)
    ax.imshow(film_colours(shown[np.newaxis])[0], interpolation="nearest")
    ax.set(xticks=[], yticks=[])


@styled
def worlds(pictures: Mapping[str, Pictures]) -> Figure:
    """Draw a row of pictures (N, H, W, C) for each version of a world."""
    columns = max(len(of_version) for of_version in pictures.values())
    figure = new_figure(1.3 * columns + 0.6, 1.55 * len(pictures))
    grid = figure.subplots(len(pictures), columns, squeeze=False)
    for row, (name, of_version) in zip(grid, pictures.items(), strict=True):
        for ax, picture in zip(row, of_version, strict=True):
            _show(ax, picture)
        row[0].set_title(name, loc="left")
    return figure


@styled
def policy_of(first: float) -> Figure:
    """Draw the probabilities of four actions whose logits are `first`, 0, 0 and 0, and say their entropy."""
    p = np.exp(np.array([first, 0, 0, 0]) - max(first, 0))
    p /= p.sum()
    figure = new_figure(4.6, 2.4)
    ax = figure.subplots()
    _bars(ax, p)
    entropy = -(p * np.log(p)).sum()
    ax.set_title(f"entropy {entropy:.2f} nats, at most log 4 = {np.log(4):.2f}")
    return figure


def _bars(ax: Axes, p: NDArray, colour: str = BLUE) -> None:
    ax.bar(PositionWorld.actions, p, color=colour, width=0.7)
    ax.set(ylim=(0, 1.15), yticks=[0, 0.5, 1], ylabel="probability")
    for k, of_action in enumerate(p):
        ax.text(k, of_action + 0.03, f"{of_action:.2f}", ha="center")


@styled
def state_and_answers(picture: Pictures, answers: Mapping[str, Answer]) -> Figure:
    """Draw a picture (H, W, C), and beside it what each network wants to do there and what it expects."""
    figure = new_figure(2.6 + 2.9 * len(answers), 2.6)
    panels = figure.subplots(1, 1 + len(answers), width_ratios=[1] + [1.15] * len(answers))
    _show(panels[0], picture)
    panels[0].set_title("what they see")
    colours = model_colours(list(answers))
    for ax, (model, answer) in zip(panels[1:], answers.items(), strict=True):
        _bars(ax, answer.policy[0], colours[model])
        ax.set_title(f"{model_name(model)}: value {answer.value[0]:.2f}")
    return figure


@styled
def policy_fields(fields: Mapping[str, Answer]) -> Figure:
    """Draw for each network what it wants to do at all positions around the middle (49 pictures, row by row)."""
    side = 2 * RADIUS + 1
    figure = new_figure(1.1 + 2.35 * len(fields), 2.9)
    panels = figure.subplots(1, len(fields), squeeze=False)[0]
    drawn = None
    for k, (ax, (model, answer)) in enumerate(zip(panels, fields.items(), strict=True)):
        # The goal itself is never seen, for reaching it ends the episode.
        seen = np.arange(side * side) != side * side // 2
        value = np.where(seen, answer.value, np.nan).reshape(side, side)
        drawn = ax.imshow(value, cmap="cividis", vmin=0, vmax=1, extent=(-3.5, 3.5, 3.5, -3.5))
        mean = answer.policy @ DIRECTIONS  # (49, 2)
        across, along = np.meshgrid(np.arange(-RADIUS, RADIUS + 1), np.arange(-RADIUS, RADIUS + 1))
        ax.quiver(
            across.ravel()[seen], along.ravel()[seen], *mean[seen].T, color="white", angles="xy", scale_units="xy",
            scale=1.3, width=0.012, pivot="middle",
        )  # fmt: skip
        ax.plot(0, 0, marker="*", color=VERMILLION, markersize=9, linestyle="")
        ax.set(title=model_name(model), xlabel="columns from the goal", xticks=[-3, 0, 3], yticks=[-3, 0, 3])
        if k == 0:
            ax.set_ylabel("rows from the goal")
    if drawn is not None:
        figure.colorbar(drawn, ax=list(panels), label="value", shrink=0.8)
    return figure


@styled
def frames(films: Mapping[str, NDArray[np.uint8]], k: int) -> Figure:
    """Draw frame k of the film (frames, H, W, C) of each network, or its last one where it is shorter."""
    figure = new_figure(1.9 * len(films), 2.3)
    for ax, (model, film) in zip(figure.subplots(1, len(films), squeeze=False)[0], films.items(), strict=True):
        _show(ax, film[min(k, len(film) - 1)])
        ax.set_title(model_name(model))
        ax.set_xlabel(f"move {min(k, len(film) - 1)}" + (", over" if k >= len(film) - 1 else ""))
    return figure


@styled
def frames_of_games(films: Mapping[str, NDArray[np.uint8]], k: int) -> Figure:
    """Draw frame k of the film (frames, H, W, C) of each game, or its last one where it is shorter."""
    figure = new_figure(1.7 * len(films), 2.1)
    for ax, (game, film) in zip(figure.subplots(1, len(films), squeeze=False)[0], films.items(), strict=True):
        shown = min(k, len(film) - 1)
        ax.imshow(film_colours(film[shown : shown + 1])[0], interpolation="nearest")
        ax.set(xticks=[], yticks=[], title=game.replace("-", "\n", 1), xlabel=f"move {shown}")
    return figure


@styled
def one_line_a_seed(records: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw the training return of each run as a line of its own, and the greedy return as a mark at the right."""
    figure = new_figure(6.4, 3.2)
    ax = figure.subplots()
    colours = (BLUE, VERMILLION, GREEN, ORANGE)
    for k, record in enumerate(records):
        points = [(row["env_steps"], row["return"]) for row in record["history"] if row.get("return") is not None]
        steps, returns = np.array(points, np.float64).reshape(-1, 2).T
        colour = colours[k % len(colours)]
        ax.plot(steps, returns, color=colour, linewidth=1.6, label=f"seed {record['seed']}")
        greedy = record["metrics"]["test_return"]
        ax.plot(
            [steps[-1] * (1.03 + 0.02 * k)],
            [greedy],
            marker="D",
            markersize=6,
            color=colour,
            linestyle="",
            clip_on=False,
        )
    ax.plot([], [], marker="D", color="0.4", linestyle="", label="most probable actions, in the end")
    ax.set(xlabel="actions", ylabel="return", ylim=(0, 1.05))
    ax.set_title(f"{model_name(records[0]['model'])}: the same code, other random numbers")
    ax.xaxis.set_major_locator(MaxNLocator(nbins=5))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    ax.grid(color="0.92", linewidth=0.6)
    ax.legend(loc="lower right", frameon=False)
    return figure
