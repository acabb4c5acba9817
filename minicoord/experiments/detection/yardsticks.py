"""What a detector has to beat: boxes drawn at random, and the anchors where they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.boxes import box_iou


def random_boxes(
    rng: np.random.Generator, count: int, canvas: int = 64, sides: tuple[float, float] = (15.0, 25.0)
) -> NDArray[np.float32]:
    """Return boxes of the sizes of digits, with centres anywhere in the image; (count, 4), in pixels."""
    return np.concatenate([rng.uniform(0, canvas, (count, 2)), rng.uniform(*sides, (count, 2))], 1).astype(np.float32)


def best_iou(boxes: NDArray[np.floating], truth: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return how well each digit is met by its best box.

    Parameters
    ----------
    boxes : ndarray (A, 4)
        Of every image the same, such as all anchors.
    truth : ndarray (N, D, 4) of the same dtype

    Returns
    -------
    ndarray (N, D)
        The greatest IOU of each digit with any of the boxes.
    """
    return box_iou(truth.reshape(-1, 4), boxes).max(axis=1).reshape(truth.shape[:2])
