"""What the loop trains: a `Trainer` names its parts (networks, optimisers, random generators) and takes one step.

A checkpoint holds the state of every part. A classifier has one network and one optimiser, a GAN two of each, an agent
also the random generator of its environment. ``part_state.py`` saves and restores one part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from minicoord.nn.composites.base import Composite
from minicoord.system.arguments import shown
from minicoord.train.part_state import State, check_part, part_state, restore_part


@runtime_checkable
class Trainable(Protocol):
    """What `minicoord.train.loop.train` needs: a step, and a state that can be saved and restored."""

    def step(self) -> Mapping[str, float]:
        """Take one training step, and return numbers to record, such as ``{"loss": 0.5}``."""
        ...

    def state(self) -> State:
        """Return a copy of everything that the next step depends on: nested dicts of arrays and plain values.

        The keys are printable str without slashes, the plain values None, bool, int, float, str, and lists of those.
        Anything else, such as a tuple or a NumPy scalar, is refused when the first checkpoint is written.
        """
        ...

    def restore(self, state: State) -> None:
        """Return to a saved state; raise ValueError and change nothing if it does not fit."""
        ...


class Trainer:
    """A base class for what the loop trains: a subclass names its parts and defines `step`.

    Parameters
    ----------
    steps : int
        Steps of the run in total.
    every : int
        Steps from one row of the history, and one checkpoint, to the next.
    unit : str
        What rows are counted in: ``"step"``, or ``"epoch"`` where `every` steps make one.
    **parts : Sequential or other composite, Optimizer, numpy.random.Generator or Trainable
        Everything that changes from step to step, by the names under which a checkpoint holds it: names without
        slashes.

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
        """Take one training step, and return the numbers to record.

        The history holds their means over the steps of a row. Where the numbers are themselves means over samples, the
        key ``"samples"`` gives how many, at least 1, which is their weight. A step may omit a number. The names `unit`
        and ``"train_seconds"`` are taken.
        """
        raise NotImplementedError(f"{type(self).__name__} has no step")

    def columns(self) -> Mapping[str, float]:
        """Return further columns of the history, such as the learning rate; called after the last step of each row.

        Their names differ from those of the numbers that `step` returns.

        This is the place to raise FloatingPointError if a weight is no longer finite, because the row and its
        checkpoint have not been saved yet.
        """
        return {}

    def state(self) -> State:
        """Return a copy of the state of every part."""
        return {name: part_state(part) for name, part in self.parts.items()}

    def restore(self, state: State) -> None:
        """Restore every part. All states are checked first, and after an error the parts are as they were before.

        Raises
        ------
        ValueError
            If the state of a part is missing or does not fit.
        """
        self.check(state)
        before = Trainer.state(self)
        try:
            for name, part in self.parts.items():
                restore_part(part, state[name])
        except Exception:  # a part with a `restore` of its own may refuse its state after others have taken theirs
            for name, part in self.parts.items():
                restore_part(part, before[name])
            raise

    def check(self, state: State) -> None:
        """Raise ValueError if the state of a part is missing or does not fit.

        Which parameters an optimiser updates is known to `step` alone: its first step refuses slots that do not fit.
        """
        for name, part in self.parts.items():
            if not isinstance(state.get(name), dict):
                raise ValueError(f"it has no state for {shown(name)}")
            if isinstance(part, Trainer):
                part.check(state[name])
            else:
                check_part(name, part, state[name])

    @property
    def networks(self) -> dict[str, Composite]:
        """The parts that are networks, by name; those of a part that is itself a Trainer as ``"part.network"``."""
        networks: dict[str, Composite] = {}
        for name, part in self.parts.items():
            if isinstance(part, Composite):
                networks[name] = part
            elif isinstance(part, Trainer):
                networks |= {f"{name}.{inner}": network for inner, network in part.networks.items()}
        return networks
