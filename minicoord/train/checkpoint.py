"""Save and load weights, and checkpoints from which training goes on as if it had never stopped.

A file of weights holds the parameters and the state of one network. A checkpoint holds the state of everything that the
next step depends on (see `minicoord.train.trainer.Trainer`), the history so far and the settings of the run. Loading
checks everything before it changes anything.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.nn.composites.base import Composite
from minicoord.system.arguments import check_whole
from minicoord.system.files import PathLike
from minicoord.system.machine import machine_facts
from minicoord.train.archive import CheckpointError, read_archive, write_archive
from minicoord.train.history import History
from minicoord.train.optim import Optimizer
from minicoord.train.trainer import State, Trainer, check_network, part_state, restore_part

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "CheckpointWarning",
    "load_checkpoint",
    "load_weights",
    "read_checkpoint",
    "save_checkpoint",
    "save_weights",
]

Arrays = dict[str, NDArray]
MODEL = "model"  # the name of the network in the checkpoints of `fit`


class CheckpointWarning(UserWarning):
    """A checkpoint comes from another machine or other versions: the run goes on, but its last bits may differ."""


def save_weights(path: PathLike, model: Composite) -> None:
    """Write the model's parameters and state to `path`, atomically.

    Parameters
    ----------
    path : str or path
        The name is kept as it is; ``.npz`` is the usual suffix, but none is added.
    model : Sequential
        The model.

    Raises
    ------
    TypeError
        If `model` is not a Sequential, such as a single layer.
    OSError
        If the file cannot be written.
    """
    _check_type(model, "save_weights")
    facts = {"architecture": model.architecture(), "fingerprint": model.fingerprint(), "machine": machine_facts()}
    state = part_state(model)
    write_archive(path, "weights", flatten({kind: state[kind] for kind in ("params", "state")})[0], facts)


def load_weights(path: PathLike, model: Composite, part: str = MODEL) -> Composite:
    """Read weights, or those of a checkpoint, into a model of the same architecture, and return the model.

    Parameters
    ----------
    path : str or path
        A file of weights or a checkpoint.
    model : Sequential
        The model to change.
    part : str
        Which network of a checkpoint: the checkpoints of `fit` have one, called ``"model"``.

    Raises
    ------
    OSError
        If the file is missing or may not be read.
    CheckpointError
        If the file is damaged or foreign, or belongs to another architecture; the model is then unchanged.
    TypeError
        If `model` is not a Sequential, such as a single layer.
    """
    _check_type(model, "load_weights")
    arrays, meta = read_archive(path)
    if meta["kind"] == "weights":
        state = unflatten(arrays, {key: meta.get(key) for key in ("architecture", "fingerprint")})
    else:
        state = _checkpoint_from(path, arrays, meta).state.get(part)
        if not isinstance(state, dict):
            raise CheckpointError(f"{path} holds no network called {part!r}")
    try:
        check_network(model, state)
    except ValueError as error:
        raise CheckpointError(_about(path, error)) from error
    restore_part(model, state)
    return model


@dataclass
class Checkpoint:
    """All that training depends on at one moment between two steps; the arrays are copies.

    Attributes
    ----------
    state : dict
        Nested dicts of arrays and plain values, such as ``state["model"]["params"]["0.w"]``.
    epoch : int
        Epochs done; in a run that is counted in steps, rows of the history.
    steps : int
        Steps taken, if `minicoord.train.loop.train` wrote it, else 0.
    history : dict
        The history so far.
    settings : dict
        What the run was started with.
    machine : dict
        ``machine_facts()`` of where it was written.
    """

    state: State
    epoch: int = 0
    steps: int = 0
    history: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=machine_facts)

    def save(self, path: PathLike) -> None:
        """Write the checkpoint to `path`, atomically; the name is kept as it is."""
        arrays, plain = flatten(self.state)
        facts = {key: value for key, value in vars(self).items() if key != "state"}
        write_archive(path, "checkpoint", arrays, {"state": plain, **facts})

    def generator(self) -> np.random.Generator:
        """Return a random generator that goes on where the saved one was."""
        bits = np.random.PCG64()
        bits.state = self.state["rng"]
        return np.random.Generator(bits)

    def warn_if_elsewhere(self, path: PathLike) -> None:
        """Warn with `CheckpointWarning` if the checkpoint was written on another machine or with other versions."""
        here, there = machine_facts(), self.machine
        differences = [f"{key} {there.get(key)}, here {here[key]}" for key in here if here[key] != there.get(key)]
        if differences:
            warnings.warn(
                f"{path} was written elsewhere ({'; '.join(differences)}): the run goes on, but its last bits may "
                "differ from those of a run that was never stopped",
                CheckpointWarning,
                stacklevel=_frames_of_minicoord() + 1,
            )


def save_checkpoint(
    path: PathLike,
    model: Composite,
    optimizer: Optimizer | None = None,
    *,
    epoch: int = 0,
    rng: np.random.Generator | None = None,
    history: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Write a checkpoint of a training loop of your own to `path`, atomically.

    Parameters
    ----------
    path : str or path
        The name is kept as it is; no suffix is added.
    model : Sequential
        The model.
    optimizer : Optimizer, optional
        The optimiser, with what it keeps beside the parameters.
    epoch : int
        Epochs done.
    rng : Generator, optional
        The generator that shuffles; its bit generator must be a PCG64.
    history, settings : mapping, optional
        Anything that can be written as JSON.
    """
    parts = {MODEL: model, "optimizer": optimizer, "rng": rng}
    state = {name: part_state(part) for name, part in parts.items() if part is not None}
    Checkpoint(state, epoch, history=dict(history or {}), settings=dict(settings or {})).save(path)


