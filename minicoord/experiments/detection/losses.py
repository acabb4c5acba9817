"""The loss of a region proposal network: of the transforms of boxes with a digit, and of all scores that were sampled.

The loss of the transforms is how far a box is from its digit, in units of the anchor. Both kinds are small near zero
and grow in proportion far away, so that one bad box does not outweigh the others. The paper's code omits the halves of
the usual one, which make its slope continuous:

    published   d^2 within -1 and 1,    |d| outside           the slope jumps from 2 to 1
    standard    d^2 / 2,                |d| - 1/2             (Girshick 2015, "smooth L1")

The loss of the scores is the softmax cross-entropy of two classes, digit (0) and background (1). Both are averaged over
the sampled boxes of the whole minibatch, and added.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.experiments.detection.boxes import encode
from minicoord.experiments.detection.sampling import Sample
from minicoord.kernels.softmax import softmax_cross_entropy
from minicoord.system.arguments import shown

BOX_LOSSES = ("published", "standard")
DIGIT, BACKGROUND = 0, 1  # the classes of the score branch


def box_loss(
    transforms: NDArray[np.floating], wanted: NDArray[np.floating], kind: str = "published"
) -> tuple[float, NDArray[np.floating]]:
    """Return the loss of transforms, on average over the boxes, and its gradient.

    Parameters
    ----------
    transforms : ndarray (P, 4) of float32 or float64
        Those of the positive boxes that were sampled.
    wanted : ndarray (P, 4) of the same dtype
        The transforms that lead to the digits; see `minicoord.experiments.detection.boxes.encode`.
    kind : {"published", "standard"}

    Returns
    -------
    loss : float
        The mean over the boxes of the sum over the four numbers; 0 if there is no box.
    dtransforms : ndarray (P, 4)

    Raises
    ------
    ValueError
        If the kind is another one, or the shapes differ.

    Examples
    --------
    >>> loss, dtransforms = box_loss(np.array([[0.5, 3.0, 0.0, 0.0]]), np.zeros((1, 4)))
    >>> loss, dtransforms
    (3.25, array([[1., 1., 0., 0.]]))
    """
    if kind not in BOX_LOSSES:
        raise ValueError(f"box_loss: kind was {shown(kind)}, wanted one of {', '.join(map(repr, BOX_LOSSES))}")
    if transforms.shape != wanted.shape or transforms.shape[1:] != (4,):
        raise ValueError(
            f"box_loss: transforms has shape {transforms.shape} and wanted {wanted.shape}, wanted (P, 4) for both"
        )
    d = transforms - wanted  # (P, 4)
    far, boxes = np.abs(d) > 1, max(len(d), 1)
    if kind == "published":
        losses, slope = np.where(far, np.abs(d), d**2), np.where(far, np.sign(d), 2 * d)
    else:
        losses, slope = np.where(far, np.abs(d) - 0.5, d**2 / 2), np.where(far, np.sign(d), d)
    return float(losses.sum(dtype=np.float64) / boxes), slope / boxes


class Losses(NamedTuple):
    """Both losses of a minibatch, and the gradients of their sum.

    Attributes
    ----------
    box, score : float
    dtransforms : ndarray (N, A, 4)
    dlogits : ndarray (N, A, 2)
        Zero wherever a box was not sampled.
    """

    box: float
    score: float
    dtransforms: NDArray[np.floating]
    dlogits: NDArray[np.floating]


def detection_loss(
    transforms: NDArray[np.floating],
    logits: NDArray[np.floating],
    samples: Sequence[Sample],
    anchors: NDArray[np.floating],
    truth: NDArray[np.floating],
    kind: str = "published",
) -> Losses:
    """Return the losses of N images, and their gradients with respect to what the two branches gave.

    Parameters
    ----------
    transforms : ndarray (N, A, 4) of float32 or float64
        What the box branch gave: its map (N, rows, columns, 36), of which A = 9 * rows * columns.
    logits : ndarray (N, A, 2) of the same dtype
        What the score branch gave: for each box, first the logit of a digit, then that of background.
    samples : sequence of N Sample
    anchors : ndarray (A, 4)
        In pixels.
    truth : ndarray (N, D, 4)
        The boxes of the digits, in pixels.
    kind : {"published", "standard"}
        See `box_loss`.

    Returns
    -------
    Losses
        A loss of nothing is 0: without a positive box, that of the transforms.
    """
    image_of = np.repeat(np.arange(len(samples)), [len(sample.positive) for sample in samples])  # (P,)
    positive = np.concatenate([sample.positive for sample in samples])  # (P,)
    digit = np.concatenate([sample.digit for sample in samples])  # (P,)
    wanted = encode(truth[image_of, digit], anchors[positive]).astype(transforms.dtype)  # (P, 4)
    box, slope = box_loss(transforms[image_of, positive], wanted, kind)
    dtransforms, dlogits = np.zeros_like(transforms), np.zeros_like(logits)
    dtransforms[image_of, positive] = slope

    background_of = np.repeat(np.arange(len(samples)), [len(sample.negative) for sample in samples])  # (Q,)
    of_image = np.concatenate([image_of, background_of])  # (P + Q,)
    boxes = np.concatenate([positive, *(sample.negative for sample in samples)])  # (P + Q,)
    score = 0.0
    if len(boxes):
        labels = np.repeat([DIGIT, BACKGROUND], [len(positive), len(background_of)])
        score, dlogits[of_image, boxes] = softmax_cross_entropy(logits[of_image, boxes], labels)
    return Losses(box, score, dtransforms, dlogits)
