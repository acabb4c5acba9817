"""The figures of the VAE, and which of them ``minicoord run vae`` draws from its own results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from numpy.typing import NDArray

from minicoord.experiments.frame.metrics import Results
from minicoord.experiments.frame.report import maps_of
from minicoord.experiments.two_objects.pictures import beside_the_data
from minicoord.plots import (
    interpolation_frames,
    interpolation_strips,
    latent_map,
    reconstruction_rows,
    save_animation,
    save_figure,
    two_objects_figure,
    vae_curves,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Maps = Mapping[str, Mapping[str, NDArray]]

OF_MAPS: dict[str, Callable[[Maps], Figure]] = {
    "samples": lambda maps: two_objects_figure(
        beside_the_data(maps), "images of random codes, beside the data; entropies in nats"
    ),
    "reconstructions": lambda maps: reconstruction_rows(maps, "new images, and what the autoencoders make of them"),
    "interpolation": lambda maps: interpolation_strips(maps, "from the code of one image to that of another"),
    "latent-space": latent_map,
}
"""The figures of the arrays of one run of each network."""


def draw(results: Results, folder: Path) -> list[Path]:
    """Draw all figures, the images those of the first seed of each network; return the paths."""
    maps = {r["model"]: maps_of(r) for r in reversed(results)}  # reversed, so that the first of a network is kept
    paths = [save_figure(figure(maps), folder / f"{name}.png") for name, figure in OF_MAPS.items()]
    paths.append(save_figure(vae_curves(results), folder / "curves.png"))
    for model, arrays in maps.items():
        paths.append(save_animation(interpolation_frames(arrays["paths"]), folder / f"interpolation-{model}.gif"))
    return paths
