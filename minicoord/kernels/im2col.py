"""The im2col matrix as a whole, and its adjoint: to look at and to teach with.

Row ``(n * out_h + i) * out_w + j`` of the matrix holds the ``kh * kw * C`` numbers under the kernel at place (i, j) of
image n. Convolution is then one product, ``im2col(x, ...) @ w.reshape(-1, c_out)``. The layers never build the matrix:
it is ``kh * kw`` times as large as the images (``bands.py`` says what they read in its place).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.checks import check_array, check_image_shape, check_images
from minicoord.kernels.backend.runtime import kernel, launch, prange
from minicoord.kernels.geometry import Padding, Pair, window
from minicoord.system.arrays import check_room


@kernel
def _im2col(x, cols, win):
    images, height, width = x.shape[:3]
    for task in prange(images * win.out_h):
        n, i = np.int64(task) // win.out_h, np.int64(task) % win.out_h
        for j in range(win.out_w):
            for ki in range(win.kh):
                for kj in range(win.kw):
                    y, left = i * win.sy - win.top + ki, j * win.sx - win.left + kj
                    target = cols[n, i, j, ki, kj]  # (C,)
                    if 0 <= y < height and 0 <= left < width:
                        target[:] = x[n, y, left]
                    else:
                        target[:] = 0


@kernel
def _col2im(cols, x, win):
    images, height, width, channels = x.shape
    for task in prange(images):  # windows overlap, so an image is the smallest part that one task can own
        n = np.int64(task)
        x[n] = 0
        for i in range(win.out_h):
            for j in range(win.out_w):
                for ki in range(win.kh):
                    for kj in range(win.kw):
                        y, left = i * win.sy - win.top + ki, j * win.sx - win.left + kj
                        if 0 <= y < height and 0 <= left < width:
                            for c in range(channels):
                                x[n, y, left, c] += cols[n, i, j, ki, kj, c]


def im2col(x: NDArray, kernel_size: Pair, stride: Pair = 1, padding: Padding = "same") -> NDArray:
    """Return the im2col matrix of images: one row for each place of the kernel.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (N, H, W, C)
        Images.
    kernel_size, stride, padding
        See `minicoord.kernels.geometry.window`. Pixels outside the image are zero.

    Returns
    -------
    ndarray, same dtype, shape (N * out_h * out_w, kh * kw * C)

    Examples
    --------
    >>> import numpy as np
    >>> im2col(np.arange(6.0).reshape(1, 2, 3, 1), 2, padding="valid")
    array([[0., 1., 3., 4.],
           [1., 2., 4., 5.]])
    """
    x = check_images(x, "im2col: x")
    n, height, width, channels = x.shape
    win = window(height, width, kernel_size, stride, padding)
    shape = n, win.out_h, win.out_w, win.kh, win.kw, channels
    check_room("im2col: the matrix", shape, x.dtype)
    cols = np.empty(shape, x.dtype)
    launch(_im2col, x, cols, win)
    return cols.reshape(n * win.out_h * win.out_w, win.kh * win.kw * channels)  # (rows, kh * kw * C)


def col2im(
    cols: NDArray, x_shape: tuple[int, int, int, int], kernel_size: Pair, stride: Pair = 1, padding: Padding = "same"
) -> NDArray:
    """Send every number of an im2col matrix back to its pixel and add up what meets there: the adjoint of `im2col`.

    It is not the inverse: a pixel that lay under the kernel nine times comes back nine times as large.

    Parameters
    ----------
    cols : ndarray of float32 or float64, shape (N * out_h * out_w, kh * kw * C)
        A matrix with the rows of `im2col`.
    x_shape : (N, H, W, C)
        Shape of the images.
    kernel_size, stride, padding
        As they went into `im2col`.

    Returns
    -------
    ndarray, same dtype, shape (N, H, W, C)

    Examples
    --------
    >>> import numpy as np
    >>> col2im(np.ones((2, 4)), (1, 2, 3, 1), 2, padding="valid")[0, :, :, 0]
    array([[1., 2., 1.],
           [1., 2., 1.]])
    """
    n, height, width, channels = x_shape = check_image_shape(x_shape, "col2im: x_shape")
    win = window(height, width, kernel_size, stride, padding)
    cols = check_array(cols, "col2im: cols", shape=(n * win.out_h * win.out_w, win.kh * win.kw * channels))
    check_room("col2im: the images", x_shape, cols.dtype)
    x = np.empty(x_shape, cols.dtype)
    # (rows, kh * kw * C) -> (N, out_h, out_w, kh, kw, C)
    launch(_col2im, cols.reshape(n, win.out_h, win.out_w, win.kh, win.kw, channels), x, win)
    return x
