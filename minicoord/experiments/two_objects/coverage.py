"""Density and coverage (Naeem et al., 2020) of arrangements: do samples lie where the data lie, and everywhere there?

An arrangement is a point of four numbers, the middles of both objects. Around each of the data lies a ball that reaches
to the k-th nearest other one. Density asks in how many balls a sample lies, relative to what is expected of the data;
coverage asks how many of the balls have a sample in them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 5
BLOCK = 256  # points whose distances to all others are held at once


def density_and_coverage(
    real: NDArray[np.floating], samples: NDArray[np.floating], neighbours: int = NEIGHBOURS
) -> tuple[float, float]:
    """Return density and coverage.

    Parameters
    ----------
    real : ndarray (n, d)
        The data, more than `neighbours` of them.
    samples : ndarray (m, d)
        One with NaN, in which an object is missing, counts as a sample and lies in no ball.
    neighbours : int
        The k of the radius.

    Returns
    -------
    density : float
        About 1 for samples like the data, 0 for samples far away; more than 1 is possible, where samples crowd in the
        midst of the data.
    coverage : float
        In [0, 1]. For as many samples as data, and like them, it is a little below 1.

    Raises
    ------
    ValueError
        If there are too few of `real`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> real = rng.uniform(size=(300, 2))
    >>> density_and_coverage(real, real)
    (1.2, 1.0)
    >>> density_and_coverage(real, real + 5)
    (0.0, 0.0)
    """
    if len(real) <= neighbours:
        raise ValueError(f"density_and_coverage: real has {len(real)} points, wanted more than {neighbours}")
    if not len(samples):
        return 0.0, 0.0
    inside, covered = 0, 0
    for first in range(0, len(real), BLOCK):
        part = real[first : first + BLOCK]
        # Each of the data is its own nearest, at distance 0, so the k-th other one has the index k.
        radius = np.partition(_squared_distances(part, real), neighbours, axis=1)[:, neighbours]  # (block,)
        within = _squared_distances(part, samples) <= radius[:, np.newaxis]  # (block, m); NaN is not
        inside += int(within.sum())
        covered += int(within.any(axis=1).sum())
    return inside / (neighbours * len(samples)), covered / len(real)


def _squared_distances(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the squared distance of each of a (n, d) to each of b (m, d): (n, m)."""
    total = np.zeros((len(a), len(b)))
    for k in range(a.shape[1]):  # one coordinate at a time, so that nothing of the size (n, m, d) is made
        total += np.subtract.outer(a[:, k], b[:, k], dtype=np.float64) ** 2
    return total
