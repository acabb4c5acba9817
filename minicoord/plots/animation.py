"""Animations, as GIF files that every browser shows."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from minicoord.plots.montage import check_uint8
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import check_number, shown
from minicoord.system.files import write_atomically
from minicoord.system.places import make_folder

LONGEST = 655  # seconds; the file has two bytes for hundredths of one


@check_types
def save_animation(frames: NDArray[np.uint8], path: str | os.PathLike[str], seconds: float = 0.08) -> Path:
    """Write frames to a GIF file that repeats for ever.

    As `save_figure` does, it writes under a temporary name and then renames, and creates missing folders.

    Parameters
    ----------
    frames : ndarray (T, H, W, 3) of uint8
        At least one, with pixels.
    path : str or path
        The file to write; its name must end in ``.gif``.
    seconds : float
        How long each frame is shown, above 0 and below 655.

    Returns
    -------
    pathlib.Path
        The path of the file.

    Raises
    ------
    TypeError, ValueError
        If the name does not end in ``.gif``, or an argument is not as above.
    """
    path, frames = Path(path), check_uint8(frames, 4, "save_animation: frames")
    if path.suffix.lower() != ".gif":
        raise ValueError(f"save_animation: the file is named {shown(path.name)}, wanted a name that ends in .gif")
    check_number("save_animation: seconds", seconds, 0.0, above=True, below=LONGEST)
    first, *others = (Image.fromarray(frame) for frame in frames)
    make_folder(path.parent)
    with write_atomically(path) as file:
        first.save(file, "GIF", save_all=True, append_images=others, duration=round(1000 * float(seconds)), loop=0)
    return path
