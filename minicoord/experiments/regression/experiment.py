"""Supervised Coordinate Regression: from one lit pixel of 64 x 64 to its position (x, y) (figure 5).

The inverse of classification. The paper has a convolutional network for each split, because neither works on both, and
one CoordConv network (`regressors.py`). Here every network is trained on both splits, to show where it fails:
``conv-fc``, which the paper used on the uniform split; ``conv-full``, which it used on the quadrant split; and
``coordconv``.

The coordinates alone do not make the CoordConv network work: it also has no activations, and its pooling takes the
maximum. Three variants of it, with ReLU, with a mean, and with both, show what happens otherwise.

Where the paper and its released code differ, or one of them is silent, this experiment follows one of them. The target
is the centre divided by 64, the loss the squared error, averaged over the batch and both coordinates, as in the code.
The metric is the mean Euclidean distance in pixels; the paper gives no errors in pixels. The uniform split is 80/20 as
in the paper, the quadrant split has the strict rule of the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.not_so_clevr import NotSoClevr
from minicoord.experiments.frame.metrics import Metric, Results
from minicoord.experiments.frame.plan import Plan
from minicoord.experiments.regression.regressors import (
    conv_fc_regressor,
    coordconv_regressor,
    describe_regressors,
    fully_convolutional_regressor,
    start_at_mean,
)
from minicoord.experiments.regression.settings import GRIDS, MODELS, PRESETS, VARIANTS, RegressionSettings
from minicoord.experiments.supervised.experiment import PARTS, SupervisedExperiment, SupervisedTrainer
from minicoord.nn.losses import mean_squared_error
from minicoord.nn.model import Sequential
from minicoord.train.accumulation import Loss

SCALE = 64  # pixels: a target is the centre in pixels divided by this
SOLVED_BELOW = 0.5  # pixels, mean distance: half a pixel is where rounding begins to give another pixel
SLICE = 64  # images evaluated at a time
MEAN_OF_EVERY = 20  # the mean of the initial outputs is taken over every 20th training image, about a hundred

# The paper describes the outcome of each network in words and point clouds, without numbers.
PAPER = {
    ("conv-fc", "uniform"): {"test_distance": "good"},
    ("conv-fc", "quadrant"): {"test_distance": "fails"},
    ("conv-full", "uniform"): {"test_distance": "poor"},
    ("conv-full", "quadrant"): {"test_distance": "in part"},
    ("coordconv", "uniform"): {"test_distance": "fits"},
    ("coordconv", "quadrant"): {"test_distance": "fits"},
}


class Regression(SupervisedExperiment):
    """Two convolutional networks against CoordConv, each on both splits."""

    name = "regression"
    title = "Supervised Coordinate Regression"
    paper_section = "figure 5"
    Settings = RegressionSettings
    presets = PRESETS
    grids = GRIDS
    models = MODELS
    more_models = tuple(VARIANTS)
    metrics = (
        Metric("train_distance", "train error", " px", more_is_better=False, digits=2),
        Metric("test_distance", "test error", " px", more_is_better=False, digits=2, primary=True),
        Metric("test_worst", "worst test error", " px", more_is_better=False),
        Metric("test_accuracy", "right pixel", " %", factor=100),
    )
    paper = PAPER

    def network(self, model: str, settings: RegressionSettings, seed: int) -> Sequential:
        """Return the network called `model`, with initial weights drawn from `seed`."""
        if model == "conv-fc":
            return conv_fc_regressor(settings.m, rng=seed)
        if model == "conv-full":
            return fully_convolutional_regressor(settings.m, rng=seed)
        return coordconv_regressor(rng=seed, coordinate_scale=settings.init_scale, **VARIANTS.get(model, {}))

    def trainer(self, plan: Plan) -> SupervisedTrainer:
        """Return the trainer of a run; with ``start_at_mean`` the initial outputs have the mean of the targets."""
        trainer = super().trainer(plan)
        if plan.settings.start_at_mean:
            train = trainer.split.train
            images, centres = trainer.inputs[train[::MEAN_OF_EVERY]], trainer.data.centres[train]
            start_at_mean(trainer.model, images, centres / SCALE)
        return trainer

    def samples(self, model: str, settings: Any, data: NotSoClevr) -> tuple[NDArray, NDArray]:
        """Return images of one lit pixel (samples, 64, 64, 1), and its (x, y) divided by 64 (samples, 2); float32."""
        return data.one_hot(), (data.centres / SCALE).astype(np.float32)

    def loss(self, settings: Any) -> Loss:
        """Return the mean squared error."""
        return mean_squared_error

    def watch_part(self, net: Sequential, data: NotSoClevr, inputs: NDArray, part: NDArray) -> dict[str, float]:
        """Return the mean distance from the prediction to the lit pixel, in pixels."""
        return {"distance": float(_errors(net, data, inputs, part)[1].mean())}

    def solved(self, metrics: Mapping[str, float]) -> bool:
        """Return whether the mean distance is below half a pixel on the training and on the test set."""
        return metrics["train_distance"] < SOLVED_BELOW and metrics["test_distance"] < SOLVED_BELOW

    def measure(self, trainer: SupervisedTrainer) -> tuple[dict[str, float], dict[str, Any]]:
        """Return the metrics and the predictions on the training and the test set.

        Returns
        -------
        metrics : dict
            With the prefix ``train_`` or ``test_``: ``distance`` and ``worst``, the mean and the largest distance in
            pixels, and ``accuracy``, the share of samples whose rounded prediction is the lit pixel.
        arrays : dict
            ``train`` and ``test`` (n, 2), float32, the predictions in pixels; ``train_centres`` and ``test_centres``
            (n, 2), int16, the lit pixels.
        """
        data = trainer.data
        metrics: dict[str, float] = {}
        arrays: dict[str, Any] = {}
        for name in PARTS:
            part = getattr(trainer.split, name)
            predicted, distance = _errors(trainer.model, data, trainer.inputs, part)
            right = np.all(np.rint(predicted) == data.centres[part], axis=1)  # (n,)
            values = {"distance": distance.mean(), "worst": distance.max(), "accuracy": right.mean()}
            metrics |= {f"{name}_{key}": float(value) for key, value in values.items()}
            arrays |= {name: predicted.astype(np.float32), f"{name}_centres": data.centres[part].astype(np.int16)}
        return metrics, arrays

    def notes(self, results: Results) -> list[str]:
        """Return the notes below the table: what the numbers mean, and what they cannot show."""
        return [
            "error: mean distance from the network's point to the lit pixel; right pixel: test points that round to it",
            "solved: mean error below half a pixel, train and test, after the last epoch of a length fixed beforehand",
            "paper: its words for figure 5; it gives no errors in pixels",
        ]

    def figures(self, results: Results, folder: Path) -> list[Path]:
        """Draw the point clouds and the error over the canvas, for the first seed of each model."""
        from minicoord.experiments.regression.figures import draw

        return draw(results, folder)

    def record_figures(self) -> Mapping[str, Any]:
        """Return figures 5 and S3, the blog's point clouds, and our error maps."""
        from minicoord.experiments.regression.record_figures import FIGURES

        return FIGURES

    def describe(self) -> list[dict[str, Any]]:
        """Return a row for each network of the paper for this task: name, parameters and layers."""
        return describe_regressors()


def predictions(net: Sequential, inputs: NDArray, part: NDArray) -> NDArray[np.float64]:
    """Return the predictions of the samples `part`: (n, 2), x and y in pixels."""
    slices = [net.forward(inputs[part[k : k + SLICE]]) for k in range(0, len(part), SLICE)]
    return SCALE * np.concatenate(slices).astype(np.float64)


def _errors(net: Sequential, data: NotSoClevr, inputs: NDArray, part: NDArray) -> tuple[NDArray, NDArray]:
    """Return the predictions of the samples `part` (n, 2) and their distances from the lit pixels (n,), in pixels."""
    predicted = predictions(net, inputs, part)  # (n, 2)
    return predicted, np.hypot(*(predicted - data.centres[part]).T)
