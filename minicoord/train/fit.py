"""Training: batches in seeded order, a checkpoint after every epoch, and a record of what happened.

An epoch is: shuffle; for each batch compute the gradients and let the optimiser take a step; then evaluate, and write a
checkpoint. A run that is killed and resumed repeats the epoch that it was killed in, and ends with the same bits.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.blas import one_blas_thread
from minicoord.nn.model import Sequential
from minicoord.system.arguments import check_number, check_whole
from minicoord.system.files import PathLike, plain
from minicoord.train.accumulation import Loss, batch_gradients, choose_slice_size
from minicoord.train.checkpoint import Checkpoint, CheckpointError, read_checkpoint
from minicoord.train.history import TRAINING_COLUMNS, History, Row
from minicoord.train.optim import Optimizer
from minicoord.train.progress import ProgressUpdate, Report, progress_display
from minicoord.train.run_settings import data_fingerprint, differences, name_of
from minicoord.train.schedules import ConstantSchedule

Targets = NDArray | Callable[[NDArray], Any] | None
Evaluate = Callable[[Sequential, int], Mapping[str, Any]]
StopWhen = Callable[[Row], bool]


def fit(
    model: Sequential,
    loss: Loss,
    optimizer: Optimizer,
    x: NDArray,
    y: Targets,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    schedule: Callable[[int], float] | float | None = None,
    evaluate: Evaluate | None = None,
    stop_when: StopWhen | None = None,
    slice_size: str | int | None = "auto",
    checkpoint: PathLike | None = None,
    resume: bool = False,
    drop_last: bool = False,
    progress: bool | Report = True,
    settings: Mapping[str, Any] | None = None,
    label: str = "training",
) -> History:
    """Train `model` in place and return the record of the run.

    Ctrl-C ends the run early: model and optimiser go back to the end of the last completed epoch, whose checkpoint is
    on disk, and the history that is returned ends there and has ``interrupted`` set.

    Parameters
    ----------
    model : Sequential
        The model.
    loss : callable
        ``loss(prediction, target) -> (value, dprediction)``, a mean over the samples, such as those in
        ``minicoord.nn.losses``.
    optimizer : Optimizer
        Changes the parameters after each batch.
    x : ndarray, shape (samples, ...)
        The inputs, in the dtype of the model.
    y : ndarray of length samples, callable or None
        The targets; or ``y(indices)``, which returns the targets of the samples with these indices; or None, where the
        input itself is the target.
    epochs : int
        How often the run goes through the data, epochs of a resumed checkpoint included; 0 or more.
    batch_size : int
        Samples per step of the optimiser. The last batch of an epoch may be smaller.
    seed : int
        Seed of the shuffling, 0 or more. It has no part in the initial weights.
    schedule : callable or float, optional
        ``schedule(epoch) -> lr``, epochs counted from 0, see `minicoord.train.schedules`; by default `optimizer.lr`.
    evaluate : callable, optional
        ``evaluate(model, epoch) -> dict`` of metrics, called after each epoch (from 1). What it returns is recorded in
        the history and decides nothing.
    stop_when : callable, optional
        ``stop_when(row) -> bool``, called after each epoch; True ends the run. The row holds the training columns only
        (see `History`), so that no choice can depend on test data. It should depend on nothing but the row.
    slice_size : "auto", int or None
        How many samples of a batch go through the network at a time, with the gradients added up: see
        ``minicoord.train.accumulation``. None switches it off. Changes the result in the last bits only.
    checkpoint : path, optional
        Where to write a checkpoint, before the first epoch and after each one.
    resume : bool
        True: go on from the checkpoint, bit for bit, if the file exists; a run that was complete returns at once.
        False: start anew, and overwrite the file.
    drop_last : bool
        True: leave the last batch out if it is smaller than the others.
    progress : bool or callable
        True shows a bar on stderr or in the notebook, or one line per epoch on stderr where that is no terminal. A
        callable gets a ``ProgressUpdate`` after each batch and each evaluation.
    settings : mapping, optional
        Facts of the run that `fit` cannot see, fit for JSON; a checkpoint resumes only under the same ones.
    label : str
        What the progress display calls the run.

    Returns
    -------
    History
        One row per completed epoch.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, value or shape.
    FloatingPointError
        If the loss or a weight becomes NaN or infinite; the last checkpoint stays on disk.
    CheckpointError
        If the checkpoint is damaged, or comes from another model, data or settings; nothing is changed then. `epochs`
        may be larger than it was.
    OSError
        If the checkpoint cannot be written.

    Warns
    -----
    CheckpointWarning
        If the checkpoint was written on another machine or with other versions.

    Examples
    --------
    >>> from minicoord import SGD, Dense, Sequential, fit, mean_squared_error
    >>> x = np.linspace(-1, 1, 32, dtype=np.float32).reshape(32, 1)
    >>> model = Sequential([Dense(1, 1, rng=np.random.default_rng(0))])
    >>> history = fit(model, mean_squared_error, SGD(0.1), x, 3 * x, epochs=40, batch_size=8, seed=0, progress=False)
    >>> abs(model.params["0.w"].item() - 3) < 0.01, history.last["epoch"]
    (True, 40)
    """
    _check_arguments(model, optimizer, x, y, epochs, batch_size, seed, drop_last, checkpoint, resume)
    for name, function in {"loss": loss, "evaluate": evaluate, "stop_when": stop_when}.items():
        if not callable(function) and (function is not None or name == "loss"):
            raise TypeError(f"fit: {name} is of type {type(function).__name__}, wanted a function")
    if schedule is not None and not callable(schedule):
        schedule = ConstantSchedule(schedule)
    size = choose_slice_size(slice_size, model, x.shape[1:], batch_size)
    path = None if checkpoint is None else Path(checkpoint)
    run = _Run(
        model, loss, optimizer, x, y, epochs, batch_size, size, seed, schedule, evaluate, stop_when, path, drop_last
    )
    run.describe(settings or {})
    with one_blas_thread(), progress_display(progress, label) as report:
        run.begin(resume)
        try:
            while not run.finished:
                run.epoch(report)
        except KeyboardInterrupt:
            run.rewind()
            run.history.interrupted = True
    return run.history


@dataclass
class _Run:
    """A run of `fit`: what it was called with, and where it stands."""

    model: Sequential
    loss: Loss
    optimizer: Optimizer
    x: NDArray
    y: Targets
    epochs: int
    batch_size: int
    slice_size: int
    seed: int
    schedule: Callable[[int], float] | None
    evaluate: Evaluate | None
    stop_when: StopWhen | None
    path: Path | None
    drop_last: bool
    settings: dict[str, Any] = field(default_factory=dict)
    history: History = field(default_factory=History)
    rng: np.random.Generator = field(init=False)
    saved: Checkpoint = field(init=False)

    @property
    def finished(self) -> bool:
        return self.history.stopped or len(self.history) >= self.epochs

    @property
    def steps(self) -> int:
        return len(self.x) // self.batch_size if self.drop_last else math.ceil(len(self.x) / self.batch_size)

    def describe(self, settings: Mapping[str, Any]) -> None:
        """Collect what a checkpoint must agree with to be resumed: all but the number of epochs."""
        optimizer = self.optimizer.config()
        if self.schedule is not None:
            del optimizer["lr"]  # it is whatever the last epoch of the schedule left
        facts = {
            "seed": self.seed,
            "batch_size": self.batch_size,
            "slice_size": self.slice_size,
            "drop_last": self.drop_last,
            "x": data_fingerprint(self.x),
            "y": data_fingerprint(self.y),
            "loss": name_of(self.loss),
            "optimizer": optimizer,
            "schedule": getattr(self.schedule, "config", lambda: name_of(self.schedule))(),
            "settings": dict(settings),
        }
        self.settings = plain(facts, non_finite=float)

    def begin(self, resume: bool) -> None:
        """Take up the checkpoint, or make the first one."""
        if not (resume and self.path is not None and self.path.exists()):
            self.rng = np.random.Generator(np.random.PCG64(self.seed))
            self.save()
            return
        saved = read_checkpoint(self.path)
        saved.check(self.path, self.model, self.optimizer)
        self._check_resumable(saved)
        saved.warn_if_elsewhere(self.path, stacklevel=4)
        self.saved = saved
        self.rewind()
        if self.stop_when is None:
            self.history.stopped = False

    def _check_resumable(self, saved: Checkpoint) -> None:
        if saved.rng is None:
            raise CheckpointError(f"{self.path} was not written by fit, which would have kept the random state")
        changed = differences(saved.settings, self.settings)
        if changed:
            raise CheckpointError(f"{self.path} belongs to a run with other settings: {'; '.join(changed)}")
        if saved.epoch > self.epochs:
            raise CheckpointError(f"{self.path} has {saved.epoch} epochs already, but epochs was {self.epochs}")

    def save(self) -> None:
        """Keep this moment in memory, and on disk if a checkpoint is wanted."""
        facts = {"epoch": len(self.history), "rng": dict(self.rng.bit_generator.state), "settings": self.settings}
        saved = Checkpoint.of(self.model, self.optimizer, history=self.history.to_dict(), **facts)
        if self.path is not None:
            saved.save(self.path)
        self.saved = saved

    def rewind(self) -> None:
        """Go back to the last moment that was saved."""
        self.saved.restore(self.model, self.optimizer)
        self.history = History.from_dict(self.saved.history)
        self.rng = self.saved.generator()

    def epoch(self, report: Report) -> None:
        """Run one epoch: train, evaluate, save."""
        number = len(self.history) + 1
        row = self._train(number, report)
        stopped = self.stop_when is not None and bool(self.stop_when(dict(row)))
        if self.evaluate is not None:
            row.update(_checked_metrics(self.evaluate(self.model, number)))
        self.history.rows.append(row)
        self.history.stopped = stopped
        self.save()
        report(ProgressUpdate(number, self.epochs, self.steps, self.steps, row["train_loss"], dict(row)))

    def _train(self, number: int, report: Report) -> Row:
        """Go through the data once and return the training columns of the epoch's row."""
        start = time.perf_counter()
        if self.schedule is not None:
            self.optimizer.lr = float(self.schedule(number - 1))
            check_number(f"fit: the learning rate of the schedule in epoch {number}", self.optimizer.lr, 0.0)
        order = self.rng.permutation(len(self.x))
        total, seen = 0.0, 0
        for step in range(1, self.steps + 1):
            chosen = order[(step - 1) * self.batch_size : step * self.batch_size]
            x = self.x[chosen]
            value = batch_gradients(self.model, self.loss, x, self._targets(chosen, x), self.slice_size)
            if not math.isfinite(value):
                raise FloatingPointError(self._diverged(f"the loss became {value}", f"epoch {number}, step {step}"))
            self.optimizer.step(self.model)
            total, seen = total + value * len(x), seen + len(x)
            report(ProgressUpdate(number, self.epochs, step, self.steps, total / seen, None))
        for name, array in (*self.model.params.items(), *self.model.state.items()):
            if not np.isfinite(array).all():
                raise FloatingPointError(
                    self._diverged(f"{name} is no longer finite", f"the last step of epoch {number}")
                )
        seconds = self.history.last.get("train_seconds", 0.0) + time.perf_counter() - start
        facts = (number, total / seen, self.optimizer.l2_penalty(self.model), self.optimizer.lr, seconds)
        return dict(zip(TRAINING_COLUMNS, facts, strict=True))

    def _targets(self, chosen: NDArray, x: NDArray) -> Any:
        if self.y is None:
            return x
        return self.y(chosen) if callable(self.y) else self.y[chosen]

    def _diverged(self, what: str, where: str) -> str:
        kept = "" if self.path is None else f"; {self.path} holds epoch {len(self.history)}"
        return (
            f"fit: {what} in {where}: try a lower learning rate (it is {self.optimizer.lr:g}), check the scale of the "
            f"data, or find the layer with Sequential(..., debug=True){kept}"
        )


