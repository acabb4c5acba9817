"""Filled squares and circles in colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def draw_shapes(centres: NDArray, circles: NDArray, colours: NDArray, half: int, side: int) -> NDArray:
    """Draw K shapes on each of N white canvases, pixel by pixel.

    Parameters
    ----------
    centres : (N, K, 2)
        (x, y) of each shape in pixels.
    circles : (N, K)
        Whether a shape is a circle, else a square.
    colours : (K, C)
    half : int
        From the middle of a shape to its edge, in pixels.
    side : int

    Returns
    -------
    ndarray (N, side, side, C)
    """
    images = np.ones((len(centres), side, side, colours.shape[1]), colours.dtype)
    for n in range(len(centres)):
        for (x, y), is_circle, colour in zip(centres[n], circles[n], colours, strict=True):
            for i in range(side):
                for j in range(side):
                    far = np.hypot(i - y, j - x) if is_circle else max(abs(i - y), abs(j - x))
                    if far <= half:
                        images[n, i, j] = colour
    return images
