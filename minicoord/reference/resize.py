"""Bilinear resizing of parts of images into boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def draw_resized(images: NDArray, parts: NDArray, which: NDArray, boxes: NDArray, height: int, width: int) -> NDArray:
    """Draw parts of images (M, H, W) into boxes on N canvases, add them up, and clip at 1.

    Parameters
    ----------
    images : (M, H, W)
    parts : (M, 4)
        First row, first column, height and width of what is drawn of each image.
    which : (N, K)
        The images on each canvas; -1 is nothing.
    boxes : (N, K, 4)
        (i, j, h, w): centre, height and width, in pixels from the top left corner of the canvas.
    height, width : int

    Returns
    -------
    ndarray (N, height, width, 1)
    """
    canvases = np.zeros((len(which), height, width, 1))
    for n in range(len(which)):
        for m, box in zip(which[n], boxes[n], strict=True):
            if m >= 0:
                y, x, h, w = parts[m]
                canvases[n, :, :, 0] += stretched(images[m, y : y + h, x : x + w], box, height, width)
    return np.minimum(canvases, 1).astype(images.dtype)


def stretched(part: NDArray, box: NDArray, height: int, width: int) -> NDArray:
    """Return a canvas (height, width) on which a part (h, w) fills a box, pixel by pixel."""
    canvas = np.zeros((height, width))
    top, left = box[0] - box[2] / 2, box[1] - box[3] / 2
    for r in range(height):
        for c in range(width):
            y, x = r + 0.5, c + 0.5  # the centre of the pixel
            if top <= y < top + box[2] and left <= x < left + box[3]:
                # The same place within the part, in pixels from the centre of its first pixel.
                u, v = (y - top) / box[2] * len(part) - 0.5, (x - left) / box[3] * part.shape[1] - 0.5
                canvas[r, c] = interpolated(part, u, v)
    return canvas


def interpolated(part: NDArray, u: float, v: float) -> float:
    """Return the value of a part (h, w) at row u and column v: each pixel counts by its distance, up to 1 away."""
    u, v = np.clip(u, 0, part.shape[0] - 1), np.clip(v, 0, part.shape[1] - 1)  # edges are continued
    rows = np.maximum(0, 1 - np.abs(np.arange(part.shape[0]) - u))  # (h,)
    columns = np.maximum(0, 1 - np.abs(np.arange(part.shape[1]) - v))  # (w,)
    return rows @ part @ columns
