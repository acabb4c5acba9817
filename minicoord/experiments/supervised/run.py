"""What the supervised experiments share: the settings of a run, training with checkpoints, and the files it writes.

Classification, regression and rendering differ in what goes into a network, what should come out, and how that is
judged: that is a `Task`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.not_so_clevr import NotSoClevr, not_so_clevr
from minicoord.datasets.splits import Split, split as split_data
from minicoord.experiments.frame.provenance import CoresOfOthers, peak_memory_mb, provenance
from minicoord.experiments.supervised.setting_rules import check_changes
from minicoord.kernels.blas import one_blas_thread
from minicoord.nn.model import Sequential
from minicoord.system.files import write_atomically, write_json
from minicoord.train.accumulation import Loss, batch_gradients
from minicoord.train.checkpoint import save_weights
from minicoord.train.fit import fit
from minicoord.train.optim import Adam, AdamW
from minicoord.train.schedules import ConstantSchedule, CosineSchedule, Schedule, StepSchedule

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
    decay : float
        Decoupled decay (AdamW) of convolution kernels, in place of that penalty; the official code had none.
    schedule : {"constant", "step", "cosine"}
        ``"step"``: a tenth after every fifth of the epochs; the official code did so every 200 of 1,000.
        ``"cosine"``: down to zero.
    beta2 : float
        Of Adam; the official code had 0.99.
    init_scale : float
        A factor for the initial weights of a CoordConv network, in regression for those of its coordinates; the
        official code had 1.
    start_at_mean : bool
        For regression: whether the last bias begins where the outputs have the mean of the training targets. The
        official code began with a bias of zero.
    c, fs, m : int
        Channel factor of a deconvolution network, side of its kernels or of those that draw, and channel factor of
        the other networks; None where the network has no such choice.
    loss : str
        For rendering, ``"sigmoid"`` (also if None; the mean over the pixels), ``"sigmoid-sum"`` (over the pixels of an
        image), ``"sigmoid-lit"`` (the same over the number of lit pixels) or ``"squares"``.
    pointer : float
        For rendering by CoordConv, the weight of a second loss on the map before the softmax, which should point at the
        centre. The official code had it as an option, with weight 1; the paper does not mention it.
    pointer_loss : {"softmax", "squares"}
        That second loss: cross-entropy, or squared error against the image of one lit pixel.
    sharpen : bool
        For rendering by CoordConv, whether there is a softmax between the parts that point and draw; the official code
        could leave it out.
    """

    epochs: int
    lr: float
    l2: float
    schedule: str = "constant"
    batch_size: int = 16
    beta2: float = 0.99
    decay: float = 0.0
    init_scale: float = 1.0
    start_at_mean: bool = False
    c: int | None = None
    fs: int | None = None
    m: int | None = None
    loss: str | None = None
    pointer: float = 0.0
    pointer_loss: str = "softmax"
    sharpen: bool = True

    def optimiser(self) -> Adam:
        """Return Adam with the penalty, or AdamW with the decay.

        Raises
        ------
        ValueError
            If there are both.
        """
        if self.decay and self.l2:
            raise ValueError(f"the settings had l2 {self.l2} and decay {self.decay}; one of them must be 0")
        if self.decay:
            return AdamW(self.lr, beta2=self.beta2, decay=self.decay)
        return Adam(self.lr, beta2=self.beta2, l2=self.l2)

    def learning_rates(self) -> Schedule:
        """Return the learning rate as a function of the epoch."""
        if self.schedule == "cosine":
            return CosineSchedule(self.lr, self.epochs)
        if self.schedule == "step":
            return StepSchedule(self.lr, every=max(1, self.epochs // 5))
        return ConstantSchedule(self.lr)


Presets = Mapping[str, Mapping[str, Preset]]


@dataclass(frozen=True)
class Task:
    """One supervised experiment, as `run` needs it.

    Attributes
    ----------
    name : str
        Of the experiment, and of the folder of its results.
    network : callable
        ``network(model, preset, split, seed)`` returns the network with its initial weights.
    samples : callable
        ``samples(model, data, raw_input)`` returns the inputs and targets of all samples.
    loss : callable
        ``loss(preset)`` returns a loss as `fit` takes it.
    watch : callable
        ``watch(net, data, inputs, part)`` returns the few metrics of some samples that are recorded after every epoch.
    measure : callable
        ``measure(net, data, inputs, parts)`` returns all metrics after the last epoch, such as ``test_accuracy``, and
        the arrays that the figures show.
    solved : callable
        Whether these metrics mean that the task is learned.
    own_settings : mapping
        For each model the names of its settings beside those of training.
    """

    name: str
    network: Callable[[str, Preset, str, int], Sequential]
    samples: Callable[[str, NotSoClevr, bool], tuple[NDArray, NDArray]]
    loss: Callable[[Preset], Loss]
    watch: Callable[[Sequential, NotSoClevr, NDArray, NDArray], dict[str, float]]
    measure: Callable[[Sequential, NotSoClevr, NDArray, Split], tuple[dict[str, float], dict[str, Any]]]
    solved: Callable[[Mapping[str, float]], bool]
    own_settings: Mapping[str, Sequence[str]]


def run(
    task: Task,
    presets: Presets,
    model: str,
    split: str,
    *,
    preset: str = "quick",
    seed: int = 0,
    out: Path = Path("minicoord-results"),
    resume: bool = False,
    raw_input: bool = False,
    progress: bool = True,
    folder_name: str | None = None,
    command: str | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Train one network on one split, evaluate it, and write checkpoint, weights, maps and ``result.json``.

    Parameters
    ----------
    task : Task
    presets : mapping
        For each preset and model the settings.
    model, split : str
        Split: a name that `minicoord.datasets.splits.split` knows. The uniform split is the same for every seed.
    preset : str
    seed : int
        Decides the initial weights and the order of the samples.
    out : path
        The files go to ``out/TASK/PRESET/MODEL-SPLIT-seedN`` (``-raw`` with raw input).
    resume : bool
        Go on from the checkpoint in that folder, if there is one.
    raw_input : bool
        Feed the centres in pixels.
    progress : bool
        Show a progress bar on stderr.
    folder_name : str, optional
        Another name for the last of these folders.
    command : str, optional
        What to write down as the command that led here; by default that of this process.
    **changes
        Settings that differ from the preset, such as ``epochs=2``.

    Returns
    -------
    dict
        What ``result.json`` holds. Accuracies are shares, distances are in pixels, times in seconds; ``solved`` judges
        the network after the last epoch.

    Raises
    ------
    ValueError
        If a name is unknown or a setting impossible.
    """
    settings = settings_with(task.name, presets, task.own_settings, preset, model, changes)
    data = not_so_clevr()
    parts = split_data(data, split)
    name = f"{model}-{split}-seed{seed}" + ("-raw" if raw_input else "")
    folder = Path(out) / task.name / preset / (folder_name or name)
    folder.mkdir(parents=True, exist_ok=True)
    inputs, targets = task.samples(model, data, raw_input)
    made_by, cores_of_others = provenance(command), CoresOfOthers()
    net, loss = task.network(model, settings, split, seed), task.loss(settings)
    compile_kernels(task.network(model, settings, split, seed), loss, inputs[:1], targets[:1])

    def watch(net: Sequential, epoch: int) -> dict[str, float]:
        pairs = (("train", parts.train), ("test", parts.test))
        watched = {name: task.watch(net, data, inputs, part) for name, part in pairs}
        return {f"{name}_{key}": value for name, metrics in watched.items() for key, value in metrics.items()}

    history = fit(
        net,
        loss,
        settings.optimiser(),
        inputs[parts.train],
        targets[parts.train],
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        seed=seed,
        schedule=settings.learning_rates(),
        evaluate=watch,
        checkpoint=folder / "checkpoint.npz",
        resume=resume and (folder / "checkpoint.npz").exists(),
        progress=progress,
        label=name,
        settings={"experiment": task.name, "model": model, "split": split, "raw_input": raw_input},
    )
    metrics, maps = task.measure(net, data, inputs, parts)
    result = {
        "experiment": task.name,
        "model": model,
        "split": split,
        "preset": preset,
        "seed": seed,
        "raw_input": raw_input,
        "parameters": net.n_params,
        "epochs": len(history),
        "train_seconds": history.last.get("train_seconds", 0.0),
        "metrics": metrics,
        "solved": bool(task.solved(metrics)),
        "interrupted": history.interrupted,
        "settings": asdict(settings),
        "samples": {"train": len(parts.train), "test": len(parts.test)},
        "folder": str(folder),
        "peak_memory_mb": peak_memory_mb(),
        **made_by,
        "cores_of_others": cores_of_others.so_far(),
        "history": history.rows,
    }
    save_weights(folder / "weights.npz", net)
    with write_atomically(folder / "maps.npz") as file:
        np.savez_compressed(file, **maps)
    write_json(folder / "result.json", result)
    return result


def compile_kernels(net: Sequential, loss: Loss, inputs: NDArray, targets: NDArray) -> None:
    """Take one step with a network to throw away, so that the seconds of a run count training and not compiling."""
    with one_blas_thread():
        batch_gradients(net, loss, inputs, targets, slice_size=len(inputs))
        Adam(0.1).step(net)


def settings_with(
    name: str,
    presets: Presets,
    own_settings: Mapping[str, Sequence[str]],
    preset: str,
    model: str,
    changes: Mapping[str, Any],
) -> Preset:
    """Return the settings of a preset and a model with some changes.

    Parameters
    ----------
    name : str
        Of the experiment, for the messages.
    presets : mapping
        For each preset and model the settings.
    own_settings : mapping
        For each model the names of its settings beside those of training.
    preset, model : str
    changes : mapping
        Settings that differ from the preset.

    Raises
    ------
    ValueError
        If there is no such preset, model or setting, or these settings cannot be, alone or together.
    """
    if preset not in presets:
        raise ValueError(f"{name}: the preset was {preset!r}, it must be one of {', '.join(presets)}")
    if model not in presets[preset]:
        others = ", ".join(presets[preset])
        if any(model in of_models for of_models in presets.values()):
            raise ValueError(f"{name}: the preset {preset!r} has no settings for {model!r}, only for {others}")
        raise ValueError(f"{name}: the model was {model!r}, it must be one of {others}")
    check_changes(f"{name}, {model}", Preset, own_settings[model], changes)
    settings = replace(presets[preset][model], **changes)
    try:
        settings.optimiser()
    except ValueError as error:
        raise ValueError(f"{name}, {model}: {error}") from None
    return settings
