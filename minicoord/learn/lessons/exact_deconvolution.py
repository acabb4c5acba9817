"""Lesson 04: a deconvolution network that is right everywhere, with weights that are set by hand, not learned.

It is the network of the paper with c = 1 and fs = 2 and no batch normalisation. With kernels of 2 x 2 and stride 2 the
patches lie side by side: each of the six layers splits every pixel into four, and its kernel has one set of weights for
each of the four. So on the way to its pixel a path turns left or right, and up or down, six times: the six binary
digits of the column and of the row, most significant first.

The network carries U, how far the target column lies to the right of what the path has fixed so far. A turn to the
right that is worth 16 columns subtracts 16. The pixel that ends with U = 0, for column and row, is the right one.

There is one obstacle: the first layer sees only x, nothing constant, so it cannot subtract anything. But it can write
x to the right of its turn and 0 to the left. Two layers later that has become a flag, and what the first turn is worth
is subtracted then.
"""

from __future__ import annotations

from numpy.typing import NDArray

from minicoord.experiments.classification.painters import deconv_painter
from minicoord.nn.layers.transposed import ConvTranspose2D
from minicoord.nn.model import Sequential

SHARPNESS = 20.0
KEEP_POSITIVE = 64.0  # added to U on the way, because ReLU passes nothing negative
HALF = 31.5  # column = 31.5 * x + 31.5

# The channels: one that is always 1, and for each of the two axes (column, row) four of its own.
ONE = 0
FAR = (1, 11)  # U; later the four parts of |U| and |U - 1|
TURN = (2, 12)  # what the first layer writes to the right of its turn
UP, DOWN = (3, 13), (4, 14)  # how far that is above and below zero
LEFT = (5, 15)  # 1 where the first turn went left
PARTS = ((6, 7, 8, 9), (16, 17, 18, 19))  # U, -U, U - 1 and 1 - U, each where it is positive


def exact_deconvolution() -> Sequential:
    """Return a deconvolution network, 45,953 parameters, whose largest logit is at (x, y) for every sample.

    Examples
    --------
    >>> import numpy as np
    >>> net = exact_deconvolution()
    >>> x, y = 10, 59
    >>> logits = net.forward(np.array([[2 * x / 63 - 1, 2 * y / 63 - 1]], np.float32))
    >>> divmod(int(logits.argmax()), 64) == (y, x)
    True
    """
    net = deconv_painter(c=1, fs=2, batch_norm=False, rng=0)
    layers = [layer for layer in net.layers if isinstance(layer, ConvTranspose2D)]
    for number, layer in enumerate(layers, start=1):
        w, b = layer.params["w"], layer.params["b"]
        w[:], b[:] = 0, 0
        if number < 6:
            b[ONE] = 1
        for axis in (0, 1):
            for right in (0, 1):
                # The kernel pixels on the left or right, or for the rows the upper or lower ones.
                place = w[:, right] if axis == 0 else w[right]
                _fill(place, b, number, axis, right)
    return net


def _fill(w: NDArray, b: NDArray, number: int, axis: int, right: int) -> None:
    """Write the weights of one layer, axis and turn: w (2, c_out, c_in) holds two pixels of the kernel."""
    far, turn = FAR[axis], TURN[axis]
    parts = PARTS[axis]
    if number == 1:
        w[:, far, axis], b[far] = HALF, HALF + KEEP_POSITIVE
        w[:, turn, axis], b[turn] = HALF * right, HALF
        return
    if number < 5:
        w[:, far, far] = 1
        w[:, far, ONE] = -right * 2.0 ** (6 - number)  # 16, 8 and 4 columns
    if number == 2:
        w[:, UP[axis], turn], w[:, UP[axis], ONE] = 2, -2 * HALF
        w[:, DOWN[axis], turn], w[:, DOWN[axis], ONE] = -2, 2 * HALF
    elif number == 3:  # centres are half a column or more off the middle: UP + DOWN is 0, or at least 1
        w[:, LEFT[axis], [UP[axis], DOWN[axis]]], w[:, LEFT[axis], ONE] = -1, 1
    elif number == 4:
        w[:, far, LEFT[axis]] = 32
        w[:, far, ONE] -= 32
    elif number == 5:
        for part, (sign, last) in zip(parts, ((1, 0), (-1, 0), (1, 1), (-1, 1)), strict=True):
            w[:, part, far] = sign
            w[:, part, ONE] = -sign * (KEEP_POSITIVE + 2 * right + last)
    elif number == 6:
        w[:, 0, list(parts[2:] if right else parts[:2])] = -SHARPNESS
