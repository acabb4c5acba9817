"""What a pixel classifier says: its accuracy, how far off it is, and where it puts its probability."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.not_so_clevr import NotSoClevr
from minicoord.nn.layers.base import Layer
from minicoord.nn.losses import softmax, softmax_cross_entropy

SLICE = 8  # images at a time: the activations of eight stay in the cache


def logits_in_slices(
    net: Layer, inputs: NDArray, part: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray]]:
    """Yield some indices of `part` and the logits (k, H, W, 1) for their rows of `inputs`, until all had their turn."""
    for k in range(0, len(part), SLICE):
        chosen = part[k : k + SLICE]
        yield chosen, net.forward(inputs[chosen])


def accuracy(net: Layer, data: NotSoClevr, inputs: NDArray, part: NDArray[np.int64]) -> float:
    """Return the share of the samples `part`, 0 to 1, whose largest logit is at the pixel of their centre."""
    hits = 0
    for chosen, logits in logits_in_slices(net, inputs, part):
        hits += np.count_nonzero(logits.reshape(len(chosen), -1).argmax(axis=1) == data.labels[chosen])
    return hits / len(part)


def evaluate(
    net: Layer, data: NotSoClevr, inputs: NDArray, part: NDArray[np.int64]
) -> tuple[dict[str, float], NDArray]:
    """Return the metrics of the samples `part`, and their softmax images summed.

    Parameters
    ----------
    net : Layer
        From (n, 2) to logits (n, H, W, 1).
    data : NotSoClevr
        For the centres.
    inputs : ndarray, shape (all samples, 2)
        What the network is fed.
    part : ndarray of int64
        Indices of the samples.

    Returns
    -------
    metrics : dict
        ``accuracy``, a share; ``distance`` and ``manhattan``, the mean Euclidean and Manhattan distance in pixels from
        the pixel of the largest logit to the right one; ``loss``, the mean cross-entropy.
    summed : ndarray, shape (H, W), float64
        The sum over the samples of their softmax over all pixels.
    """
    height, width = data.canvas
    guesses, losses, summed = [], 0.0, np.zeros((height, width))
    for chosen, logits in logits_in_slices(net, inputs, part):
        loss, _ = softmax_cross_entropy(logits, data.labels[chosen])
        losses += loss * len(chosen)
        summed += softmax(logits)[..., 0].sum(axis=0, dtype=np.float64)
        guesses.append(logits.reshape(len(chosen), -1).argmax(axis=1))
    guess = np.concatenate(guesses)
    offset = np.stack([guess % width, guess // width], axis=1) - data.centres[part]
    metrics = {
        "accuracy": float(np.mean(~offset.any(axis=1))),
        "distance": float(np.hypot(*offset.T).mean()),
        "manhattan": float(np.abs(offset).sum(axis=1).mean()),
        "loss": losses / len(part),
    }
    return metrics, summed


def middle_sample(data: NotSoClevr, part: NDArray[np.int64]) -> int:
    """Return the sample of `part` nearest to the mean of its centres: a choice that no network had a say in."""
    centres = data.centres[part]
    return int(part[np.hypot(*(centres - centres.mean(axis=0)).T).argmin()])
