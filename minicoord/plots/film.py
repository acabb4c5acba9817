"""A film of an episode: the pictures that an agent saw, as a GIF."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from minicoord.plots.inputs import check_size
from minicoord.plots.style import BLUE, GREEN, ORANGE, PURPLE, SKY_BLUE, VERMILLION
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import shown
from minicoord.system.files import write_atomically
from minicoord.system.places import make_folder

COLOURS = ("#FFFFFF", VERMILLION, GREEN, BLUE, ORANGE, SKY_BLUE, PURPLE, "#F0E442", "#999999", "#666666")
SIDE = 240  # pixels, about, of a frame of the film
LONGEST = 65_535  # milliseconds; the file has two bytes for the hundredths of a second of the last frame


@check_types
def save_film(pictures: NDArray[np.uint8], path: str | os.PathLike[str], milliseconds: int = 120) -> Path:
    """Write pictures as a GIF that repeats, enlarged without smoothing.

    Parameters
    ----------
    pictures : ndarray of uint8, (frames, H, W, C)
        From 0 to 255. With one channel they are grey; with several each channel has a colour, and the last one that is
        lit at a pixel is seen.
    path : str or path
        The file to write; its name must end in ``.gif``. Missing folders are created.
    milliseconds : int
        How long a frame is seen, at most 65,535; the last one ten times as long.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    TypeError, ValueError
        If the name does not end in ``.gif``, there is no picture, or one of another shape or dtype, or `milliseconds`
        is not as above.
    """
    from PIL import Image  # matplotlib brings it along

    path = Path(path)
    if path.suffix.lower() != ".gif":
        raise ValueError(f"save_film: the file is named {shown(path.name)}, wanted a name that ends in .gif")
    check_size("save_film: milliseconds", milliseconds, LONGEST)
    frames, milliseconds = film_colours(pictures), int(milliseconds)
    factor = max(1, round(SIDE / max(frames.shape[1:3])))
    enlarged = frames.repeat(factor, axis=1).repeat(factor, axis=2)
    images = [Image.fromarray(frame) for frame in enlarged]
    durations = [milliseconds] * (len(images) - 1) + [10 * milliseconds]
    make_folder(path.parent)
    with write_atomically(path) as file:
        images[0].save(file, format="GIF", save_all=True, append_images=images[1:], duration=durations, loop=0)
    return path


def film_colours(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return pictures (frames, H, W, C) in colour, (frames, H, W, 3); see `save_film`.

    Raises
    ------
    ValueError
        If there is no picture, or one of another shape or dtype.
    """
    if pictures.ndim != 4 or pictures.dtype != np.uint8 or not pictures.size:
        raise ValueError(
            f"film_colours: pictures has shape {pictures.shape} and dtype {pictures.dtype}, "
            "wanted (frames, H, W, C) of uint8"
        )
    if pictures.shape[3] == 1:
        return pictures.repeat(3, axis=3)
    seen = np.zeros((*pictures.shape[:3], 3))
    for channel in range(pictures.shape[3]):
        light = pictures[..., channel, np.newaxis] / 255  # (frames, H, W, 1)
        seen = seen * (1 - light) + 255 * np.array(to_rgb(COLOURS[channel % len(COLOURS)])) * light
    return np.round(seen).astype(np.uint8)
