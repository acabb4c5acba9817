"""Bilinear resizing: parts of images are drawn into boxes of any size and position, several onto one canvas.

Positions are in pixels from the top left corner of the canvas: pixel (r, c) is the square from (r, c) to
(r + 1, c + 1), and its centre lies at (r + 1/2, c + 1/2). A box is (i, j, h, w), its centre's row and column, its
height and its width.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.checks import check_array, check_shape
from minicoord.kernels.backend.memory import empty
from minicoord.kernels.backend.runtime import helper, kernel, launch, prange
from minicoord.system.arguments import check_whole
from minicoord.system.arrays import check_room


@helper
def _first_pixel(edge):
    """Return the first pixel whose centre does not lie before `edge`."""
    return np.int64(np.ceil(edge - 0.5))


@helper
def _neighbours(position, first, size):
    """Return the two pixels around a position in a part, which is continued beyond its edges, and the second's weight.

    `position` counts from the part's edge, in its pixels; `first` is the part's first pixel in the image.
    """
    u = min(max(position - 0.5, 0.0), size - 1.0)
    k = np.int64(u)
    return first + k, first + min(k + 1, size - 1), u - k


@helper
def _add_resized(canvas, image, part, box):
    """Add a part (top, left, height, width) of an image to a canvas, stretched to fill a box."""
    height, width = canvas.shape
    top, left = box[0] - box[2] / 2, box[1] - box[3] / 2
    for r in range(max(_first_pixel(top), 0), min(_first_pixel(top + box[2]), height)):
        i0, i1, di = _neighbours((r + 0.5 - top) * part[2] / box[2], part[0], part[2])
        for c in range(max(_first_pixel(left), 0), min(_first_pixel(left + box[3]), width)):
            j0, j1, dj = _neighbours((c + 0.5 - left) * part[3] / box[3], part[1], part[3])
            above = image[i0, j0] * (1 - dj) + image[i0, j1] * dj
            below = image[i1, j0] * (1 - dj) + image[i1, j1] * dj
            canvas[r, c] += above * (1 - di) + below * di


@kernel
def _draw(images, parts, which, boxes, canvases):
    """Draw all parts of each canvas in their order, then cut off what exceeds 1; one task per canvas."""
    count, height, width = canvases.shape
    for n in prange(count):
        canvas = canvases[n]
        canvas[:] = 0
        for k in range(which.shape[1]):
            if which[n, k] >= 0:
                _add_resized(canvas, images[which[n, k]], parts[which[n, k]], boxes[n, k])
        for r in range(height):
            for c in range(width):
                canvas[r, c] = min(canvas[r, c], 1)


def draw_resized(images: NDArray, parts: NDArray, which: NDArray, boxes: NDArray, height: int, width: int) -> NDArray:
    """Return canvases on which parts of images are drawn: resized to fill boxes, added, and clipped at 1.

    A pixel belongs to a box if its centre lies in it. Its value is interpolated between the four pixels of the part
    around the same place; beyond the part's edge, the pixels of the edge are continued. So the ink of a part that
    touches all four of its edges reaches each edge of the box to within a pixel.

    Parameters
    ----------
    images : ndarray of float32 or float64, (M, H, W)
        Intensities.
    parts : ndarray of int64, (M, 4)
        What is drawn of each image: its first row, its first column, its height and its width, in pixels.
    which : ndarray of int64, (N, K)
        Indices of the images that are drawn on each canvas; -1 is nothing.
    boxes : ndarray of float64, (N, K, 4)
        Where each is drawn: (i, j, h, w) in pixels. A box may stick out of the canvas, or lie beside it.
    height, width : int
        Size of the canvases in pixels, at least 1.

    Returns
    -------
    ndarray of the dtype of `images`, (N, height, width, 1)
        0 where nothing is drawn, at most 1.

    Raises
    ------
    ValueError
        Also if a part is empty or sticks out of its image, an index leads to no image, or a box that is drawn is not
        finite or has a side of 0 or less.

    Examples
    --------
    >>> image = np.array([[[0.25, 0.75]]])
    >>> box = np.array([[[0.5, 2.0, 1.0, 4.0]]])
    >>> draw_resized(image, np.array([[0, 0, 1, 2]]), np.array([[0]]), box, 1, 5).reshape(-1)
    array([0.25 , 0.375, 0.625, 0.75 , 0.   ])
    """
    images = check_array(images, "draw_resized: images", 3, "(M, H, W)")
    boxes = check_array(boxes, "draw_resized: boxes", 3, "(N, K, 4)", dtype=np.float64)
    check_shape(boxes, (*boxes.shape[:2], 4), "draw_resized: boxes")
    parts = check_array(parts, "draw_resized: parts", shape=(len(images), 4), dtype=np.int64)
    which = check_array(which, "draw_resized: which", shape=boxes.shape[:2], dtype=np.int64)
    check_whole("draw_resized: height", height, 1)
    check_whole("draw_resized: width", width, 1)
    first, size = parts[:, :2], parts[:, 2:]
    # Without a sum of the two, which could be too large for its type and so come out negative.
    if (first < 0).any() or (size < 1).any() or (size > images.shape[1:] - first).any():
        raise ValueError(
            f"draw_resized: parts has a part that is empty or sticks out of its image of {images.shape[1:]} pixels"
        )
    if which.size and not -1 <= which.min() <= which.max() < len(images):
        raise ValueError(f"draw_resized: which has an index outside -1 to {len(images) - 1}")
    check_room("draw_resized: the canvases", (len(boxes), height, width, 1), images.dtype)
    drawn = boxes[which >= 0]  # (number of boxes, 4)
    if not np.isfinite(drawn).all() or (drawn[:, 2:] <= 0).any():
        raise ValueError("draw_resized: boxes has a box that is not finite or has a side of 0 or less")
    canvases = empty((len(boxes), height, width, 1), images.dtype)
    launch(_draw, images, parts, which, boxes, canvases[..., 0])
    return canvases
