"""CoordConv (paper, Figure 3): concatenate the coordinates to the image, then convolve."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.reference.convolution import conv2d, conv2d_backward
from minicoord.reference.geometry import Padding, Pair


def coordconv2d(
    x: NDArray,
    coordinates: NDArray,
    w: NDArray,
    b: NDArray | None = None,
    stride: Pair = 1,
    padding: Padding = "same",
    relu: bool = False,
) -> NDArray:
    """Return the convolution of the images with coordinates concatenated.

    Parameters
    ----------
    x : (N, H, W, c_in)
    coordinates : (H, W, d)
        The coordinate channels of an image of this size: d = 2 for i and j, or 3 with r.
    w : (kh, kw, c_in + d, c_out)
        First the channels of the image, then the coordinates.
    b : (c_out,), optional
    stride, padding
        See `minicoord.reference.geometry.windows`. In the padding the coordinates are zero, as the image is.
    relu : bool
        Whether negative results become zero.

    Returns
    -------
    (N, out_h, out_w, c_out)

    Examples
    --------
    With weights on the coordinates alone, the output is the coordinates:

    >>> from minicoord.reference import coordinate_channels
    >>> w = np.array([[[[0.0], [0.0], [1.0]]]])
    >>> coordconv2d(np.zeros((1, 1, 3, 1)), coordinate_channels(1, 3), w)[0, 0, :, 0]
    array([-1.,  0.,  1.])
    """
    return conv2d(_concatenated(x, coordinates), w, b, stride, padding, relu)


def coordconv2d_backward(
    x: NDArray,
    coordinates: NDArray,
    w: NDArray,
    dy: NDArray,
    y: NDArray | None = None,
    stride: Pair = 1,
    padding: Padding = "same",
) -> tuple[NDArray, NDArray, NDArray]:
    """Return the gradients of `coordconv2d`: those of the convolution, without the part of dx for the coordinates.

    Parameters
    ----------
    x : (N, H, W, c_in)
    coordinates : (H, W, d)
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
    d_concatenated, dw, db = conv2d_backward(_concatenated(x, coordinates), w, dy, stride, padding, y)
    return d_concatenated[..., : x.shape[3]], dw, db  # dx: (N, H, W, c_in + d) -> (N, H, W, c_in)


def _concatenated(x: NDArray, coordinates: NDArray) -> NDArray:
    """Return images (N, H, W, c_in) with the coordinates (H, W, d) after their channels: (N, H, W, c_in + d)."""
    images, height, width, c_in = x.shape
    both = np.zeros((images, height, width, c_in + coordinates.shape[2]), x.dtype)
    for n in range(images):
        both[n, :, :, :c_in] = x[n]  # (H, W, c_in)
        both[n, :, :, c_in:] = coordinates  # (H, W, d)
    return both
