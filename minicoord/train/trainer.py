"""What the loop trains: a `Trainer` names its parts (networks, optimisers, random generators) and takes one step.

The parts are what a checkpoint holds. A classifier has one network and one optimiser, a GAN two of each, an agent also
the random state of its world.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

from minicoord.nn.composites.base import Composite
from minicoord.train.optim import Optimizer

State = dict[str, Any]


@runtime_checkable
class Trainable(Protocol):
    """What `minicoord.train.loop.train` needs: a step, and a state to return to."""

    def step(self) -> Mapping[str, float]:
        """Learn once, and return numbers to record, such as ``{"loss": 0.5}``."""
        ...

    def state(self) -> State:
        """Return a copy of everything that the next step depends on: nested dicts of arrays and plain values."""
        ...

    def restore(self, state: State) -> None:
        """Return to a state; raise ValueError, with nothing changed, if it does not fit."""
        ...


class Trainer:
    """A base class for what the loop trains: a subclass names its parts and writes `step`.

    Parameters
    ----------
    steps : int
        How many steps the run takes in all.
    every : int
        After how many steps there is a row in the history and a checkpoint.
    unit : str
        What a row is counted in: ``"step"``, or ``"epoch"`` where `every` steps are one.
    **parts : Sequential or other composite, Optimizer, numpy.random.Generator or Trainable
        Everything that changes from step to step, under the names that a checkpoint uses.

    Examples
    --------
    >>> from minicoord import SGD, Dense, Sequential
    >>> class Halving(Trainer):
    ...     def step(self):
    ...         w = self.parts["net"].params["0.w"]
    ...         w /= 2
    ...         return {"loss": float(w[0, 0])}
    >>> trainer = Halving(steps=3, net=Sequential([Dense(1, 1, init="zeros")]))
    >>> trainer.networks["net"].params["0.w"][:] = 1
    >>> before = trainer.state()
    >>> trainer.step(), trainer.step()
    ({'loss': 0.5}, {'loss': 0.25})
    >>> trainer.restore(before)
    >>> trainer.step()
    {'loss': 0.5}
    """

    def __init__(self, steps: int, every: int = 1, unit: str = "step", **parts: Any) -> None:
        self.steps, self.every, self.unit, self.parts = steps, every, unit, parts

    def step(self) -> Mapping[str, float]:
        """Learn once, and return the numbers to record.

        The history holds their means over the steps of a row. Where these are means themselves, ``"samples"`` says over
        how many samples, and so how much they weigh. A step may leave a number out.
        """
        raise NotImplementedError(f"{type(self).__name__} has no step")

    def columns(self) -> Mapping[str, float]:
        """Return what a row of the history holds beside the means, such as the learning rate; called once a row.

        The place to raise FloatingPointError if the weights are no longer finite: nothing has been saved then.
        """
        return {}

    def state(self) -> State:
        """Return a copy of the state of every part."""
        return {name: part_state(part) for name, part in self.parts.items()}

    def restore(self, state: State) -> None:
        """Return every part to its state; all are checked before the first is changed.

        Raises
        ------
        ValueError
            If a part is missing, or its state does not fit.
        """
        for name, part in self.parts.items():
            if not isinstance(state.get(name), dict):
                raise ValueError(f"it has no state for {name!r}")
            check_part(name, part, state[name])
            if isinstance(part, Optimizer) and self.networks:
                _check_slots(name, state[name], list(self.networks.values()))
        for name, part in self.parts.items():
            restore_part(part, state[name])

    @property
    def networks(self) -> dict[str, Composite]:
        """The parts that are networks, by name."""
        return {name: part for name, part in self.parts.items() if isinstance(part, Composite)}


def part_state(part: Any) -> State:
    """Return a copy of the state of a network, an optimiser, a random generator or a `Trainable`."""
    if isinstance(part, Composite):
        arrays = {"params": part.params, "state": part.state}
        copies = {kind: {key: array.copy() for key, array in flat.items()} for kind, flat in arrays.items()}
        return {"architecture": part.architecture(), "fingerprint": part.fingerprint(), **copies}
    if isinstance(part, Optimizer):
        return _nested(part.state_dict())
    if isinstance(part, np.random.Generator):
        return dict(part.bit_generator.state)
    return part.state()


def check_part(name: str, part: Any, state: State) -> None:
    """Raise ValueError if `restore_part` could not return `part` to `state`."""
    if isinstance(part, Composite):
        check_network(part, state)
    elif isinstance(part, Optimizer):
        try:
            part.check_state_dict(_flat(state))
        except (TypeError, ValueError) as error:
            raise ValueError(f"it does not fit the optimiser: {error}") from error
    elif isinstance(part, np.random.Generator):
        _random_bits(name, part, state)


def restore_part(part: Any, state: State) -> None:
    """Return a part to its state, in place."""
    if isinstance(part, Composite):
        for kind, arrays in (("params", part.params), ("state", part.state)):
            for key, array in arrays.items():
                np.copyto(array, state[kind][key])
    elif isinstance(part, Optimizer):
        part.load_state_dict(_flat(state))
    elif isinstance(part, np.random.Generator):
        part.bit_generator.state = state
    else:
        part.restore(state)


def _check_slots(name: str, state: State, networks: list[Composite]) -> None:
    """Raise ValueError if what an optimiser keeps beside each parameter fits the parameters of no network."""
    wanted = [{key: (w.shape, w.dtype) for key, w in network.params.items()} for network in networks]
    for slot, arrays in state.items():
        if isinstance(arrays, dict) and {key: (a.shape, a.dtype) for key, a in arrays.items()} not in wanted:
            raise ValueError(f"it is damaged: the arrays {f'{name}/{slot}'!r} do not fit the parameters of a network")


def check_network(model: Composite, state: Mapping[str, Any]) -> None:
    """Raise ValueError if the arrays of a state are not those of the model, and say what differs."""
    if state.get("fingerprint") != model.fingerprint():
        raise ValueError(f"it belongs to another model: {_difference(state, model)}")
    for kind, arrays in (("params", model.params), ("state", model.state)):
        for key, wanted in arrays.items():
            array = (state.get(kind) or {}).get(key)
            if array is None or array.shape != wanted.shape:
                raise ValueError(f"it is damaged: the array {f'{kind}/{key}'!r} is missing or has another shape")
            if array.dtype != wanted.dtype:
                call = f"call model.astype({str(array.dtype)!r}) first"
                raise ValueError(f"it holds {array.dtype} and the model is {wanted.dtype}: {call}")


def _difference(state: Mapping[str, Any], model: Composite) -> str:
    """Say in words where the architecture of a state and that of a model differ."""
    here = model.architecture()
    there = state.get("architecture")
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


def _nested(flat: Mapping[str, Any]) -> State:
    """Return ``{"m/0.w": array}`` as ``{"m": {"0.w": array}}``."""
    nested: State = {}
    for path, value in flat.items():
        slot, slash, key = path.partition("/")
        if slash:
            nested.setdefault(slot, {})[key] = value
        else:
            nested[path] = value
    return nested


def _flat(nested: Mapping[str, Any]) -> State:
    flat: State = {}
    for slot, value in nested.items():
        flat |= {f"{slot}/{key}": array for key, array in value.items()} if isinstance(value, dict) else {slot: value}
    return flat


def _random_bits(name: str, rng: np.random.Generator, state: State) -> None:
    """Try a random state on a generator of its own, so that the trainer's stays as it is if the state is nonsense."""
    bits = type(rng.bit_generator)()
    try:
        bits.state = state
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"it is damaged: the random state {name!r} is not one of {type(bits).__name__}") from error
