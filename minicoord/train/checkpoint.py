"""Save and load weights, and checkpoints from which training goes on as if it had never stopped.

A file of weights holds the model's parameters and state. A checkpoint holds these and all else that the next epoch
depends on: the optimiser, the random generator, the history so far and the settings of the run. Loading checks
everything before it changes anything.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.nn.model import Sequential
from minicoord.system.arguments import check_whole
from minicoord.system.files import PathLike
from minicoord.system.machine import machine_facts
from minicoord.train.archive import CheckpointError, read_archive, write_archive
from minicoord.train.history import History
from minicoord.train.optim import Optimizer

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


class CheckpointWarning(UserWarning):
    """A checkpoint comes from another machine or other versions: the run goes on, but not to the same last bits."""


def save_weights(path: PathLike, model: Sequential) -> None:
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
    write_archive(path, "weights", _model_arrays(model), facts)


def load_weights(path: PathLike, model: Sequential) -> Sequential:
    """Read weights, or those of a checkpoint, into a model of the same architecture, and return the model.

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
    _check_model(path, arrays, meta, model)
    _restore_model(arrays, model)
    return model


@dataclass
class Checkpoint:
    """All that training depends on, at the end of an epoch; the arrays are copies.

    Attributes
    ----------
    arrays : dict of str to ndarray
        ``params/0.w``, ``state/1.running_mean``, ``optimizer/m/0.w``: the arrays by owner and name.
    architecture : dict
        ``Sequential.architecture()`` of the model.
    fingerprint : str
        ``Sequential.fingerprint()`` of the model.
    optimizer : dict
        The parts of the optimiser's state that are no arrays; empty without an optimiser.
    epoch : int
        Epochs done.
    rng : dict or None
        State of the bit generator that shuffles.
    history : dict
        The history so far.
    settings : dict
        What the run was started with.
    machine : dict
        ``machine_facts()`` of where it was written.
    """

    arrays: Arrays
    architecture: dict[str, Any]
    fingerprint: str
    optimizer: dict[str, Any]
    epoch: int = 0
    rng: dict[str, Any] | None = None
    history: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=machine_facts)

    @classmethod
    def of(cls, model: Sequential, optimizer: Optimizer | None = None, **facts: Any) -> Checkpoint:
        """Return a checkpoint of this moment; `facts` are ``epoch``, ``rng``, ``history`` and ``settings``."""
        arrays = {name: array.copy() for name, array in _model_arrays(model).items()}
        scalars = {}
        for key, value in (optimizer.state_dict() if optimizer else {}).items():
            if isinstance(value, np.ndarray):
                arrays[f"optimizer/{key}"] = value
            else:
                scalars[key] = value
        return cls(arrays, model.architecture(), model.fingerprint(), scalars, **facts)

    def save(self, path: PathLike) -> None:
        """Write the checkpoint to `path`, atomically; the name is kept as it is."""
        facts = {key: value for key, value in vars(self).items() if key != "arrays"}
        write_archive(path, "checkpoint", self.arrays, facts)

    def check(self, path: PathLike, model: Sequential, optimizer: Optimizer | None = None) -> None:
        """Raise CheckpointError, which names `path`, if the checkpoint does not fit the model or the optimiser."""
        _check_model(path, self.arrays, vars(self), model)
        if optimizer is None:
            return
        try:
            optimizer.check_state_dict(self._optimizer_state())
        except (TypeError, ValueError) as error:
            raise CheckpointError(f"{path} does not fit the optimiser: {error}") from error
        params = model.params
        for name, array in _owned_by("optimizer", self.arrays).items():
            wanted = params.get(name.partition("/")[2])
            if wanted is None or (wanted.shape, wanted.dtype) != (array.shape, array.dtype):
                raise CheckpointError(f"{path} is damaged: its optimiser array {name!r} fits no parameter of the model")

    def restore(self, model: Sequential, optimizer: Optimizer | None = None) -> None:
        """Copy the arrays into the model, and the state into the optimiser; `check` first what came from a file."""
        _restore_model(self.arrays, model)
        if optimizer is not None:
            optimizer.load_state_dict(self._optimizer_state())

    def generator(self) -> np.random.Generator:
        """Return a random generator that goes on where the saved one stood."""
        bits = np.random.PCG64()
        bits.state = self.rng  # pyright: ignore[reportAttributeAccessIssue]
        return np.random.Generator(bits)

    def warn_if_elsewhere(self, path: PathLike, stacklevel: int = 3) -> None:
        """Warn with `CheckpointWarning` if the checkpoint was written on another machine or with other versions."""
        here, there = machine_facts(), self.machine
        differences = [f"{key} {there.get(key)}, here {here[key]}" for key in here if here[key] != there.get(key)]
        if differences:
            warnings.warn(
                f"{path} was written elsewhere ({'; '.join(differences)}): the run goes on, but its last bits may "
                "differ from one that was never stopped",
                CheckpointWarning,
                stacklevel=stacklevel,
            )

    def _optimizer_state(self) -> dict[str, Any]:
        return {**self.optimizer, **_owned_by("optimizer", self.arrays)}


