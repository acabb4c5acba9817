"""Filled squares and circles in colour, drawn over each other on a white canvas.

Positions are (x, y), column and row of a pixel; the middle of a shape lies on a pixel, so a shape that reaches `half`
pixels to each side is 2 * half + 1 pixels wide.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.checks import check_array, check_shape
from minicoord.kernels.backend.memory import empty
from minicoord.kernels.backend.runtime import kernel, launch, prange
from minicoord.system.arguments import check_whole, shown

FAR = 2**30
"""No number of pixels may be larger: the square of a distance has to fit into int64."""


@kernel
def _draw_shapes(centres, circles, colours, half, images):
    """Each image by one task: white, then one shape after the other over what is there."""
    side = images.shape[1]
    for task in prange(images.shape[0]):
        n = np.int64(task)
        image = images[n]
        image[:] = 1
        for k in range(centres.shape[1]):
            x, y = centres[n, k, 0], centres[n, k, 1]
            for i in range(max(y - half, 0), min(y + half + 1, side)):
                for j in range(max(x - half, 0), min(x + half + 1, side)):
                    if not circles[n, k] or (i - y) ** 2 + (j - x) ** 2 <= half**2:
                        for c in range(colours.shape[1]):
                            image[i, j, c] = colours[k, c]


def draw_shapes(centres: NDArray, circles: NDArray, colours: NDArray, half: int, side: int) -> NDArray:
    """Return images with K coloured shapes each, the later ones over the earlier ones, on white (1).

    Parameters
    ----------
    centres : ndarray of int64, (N, K, 2)
        (x, y) of each shape, in pixels. A shape may stick out of the canvas, or lie beside it.
    circles : ndarray of bool, (N, K)
        Whether each is a circle of radius `half`; the others are squares.
    colours : ndarray of float32 or float64, (K, C)
        The colour of the first shape, of the second, and so on, in [-1, 1].
    half : int
        How many pixels a shape reaches from its middle to each side, 0 or more.
    side : int
        Side of the canvas in pixels, at least 1.

    Returns
    -------
    ndarray of the dtype of `colours`, (N, side, side, C)

    Raises
    ------
    ValueError
        Also if a number is too small or above `FAR`.

    Examples
    --------
    >>> blue, red = [-1.0, -1.0, 1.0], [1.0, -1.0, -1.0]
    >>> centres = np.array([[[1, 1], [4, 1]]])
    >>> image = draw_shapes(centres, np.array([[False, True]]), np.array([blue, red]), 1, 6)[0]
    >>> image[0, :, 2]  # the third channel of the top row: a square, and the top of a circle
    array([ 1.,  1.,  1.,  1., -1.,  1.])
    """
    colours = check_array(colours, "draw_shapes: colours", 2, "(K, C)")
    shapes = len(colours)
    centres = check_array(centres, "draw_shapes: centres", 3, f"(N, {shapes}, 2)", dtype=np.int64)
    check_shape(centres, (len(centres), shapes, 2), "draw_shapes: centres")
    circles = check_array(circles, "draw_shapes: circles", shape=(len(centres), shapes), dtype=np.bool_)
    check_whole("draw_shapes: half", half, 0)
    check_whole("draw_shapes: side", side, 1)
    if half > FAR:
        raise ValueError(f"draw_shapes: half was {shown(half)}, wanted at most {FAR}")
    if centres.size and not -FAR <= centres.min() <= centres.max() <= FAR:
        raise ValueError(f"draw_shapes: centres go from {centres.min()} to {centres.max()}, wanted -{FAR} to {FAR}")
    images = empty((len(centres), int(side), int(side), colours.shape[1]), colours.dtype)
    launch(_draw_shapes, centres, circles, colours, np.int64(half), images)
    return images
