"""Fit a network to data: epoch after epoch, in batches that are shuffled by a seed.

`train_on_batch` has the four lines of training. `Fit` calls it for every batch of every epoch, and the loop in
``loop.py`` does the rest: the history, the evaluation after each epoch, the checkpoints.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.nn.model import Sequential
from minicoord.system.arguments import call_given, check_flag, check_kind, check_number, check_whole, shown
from minicoord.system.arrays import check_no_mask
from minicoord.system.files import PathLike
from minicoord.train.accumulation import Loss, choose_slice_size, gradients_in_slices, loss_and_gradient
from minicoord.train.history import History, Row
from minicoord.train.loop import check_functions, check_run, train
from minicoord.train.means import SAMPLES
from minicoord.train.optimizer import Optimizer
from minicoord.train.part_state import check_epochs, check_slots
from minicoord.train.progress import ProgressUpdate, by_epoch
from minicoord.train.run_settings import data_fingerprint, name_of
from minicoord.train.schedules import ConstantSchedule
from minicoord.train.trainer import Trainer

Targets = NDArray | Callable[[NDArray], Any] | None
Evaluate = Callable[[Sequential, int], Mapping[str, Any]]
StopWhen = Callable[[Row], bool]


def train_on_batch(
    model: Sequential, loss: Loss, optimizer: Optimizer, x: NDArray, y: Any, slice_size: int | None = None
) -> float:
    """Take one training step on a batch, and return the loss of the batch before the step.

    Parameters
    ----------
    model : Sequential
        Changed in place.
    loss : callable
        ``loss(prediction, y) -> (value, dprediction)``, a mean over the samples.
    optimizer : Optimizer
        Updates the parameters once.
    x : ndarray, shape (b, ...)
        The inputs of the batch.
    y : ndarray or sequence, length b
        What the loss compares the predictions with.
    slice_size : int, optional
        Samples that go through the network at a time; by default the whole batch. The gradients are the same up to
        rounding.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type, or does not fit the model.
    """
    _check_step(model, optimizer, x, slice_size)
    if slice_size is None or len(x) <= slice_size:
        prediction = model.forward(x, training=True)  # (b, ...)
        value, dprediction = loss_and_gradient(loss, prediction, y)  # L, and dL/dprediction of the same shape
        model.backward(dprediction, need_dx=False)  # dL/dw of every parameter, into model.grads
    else:
        value = gradients_in_slices(model, loss, x, y, slice_size)
    optimizer.step(model)  # w <- w - lr * (dL/dw, as the optimiser adapts it)
    return float(value)


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
    progress: bool | Callable[[ProgressUpdate], object] = True,
    settings: Mapping[str, Any] | None = None,
    label: str = "training",
) -> History:
    """Train `model` in place, and return the history of the run.

    Ctrl-C ends the run early: model and optimiser return to the end of the last completed epoch, whose checkpoint is on
    disk, and the history that is returned ends with that epoch and has ``interrupted`` set.

    Parameters
    ----------
    model : Sequential
        Trained in place.
    loss : callable
        ``loss(prediction, target) -> (value, dprediction)``, a mean over the samples, such as those in
        ``minicoord.nn.losses``.
    optimizer : Optimizer
        Updates the parameters after each batch.
    x : ndarray, shape (samples, ...)
        The inputs, in the dtype of the model.
    y : ndarray of length samples, callable or None
        The targets; or a function ``y(indices)`` that returns the targets of the samples with these indices; or None,
        if the input itself is the target, as in an autoencoder.
    epochs : int
        Passes over the data in total, including the epochs of a resumed checkpoint; 0 or more.
    batch_size : int
        Samples per step of the optimiser. The last batch of an epoch may be smaller.
    seed : int
        Seed of the shuffling, 0 or more. It does not affect the initial weights.
    schedule : callable or float, optional
        ``schedule(epoch) -> lr``, epochs counted from 0, see `minicoord.train.schedules`; by default `optimizer.lr`.
    evaluate : callable, optional
        ``evaluate(model, epoch) -> dict`` of metrics, called after each epoch (from 1). The metrics are recorded in
        the history; training does not depend on them.
    stop_when : callable, optional
        ``stop_when(row) -> bool``, called after each epoch; True ends the run. The row holds the training columns only
        (see `History`), so that the decision cannot depend on test data. It should depend on the row alone, so that a
        resumed run stops at the same epoch.
    slice_size : "auto", int or None
        Samples of a batch that go through the network at a time, with their gradients added up, see
        `minicoord.train.accumulation`; None for the whole batch. Affects the last bits of the result only.
    checkpoint : path, optional
        The file to write a checkpoint to, before the first epoch and after each one.
    resume : bool
        True: if the file exists, continue from the checkpoint, bit for bit; a complete run returns at once. False:
        start from the beginning, and overwrite the file.
    drop_last : bool
        True: leave out the last batch of an epoch if it is smaller than the others.
    progress : bool or callable
        True shows a bar on stderr in a terminal, a bar in a notebook, and one line per epoch on stderr elsewhere. A
        callable gets a `minicoord.train.progress.ProgressUpdate` after each batch and each evaluation.
    settings : mapping, optional
        Facts about the run that `fit` cannot see, fit for JSON; a checkpoint can only be resumed with the same ones.
    label : str
        The name of the run in the progress display.

    Returns
    -------
    History
        One row per completed epoch.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, value or shape.
    FloatingPointError
        If the loss or a weight becomes NaN or infinite; the last checkpoint remains on disk.
    CheckpointError
        If the checkpoint is damaged, or belongs to another model, other data or other settings; nothing is changed
        then. Only `epochs` may differ: it may be larger than before.
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
    check_functions("fit", loss=loss)
    others: dict[str, Any] = {"checkpoint": checkpoint, "resume": resume, "settings": settings, "progress": progress}
    check_run("fit", evaluate=evaluate, stop_when=stop_when, label=label, **others)
    if not callable(schedule) and schedule is not None:
        check_number("fit: schedule", schedule, 0.0, above=True)
    if not resume:
        optimizer.check_model(model)  # before the first checkpoint of this run overwrites the file
    fitting = Fit(
        model,
        loss,
        optimizer,
        x,
        y,
        epochs=int(epochs),  # unsigned numbers of NumPy would overflow
        batch_size=int(batch_size),
        seed=int(seed),
        schedule=schedule,
        slice_size=slice_size,
        drop_last=drop_last,
    )
    return train(
        fitting,
        fitting.steps,
        every=fitting.every,
        unit=fitting.unit,
        columns=fitting.columns,
        evaluate=None if evaluate is None else lambda epoch: _metrics(evaluate, model, epoch),
        stop_when=stop_when,
        checkpoint=checkpoint,
        resume=resume,
        settings={**fitting.settings(), "settings": dict(settings or {})},
        progress=by_epoch(progress) if callable(progress) else progress,
        label=label,
    )


