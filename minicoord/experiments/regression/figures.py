"""The figures that ``minicoord run regression`` draws from its own results."""

from __future__ import annotations

from pathlib import Path

from minicoord.experiments.frame.metrics import Results
from minicoord.experiments.supervised.experiment import maps_by_model, splits_of
from minicoord.plots import error_maps, point_clouds, save_figure


def draw(results: Results, folder: Path) -> list[Path]:
    """Draw the point clouds and the error over the canvas for the first seed of each model; return the paths."""
    paths = []
    for split in splits_of(results):
        maps = dict(sorted(maps_by_model(results, split).items()))
        paths.append(save_figure(point_clouds(maps, split), folder / f"point-clouds-{split}.png"))
        paths.append(save_figure(error_maps(maps, split), folder / f"error-maps-{split}.png"))
    return paths
