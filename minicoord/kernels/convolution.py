"""Convolution, forward and backward, as matrix products with the im2col matrix ``cols``.

With ``w`` and ``dy`` seen as matrices of ``c_out`` columns,

    forward      y  = cols @ w + b
    backward     dw = cols.T @ dy        db = the sum of the rows of dy
                 dx = the adjoint of the forward pass, applied to dy

``convolve.py`` has the loop of the first product, ``weight_gradient.py`` that of the second; ``adjoint.py`` turns dx
into convolutions again. All of them multiply by ``micro_kernel.py``, and ``minicoord.reference`` has them as plain
nested loops.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.adjoint import adjoint
from minicoord.kernels.backend.checks import check_array, check_bias, check_images, check_same_dtype
from minicoord.kernels.backend.memory import empty
from minicoord.kernels.convolve import convolve
from minicoord.kernels.geometry import Padding, Pair, window
from minicoord.kernels.weight_gradient import weight_gradient
from minicoord.system.arguments import check_flag


def conv2d(
    x: NDArray,
    w: NDArray,
    b: NDArray | None = None,
    stride: Pair = 1,
    padding: Padding = "same",
    relu: bool = False,
) -> NDArray:
    """Convolve images with a kernel.

    ``y[n, i, j] = b + sum over ki, kj of x[n, i*sy + ki - top, j*sx + kj - left] @ w[ki, kj]``

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (N, H, W, c_in)
        Images.
    w : ndarray, same dtype, shape (kh, kw, c_in, c_out)
        The kernel. As everywhere in deep learning it is not flipped: this is a cross-correlation.
    b : ndarray, same dtype, shape (c_out,), optional
        The bias.
    stride : int or (int, int)
        Step of the kernel in pixels, rows first.
    padding : {"same", "valid"}, int, (int, int) or ((int, int), (int, int))
        See `minicoord.kernels.geometry.window`. Pixels outside the image count as zero.
    relu : bool
        Whether negative outputs become zero.

    Returns
    -------
    ndarray, same dtype, shape (N, out_h, out_w, c_out)

    Examples
    --------
    >>> import numpy as np
    >>> conv2d(np.ones((1, 3, 3, 1)), np.ones((3, 3, 1, 1)))[0, :, :, 0]
    array([[4., 6., 4.],
           [6., 9., 6.],
           [4., 6., 4.]])
    """
    x, w = check_images(x, "conv2d: x"), check_kernel(w, x.shape[3], "conv2d")
    kh, kw, _, c_out = w.shape
    bias = check_bias(b, c_out, x.dtype, "conv2d")
    check_same_dtype("conv2d", x=x, w=w, b=b)
    relu = check_flag("conv2d: relu", relu)
    win = window(x.shape[1], x.shape[2], (kh, kw), stride, padding)
    y = empty((x.shape[0], win.out_h, win.out_w, c_out), x.dtype)
    convolve(x, w, bias, y, relu, win)
    return y


def conv2d_backward(
    x: NDArray,
    w: NDArray,
    dy: NDArray,
    stride: Pair = 1,
    padding: Padding = "same",
    y: NDArray | None = None,
    need_dx: bool = True,
) -> tuple[NDArray | None, NDArray, NDArray]:
    """Return the gradients of a loss with respect to image, kernel and bias of `conv2d`.

    Parameters
    ----------
    x, w, stride, padding
        As they went into `conv2d`.
    dy : ndarray, same dtype, shape (N, out_h, out_w, c_out)
        Gradient of the loss with respect to the output.
    y : ndarray, same dtype, shape (N, out_h, out_w, c_out), optional
        The output, needed if and only if it was made with ``relu=True``: where it is zero, nothing flows back.
    need_dx : bool
        False saves the work for `dx`, which the first layer of a network does not need.

    Returns
    -------
    dx : ndarray, shape (N, H, W, c_in), or None if not needed
    dw : ndarray, shape (kh, kw, c_in, c_out)
    db : ndarray, shape (c_out,)
    """
    x, w = check_images(x, "conv2d_backward: x"), check_kernel(w, x.shape[3], "conv2d_backward")
    kh, kw, c_in, c_out = w.shape
    win = window(x.shape[1], x.shape[2], (kh, kw), stride, padding)
    dy, y = check_output(dy, y, (x.shape[0], win.out_h, win.out_w, c_out), "conv2d_backward")
    check_same_dtype("conv2d_backward", x=x, w=w, dy=dy, y=y)
    dw, db = weight_gradient(x, dy, win, gate=y)
    no_bias = np.zeros(c_in, x.dtype)
    dx = adjoint(dy, w, no_bias, False, win, x.shape[1], x.shape[2], gate=y) if need_dx else None
    return dx, dw, db


def check_kernel(w: object, c_in: int, what: str, axes: tuple[str, ...] = ("kh", "kw", "c_in", "c_out")) -> NDArray:
    """Return the kernel contiguous; raise if its axes are others, or do not fit images of c_in channels."""
    wanted = f"({', '.join(axes)})"
    w = check_array(w, f"{what}: w", 4, wanted)
    if 0 in w.shape:
        raise ValueError(f"{what}: w has shape {w.shape}, wanted {wanted} of at least 1 each")
    if w.shape[axes.index("c_in")] != c_in:
        wanted = wanted.replace("c_in", str(c_in))
        raise ValueError(f"{what}: w has shape {w.shape}, wanted {wanted} for images of {c_in} channels")
    return w


def check_output(dy: object, y: object, shape: tuple[int, ...], what: str) -> tuple[NDArray, NDArray | None]:
    """Return `dy` and, if given, `y` as contiguous arrays; raise if one does not have the shape of the output."""
    dy = check_array(dy, f"{what}: dy", shape=shape)
    return dy, None if y is None else check_array(y, f"{what}: y", shape=shape)
