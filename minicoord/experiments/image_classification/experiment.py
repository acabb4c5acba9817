"""Image classification: a residual network with and without coordinates, where position tells nothing.

The paper put one CoordConv layer in front of ResNet-50 on ImageNet: top-5 accuracy rose by .04 %, the mean of five runs
for each network, which is not significant. Coordinates did not help, and did no harm. It took 100 GPUs; here the
network is ResNet-8 and the images are those of Fashion-MNIST, 28 x 28 pixels, so that ten seeds take minutes. What is
lost: everything about large images, many classes and deep networks.

The paper has two networks, here are three. ``control`` has the same front layer as ``coordconv``, with zeros in place
of the coordinates, which tells the effect of one more layer from that of the coordinates (``networks.py``).

Images of Fashion-MNIST are all in the same place, so on them coordinates could only be a constant pattern. In the
variant ``shifted`` they lie at random places of a larger canvas, with one quarter of the places left out in training.
There coordinates could harm: a network can learn by heart what lies where, and is then tested elsewhere.

Every network of a seed sees the same images in the same order; ``paired.py`` compares them pair by pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.experiments.frame.experiment import Experiment
from minicoord.experiments.frame.metrics import Metric, Results
from minicoord.experiments.frame.plan import Plan
from minicoord.experiments.image_classification.data import RunData, run_data
from minicoord.experiments.image_classification.networks import (
    FRONT,
    MODELS,
    front_weights,
    residual_network,
)
from minicoord.experiments.image_classification.paired import ENOUGH, sentences
from minicoord.experiments.image_classification.settings import (
    GRIDS,
    PRESETS,
    VARIANTS,
    ImageClassificationSettings,
)
from minicoord.nn.losses import softmax_cross_entropy
from minicoord.nn.model import Sequential
from minicoord.train.fit import Fit

SLICE = 250  # images evaluated at a time
MOST_TRAIN = 2000  # training images on which the training accuracy is measured, the first of them
PAPER = {("coordconv", "centred"): {"test_accuracy": "+.04 % (top-5, over its baseline)"}}
PAPERS_SENTENCE = "paper: +.04 % top-5 accuracy on ImageNet by the front layer, mean of 5 runs each, not significant"


class ImageTrainer(Fit):
    """Fits a residual network to placed images, and holds what it is measured on.

    Parameters
    ----------
    plan : Plan
        The run; its settings are `ImageClassificationSettings`.

    Attributes
    ----------
    plan : Plan
        As given.
    data : RunData
        The images of training and test.
    """

    def __init__(self, plan: Plan) -> None:
        settings: ImageClassificationSettings = plan.settings
        self.plan = plan
        self.data: RunData = run_data(plan.variant, settings.data, settings.train_images, plan.seed)
        super().__init__(
            residual_network(plan.model, plan.seed),
            softmax_cross_entropy,
            settings.optimiser(),
            self.data.train.images,
            self.data.train.labels,
            epochs=settings.epochs,
            batch_size=settings.batch_size,
            seed=plan.seed,
            schedule=settings.learning_rates(),
        )


class ImageClassification(Experiment):
    """A residual network without front layer, with the paper's, and with one whose coordinates are zero.

    Examples
    --------
    >>> from minicoord import experiments
    >>> plan = experiments.get("image-classification").plan("coordconv", "shifted", seed=3)
    >>> plan.name, plan.settings.train_images
    ('coordconv-shifted-seed3', 3000)
    """

    name = "image-classification"
    title = "Image Classification"
    paper_section = "section 5, on ImageNet"
    Settings = ImageClassificationSettings
    presets = PRESETS
    grids = GRIDS
    models = MODELS
    variants = VARIANTS
    variant_name = "images"
    metrics = (
        Metric("train_accuracy", "train accuracy", " %", factor=100),
        Metric("test_accuracy", "test accuracy", " %", factor=100, digits=2, primary=True),
        Metric("new_places_accuracy", "at new positions", " %", factor=100, digits=2),
    )
    paper = PAPER

    def trainer(self, plan: Plan) -> ImageTrainer:
        """Return the network with its images."""
        return ImageTrainer(plan)

    def measure(self, trainer: ImageTrainer) -> tuple[dict[str, float], dict[str, Any]]:
        """Return the accuracies, and what the figures show.

        Returns
        -------
        metrics : dict
            Shares from 0 to 1: ``train_accuracy`` on at most 2,000 training images, ``test_accuracy`` on the test
            images at places of training, ``new_places_accuracy`` on the same at places that no training image had.
        arrays : dict
            For the test images, at places of training and with the prefix ``new_`` at others: ``labels`` and
            ``predicted`` (n,), uint8, and ``places`` (n, 2), int8, in pixels. ``front`` and ``front_before`` (4, 8),
            float32: the weights of the front layer after and before training, with the rows image, i, j and r; without
            a front layer (0, 8).
        """
        net, data = trainer.model, trainer.data
        few = slice(MOST_TRAIN)
        right = predictions(net, data.train.images[few]) == data.train.labels[few]  # (at most MOST_TRAIN,)
        metrics = {"train_accuracy": float(np.mean(right))}
        arrays: dict[str, Any] = {}
        for name, prefix, part in (("test", "", data.test), ("new_places", "new_", data.moved)):
            predicted = predictions(net, part.images)  # (n,)
            metrics[f"{name}_accuracy"] = float(np.mean(predicted == part.labels))
            arrays |= {
                f"{prefix}labels": part.labels.astype(np.uint8),
                f"{prefix}predicted": predicted.astype(np.uint8),
                f"{prefix}places": part.places.astype(np.int8),
            }
        before = front_weights(residual_network(trainer.plan.model, trainer.plan.seed))
        return metrics, arrays | {"front": front_weights(net), "front_before": before}

    def facts(self, trainer: ImageTrainer) -> dict[str, Any]:
        """Return the number of images, the side of the canvas in pixels and the number of places."""
        data = trainer.data
        return {
            "samples": {"train": len(data.train), "test": len(data.test)},
            "canvas": data.places.canvas,
            "places": {"seen": len(data.places.seen), "new": len(data.places.new)},
        }

    def notes(self, results: Results) -> list[str]:
        """Return the paired differences, the paper's, and what the columns mean."""
        lines = sentences(results)
        if lines and len({r["seed"] for r in results}) < ENOUGH:
            lines.append("fewer than ten seeds: the intervals are too narrow to decide anything")
        return [
            *lines,
            PAPERS_SENTENCE,
            "control: the front layer with zeros in place of the coordinates",
            "at new positions: centred images moved by 2 pixels along a diagonal; shifted ones in the quarter left out",
        ]

    def remarks(self, records: Results, folder: Path) -> list[str]:
        """Return the paired differences, and the paper's."""
        lines = sentences([r for r in records if r["experiment"] == self.name])
        return [*lines, PAPERS_SENTENCE] if lines else []

    def figures(self, results: Results, folder: Path) -> list[Path]:
        """Draw paired differences, confusion, weights of the front layer, and accuracy against place."""
        from minicoord.experiments.image_classification.figures import draw

        return draw(results, folder)

    def record_figures(self) -> Mapping[str, Any]:
        """Return the same figures, drawn from records."""
        from minicoord.experiments.image_classification.record_figures import FIGURES

        return FIGURES

    def describe(self) -> list[dict[str, Any]]:
        """Return a row for each network: name, parameters and layers."""
        front = {"conv": "", "coordconv": f"CoordConv2D {FRONT}, 1x1 with r; "}
        front["control"] = f"the same with zero coordinates: {front['coordconv']}"
        body = "Conv2D 16; three residual blocks of 16, 32 and 64, 3x3, batch norm; mean over the image; Dense 10"
        return [
            {"model": model, "parameters": residual_network(model, 0).n_params, "layers": f"{front[model]}{body}"}
            for model in MODELS
        ]


def predictions(net: Sequential, images: NDArray) -> NDArray[np.int64]:
    """Return the class with the largest logit for images (N, H, W, 1): (N,)."""
    slices = [net.forward(images[k : k + SLICE]).argmax(axis=1) for k in range(0, len(images), SLICE)]
    return np.concatenate(slices)
