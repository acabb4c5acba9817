"""Returns of agents while they learn, a panel for each game: the form of the paper's figure 8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from minicoord.plots.inputs import check_results
from minicoord.plots.learning_curves import bands
from minicoord.plots.over_time import Result
from minicoord.plots.style import model_colours, model_name, new_figure, order_models, styled
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import shown

COLUMNS = 3
REFERENCE_POINTS: dict[str, Any] = {"color": "0.2", "marker": "D", "markersize": 5, "linestyle": ":", "linewidth": 1}


@styled
@check_types
def game_curves(
    games: Mapping[str, Sequence[Result]],
    reference: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    source: str = "reference",
) -> Figure:
    """Draw the mean return of the episodes that were over since the row before, over the actions so far.

    Parameters
    ----------
    games : dict of list of dict
        By the name of a game its runs, with ``model``, and a ``history`` of rows with ``env_steps`` and ``return``
        (None or NaN where no episode was over).
    reference : dict of list of (float, float), optional
        By the name of a game points of other agents, (actions, return); those beyond our own curves are left out.
    source : str
        What the points are called in the legend.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each game, three in a row. For each network a line through the medians over its runs, and where
        there are several a band from the smallest to the largest value. The title says how many runs there are.

    Raises
    ------
    TypeError, ValueError
        If `games` or one of them is empty, or a run lacks what is drawn.
    """
    if not games:
        raise ValueError("game_curves: games is empty, wanted at least one game")
    for game, runs in games.items():
        if not runs:
            raise ValueError(f"game_curves: games[{shown(game)}] is empty, wanted at least one run")
        check_results("game_curves", runs, rows=("env_steps",), measured=("return",), variant=False)
    models = order_models(r["model"] for runs in games.values() for r in runs)
    colours = model_colours(models)
    columns = min(COLUMNS, len(games))
    rows = -(-len(games) // columns)
    figure = new_figure(0.6 + 2.9 * columns, 0.8 + 2.3 * rows)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax in panels[len(games) :]:
        ax.remove()
    marked = False
    for k, (ax, (game, of_game)) in enumerate(zip(panels, games.items(), strict=False)):
        marked |= _panel(ax, game, of_game, (reference or {}).get(game, ()), colours)
        ax.set(
            xlabel="actions" if k + columns >= len(games) else "",
            ylabel="return during training" if k % columns == 0 else "",
        )
    handles = [Line2D([], [], color=colours[m], linewidth=1.8, label=model_name(m)) for m in models]
    if marked:
        handles.append(Line2D([], [], label=source, **REFERENCE_POINTS))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 4), frameon=False)
    return figure


def _panel(
    ax: Axes,
    game: str,
    of_game: Sequence[Result],
    reference: Sequence[tuple[float, float]],
    colours: Mapping[str, Any],
) -> bool:
    """Draw the curves of a game, and the points of others that are not beyond them; return whether there are some."""
    counts = []
    for model, colour in colours.items():
        runs = [r for r in of_game if r["model"] == model]
        if not runs:
            continue
        counts.append(len(runs))
        steps, middle, low, high = bands(runs, "return")
        ax.plot(steps, middle, color=colour, linewidth=1.6)
        if len(runs) > 1:
            ax.fill_between(steps, low, high, color=colour, alpha=0.15, linewidth=0)
    longest = max(row["env_steps"] for r in of_game for row in r["history"])
    points = [(steps, value) for steps, value in reference if steps <= 1.02 * longest]
    if points:
        ax.plot(*zip(*points, strict=True), **REFERENCE_POINTS)
    ax.set_title(f"{game} ({_runs_each(counts)})")
    ax.xaxis.set_major_locator(MaxNLocator(nbins=3))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    ax.grid(color="0.92", linewidth=0.6)
    return bool(points)


def _runs_each(counts: Sequence[int]) -> str:
    """Return in words how many runs a network has, such as ``"5 runs each"``, or ``"2 to 5 runs each"``."""
    fewest, most = min(counts), max(counts)
    number = str(most) if fewest == most else f"{fewest} to {most}"
    return f"{number} {'run' if most == 1 else 'runs'} each"
