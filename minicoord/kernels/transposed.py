"""Transposed convolution (the paper's "deconvolution"), forward and backward.

It is the adjoint of convolution with the same kernel: ``<conv2d(x, w), z> = <x, conv_transpose2d(z, w)>``. So each of
its passes is a pass of convolution with the roles of image and output exchanged:

    forward      y  = the adjoint of the convolution, applied to x, plus b
    backward     dx = the convolution of dy          dw = cols(dy).T @ x          db = the sum of dy over all pixels
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.adjoint import adjoint
from minicoord.kernels.backend.checks import check_bias, check_images, check_same_dtype
from minicoord.kernels.backend.memory import empty_like
from minicoord.kernels.convolution import check_kernel, check_output
from minicoord.kernels.convolve import convolve
from minicoord.kernels.geometry import Padding, Pair, Window, explicit_padding, pair, window
from minicoord.kernels.sums import channel_sums
from minicoord.kernels.weight_gradient import weight_gradient
from minicoord.system.arguments import check_flag, shown
from minicoord.system.arrays import check_room

AXES = ("kh", "kw", "c_out", "c_in")  # of a kernel


def transposed_window(
    height: int, width: int, kernel_size: Pair, stride: Pair, padding: Padding
) -> tuple[Window, int, int]:
    """Return the window of the underlying convolution, and height and width of the output in pixels.

    An axis of n pixels grows to ``n * stride`` with ``"same"``, to ``n * stride + max(kernel - stride, 0)`` with
    ``"valid"`` (TensorFlow's rules), and to ``(n - 1) * stride + kernel - before - after`` with explicit padding, which
    is cut off from the output.

    Raises
    ------
    ValueError
        If an argument has the wrong form, or the padding leaves no pixel.

    Examples
    --------
    >>> transposed_window(4, 4, 3, 2, "same")[1:], transposed_window(4, 4, 3, 2, "valid")[1:]
    ((8, 8), (9, 9))
    """
    kernel, step = pair(kernel_size, "kernel_size"), pair(stride, "stride")
    if isinstance(padding, str):
        grow = [max(k - s, 0) if padding == "valid" else 0 for k, s in zip(kernel, step, strict=True)]
        out_h, out_w = height * step[0] + grow[0], width * step[1] + grow[1]
    else:
        top, bottom, left, right = explicit_padding(padding)
        out_h = (height - 1) * step[0] + kernel[0] - top - bottom
        out_w = (width - 1) * step[1] + kernel[1] - left - right
    if out_h < 1 or out_w < 1:
        raise ValueError(
            f"an image of {height}x{width} pixels with padding {shown(padding)} leaves no pixel of the output, "
            "wanted one"
        )
    return window(out_h, out_w, kernel, step, padding), out_h, out_w


def conv_transpose2d(
    x: NDArray,
    w: NDArray,
    b: NDArray | None = None,
    stride: Pair = 1,
    padding: Padding = "same",
    relu: bool = False,
) -> NDArray:
    """Apply the transposed convolution: each pixel of `x` adds its multiple of the kernel to the output.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (N, H, W, c_in)
        Images.
    w : ndarray, same dtype, shape (kh, kw, c_out, c_in)
        The kernel of the convolution whose adjoint this is, as in TensorFlow: its channels stand the other way round.
    b : ndarray, same dtype, shape (c_out,), optional
        The bias.
    stride : int or (int, int)
        By how much the image grows, rows first.
    padding : {"same", "valid"}, int, (int, int) or ((int, int), (int, int))
        See `transposed_window`.
    relu : bool
        Whether negative outputs become zero.

    Returns
    -------
    ndarray, same dtype, shape (N, out_h, out_w, c_out)

    Examples
    --------
    >>> import numpy as np
    >>> conv_transpose2d(np.ones((1, 2, 2, 1)), np.ones((2, 2, 1, 1)), stride=2).shape
    (1, 4, 4, 1)
    """
    x, w = check_images(x, "conv_transpose2d: x"), check_kernel(w, x.shape[3], "conv_transpose2d", AXES)
    kh, kw, c_out, _ = w.shape
    bias = check_bias(b, c_out, x.dtype, "conv_transpose2d")
    check_same_dtype("conv_transpose2d", x=x, w=w, b=b)
    relu = check_flag("conv_transpose2d: relu", relu)
    win, out_h, out_w = transposed_window(x.shape[1], x.shape[2], (kh, kw), stride, padding)
    check_room("conv_transpose2d: the output", (x.shape[0], out_h, out_w, c_out), x.dtype)
    return adjoint(x, w, bias, relu, win, out_h, out_w)


def conv_transpose2d_backward(
    x: NDArray,
    w: NDArray,
    dy: NDArray,
    stride: Pair = 1,
    padding: Padding = "same",
    y: NDArray | None = None,
    need_dx: bool = True,
) -> tuple[NDArray | None, NDArray, NDArray]:
    """Return the gradients of a loss with respect to image, kernel and bias of `conv_transpose2d`.

    Parameters
    ----------
    x, w, stride, padding
        As they went into `conv_transpose2d`.
    dy : ndarray, same dtype, shape (N, out_h, out_w, c_out)
        Gradient of the loss with respect to the output.
    y : ndarray, same dtype, shape (N, out_h, out_w, c_out), optional
        The output, needed if and only if it was made with ``relu=True``.
    need_dx : bool
        False saves the work for `dx`.

    Returns
    -------
    dx : ndarray, shape (N, H, W, c_in), or None if not needed
    dw : ndarray, shape (kh, kw, c_out, c_in)
    db : ndarray, shape (c_out,)
    """
    what = "conv_transpose2d_backward"
    x, w = check_images(x, f"{what}: x"), check_kernel(w, x.shape[3], what, AXES)
    kh, kw, c_out, c_in = w.shape
    win, out_h, out_w = transposed_window(x.shape[1], x.shape[2], (kh, kw), stride, padding)
    dy, y = check_output(dy, y, (x.shape[0], out_h, out_w, c_out), what)
    check_same_dtype(what, x=x, w=w, dy=dy, y=y)
    dw, _ = weight_gradient(dy, x, win, x_gate=y)  # dy is the image here: (kh, kw, c_out, c_in)
    dx = None
    if need_dx:
        dx = empty_like(x)
        convolve(dy, w, np.zeros(c_in, x.dtype), dx, False, win, gate=y)
    return dx, dw, channel_sums(dy, y)
