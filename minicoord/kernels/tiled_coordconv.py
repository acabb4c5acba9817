"""1x1 CoordConv of a vector that is repeated at every pixel: the first layer of the paper's generators and painters.

A pixel has two kinds of channels. Those of the vector are the same at every pixel of an image, the coordinates the same
in every image. So the product falls into one of a row per image and one of a row per pixel, and what is left for each
pixel of each image is a sum:

    forward      a = v @ w_v + b        m = coords @ w_c        y[n, p] = a[n] + m[p]
    backward     da[n] = the sum of dy[n, p] over the pixels    dm[p] = the sum of dy[n, p] over the images
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.checks import check_array, check_same_dtype, check_shape
from minicoord.kernels.backend.memory import empty
from minicoord.kernels.backend.runtime import kernel, launch, prange
from minicoord.kernels.dense import dense, dense_backward
from minicoord.kernels.sums import pixel_sums
from minicoord.system.arguments import check_flag


@kernel
def _add(of_image, of_pixel, relu, y):
    """Each row of each image: the row of `of_image` plus that of `of_pixel`; negative sums become 0 with ReLU."""
    images, height, width, channels = y.shape
    for task in prange(images * height):
        n, i = np.int64(task) // height, np.int64(task) % height
        a = of_image[n]
        for j in range(width):
            m, pixel = of_pixel[i * width + j], y[n, i, j]
            for c in range(channels):
                value = a[c] + m[c]
                pixel[c] = 0 if relu and value <= 0 else value  # NaN is not <= 0, so it stays visible


@kernel
def _sum_over_images(dy, y, relu, dm):
    """Each pixel: the sum of dy, but not where ReLU made y zero, in the order of the images."""
    images, height, width, channels = dy.shape
    for task in prange(height):
        i = np.int64(task)
        for j in range(width):
            total = dm[i * width + j]
            total[:] = 0
            for n in range(images):
                pixel, out = dy[n, i, j], y[n, i, j]
                for c in range(channels):
                    total[c] += 0 if relu and out[c] <= 0 else pixel[c]


def tiled_coordconv(v: NDArray, coordinates: NDArray, w: NDArray, b: NDArray, relu: bool) -> NDArray:
    """Return the 1x1 convolution of vectors, repeated at every pixel, and coordinates.

    Parameters
    ----------
    v : ndarray of float32 or float64, (N, c_in)
        One vector per image.
    coordinates : ndarray of the same dtype, (H, W, d)
        The result of `coordinate_channels`, with d = 2 or 3.
    w : ndarray of the same dtype, (c_in + d, c_out)
        The kernel: first the channels of the vector, then the coordinates.
    b : ndarray of the same dtype, (c_out,)
    relu : bool
        Whether to apply ReLU.

    Returns
    -------
    ndarray of the same dtype, (N, H, W, c_out)

    Examples
    --------
    >>> coordinates = np.array([[[0.0, -1.0], [0.0, 1.0]]])  # one row of two pixels
    >>> w = np.array([[10.0], [0.0], [1.0]])
    >>> tiled_coordconv(np.array([[2.0]]), coordinates, w, np.zeros(1), False).reshape(-1)
    array([19., 21.])
    """
    v, coordinates, w = _checked(v, coordinates, w, "tiled_coordconv")
    b = check_array(b, "tiled_coordconv: b", shape=w.shape[1:])
    check_same_dtype("tiled_coordconv", v=v, b=b)
    relu = check_flag("tiled_coordconv: relu", relu)
    height, width, depth = coordinates.shape
    of_image = dense(v, w[: v.shape[1]], b)  # (N, c_out)
    of_pixel = dense(coordinates.reshape(-1, depth), w[v.shape[1] :])  # (H * W, c_out)
    y = empty((len(v), height, width, w.shape[1]), v.dtype)
    launch(_add, of_image, of_pixel, relu, y)
    return y


def tiled_coordconv_backward(
    v: NDArray, coordinates: NDArray, w: NDArray, dy: NDArray, y: NDArray | None
) -> tuple[NDArray, NDArray, NDArray]:
    """Return the gradients of `tiled_coordconv`.

    Parameters
    ----------
    v, coordinates, w
        As for `tiled_coordconv`.
    dy : ndarray of the same dtype, (N, H, W, c_out)
        Gradient of the loss with respect to the output.
    y : ndarray, the shape of dy, or None
        The output, if ReLU was applied.

    Returns
    -------
    dv : ndarray (N, c_in)
    dw : ndarray (c_in + d, c_out)
    db : ndarray (c_out,)
    """
    what = "tiled_coordconv_backward"
    v, coordinates, w = _checked(v, coordinates, w, what)
    height, width, depth = coordinates.shape
    dy = check_array(dy, f"{what}: dy", shape=(len(v), height, width, w.shape[1]))
    out = dy if y is None else check_array(y, f"{what}: y", shape=dy.shape)
    check_same_dtype(what, v=v, dy=dy, y=out)
    c_in, dm = v.shape[1], empty((height * width, w.shape[1]), v.dtype)
    launch(_sum_over_images, dy, out, y is not None, dm)
    dv, dw_v, db = dense_backward(v, w[:c_in], pixel_sums(dy, None if y is None else out))
    _, dw_c, _ = dense_backward(coordinates.reshape(-1, depth), w[c_in:], dm)
    return dv, np.concatenate([dw_v, dw_c]), db


def _checked(v: object, coordinates: object, w: object, what: str) -> tuple[NDArray, NDArray, NDArray]:
    v = check_array(v, f"{what}: v", 2, "(N, c_in)")
    coordinates = check_array(coordinates, f"{what}: coordinates", 3, "(H, W, d)")
    w = check_array(w, f"{what}: w", 2, "(c_in + d, c_out)")
    check_shape(w, (v.shape[1] + coordinates.shape[2], w.shape[1]), f"{what}: w")
    check_same_dtype(what, v=v, coordinates=coordinates, w=w)
    return v, coordinates, w
