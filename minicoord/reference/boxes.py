"""Boxes (i, j, h, w): the IOU of all pairs, and non-maximum suppression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def box_iou(a: NDArray, b: NDArray) -> NDArray:
    """Return the IOU of every pair: (A, 4) and (B, 4) -> (A, B), or with N images (N, A, 4), (N, B, 4) -> (N, A, B)."""
    if a.ndim == 3:
        return np.array([box_iou(*both) for both in zip(a, b, strict=True)], a.dtype).reshape(*a.shape[:2], b.shape[1])
    iou = np.zeros((len(a), len(b)), a.dtype)
    for k in range(len(a)):
        for m in range(len(b)):
            iou[k, m] = iou_of_two(a[k].astype(np.float64), b[m].astype(np.float64))
    return iou


def iou_of_two(a: NDArray, b: NDArray) -> float:
    """Return the area that two boxes share, divided by the area that they cover together; 0 if neither has an area."""
    (top_a, left_a), (bottom_a, right_a) = a[:2] - a[2:] / 2, a[:2] + a[2:] / 2
    (top_b, left_b), (bottom_b, right_b) = b[:2] - b[2:] / 2, b[:2] + b[2:] / 2
    rows = max(0.0, min(bottom_a, bottom_b) - max(top_a, top_b))
    columns = max(0.0, min(right_a, right_b) - max(left_a, left_b))
    both = rows * columns
    either = a[2] * a[3] + b[2] * b[3] - both
    return both / either if either > 0 else 0.0


def nms(boxes: NDArray, scores: NDArray, threshold: float, most: int) -> NDArray[np.int64]:
    """Go through the boxes (A, 4) from the highest score (A,) down; keep one that overlaps none that was kept.

    To overlap is to have an IOU above `threshold`. Stop when `most` boxes are kept. Returns their indices.
    """
    kept: list[int] = []
    for k in np.argsort(-scores, kind="stable"):
        if len(kept) < most and all(iou_of_two(*boxes[[k, other]].astype(np.float64)) <= threshold for other in kept):
            kept.append(int(k))
    return np.array(kept, np.int64)
