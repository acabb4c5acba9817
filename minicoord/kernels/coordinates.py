"""Coordinate channels: the whole of the paper's idea (figure 3), and its adjoint.

Channel i holds the row and channel j the column of each pixel, both scaled so that the first row is -1 and the last is
+1; an optional third channel r holds the distance from the centre, ``sqrt(i^2 + j^2)``. Concatenated to an image, they
let a convolution see *where* it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minicoord.kernels.backend.checks import check_array, check_images
from minicoord.kernels.backend.memory import empty
from minicoord.kernels.backend.runtime import kernel, launch, prange
from minicoord.kernels.geometry import pair
from minicoord.kernels.sums import pixel_sums
from minicoord.system.arguments import check_flag
from minicoord.system.arrays import check_float_type, check_room


@kernel
def _concatenate(x, coordinates, y):
    """Row by row of each image: y's channels are those of x, then those of `coordinates`, the same for every image."""
    images, height, width, channels = x.shape
    for task in prange(images * height):
        n, i = np.int64(task) // height, np.int64(task) % height
        for j in range(width):
            y[n, i, j, :channels] = x[n, i, j]  # (C,)
            y[n, i, j, channels:] = coordinates[i, j]  # (2,) or (3,)


@kernel
def _first_channels(dy, dx):
    """The adjoint of the concatenation: keep the gradient of the first channels, drop that of the coordinates."""
    images, height, width, channels = dx.shape
    for task in prange(images * height):
        n, i = np.int64(task) // height, np.int64(task) % height
        for j in range(width):
            before, after = dy[n, i, j], dx[n, i, j]
            for c in range(channels):
                after[c] = before[c]


@kernel
def _tile(v, y):
    images, height, width, channels = y.shape
    for task in prange(images * height):
        n, i = np.int64(task) // height, np.int64(task) % height
        vector = v[n]
        for j in range(width):
            pixel = y[n, i, j]
            for c in range(channels):
                pixel[c] = vector[c]


def _axis(length: int) -> NDArray:
    """Return ``length`` equal steps from -1 to 1, both included; a single pixel lies in the middle, at 0."""
    return -1 + 2 * np.arange(length) / (length - 1) if length > 1 else np.zeros(length)


def coordinate_channels(height: int, width: int, with_r: bool = False, dtype: DTypeLike = np.float32) -> NDArray:
    """Return the coordinate channels of an image: i (rows), j (columns) and, if wanted, r.

    Row k of n rows has ``i = -1 + 2k / (n - 1)``, and j is the same for columns with their own number; where there is
    one row or one column, the coordinate is 0. ``r = sqrt(i^2 + j^2)`` runs from 0 in the centre to ``sqrt(2)`` in the
    corners: the form of the official code, and of the listing in the paper's second version.

    Parameters
    ----------
    height, width : int
        Size of the image in pixels, at least 1 each.
    with_r : bool
        Whether to add r as the third channel.
    dtype : float32 or float64
        The dtype of the result.

    Returns
    -------
    ndarray of `dtype`, (height, width, 2), or (height, width, 3) with r
        Coordinates in [-1, 1], r in [0, sqrt(2)].

    Examples
    --------
    >>> coordinate_channels(2, 3)[:, :, 1]
    array([[-1.,  0.,  1.],
           [-1.,  0.,  1.]], dtype=float32)
    """
    height, width = pair((height, width), "coordinate_channels: (height, width)")
    dtype, with_r = check_float_type("coordinate_channels", dtype), check_flag("coordinate_channels: with_r", with_r)
    shape = height, width, 3 if with_r else 2
    check_room("coordinate_channels: the channels", shape, dtype)
    channels = np.empty(shape, dtype)
    i, j = _axis(height)[:, np.newaxis], _axis(width)  # (height, 1), (width,): they broadcast to (height, width)
    channels[:, :, 0] = i
    channels[:, :, 1] = j
    if with_r:
        channels[:, :, 2] = np.sqrt(i**2 + j**2)
    return channels


def add_coords(x: NDArray, with_r: bool = False) -> NDArray:
    """Return images with coordinate channels concatenated after their own: the paper's AddCoords.

    Parameters
    ----------
    x : ndarray of float32 or float64, (N, H, W, C)
        Images, at least one pixel each.
    with_r : bool
        Whether to add r after i and j.

    Returns
    -------
    ndarray of the same dtype, (N, H, W, C + 2), or (N, H, W, C + 3) with r

    Examples
    --------
    >>> add_coords(np.full((1, 1, 2, 1), 7.0))
    array([[[[ 7.,  0., -1.],
             [ 7.,  0.,  1.]]]])
    """
    x, with_r = check_images(x, "add_coords: x", pixels=1), check_flag("add_coords: with_r", with_r)
    _, height, width, channels = x.shape
    coordinates = coordinate_channels(height, width, with_r, x.dtype)
    y = empty((*x.shape[:3], channels + coordinates.shape[2]), x.dtype)
    launch(_concatenate, x, coordinates, y)
    return y


def add_coords_backward(dy: NDArray, with_r: bool = False) -> NDArray:
    """Return the gradient of `add_coords` with respect to its images: the coordinates are constants and have none.

    Parameters
    ----------
    dy : ndarray of float32 or float64, (N, H, W, C + 2), or (N, H, W, C + 3) with r
        Gradient of the loss with respect to the output.
    with_r : bool
        Whether r was added.

    Returns
    -------
    ndarray of the same dtype, (N, H, W, C)
    """
    dy, with_r = check_images(dy, "add_coords_backward: dy"), check_flag("add_coords_backward: with_r", with_r)
    channels = dy.shape[3] - (3 if with_r else 2)
    if channels < 0:
        wanted = "(N, H, W, C + 3)" if with_r else "(N, H, W, C + 2)"
        raise ValueError(f"add_coords_backward: dy has shape {dy.shape}, wanted {wanted}")
    dx = empty((*dy.shape[:3], channels), dy.dtype)
    launch(_first_channels, dy, dx)
    return dx


def tile(v: NDArray, height: int, width: int) -> NDArray:
    """Return images that repeat a vector at every pixel: how the paper's painters feed (x, y) to a convolution.

    Parameters
    ----------
    v : ndarray of float32 or float64, (N, C)
        One vector per image.
    height, width : int
        Size of the images in pixels, at least 1 each.

    Returns
    -------
    ndarray of the same dtype, (N, height, width, C)

    Examples
    --------
    >>> tile(np.array([[1.0, 2.0]]), 1, 2)
    array([[[[1., 2.],
             [1., 2.]]]])
    """
    v = check_array(v, "tile: v", 2, "(N, C)")
    height, width = pair((height, width), "tile: (height, width)")
    shape = v.shape[0], height, width, v.shape[1]
    check_room("tile: the output", shape, v.dtype)
    y = empty(shape, v.dtype)
    launch(_tile, v, y)
    return y


def tile_backward(dy: NDArray) -> NDArray:
    """Return the gradient of `tile` with respect to its vectors: the sum over the pixels of each image.

    Parameters
    ----------
    dy : ndarray of float32 or float64, (N, H, W, C)
        Gradient of the loss with respect to the output.

    Returns
    -------
    ndarray of the same dtype, (N, C)
    """
    return pixel_sums(check_images(dy, "tile_backward: dy"), None)
