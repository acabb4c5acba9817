"""Pooling: the maximum or the mean over a window, channel by channel.

Max pooling also returns where each maximum was, because backward sends the gradient there and nowhere else. A window
never sees padding: a maximum is taken, and a mean is divided, over the pixels that lie inside the image.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.checks import check_array, check_image_shape, check_images, check_shape
from minicoord.kernels.backend.memory import empty
from minicoord.kernels.backend.runtime import kernel, launch, prange
from minicoord.kernels.geometry import Padding, Pair, Window, window
from minicoord.system.arguments import shown


@kernel
def _max_forward(x, y, argmax, kh, kw, sy, sx, top, left):
    """Row by row of the output. NaN wins over every number; among equals the first in reading order wins."""
    height, width, channels = x.shape[1:]
    images, out_h, out_w, _ = y.shape
    for task in prange(images * out_h):
        n, i = np.int64(task) // out_h, np.int64(task) % out_h
        y0 = i * sy - top
        for j in range(out_w):
            x0 = j * sx - left
            best, where = y[n, i, j], argmax[n, i, j]  # (C,)
            first = np.int32(max(0, y0) * width + max(0, x0))
            for c in range(channels):
                best[c] = x[n, max(0, y0), max(0, x0), c]
                where[c] = first
            for row in range(max(0, y0), min(height, y0 + kh)):
                for column in range(max(0, x0), min(width, x0 + kw)):
                    pixel, here = x[n, row, column], np.int32(row * width + column)  # (C,), and its flat position
                    for c in range(channels):
                        # Not <= is >, or a NaN on either side. Both are always written, so that the loop is vectorised.
                        better = not (pixel[c] <= best[c]) and best[c] == best[c]
                        best[c] = pixel[c] if better else best[c]
                        where[c] = here if better else where[c]


@kernel
def _max_backward(dy, argmax, dx, outside):
    """Image by image, because two overlapping windows may send their gradients to one pixel. Pixels are flat in dx.

    Counts in `outside` what an argmax that points outside the image would have sent there.
    """
    images, places, channels = dy.shape
    for task in prange(images):
        n = np.int64(task)
        image = dx[n]  # (H * W, C)
        image[:] = 0
        for place in range(places):
            gradient, pixel = dy[n, place], argmax[n, place]  # (C,)
            for c in range(channels):
                p = np.uintp(pixel[c])  # a negative one becomes huge
                if p < np.uintp(image.shape[0]):
                    image[p, c] += gradient[c]
                else:
                    outside[n] += 1


@kernel
def _average_forward(x, y, kh, kw, sy, sx, top, left):
    """Row by row of the output. Sums are kept in float64: a global window has thousands of pixels."""
    height, width, channels = x.shape[1:]
    images, out_h, out_w, _ = y.shape
    for task in prange(images * out_h):
        n, i = np.int64(task) // out_h, np.int64(task) % out_h
        y0, y1 = max(0, i * sy - top), min(height, i * sy - top + kh)
        total = np.zeros(channels, np.float64)
        for j in range(out_w):
            x0, x1 = max(0, j * sx - left), min(width, j * sx - left + kw)
            for row in range(y0, y1):
                for column in range(x0, x1):
                    pixel = x[n, row, column]
                    for c in range(channels):
                        total[c] += pixel[c]
            for c in range(channels):
                y[n, i, j, c] = total[c] / ((y1 - y0) * (x1 - x0))
                total[c] = 0


@kernel
def _average_backward(dy, dx, kh, kw, sy, sx, top, left):
    """Row by row of the image: each row collects from the windows that cover it, so it has one writer."""
    images, height, width, channels = dx.shape
    out_h, out_w = dy.shape[1:3]
    for task in prange(images * height):
        n, row = np.int64(task) // height, np.int64(task) % height
        dx[n, row] = 0
        first = max(0, (row + top - kh + sy) // sy)  # the first i with i * sy - top + kh > row, rounded up
        for i in range(first, min(out_h, (row + top) // sy + 1)):
            rows = min(height, i * sy - top + kh) - max(0, i * sy - top)
            for j in range(out_w):
                x0, x1 = max(0, j * sx - left), min(width, j * sx - left + kw)
                share = 1 / (rows * (x1 - x0))
                gradient = dy[n, i, j]
                for column in range(x0, x1):
                    pixel = dx[n, row, column]
                    for c in range(channels):
                        pixel[c] += share * gradient[c]


def pool_window(
    what: str, height: int, width: int, size: Pair, stride: Pair | None = None, padding: Padding = "valid"
) -> Window:
    """Return where the windows of a pooling lie: as `geometry.window`, but each must hold a pixel of the image.

    Parameters
    ----------
    what : str
        How an error names the operation.
    height, width : int
        Size of the image in pixels.
    size, stride, padding
        As in `max_pool2d`.

    Raises
    ------
    ValueError
        If an argument has the wrong form, or a window does not fit or holds padding only.

    Examples
    --------
    >>> place = pool_window("example", 5, 5, 2)
    >>> place.out_h, place.out_w
    (2, 2)
    """
    try:
        place = window(height, width, size, size if stride is None else stride, padding)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None
    last_row, last_column = (place.out_h - 1) * place.sy - place.top, (place.out_w - 1) * place.sx - place.left
    if place.top >= place.kh or place.left >= place.kw or last_row >= height or last_column >= width:
        raise ValueError(
            f"{what}: padding was {shown(padding)}, it leaves a {place.kh}x{place.kw} window with no pixel "
            f"of the {height}x{width} image, wanted less padding than the window has pixels"
        )
    return place


def max_pool2d(
    x: NDArray, size: Pair = 2, stride: Pair | None = None, padding: Padding = "valid"
) -> tuple[NDArray, NDArray]:
    """Return the maximum over each window, and where it was.

    Among equal values the first in reading order (row by row) is the maximum. NaN counts as larger than every number,
    so it comes through. Padding never wins.

    Parameters
    ----------
    x : ndarray of float32 or float64, (N, H, W, C)
        Images.
    size : int or (int, int)
        Rows and columns of the window, in pixels.
    stride : int or (int, int), optional
        Steps of the window, in pixels; None is `size`, so that windows lie side by side.
    padding : {"same", "valid"}, int, (int, int) or ((int, int), (int, int))
        As in `minicoord.kernels.geometry.window`.

    Returns
    -------
    y : ndarray of the same dtype, (N, out_h, out_w, C)
    argmax : ndarray of int32, (N, out_h, out_w, C)
        The pixel ``row * W + column`` of the image that each maximum came from.

    Raises
    ------
    ValueError
        Also if a window holds padding only.

    Examples
    --------
    >>> y, argmax = max_pool2d(np.array([[1.0, 5.0], [5.0, 2.0]]).reshape(1, 2, 2, 1))
    >>> y.item(), argmax.item()
    (5.0, 1)
    """
    x = check_images(x, "max_pool2d: x")
    images, height, width, channels = x.shape
    place = pool_window("max_pool2d", height, width, size, stride, padding)
    y = empty((images, place.out_h, place.out_w, channels), x.dtype)
    argmax = empty(y.shape, np.int32)
    launch(_max_forward, x, y, argmax, place.kh, place.kw, place.sy, place.sx, place.top, place.left)
    return y, argmax


def max_pool2d_backward(dy: NDArray, argmax: NDArray, x_shape: tuple[int, int, int, int]) -> NDArray:
    """Return the gradient of `max_pool2d`: each output's gradient goes to the pixel that was its maximum.

    Parameters
    ----------
    dy : ndarray of float32 or float64, (N, out_h, out_w, C)
        Gradient of the loss with respect to the output.
    argmax : ndarray of int32, (N, out_h, out_w, C)
        As `max_pool2d` returned it.
    x_shape : (int, int, int, int)
        The shape (N, H, W, C) of the images.

    Returns
    -------
    ndarray of the dtype of `dy`, `x_shape`

    Raises
    ------
    ValueError
        Also if `argmax` points outside the image.
    """
    dy = check_images(dy, "max_pool2d_backward: dy")
    images, height, width, channels = check_x_shape("max_pool2d_backward", dy, x_shape)
    argmax = check_array(argmax, "max_pool2d_backward: argmax", shape=dy.shape, dtype=np.int32)
    dx = empty((images, height * width, channels), dy.dtype)
    by_place = images, dy.shape[1] * dy.shape[2], channels  # (N, out_h * out_w, C)
    outside = np.zeros(len(dy), np.int64)
    launch(_max_backward, dy.reshape(by_place), argmax.reshape(by_place), dx, outside)
    if outside.any():
        raise ValueError(f"max_pool2d_backward: argmax points outside the {height}x{width} image")
    return dx.reshape(x_shape)  # (N, H * W, C) -> (N, H, W, C)


def avg_pool2d(x: NDArray, size: Pair = 2, stride: Pair | None = None, padding: Padding = "valid") -> NDArray:
    """Return the mean over each window, over the pixels of it that lie inside the image.

    Parameters
    ----------
    x, size, stride, padding
        As in `max_pool2d`.

    Returns
    -------
    ndarray of the same dtype, (N, out_h, out_w, C)

    Examples
    --------
    >>> avg_pool2d(np.array([[1.0, 5.0], [4.0, 2.0]]).reshape(1, 2, 2, 1)).item()
    3.0
    """
    x = check_images(x, "avg_pool2d: x")
    images, height, width, channels = x.shape
    place = pool_window("avg_pool2d", height, width, size, stride, padding)
    y = empty((images, place.out_h, place.out_w, channels), x.dtype)
    launch(_average_forward, x, y, place.kh, place.kw, place.sy, place.sx, place.top, place.left)
    return y


def avg_pool2d_backward(
    dy: NDArray,
    x_shape: tuple[int, int, int, int],
    size: Pair = 2,
    stride: Pair | None = None,
    padding: Padding = "valid",
) -> NDArray:
    """Return the gradient of `avg_pool2d`: each output's gradient is shared evenly by the pixels of its window.

    Parameters
    ----------
    dy : ndarray of float32 or float64, (N, out_h, out_w, C)
        Gradient of the loss with respect to the output.
    x_shape : (int, int, int, int)
        The shape (N, H, W, C) of the images.
    size, stride, padding
        As in `avg_pool2d`.

    Returns
    -------
    ndarray of the dtype of `dy`, `x_shape`
    """
    dy = check_images(dy, "avg_pool2d_backward: dy")
    images, height, width, channels = check_x_shape("avg_pool2d_backward", dy, x_shape)
    place = pool_window("avg_pool2d_backward", height, width, size, stride, padding)
    check_shape(dy, (images, place.out_h, place.out_w, channels), "avg_pool2d_backward: dy")
    dx = empty(x_shape, dy.dtype)
    launch(_average_backward, dy, dx, place.kh, place.kw, place.sy, place.sx, place.top, place.left)
    return dx


def check_x_shape(what: str, dy: NDArray, x_shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return `x_shape` after checking that it is (N, H, W, C), with the images and channels of `dy`."""
    x_shape = check_image_shape(x_shape, f"{what}: x_shape")
    if (x_shape[0], x_shape[3]) != (dy.shape[0], dy.shape[-1]):
        raise ValueError(
            f"{what}: x_shape is {x_shape}, wanted (N, H, W, C) with N = {dy.shape[0]} and C = {dy.shape[-1]}"
        )
    return x_shape
