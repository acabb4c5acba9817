"""Three neighbouring pixels that show how a classifier fails: one learned, one barely right, one missed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.not_so_clevr import NotSoClevr, not_so_clevr
from minicoord.datasets.splits import Split, split as split_data
from minicoord.experiments.records.half_weights import trainer_of
from minicoord.experiments.supervised.pixels import logits_in_slices
from minicoord.nn.layers.base import Layer

REACH = (1, 2)  # pixels: look among the eight neighbours first, then also in the ring around them


def margins(net: Layer, data: NotSoClevr, inputs: NDArray) -> NDArray[np.float64]:
    """Return the margin of each sample (samples,): the logit of its target minus the largest other one.

    A sample whose margin is above 0 is classified correctly.
    """
    margin = np.empty(len(data))
    for chosen, logits in logits_in_slices(net, inputs, np.arange(len(data))):
        flat = logits.reshape(len(chosen), -1).astype(np.float64)  # (k, H, W, 1) to (k, H * W)
        rows = np.arange(len(chosen))
        at_target = flat[rows, data.labels[chosen]]
        flat[rows, data.labels[chosen]] = -np.inf
        margin[chosen] = at_target - flat.max(axis=1)
    return margin


def three_neighbours(data: NotSoClevr, split: Split, margin: NDArray) -> tuple[int, int, int] | None:
    """Return a training sample that is right and two of its neighbours in the test set, one right and one missed.

    Of all such triples, the one whose second sample has the smallest margin; None if there is no triple.

    Parameters
    ----------
    data : NotSoClevr
        The data set.
    split : Split
        Which samples are for training.
    margin : ndarray, shape (samples,)
        As `margins` returns it.
    """
    is_train = np.zeros(len(data), bool)
    is_train[split.train] = True
    learned = np.flatnonzero(is_train & (margin > 0))
    right = np.flatnonzero(~is_train & (margin > 0))
    missed = np.flatnonzero(~is_train & (margin <= 0))
    for reach in REACH:
        for second in right[np.argsort(margin[right], kind="stable")]:
            for first in _near(data, second, learned, reach):
                beside = _near(data, first, missed, reach)
                if len(beside):
                    return int(first), int(second), int(beside[0])
    return None


def _near(data: NotSoClevr, sample: int, others: NDArray, reach: int) -> NDArray:
    """Return those of `others` at most `reach` pixels away from the sample in x and in y, nearest first."""
    offset = data.centres[others] - data.centres[sample]  # (others, 2), x and y in pixels
    near = np.flatnonzero(np.abs(offset).max(axis=1) <= reach) if len(others) else np.array([], int)
    return others[near[np.argsort(np.hypot(*offset[near].T), kind="stable")]] if len(near) else near


def zoom_of(
    records: Mapping[str, Mapping[str, Any]], weights: Mapping[str, Mapping[str, NDArray]]
) -> tuple[dict[str, NDArray], list[tuple[int, int]]] | None:
    """Return the logits (3, H, W) of each recorded network for three neighbours, and their pixels (x, y).

    The network "conv" decides which three; None if it has no such triple.

    Parameters
    ----------
    records, weights : dict
        The record and the weights of the network "conv" and, optionally, "coordconv".
    """
    data = not_so_clevr()
    split = split_data(data, records["conv"]["variant"])
    trainers: dict[str, Any] = {model: trainer_of(record, weights[model]) for model, record in records.items()}
    conv = trainers["conv"]
    triple = three_neighbours(data, split, margins(conv.model, data, conv.inputs))
    if triple is None:
        return None
    chosen = list(triple)
    logits = {model: trainer.model.forward(trainer.inputs[chosen])[..., 0] for model, trainer in trainers.items()}
    return logits, [(int(x), int(y)) for x, y in data.centres[chosen]]
