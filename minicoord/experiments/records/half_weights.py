"""Weights of recorded runs in half the bytes: float16, small enough to come with the lessons.

Each weight keeps eleven bits, about three decimal digits. What that costs is measured, not assumed: `metrics_of` gives
the metrics of the network with the weights as they are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord import experiments
from minicoord.datasets.not_so_clevr import not_so_clevr
from minicoord.datasets.splits import split as split_data
from minicoord.experiments.records.recorded_settings import settings_of
from minicoord.experiments.supervised.run import Task
from minicoord.nn.model import Sequential

Arrays = Mapping[str, NDArray]
LARGEST = 1_000_000  # bytes for one run: these files are kept in the repository


def task_of(record: Mapping[str, Any]) -> Task:
    """Return the supervised task that a record belongs to."""
    return import_module(experiments.EXPERIMENTS[record["experiment"]]).TASK


def network_of(record: Mapping[str, Any], weights: Arrays | None = None) -> Sequential:
    """Return the network of a record as it began, or with the weights of `halved` or of a file of weights.

    Raises
    ------
    ValueError
        If the weights do not fit the network.
    """
    net = task_of(record).network(record["model"], settings_of(record), record["split"], record["seed"])
    if weights is None:
        return net
    for name, array in _arrays(net).items():
        came = weights.get(name)
        if came is None or came.shape != array.shape:
            shape = "nothing" if came is None else f"shape {came.shape}"
            raise ValueError(f"the weights of {record['model']} hold {shape} for {name!r}, wanted {array.shape}")
        np.copyto(array, came)
    return net


def halved(weights: Arrays, name: str) -> dict[str, NDArray]:
    """Return weights as a file of weights holds them, ``params/0.w`` and so on, the parameters in float16.

    What batch normalisation counted along the way, ``state/...``, stays as it is: its variances may be tiny.

    Raises
    ------
    ValueError
        If a parameter is too large for float16, or all of them together for a file in the repository. `name` says
        whose they are.
    """
    half: dict[str, NDArray] = {}
    for key, array in weights.items():
        with np.errstate(over="ignore"):
            half[key] = array.astype(np.float16) if key.startswith("params/") else array
        if not np.isfinite(half[key]).all():
            raise ValueError(f"{name}: the weights {key!r} reach {np.abs(array).max():.3g}, float16 ends at 65,504")
    size = sum(array.nbytes for array in half.values())
    if size > LARGEST:
        raise ValueError(f"{name}: its weights take {size:,} bytes as float16, wanted at most {LARGEST:,}")
    return half


def metrics_of(record: Mapping[str, Any], weights: Arrays) -> dict[str, float]:
    """Return the metrics of a recorded run's network with these weights, such as ``test_accuracy``."""
    task, data = task_of(record), not_so_clevr()
    inputs, _ = task.samples(record["model"], data, bool(record.get("raw_input")))
    metrics, _ = task.measure(network_of(record, weights), data, inputs, split_data(data, record["split"]))
    return metrics


def _arrays(net: Sequential) -> dict[str, NDArray]:
    params = {f"params/{name}": array for name, array in net.params.items()}
    return params | {f"state/{name}": array for name, array in net.state.items()}
