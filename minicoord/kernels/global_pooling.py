"""Global pooling: the maximum or the mean of each channel over the whole image.

It is what ``pooling.py`` does with one window as large as the image. But an image may have two channels, and inner
loops over two numbers are slow. So the image is read as one long row of numbers, in pieces of ``k`` whole pixels:
position c of a piece always belongs to channel ``c % C``. Each position has a maximum or a sum of its own, and the k
positions of a channel are put together at the end.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.checks import check_array, check_images
from minicoord.kernels.backend.memory import empty
from minicoord.kernels.backend.runtime import kernel, launch, prange
from minicoord.kernels.pooling import check_x_shape, max_pool2d_backward

LONG = 256  # numbers in a piece, or as many more as it takes to hold whole pixels


@kernel
def _max(x, piece, y, argmax):
    """One task for each image. NaN wins over every number; among equals the first in reading order wins."""
    images, numbers = x.shape
    channels = y.shape[1]
    pixels = piece // max(channels, 1)  # in a piece
    for task in prange(images):
        image = x[task]
        best, where = image[:piece].copy(), np.zeros(piece, np.int32)  # where: in which piece
        for start in range(piece, numbers, piece):
            at, here = np.uintp(start), np.int32(start // piece)
            for k in range(np.uintp(min(piece, numbers - start))):
                value = image[at + k]
                # Not <= is >, or a NaN on either side. Both are always written, so that the loop is vectorised.
                better = not (value <= best[k]) and best[k] == best[k]
                best[k] = value if better else best[k]
                where[k] = here if better else where[k]
        for c in range(channels):
            y[task, c], argmax[task, c] = best[c], where[c] * pixels
            for k in range(c + channels, piece, channels):
                pixel = where[k] * pixels + k // channels
                first = pixel < argmax[task, c]
                equal = best[k] == y[task, c] or (best[k] != best[k] and y[task, c] != y[task, c])
                if (equal and first) or (not (best[k] <= y[task, c]) and y[task, c] == y[task, c]):
                    y[task, c], argmax[task, c] = best[k], pixel


@kernel
def _mean(x, piece, y):
    """One task for each image. Sums are kept in float64: an image has thousands of pixels."""
    images, numbers = x.shape
    channels = y.shape[1]
    for task in prange(images):
        image = x[task]
        total = np.zeros(piece, np.float64)
        for start in range(0, numbers, piece):
            at = np.uintp(start)
            for k in range(np.uintp(min(piece, numbers - start))):
                total[k] += image[at + k]
        for c in range(channels):
            y[task, c] = total[c::channels].sum() / (numbers // channels)  # (piece / C,) -> a number


@kernel
def _repeat(pixels, dx):
    """Fill each image with its row of `pixels`, some pixels side by side."""
    images, numbers = dx.shape
    piece = max(1, pixels.shape[1])
    for task in prange(images):
        row, image = pixels[task], dx[task]
        for start in range(0, numbers, piece):
            at = np.uintp(start)
            for k in range(np.uintp(min(piece, numbers - start))):
                image[at + k] = row[k]


def _piece(pixels: int, channels: int) -> int:
    """Return how many numbers of an image a piece holds: whole pixels, and no more than there are."""
    return max(1, channels * min(-(-LONG // max(channels, 1)), pixels))


def global_max_pool(x: NDArray) -> tuple[NDArray, NDArray]:
    """Return the maximum over all pixels, and where it was: `max_pool2d` with one window as large as the image.

    Parameters
    ----------
    x : ndarray of float32 or float64, (N, H, W, C)
        Images, at least one pixel each.

    Returns
    -------
    y : ndarray of the same dtype, (N, C)
    argmax : ndarray of int32, (N, C)
        The pixel ``row * W + column``, by the same rule for ties and NaN.
    """
    x = check_images(x, "global_max_pool: x", pixels=1)
    images, height, width, channels = x.shape
    y, argmax = np.empty((images, channels), x.dtype), np.empty((images, channels), np.int32)
    # (N, H, W, C) -> (N, H * W * C)
    launch(_max, x.reshape(images, height * width * channels), _piece(height * width, channels), y, argmax)
    return y, argmax


def global_max_pool_backward(dy: NDArray, argmax: NDArray, x_shape: tuple[int, int, int, int]) -> NDArray:
    """Return the gradient of `global_max_pool`: `max_pool2d_backward`, with `dy` and `argmax` of shape (N, C)."""
    dy = check_array(dy, "global_max_pool_backward: dy", 2, "(N, C)")
    images, _, _, channels = _check_image_shape("global_max_pool_backward", dy, x_shape)
    one_place = images, 1, 1, channels
    argmax = check_array(argmax, "global_max_pool_backward: argmax", shape=dy.shape, dtype=np.int32)
    return max_pool2d_backward(dy.reshape(one_place), argmax.reshape(one_place), x_shape)  # (N, C) -> (N, 1, 1, C)


def global_avg_pool(x: NDArray) -> NDArray:
    """Return the mean over all pixels: `avg_pool2d` with one window as large as the image.

    Parameters
    ----------
    x : ndarray of float32 or float64, (N, H, W, C)
        Images, at least one pixel each.

    Returns
    -------
    ndarray of the same dtype, (N, C)
    """
    x = check_images(x, "global_avg_pool: x", pixels=1)
    images, height, width, channels = x.shape
    y = np.empty((images, channels), x.dtype)
    # (N, H, W, C) -> (N, H * W * C)
    launch(_mean, x.reshape(images, height * width * channels), _piece(height * width, channels), y)
    return y


def global_avg_pool_backward(dy: NDArray, x_shape: tuple[int, int, int, int]) -> NDArray:
    """Return the gradient of `global_avg_pool`: each pixel gets ``dy / (H * W)``.

    Parameters
    ----------
    dy : ndarray of float32 or float64, (N, C)
        Gradient of the loss with respect to the output.
    x_shape : (int, int, int, int)
        The shape (N, H, W, C) of the images.

    Returns
    -------
    ndarray of the dtype of `dy`, `x_shape`
    """
    dy = check_array(dy, "global_avg_pool_backward: dy", 2, "(N, C)")
    images, height, width, channels = _check_image_shape("global_avg_pool_backward", dy, x_shape)
    dx = empty((images, height, width, channels), dy.dtype)
    pixels = _piece(height * width, channels) // max(channels, 1)
    # dy repeated: (N, C) -> (N, pixels * C); dx as (N, H * W * C)
    launch(_repeat, np.tile(dy / dy.dtype.type(height * width), pixels), dx.reshape(images, height * width * channels))
    return dx


def _check_image_shape(what: str, dy: NDArray, x_shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return `x_shape` after checking that it has the images and channels of `dy`, and at least one pixel."""
    images, height, width, channels = check_x_shape(what, dy, x_shape)
    if height < 1 or width < 1:
        raise ValueError(f"{what}: x_shape is {tuple(x_shape)}, wanted (N, H, W, C) with at least one pixel")
    return images, height, width, channels
