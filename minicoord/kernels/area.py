"""Area resizing: each pixel of the result is the mean of the part of the image that it covers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.checks import check_array
from minicoord.kernels.backend.memory import empty
from minicoord.kernels.backend.runtime import helper, launch
from minicoord.system.arguments import check_whole, shown


@helper
def _shares(size, parts):
    """Return which pixels of a line each of its parts covers, and what share of the part each is: two (most, parts).

    Where a part covers fewer pixels than another, what is left is pixel `size`, beyond the line, with a share of 0.
    """
    scale = size / parts
    most = np.int64(np.ceil(scale)) + 1
    pixels, shares = np.full((most, parts), size), np.zeros((most, parts))
    for j in range(parts):
        left, right = j * scale, (j + 1) * scale
        first = np.int64(left)
        for k in range(first, min(np.int64(np.ceil(right)), size)):
            pixels[k - first, j], shares[k - first, j] = k, (min(right, k + 1.0) - max(left, k * 1.0)) / scale
    return pixels, shares


@helper
def _resize(images, resized, rounds):
    """One image after the other, and one line of the result after the other: first the mean over rows, then columns.

    One thread does an image of 210 x 160 pixels in some 15 us.
    """
    height, width = resized.shape[1:]
    above, of_rows = _shares(images.shape[1], height)
    beside, of_columns = _shares(images.shape[2], width)
    line = np.zeros(images.shape[2] + 1)  # the mean over rows; what is beyond the line is 0
    totals = np.empty(width)
    for n in range(len(images)):
        for i in range(height):
            line[:] = 0
            for t in range(len(above)):
                row, share = np.uintp(above[t, i]), of_rows[t, i]
                for k in range(images.shape[2] if share > 0 else 0):
                    line[k] += share * images[n, row, k]
            totals[:] = 0
            for t in range(len(beside)):
                for j in range(width):
                    totals[j] += of_columns[t, j] * line[np.uintp(beside[t, j])]
            for j in range(width):
                # A float64 sum may be a hair below the half that it stands for; as a float32 it is the half.
                resized[n, i, j] = np.rint(np.float32(totals[j])) if rounds else totals[j]


def area_resize(images: NDArray, height: int, width: int) -> NDArray:
    """Return smaller images: each pixel is the mean over the rectangle of the image that it covers.

    Pixels that lie in the rectangle in part count by that part. Sums are kept in float64.

    Parameters
    ----------
    images : ndarray of float32, float64 or uint8, (N, H, W)
    height, width : int
        Size of the result in pixels, at least 1 and at most H and W.

    Returns
    -------
    ndarray of the dtype of `images`, (N, height, width)
        Means of uint8 are rounded, a half to the even number.

    Examples
    --------
    >>> area_resize(np.array([[[1.0, 2.0, 6.0]]]), 1, 2)  # one and a half pixels each
    array([[[1.33333333, 4.66666667]]])
    >>> area_resize(np.array([[[1, 2, 6]]], np.uint8), 1, 2)
    array([[[1, 5]]], dtype=uint8)
    """
    rounds = isinstance(images, np.ndarray) and images.dtype == np.uint8
    images = check_array(images, "area_resize: images", 3, "(N, H, W)", dtype=np.uint8 if rounds else None)
    for name, size, most in (("height", height, images.shape[1]), ("width", width, images.shape[2])):
        check_whole(f"area_resize: {name}", size, 1)
        if size > most:
            raise ValueError(f"area_resize: {name} was {shown(size)}, wanted at most {most}, that of the images")
    resized = empty((len(images), int(height), int(width)), images.dtype)
    launch(_resize, images, resized, rounds)
    return resized
