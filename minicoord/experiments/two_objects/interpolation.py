"""From one random vector to another: do objects move on the way, or do they fade out and in?

The paper shows it in pictures: objects of a convolutional generator smear, stick and fade, those of CoordConv stay
whole and slide. Two numbers say the same of the images along a path. *Jump* looks at the middles of the objects: what
share of its way does an object go in its largest step? *Fade* looks at the pixels: what share of the change from image
to image is left when the objects of the first are moved to where they are in the second?

An even slide over n images has a jump of 1 / (n - 1) and no fade. An object that fades out here and in there has a fade
of 1, and a jump of one half or more: where both are half faded, the middle is found between them. One that is here, and
in the next image there, has a jump of 1 and no fade.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from minicoord.experiments.two_objects.finder import colour_excess, find_centres

NEARBY = tuple(product((-1, 0, 1), repeat=2))  # a middle is found to within a pixel


def path(start: NDArray[np.floating], end: NDArray[np.floating], images: int) -> NDArray[np.floating]:
    """Return random vectors from `start` to `end`.

    They lie on a straight line, and are scaled so that their lengths go evenly from that of `start` to that of `end`,
    as in the official code: in the middle of a line the vectors would be shorter than any that the generator knows.

    Parameters
    ----------
    start, end : ndarray (z,)
    images : int
        How many, 2 or more; the first is `start`, the last `end`.

    Returns
    -------
    ndarray (images, z), of the dtype of `start`
    """
    t = np.linspace(0, 1, images, dtype=start.dtype)[:, np.newaxis]  # (images, 1)
    line = (1 - t) * start + t * end
    wanted = (1 - t) * np.linalg.norm(start) + t * np.linalg.norm(end)
    return line * (wanted / np.maximum(np.linalg.norm(line, axis=1, keepdims=True), 1e-12))


def jump(paths: NDArray[np.floating]) -> float:
    """Return which share of its whole way an object goes in its largest step, on average over objects and paths.

    A step reaches from one image in which the object is found to the next such. Objects that stay within a pixel have
    no way, and are left out.

    Parameters
    ----------
    paths : ndarray (P, K, H, W, 3)
        K images of each of P paths, in [-1, 1].

    Returns
    -------
    float
        From 1 / (K - 1) to 1; NaN if no object moves.
    """
    count, images = paths.shape[:2]
    centres = find_centres(paths.reshape(-1, *paths.shape[2:])).reshape(count, images, 2, 2)
    shares = []
    for way in centres.swapaxes(1, 2).reshape(-1, images, 2):  # of each path and object
        found = way[np.isfinite(way).all(axis=1)]
        steps = np.linalg.norm(np.diff(found, axis=0), axis=1)
        if steps.sum() > 1:
            shares.append(steps.max() / steps.sum())
    return float(np.mean(shares)) if shares else float("nan")


def fade(paths: NDArray[np.floating]) -> float:
    """Return which share of the change from image to image is not explained by moving each object as a whole.

    Parameters
    ----------
    paths : ndarray (P, K, H, W, 3)
        K images of each of P paths, in [-1, 1].

    Returns
    -------
    float
        From 0, all is movement, to 1, nothing is; NaN if nothing changes.
    """
    change, rest = 0.0, 0.0
    for images in paths:
        ink = np.clip(colour_excess(images), 0, 1)  # (K, H, W, 2)
        steps = np.diff(find_centres(images), axis=0)  # (K - 1, 2, 2), NaN where an object is missing
        moves = np.nan_to_num(steps).round().astype(int)
        for before, after, of_both in zip(ink[:-1], ink[1:], moves, strict=True):
            for k, (x, y) in enumerate(of_both):
                still = _difference(before[..., k], after[..., k], 0, 0)
                change += still
                moved = (_difference(before[..., k], after[..., k], x + dx, y + dy) for dx, dy in NEARBY)
                rest += min(still, *moved)
    return rest / change if change else float("nan")


def _difference(before: NDArray[np.floating], after: NDArray[np.floating], x: int, y: int) -> float:
    """Return how much `after` (H, W) differs from `before` moved by x pixels to the right and y down."""
    height, width = before.shape
    moved = np.zeros_like(before)
    to = slice(max(y, 0), height + min(y, 0)), slice(max(x, 0), width + min(x, 0))
    of = slice(max(-y, 0), height - max(y, 0)), slice(max(-x, 0), width - max(x, 0))
    moved[to] = before[of]
    return float(np.abs(after - moved).sum(dtype=np.float64))
