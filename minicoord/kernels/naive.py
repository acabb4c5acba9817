"""Convolution as the nested loops of its definition, compiled: what Numba alone is worth, to compare and to teach with.

Once for one thread, and once with the images spread over many. The library itself uses ``convolution.py``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.checks import check_array, check_images, check_same_dtype
from minicoord.kernels.backend.runtime import helper, kernel, launch, prange
from minicoord.kernels.convolution import check_kernel
from minicoord.kernels.geometry import window
from minicoord.system.arguments import check_flag
from minicoord.system.arrays import check_room


@helper
def _forward_image(x, w, y, top, left):
    """Pixel by pixel of one image: the sum over taps and channels."""
    height, width, c_in = x.shape
    kh, kw, _, c_out = w.shape
    for i in range(height):
        for j in range(width):
            for ki in range(max(0, top - i), min(kh, height + top - i)):
                for kj in range(max(0, left - j), min(kw, width + left - j)):
                    for a in range(c_in):
                        for c in range(c_out):
                            y[i, j, c] += x[i + ki - top, j + kj - left, a] * w[ki, kj, a, c]


@helper
def _backward_image(x, w, dy, dx, dw, top, left):
    """The gradient of every product of the forward pass, sent to both its factors."""
    height, width, c_in = x.shape
    kh, kw, _, c_out = w.shape
    for i in range(height):
        for j in range(width):
            for ki in range(max(0, top - i), min(kh, height + top - i)):
                for kj in range(max(0, left - j), min(kw, width + left - j)):
                    for a in range(c_in):
                        pixel, total = x[i + ki - top, j + kj - left, a], x.dtype.type(0)
                        for c in range(c_out):
                            dw[ki, kj, a, c] += pixel * dy[i, j, c]
                            total += w[ki, kj, a, c] * dy[i, j, c]
                        dx[i + ki - top, j + kj - left, a] += total


@helper
def _forward_serial(x, w, y, top, left):
    for n in range(len(x)):
        _forward_image(x[n], w, y[n], top, left)


@kernel
def _forward_parallel(x, w, y, top, left):
    for n in prange(len(x)):
        _forward_image(x[n], w, y[n], top, left)


@helper
def _backward_serial(x, w, dy, dx, dws, top, left):
    for n in range(len(x)):
        _backward_image(x[n], w, dy[n], dx[n], dws[n], top, left)


@kernel
def _backward_parallel(x, w, dy, dx, dws, top, left):
    """Each image has a gradient of the kernel of its own, so that no two threads write to the same one."""
    for n in prange(len(x)):
        _backward_image(x[n], w, dy[n], dx[n], dws[n], top, left)


def naive_conv2d(x: NDArray, w: NDArray, parallel: bool) -> NDArray:
    """Convolve with stride 1 and padding ``"same"``, without bias, by the nested loops of the definition.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (N, H, W, c_in)
    w : ndarray, same dtype, shape (kh, kw, c_in, c_out)
    parallel : bool
        Whether the images are spread over the threads.

    Returns
    -------
    ndarray, same dtype, shape (N, H, W, c_out)
    """
    x, w = check_images(x, "naive_conv2d: x"), check_kernel(w, x.shape[3], "naive_conv2d")
    check_same_dtype("naive_conv2d", x=x, w=w)
    parallel = check_flag("naive_conv2d: parallel", parallel)
    win = window(x.shape[1], x.shape[2], w.shape[:2])
    check_room("naive_conv2d: the output", (*x.shape[:3], w.shape[3]), x.dtype)
    y = np.zeros((*x.shape[:3], w.shape[3]), x.dtype)
    launch(_forward_parallel if parallel else _forward_serial, x, w, y, win.top, win.left)
    return y


def naive_conv2d_backward(x: NDArray, w: NDArray, dy: NDArray, parallel: bool) -> tuple[NDArray, NDArray]:
    """Return the gradients of a loss with respect to image and kernel of `naive_conv2d`.

    Parameters
    ----------
    x, w, parallel
        As they went into `naive_conv2d`.
    dy : ndarray, same dtype, shape (N, H, W, c_out)
        Gradient of the loss with respect to the output.

    Returns
    -------
    dx : ndarray, shape (N, H, W, c_in)
    dw : ndarray, shape (kh, kw, c_in, c_out)
    """
    what = "naive_conv2d_backward"
    x, w = check_images(x, f"{what}: x"), check_kernel(w, x.shape[3], what)
    dy = check_array(dy, f"{what}: dy", shape=(*x.shape[:3], w.shape[3]))
    check_same_dtype(what, x=x, w=w, dy=dy)
    parallel = check_flag(f"{what}: parallel", parallel)
    win = window(x.shape[1], x.shape[2], w.shape[:2])
    check_room(f"{what}: the gradients of w, one for each image,", (len(x), *w.shape), x.dtype)
    dx, dws = np.zeros_like(x), np.zeros((len(x), *w.shape), x.dtype)
    launch(_backward_parallel if parallel else _backward_serial, x, w, dy, dx, dws, win.top, win.left)
    return dx, dws.sum(axis=0)  # dw: (N, kh, kw, c_in, c_out) -> (kh, kw, c_in, c_out)
