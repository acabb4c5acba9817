"""Boxes: the IOU of all pairs, and non-maximum suppression.

A box is (i, j, h, w): the row and the column of its centre, its height and its width, in pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.backend.checks import check_array, check_same_dtype
from minicoord.kernels.backend.memory import empty
from minicoord.kernels.backend.runtime import helper, kernel, launch, prange
from minicoord.system.arguments import as_float, check_whole, is_number, shown


@helper
def _overlap(centre_a, side_a, centre_b, side_b):
    """Return how long two intervals overlap, in float64."""
    first = max(np.float64(centre_a) - side_a / 2.0, np.float64(centre_b) - side_b / 2.0)
    last = min(np.float64(centre_a) + side_a / 2.0, np.float64(centre_b) + side_b / 2.0)
    return max(last - first, 0.0)


@helper
def _iou(a, b):
    """Return the IOU of two boxes, in float64; that of two boxes without area is 0."""
    both = _overlap(a[0], a[2], b[0], b[2]) * _overlap(a[1], a[3], b[1], b[3])
    either = np.float64(a[2]) * a[3] + np.float64(b[2]) * b[3] - both
    return both / either if either > 0 else 0.0


@kernel
def _all_pairs(a, b, iou):
    images, rows, columns = iou.shape
    for task in prange(images * rows):
        n, k = np.int64(task) // rows, np.int64(task) % rows
        for m in range(columns):
            iou[n, k, m] = _iou(a[n, k], b[n, m])


@helper
def _suppress(boxes, scores, threshold, alive, kept):
    """Fill `kept` with the indices of the boxes that stay, and return their number."""
    for count in range(kept.shape[0]):
        best = -1
        for k in range(scores.shape[0]):
            if alive[k] and (best < 0 or scores[k] > scores[best]):
                best = k
        if best < 0:
            return count
        kept[count] = best
        alive[best] = False
        for k in range(scores.shape[0]):
            if alive[k] and _iou(boxes[best], boxes[k]) > threshold:
                alive[k] = False
    return kept.shape[0]


def _check_boxes(boxes: object, what: str, ndim: int | None, wanted: str) -> NDArray:
    boxes = check_array(boxes, what, ndim, wanted)
    if boxes.shape[-1:] != (4,):
        raise ValueError(f"{what} has shape {boxes.shape}, wanted {wanted}")
    if not np.isfinite(boxes).all() or (boxes[..., 2:] < 0).any():
        raise ValueError(f"{what} has a box that is not finite or has a side below 0")
    return boxes


def box_iou(a: NDArray, b: NDArray) -> NDArray:
    """Return the intersection over union of every box of `a` with every box of `b`.

    Parameters
    ----------
    a : ndarray of float32 or float64, (A, 4) or (N, A, 4)
        Boxes (i, j, h, w), in pixels; with three axes, those of N images.
    b : ndarray of the same dtype and number of axes, (B, 4) or (N, B, 4)

    Returns
    -------
    ndarray of the same dtype, (A, B) or (N, A, B)
        From 0 to 1. A pair of which neither has an area has an IOU of 0.

    Raises
    ------
    ValueError
        Also if a box is not finite or has a side below 0.

    Examples
    --------
    >>> a = np.array([[2.0, 2.0, 4.0, 4.0]])
    >>> b = np.array([[2.0, 2.0, 4.0, 4.0], [2.0, 4.0, 4.0, 4.0], [9.0, 9.0, 1.0, 1.0]])
    >>> box_iou(a, b).round(3)
    array([[1.   , 0.333, 0.   ]])
    """
    a = _check_boxes(a, "box_iou: a", None, "(A, 4) or (N, A, 4)")
    b = _check_boxes(b, "box_iou: b", a.ndim, "(B, 4) or (N, B, 4), like a")
    check_same_dtype("box_iou", a=a, b=b)
    if a.ndim not in (2, 3) or a.shape[:-2] != b.shape[:-2]:
        raise ValueError(f"box_iou: a has shape {a.shape} and b {b.shape}, wanted (A, 4) and (B, 4), or N of both")
    iou = empty((*a.shape[:-1], b.shape[-2]), a.dtype)
    images = len(a) if a.ndim == 3 else 1
    # all with three axes: (N, A, 4), (N, B, 4), (N, A, B)
    shapes = ((images, *x.shape[-2:]) for x in (a, b, iou))
    launch(_all_pairs, *(x.reshape(shape) for x, shape in zip((a, b, iou), shapes, strict=True)))
    return iou


def nms(boxes: NDArray, scores: NDArray, threshold: float, most: int) -> NDArray[np.int64]:
    """Return the boxes of one image that non-maximum suppression keeps, the highest score first.

    Greedy: the box of the highest score stays, all that overlap it by an IOU above the threshold go, and so on. Of
    equal scores, the first in the array stays first.

    Parameters
    ----------
    boxes : ndarray of float32 or float64, (A, 4)
        Boxes (i, j, h, w), in pixels.
    scores : ndarray of the same dtype, (A,)
    threshold : float
        The IOU that two kept boxes may have, from 0 to 1; the paper's is .8.
    most : int
        How many boxes are kept at most, 1 or more; the paper's number is 10.

    Returns
    -------
    ndarray (K,) of int64
        Indices into `boxes`, at most `most`.

    Raises
    ------
    ValueError
        Also if a box or a score is not finite, or a box has a side below 0.

    Examples
    --------
    >>> boxes = np.array([[5.0, 5.0, 4.0, 4.0], [5.0, 5.2, 4.0, 4.0], [5.0, 9.0, 4.0, 4.0]])
    >>> nms(boxes, np.array([0.6, 0.9, 0.3]), threshold=0.8, most=10)
    array([1, 2])
    """
    boxes = _check_boxes(boxes, "nms: boxes", 2, "(A, 4)")
    scores = check_array(scores, "nms: scores", shape=boxes.shape[:1])
    check_same_dtype("nms", boxes=boxes, scores=scores)
    if not np.isfinite(scores).all():
        raise ValueError("nms: scores has a number that is not finite")
    if not is_number(threshold) or not 0 <= as_float(threshold) <= 1:
        raise ValueError(f"nms: threshold was {shown(threshold)}, wanted a number from 0 to 1")
    check_whole("nms: most", most, 1)
    kept = np.empty(min(most, len(boxes)), np.int64)
    return kept[: launch(_suppress, boxes, scores, float(threshold), np.ones(len(boxes), np.bool_), kept)]
