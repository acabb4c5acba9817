"""Three neighbouring pixels that show how a classifier fails: one learned, one barely found, one missed."""

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

REACH = (1, 2)  # pixels: first the eight neighbours are looked at, then the ring around them


def margins(net: Layer, data: NotSoClevr, inputs: NDArray) -> NDArray[np.float64]:
    """Return for each sample its target's logit less the largest other one: above 0, the pixel is found."""
    found = np.empty(len(data))
    for chosen, logits in logits_in_slices(net, inputs, np.arange(len(data))):
        flat = logits.reshape(len(chosen), -1).astype(np.float64)
        rows = np.arange(len(chosen))
        at_target = flat[rows, data.labels[chosen]]
        flat[rows, data.labels[chosen]] = -np.inf
        found[chosen] = at_target - flat.max(axis=1)
    return found


def three_neighbours(data: NotSoClevr, parts: Split, margin: NDArray) -> tuple[int, int, int] | None:
    """Return a train sample that is found, a test sample beside it barely found, and another beside it that is not.

    Of all such triples the one whose second is found by the smallest margin; None if there is none.

    Parameters
    ----------
    data : NotSoClevr
    parts : Split
    margin : ndarray, shape (all samples,)
        As `margins` returns them.
    """
    is_train = np.zeros(len(data), bool)
    is_train[parts.train] = True
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
    """Return those of `others` that lie at most `reach` pixels from the sample in x and in y, the nearest first."""
    offset = data.centres[others] - data.centres[sample]
    near = np.flatnonzero(np.abs(offset).max(axis=1) <= reach) if len(others) else np.array([], int)
    return others[near[np.argsort(np.hypot(*offset[near].T), kind="stable")]] if len(near) else near


def zoom_of(
    records: Mapping[str, Mapping[str, Any]], weights: Mapping[str, Mapping[str, NDArray]]
) -> tuple[dict[str, NDArray], list[tuple[int, int]]] | None:
    """Return the logits (3, H, W) of each recorded network for three neighbours, and their pixels (x, y).

    The network of "conv" decides which three; None if it has no such three.

    Parameters
    ----------
    records, weights : dict
        For "conv" and, if wanted, "coordconv": the record, and the weights.
    """
    data = not_so_clevr()
    parts = split_data(data, records["conv"]["variant"])
    trainers: dict[str, Any] = {model: trainer_of(record, weights[model]) for model, record in records.items()}
    three = three_neighbours(data, parts, margins(trainers["conv"].model, data, trainers["conv"].inputs))
    if three is None:
        return None
    chosen = list(three)
    logits = {model: trainer.model.forward(trainer.inputs[chosen])[..., 0] for model, trainer in trainers.items()}
    return logits, [(int(x), int(y)) for x, y in data.centres[chosen]]
