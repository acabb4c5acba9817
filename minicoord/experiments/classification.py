"""Supervised Coordinate Classification: from a centre (x, y) to one of 64 x 64 pixels (figures 4 and 5).

The simplest form of the coordinate transform, and the paper's first failing: a deconvolution network with fifty times
the parameters does not learn it, a CoordConv network learns it in seconds.

Where the paper and its released code differ, this file takes these sides. Inputs are scaled to [-1, 1] as the
coordinate channels are; ``raw_input`` feeds pixels 4..59 as the code did. The uniform split is 80/20 as the paper says,
the quadrant split has the strict rule of the code. The deconvolution network has batch normalisation, as in the code.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.accumulation import batch_gradients
from minicoord.checkpoint import save_weights
from minicoord.datasets.not_so_clevr import NotSoClevr, not_so_clevr
from minicoord.datasets.splits import Split, split as split_data
from minicoord.experiments.classification_report import describe, figures, notes, summary_table
from minicoord.experiments.painters import coordconv_painter, deconv_painter
from minicoord.experiments.pixels import accuracy, evaluate, middle_sample
from minicoord.experiments.record import peak_memory_mb, provenance
from minicoord.files import write_atomically, write_json
from minicoord.kernels.blas import one_blas_thread
from minicoord.losses import softmax, softmax_cross_entropy
from minicoord.model import Sequential
from minicoord.optim import Adam
from minicoord.schedules import ConstantSchedule, CosineSchedule, Schedule, StepSchedule
from minicoord.training import fit

__all__ = [
    "MODELS",
    "MORE_SPLITS",
    "PAPER_SECTION",
    "PRESETS",
    "SPLITS",
    "TITLE",
    "Preset",
    "compile_kernels",
    "describe",
    "figures",
    "measure",
    "network",
    "notes",
    "run",
    "summary_table",
]

TITLE = "Supervised Coordinate Classification"
PAPER_SECTION = "figures 4 and 5"
MODELS = ("conv", "coordconv")
SPLITS = ("uniform", "quadrant")
MORE_SPLITS = ("quadrant-symmetric", "official-uniform")


@dataclass(frozen=True)
class Preset:
    """The settings of one training run.

    Attributes
    ----------
    epochs, batch_size : int
    lr : float
        Learning rate of Adam at the start.
    l2 : float
        Strength of the penalty ``l2 * sum(w^2)`` on convolution kernels.
    schedule : {"constant", "step", "cosine"}
        ``"step"``: a tenth every 200 epochs, at most four times (the official code). ``"cosine"``: down to zero.
    beta2 : float
        Of Adam; the official code had 0.99.
    init_scale : float
        A factor for the initial weights of the CoordConv network; the official code had 1.
    c, fs : int
        Channel factor and filter size of the deconvolution network; without meaning for CoordConv.
    """

    epochs: int
    lr: float
    l2: float
    schedule: str = "constant"
    batch_size: int = 16
    beta2: float = 0.99
    init_scale: float = 1.0
    c: int | None = None
    fs: int | None = None

    def learning_rates(self) -> Schedule:
        """Return the learning rate as a function of the epoch."""
        if self.schedule == "cosine":
            return CosineSchedule(self.lr, self.epochs)
        return StepSchedule(self.lr) if self.schedule == "step" else ConstantSchedule(self.lr)


PRESETS: dict[str, dict[str, Preset]] = {
    "quick": {
        "conv": Preset(epochs=12, lr=0.01, l2=0.001, c=1, fs=3),
        # On the quadrant split a network that fits the training set need not go on rightly into the fourth quarter.
        # A strong L2 penalty leads most seeds there; initial weights of half the size led those that were left.
        "coordconv": Preset(epochs=6, lr=0.01, l2=0.003, schedule="cosine", init_scale=0.5),
    },
    # One setting of the official grids each; README of the official code for conv, its logs for CoordConv.
    "paper": {
        "conv": Preset(epochs=1000, lr=0.01, l2=0.001, schedule="step", c=2, fs=3),
        "coordconv": Preset(epochs=50, lr=0.005, l2=0.001),
    },
}


def network(model: str, preset: Preset, seed: int) -> Sequential:
    """Return the network called `model`, with initial weights drawn from `seed`."""
    if model == "conv":
        return deconv_painter(preset.c or 2, preset.fs or 3, rng=seed)
    return coordconv_painter(seed, init_scale=preset.init_scale)


def run(
    model: str,
    split: str,
    *,
    preset: str = "quick",
    seed: int = 0,
    out: Path = Path("minicoord-results"),
    resume: bool = False,
    raw_input: bool = False,
    progress: bool = True,
    **changes: Any,
) -> dict[str, Any]:
    """Train one network on one split, evaluate it, and write checkpoint, weights, maps and ``result.json``.

    Parameters
    ----------
    model : {"conv", "coordconv"}
    split : str
        A name that `minicoord.datasets.splits.split` knows. The uniform split is the same for every seed.
    preset : {"quick", "paper"}
    seed : int
        Decides the initial weights and the order of the samples.
    out : path
        The files go to ``out/classification/PRESET/MODEL-SPLIT-seedN`` (``-raw`` with raw input).
    resume : bool
        Go on from the checkpoint in that folder, if there is one.
    raw_input : bool
        Feed the centres in pixels.
    progress : bool
        Show a progress bar on stderr.
    **changes
        Settings that differ from the preset, such as ``epochs=2``.

    Returns
    -------
    dict
        What ``result.json`` holds. Accuracies are shares, distances are in pixels, times in seconds; ``solved`` is true
        if train and test accuracy are both 1 after the last epoch.

    Raises
    ------
    ValueError
        If a name is unknown or a setting impossible.
    """
    settings = _settings(preset, model, changes)
    data = not_so_clevr()
    parts = split_data(data, split)
    name = f"{model}-{split}-seed{seed}" + ("-raw" if raw_input else "")
    folder = Path(out) / "classification" / preset / name
    folder.mkdir(parents=True, exist_ok=True)
    inputs, made_by = data.inputs(raw=raw_input), provenance()
    net = network(model, settings, seed)
    compile_kernels(network(model, settings, seed), inputs[:1], data.labels[:1])

    def accuracies(net: Sequential, epoch: int) -> dict[str, float]:
        return {
            "train_accuracy": accuracy(net, data, inputs, parts.train),
            "test_accuracy": accuracy(net, data, inputs, parts.test),
        }

    history = fit(
        net,
        softmax_cross_entropy,
        Adam(settings.lr, beta2=settings.beta2, l2=settings.l2),
        inputs[parts.train],
        data.labels[parts.train],
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        seed=seed,
        schedule=settings.learning_rates(),
        evaluate=accuracies,
        checkpoint=folder / "checkpoint.npz",
        resume=resume and (folder / "checkpoint.npz").exists(),
        progress=progress,
        label=name,
        settings={"experiment": "classification", "model": model, "split": split, "raw_input": raw_input},
    )
    metrics, maps = measure(net, data, inputs, parts)
    result = {
        "experiment": "classification",
        "model": model,
        "split": split,
        "preset": preset,
        "seed": seed,
        "raw_input": raw_input,
        "parameters": net.n_params,
        "epochs": len(history),
        "train_seconds": history.last.get("train_seconds", 0.0),
        "metrics": metrics,
        "solved": metrics["train_accuracy"] == metrics["test_accuracy"] == 1.0,
        "interrupted": history.interrupted,
        "settings": asdict(settings),
        "samples": {"train": len(parts.train), "test": len(parts.test)},
        "folder": str(folder),
        "peak_memory_mb": peak_memory_mb(),
        **made_by,
        "history": history.rows,
    }
    save_weights(folder / "weights.npz", net)
    with write_atomically(folder / "maps.npz") as file:
        np.savez_compressed(file, **maps)
    write_json(folder / "result.json", result)
    return result


def compile_kernels(net: Sequential, inputs: NDArray, labels: NDArray) -> None:
    """Take one step with a network to throw away, so that the seconds of a run count training and not compiling."""
    with one_blas_thread():
        batch_gradients(net, softmax_cross_entropy, inputs, labels, slice_size=len(inputs))
        Adam(0.1).step(net)


def _settings(preset: str, model: str, changes: dict[str, Any]) -> Preset:
    if preset not in PRESETS:
        raise ValueError(f"classification: the preset was {preset!r}, it must be one of {', '.join(PRESETS)}")
    if model not in MODELS:
        raise ValueError(f"classification: the model was {model!r}, it must be one of {', '.join(MODELS)}")
    return replace(PRESETS[preset][model], **changes)


def measure(
    net: Sequential, data: NotSoClevr, inputs: NDArray, parts: Split
) -> tuple[dict[str, float], dict[str, Any]]:
    """Return the metrics of train and test, such as ``test_accuracy``, and the arrays that the figures show."""
    metrics: dict[str, float] = {}
    maps: dict[str, Any] = {}
    for name, part in (("train", parts.train), ("test", parts.test)):
        of_part, maps[name] = evaluate(net, data, inputs, part)
        metrics |= {f"{name}_{key}": value for key, value in of_part.items()}
    sample = middle_sample(data, parts.test)
    logits = net.forward(inputs[sample : sample + 1])
    maps |= {"target": data.centres[sample], "logits": logits[0, ..., 0], "probabilities": softmax(logits)[0, ..., 0]}
    return metrics, maps
