"""The inputs and targets of a row, the same for every library."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.bench.rows import Row
from minicoord.nn.composites.outputs import map_arrays

L2 = 0.001
LEARNING_RATE = 1e-4  # small, so that a thousand steps on random data do not diverge
BETA2 = 0.99


def inputs(row: Row, batch: int) -> tuple[NDArray, Any]:
    """Return the input of a row, and its gradient (forward, backward) or its targets (step, loss).

    Parameters
    ----------
    row : Row
    batch : int
        Number of samples: that of the row, or fewer to warm up.

    Returns
    -------
    x : ndarray of float32, shape (batch, *sample)
        Uniform numbers in [-1, 1].
    other : ndarray, or dict of str to ndarray
        In the shape of the output, for a network with heads a dict by head; for softmax a class index per sample, shape
        (batch,), int64.
    """
    rng = np.random.default_rng(0)
    shape = (batch, *row.sample)
    x = rng.uniform(-1, 1, shape).astype(np.float32)
    y_shape = row.build().output_shape(shape)
    if row.loss == "softmax":
        return x, rng.integers(0, math.prod(y_shape[1:]), batch)
    if row.loss == "sigmoid":
        return x, (rng.random(y_shape) < 0.02).astype(np.float32)  # the share of pixels in a square of 9 x 9
    return x, map_arrays(lambda shape: rng.uniform(-1, 1, shape).astype(np.float32), y_shape)
