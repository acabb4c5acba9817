"""Several neighbouring places of a narrow convolution taken as one place of a wider one.

With few channels the im2col matrix costs more to gather than to multiply: at 8 channels a 3 x 3 kernel copies 72
numbers for each pixel, in three short pieces, and two thirds of them again for the next pixel. So P neighbours in a row
of the output are computed together. Their kernels overlap in a window of ``span = (P - 1) * stride + kw`` columns, and
together they are one kernel of that width with ``P * c_out`` outputs, the old one for each neighbour, shifted:

    wide[ki, p * stride + kj, c, p, :] = w[ki, kj, c, :]            zero elsewhere

The wide convolution has the stride ``P * stride``, and its output, (N, h, w / P, P * c_out), is in memory the same as
(N, h, w, c_out). The zeros are multiplied too; that is the price, and `group_size` weighs it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.geometry import Window

# Measured on one core of an AMD EPYC in nanoseconds; only their proportions matter.
PIECE = 2.3  # to copy one piece of a row of the image
NUMBER = 0.056  # ... and each number in it
MULTIPLY_ADD = 0.018  # in a product with many columns; with few, 2 / columns more


@lru_cache(maxsize=1024)
def group_size(win: Window, c_in: int, c_out: int) -> int:
    """Return how many places to take together: 1, 2, 4 or 8, a divisor of the places in a row.

    It depends on shapes alone, and picks what should take the least time per place.

    Examples
    --------
    >>> from minicoord.kernels.geometry import window
    >>> [group_size(window(64, 64, 3), *channels) for channels in [(64, 64), (8, 8), (1, 16)]]
    [1, 2, 4]
    """
    if win.kh * win.kw == 1:
        return 1

    def nanoseconds(group: int) -> float:
        numbers = ((group - 1) * win.sx + win.kw) * c_in
        columns = group * c_out
        gather = win.kh * (PIECE + NUMBER * numbers)
        multiply = win.kh * numbers * columns * MULTIPLY_ADD * (1 + 2 / columns)
        return (gather + multiply) / group

    return min((group for group in (1, 2, 4, 8) if win.out_w % group == 0), key=nanoseconds)


def grouped(win: Window, group: int) -> Window:
    """Return the window of the wide convolution."""
    span = (group - 1) * win.sx + win.kw
    return win._replace(kw=span, sx=group * win.sx, out_w=win.out_w // group)


def spread(w: NDArray, win: Window, group: int) -> NDArray:
    """Return the wide kernel, shape (kh, span, c_in, group * c_out), of a kernel (kh, kw, c_in, c_out)."""
    kh, kw, c_in, c_out = w.shape
    wide = np.zeros((kh, (group - 1) * win.sx + kw, c_in, group, c_out), w.dtype)
    for p in range(group):
        wide[:, p * win.sx : p * win.sx + kw, :, p] = w  # (kh, kw, c_in, c_out)
    return wide.reshape(kh, -1, c_in, group * c_out)  # from (kh, span, c_in, group, c_out)


def folded(wide: NDArray, win: Window, group: int) -> NDArray:
    """Return the adjoint of `spread`: the gradient of a kernel (kh, kw, c_in, c_out) from that of the wide one."""
    if group == 1:
        return wide
    kh, span, c_in, columns = wide.shape
    parts = wide.reshape(kh, span, c_in, group, columns // group)  # (kh, span, c_in, group, c_out)
    total = parts[:, : win.kw, :, 0].copy()
    for p in range(1, group):
        total += parts[:, p * win.sx : p * win.sx + win.kw, :, p]
    return total
