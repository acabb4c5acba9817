"""The figures of A2C: learning curves, where the agent goes, the weights of its first layer, a film of an episode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from minicoord.experiments.a2c.networks import ARMS
from minicoord.experiments.frame.metrics import Results
from minicoord.experiments.frame.report import maps_of
from minicoord.plots import coordinate_weights, learning_curves, save_figure, save_film, visit_maps

Arrays = Mapping[str, NDArray]
Run = tuple[Mapping[str, Any], Arrays]
"""The result of a run and its arrays, as `Declaration.measure` returned them."""


def draw(results: Results, folder: Path) -> list[Path]:
    """Draw all figures for each game, and a film of the first seed of each network; return the paths."""
    paths = []
    for game in dict.fromkeys(r["variant"] for r in results):
        runs: list[Run] = [(r, maps_of(r)) for r in results if r["variant"] == game]
        paths.append(save_figure(learning_curves([r for r, _ in runs], game), folder / f"learning-curves-{game}.png"))
        for name, figure in (("visits", visits(runs, game)), ("first-layer", first_layer(runs, game))):
            if figure is not None:
                paths.append(save_figure(figure, folder / f"{name}-{game}.png"))
        for model, arrays in _first_of_each(runs).items():
            paths.append(save_film(arrays["film"], folder / f"episode-{game}-{model}.gif"))
    return paths


def visits(runs: Sequence[Run], game: str) -> Figure | None:
    """Draw where the first run of each network goes; None where the game does not show it."""
    maps = {model: arrays for model, arrays in _first_of_each(runs).items() if arrays["visits"].size}
    return visit_maps(maps, game) if maps else None


def first_layer(runs: Sequence[Run], game: str) -> Figure | None:
    """Draw what becomes of the weights on pictures and coordinates, in all runs; None where none has coordinates."""
    weights: dict[str, list[tuple[NDArray, NDArray]]] = {}
    channels = 0
    for result, arrays in runs:
        coords = {"none": 0, "ij": 2, "ijr": 3}[ARMS[result["model"]].coords]
        channels = arrays["front"].shape[2] - coords
        if coords:
            weights.setdefault(result["model"], []).append((arrays["front_before"], arrays["front"]))
    return coordinate_weights(weights, channels, game) if weights else None


def _first_of_each(runs: Sequence[Run]) -> dict[str, Arrays]:
    """Return the arrays of the first run of each network."""
    return {result["model"]: arrays for result, arrays in reversed(runs)}
