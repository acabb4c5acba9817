"""What detection does with boxes, composed from functions that a learner wrote in lesson 10.

Overlaps, transforms and suppression are computed image by image, as the exercises ask for them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.experiments.detection.sampling import Assignment
from minicoord.learn.swap_in.calling import Calling, Function, described

_DETECTION = "minicoord.experiments.detection"

BOX_REPLACEMENTS: dict[str, frozenset[str]] = {
    f"{_DETECTION}.detector.box_iou": frozenset({"box_iou_pairs"}),
    f"{_DETECTION}.metrics.box_iou": frozenset({"box_iou_pairs"}),
    f"{_DETECTION}.losses.encode": frozenset({"encode_boxes"}),
    f"{_DETECTION}.proposals.decode": frozenset({"decode_boxes"}),
    f"{_DETECTION}.proposals.nms": frozenset({"non_maximum_suppression"}),
    f"{_DETECTION}.detector.assign": frozenset({"assign_anchors"}),
}
"""Where detection calls a function of boxes, and the exercise whose answer replaces it."""


class TeachingBoxes(Calling):
    """Functions of boxes that call a learner's functions."""

    def box_iou(self, original: Function, a: NDArray, b: NDArray) -> NDArray:
        """Return the IOU of every box of a with every box of b, (A, B), or (N, A, B) for N images."""
        if a.ndim == 3:
            images = [self.box_iou(original, *pair) for pair in zip(a, b, strict=True)]
            return np.stack(images) if images else np.empty((0, a.shape[1], b.shape[1]), a.dtype)
        return self._call("box_iou_pairs", (a, b), (len(a), len(b)), a.dtype)

    def encode(self, original: Function, boxes: NDArray, anchors: NDArray) -> NDArray:
        """Return the transforms (P, 4) that move anchors to boxes."""
        return self._call("encode_boxes", (boxes, anchors), boxes.shape, boxes.dtype)

    def decode(self, original: Function, transforms: NDArray, anchors: NDArray) -> NDArray:
        """Return the boxes (..., 4) to which transforms (..., 4) move anchors that broadcast to them."""
        pairs = transforms.reshape(-1, 4), np.broadcast_to(anchors, transforms.shape).reshape(-1, 4)
        return self._call("decode_boxes", pairs, pairs[0].shape, anchors.dtype).reshape(transforms.shape)

    def nms(self, original: Function, boxes: NDArray, scores: NDArray, threshold: float, most: int) -> NDArray:
        """Return the indices of the boxes that are kept, best first."""
        kept = self.functions["non_maximum_suppression"](boxes, scores, threshold, most)
        if not isinstance(kept, np.ndarray) or kept.ndim != 1 or kept.dtype.kind not in "iu":
            raise ValueError(
                f"using: non_maximum_suppression returned {described(kept)}, expected an array (K,) of ints"
            )
        return kept.astype(np.int64)

    def assign(self, original: Function, iou: NDArray, is_inside: NDArray) -> Assignment:
        """Return which boxes hold a digit, and which."""
        digit, negative = self.functions["assign_anchors"](iou, is_inside)
        return Assignment(np.maximum(digit, 0).astype(np.int64), digit >= 0, negative)
