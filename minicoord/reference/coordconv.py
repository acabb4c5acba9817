"""CoordConv (paper, Figure 3): concatenate the coordinates to the image, then convolve."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.reference.convolution import conv2d, conv2d_backward
from minicoord.reference.coordinates import add_coords, add_coords_backward, coordinate_channels
from minicoord.reference.geometry import Padding, Pair
from minicoord.reference.im2col import im2col


def coordconv2d(
    x: NDArray,
    w: NDArray,
    b: NDArray | None = None,
    stride: Pair = 1,
    padding: Padding = "same",
    relu: bool = False,
    with_r: bool = False,
) -> NDArray:
    """Return the convolution of the images with their coordinates concatenated.

    Parameters
    ----------
    x : (N, H, W, c_in)
    w : (kh, kw, c_in + d, c_out)
        First the channels of the image, then the d = 2 coordinate channels i and j, or d = 3 with r.
    b : (c_out,), optional
    stride, padding
        See `minicoord.reference.geometry.windows`. In the padding the coordinates are zero, as the image is.
    relu : bool
        Whether negative results become zero.
    with_r : bool
        Whether r is among the coordinates.

    Returns
    -------
    (N, out_h, out_w, c_out)

    Examples
    --------
    With weights on the coordinates alone, the output is the coordinates:

    >>> coordconv2d(np.zeros((1, 1, 3, 1)), np.array([[[[0.0], [0.0], [1.0]]]]))[0, 0, :, 0]
    array([-1.,  0.,  1.])
    """
    return conv2d(add_coords(x, with_r), w, b, stride, padding, relu)  # of (N, H, W, c_in + d)


def coordconv2d_backward(
    x: NDArray,
    w: NDArray,
    dy: NDArray,
    stride: Pair = 1,
    padding: Padding = "same",
    y: NDArray | None = None,
    with_r: bool = False,
) -> tuple[NDArray, NDArray, NDArray]:
    """Return the gradients of `coordconv2d`: those of the convolution, without the part of dx for the coordinates.

    Parameters
    ----------
    x : (N, H, W, c_in)
    w : (kh, kw, c_in + d, c_out)
    dy : (N, out_h, out_w, c_out)
        Gradient of the loss with respect to the output.
    y : (N, out_h, out_w, c_out), optional
        The output, if ReLU was applied: nothing flows back where it is zero.

    Returns
    -------
    dx : (N, H, W, c_in)
        The coordinates are constants, so the image's own channels are all there is.
    dw : (kh, kw, c_in + d, c_out)
    db : (c_out,)
    """
    d_concatenated, dw, db = conv2d_backward(add_coords(x, with_r), w, dy, stride, padding, y)
    return add_coords_backward(d_concatenated, with_r), dw, db  # dx: (N, H, W, c_in + d) -> (N, H, W, c_in)


def shared_columns(
    height: int,
    width: int,
    with_r: bool,
    dtype: type,
    kernel_size: Pair,
    stride: Pair = 1,
    padding: Padding = "same",
) -> NDArray:
    """Return the im2col matrix of the coordinates alone, and a column of ones for the bias.

    Returns
    -------
    (out_h * out_w, kh * kw * d + 1)
        What all images of `height` x `width` pixels share, with d = 2 coordinate channels, or 3 with r.
    """
    coords = coordinate_channels(height, width, with_r, dtype)
    cols = im2col(coords[None], kernel_size, stride, padding)  # of one image, (1, H, W, d)
    shared = np.ones((cols.shape[0], cols.shape[1] + 1), dtype)
    shared[:, :-1] = cols
    return shared
