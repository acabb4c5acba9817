"""Supervised Rendering: from a centre (x, y) to the 9 x 9 square around it (figure 6).

The network decides for each pixel separately whether it is lit. The deconvolution network is that of classification;
the CoordConv network is the classifier (the pointer), a softmax that sharpens its map, and convolutions that draw the
square (`renderers.py`).

Where the paper and its released code differ, this experiment follows one of them. Squares are white, 1, instead of the
grey of the code, with which no overlap above .502 was possible. The loss is the sigmoid cross-entropy of every pixel,
as in figure 1. Inputs are scaled to [-1, 1]; with ``raw_input`` they are pixel numbers 4..59 as in the code. The
drawing layers have 3 x 3 kernels, as in the README of the code; its logs say 1 x 1. The uniform split is 80/20 as in
the paper, the quadrant split has the strict rule of the code.
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

SOLVED_ABOVE = 0.98  # mean IOU
SLICE = 16  # images evaluated at a time

# The best test IOU that the paper reports for each network, and the training times on the axis of figure 6.
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
    # Networks of the official code that are not in the paper: the drawing layers alone, from one lit pixel to the
    # square; the deconvolution network as the pointer; upsampling and convolution in turn, without and with
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
        """Return the centres (samples, 2), and images of the squares (samples, 64, 64, 1); float32.

        The network "drawer" gets images of one lit pixel (samples, 64, 64, 1) instead of centres.
        """
        if model == "drawer":
            return data.one_hot(), data.squares()
        return data.inputs(raw=settings.raw_input), data.squares()

    def loss(self, settings: RenderingSettings) -> Loss:
        """Return the loss of the drawing, plus that of the pointer if it has a weight."""
        draw = LOSSES[settings.loss]
        return loss_with_pointer(draw, settings.pointer, settings.pointer_loss) if settings.pointer else draw

    def watch_part(self, net: Sequential, data: NotSoClevr, inputs: NDArray, part: NDArray) -> dict[str, float]:
        """Return the mean IOU."""
        return {"iou": float(_overlaps(net, data, inputs, part).mean())}

    def solved(self, metrics: Mapping[str, float]) -> bool:
        """Return whether the mean IOU is above .98 on the training and on the test set."""
        return metrics["train_iou"] > SOLVED_ABOVE and metrics["test_iou"] > SOLVED_ABOVE

    def measure(self, trainer: SupervisedTrainer) -> tuple[dict[str, float], dict[str, Any]]:
        """Return the metrics on the training and the test set, and the squares that the figures show.

        Returns
        -------
        metrics : dict
            With the prefix ``train_`` or ``test_``: ``iou``, the mean IOU of the squares; ``worst_iou``, the smallest;
            ``perfect``, the share of squares in which every pixel is right.
        arrays : dict
            With the same prefixes: ``overlaps`` (n,), float32, the IOU of each square; ``centres`` (n, 2), int16, in
            pixels; ``samples`` (k, 2), int16, the centres of a few squares; ``drawn`` (k, H, W), float16, the
            probabilities that the network draws for these.
        """
        net, data, inputs = trainer.model, trainer.data, trainer.inputs
        metrics: dict[str, float] = {}
        arrays: dict[str, Any] = {}
        for name in PARTS:
            part = getattr(trainer.split, name)
            overlaps = _overlaps(net, data, inputs, part)
            values = {"iou": overlaps.mean(), "worst_iou": overlaps.min(), "perfect": np.mean(overlaps == 1)}
            metrics |= {f"{name}_{key}": float(value) for key, value in values.items()}
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
        """Return the notes below the table: what the numbers mean, and what they cannot show."""
        lines = [
            "IOU: pixels both drawn and wanted, over pixels that are either; the mean over the squares",
            "solved: mean IOU above .98, train and test, after the last epoch; the length was fixed beforehand",
            "paper: its best networks, and times on its hardware",
        ]
        if any(r["model"] == "conv" and r["preset"] == "quick" for r in results):
            lines.append("conv, quick preset: a short run of a small network, to see how it fails")
        return lines

    def figures(self, results: Results, folder: Path) -> list[Path]:
        """Draw the squares of the first seed of each model, and test against training IOU of all runs."""
        from minicoord.experiments.rendering.figures import draw

        return draw(results, folder)

    def record_figures(self) -> Mapping[str, Any]:
        """Return figures 6 and S1, and our figures of drawn squares."""
        from minicoord.experiments.rendering.record_figures import FIGURES

        return FIGURES

    def describe(self) -> list[dict[str, Any]]:
        """Return a row for each network of the paper for this task: name, parameters and layers."""
        return describe_renderers()


def drawing(net: Sequential, inputs: NDArray) -> NDArray:
    """Return the logits of the drawing (N, H, W, 1), without the pointer's map that a network may output beside it."""
    return net.forward(inputs)[..., :1]


def _overlaps(net: Sequential, data: NotSoClevr, inputs: NDArray, part: NDArray) -> NDArray[np.float64]:
    """Return the IOU of each of the samples `part` (n,)."""
    slices = [part[k : k + SLICE] for k in range(0, len(part), SLICE)]
    return np.concatenate([iou(drawing(net, inputs[chosen]), data.squares(chosen)) for chosen in slices])
