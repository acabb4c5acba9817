"""A network with its anchors: from images to moved boxes, and to those that are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.experiments.detection.anchors import anchors
from minicoord.experiments.detection.boxes import centred_outside, clip, inside
from minicoord.experiments.detection.metrics import Detections
from minicoord.experiments.detection.networks import ANCHORS
from minicoord.experiments.detection.proposals import digit_margin, digit_probability, kept_boxes, moved_boxes
from minicoord.experiments.detection.sampling import Sample, assign, sample
from minicoord.kernels.boxes import box_iou
from minicoord.nn.model import Sequential

RANKS = {"logits": digit_margin, "probability": digit_probability}
"""What boxes can be ranked by: the margin of their logits, or their probability, of which many are rounded to 1."""

SLICE = 50  # images that go through the network at a time, when nothing is trained


class Detector:
    """A region proposal network, the anchors of its maps, and whether boxes are clipped.

    Parameters
    ----------
    net : Sequential
        As `minicoord.experiments.detection.networks.region_proposal_network` makes it.
    padding : {"valid", "same"}
        That of `net`.
    official_anchors : bool
        Whether the anchors are scrambled as in the official code.
    clipped : bool
        Whether boxes are clipped to the image before their IOU is taken, those of the digits too.
    rank_by : {"logits", "probability"}
        What decides which boxes are kept; see `RANKS`.
    height, width : int
        Size of the images in pixels.

    Attributes
    ----------
    net : Sequential
        As given.
    anchors : ndarray (A, 4)
        In pixels; A = 9 * rows * columns of the maps.
    map_size : (int, int)
        Rows and columns of the maps.
    """

    def __init__(
        self,
        net: Sequential,
        padding: str,
        official_anchors: bool = False,
        clipped: bool = False,
        rank_by: str = "logits",
        height: int = 64,
        width: int = 64,
    ) -> None:
        self.net, self.clipped, self.size = net, clipped, (height, width)
        self.rank = RANKS[rank_by]
        shapes: Any = net.output_shape((1, height, width, 1))
        self.map_size: tuple[int, int] = shapes["box"][1:3]
        self.anchors: NDArray = anchors(*self.map_size, padding, official_anchors).reshape(-1, 4)  # (A, 4)

    def branches(self, images: NDArray, training: bool = False) -> tuple[NDArray, NDArray]:
        """Return what the branches give for images (N, H, W, 1): transforms (N, A, 4) and logits (N, A, 2)."""
        maps: Any = self.net.forward(images, training)
        return maps["box"].reshape(len(images), -1, 4), maps["score"].reshape(len(images), -1, 2)

    def backward(self, dtransforms: NDArray, dlogits: NDArray) -> None:
        """Put the gradients of the network's parameters into its `grads`, from those of what `branches` returned."""
        shape = len(dtransforms), *self.map_size
        gradients: Any = {
            "box": dtransforms.reshape(*shape, 4 * ANCHORS),
            "score": dlogits.reshape(*shape, 2 * ANCHORS),
        }
        self.net.backward(gradients, need_dx=False)

    def boxes(self, transforms: NDArray) -> NDArray:
        """Return where transforms (N, A, 4) move the anchors, clipped where that is wanted; in pixels.

        Raises
        ------
        FloatingPointError
            If a box is not finite, because a network whose training diverged made it too large.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            boxes = moved_boxes(transforms, self.anchors, self.size if self.clipped else None)
        if not np.isfinite(boxes).all():
            raise FloatingPointError("a box is no longer finite: try a lower learning rate")
        return boxes

    def seen(self, truth: NDArray) -> NDArray:
        """Return the boxes of digits (N, D, 4) as they are compared with others: clipped where that is wanted."""
        return clip(truth, *self.size) if self.clipped else truth

    def samples(self, boxes: NDArray, truth: NDArray, rng: np.random.Generator) -> list[Sample]:
        """Return the boxes of each image that the loss sees.

        Parameters
        ----------
        boxes : ndarray (N, A, 4)
            As `boxes` returns them.
        truth : ndarray (N, D, 4) of the same dtype
            The boxes of the digits, in pixels.
        rng : numpy.random.Generator
        """
        iou = box_iou(boxes, self.seen(truth))  # (N, A, D)
        # A clipped box lies within the image, unless nothing of it is left.
        remains = np.asarray((boxes[..., 2:] > 0).all(axis=-1))  # (N, A)
        is_inside = remains if self.clipped else inside(boxes, *self.size)  # (N, A)
        return [sample(assign(*of_image), rng) for of_image in zip(iou, is_inside, strict=True)]

    def detect(self, images: NDArray, truth: NDArray, within: bool = False) -> list[Detections]:
        """Return the kept boxes of images (N, H, W, 1) with what they are ranked by, beside their digits (N, D, 4).

        With `within`, a box whose centre lies outside the image is never kept. Training hardly ever judges such boxes:
        background is taken from inside the image alone, so what their scores are is left to chance.
        """
        return [found for part in slices(len(images)) for found in self._detect(images[part], truth[part], within)]

    def probabilities(self, scores: NDArray) -> NDArray:
        """Return the probability that each kept box holds a digit, of what `detect` ranked it by."""
        return scores if self.rank is digit_probability else np.exp(-np.logaddexp(0, -scores))

    def _detect(self, images: NDArray, truth: NDArray, within: bool) -> list[Detections]:
        transforms, logits = self.branches(images)
        boxes, scores, truth = self.boxes(transforms), self.rank(logits), self.seen(truth)
        if not within:
            return kept_boxes(boxes, scores, truth)
        lowest = np.finfo(scores.dtype).min
        found = kept_boxes(boxes, np.where(centred_outside(boxes, *self.size), lowest, scores), truth)
        kept = [image.scores > lowest for image in found]
        return [Detections(f.boxes[k], f.scores[k], f.truth) for f, k in zip(found, kept, strict=True)]


def slices(count: int) -> Iterator[slice]:
    """Yield the slices in which so many images go through the network when nothing is trained."""
    return (slice(k, k + SLICE) for k in range(0, count, SLICE))
