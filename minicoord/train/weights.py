"""Save and load weights: the parameters of one network and its state, such as the means of batch normalisation."""

from __future__ import annotations

from typing import Any

from minicoord.nn.composites.base import Composite
from minicoord.system.arguments import check_kind, shown
from minicoord.system.files import PathLike
from minicoord.system.machine import machine_facts
from minicoord.system.places import check_path
from minicoord.train.archive import CheckpointError, error_about, flatten, read_archive, unflatten, write_archive
from minicoord.train.checkpoint import MODEL, checkpoint_from
from minicoord.train.part_state import check_network, part_state, restore_part


def save_weights(path: PathLike, model: Composite) -> None:
    """Write a model's parameters and state to `path`, atomically.

    Parameters
    ----------
    path : str or path
        The file to write. ``.npz`` is the usual suffix, but none is added.
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
    check_path("save_weights: path", path)
    facts = {"architecture": model.architecture(), "fingerprint": model.fingerprint(), "machine": machine_facts()}
    state = part_state(model)
    arrays, _ = flatten({kind: state[kind] for kind in ("params", "state")})
    write_archive(path, "weights", arrays, facts)


def load_weights(path: PathLike, model: Composite, part: str = MODEL) -> Composite:
    """Load weights from a file into a model of the same architecture, and return the model.

    Parameters
    ----------
    path : str or path
        A weights file or a checkpoint.
    model : Sequential
        Changed in place.
    part : str
        Which network of a checkpoint to load; checkpoints of `fit` have one, called ``"model"``. A network of a
        trainer inside a trainer has both names, with a dot between them.

    Raises
    ------
    OSError
        If the file is missing or may not be read.
    CheckpointError
        If the file is damaged or was not written by minicoord, or belongs to another architecture; the model is then
        unchanged.
    TypeError
        If `model` is not a Sequential, such as a single layer.
    """
    _check_type(model, "load_weights")
    check_path("load_weights: path", path)
    check_kind("load_weights: part", part, str, "a str")
    arrays, meta = read_archive(path)
    if meta["kind"] == "weights":
        state = unflatten(arrays, {key: meta.get(key) for key in ("architecture", "fingerprint")})
    else:
        state: Any = checkpoint_from(path, arrays, meta).state
        for name in [part] if part in state else part.split("."):
            state = state.get(name) if isinstance(state, dict) else None
        if not isinstance(state, dict):
            raise CheckpointError(f"{path} holds no network called {shown(part)}")
    try:
        check_network(model, state)
    except ValueError as error:
        raise error_about(path, error) from error
    restore_part(model, state)
    return model


def _check_type(model: object, function: str) -> None:
    if not isinstance(model, Composite):
        raise TypeError(f"{function}: model is of type {type(model).__name__}, wanted a Sequential")
