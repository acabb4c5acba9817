"""What a trained detector is judged by: losses and metrics on images, and the arrays that the figures show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.digit_fields import FieldOfDigits
from minicoord.experiments.detection.boxes import centred_outside
from minicoord.experiments.detection.detector import Detector, slices
from minicoord.experiments.detection.losses import detection_loss
from minicoord.experiments.detection.metrics import (
    Detections,
    average_precision,
    mean_average_precision,
    mean_best_iou,
    recall,
)
from minicoord.experiments.detection.proposals import KEPT
from minicoord.experiments.detection.sampling import NEGATIVES, POSITIVES
from minicoord.experiments.detection.yardsticks import best_iou, random_boxes

EXAMPLES = 6  # test images that the figures show


def iou_and_recall(images: Sequence[Detections]) -> dict[str, float]:
    """Return the metrics that are cheap enough for every epoch: the paper's mean IOU, and recall at .5 and .7."""
    return {"iou": mean_best_iou(images), "recall_50": recall(images, 0.5), "recall_70": recall(images, 0.7)}


def precisions(images: Sequence[Detections]) -> dict[str, float]:
    """Return the average precision at an IOU of .5, and on average over IOUs from .5 to .95."""
    return {"ap_50": average_precision(images, 0.5), "ap": mean_average_precision(images)}


def share_outside(detector: Detector, images: Sequence[Detections]) -> float:
    """Return the share of the kept boxes whose centre lies outside the image; 0 if none is kept."""
    boxes = np.concatenate([image.boxes for image in images])  # (kept, 4)
    return float(centred_outside(boxes, *detector.size).mean()) if len(boxes) else 0.0


def losses_on(detector: Detector, data: FieldOfDigits, kind: str) -> dict[str, float]:
    """Return both losses on images, with boxes that are drawn the same way whenever it is called.

    Each is the mean over slices of images of about the same number of boxes.
    """
    rng, values, weights = np.random.default_rng(0), [], []
    for part in slices(len(data)):
        transforms, logits = detector.branches(data.images[part])
        truth = data.boxes[part]
        samples = detector.samples(detector.boxes(transforms), truth, rng)
        losses = detection_loss(transforms, logits, samples, detector.anchors, truth, kind)
        values.append((losses.box, losses.score))
        weights.append(len(truth))
    box, score = np.average(values, axis=0, weights=weights)
    return {"box_loss": float(box), "score_loss": float(score)}


def yardsticks(detector: Detector, data: FieldOfDigits) -> dict[str, float]:
    """Return what a detector has to beat on these images.

    Returns
    -------
    dict
        ``random_iou``, ``random_recall_50``: the metrics of ten boxes of random places, sizes and scores for each
        image. ``anchors_iou``: the IOU of each digit with the best of all anchors, on average.
    """
    rng, truth = np.random.default_rng(0), detector.seen(data.boxes)  # (N, D, 4)
    height, _ = detector.size
    drawn = [Detections(random_boxes(rng, KEPT, height), rng.random(KEPT, np.float32), of_image) for of_image in truth]
    return {
        "random_iou": mean_best_iou(drawn),
        "random_recall_50": recall(drawn, 0.5),
        "anchors_iou": float(best_iou(detector.anchors, truth).mean()),
    }


def figure_arrays(detector: Detector, data: FieldOfDigits, found: Sequence[Detections]) -> dict[str, Any]:
    """Return what the figures show of a detector.

    Parameters
    ----------
    detector : Detector
    data : FieldOfDigits
        N images with D digits each, with H x W pixels.
    found : sequence of N Detections
        What was kept of them.

    Returns
    -------
    dict of ndarray
        Of the first E images ``images`` (E, H, W), ``truth`` (E, D, 4), ``boxes`` (E, 10, 4) and ``scores`` (E, 10),
        the kept boxes and their probabilities, ``positive`` and ``negative`` (E, 6, 4), boxes that training would see;
        all boxes in pixels, and NaN where there are fewer. Of all images ``centres`` (N, D, 2), the row and column of
        each digit, and ``best`` (N, D), the IOU of each digit with the best kept box, 0 if there is none.
    """
    few = slice(0, EXAMPLES)
    moved = detector.boxes(detector.branches(data.images[few])[0])  # (E, A, 4)
    samples = detector.samples(moved, data.boxes[few], np.random.default_rng(0))
    best = [
        best_iou(image.boxes, image.truth[None])[0] if len(image.boxes) else np.zeros(len(image.truth), np.float32)
        for image in found
    ]
    return {
        "images": data.images[few, ..., 0],
        "truth": data.boxes[few],
        "boxes": _padded([image.boxes for image in found[few]], KEPT),
        "scores": _padded([detector.probabilities(image.scores) for image in found[few]], KEPT),
        "positive": _padded([boxes[s.positive] for boxes, s in zip(moved, samples, strict=True)], POSITIVES),
        "negative": _padded([boxes[s.negative] for boxes, s in zip(moved, samples, strict=True)], NEGATIVES),
        "centres": data.boxes[..., :2],
        "best": np.array(best, np.float32),
    }


def _padded(rows: Sequence[NDArray], length: int) -> NDArray[np.float32]:
    """Return arrays (n, ...) of different n as one (len(rows), length, ...), with NaN in the rest."""
    padded = np.full((len(rows), length, *rows[0].shape[1:]), np.nan, np.float32)
    for row, array in zip(padded, rows, strict=True):
        row[: len(array)] = array
    return padded