class Fit(Trainer):
    """The trainer behind `fit`: one network fitted to data; a step is a batch, a row of the history an epoch.

    The parameters are those of `fit`.
    """

    def __init__(
        self,
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
        slice_size: str | int | None = "auto",
        drop_last: bool = False,
    ) -> None:
        self.model, self.loss, self.optimizer, self.x, self.y = model, loss, optimizer, x, y
        self.batch_size, self.seed, self.drop_last = batch_size, seed, drop_last
        self.schedule = schedule if schedule is None or callable(schedule) else ConstantSchedule(schedule)
        self.slice_size = choose_slice_size(slice_size, model, x.shape[1:], batch_size)
        self.rng = np.random.Generator(np.random.PCG64(seed))
        batches = len(x) // batch_size if drop_last else math.ceil(len(x) / batch_size)
        super().__init__(epochs * batches, batches, "epoch", model=model, optimizer=optimizer, rng=self.rng)
        self.batch = 0  # the next batch of its epoch, from 0
        self.epoch = 0  # the current epoch, from 1; 0 before the first
        self.order: NDArray = np.arange(len(x))  # (samples,), shuffled for each epoch

    def step(self) -> dict[str, float]:
        """Train on the next batch of the epoch; before its first batch, shuffle and set the learning rate."""
        if self.batch == 0:
            self._begin_epoch()
        chosen = self.order[self.batch * self.batch_size : (self.batch + 1) * self.batch_size]
        self.batch = (self.batch + 1) % self.every
        x = self.x[chosen]
        y = self._targets(chosen, x)
        value = train_on_batch(self.model, self._finite_loss, self.optimizer, x, y, self.slice_size)
        return {"train_loss": value, SAMPLES: len(x)}

    def columns(self) -> dict[str, float]:
        """Return the L2 penalty and the learning rate.

        Raises
        ------
        FloatingPointError
            If a parameter, or the state of a layer, is no longer finite.
        """
        for name, array in (*self.model.params.items(), *self.model.state.items()):
            if not np.isfinite(array).all():
                where = f"the last step of epoch {self.epoch}"
                raise FloatingPointError(self._diverged(f"{name} is no longer finite", where))
        return {"l2_penalty": self.optimizer.l2_penalty(self.model), "lr": self.optimizer.lr}

    def state(self) -> dict[str, Any]:
        """Return the state between two epochs: the order of the samples is not part of it."""
        return {**super().state(), "epoch": {"done": self.epoch}}

    def restore(self, state: dict[str, Any]) -> None:
        """Return to a state between two epochs."""
        super().restore(state)
        self.batch, self.epoch = 0, int(state["epoch"]["done"])

    def check(self, state: dict[str, Any]) -> None:
        """Raise ValueError if a state is missing or does not fit; the optimiser's slots are those of the model."""
        super().check(state)
        check_slots("optimizer", state["optimizer"], self.model)
        check_epochs(state)

    def settings(self) -> dict[str, Any]:
        """Return the settings that must be the same when a checkpoint is resumed: all but the number of epochs."""
        optimizer = self.optimizer.config()
        if self.schedule is not None:
            del optimizer["lr"]  # the schedule has changed it since the start
        return {
            "seed": self.seed,
            "batch_size": self.batch_size,
            "slice_size": self.slice_size,
            "drop_last": self.drop_last,
            "x": data_fingerprint(self.x),
            "y": data_fingerprint(self.y),
            "loss": name_of(self.loss),
            "optimizer": optimizer,
            "schedule": getattr(self.schedule, "config", lambda: name_of(self.schedule))()
            if not isinstance(self.schedule, type)
            else name_of(self.schedule),
        }

    def _begin_epoch(self) -> None:
        self.epoch += 1
        if self.schedule is not None:
            lr = call_given("fit: schedule", self.schedule, "a function of the epoch", self.epoch - 1)
            check_number(f"fit: the learning rate of the schedule in epoch {self.epoch}", lr, 0.0)
            self.optimizer.lr = float(lr)
        self.order = self.rng.permutation(len(self.x))

    def _finite_loss(self, prediction: Any, y: Any) -> tuple[float, Any]:
        value, dprediction = loss_and_gradient(self.loss, prediction, y)
        if not math.isfinite(value):
            step = self.batch or self.every  # `step` has already moved on to the next batch; 0 is that of a new epoch
            raise FloatingPointError(self._diverged(f"the loss became {value}", f"epoch {self.epoch}, step {step}"))
        return value, dprediction

    def _targets(self, chosen: NDArray, x: NDArray) -> Any:
        if self.y is None:
            return x
        return call_given("fit: y", self.y, "a function of indices", chosen) if callable(self.y) else self.y[chosen]

    def _diverged(self, what: str, where: str) -> str:
        """Return the message of an error about a number that is not finite."""
        return (
            f"fit: {what} in {where}: try a lower learning rate (it is {self.optimizer.lr:g}), check the scale of the "
            "data, or find the layer with Sequential(..., debug=True)"
        )


