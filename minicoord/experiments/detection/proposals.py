"""From what the network gives to the boxes that are kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.experiments.detection.boxes import clip, decode
from minicoord.experiments.detection.metrics import Detections
from minicoord.kernels.boxes import nms
from minicoord.kernels.softmax import softmax

NMS_IOU = 0.8  # two kept boxes overlap by no more
KEPT = 10  # boxes of an image at most


def moved_boxes(
    transforms: NDArray[np.floating], anchors: NDArray[np.floating], clipped_to: tuple[float, float] | None = None
) -> NDArray[np.floating]:
    """Return where the network moves the anchors.

    Parameters
    ----------
    transforms : ndarray (N, A, 4)
    anchors : ndarray (A, 4)
        In pixels.
    clipped_to : (float, float), optional
        Height and width, in pixels, of the image to which boxes are clipped.

    Returns
    -------
    ndarray (N, A, 4)
        Boxes (i, j, h, w), in pixels.
    """
    boxes = decode(transforms, anchors)
    return boxes if clipped_to is None else clip(boxes, *clipped_to)


def digit_probability(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the probability that each box holds a digit, (N, A), of logits (N, A, 2)."""
    return softmax(logits.reshape(-1, 2))[:, 0].reshape(logits.shape[:2])


def digit_margin(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return by how much the logit of a digit exceeds that of background, (N, A), of logits (N, A, 2).

    It ranks boxes as their probability does, and still tells them apart where that is rounded to 1: in float32, from a
    margin of about 17 on. Trained networks give such margins to a hundred boxes of an image.
    """
    return logits[..., 0] - logits[..., 1]


def kept_boxes(
    boxes: NDArray[np.floating],
    scores: NDArray[np.floating],
    truth: NDArray[np.floating],
    threshold: float = NMS_IOU,
    most: int = KEPT,
) -> list[Detections]:
    """Return what non-maximum suppression keeps of every image, beside its digits.

    Parameters
    ----------
    boxes : ndarray (N, A, 4)
        In pixels.
    scores : ndarray (N, A)
        Any numbers of which the highest belongs to the best box. Of equal ones the first in the array counts as best.
    truth : ndarray (N, D, 4)
    threshold : float
        The IOU above which a box of lower score goes.
    most : int
        How many boxes are kept of an image at most.

    Returns
    -------
    list of N Detections
        The boxes of each image in the order of falling scores.
    """
    kept = [nms(of_image, score, threshold, most) for of_image, score in zip(boxes, scores, strict=True)]
    return [Detections(boxes[n, k], scores[n, k], truth[n].astype(boxes.dtype)) for n, k in enumerate(kept)]
