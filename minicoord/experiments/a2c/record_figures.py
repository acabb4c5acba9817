"""The figures that ``minicoord figures`` draws from records of A2C."""

from __future__ import annotations

from collections.abc import Callable

from minicoord.experiments.a2c.comparison import alike, comparisons
from minicoord.experiments.a2c.games import GAMES, MINATAR, OURS
from minicoord.experiments.a2c.networks import ARMS
from minicoord.experiments.a2c.published import POINTS, SOURCE
from minicoord.experiments.records.figures import Drawn, MissingRecordsError, RecordFigure, counts, of_variant, runs_of
from minicoord.experiments.records.reading import KeptRuns


def _curves(game: str) -> Callable[[KeptRuns], Drawn]:
    def draw(kept: KeptRuns) -> Drawn:
        from minicoord.plots import learning_curves

        runs = [r for r in runs_of(kept, "a2c", tuple(ARMS)) if r["variant"] == game]
        if not runs:
            raise MissingRecordsError(f"no run of a2c with the game {game} is recorded")
        return Drawn(learning_curves(runs, game), counts(runs))

    return draw


def _games(kept: KeptRuns) -> Drawn:
    from minicoord.plots import game_curves

    runs = [r for r in kept.records if r["experiment"] == "a2c" and r["variant"] not in OURS and not r["interrupted"]]
    if not runs:
        raise MissingRecordsError("no run of a2c on MinAtar or Atari is recorded")
    games = {game: [r for r in runs if r["variant"] == game] for game in GAMES}
    games = {game: alike(of_game) for game, of_game in games.items() if of_game}
    return Drawn(game_curves(games, POINTS, SOURCE), counts([r for of_game in games.values() for r in of_game]))


def _improvement(kept: KeptRuns) -> Drawn:
    from minicoord.plots import improvement_intervals

    runs = [r for r in kept.records if r["experiment"] == "a2c"]
    found = comparisons(runs)
    if not found:
        raise MissingRecordsError("no game of a2c has recorded runs of both convolution and CoordConv")
    figure = improvement_intervals({comparison.label: comparison.improvement for comparison in found})
    return Drawn(figure, "; ".join(f"{c.label}: {c.before} and {c.after} runs" for c in found))


def _first_layer(kept: KeptRuns) -> Drawn:
    from minicoord.experiments.a2c.figures import first_layer

    runs = [r for r in runs_of(kept, "a2c", tuple(ARMS)) if r["variant"] == "position"]
    found = [(r, maps) for r in runs if (maps := kept.maps(r)) is not None and "front" in maps]
    figure = first_layer(found, "position")
    if figure is None:
        raise MissingRecordsError("no arrays are kept of runs of a2c, position, with coordinates")
    return Drawn(figure, counts([r for r, _ in found]))


FIGURES: dict[str, RecordFigure] = {
    "figure-8": RecordFigure("A2C: learning curves, MinAtar and Atari", _games),
    **{f"a2c-curves-{game}": RecordFigure(f"A2C: learning curves, {game}", _curves(game)) for game in OURS},
    **{
        f"a2c-visits-{game}": RecordFigure(
            f"A2C: where the agent goes, {game}", of_variant("a2c", tuple(ARMS), game, "visit_maps")
        )
        for game in (*OURS, *MINATAR)
    },
    "a2c-first-layer": RecordFigure("A2C: what becomes of the weights of the first layer, position", _first_layer),
    "a2c-improvement": RecordFigure("A2C: probability that coordinates improve a run", _improvement),
}
