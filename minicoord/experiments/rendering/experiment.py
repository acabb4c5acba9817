"""Supervised Rendering: from a centre (x, y) to the 9 x 9 square around it (figure 6).

Every pixel is asked on its own whether it is lit. The deconvolution network is the one that classification has too; the
CoordConv network is the classifier, a softmax that sharpens its map, and convolutions that draw (`renderers.py`).

Where the paper and its released code differ, this file takes these sides. Squares are white, 1, not the grey of the
code, with which no overlap above .502 was possible. The loss is the sigmoid cross-entropy of every pixel, as figure 1
says. Inputs are scaled to [-1, 1]; ``raw_input`` feeds pixels 4..59 as the code did. The kernels of the tail are 3 x 3,
as in the README of the code; its logs say 1 x 1. The uniform split is 80/20 as the paper says, the quadrant split has
the strict rule of the code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.not_so_clevr import NotSoClevr
from minicoord.datasets.splits import Split
from minicoord.experiments.classification.painters import deconv_painter, upsample_painter
from minicoord.experiments.rendering.renderers import coordconv_renderer, deconv_pointer_renderer, drawing_tail
from minicoord.experiments.rendering.report import describe, figures, notes, summary_table
from minicoord.experiments.supervised import run as supervised
from minicoord.experiments.supervised.pixels import middle_sample
from minicoord.experiments.supervised.run import MORE_SPLITS, SPLITS, Preset
from minicoord.nn.losses import mean_squared_error, sigmoid_cross_entropy, softmax_cross_entropy
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
    "iou",
    "measure",
    "network",
    "notes",
    "run",
    "summary_table",
]

TITLE = "Supervised Rendering"
PAPER_SECTION = "figure 6"
MODELS = ("conv", "coordconv")
# Variants of the official code that are not in the paper: the tail alone, from one lit pixel to the square; the
# deconvolution network in the place of the pointer; enlarging and convolving in turns, without and with coordinates.
MORE_MODELS = ("drawer", "conv-pointer", "upsample", "upsample-coords")
SOLVED_ABOVE = 0.98  # mean overlap
SLICE = 16  # images at a time when nothing is trained

OWN_SETTINGS = {
    "conv": ("c", "fs", "loss"),
    "coordconv": ("fs", "m", "init_scale", "loss", "pointer", "pointer_loss", "sharpen"),
    "drawer": ("fs", "m", "loss"),
    "conv-pointer": ("c", "fs", "m", "loss"),
    "upsample": ("c", "fs", "loss"),
    "upsample-coords": ("c", "fs", "loss"),
}

PRESETS: dict[str, dict[str, Preset]] = {
    "quick": {
        # With the penalty and the constant rate of the official setting, so short a run learns next to nothing.
        "conv": Preset(epochs=12, lr=0.01, l2=0.0, schedule="cosine", c=1, fs=3),
        # A loss that tells the pointer where to: from the squares alone the network learns to draw, but with a blurred
        # spot for a point, which goes astray in the fourth quarter. Weights decay by themselves, as in AdamW: the
        # penalty of classification takes the corners off the squares of some seeds, each of which hangs on one product
        # of weights.
        "coordconv": Preset(
            epochs=6,
            lr=0.01,
            l2=0.0,
            decay=0.1,
            schedule="cosine",
            init_scale=0.5,
            fs=3,
            m=1,
            loss="sigmoid-lit",
            pointer=1.0,
        ),
        "drawer": Preset(epochs=4, lr=0.005, l2=0.001, schedule="cosine", loss="sigmoid-lit", m=1),
        "conv-pointer": Preset(epochs=12, lr=0.01, l2=0.0, schedule="cosine", loss="sigmoid-lit", c=1),
        "upsample": Preset(epochs=12, lr=0.01, l2=0.0, schedule="cosine", c=1, fs=3),
        "upsample-coords": Preset(epochs=12, lr=0.01, l2=0.0, schedule="cosine", c=1, fs=3),
    },
    # One setting of the official grids for conv; the README of the official code for CoordConv.
    "paper": {
        "conv": Preset(epochs=1000, lr=0.01, l2=0.001, schedule="step", c=2, fs=3),
        "coordconv": Preset(epochs=50, lr=0.005, l2=0.001, fs=3, m=1),
    },
}


def network(model: str, preset: Preset, seed: int) -> Sequential:
    """Return the network called `model`, with initial weights drawn from `seed`."""
    c, fs, m = preset.c or 2, preset.fs or 3, preset.m or 1
    if model == "conv":
        return deconv_painter(c, fs, rng=seed)
    if model == "conv-pointer":
        return deconv_pointer_renderer(c, fs, m, seed)
    if model == "drawer":
        return Sequential(drawing_tail(fs, m, seed))
    if model in ("upsample", "upsample-coords"):
        return upsample_painter(c, fs, with_coords=model == "upsample-coords", rng=seed)
    return coordconv_renderer(fs, m, seed, preset.init_scale, show_pointer=preset.pointer > 0, sharpen=preset.sharpen)


def drawing(net: Sequential, inputs: NDArray) -> NDArray:
    """Return the logits (N, H, W, 1) of what a network draws, without the map that it may show beside it."""
    return net.forward(inputs)[..., :1]


def iou(drawn: NDArray, target: NDArray) -> NDArray[np.float64]:
    """Return the overlap of drawn and wanted pixels of each image, intersection over union.

    Parameters
    ----------
    drawn : ndarray, shape (N, H, W, 1)
        Logits; a pixel above 0, a probability above one half, is drawn.
    target : ndarray, shape (N, H, W, 1)
        1 where a pixel should be drawn, else 0.

    Returns
    -------
    ndarray of float64, shape (N,)
        From 0 to 1; 1 if nothing was drawn and nothing wanted.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.array([3.0, 2.0, -1.0, -4.0]).reshape(1, 2, 2, 1)
    >>> iou(logits, np.array([1.0, 0.0, 1.0, 0.0]).reshape(1, 2, 2, 1)).tolist()
    [0.3333333333333333]
    """
    lit, wanted = (drawn > 0).reshape(len(drawn), -1), (target > 0.5).reshape(len(target), -1)
    union = np.count_nonzero(lit | wanted, axis=1)
    both = np.count_nonzero(lit & wanted, axis=1)
    return np.where(union == 0, 1.0, both / np.maximum(union, 1))


def _network(model: str, preset: Preset, split: str, seed: int) -> Sequential:
    return network(model, preset, seed)


def _samples(model: str, data: NotSoClevr, raw_input: bool) -> tuple[NDArray, NDArray]:
    if model == "drawer":
        return data.one_hot(), data.squares()
    return data.inputs(raw=raw_input), data.squares()


def _overlaps(net: Sequential, data: NotSoClevr, inputs: NDArray, part: NDArray) -> NDArray[np.float64]:
    """Return the overlap of each of the samples `part`."""
    slices = [part[k : k + SLICE] for k in range(0, len(part), SLICE)]
    return np.concatenate([iou(drawing(net, inputs[chosen]), data.squares(chosen)) for chosen in slices])


def _watch(net: Sequential, data: NotSoClevr, inputs: NDArray, part: NDArray) -> dict[str, float]:
    return {"iou": float(_overlaps(net, data, inputs, part).mean())}


def measure(
    net: Sequential, data: NotSoClevr, inputs: NDArray, parts: Split
) -> tuple[dict[str, float], dict[str, Any]]:
    """Return the metrics of train and test, and the squares that the figures show.

    Returns
    -------
    metrics : dict
        For each of train and test: ``iou``, the mean overlap of the squares; ``worst_iou``, the smallest; ``perfect``,
        the share of squares without a wrong pixel.
    arrays : dict
        For each: ``train_overlaps`` (n,) and ``train_centres`` (n, 2); ``train_samples`` (k, 2), the centres of a few
        squares spread over the part, and ``train_drawn`` (k, H, W), the probabilities that were drawn for them.
    """
    metrics: dict[str, float] = {}
    arrays: dict[str, Any] = {}
    for name, part in (("train", parts.train), ("test", parts.test)):
        overlaps = _overlaps(net, data, inputs, part)
        of_part = {"iou": overlaps.mean(), "worst_iou": overlaps.min(), "perfect": np.mean(overlaps == 1)}
        metrics |= {f"{name}_{key}": float(value) for key, value in of_part.items()}
        few = [middle_sample(data, third) for third in np.array_split(part, 3)]
        probabilities = 1 / (1 + np.exp(-drawing(net, inputs[few])[..., 0].astype(np.float64)))
        arrays |= {
            f"{name}_overlaps": overlaps.astype(np.float32),
            f"{name}_centres": data.centres[part].astype(np.int16),
            f"{name}_samples": data.centres[few].astype(np.int16),
            f"{name}_drawn": probabilities.astype(np.float16),
        }
    return metrics, arrays


def squares_around_half(logits: NDArray, target: NDArray) -> tuple[float, NDArray]:
    """Return the mean squared error of ``logits + 1/2``, and its gradient: the other loss of the official sweep.

    There the network's output itself should be 0 or 1, and yet was judged as a logit, at 0. With one half taken off, a
    pixel is drawn where that output is above one half.
    """
    return mean_squared_error(logits + logits.dtype.type(0.5), target)


def sigmoid_cross_entropy_sum(logits: NDArray, target: NDArray) -> tuple[float, NDArray]:
    """Return the cross-entropy of an image, the sum over its pixels, on average over the images; and its gradient.

    The official code takes the mean over the pixels. It is the same loss, 4,096 times smaller, and an L2 penalty of the
    same strength then weighs 4,096 times more: with it, the CoordConv network never begins to draw.
    """
    loss, gradient = sigmoid_cross_entropy(logits, target)
    pixels = math.prod(logits.shape[1:])
    return pixels * loss, logits.dtype.type(pixels) * gradient


def sigmoid_cross_entropy_per_lit_pixel(logits: NDArray, target: NDArray) -> tuple[float, NDArray]:
    """Return the cross-entropy of all pixels over the number of those that should be lit, and its gradient.

    That makes it about as large as the cross-entropy of one choice among 4,096 pixels, so that both can be added.
    """
    loss, gradient = sigmoid_cross_entropy(logits, target)
    share = logits.size / max(float(target.sum()), 1.0)
    return share * loss, logits.dtype.type(share) * gradient


LOSSES: dict[str, Loss] = {
    "sigmoid": sigmoid_cross_entropy,
    "sigmoid-sum": sigmoid_cross_entropy_sum,
    "sigmoid-lit": sigmoid_cross_entropy_per_lit_pixel,
    "squares": squares_around_half,
}


def loss_with_pointer(draw: Loss, weight: float, point: str = "softmax") -> Loss:
    """Return a loss of drawing and map side by side: `draw` of the one and `weight` times that of the other.

    The map should point at the centre of the square, which is read from the target image. `point` names its loss:
    ``"softmax"``, cross-entropy, or ``"squares"``, mean squared error against the image of one lit pixel.

    Raises
    ------
    ValueError
        If `point` is something else.
    """
    if point not in ("softmax", "squares"):
        raise ValueError(f"rendering: the pointer_loss was {point!r}, it must be one of softmax, squares")

    def loss(output: NDArray, target: NDArray) -> tuple[float, NDArray]:
        drawn, pointed = (np.ascontiguousarray(output[..., k : k + 1]) for k in (0, 1))
        drawing_loss, of_drawing = draw(drawn, target)
        centres = centres_of(target)
        if point == "softmax":
            pointer_loss, of_map = softmax_cross_entropy(pointed, centres)
        else:
            lit = np.zeros_like(pointed)
            lit.reshape(len(lit), -1)[np.arange(len(lit)), centres] = 1
            pointer_loss, of_map = mean_squared_error(pointed, lit)
        return drawing_loss + weight * pointer_loss, np.concatenate([of_drawing, weight * of_map], axis=-1)

    return loss


def centres_of(squares: NDArray) -> NDArray[np.int64]:
    """Return for each image (N, H, W, 1) the flat index of the middle of the pixels that are lit."""
    width = squares.shape[2]
    rows, columns = (np.asarray(squares.any(axis=axes)) for axes in ((2, 3), (1, 3)))
    middles = [(lit.argmax(axis=1) + lit.shape[1] - 1 - lit[:, ::-1].argmax(axis=1)) // 2 for lit in (rows, columns)]
    return middles[0] * width + middles[1]


def _loss(preset: Preset) -> Loss:
    name = preset.loss or "sigmoid"
    if name not in LOSSES:
        raise ValueError(f"rendering: the loss was {name!r}, it must be one of {', '.join(LOSSES)}")
    if preset.pointer:
        return loss_with_pointer(LOSSES[name], preset.pointer, preset.pointer_loss)
    return LOSSES[name]


def _solved(metrics: Mapping[str, float]) -> bool:
    return metrics["train_iou"] > SOLVED_ABOVE and metrics["test_iou"] > SOLVED_ABOVE


TASK = supervised.Task("rendering", _network, _samples, _loss, _watch, measure, _solved, OWN_SETTINGS)


def run(model: str, split: str, *, out: Path = Path("minicoord-results"), **options: Any) -> dict[str, Any]:
    """Train one network on one split, evaluate it, and write its files below ``out/rendering``.

    Parameters
    ----------
    model : {"conv", "coordconv"} or one of MORE_MODELS
    split : str
    out : path
    **options
        Such as ``preset="paper"``, ``seed=3`` or ``epochs=2``: see `minicoord.experiments.supervised.run.run`.

    Returns
    -------
    dict
        What ``result.json`` holds; ``solved`` is true if the mean overlap is above .98 on train and test after the last
        epoch.

    Raises
    ------
    ValueError
        If a name is unknown or a setting impossible.
    """
    return supervised.run(TASK, PRESETS, model, split, out=out, **options)
