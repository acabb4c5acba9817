"""The adjoint of convolution: transposed convolution forward, and convolution backward to its image.

It is a few ordinary convolutions, whose results lie between each other: see ``parts.py``. Where an image has so few
channels that neighbouring pixels fit into one vector, those of a row are computed side by side: see ``neighbours.py``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.memory import empty
from minicoord.kernels.convolve import convolve_parts
from minicoord.kernels.geometry import Window
from minicoord.kernels.neighbours import neighbours, widened
from minicoord.kernels.panels import factor, is_long_column
from minicoord.kernels.parts import Part, of_adjoint


def adjoint(
    z: NDArray,
    w: NDArray,
    bias: NDArray,
    relu: bool,
    win: Window,
    height: int,
    width: int,
    gate: NDArray | None = None,
) -> NDArray:
    """Return the adjoint of a convolution applied to `z`, plus a bias.

    Parameters
    ----------
    z : ndarray, shape (N, win.out_h, win.out_w, c)
        Values at the output positions.
    w : ndarray, C-contiguous, shape (kh, kw, c_image or more, c)
        The kernel of the convolution; channels beyond those of the image do not count.
    bias : ndarray, shape (c_image,)
        Added to every pixel.
    height, width : int
        Size in pixels of the image that the convolution reads.
    gate : ndarray, shape of `z`, optional
        Where it is not positive, `z` counts as zero.

    Returns
    -------
    ndarray, shape (N, height, width, c_image)
    """
    n, c_image = z.shape[0], bias.size
    image = empty((n, height, width, c_image), z.dtype)
    beside = neighbours(win, width, c_image, w.shape[3], z.dtype, True)
    if beside is None or is_long_column(c_image, win.kw // win.sx * w.shape[3], z.dtype):
        how = factor(w.shape, w.dtype, True, 0, c_image)
        convolve_parts(z, w, bias, image, relu, of_adjoint(win, height, width), gate, how)
    else:
        columns = width // beside.count
        pixels = image.reshape(n, height, columns, beside.count * c_image)  # (N, height, width, c_image) -> ...
        wide = widened(w[:, :, :c_image].transpose(0, 1, 3, 2), beside)  # (kh, taps, c, count * c_image)
        along_rows = Part(0, beside.taps, 1, beside.stride, 0, beside.left, 0, columns)
        parts = of_adjoint(win, height, width, along_rows)
        convolve_parts(z, wide, np.tile(bias, beside.count), pixels, relu, parts, gate)
    return image
