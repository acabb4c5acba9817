"""The figures that ``minicoord run gan`` draws from its own results."""

from __future__ import annotations

from pathlib import Path

from numpy.typing import NDArray

from minicoord.experiments.frame.metrics import Results
from minicoord.experiments.frame.report import maps_of
from minicoord.experiments.gan.evaluation import figure_7_arrays
from minicoord.experiments.two_objects.finder import find_centres
from minicoord.experiments.two_objects.judge import data_images, yardsticks
from minicoord.plots import (
    gan_curves,
    interpolation_frames,
    interpolation_strips,
    save_animation,
    save_figure,
    training_strip,
    two_objects_figure,
)


def draw(results: Results, folder: Path) -> list[Path]:
    """Draw all figures for each recipe, the images those of the first seed of each network; return the paths."""
    paths = []
    for recipe in dict.fromkeys(r["variant"] for r in results):
        runs = [r for r in results if r["variant"] == recipe]
        maps = {r["model"]: maps_of(r) for r in reversed(runs)}  # reversed, so that the first of a network is kept
        figures = {
            "figure-7": two_objects_figure(beside_the_data(maps), recipe),
            "strip": training_strip(maps, recipe),
            "interpolation": interpolation_strips(maps, recipe),
            "curves": gan_curves(runs, recipe),
        }
        paths += [save_figure(figure, folder / f"{name}-{recipe}.png") for name, figure in figures.items()]
        for model, arrays in maps.items():
            frames = interpolation_frames(arrays["paths"])
            paths.append(save_animation(frames, folder / f"interpolation-{model}-{recipe}.gif"))
    return paths


def beside_the_data(maps: dict[str, dict[str, NDArray]]) -> dict[str, dict[str, NDArray]]:
    """Return the arrays of runs with those of as many images of the data, under the name ``truth``."""
    canvas = next(iter(maps.values()))["samples"].shape[1]
    images = data_images(canvas)
    return {"truth": figure_7_arrays(images, find_centres(images), dict(yardsticks(canvas))), **maps}