def load_checkpoint(path: PathLike, model: Composite, optimizer: Optimizer | None = None) -> Checkpoint:
    """Read a checkpoint into a model and an optimiser, and return it for its epoch, history and generator.

    Raises
    ------
    OSError
        If the file is missing or may not be read.
    CheckpointError
        If the file is damaged or foreign, or does not fit; model and optimiser are then unchanged.

    Warns
    -----
    CheckpointWarning
        If it was written on another machine or with other versions.
    """
    checkpoint = read_checkpoint(path)
    parts: dict[str, Any] = {MODEL: model} if optimizer is None else {MODEL: model, "optimizer": optimizer}
    checkpoint.warn_if_elsewhere(path)
    restore(path, Trainer(0, **parts), checkpoint.state)
    return checkpoint


def restore(path: PathLike, trainer: Any, state: State) -> None:
    """Return a trainer to the state of a checkpoint; raise CheckpointError, which names `path`, if it does not fit."""
    try:
        trainer.restore(state)
    except ValueError as error:
        raise CheckpointError(_about(path, error)) from error


def read_checkpoint(path: PathLike) -> Checkpoint:
    """Read a checkpoint without a model to load it into; the errors are those of `load_checkpoint`."""
    arrays, meta = read_archive(path)
    if meta["kind"] != "checkpoint":
        raise CheckpointError(f"{path} holds {meta['kind']} only, wanted a checkpoint")
    return _checkpoint_from(path, arrays, meta)


def _checkpoint_from(path: PathLike, arrays: Arrays, meta: Mapping[str, Any]) -> Checkpoint:
    try:
        if "state" not in meta:
            arrays, meta = _from_first_layout(arrays, meta)
        facts = {key: meta[key] for key in ("epoch", "steps", "history", "settings", "machine")}
        if not all(isinstance(facts[key], dict) for key in ("history", "settings", "machine")):
            raise TypeError("a part that is no dict")
        checkpoint = Checkpoint(unflatten(arrays, meta["state"]), **facts)
        check_whole("epoch", checkpoint.epoch, 0)
        check_whole("steps", checkpoint.steps, 0)
        History.from_dict(checkpoint.history)
        if "rng" in checkpoint.state:
            checkpoint.generator()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged: {error!r} in its facts") from error
    return checkpoint


def _from_first_layout(arrays: Arrays, meta: Mapping[str, Any]) -> tuple[Arrays, dict[str, Any]]:
    """Return what a checkpoint of version 0.1, which knew one network and one optimiser, would be today."""
    of_model = {key: meta[key] for key in ("architecture", "fingerprint")}
    state = {MODEL: of_model, "optimizer": dict(meta["optimizer"])}
    if meta["rng"] is not None:
        state["rng"] = meta["rng"]
    renamed = {name if name.startswith("optimizer/") else f"{MODEL}/{name}": array for name, array in arrays.items()}
    return renamed, {**meta, "state": state, "steps": 0}


def flatten(state: Mapping[str, Any], prefix: str = "") -> tuple[Arrays, dict[str, Any]]:
    """Return the arrays of a nested state under paths such as ``"model/params/0.w"``, and the rest, still nested."""
    arrays: Arrays = {}
    rest: dict[str, Any] = {}
    for key, value in state.items():
        if isinstance(value, np.ndarray):
            arrays[f"{prefix}{key}"] = value
        elif isinstance(value, Mapping):
            inner, rest[key] = flatten(value, f"{prefix}{key}/")
            arrays |= inner
        else:
            rest[key] = value
    return arrays, rest


def unflatten(arrays: Mapping[str, NDArray], rest: Mapping[str, Any]) -> State:
    """Return the nested state that `flatten` took apart."""
    state: State = {key: unflatten({}, value) if isinstance(value, Mapping) else value for key, value in rest.items()}
    for path, array in arrays.items():
        *folders, key = path.split("/")
        place = state
        for folder in folders:
            place = place.setdefault(folder, {})
        place[key] = array
    return state


def _about(path: PathLike, error: ValueError) -> str:
    """Return the message of an error about a state with the file in place of "it"."""
    return f"{path} {str(error).removeprefix('it ')}"


def _check_type(model: object, what: str) -> None:
    if not isinstance(model, Composite):
        raise TypeError(f"{what}: model is of type {type(model).__name__}, wanted a Sequential")


def _frames_of_minicoord() -> int:
    """Return how many of the innermost frames are minicoord's own: a warning should point at the caller's line."""
    package = str(Path(__file__).resolve().parents[1])
    count, frame = 0, sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(package):
        count, frame = count + 1, frame.f_back
    return count
