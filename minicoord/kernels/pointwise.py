"""The backward pass of a 1x1 convolution in one pass over memory.

With a 1x1 kernel and stride 1 the im2col matrix is the image itself, and every pixel of dx depends on the same pixel of
dy alone. So what ``tiles.py`` and ``adjoint.py`` do one after the other for any kernel can be done tile by tile, while
the tile is in the cache. Fused here are

    dz = dy where y > 0        dw = x.T @ dz        db = the sum of dz        dx = dz @ w.T

and dz is never written to memory. ``minicoord.reference.conv2d_backward`` has the same four steps apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.geometry import Window
from minicoord.kernels.memory import empty
from minicoord.kernels.runtime import helper, kernel, launch, prange
from minicoord.kernels.tiles import CHUNKS, cut, long_enough, per_channel


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
def _add(total, values):
    """Add `values`, cut into pieces of the length of `total`, to `total`; both flat."""
    for start in range(0, values.size, total.size):
        at = np.uintp(start)
        for k in range(np.uintp(min(total.size, values.size - start))):
            total[k] += values[at + k]


@kernel
def _backward(x, wt, dy, y, relu, dx, need_dx, dws, dbs, over_images, keep, rows):
    """Each task owns a range of pixels, and goes through it tile by tile, each tile through all images."""
    images, places, c_out = dy.shape
    chunks = dws.shape[0]
    for task in prange(chunks):
        chunk = np.int64(task)
        buffer = np.empty((rows if relu else 0, c_out), x.dtype)
        product = np.empty((x.shape[2], c_out), x.dtype)
        dws[chunk], dbs[chunk] = 0, 0
        beyond = (chunk + 1) * places // chunks
        for first in range(chunk * places // chunks, beyond, rows):
            last = min(first + rows, beyond)
            total = over_images[first if keep else 0 : last if keep else 0].reshape(-1)
            total[:] = 0
            for n in range(images):
                dz = dy[n, first:last]
                if relu:
                    _undo_relu(dz.reshape(-1), y[n, first:last].reshape(-1), buffer[: last - first].reshape(-1))
                    dz = buffer[: last - first]
                np.dot(x[n, first:last].T, dz, product)
                _add(dws[chunk].reshape(-1), product.reshape(-1))
                if need_dx:
                    np.dot(dz, wt, dx[n, first:last])
                _add(total if keep else dbs[chunk], dz.reshape(-1))
            _add(dbs[chunk], total)


def pointwise_backward(
    x: NDArray, w: NDArray, dy: NDArray, y: NDArray | None, need_dx: bool, keep: bool = False
) -> tuple[NDArray | None, NDArray, NDArray, NDArray]:
    """Return dx, dw, db and the sum of dz over the images, for a 1x1 convolution of stride 1.

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
    keep : bool
        Whether the sum over the images alone, shape (H * W, c_out), is wanted; otherwise it is empty.
    """
    c_in, c_out = w.shape
    n, height, width = x.shape[:3]
    # Without a map to keep apart, the images are as good as one long one: larger tiles when they are small.
    images, places = (n, height * width) if keep else (1, n * height * width)
    dx = empty(x.shape if need_dx else (0, 0, 0, c_in), x.dtype)
    rows = cut(1, 1, c_in, c_out).tile_rows
    chunks = min(CHUNKS, -(-places // rows))
    dws, dbs = empty((chunks, c_in, c_out), x.dtype), np.empty((chunks, long_enough(c_out)), x.dtype)
    over_images = empty((places if keep else 0, c_out), x.dtype)
    flat_dx = dx.reshape((images, places, c_in) if need_dx else (0, 0, c_in))
    flat_x, flat_dy = x.reshape(images, places, c_in), dy.reshape(images, places, c_out)
    flat_y = flat_dy if y is None else y.reshape(images, places, c_out)
    inputs = flat_x, np.ascontiguousarray(w.T), flat_dy, flat_y, y is not None
    launch(_backward, *inputs, flat_dx, need_dx, dws, dbs, over_images, keep, rows)
    return (dx if need_dx else None), dws.sum(axis=0), per_channel(dbs, c_out), over_images