def save_checkpoint(
    path: PathLike,
    model: Sequential,
    optimizer: Optimizer | None = None,
    *,
    epoch: int = 0,
    rng: np.random.Generator | None = None,
    history: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Write a checkpoint to `path`, atomically.

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
    state = None if rng is None else dict(rng.bit_generator.state)
    facts = {"epoch": epoch, "rng": state, "history": dict(history or {}), "settings": dict(settings or {})}
    Checkpoint.of(model, optimizer, **facts).save(path)


def load_checkpoint(path: PathLike, model: Sequential, optimizer: Optimizer | None = None) -> Checkpoint:
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
    checkpoint.check(path, model, optimizer)
    checkpoint.warn_if_elsewhere(path)
    checkpoint.restore(model, optimizer)
    return checkpoint


def read_checkpoint(path: PathLike) -> Checkpoint:
    """Read a checkpoint without a model to load it into; the errors are those of `load_checkpoint`."""
    arrays, meta = read_archive(path)
    if meta["kind"] != "checkpoint":
        raise CheckpointError(f"{path} holds {meta['kind']} only, wanted a checkpoint")
    try:
        facts = {key: meta[key] for key in Checkpoint.__dataclass_fields__ if key != "arrays"}
        if not all(isinstance(facts[key], dict) for key in ("optimizer", "history", "settings", "machine")):
            raise TypeError("a part that is no dict")
        checkpoint = Checkpoint(arrays, **facts)
        check_whole("epoch", checkpoint.epoch, 0)
        History.from_dict(checkpoint.history)
        if checkpoint.rng is not None:
            checkpoint.generator()
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged: {error!r} in its facts") from error
    return checkpoint


def _check_type(model: object, what: str) -> None:
    if not isinstance(model, Sequential):
        raise TypeError(f"{what}: model is of type {type(model).__name__}, wanted a Sequential")


def _model_arrays(model: Sequential) -> Arrays:
    return {
        **{f"params/{name}": array for name, array in model.params.items()},
        **{f"state/{name}": array for name, array in model.state.items()},
    }


def _owned_by(owner: str, arrays: Arrays) -> Arrays:
    return {name.removeprefix(f"{owner}/"): array for name, array in arrays.items() if name.startswith(f"{owner}/")}


def _restore_model(arrays: Arrays, model: Sequential) -> None:
    for name, array in _model_arrays(model).items():
        np.copyto(array, arrays[name])


def _check_model(path: PathLike, arrays: Arrays, meta: Mapping[str, Any], model: Sequential) -> None:
    """Raise CheckpointError if the arrays of a file do not fit the model, and say what differs."""
    if meta.get("fingerprint") != model.fingerprint():
        raise CheckpointError(f"{path} belongs to another model: {_difference(meta, model)}")
    for name, wanted in _model_arrays(model).items():
        array = arrays.get(name)
        if array is None or array.shape != wanted.shape:
            raise CheckpointError(f"{path} is damaged: the array {name!r} is missing or has another shape")
        if array.dtype != wanted.dtype:
            call = f"call model.astype({str(array.dtype)!r}) first"
            raise CheckpointError(f"{path} holds {array.dtype} and the model is {wanted.dtype}: {call}")


def _difference(meta: Mapping[str, Any], model: Sequential) -> str:
    """Say in words where the architecture of a file and that of a model part ways."""
    here = model.architecture()
    there = meta.get("architecture")
    if not (isinstance(there, dict) and all(isinstance(there.get(part), dict) for part in here)):
        return "it does not say which"
    for name in dict.fromkeys((*here["layers"], *there["layers"])):
        was, now = there["layers"].get(name, "nothing"), here["layers"].get(name, "nothing")
        if was != now:
            return f"its layer {name} is {was}, the model's is {now}"
    for name in dict.fromkeys((*here["arrays"], *there["arrays"])):
        was, now = there["arrays"].get(name), here["arrays"].get(name)
        if was != now:
            return f"its array {name} has shape {was}, the model's {now}"
    return "its fingerprint differs"
