"""The figures that ``minicoord figures`` draws from records of A2C."""

from __future__ import annotations

from collections.abc import Callable

from minicoord.experiments.a2c.comparison import comparisons, runs_on
from minicoord.experiments.a2c.games import GAMES, MINATAR, OURS
from minicoord.experiments.a2c.networks import ARMS
from minicoord.experiments.a2c.published import POINTS, SOURCE
from minicoord.experiments.records.figures import (
    Drawn,
    MissingRecordsError,
    Record,
    RecordFigure,
    best_maps,
    counts,
    runs_of,
)
from minicoord.experiments.records.reading import KeptRuns


def _curves(game: str) -> Callable[[KeptRuns], Drawn]:
    def draw(kept: KeptRuns) -> Drawn:
        from minicoord.plots import learning_curves

        runs = [r for r in runs_of(kept, "a2c", tuple(ARMS)) if r["variant"] == game]
        if not runs:
            raise MissingRecordsError(f"no run of a2c with the game {game} is recorded")
        return Drawn(learning_curves(runs, game), counts(runs))

    return draw


def _agents(kept: KeptRuns) -> list[Record]:
    return [r for r in kept.records if r["experiment"] == "a2c"]


def _visits(game: str) -> Callable[[KeptRuns], Drawn]:
    def draw(kept: KeptRuns) -> Drawn:
        from minicoord.plots import visit_maps

        arrays, words = best_maps(kept, runs_on(_agents(kept), game), game)
        if not arrays:
            raise MissingRecordsError(f"no arrays are kept of runs of a2c, {game}")
        return Drawn(visit_maps(arrays, game), "; ".join(words))

    return draw


def _games(kept: KeptRuns) -> Drawn:
    from minicoord.plots import game_curves

    games = {game: of_game for game in GAMES if game not in OURS and (of_game := runs_on(_agents(kept), game))}
    if not games:
        raise MissingRecordsError("no run of a2c on MinAtar or Atari is recorded")
    return Drawn(game_curves(games, POINTS, SOURCE), counts([r for of_game in games.values() for r in of_game]))


def _improvement(kept: KeptRuns) -> Drawn:
    from minicoord.plots import improvement_intervals

    found = comparisons(_agents(kept))
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
        f"a2c-visits-{game}": RecordFigure(f"A2C: where the agent goes, {game}", _visits(game))
        for game in (*OURS, *MINATAR)
    },
    "a2c-first-layer": RecordFigure("A2C: what becomes of the weights of the first layer, position", _first_layer),
    "a2c-improvement": RecordFigure("A2C: probability that coordinates improve a run", _improvement),
}