def _metrics(evaluate: Evaluate, model: Sequential, epoch: int) -> Mapping[str, Any]:
    return call_given("fit: evaluate", evaluate, "a function of (model, epoch)", model, epoch)


def _check_step(model: object, optimizer: object, x: object, slice_size: object) -> None:
    check_kind("train_on_batch: model", model, Sequential, "a Sequential")
    check_kind("train_on_batch: optimizer", optimizer, Optimizer, "an Optimizer such as Adam")
    if not isinstance(x, np.ndarray) or x.ndim == 0:
        raise TypeError(f"train_on_batch: x was {shown(x)}, wanted a NumPy array of samples")
    if slice_size is not None:
        check_whole("train_on_batch: slice_size", slice_size, 1)


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
    check_flag("fit: drop_last", drop_last)
    check_flag("fit: resume", resume)
    check_no_mask("fit: x", x)
    check_no_mask("fit: y", y)
    if not isinstance(x, np.ndarray) or x.ndim == 0 or len(x) == 0:
        raise ValueError("fit: x must be a NumPy array with at least one sample")
    if not (y is None or callable(y) or isinstance(y, np.ndarray)):
        raise TypeError(f"fit: y is of type {type(y).__name__}, wanted a NumPy array, a callable or None")
    if isinstance(y, np.ndarray) and y.shape[:1] != x.shape[:1]:
        raise ValueError(f"fit: x has {len(x)} samples and y has shape {y.shape}, wanted as many")
    if drop_last and len(x) < batch_size:
        raise ValueError(f"fit: with drop_last, {len(x)} samples make no batch of {shown(batch_size)}")
    if resume and checkpoint is None:
        raise ValueError("fit: resume needs the path of a checkpoint")
