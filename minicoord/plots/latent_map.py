"""A map of the latent space of VAEs: which number of a code says what, and what lies where in a plane of two."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from minicoord.plots.inputs import Lengths, check_arrays
from minicoord.plots.montage import MapsByModel, check_images, show_montage
from minicoord.plots.style import check_models, model_name, new_figure, styled
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import shown

FACTORS = ("blue x", "blue y", "red x", "red y", "blue shape", "red shape")
AXES = ("x", "y")
DARK_END = {"x": "left", "y": "top"}

ARRAYS: dict[str, Lengths] = {
    "information": (len(FACTORS), "latents"),
    "latents": ("latents",),
    "plane": (2,),
    "plane_codes": ("images", 2),
    "plane_places": ("images", 2),
    "plane_ends": (2,),
}


@styled
@check_types
def latent_map(maps: MapsByModel) -> Figure:
    """Draw a row for each model: what its latents know, codes coloured by the place of the red object, and a plane.

    Parameters
    ----------
    maps : mapping of str to mapping of str to ndarray
        For each model ``information`` (6, K), the share of each factor that a latent knows, for the K latents with the
        indices ``latents``; ``plane`` (2,), the indices of the two latents of the plane; ``plane_codes`` (N, 2), codes
        of images in it, and ``plane_places`` (N, 2), (x, y) of their red object in pixels; ``plane_images``
        (R, R, H, W, 3) of uint8, images of codes from ``plane_ends[0]`` to ``plane_ends[1]`` on both axes, the first
        latent from left to right and the second from top to bottom, all other latents 0.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If `maps` is empty, or its arrays are not as above.
    """
    models = check_models(maps, "latent_map: maps")
    for model in models:
        what = f"latent_map: maps[{shown(model)}]"
        check_arrays(what, maps[model], ARRAYS)
        check_images(maps[model], "plane_images", 5, what)
    figure = new_figure(11.2, 0.5 + 3.1 * len(models))
    figure.suptitle("what the numbers of a code say of the two objects")
    panels = figure.subplots(len(models), 4, squeeze=False, width_ratios=[1.5, 1, 1, 1.15])
    for row, model in zip(panels, models, strict=True):
        arrays = maps[model]
        _draw_information(row[0], arrays["information"], arrays["latents"], model)
        for ax, places, axis in zip(row[1:3], arrays["plane_places"].T, AXES, strict=True):
            _draw_codes(ax, arrays["plane_codes"], places, arrays["plane"])
            ax.set_title(f"{axis} of the red object, dark: {DARK_END[axis]}", fontsize=8.5)
        show_montage(row[3], arrays["plane_images"])
        low, high = map(float, arrays["plane_ends"])
        row[3].set_xlabel(f"both from {low:g} to {high:g}, all others 0")
        row[3].set_title("images of this plane", fontsize=8.5)
    return figure


def _draw_information(ax: Axes, information: NDArray[np.floating], latents: NDArray[np.integer], model: str) -> None:
    """Draw the share (6, K) of each factor that each latent knows."""
    ax.imshow(information, cmap="Greys", vmin=0, vmax=1, interpolation="nearest", aspect="auto")
    ax.set_xticks(range(len(latents)), [str(latent) for latent in latents])
    ax.set_yticks(range(len(FACTORS)), FACTORS)
    ax.set_xlabel("latent, by its KL divergence")
    ax.set_title(f"{model_name(model)}: share known (%)", fontsize=8.5)
    for (factor, place), share in np.ndenumerate(information):
        if share >= 0.045:
            colour = "white" if share > 0.5 else "black"
            ax.text(place, factor, f"{100 * share:.0f}", ha="center", va="center", fontsize=7, color=colour)


def _draw_codes(
    ax: Axes, codes: NDArray[np.floating], places: NDArray[np.floating], latents: NDArray[np.integer]
) -> None:
    """Draw codes (N, 2) as dots, coloured by places (N,) in pixels: dark at the left or top, light at the other end."""
    ax.scatter(*codes.T, c=places, cmap="viridis", s=4, linewidths=0)
    ax.set(xlabel=f"latent {latents[0]}", ylabel=f"latent {latents[1]}", box_aspect=1)
    ax.yaxis.set_inverted(True)
