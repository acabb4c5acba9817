"""The cost of CoordConv relative to a plain convolution of the same size.

Under background load, speed changes from second to second. So the two layers take turns, and the result is the median
of the ratios within a turn; times from different moments are never compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D

# Channels in, channels out, kernel: the shapes of the paper's networks, at 64 x 64 pixels.
SHAPES = [(2, 32, 1), (16, 32, 1), (32, 32, 1), (64, 64, 1), (16, 16, 3), (32, 32, 3)]


def median_ratio(first: Callable[[], object], second: Callable[[], object], turns: int = 41) -> tuple[float, float]:
    """Return the median over all turns of (time of `second` / time of `first`), and the median seconds of `first`.

    Parameters
    ----------
    first, second : callable
        Called in turns, after one uncounted call each.
    turns : int
        Number of turns.
    """
    first()
    second()
    seconds = np.empty((turns, 2))
    for turn in range(turns):
        # The order alternates, so that neither always finds the caches as the other left them.
        for which in (0, 1) if turn % 2 else (1, 0):
            start = time.perf_counter()
            (first, second)[which]()
            seconds[turn, which] = time.perf_counter() - start
    return float(np.median(seconds[:, 1] / seconds[:, 0])), float(np.median(seconds[:, 0]))


def training_step(layer: Conv2D, batch: int, size: int) -> Callable[[], None]:
    """Return a function that runs `layer` forward and backward on random images of `size` x `size` pixels."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, size, size, layer.c_in), dtype=np.float32)
    dy = rng.standard_normal((batch, size, size, layer.c_out), dtype=np.float32)

    def step() -> None:
        layer.forward(x, training=True)
        layer.backward(dy)

    return step


def coordconv_cost(turns: int = 41) -> Iterator[dict[str, Any]]:
    """Yield the time of a convolution, forward and backward at batch 16, and the ratio for CoordConv, for each shape.

    Yields
    ------
    dict
        ``name``, ``conv_ms``, and ``ratio``: time of CoordConv2D / time of Conv2D.
    """
    for c_in, c_out, kernel in SHAPES:
        plain = Conv2D(c_in, c_out, kernel, rng=0, activation="relu")
        coord = CoordConv2D(c_in, c_out, kernel, rng=0, activation="relu")
        ratio, seconds = median_ratio(training_step(plain, 16, 64), training_step(coord, 16, 64), turns)
        yield {"name": f"{kernel}x{kernel}-{c_in}-{c_out}/64px", "conv_ms": seconds * 1e3, "ratio": ratio}