def _check_arguments(
    model: Sequential,
    optimizer: Optimizer,
    x: NDArray,
    y: Targets,
    epochs: int,
    batch_size: int,
    seed: int,
    drop_last: bool,
    checkpoint: PathLike | None,
    resume: bool,
) -> None:
    if not isinstance(model, Sequential):
        raise TypeError(f"fit: model is of type {type(model).__name__}, wanted a Sequential")
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"fit: optimizer is of type {type(optimizer).__name__}, wanted an Optimizer such as Adam")
    check_whole("fit: epochs", epochs, 0)
    check_whole("fit: batch_size", batch_size, 1)
    check_whole("fit: seed", seed, 0)
    if not isinstance(x, np.ndarray) or x.ndim == 0 or len(x) == 0:
        raise ValueError("fit: x must be a NumPy array with at least one sample")
    if not (y is None or callable(y) or isinstance(y, np.ndarray)):
        raise TypeError(f"fit: y is of type {type(y).__name__}, wanted a NumPy array, a callable or None")
    if isinstance(y, np.ndarray) and y.shape[:1] != x.shape[:1]:
        raise ValueError(f"fit: x has {len(x)} samples and y has shape {y.shape}, wanted as many")
    if drop_last and len(x) < batch_size:
        raise ValueError(f"fit: with drop_last, {len(x)} samples make no batch of {batch_size}")
    if resume and checkpoint is None:
        raise ValueError("fit: resume needs the path of a checkpoint")


def _checked_metrics(metrics: Any) -> dict[str, Any]:
    if not isinstance(metrics, Mapping):
        raise TypeError(f"fit: evaluate returned a {type(metrics).__name__}, wanted a dict of metrics")
    taken = [name for name in metrics if name in TRAINING_COLUMNS]
    if taken:
        raise ValueError(f"fit: evaluate returned {taken[0]!r}, a name that training itself uses; choose another")
    return plain(metrics, non_finite=float)
