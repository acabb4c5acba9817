"""Which of an image's boxes the loss sees: a few that hold a digit, and a few that do not.

Of 1,521 boxes nearly all are background, so that a loss over all of them would be about nothing else. The boxes are
judged where the network has moved them to, and not where their anchors are: that is what the released code does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

POSITIVES = NEGATIVES = 6  # of each image at most
POSITIVE_IOU = 0.5  # above it, a box within the image holds a digit
NEGATIVE_IOU = 0.1  # below it with every digit, a box within the image is background


class Assignment(NamedTuple):
    """What each of A boxes is.

    Attributes
    ----------
    digit : ndarray (A,) of int64
        Index of the digit that the box belongs to, meaningful where it is positive.
    positive, negative : ndarray (A,) of bool
        Most boxes are neither.
    """

    digit: NDArray[np.int64]
    positive: NDArray[np.bool_]
    negative: NDArray[np.bool_]


class Sample(NamedTuple):
    """The boxes of one image that the loss sees.

    Attributes
    ----------
    positive : ndarray (P,) of int64
        Indices of boxes with a digit, in ascending order.
    digit : ndarray (P,) of int64
        The digit that each of them belongs to.
    negative : ndarray (Q,) of int64
        Indices of boxes of background, in ascending order.
    """

    positive: NDArray[np.int64]
    digit: NDArray[np.int64]
    negative: NDArray[np.int64]


def assign(iou: NDArray[np.floating], is_inside: NDArray[np.bool_]) -> Assignment:
    """Return which boxes hold a digit, and which.

    A box is positive if it is the best box of a digit, wherever it lies, or if it lies within the image and its best
    IOU is above .5. It belongs to the digit that it overlaps most; the best box of a digit belongs to that digit, also
    where it overlaps another more, so that no digit is left without a box. (A box that is the best of two digits
    belongs to the one that it overlaps more.) A digit that no box overlaps has no best box.

    Parameters
    ----------
    iou : ndarray (A, D)
        IOU of each box with each digit.
    is_inside : ndarray (A,) of bool
        Which boxes lie within the image.

    Returns
    -------
    Assignment
    """
    boxes, digits = iou.shape
    if not digits or not boxes:
        return Assignment(np.zeros(boxes, np.int64), np.zeros(boxes, bool), is_inside.copy())
    digit, best_iou = iou.argmax(axis=1), iou.max(axis=1)  # (A,)
    positive = (best_iou > POSITIVE_IOU) & is_inside
    best_box, of_digit = iou.argmax(axis=0), iou.max(axis=0)  # (D,)
    for k in np.argsort(of_digit, kind="stable"):  # the greatest last, so that it has the last word
        if of_digit[k] > 0:
            positive[best_box[k]] = True
            digit[best_box[k]] = k
    return Assignment(digit, positive, (best_iou < NEGATIVE_IOU) & is_inside & ~positive)


def sample(
    assignment: Assignment, rng: np.random.Generator, positives: int = POSITIVES, negatives: int = NEGATIVES
) -> Sample:
    """Draw at most so many positive and negative boxes without repetition; where there are fewer, take all of them.

    (The released code takes no negative box at all where six or fewer are there.)

    Parameters
    ----------
    assignment : Assignment
    rng : numpy.random.Generator
    positives, negatives : int

    Returns
    -------
    Sample
    """
    positive = _some(np.flatnonzero(assignment.positive), positives, rng)
    negative = _some(np.flatnonzero(assignment.negative), negatives, rng)
    return Sample(positive, assignment.digit[positive], negative)


def _some(indices: NDArray[np.int64], most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.sort(rng.choice(indices, most, replace=False)) if len(indices) > most else indices
