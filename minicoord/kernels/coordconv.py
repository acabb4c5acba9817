"""CoordConv without the concatenation: ``conv([x, coords]) = conv(x) + conv(coords)``.

A convolution adds up its input channels, so the kernel of a CoordConv falls into two parts, ``w_x`` for the channels of
the image and ``w_coords`` for the coordinate channels. The second term does not depend on the image. The im2col matrix
of the coordinates, with a column of ones for the bias, is a constant of the layer: ``shared``. Its weights
``w_shared`` are w_coords as a matrix, and under it b. Their product is the *map* of shape ``(out_h * out_w, c_out)``,
the same for the whole batch, and added where a plain convolution adds its bias:

    forward      y = cols(x) @ w_x + shared @ w_shared
    backward     dw_x = cols(x).T @ dy        dw_shared = shared.T @ (the sum of dy over the images)
                 dx = the adjoint of the convolution with w_x, applied to dy

Coordinates have no gradient: they are constants. A 1x1 kernel needs no map: ``pointwise.py`` takes the shared channels
along, tile by tile.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minicoord.kernels.adjoint import adjoint
from minicoord.kernels.blas import one_blas_thread
from minicoord.kernels.coordinates import coordinate_channels
from minicoord.kernels.geometry import Window
from minicoord.kernels.im2col import im2col
from minicoord.kernels.memory import empty
from minicoord.kernels.pointwise import Chain, Link, is_pointwise
from minicoord.kernels.tiles import convolve, output_gradient, weight_gradient


def shared_columns(height: int, width: int, with_r: bool, dtype: DTypeLike, win: Window) -> NDArray:
    """Return the im2col matrix of the coordinates of an image, and a column of ones.

    Parameters
    ----------
    height, width : int
        Size of the image in pixels.
    with_r : bool
        Whether there are three coordinate channels, i, j and r, or two; see `coordinate_channels`.
    win : Window
        Where the kernel lies over the image.

    Returns
    -------
    ndarray, shape (out_h * out_w, kh * kw * d + 1)
        With d = 2 or 3 coordinate channels, in [-1, 1].
    """
    channels = coordinate_channels(height, width, with_r, dtype)
    padding = (win.top, win.bottom), (win.left, win.right)
    cols = im2col(channels[np.newaxis], (win.kh, win.kw), (win.sy, win.sx), padding)  # (out_h * out_w, kh * kw * d)
    return np.concatenate([cols, np.ones((len(cols), 1), cols.dtype)], axis=1)


def coordconv2d(x: NDArray, shared: NDArray, w: NDArray, b: NDArray | None, relu: bool, win: Window) -> NDArray:
    """Return the convolution of images and coordinates.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (N, H, W, c_in)
        Images, C-contiguous.
    shared : ndarray, same dtype, shape (out_h * out_w, kh * kw * d + 1)
        The result of `shared_columns` for the size of the images.
    w : ndarray, same dtype, shape (kh, kw, c_in + d, c_out)
        The kernel: first the channels of the image, then the coordinates.
    b : ndarray, same dtype, shape (c_out,), or None
        The bias.
    relu : bool
        Whether negative outputs become zero.
    win : Window
        Where the kernel lies over the images.

    Returns
    -------
    ndarray, same dtype, shape (N, out_h, out_w, c_out)
    """
    c_in, c_out = x.shape[3], w.shape[3]
    w_x = np.ascontiguousarray(w[:, :, :c_in])
    w_shared = np.zeros((shared.shape[1], c_out), x.dtype)
    w_shared[:-1] = w[:, :, c_in:].reshape(-1, c_out)  # (kh, kw, d, c_out) -> (kh * kw * d, c_out)
    if b is not None:
        w_shared[-1] = b
    with one_blas_thread():
        if is_pointwise(x, win):
            link = Link(w_x.reshape(c_in, c_out), w_shared, relu, True)  # (1, 1, c_in, c_out) -> (c_in, c_out)
            return Chain([link], shared).forward(x).reshape(*x.shape[:3], c_out)  # flat -> (N, H, W, c_out)
        y = empty((x.shape[0], win.out_h, win.out_w, c_out), x.dtype)
        # the map: (out_h * out_w, kh * kw * d + 1) @ (kh * kw * d + 1, c_out)
        convolve(x, w_x, np.matmul(shared, w_shared), y, relu, win)
    return y


def coordconv2d_backward(
    x: NDArray,
    shared: NDArray,
    w: NDArray,
    dy: NDArray,
    y: NDArray | None,
    win: Window,
    need_dx: bool = True,
) -> tuple[NDArray | None, NDArray, NDArray]:
    """Return dx, dw and db.

    Parameters
    ----------
    x, shared, w, win
        As they went into `coordconv2d`.
    dy : ndarray, shape (N, out_h, out_w, c_out)
        Gradient of the loss with respect to the output.
    y : ndarray, shape (N, out_h, out_w, c_out), or None
        The output if it was made with ``relu=True``.
    need_dx : bool
        False saves the work for `dx`, which is then None.
    """
    c_in, c_out = x.shape[3], w.shape[3]
    w_x = np.ascontiguousarray(w[:, :, :c_in])
    dw = np.empty_like(w)
    with one_blas_thread():
        if is_pointwise(x, win):
            no_weights = np.zeros((shared.shape[1], c_out), x.dtype)
            link = Link(w_x.reshape(c_in, c_out), no_weights, y is not None, True)
            dx, [(dw_x, dw_shared)] = Chain([link], shared).backward(
                x, (dy if y is None else y).reshape(-1), dy, need_dx
            )
            dw[0, 0, :c_in] = dw_x  # (c_in, c_out)
        else:
            dz, dmap = output_gradient(dy, y, over_images=True)  # dmap: (out_h * out_w, c_out)
            dw[:, :, :c_in] = weight_gradient(x, dz, win)
            no_offset = np.zeros((1, c_in), x.dtype)
            dx = adjoint(dz, w_x, no_offset, False, win, x.shape[1], x.shape[2]) if need_dx else None
            dw_shared = np.matmul(shared.T, dmap)  # (kh * kw * d + 1, out_h * out_w) @ (out_h * out_w, c_out)
    dw[:, :, c_in:] = dw_shared[:-1].reshape(*w.shape[:2], -1, c_out)  # (kh * kw * d, c_out) -> (kh, kw, d, c_out)
    return dx, dw, dw_shared[-1]  # db: the row of the ones, (c_out,)
