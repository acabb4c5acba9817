"""CoordConv without the concatenation: ``conv([x, coords]) = conv(x) + conv(coords)``.

A convolution adds up its input channels, so the kernel of a CoordConv falls into two parts, ``w_x`` for the channels of
the image and ``w_coords`` for the coordinate channels. The second term does not depend on the image. With the bias it
is the *map* of shape ``(out_h * out_w, c_out)``, the same for the whole batch: what the sums of the first term begin
with, where those of a plain convolution begin with the bias:

    forward      map = conv(coords) + b        y = conv(x) + map
    backward     dw = the gradient of the kernel for [x, coords]
                 dx = the adjoint of the convolution with w_x, applied to dy

Coordinates have no gradient: they are constants. For the gradient of a small kernel they do stand beside the channels
of the image, but only in the band of rows that a task reads at a time (``bands.py``).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.adjoint import adjoint
from minicoord.kernels.backend.checks import check_array, check_bias, check_images, check_same_dtype
from minicoord.kernels.backend.memory import empty
from minicoord.kernels.convolution import check_kernel, check_output
from minicoord.kernels.convolve import convolve
from minicoord.kernels.geometry import Window, window
from minicoord.kernels.sums import add_parts
from minicoord.kernels.weight_gradient import weight_gradient
from minicoord.system.arguments import check_flag

LARGE_WINDOW = 49  # pixels: from here on the gradients of all images are added up for the weights of the coordinates


def coordconv2d(x: NDArray, coordinates: NDArray, w: NDArray, b: NDArray | None, relu: bool, win: Window) -> NDArray:
    """Return the convolution of images and coordinates.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (N, H, W, c_in)
        Images, C-contiguous.
    coordinates : ndarray, same dtype, shape (H, W, d)
        The result of `coordinate_channels` for the size of the images: d = 2 or 3 channels, in [-1, 1].
    w : ndarray, same dtype, shape (kh, kw, c_in + d, c_out)
        The kernel, C-contiguous: first the channels of the image, then the coordinates.
    b : ndarray, same dtype, shape (c_out,), or None
        The bias.
    relu : bool
        Whether negative outputs become zero.
    win : Window
        Where the kernel lies over the images.

    Returns
    -------
    ndarray, same dtype, shape (N, out_h, out_w, c_out)

    Raises
    ------
    ValueError
        Also if the window lies over images of another size.
    """
    what = "coordconv2d"
    x, coordinates, w = _check_inputs(what, x, coordinates, w, win)
    c_in, c_out = x.shape[3], w.shape[3]
    bias, relu = check_bias(b, c_out, x.dtype, what), check_flag(f"{what}: relu", relu)
    check_same_dtype(what, x=x, b=bias)
    a_map = empty((1, win.out_h, win.out_w, c_out), x.dtype)
    convolve(coordinates[np.newaxis], w, bias, a_map, False, win, first=c_in)
    y = empty((x.shape[0], win.out_h, win.out_w, c_out), x.dtype)
    convolve(x, w, a_map.reshape(-1, c_out), y, relu, win)
    return y


def coordconv2d_backward(
    x: NDArray,
    coordinates: NDArray,
    w: NDArray,
    dy: NDArray,
    y: NDArray | None,
    win: Window,
    need_dx: bool = True,
) -> tuple[NDArray | None, NDArray, NDArray]:
    """Return the gradients of a loss with respect to images, kernel and bias of `coordconv2d`: dx, dw and db.

    Parameters
    ----------
    x, coordinates, w, win
        As they went into `coordconv2d`.
    dy : ndarray, shape (N, out_h, out_w, c_out)
        Gradient of the loss with respect to the output.
    y : ndarray, shape (N, out_h, out_w, c_out), or None
        The output if it was made with ``relu=True``.
    need_dx : bool
        False saves the work for `dx`, which is then None.
    """
    what = "coordconv2d_backward"
    x, coordinates, w = _check_inputs(what, x, coordinates, w, win)
    c_in = x.shape[3]
    dy, y = check_output(dy, y, (x.shape[0], win.out_h, win.out_w, w.shape[3]), what)
    check_same_dtype(what, x=x, dy=dy, y=y)
    dw, db = _weight_gradient(x, coordinates, dy, y, win)
    if not need_dx:
        return None, dw, db
    no_bias = np.zeros(c_in, x.dtype)
    return adjoint(dy, w, no_bias, False, win, x.shape[1], x.shape[2], gate=y), dw, db


def _weight_gradient(
    x: NDArray, coordinates: NDArray, dy: NDArray, y: NDArray | None, win: Window
) -> tuple[NDArray, NDArray]:
    """Return dw and db; all arguments are as in `coordconv2d_backward`, checked.

    The coordinates are the same in every image, so their part of dw is that of one image with the sum of all gradients.
    To add those up takes longer than a small window saves.
    """
    if win.kh * win.kw < LARGE_WINDOW:
        return weight_gradient(x, dy, win, gate=y, coordinates=coordinates)
    of_images, db = weight_gradient(x, dy, win, gate=y)
    flat = dy.shape[0], math.prod(dy.shape[1:])
    total = add_parts(dy.reshape(flat), None if y is None else y.reshape(flat))  # (N, out_h * out_w * c_out) -> ...
    of_coordinates, _ = weight_gradient(coordinates[np.newaxis], total.reshape(1, *dy.shape[1:]), win)
    return np.concatenate([of_images, of_coordinates], axis=2), db  # axis 2: c_in + d


def _check_inputs(
    what: str, x: object, coordinates: object, w: object, win: object
) -> tuple[NDArray, NDArray, NDArray]:
    """Return images, coordinates and kernel after checking that they and the window belong together."""
    x, coordinates = check_images(x, f"{what}: x"), check_array(coordinates, f"{what}: coordinates", 3, "(H, W, d)")
    w = check_kernel(w, x.shape[3] + coordinates.shape[2], what)
    check_same_dtype(what, x=x, coordinates=coordinates, w=w)
    height, width = x.shape[1:3]
    if coordinates.shape[:2] != (height, width):
        raise ValueError(f"{what}: coordinates has shape {coordinates.shape}, wanted ({height}, {width}, d), as x has")
    if not isinstance(win, Window):
        raise TypeError(f"{what}: win is of type {type(win).__name__}, wanted a Window")
    padding = (win.top, win.bottom), (win.left, win.right)
    if win != window(height, width, w.shape[:2], (win.sy, win.sx), padding):
        raise ValueError(
            f"{what}: win is {win}, wanted that of a {w.shape[0]}x{w.shape[1]} kernel over {height}x{width} pixels"
        )
    return x, coordinates, w
