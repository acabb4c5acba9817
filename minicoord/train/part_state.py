"""The state of one part of a trainer: a network, an optimiser, a random generator, or anything with a state of its own.

The error messages begin with "it", the saved state; whoever read it from a file puts the path in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minicoord.nn.composites.base import Composite
from minicoord.system.arguments import shown
from minicoord.train.optimizer import Optimizer

State = dict[str, Any]

_BIT_GENERATORS = {
    kind.__name__: kind
    for kind in (np.random.MT19937, np.random.PCG64, np.random.PCG64DXSM, np.random.Philox, np.random.SFC64)
}

MOST_SHOWN = 300
"""How many characters of a layer that a file describes an error repeats; minicoord's own layers need fewer."""

_HIGHEST = {"pos": 624, "buffer_pos": 4, "has_uint32": 1}
"""Places in a generator's buffers, and the highest that each may be; NumPy checks none, and reads where they point."""


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
    """Raise ValueError if `restore_part` cannot restore `state` into `part`. A `Trainable` checks for itself."""
    if isinstance(part, Composite):
        check_network(part, state)
    elif isinstance(part, Optimizer):
        try:
            part.check_state_dict(_flat(state))
        except (TypeError, ValueError) as error:
            raise ValueError(f"it does not fit the optimiser: {error}") from error
    elif isinstance(part, np.random.Generator):
        _check_random_state(name, part, state)


def restore_part(part: Any, state: State) -> None:
    """Restore the state of a part, in place."""
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


def check_slots(name: str, state: State, network: Composite) -> None:
    """Raise ValueError if a slot of the optimiser `name` does not fit the parameters of the network it belongs to."""
    wanted = {key: (w.shape, w.dtype) for key, w in network.params.items()}
    for slot, arrays in state.items():
        if isinstance(arrays, dict) and {key: (a.shape, a.dtype) for key, a in arrays.items()} != wanted:
            what = shown(f"{name}/{slot}")
            raise ValueError(f"it is damaged: the arrays {what} do not fit the parameters of the network")


def check_epochs(state: Mapping[str, Any]) -> None:
    """Raise ValueError if a state that is kept between epochs does not say how many of them are done."""
    epoch = state.get("epoch")
    done = epoch.get("done") if isinstance(epoch, dict) else None
    if isinstance(done, bool) or not isinstance(done, int) or done < 0:
        raise ValueError(f"it is damaged: it says {shown(done)} epochs are done, wanted a whole number, at least 0")


def generator_from(state: Any) -> np.random.Generator:
    """Return a random generator in the given state; raise ValueError if it is not one of a bit generator of NumPy."""
    kind = _BIT_GENERATORS.get(str(state.get("bit_generator"))) if isinstance(state, Mapping) else None
    if kind is None:
        raise ValueError("it has no state of a random generator called 'rng'")
    rng = np.random.Generator(kind())
    _check_random_state("rng", rng, dict(state))
    rng.bit_generator.state = state
    return rng


def check_network(model: Composite, state: Mapping[str, Any]) -> None:
    """Raise ValueError, which names the difference, if the arrays of a state do not fit the model."""
    if state.get("fingerprint") != model.fingerprint():
        raise ValueError(f"it belongs to another model: {_difference(state, model)}")
    for kind, arrays in (("params", model.params), ("state", model.state)):
        for key, wanted in arrays.items():
            array = (state.get(kind) or {}).get(key)
            if array is None or array.shape != wanted.shape:
                raise ValueError(f"it is damaged: the array {shown(f'{kind}/{key}')} is missing or has another shape")
            if array.dtype != wanted.dtype:
                call = f"call model.astype({str(array.dtype)!r}) first"
                raise ValueError(f"it holds {array.dtype} and the model is {wanted.dtype}: {call}")


def _difference(state: Mapping[str, Any], model: Composite) -> str:
    """Return in words the first difference between the architecture of a state and that of a model."""
    current = model.architecture()
    saved = state.get("architecture")
    if not (isinstance(saved, dict) and all(isinstance(saved.get(part), dict) for part in current)):
        return "it does not say which"
    for name in dict.fromkeys((*current["layers"], *saved["layers"])):
        before, now = saved["layers"].get(name, "nothing"), current["layers"].get(name, "nothing")
        if before != now:
            return f"its layer {name} is {str(before)[:MOST_SHOWN]}, the model's is {now}"
    for name in dict.fromkeys((*current["arrays"], *saved["arrays"])):
        before, now = saved["arrays"].get(name), current["arrays"].get(name)
        if before != now:
            return f"its array {name} has shape {shown(before)}, the model's {shown(now)}"
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
    """Return ``{"m": {"0.w": array}}`` as ``{"m/0.w": array}``."""
    flat: State = {}
    for slot, value in nested.items():
        flat |= {f"{slot}/{key}": array for key, array in value.items()} if isinstance(value, dict) else {slot: value}
    return flat


def _check_random_state(name: str, rng: np.random.Generator, state: State) -> None:
    """Raise ValueError if the generator would refuse a state; it is tried on another one of the same kind."""
    bits = type(rng.bit_generator)()
    wrong = f"it is damaged: the random state {shown(name)} is not one of {type(bits).__name__}"
    try:
        bits.state = state
    except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
        raise ValueError(wrong) from error
    if type(bits) in _BIT_GENERATORS.values():
        for key, value in {**state, **state["state"]}.items():
            if key in _HIGHEST and not (type(value) is int and 0 <= value <= _HIGHEST[key]):
                wanted = f"wanted a whole number from 0 to {_HIGHEST[key]}"
                raise ValueError(f"{wrong}: its {shown(key)} is {shown(value)}, {wanted}")
