"""What generators make on the way from one vector to another: do objects move, or fade?"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from minicoord.plots.montage import MapsByModel, check_images, check_uint8, montage, show_montage
from minicoord.plots.style import check_models, model_name, new_figure, styled
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import check_whole, shown
from minicoord.system.arrays import check_room

IMAGES = 9  # of each way


@styled
@check_types
def interpolation_strips(maps: MapsByModel, title: str) -> Figure:
    """Draw for each model a row of nine images for each way.

    Parameters
    ----------
    maps : mapping of str to mapping of str to ndarray
        For each model ``paths`` (P, K, H, W, 3) of uint8: K images of each of P ways.
    title : str
        The line above all panels.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If `maps` is empty, or its images are not as above.
    """
    models = check_models(maps, "interpolation_strips: maps")
    paths = {m: check_images(maps[m], "paths", 5, f"interpolation_strips: maps[{shown(m)}]") for m in models}
    ways = max(map(len, paths.values()))
    figure = new_figure(7.6, 0.6 + (0.3 + 0.78 * ways) * len(models))
    figure.suptitle(title)
    for ax, model in zip(figure.subplots(len(models), 1, squeeze=False)[:, 0], models, strict=True):
        columns = np.linspace(0, paths[model].shape[1] - 1, IMAGES).round().astype(int)
        show_montage(ax, paths[model][:, columns])
        ax.set_title(model_name(model))
    return figure


@check_types
def interpolation_frames(paths: NDArray[np.uint8], scale: int = 3) -> NDArray[np.uint8]:
    """Return the frames of an animation that walks all ways side by side, to their ends and back.

    Parameters
    ----------
    paths : ndarray (P, K, H, W, 3) of uint8
    scale : int
        Pixels of a frame for each pixel of an image, in rows and in columns.

    Returns
    -------
    ndarray (2 * K - 2, height, width, 3) of uint8
        The last frame leads to the first.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or the frames would not fit into memory.
    """
    paths = check_uint8(paths, 5, "interpolation_frames: paths")
    there_and_back = [*range(paths.shape[1]), *range(paths.shape[1] - 2, 0, -1)]
    check_whole("interpolation_frames: scale", scale, 1)
    frames = np.stack([montage(paths[np.newaxis, :, k]) for k in there_and_back])
    count, height, width, channels = frames.shape
    scale = int(scale)
    check_room("interpolation_frames: the array", (count, height * scale, width * scale, channels), np.uint8)
    return frames.repeat(scale, axis=1).repeat(scale, axis=2)
