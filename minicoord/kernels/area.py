"""Area resizing: each pixel of the result is the mean of the part of the image that it covers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.checks import check_array
from minicoord.kernels.backend.memory import empty
from minicoord.kernels.backend.runtime import helper, launch
from minicoord.system.arguments import check_whole, shown


@helper
def _shrink_rows(image, rows, small):
    """Write the mean over rows of (H, W) into (h, W): a row counts by the share of it that is covered."""
    height, scale = small.shape[0], image.shape[0] / small.shape[0]
    for i in range(height):
        top, bottom = i * scale, (i + 1) * scale
        rows[:] = 0
        for k in range(np.int64(top), min(np.int64(np.ceil(bottom)), image.shape[0])):
            share = (min(bottom, k + 1.0) - max(top, k * 1.0)) / scale
            for j in range(image.shape[1]):
                rows[j] += share * image[k, j]
        for j in range(image.shape[1]):
            small[i, j] = rows[j]


@helper
def _resize(images, resized):
    """One image after the other: rows first, then columns of what is left. One thread does it in some 50 us each."""
    height, width = resized.shape[1:]
    low, rows = np.empty((height, images.shape[2])), np.empty(images.shape[2])
    scale = images.shape[2] / width
    for n in range(len(images)):
        _shrink_rows(images[n], rows, low)
        for j in range(width):
            left, right = j * scale, (j + 1) * scale
            first, last = np.int64(left), min(np.int64(np.ceil(right)), images.shape[2])
            for i in range(height):
                total = 0.0
                for k in range(first, last):
                    total += (min(right, k + 1.0) - max(left, k * 1.0)) / scale * low[i, k]
                resized[n, i, j] = total


def area_resize(images: NDArray, height: int, width: int) -> NDArray:
    """Return smaller images: each pixel is the mean over the rectangle of the image that it covers.

    Pixels that lie in the rectangle in part count by that part. Sums are kept in float64.

    Parameters
    ----------
    images : ndarray of float32 or float64, (N, H, W)
    height, width : int
        Size of the result in pixels, at least 1 and at most H and W.

    Returns
    -------
    ndarray of the dtype of `images`, (N, height, width)

    Examples
    --------
    >>> area_resize(np.array([[[1.0, 2.0, 6.0]]]), 1, 2)  # one and a half pixels each
    array([[[1.33333333, 4.66666667]]])
    """
    images = check_array(images, "area_resize: images", 3, "(N, H, W)")
    for name, size, most in (("height", height, images.shape[1]), ("width", width, images.shape[2])):
        check_whole(f"area_resize: {name}", size, 1)
        if size > most:
            raise ValueError(f"area_resize: {name} was {shown(size)}, wanted at most {most}, that of the images")
    resized = empty((len(images), int(height), int(width)), images.dtype)
    launch(_resize, images, resized)
    return resized
