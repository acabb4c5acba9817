"""The numbers that a row is fed with: the same for every library."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from minicoord.bench.rows import Row

L2 = 0.001
LEARNING_RATE = 1e-4  # small, so that a thousand steps on random numbers do not diverge
BETA2 = 0.99


def inputs(row: Row, batch: int) -> tuple[NDArray, NDArray]:
    """Return the input of a row, and its gradient (forward, backward) or its targets (step, loss).

    Parameters
    ----------
    row : Row
    batch : int
        Samples: those of the row, or fewer to warm up.

    Returns
    -------
    x : ndarray of float32, shape (batch, *sample)
        Uniform numbers in [-1, 1].
    other : ndarray
        Of the output's shape; for softmax the number of a class for each sample.
    """
    rng = np.random.default_rng(0)
    shape = (batch, *row.sample)
    x = rng.uniform(-1, 1, shape).astype(np.float32)
    y_shape = row.build().output_shape(shape)
    if row.loss == "softmax":
        return x, rng.integers(0, math.prod(y_shape[1:]), batch)
    if row.loss == "sigmoid":
        return x, (rng.random(y_shape) < 0.02).astype(np.float32)  # as many pixels as a square of 9 x 9 lights
    return x, rng.uniform(-1, 1, y_shape).astype(np.float32)
