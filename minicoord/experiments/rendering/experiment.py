"""Supervised Rendering: from a centre (x, y) to the 9 x 9 square around it (figure 6).

For every pixel the network answers on its own whether it is lit. The deconvolution network is the one that
classification has too; the CoordConv network is the classifier, a softmax that sharpens its map, and convolutions that
draw (`renderers.py`).

Where the paper and its released code differ, this file takes these sides. Squares are white, 1, not the grey of the
code, with which no overlap above .502 was possible. The loss is the sigmoid cross-entropy of every pixel, as figure 1
says. Inputs are scaled to [-1, 1]; ``raw_input`` feeds pixels 4..59 as the code did. The kernels of the tail are 3 x 3,
as in the README of the code; its logs say 1 x 1. The uniform split is 80/20 as the paper says, the quadrant split has
the strict rule of the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.not_so_clevr import NotSoClevr
from minicoord.experiments.classification.painters import deconv_painter, upsample_painter
from minicoord.experiments.frame.metrics import Metric, Results
from minicoord.experiments.rendering.losses import LOSSES, iou, loss_with_pointer
from minicoord.experiments.rendering.renderers import (
    coordconv_renderer,
    deconv_pointer_renderer,
    describe_renderers,
    drawing_tail,
)
from minicoord.experiments.rendering.settings import GRIDS, PRESETS, RenderingSettings
from minicoord.experiments.supervised.experiment import PARTS, SupervisedExperiment, SupervisedTrainer
from minicoord.experiments.supervised.pixels import middle_sample
from minicoord.nn.model import Sequential
from minicoord.train.accumulation import Loss

SOLVED_ABOVE = 0.98  # mean overlap
SLICE = 16  # images at a time when nothing is trained

# The best test overlap that the paper reports of each kind, and the seconds on the axis of figure 6.
PAPER = {
    ("conv", "uniform"): {"test_iou": ".83", "seconds": "over two hours"},
    ("conv", "quadrant"): {"test_iou": ".36"},
    "coordconv": {"test_iou": ".9 to 1.0", "seconds": "about a minute"},
}


class Rendering(SupervisedExperiment):
    """Convolution against CoordConv, on the uniform and on the quadrant split."""

    name = "rendering"
    title = "Supervised Rendering"
    paper_section = "figure 6"
    Settings = RenderingSettings
    presets = PRESETS
    grids = GRIDS
    models = ("conv", "coordconv")
    # Variants of the official code that are not in the paper: the tail alone, from one lit pixel to the square; the
    # deconvolution network in the place of the pointer; enlarging and convolving in turns, without and with
    # coordinates.
    more_models = ("drawer", "conv-pointer", "upsample", "upsample-coords")
    metrics = (
        Metric("train_iou", "train IOU", digits=3),
        Metric("test_iou", "test IOU", digits=3, primary=True),
        Metric("test_worst_iou", "worst square", digits=2),
        Metric("test_perfect", "perfect squares", " %", factor=100),
    )
    paper = PAPER

    def network(self, model: str, settings: RenderingSettings, seed: int) -> Sequential:
        """Return the network called `model`, with initial weights drawn from `seed`."""
        c, fs, m = settings.c, settings.fs, settings.m
        if model == "conv":
            return deconv_painter(c, fs, rng=seed)
        if model == "conv-pointer":
            return deconv_pointer_renderer(c, fs, m, seed)
        if model == "drawer":
            return Sequential(drawing_tail(fs, m, seed))
        if model in ("upsample", "upsample-coords"):
            return upsample_painter(c, fs, with_coords=model == "upsample-coords", rng=seed)
        shows_pointer = settings.pointer > 0
        return coordconv_renderer(fs, m, seed, settings.init_scale, shows_pointer, settings.sharpen)

    def samples(self, model: str, settings: RenderingSettings, data: NotSoClevr) -> tuple[NDArray, NDArray]:
        """Return the centres (samples, 2), and images of the squares (samples, 64, 64, 1)."""
        if model == "drawer":
            return data.one_hot(), data.squares()
        return data.inputs(raw=settings.raw_input), data.squares()

    def loss(self, settings: RenderingSettings) -> Loss:
        """Return the loss of the drawing, with that of the pointer where it has a weight."""
        draw = LOSSES[settings.loss]
        return loss_with_pointer(draw, settings.pointer, settings.pointer_loss) if settings.pointer else draw

    def watch_part(self, net: Sequential, data: NotSoClevr, inputs: NDArray, part: NDArray) -> dict[str, float]:
        """Return the mean overlap."""
        return {"iou": float(_overlaps(net, data, inputs, part).mean())}

    def solved(self, metrics: Mapping[str, float]) -> bool:
        """Return whether the mean overlap is above .98 on train and test."""
        return metrics["train_iou"] > SOLVED_ABOVE and metrics["test_iou"] > SOLVED_ABOVE

    def measure(self, trainer: SupervisedTrainer) -> tuple[dict[str, float], dict[str, Any]]:
        """Return the metrics of train and test, and the squares that the figures show.

        Returns
        -------
        metrics : dict
            For each of train and test: ``iou``, the mean overlap of the squares; ``worst_iou``, the smallest;
            ``perfect``, the share of squares without a wrong pixel.
        arrays : dict
            For each: ``train_overlaps`` (n,) and ``train_centres`` (n, 2); ``train_samples`` (k, 2), the centres of a
            few squares spread over the part, and ``train_drawn`` (k, H, W), the probabilities that were drawn for them.
        """
        net, data, inputs = trainer.model, trainer.data, trainer.inputs
        metrics: dict[str, float] = {}
        arrays: dict[str, Any] = {}
        for name in PARTS:
            part = getattr(trainer.split, name)
            overlaps = _overlaps(net, data, inputs, part)
            of_part = {"iou": overlaps.mean(), "worst_iou": overlaps.min(), "perfect": np.mean(overlaps == 1)}
            metrics |= {f"{name}_{key}": float(value) for key, value in of_part.items()}
            few = [middle_sample(data, third) for third in np.array_split(part, 3)]
            probabilities = 1 / (1 + np.exp(-drawing(net, inputs[few])[..., 0].astype(np.float64)))  # (k, H, W)
            arrays |= {
                f"{name}_overlaps": overlaps.astype(np.float32),
                f"{name}_centres": data.centres[part].astype(np.int16),
                f"{name}_samples": data.centres[few].astype(np.int16),
                f"{name}_drawn": probabilities.astype(np.float16),
            }
        return metrics, arrays

    def notes(self, results: Results) -> list[str]:
        """Return the sentences that belong below the table, so that nobody reads more into it than it holds."""
        lines = [
            "IOU: pixels that are drawn and wanted, over those that are either; a mean over the squares",
            "solved: mean IOU above .98, train and test, after the last epoch; the length was fixed beforehand",
            "paper: its best networks, and times on its hardware",
        ]
        if any(r["model"] == "conv" and r["preset"] == "quick" for r in results):
            lines.append("conv, quick preset: a short run of a small network, to see how it fails")
        return lines

    def figures(self, results: Results, folder: Path) -> list[Path]:
        """Draw the squares of the first seed of each model, and test against train overlap of all runs."""
        from minicoord.experiments.rendering.figures import draw

        return draw(results, folder)

    def record_figures(self) -> Mapping[str, Any]:
        """Return figure 6 and S1, and our pictures of squares."""
        from minicoord.experiments.rendering.record_figures import FIGURES

        return FIGURES

    def describe(self) -> list[dict[str, Any]]:
        """Return every network of the paper for this experiment: name, parameters and layers."""
        return describe_renderers()


def drawing(net: Sequential, inputs: NDArray) -> NDArray:
    """Return the logits (N, H, W, 1) of what a network draws, without the map that it may show beside it."""
    return net.forward(inputs)[..., :1]


def _overlaps(net: Sequential, data: NotSoClevr, inputs: NDArray, part: NDArray) -> NDArray[np.float64]:
    """Return the overlap of each of the samples `part`."""
    slices = [part[k : k + SLICE] for k in range(0, len(part), SLICE)]
    return np.concatenate([iou(drawing(net, inputs[chosen]), data.squares(chosen)) for chosen in slices])
