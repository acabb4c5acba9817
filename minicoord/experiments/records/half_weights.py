"""Weights of recorded runs in half precision (float16), small enough to ship with the lessons.

Each weight keeps eleven significant bits, about three decimal digits. The effect is measured: `metrics_of` evaluates
the networks with the weights as they are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord import experiments
from minicoord.nn.composites.base import Composite
from minicoord.system.arguments import shown
from minicoord.train.trainer import Trainer

Arrays = Mapping[str, NDArray]
LARGEST = 1_000_000  # bytes per run: these files are kept in the repository


def trainer_of(record: Mapping[str, Any], weights: Arrays | None = None) -> Trainer:
    """Return the trainer of a recorded run, with its initial weights or with those of `halved` or of weights files.

    Networks that a record does not keep have their initial weights.

    Raises
    ------
    ValueError
        If an array is missing or has the wrong shape.
    """
    experiment = experiments.get(record["experiment"])
    trainer = experiment.trainer(experiment.plan_of(record))
    if weights is None:
        return trainer
    for name, net in trainer.networks.items():
        if experiment.kept_networks and name not in experiment.kept_networks:
            continue
        prefix = "" if len(trainer.networks) == 1 else f"{name}/"
        for key, array in _arrays(net).items():
            found = weights.get(f"{prefix}{key}")
            if found is None or found.shape != array.shape:
                shape = "nothing" if found is None else f"shape {found.shape}"
                held = f"the weights of {record['model']} hold {shape} for {shown(key)}"
                raise ValueError(f"{held}, wanted {array.shape}")
            np.copyto(array, found)
    return trainer


def network_of(record: Mapping[str, Any], weights: Arrays | None = None) -> Composite:
    """Return the network of a recorded run that has exactly one; see `trainer_of`."""
    (network,) = trainer_of(record, weights).networks.values()
    return network


def kept_of(record: Mapping[str, Any], weights: Arrays) -> dict[str, NDArray]:
    """Return the weights of those networks of a run that a record keeps."""
    kept = experiments.get(record["experiment"]).kept_networks
    return {key: array for key, array in weights.items() if not kept or key.split("/")[0] in kept}


def halved(weights: Arrays, name: str) -> dict[str, NDArray]:
    """Return weights, by names such as ``params/0.w``, with the parameters converted to float16.

    The running statistics of batch normalisation, ``state/...``, are left as they are: variances may be tiny.

    Parameters
    ----------
    weights : mapping of str to ndarray
        As a weights file holds them.
    name : str
        The name of the run, for the error messages.

    Raises
    ------
    ValueError
        If a parameter is too large for float16, or all of them together take more than `LARGEST` bytes.
    """
    half: dict[str, NDArray] = {}
    for key, array in weights.items():
        with np.errstate(over="ignore"):
            half[key] = array.astype(np.float16) if "params" in key.split("/") else array
        if not np.isfinite(half[key]).all():
            highest = np.abs(array).max()
            raise ValueError(f"{name}: the weights {shown(key)} reach {highest:.3g}, float16 ends at 65,504")
    size = sum(array.nbytes for array in half.values())
    if size > LARGEST:
        raise ValueError(f"{name}: its weights take {size:,} bytes as float16, wanted at most {LARGEST:,}")
    return half


def metrics_of(record: Mapping[str, Any], weights: Arrays) -> dict[str, float]:
    """Return the metrics of a recorded run, such as ``test_accuracy``, measured with these weights."""
    return experiments.get(record["experiment"]).measure(trainer_of(record, weights))[0]


def _arrays(net: Composite) -> dict[str, NDArray]:
    """Return the arrays of a network by their names in a weights file."""
    params = {f"params/{name}": array for name, array in net.params.items()}
    return params | {f"state/{name}": array for name, array in net.state.items()}
