"""The evaluation of a pixel classifier: its accuracy, its distance from the target, and where its probability lies."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.not_so_clevr import NotSoClevr
from minicoord.nn.layers.base import Layer
from minicoord.nn.losses import softmax, softmax_cross_entropy

SLICE = 8  # images evaluated at a time: the activations of eight fit the cache


def logits_in_slices(
    net: Layer, inputs: NDArray, part: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray]]:
    """Yield the indices `part` in slices of k, each with the logits (k, H, W, 1) of these rows of `inputs`."""
    for k in range(0, len(part), SLICE):
        chosen = part[k : k + SLICE]
        yield chosen, net.forward(inputs[chosen])


def accuracy(net: Layer, data: NotSoClevr, inputs: NDArray, part: NDArray[np.int64]) -> float:
    """Return the share of the samples `part`, from 0 to 1, whose largest logit is at their target pixel."""
    hits = 0
    for chosen, logits in logits_in_slices(net, inputs, part):
        guess = logits.reshape(len(chosen), -1).argmax(axis=1)  # (k, H, W, 1) to (k,)
        hits += np.count_nonzero(guess == data.labels[chosen])
    return hits / len(part)


def evaluate(
    net: Layer, data: NotSoClevr, inputs: NDArray, part: NDArray[np.int64]
) -> tuple[dict[str, float], NDArray]:
    """Return the metrics of the samples `part`, and the sum of their softmax images.

    Parameters
    ----------
    net : Layer
        Maps (n, 2) to logits (n, H, W, 1).
    data : NotSoClevr
        The data set, for the target pixels.
    inputs : ndarray, shape (samples, 2)
        The inputs of all samples.
    part : ndarray of int64, shape (n,)
        The indices of the samples to evaluate.

    Returns
    -------
    metrics : dict
        ``accuracy``, from 0 to 1; ``distance`` and ``manhattan``, the mean Euclidean and Manhattan distance in pixels
        from the pixel with the largest logit to the target; ``loss``, the mean cross-entropy.
    summed : ndarray of float64, shape (H, W)
        The sum over the samples of the softmax over all pixels.
    """
    height, width = data.canvas
    guesses, losses, summed = [], 0.0, np.zeros((height, width))
    for chosen, logits in logits_in_slices(net, inputs, part):
        loss, _ = softmax_cross_entropy(logits, data.labels[chosen])
        losses += loss * len(chosen)
        summed += softmax(logits)[..., 0].sum(axis=0, dtype=np.float64)  # (k, H, W) to (H, W)
        guesses.append(logits.reshape(len(chosen), -1).argmax(axis=1))
    guess = np.concatenate(guesses)  # (n,), flat indices
    offset = np.stack([guess % width, guess // width], axis=1) - data.centres[part]  # (n, 2), x and y in pixels
    metrics = {
        "accuracy": float(np.mean(~offset.any(axis=1))),
        "distance": float(np.hypot(*offset.T).mean()),
        "manhattan": float(np.abs(offset).sum(axis=1).mean()),
        "loss": losses / len(part),
    }
    return metrics, summed


def middle_sample(data: NotSoClevr, part: NDArray[np.int64]) -> int:
    """Return the sample of `part` nearest to the mean of its centres: a choice that does not depend on any network."""
    centres = data.centres[part]
    return int(part[np.hypot(*(centres - centres.mean(axis=0)).T).argmin()])
