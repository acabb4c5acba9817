"""The time per epoch of the classification networks, and their multiply-adds per image.

The long runs on record shared their machine with other work. The time per epoch is therefore measured separately, on an
idle machine, and multiplied by the number of epochs on record.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

from minicoord import experiments
from minicoord.bench.multiply_adds import multiply_adds
from minicoord.datasets.not_so_clevr import not_so_clevr
from minicoord.datasets.splits import split
from minicoord.nn.losses import softmax_cross_entropy
from minicoord.train.fit import fit

NETWORKS: tuple[tuple[str, dict[str, int]], ...] = (
    ("coordconv", {}),
    ("conv", {"c": 1, "fs": 2}),
    ("conv", {"c": 2, "fs": 2}),
    ("conv", {"c": 2, "fs": 3}),
    ("conv-no-bn", {"c": 3, "fs": 2}),
)


def epoch_time(rounds: int) -> Iterator[dict[str, Any]]:
    """Train the networks on the uniform split for `rounds` epochs each, in turns, and yield a row for each network.

    Parameters
    ----------
    rounds : int
        Epochs for each network.

    Yields
    ------
    dict
        ``model``, its ``settings``, ``parameters``, ``multiply_adds`` of a forward pass of one image,
        ``seconds_per_epoch`` (the median; training only, without evaluation and compiling, with the batch size of the
        preset "paper") and all ``seconds``.
    """
    data = not_so_clevr()
    train = split(data, "uniform").train
    x, y = data.inputs()[train], data.labels[train]
    classification = experiments.get("classification")
    networks = []
    for model, settings in NETWORKS:
        plan = classification.plan(model, "uniform", preset="paper", **settings)
        trainer = classification.trainer(plan)
        trainer.step()  # compiles what training calls
        (net,) = trainer.networks.values()
        networks.append((model, settings, net, plan.settings))
    optimisers = [preset.optimiser() for *_, preset in networks]
    seconds: list[list[float]] = [[] for _ in networks]
    for turn in range(rounds):
        for (*_, net, preset), optimiser, measured in zip(networks, optimisers, seconds, strict=True):
            batch = preset.batch_size
            options = {"epochs": 1, "batch_size": batch, "seed": turn, "progress": False}
            history = fit(net, softmax_cross_entropy, optimiser, x, y, **options)
            measured.append(history.last["train_seconds"])
    for (model, settings, net, _), measured in zip(networks, seconds, strict=True):
        yield {
            "model": model,
            "settings": settings,
            "parameters": net.n_params,
            "multiply_adds": multiply_adds(net, (1, 2)),
            "seconds_per_epoch": statistics.median(measured),
            "seconds": measured,
        }
