"""Many small colour images as one: rows and columns with a line between them. Shared by the figures of generators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from minicoord.system.arguments import shown

MapsByModel = Mapping[str, Mapping[str, NDArray]]
"""The arrays of a run of each network, as GAN and VAE measure them; images are uint8."""

LINE = 160  # grey of the lines between images, which themselves are white


def montage(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images (rows, columns, H, W, 3) as one, with a grey line of a pixel around each.

    Examples
    --------
    >>> montage(np.zeros((2, 3, 4, 5, 3), np.uint8)).shape  # 2 * 4 + 3, 3 * 5 + 4
    (11, 19, 3)
    """
    rows, columns, height, width, _ = images.shape
    whole = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1, 3), LINE, np.uint8)
    for r in range(rows):
        for c in range(columns):
            top, left = 1 + r * (height + 1), 1 + c * (width + 1)
            whole[top : top + height, left : left + width] = images[r, c]
    return whole


def show_montage(ax: Axes, images: NDArray[np.uint8], row_names: list[str] | None = None) -> None:
    """Draw a montage of images (rows, columns, H, W, 3), with a name at the left of each row."""
    ax.imshow(montage(images), interpolation="nearest")
    ax.set_xticks([])
    ax.spines[:].set_visible(False)
    if row_names is None:
        ax.set_yticks([])
        return
    height = images.shape[2] + 1
    ax.set_yticks([k * height + height / 2 for k in range(len(row_names))], row_names)
    ax.tick_params(axis="y", length=0)


def check_images(arrays: Mapping[str, NDArray], name: str, axes: int, what: str) -> NDArray[np.uint8]:
    """Return the images of a name, after checking that they are there and as `check_uint8` wants them."""
    if name not in arrays:
        raise ValueError(f"{what} has no {shown(name)}, wanted images of that name")
    return check_uint8(arrays[name], axes, f"{what}[{name!r}]")


def check_uint8(images: Any, axes: int, what: str) -> NDArray[np.uint8]:
    """Return `images` after checking that they are (..., H, W, 3) of uint8 with so many axes, not empty.

    Raises
    ------
    ValueError
        If they are not; the message names `what`.
    """
    array = np.asarray(images)
    if array.dtype != np.uint8 or array.ndim != axes or array.shape[-1] != 3:
        found = f"shape {array.shape} and dtype {array.dtype}"
        raise ValueError(f"{what} has {found}, wanted {axes} axes, the last of length 3, of uint8")
    if not array.size:
        raise ValueError(f"{what} is empty, wanted at least one image with pixels")
    return array
