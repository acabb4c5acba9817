"""The figures that ``minicoord run gan`` draws from its own results."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure
from numpy.typing import NDArray

from minicoord.experiments.frame.metrics import Results
from minicoord.experiments.frame.report import maps_of
from minicoord.experiments.two_objects.pictures import beside_the_data
from minicoord.plots import (
    gan_curves,
    interpolation_frames,
    interpolation_strips,
    sample_grids,
    save_animation,
    save_figure,
    training_strip,
    two_objects_figure,
)


def figure_7_title(recipe: str) -> str:
    """Return the title of figure 7, drawn anew with a recipe."""
    return f"two coloured objects, {recipe} recipe; entropies in nats"


def ways_title(recipe: str) -> str:
    """Return the title of the figure of ways between samples."""
    return f"from one random vector to another, {recipe} recipe"


def _of_samples(maps: dict[str, dict[str, NDArray]], recipe: str) -> dict[str, Figure]:
    """Return the figures of samples: figure 7, and for networks that were trained on photos these beside them."""
    of_photos = {model: arrays for model, arrays in maps.items() if "originals" in arrays}
    others = {model: arrays for model, arrays in maps.items() if "originals" not in arrays}
    figures = {}
    if others:
        figures["figure-7"] = two_objects_figure(beside_the_data(others), figure_7_title(recipe))
    if of_photos:
        photos = {"truth": {"samples": next(iter(of_photos.values()))["originals"]}}
        figures["photos"] = sample_grids({**photos, **of_photos}, f"photos and samples, {recipe} recipe")
    return figures


def draw(results: Results, folder: Path) -> list[Path]:
    """Draw all figures for each recipe, the images those of the first seed of each network; return the paths."""
    paths = []
    for recipe in dict.fromkeys(r["variant"] for r in results):
        runs = [r for r in results if r["variant"] == recipe]
        maps = {r["model"]: maps_of(r) for r in reversed(runs)}  # reversed, so that the first of a network is kept
        figures = {
            **_of_samples(maps, recipe),
            "strip": training_strip(maps, recipe),
            "interpolation": interpolation_strips(maps, ways_title(recipe)),
            "curves": gan_curves(runs, recipe),
        }
        paths += [save_figure(figure, folder / f"{name}-{recipe}.png") for name, figure in figures.items()]
        for model, arrays in maps.items():
            frames = interpolation_frames(arrays["paths"])
            paths.append(save_animation(frames, folder / f"interpolation-{model}-{recipe}.gif"))
    return paths
