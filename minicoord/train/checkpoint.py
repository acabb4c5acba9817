"""Checkpoints, from which training continues as if it had never stopped.

A checkpoint holds the state of everything that the next step depends on (see `minicoord.train.trainer.Trainer`), the
history so far and the settings of the run. Loading checks everything before it changes anything.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from minicoord.nn.composites.base import Composite
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import check_whole, shown
from minicoord.system.files import PathLike
from minicoord.system.machine import machine_facts
from minicoord.train.archive import (
    Arrays,
    CheckpointError,
    error_about,
    flatten,
    read_archive,
    unflatten,
    write_archive,
)
from minicoord.train.history import History
from minicoord.train.optimizer import Optimizer
from minicoord.train.part_state import State, check_slots, generator_from, part_state
from minicoord.train.trainer import Trainable, Trainer

MODEL = "model"  # the name of the network in the checkpoints of `fit`


class CheckpointWarning(UserWarning):
    """A checkpoint was written on another machine or with other versions: the results may differ in their last bits."""


@dataclass
class Checkpoint:
    """Everything that training depends on between two steps; the arrays are copies.

    Attributes
    ----------
    state : dict
        Nested dicts of arrays and plain values, such as ``state["model"]["params"]["0.w"]``; see
        `minicoord.train.archive.flatten` for what a file can hold.
    epoch : int
        Epochs completed; in a run counted in steps, the rows of its history.
    steps : int
        Steps taken, if `minicoord.train.loop.train` wrote the checkpoint, else 0.
    every, unit : int and str
        Those of `minicoord.train.loop.train`; 0 and empty if something else wrote the checkpoint.
    history : dict
        The history so far, as `History.to_dict` returns it.
    settings : dict
        The settings of the run.
    machine : dict
        ``machine_facts()`` of the process that wrote it.
    """

    state: State
    epoch: int = 0
    steps: int = 0
    every: int = 0
    unit: str = ""
    history: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=machine_facts)

    def save(self, path: PathLike) -> None:
        """Write the checkpoint to `path`, atomically; no suffix is added.

        Raises
        ------
        TypeError, ValueError
            If the state, the history or the settings hold something that a file cannot bring back; the file that was
            there is then unchanged.
        OSError
            If the file cannot be written.
        """
        arrays, values = flatten(self.state)
        facts = {key: value for key, value in vars(self).items() if key != "state"}
        write_archive(path, "checkpoint", arrays, {"state": values, **facts})

    def generator(self) -> np.random.Generator:
        """Return a random generator that continues from the state ``"rng"``; raise ValueError if there is none."""
        return generator_from(self.state.get("rng"))

    def warn_if_elsewhere(self, path: PathLike) -> None:
        """Warn with `CheckpointWarning` if the checkpoint was written on another machine or with other versions."""
        here, origin = machine_facts(), self.machine
        differences = [f"{key} {origin.get(key)}, here {here[key]}" for key in here if here[key] != origin.get(key)]
        if differences:
            warnings.warn(
                f"{path} was written elsewhere ({'; '.join(differences)}): the run goes on, but its last bits may "
                "differ from those of a run that was never stopped",
                CheckpointWarning,
                stacklevel=_frames_of_minicoord() + 1,
            )


@check_types
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
    """Write a checkpoint from your own training loop to `path`, atomically.

    Parameters
    ----------
    path : str or path
        The file to write; no suffix is added.
    model : Sequential
        The model.
    optimizer : Optimizer, optional
        The optimiser, with the arrays that it keeps beside the parameters.
    epoch : int
        Epochs completed.
    rng : numpy.random.Generator, optional
        The generator that shuffles, with one of NumPy's own bit generators, such as PCG64.
    history, settings : mapping, optional
        Anything that can be written as JSON.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type, or `history` or `settings` cannot be written as JSON.
    OSError
        If the file cannot be written; the message names it.
    """
    check_whole("save_checkpoint: epoch", epoch, 0)
    parts = {MODEL: model, "optimizer": optimizer, "rng": rng}
    state = {name: part_state(part) for name, part in parts.items() if part is not None}
    Checkpoint(state, epoch, history=dict(history or {}), settings=dict(settings or {})).save(path)


@check_types
def load_checkpoint(path: PathLike, model: Composite, optimizer: Optimizer | None = None) -> Checkpoint:
    """Load a checkpoint into a model and an optimiser, and return it for its epoch, history and generator.

    Raises
    ------
    OSError
        If the file is missing or may not be read.
    CheckpointError
        If the file is damaged, was not written by minicoord, or does not fit; model and optimiser are then unchanged.

    Warns
    -----
    CheckpointWarning
        If it was written on another machine or with other versions.
    """
    checkpoint = read_checkpoint(path)
    parts: dict[str, Any] = {MODEL: model} if optimizer is None else {MODEL: model, "optimizer": optimizer}
    checkpoint.warn_if_elsewhere(path)
    restore(path, _OwnLoop(0, **parts), checkpoint.state)
    return checkpoint


class _OwnLoop(Trainer):
    """What `load_checkpoint` restores: a model, its optimiser if there is one, and the generator for `generator`."""

    def check(self, state: State) -> None:
        super().check(state)
        if "optimizer" in self.parts:
            check_slots("optimizer", state["optimizer"], self.parts[MODEL])
        rng = state.get("rng")
        if isinstance(rng, dict) and "bit_generator" in rng:  # a trainer may call another kind of part "rng"
            generator_from(rng)


def restore(path: PathLike, trainer: Trainable, state: State) -> None:
    """Restore a trainer from the state of the checkpoint at `path`; raise CheckpointError if it does not fit."""
    try:
        trainer.restore(state)
    except ValueError as error:
        raise error_about(path, error) from error
    except (LookupError, TypeError) as error:  # from the `restore` of a trainer that does not check its state
        raise CheckpointError(f"{path} does not fit the trainer: {shown(error)}") from error


@check_types
def read_checkpoint(path: PathLike) -> Checkpoint:
    """Read a checkpoint without loading it into a model; raises as `load_checkpoint` does."""
    arrays, meta = read_archive(path)
    if meta["kind"] != "checkpoint":
        raise CheckpointError(f"{path} holds {meta['kind']} only, wanted a checkpoint")
    return checkpoint_from(path, arrays, meta)


def checkpoint_from(path: PathLike, arrays: Arrays, meta: Mapping[str, Any]) -> Checkpoint:
    """Return the checkpoint that an archive holds; raise CheckpointError if a part is missing or malformed."""
    try:
        if "state" not in meta:
            arrays, meta = _from_first_layout(arrays, meta)
        facts = {key: meta[key] for key in ("epoch", "steps", "history", "settings", "machine")}
        if not all(isinstance(facts[key], dict) for key in ("history", "settings", "machine")):
            raise TypeError("history, settings or machine is not a dict")
        facts |= {"every": meta.get("every", 0), "unit": meta.get("unit", "")}  # version 0.1 kept neither
        checkpoint = Checkpoint(unflatten(arrays, meta["state"]), **facts)
        check_whole("epoch", checkpoint.epoch, 0)
        check_whole("steps", checkpoint.steps, 0)
        check_whole("every", checkpoint.every, 0)
        History.from_dict(checkpoint.history)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged: {shown(error)} in its facts") from error
    return checkpoint


def _from_first_layout(arrays: Arrays, meta: Mapping[str, Any]) -> tuple[Arrays, dict[str, Any]]:
    """Convert a checkpoint of version 0.1, which had exactly one network and one optimiser, to the current layout."""
    architecture = {key: meta[key] for key in ("architecture", "fingerprint")}
    # `fit` continues its schedule from "epoch".
    state = {MODEL: architecture, "optimizer": dict(meta["optimizer"]), "epoch": {"done": meta["epoch"]}}
    if meta["rng"] is not None:
        state["rng"] = meta["rng"]
    renamed = {name if name.startswith("optimizer/") else f"{MODEL}/{name}": array for name, array in arrays.items()}
    return renamed, {**meta, "state": state, "steps": 0}


def _frames_of_minicoord() -> int:
    """Return how many of the innermost stack frames are minicoord's, so that a warning points at the caller's line."""
    package = str(Path(__file__).resolve().parents[1])
    count, frame = 0, sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(package):
        count, frame = count + 1, frame.f_back
    return count
