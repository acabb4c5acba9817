"""Weights of recorded runs in half the bytes: float16, small enough to come with the lessons.

Each weight keeps eleven bits, about three decimal digits. What that costs is measured, not assumed: `metrics_of` gives
the metrics of the networks with the weights as they are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord import experiments
from minicoord.nn.composites.base import Composite
from minicoord.train.trainer import Trainer

Arrays = Mapping[str, NDArray]
LARGEST = 1_000_000  # bytes for one run: these files are kept in the repository


def trainer_of(record: Mapping[str, Any], weights: Arrays | None = None) -> Trainer:
    """Return the trainer of a record as it began, or with the weights of `halved` or of files of weights.

    Raises
    ------
    ValueError
        If the weights do not fit a network.
    """
    experiment = experiments.get(record["experiment"])
    trainer = experiment.trainer(experiment.plan_of(record))
    for name, net in trainer.networks.items() if weights is not None else ():
        prefix = "" if len(trainer.networks) == 1 else f"{name}/"
        for key, array in _arrays(net).items():
            found = (weights or {}).get(f"{prefix}{key}")
            if found is None or found.shape != array.shape:
                shape = "nothing" if found is None else f"shape {found.shape}"
                raise ValueError(f"the weights of {record['model']} hold {shape} for {key!r}, wanted {array.shape}")
            np.copyto(array, found)
    return trainer


def network_of(record: Mapping[str, Any], weights: Arrays | None = None) -> Composite:
    """Return the network of a record that has one alone; see `trainer_of`."""
    (network,) = trainer_of(record, weights).networks.values()
    return network


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
            half[key] = array.astype(np.float16) if "params" in key.split("/") else array
        if not np.isfinite(half[key]).all():
            raise ValueError(f"{name}: the weights {key!r} reach {np.abs(array).max():.3g}, float16 ends at 65,504")
    size = sum(array.nbytes for array in half.values())
    if size > LARGEST:
        raise ValueError(f"{name}: its weights take {size:,} bytes as float16, wanted at most {LARGEST:,}")
    return half


def metrics_of(record: Mapping[str, Any], weights: Arrays) -> dict[str, float]:
    """Return the metrics of a recorded run's networks with these weights, such as ``test_accuracy``."""
    return experiments.get(record["experiment"]).measure(trainer_of(record, weights))[0]


def _arrays(net: Composite) -> dict[str, NDArray]:
    params = {f"params/{name}": array for name, array in net.params.items()}
    return params | {f"state/{name}": array for name, array in net.state.items()}
