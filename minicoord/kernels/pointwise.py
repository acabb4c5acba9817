"""1x1 convolution with channels that all images share, and its backward pass, each in one pass over memory.

With a 1x1 kernel and stride 1 the im2col matrix is the image itself, and every pixel depends on the same pixel alone.
So what ``tiles.py`` and ``adjoint.py`` do one after the other for any kernel can be done tile by tile, while the tile
is in the cache. Fused here are

    forward      y = relu(x @ w + shared @ w_shared)
    backward     dz = dy where y > 0        dw = x.T @ dz        dw_shared = shared.T @ dz        dx = dz @ w.T

and neither dz nor ``shared @ w_shared`` is ever written to memory. The shared channels of a CoordConv are the
coordinates, and a column of ones, which the bias weighs. ``minicoord.reference.conv2d_backward`` has the same steps
apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.geometry import Window
from minicoord.kernels.memory import empty
from minicoord.kernels.runtime import helper, kernel, launch, prange
from minicoord.kernels.tiles import CHUNKS, cut


def is_pointwise(x: NDArray, win: Window) -> bool:
    """Whether a window over the images `x` of shape (N, H, W, C) is one pixel that visits every pixel once."""
    return win.kh * win.kw * win.sy * win.sx == 1 and (win.out_h, win.out_w) == x.shape[1:3]


@helper
def _undo_relu(dy, y, dz):
    """Write ``dz = dy`` where y > 0, else 0; all flat."""
    zero = dy.dtype.type(0)
    for k in range(dz.size):
        value = dy[k]
        dz[k] = zero if y[k] <= zero else value


@helper
def _add(total, part):
    """Add `part` to `total`, both flat."""
    for k in range(total.size):
        total[k] += part[k]


@helper
def _finish(product, offset, relu, y):
    """Write ``product + offset``, with or without ReLU, to `y`; all flat."""
    zero = product.dtype.type(0)
    for k in range(y.size):
        value = product[k] + offset[k]
        y[k] = zero if relu and value <= zero else value  # a NaN is not <= 0, so it stays visible


@kernel
def _forward(x, w, shared, w_shared, relu, y, rows, groups):
    """Each task owns one tile of places in a group of images: what they share is computed once for all of them."""
    images, places, c_out = y.shape
    tiles = (places + rows - 1) // rows
    for task in prange(tiles * groups):
        tile, group = np.int64(task) // groups, np.int64(task) % groups
        first, last = tile * rows, min((tile + 1) * rows, places)
        offset, product = np.empty((last - first, c_out), x.dtype), np.empty((last - first, c_out), x.dtype)
        np.dot(shared[first:last], w_shared, offset)
        for n in range(group * images // groups, (group + 1) * images // groups):
            np.dot(x[n, first:last], w, product)
            _finish(product.reshape(-1), offset.reshape(-1), relu, y[n, first:last].reshape(-1))


@kernel
def _backward(x, wt, dy, y, relu, shared, per_image, dx, need_dx, dws, dshared, rows):
    """Each task owns a range of pixels, and goes through it tile by tile; no tile reaches into the next image."""
    pixels, c_out = dy.shape
    chunks = dws.shape[0]
    for task in prange(chunks):
        chunk = np.int64(task)
        dw, ds = dws[chunk], dshared[chunk]
        dw_part, ds_part = np.empty(dw.shape, x.dtype), np.empty(ds.shape, x.dtype)
        buffer = np.empty((rows if relu else 0, c_out), x.dtype)
        dw[:], ds[:] = 0, 0
        first, beyond = chunk * pixels // chunks, (chunk + 1) * pixels // chunks
        while first < beyond:
            place = first % per_image
            last = min(first + rows, beyond, first - place + per_image)
            dz = dy[first:last]
            if relu:
                dz = buffer[: last - first]
                _undo_relu(dy[first:last].reshape(-1), y[first:last].reshape(-1), dz.reshape(-1))
            np.dot(x[first:last].T, dz, dw_part)
            _add(dw.reshape(-1), dw_part.reshape(-1))
            at = place if shared.shape[0] == per_image else 0
            np.dot(shared[at : at + last - first].T, dz, ds_part)
            _add(ds.reshape(-1), ds_part.reshape(-1))
            if need_dx:
                np.dot(dz, wt, dx[first:last])
            first = last


def pointwise(x: NDArray, w: NDArray, shared: NDArray, w_shared: NDArray, relu: bool) -> NDArray:
    """Return a 1x1 convolution of stride 1 over images and the channels that they share.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (N, H, W, c_in)
        Images, C-contiguous.
    w : ndarray, same dtype, shape (c_in, c_out), C-contiguous
    shared : ndarray, same dtype, shape (H * W, s)
        Channels that are the same for every image, such as coordinates, and a column of ones for the bias.
    w_shared : ndarray, same dtype, shape (s, c_out), C-contiguous
        Their weights.
    relu : bool
        Whether negative outputs become zero.

    Returns
    -------
    ndarray, same dtype, shape (N, H, W, c_out)
    """
    n, height, width, c_in = x.shape
    c_out, places = w.shape[1], height * width
    rows = cut(1, 1, c_in, c_out).tile_rows
    groups = max(min(n, CHUNKS // max(-(-places // rows), 1)), 1)  # small images: one group would be too few tasks
    y = empty((n, height, width, c_out), x.dtype)
    flat_x, flat_y = x.reshape(n, places, c_in), y.reshape(n, places, c_out)
    launch(_forward, flat_x, w, shared, w_shared, relu, flat_y, rows, groups)
    return y


def pointwise_backward(
    x: NDArray, w: NDArray, dy: NDArray, y: NDArray | None, need_dx: bool, shared: NDArray | None = None
) -> tuple[NDArray | None, NDArray, NDArray]:
    """Return the gradients of a 1x1 convolution of stride 1, and of what it adds to every image alike.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (N, H, W, c_in)
    w : ndarray, same dtype, shape (c_in, c_out), C-contiguous
    dy : ndarray, same dtype, shape (N, H, W, c_out)
        Gradient of the loss with respect to the output.
    y : ndarray, same dtype, shape (N, H, W, c_out), or None
        The output after its ReLU; None where there was no ReLU.
    need_dx : bool
        Whether dx is wanted; otherwise it is None.
    shared : ndarray, same dtype, shape (H * W, s), optional
        Channels that are the same for every image, such as coordinates and a column of ones, which belongs to the bias.
        None is the column of ones alone.

    Returns
    -------
    dx : ndarray, shape (N, H, W, c_in), or None
    dw : ndarray, shape (c_in, c_out)
    dshared : ndarray, shape (s, c_out)
        The gradient of the weights that read `shared`; with a column of ones, db.
    """
    c_in, c_out = w.shape
    n, height, width = x.shape[:3]
    rows = cut(1, 1, c_in, c_out).tile_rows
    pixels = n * height * width
    # Without channels of their own the places do not matter, and the images are as good as one long one.
    per_image = max(pixels if shared is None else height * width, 1)
    beside = np.ones((min(rows, per_image), 1), x.dtype) if shared is None else shared
    chunks = min(CHUNKS, -(-pixels // rows))
    dx = empty(x.shape if need_dx else (0, 0, 0, c_in), x.dtype)
    dws, dshared = empty((chunks, c_in, c_out), x.dtype), np.empty((chunks, beside.shape[1], c_out), x.dtype)
    flat_dx, flat_x, flat_dy = dx.reshape(-1, c_in), x.reshape(-1, c_in), dy.reshape(-1, c_out)
    flat_y = flat_dy if y is None else y.reshape(-1, c_out)
    inputs = flat_x, np.ascontiguousarray(w.T), flat_dy, flat_y, y is not None, beside, per_image
    launch(_backward, *inputs, flat_dx, need_dx, dws, dshared, rows)
    return (dx if need_dx else None), dws.sum(axis=0), dshared.sum(axis=0)
