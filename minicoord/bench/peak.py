"""The peak of one core: what the micro-kernel computes when every operand is already in the L1 cache.

It is the yardstick for the rows of the benchmark. Nothing is gathered, packed or written to memory, so that a row falls
short of it by what its own loops and memory cost. Times the number of threads it is the peak of the machine, as far as
the cores neither share their arithmetic units nor slow each other down.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minicoord.kernels.backend.memory import aligned
from minicoord.kernels.backend.runtime import helper
from minicoord.kernels.micro_kernel import PIECE, PLAIN, Extent, Left, Place, Right, address, launch, multiply
from minicoord.kernels.panels import panel_width

ROWS, DEPTH = 64, PIECE
STEP = 16  # from one row of the left factor to the next: rows overlap, as in a band, so that all fit the L1 cache
WIDTH = panel_width(np.dtype(np.float32))
TIMES = 256  # a millisecond in all

FLOPS = 2 * TIMES * ROWS * DEPTH * WIDTH
"""Additions and multiplications in one run of what `prepare` returns."""


@helper
def _same_product_many_times(left, right, initial, out, times, rows, depth, width, step):
    """Compute ``out = left @ right`` again and again: the first index of a row counts, and leads nowhere."""
    multiply(
        Extent((times, 1, rows), (1, 1, depth), width),
        Left(address(left), 0, (0, 0, step), (0, 0, 1)),
        Right(address(right), 0, width),
        Place(address(initial), 0, (0, 0, 0)),
        Place(address(out), 0, (0, 0, width)),
        Place(address(out), 0, (0, 0, 0)),
        PLAIN,
    )


def prepare() -> Callable[[], object]:
    """Return a function that computes the same small product of float32 many times, with one thread."""
    left, right = aligned((ROWS - 1) * STEP + DEPTH, np.float32), aligned(DEPTH * WIDTH, np.float32)
    initial, out = aligned(WIDTH, np.float32), aligned(ROWS * WIDTH, np.float32)
    left[:], right[:], initial[:] = 1, 1 / DEPTH, 0

    def product() -> np.ndarray:
        launch(_same_product_many_times, left, right, initial, out, TIMES, ROWS, DEPTH, WIDTH, STEP)
        return out.reshape(ROWS, WIDTH)

    return product
