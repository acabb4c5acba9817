"""The birthday test (Arora and Zhang, 2018): how often does the same arrangement come twice among some samples?

Of n samples there are n (n - 1) / 2 pairs. If the generator chose evenly among s arrangements, one pair in s would be
the same. So few pairs mean many arrangements, and a generator that knows only some betrays itself soon.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def duplicate_pairs(centres: NDArray[np.floating], canvas: int) -> int:
    """Return how many pairs of samples are near-duplicates.

    They are if both coordinates of both middles differ by a 64th of the canvas at most: by a pixel at the paper's
    size. Shapes are not compared. Data at 64 x 64 have about 13 such pairs in 1,000.

    Parameters
    ----------
    centres : ndarray (N, 2, 2)
        (x, y) of both objects in pixels; a sample in which one is missing is left out.
    canvas : int
        Side of the images in pixels.

    Examples
    --------
    >>> middles = np.array([[[10, 10], [40, 40]], [[10, 11], [40, 41]], [[10, 30], [40, 40]]], np.float32)
    >>> duplicate_pairs(middles, 64)
    1
    """
    points = centres[np.isfinite(centres).all(axis=(1, 2))].reshape(-1, 4)
    pairs = 0
    for k, point in enumerate(points[:-1]):
        pairs += int((np.abs(points[k + 1 :] - point) <= canvas / 64).all(axis=1).sum())
    return pairs


def distinct(pairs: int, samples: int) -> float:
    """Return how many arrangements a generator chooses from, if evenly; infinite if there is no pair.

    Examples
    --------
    >>> distinct(pairs=10, samples=100)
    495.0
    """
    return samples * (samples - 1) / 2 / pairs if pairs else float("inf")
