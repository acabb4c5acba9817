"""How good kept boxes are: the paper's mean IOU, and what users of detectors expect, recall and average precision.

All of them see the boxes that non-maximum suppression kept, which are ten at most for an image.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.boxes import box_iou

THRESHOLDS = tuple(round(0.5 + 0.05 * k, 2) for k in range(10))
"""The IOUs over which AP is averaged, from .5 to .95."""

RECALLS = np.linspace(0, 1, 101)
"""The recalls at which precision is read, as for the COCO data set."""


class Detections(NamedTuple):
    """The kept boxes of one image, and its digits.

    Attributes
    ----------
    boxes : ndarray (K, 4)
        (i, j, h, w), in pixels.
    scores : ndarray (K,)
        The higher, the surer; only their order counts.
    truth : ndarray (D, 4) of the dtype of `boxes`
        The boxes of the digits.
    """

    boxes: NDArray[np.floating]
    scores: NDArray[np.floating]
    truth: NDArray[np.floating]


def mean_best_iou(images: Sequence[Detections]) -> float:
    """Return the paper's measure: the IOU of each kept box with its best digit, on average over boxes, then images.

    It rewards boxes that fit, and does not notice a digit without a box. An image without a kept box counts 0.
    """
    of_images = [
        box_iou(image.boxes, image.truth).max(axis=1).mean() if len(image.boxes) and len(image.truth) else 0.0
        for image in images
    ]
    return float(np.mean(of_images)) if of_images else 0.0


def matches(image: Detections, threshold: float) -> NDArray[np.bool_]:
    """Return which kept boxes find a digit, (K,), in the order of falling scores.

    Each box in turn, the highest score first, takes the digit that it overlaps most among those that no box has taken
    yet, if their IOU is at least the threshold. So a second box of the same digit finds nothing.
    """
    order = np.argsort(-image.scores, kind="stable")
    found = np.zeros(len(order), bool)
    if not len(image.truth) or not len(order):
        return found
    iou = box_iou(image.boxes[order], image.truth)  # (K, D)
    free = np.ones(len(image.truth), bool)
    for k in range(len(order)):
        best = int(np.where(free, iou[k], -1).argmax())
        if free[best] and iou[k, best] >= threshold:
            found[k], free[best] = True, False
    return found


def recall(images: Sequence[Detections], threshold: float) -> float:
    """Return the share of all digits that a kept box finds; see `matches`. Without digits it is 0."""
    digits = sum(len(image.truth) for image in images)
    return sum(int(matches(image, threshold).sum()) for image in images) / max(digits, 1)


def average_precision(images: Sequence[Detections], threshold: float) -> float:
    """Return the average precision, AP: the mean of precision over recall, from 0 to 1.

    The kept boxes of all images stand in one row, the highest score first. After each of them, precision is the share
    of boxes so far that found a digit, and recall the share of digits found. The precision at a recall is the greatest
    at this or any higher recall, and 0 at a recall that is never reached; it is read at the recalls 0, .01, ..., 1 and
    averaged, as for the COCO data set.

    Parameters
    ----------
    images : sequence of Detections
    threshold : float
        The IOU from which on a box finds a digit.
    """
    digits = sum(len(image.truth) for image in images)
    if not digits or not any(len(image.boxes) for image in images):
        return 0.0
    scores = np.concatenate([-np.sort(-image.scores, kind="stable") for image in images])
    found = np.concatenate([matches(image, threshold) for image in images])[np.argsort(-scores, kind="stable")]
    hits = np.cumsum(found)  # (number of boxes,)
    precision, reached = hits / np.arange(1, len(hits) + 1), hits / digits
    greatest = np.maximum.accumulate(precision[::-1])[::-1]  # at this recall or above
    first = np.searchsorted(reached, RECALLS)  # the first box after which each recall is reached
    return float(np.append(greatest, 0.0)[first].mean())


def mean_average_precision(images: Sequence[Detections], thresholds: Sequence[float] = THRESHOLDS) -> float:
    """Return AP on average over several IOU thresholds, from .5 to .95 by default."""
    return float(np.mean([average_precision(images, threshold) for threshold in thresholds]))
