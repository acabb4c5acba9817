"""Supervised Coordinate Regression: from one lit pixel of 64 x 64 back to its place (x, y) (figure 5).

Classification turned around. The paper has a convolutional network for each split, because neither serves both, and one
CoordConv network (`regressors.py`). Here every network is trained on both splits, so that the failures show:
``conv-fc``, which the paper took for the uniform split; ``conv-full``, which it took for the quadrant split; and
``coordconv``.

Nor does the CoordConv network work by its coordinates alone: it has no activation, and its pooling takes the maximum.
Three variants of it, with ReLU, with the mean, and with both, show what becomes of it without.

Where the paper and its released code differ, or one of them is silent, this file takes these sides. The target is the
centre divided by 64, the loss the mean over the batch and both coordinates of the squared error, as in the code. The
metric is the mean Euclidean distance in pixels. The paper gives no errors in pixels. The uniform split is 80/20 as the
paper says, the quadrant split has the strict rule of the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.not_so_clevr import NotSoClevr, not_so_clevr
from minicoord.datasets.splits import Split, split as split_data
from minicoord.experiments.regression.regressors import (
    conv_fc_regressor,
    coordconv_regressor,
    fully_convolutional_regressor,
    start_at_mean,
)
from minicoord.experiments.regression.report import describe, figures, notes, summary_table
from minicoord.experiments.supervised import run as supervised
from minicoord.experiments.supervised.run import MORE_SPLITS, SPLITS, Preset
from minicoord.nn.losses import mean_squared_error
from minicoord.nn.model import Sequential
from minicoord.train.accumulation import Loss

__all__ = [
    "MODELS",
    "MORE_MODELS",
    "MORE_SPLITS",
    "PAPER_SECTION",
    "PRESETS",
    "SPLITS",
    "TITLE",
    "Preset",
    "describe",
    "figures",
    "measure",
    "network",
    "notes",
    "predictions",
    "run",
    "summary_table",
]

TITLE = "Supervised Coordinate Regression"
PAPER_SECTION = "figure 5"
MODELS = ("conv-fc", "conv-full", "coordconv")
# The CoordConv network with what the paper does not say that it lacks: ReLU between its layers, or a mean at its end.
VARIANTS = {
    "coordconv-relu": {"relu": True},
    "coordconv-mean": {"mean": True},
    "coordconv-relu-mean": {"relu": True, "mean": True},
}
MORE_MODELS = tuple(VARIANTS)
SCALE = 64  # a target is the centre in pixels, divided by this
SOLVED_BELOW = 0.5  # pixels: then the pixel is right once the prediction is rounded, on average
SLICE = 64  # images at a time when nothing is trained
MEAN_OF_EVERY = 20  # the mean of the first outputs is taken over every 20th image, some hundred

OWN_SETTINGS = {
    "conv-fc": ("m", "start_at_mean"),
    "conv-full": ("m", "start_at_mean"),
    **dict.fromkeys(("coordconv", *VARIANTS), ("init_scale", "start_at_mean")),
}

PRESETS: dict[str, dict[str, Preset]] = {
    "quick": {
        "conv-fc": Preset(epochs=12, lr=0.001, l2=1e-5, schedule="cosine", batch_size=32, m=1),
        "conv-full": Preset(epochs=20, lr=0.002, l2=1e-5, schedule="cosine", batch_size=32, m=1),
        # Small weights for the coordinates at the start, see `coordconv_regressor`, and outputs that begin at the mean
        # of the targets, see `start_at_mean`: with both, the lit pixel is the maximum from the first step to the last.
        **dict.fromkeys(
            ("coordconv", *VARIANTS),
            Preset(epochs=5, lr=0.003, l2=1e-5, schedule="cosine", batch_size=32, init_scale=0.03, start_at_mean=True),
        ),
    },
    # The official logs: CoordConv has one setting, the convolutional networks the middle one of their grid.
    "paper": {
        "conv-fc": Preset(epochs=100, lr=0.001, l2=1e-4, batch_size=256, m=1),
        "conv-full": Preset(epochs=100, lr=0.001, l2=1e-4, batch_size=256, m=1),
        **dict.fromkeys(("coordconv", *VARIANTS), Preset(epochs=100, lr=0.01, l2=1e-5, batch_size=256)),
    },
}


def network(model: str, preset: Preset, seed: int) -> Sequential:
    """Return the network called `model`, with initial weights drawn from `seed`."""
    if model == "conv-fc":
        return conv_fc_regressor(preset.m or 1, rng=seed)
    if model == "conv-full":
        return fully_convolutional_regressor(preset.m or 1, rng=seed)
    return coordconv_regressor(rng=seed, coordinate_scale=preset.init_scale, **VARIANTS.get(model, {}))


def predictions(net: Sequential, inputs: NDArray, part: NDArray) -> NDArray[np.float64]:
    """Return where the network sees the lit pixels of the samples `part`: (n, 2), x and y in pixels."""
    slices = [net.forward(inputs[part[k : k + SLICE]]) for k in range(0, len(part), SLICE)]
    return SCALE * np.concatenate(slices).astype(np.float64)


def _network(model: str, preset: Preset, split: str, seed: int) -> Sequential:
    net = network(model, preset, seed)
    if preset.start_at_mean:
        data = not_so_clevr()
        train = split_data(data, split).train
        start_at_mean(net, data.one_hot(train[::MEAN_OF_EVERY]), data.centres[train] / SCALE)
    return net


def _samples(model: str, data: NotSoClevr, raw_input: bool) -> tuple[NDArray, NDArray]:
    if raw_input:
        raise ValueError("regression: raw_input was True, but the input is an image of one lit pixel, nothing to scale")
    return data.one_hot(), (data.centres / SCALE).astype(np.float32)


def _errors(net: Sequential, data: NotSoClevr, inputs: NDArray, part: NDArray) -> tuple[NDArray, NDArray]:
    """Return the predictions of the samples `part`, and how far each is from its centre; both in pixels."""
    found = predictions(net, inputs, part)
    return found, np.hypot(*(found - data.centres[part]).T)


def _watch(net: Sequential, data: NotSoClevr, inputs: NDArray, part: NDArray) -> dict[str, float]:
    return {"distance": float(_errors(net, data, inputs, part)[1].mean())}


def measure(
    net: Sequential, data: NotSoClevr, inputs: NDArray, parts: Split
) -> tuple[dict[str, float], dict[str, Any]]:
    """Return the metrics of train and test, and where the network sees each centre.

    Returns
    -------
    metrics : dict
        For each of train and test: ``distance`` and ``worst``, the mean and the largest distance in pixels, and
        ``accuracy``, the share of samples whose rounded prediction is the lit pixel.
    arrays : dict
        For each: ``train`` of shape (n, 2), the predictions in pixels, and ``train_centres`` (n, 2).
    """
    metrics: dict[str, float] = {}
    arrays: dict[str, Any] = {}
    for name, part in (("train", parts.train), ("test", parts.test)):
        found, distance = _errors(net, data, inputs, part)
        right = np.all(np.rint(found) == data.centres[part], axis=1)
        of_part = {"distance": distance.mean(), "worst": distance.max(), "accuracy": right.mean()}
        metrics |= {f"{name}_{key}": float(value) for key, value in of_part.items()}
        arrays |= {name: found.astype(np.float32), f"{name}_centres": data.centres[part].astype(np.int16)}
    return metrics, arrays


def _loss(preset: Preset) -> Loss:
    return mean_squared_error


def _solved(metrics: Mapping[str, float]) -> bool:
    return metrics["train_distance"] < SOLVED_BELOW and metrics["test_distance"] < SOLVED_BELOW


TASK = supervised.Task("regression", _network, _samples, _loss, _watch, measure, _solved, OWN_SETTINGS)


def run(model: str, split: str, *, out: Path = Path("minicoord-results"), **options: Any) -> dict[str, Any]:
    """Train one network on one split, evaluate it, and write its files below ``out/regression``.

    Parameters
    ----------
    model : {"conv-fc", "conv-full", "coordconv"} or one of MORE_MODELS
    split : str
    out : path
    **options
        Such as ``preset="paper"``, ``seed=3`` or ``epochs=2``: see `minicoord.experiments.supervised.run.run`.

    Returns
    -------
    dict
        What ``result.json`` holds; ``solved`` is true if the mean distance is below half a pixel on train and test
        after the last epoch.

    Raises
    ------
    ValueError
        If a name is unknown or a setting impossible, or `raw_input` is asked for.
    """
    return supervised.run(TASK, PRESETS, model, split, out=out, **options)
