"""CoordConv without the concatenation: ``conv([x, coords]) = conv(x) + conv(coords)``.

A convolution adds up its input channels, so the kernel of a CoordConv falls into two parts, ``w_x`` for the channels of
the image and ``w_coords`` for the coordinate channels. The second term does not depend on the image. It is one *map* of
shape ``(out_h * out_w, c_out)``, computed once for the whole batch and added where a plain convolution adds its bias:

    forward      map = conv(coords, w_coords) + b           y = cols(x) @ w_x + map
    backward     dmap = the sum of dy over the images       dw_x = cols(x).T @ dy
                 dw_coords = cols(coords).T @ dmap          db = the sum of the rows of dmap
                 dx = the adjoint of the convolution with w_x, applied to dy

Coordinates have no gradient: they are constants. A 1x1 kernel needs no dmap: ``pointwise.py`` takes the coordinates
along, tile by tile.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minicoord.kernels.adjoint import adjoint
from minicoord.kernels.blas import one_blas_thread
from minicoord.kernels.coordinates import coordinate_channels
from minicoord.kernels.geometry import Window
from minicoord.kernels.memory import empty
from minicoord.kernels.pointwise import is_pointwise, pointwise_backward
from minicoord.kernels.tiles import convolve, output_gradient, weight_gradient


class Coordinates(NamedTuple):
    """The coordinate channels of an image size, in two forms.

    Attributes
    ----------
    channels : ndarray, shape (H, W, d)
        In [-1, 1], d = 2 or 3.
    with_ones : ndarray, shape (H * W, d + 1)
        The same as rows, with a column of ones: the channel that a bias weighs.
    """

    channels: NDArray
    with_ones: NDArray


def coordinates(height: int, width: int, with_r: bool, dtype: DTypeLike) -> Coordinates:
    """Return the coordinates of an image of `height` x `width` pixels; see `coordinate_channels`."""
    channels = coordinate_channels(height, width, with_r, dtype)
    ones = np.ones((height, width, 1), channels.dtype)
    with_ones = np.concatenate([channels, ones], axis=2)
    return Coordinates(channels, with_ones.reshape(height * width, -1))


def coordinate_map(coords: Coordinates, w_coords: NDArray, b: NDArray | None, win: Window) -> NDArray:
    """Return ``conv(coords, w_coords) + b``, which every image of a batch shares.

    Parameters
    ----------
    coords : Coordinates
        Of the image, with d channels.
    w_coords : ndarray, same dtype, shape (kh, kw, d, c_out)
        The part of the kernel that reads them.
    b : ndarray, same dtype, shape (c_out,), or None
        The bias.
    win : Window
        Where the kernel lies over the image.

    Returns
    -------
    ndarray, same dtype, shape (out_h * out_w, c_out)
    """
    c_out = w_coords.shape[3]
    image = coords.channels[np.newaxis]
    bias = np.zeros(c_out, image.dtype) if b is None else b
    y = empty((1, win.out_h, win.out_w, c_out), image.dtype)
    offset = bias.reshape(1, c_out)
    with one_blas_thread():
        if is_pointwise(image, win):
            return np.matmul(coords.with_ones, np.vstack([w_coords[0, 0], bias]), out=y.reshape(-1, c_out))
        convolve(image, np.ascontiguousarray(w_coords), offset, y, False, win)
    return y.reshape(-1, c_out)


def coordconv2d(x: NDArray, w_x: NDArray, offset: NDArray, relu: bool, win: Window) -> NDArray:
    """Return the convolution of images plus a map: the forward pass of CoordConv.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (N, H, W, c_in)
        Images, C-contiguous.
    w_x : ndarray, same dtype, shape (kh, kw, c_in, c_out)
        The part of the kernel that reads the image.
    offset : ndarray, same dtype, shape (out_h * out_w, c_out)
        The result of `coordinate_map`.
    relu : bool
        Whether negative outputs become zero.
    win : Window
        Where the kernel lies over the image.

    Returns
    -------
    ndarray, same dtype, shape (N, out_h, out_w, c_out)
    """
    c_out = w_x.shape[3]
    y = empty((x.shape[0], win.out_h, win.out_w, c_out), x.dtype)
    with one_blas_thread():
        convolve(x, np.ascontiguousarray(w_x), offset, y, relu, win)
    return y


def coordconv2d_backward(
    x: NDArray,
    coords: Coordinates,
    w_x: NDArray,
    dy: NDArray,
    y: NDArray | None,
    win: Window,
    need_dx: bool = True,
) -> tuple[NDArray | None, NDArray, NDArray, NDArray]:
    """Return dx, dw_x, dw_coords and db.

    Parameters
    ----------
    x, coords, w_x, win
        As they went into `coordconv2d` and `coordinate_map`.
    dy : ndarray, shape (N, out_h, out_w, c_out)
        Gradient of the loss with respect to the output.
    y : ndarray, shape (N, out_h, out_w, c_out), or None
        The output if it was made with ``relu=True``.
    need_dx : bool
        False saves the work for `dx`, which is then None.
    """
    c_in, c_out = w_x.shape[2:]
    with one_blas_thread():
        if is_pointwise(x, win):
            w = np.ascontiguousarray(w_x).reshape(c_in, c_out)
            dx, dw_x, d_shared = pointwise_backward(x, w, dy, y, need_dx, coords.with_ones)
            return dx, dw_x.reshape(w_x.shape), d_shared[:-1].reshape(1, 1, -1, c_out), d_shared[-1]
        dz, db, dmap = output_gradient(dy, y, keep=True)
        dw_x = weight_gradient(x, dz, win)
        no_offset = np.zeros((1, c_in), x.dtype)
        dx = adjoint(dz, w_x, no_offset, False, win, x.shape[1], x.shape[2]) if need_dx else None
        dmap_image = dmap.reshape(1, win.out_h, win.out_w, c_out)
        dw_coords = weight_gradient(coords.channels[np.newaxis], dmap_image, win)
    return dx, dw_x, dw_coords, db
