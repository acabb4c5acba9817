"""Learning rates that change during a run: ``schedule(k)``, where k counts from 0.

What k counts is up to the loop: `fit` counts epochs, reinforcement learning counts steps. The arguments are in the same
unit.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from minicoord.system.arguments import check_number, check_whole


class Schedule:
    """The base class of the schedules. Any other function of k that returns a learning rate will do as well."""

    def __call__(self, k: int) -> float:
        """Return the learning rate of epoch or step `k`, counted from 0."""
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """Return the class name and the arguments, fit for JSON."""
        return {"name": type(self).__name__, **asdict(self)}  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True)
class ConstantSchedule(Schedule):
    """A constant learning rate.

    Parameters
    ----------
    lr : float
        The learning rate, above 0.
    """

    lr: float

    def __post_init__(self) -> None:
        check_number("ConstantSchedule: lr", self.lr, 0.0, above=True)

    def __call__(self, k: int) -> float:
        """Return the learning rate of epoch or step `k`, counted from 0."""
        check_whole("ConstantSchedule: k", k, 0)
        return self.lr


@dataclass(frozen=True)
class StepSchedule(Schedule):
    """The learning rate is multiplied by `factor` every `every` epochs or steps, at most `most` times.

    The defaults are those of the paper's experiments: a tenth every 200 epochs, at most four times.

    Parameters
    ----------
    lr : float
        The learning rate at the start, above 0.
    every : int
        Epochs or steps from one change to the next, at least 1.
    factor : float
        What each change multiplies the learning rate by, above 0.
    most : int
        The largest number of changes, 0 or more.

    Examples
    --------
    >>> schedule = StepSchedule(0.1, every=10, factor=0.5, most=2)
    >>> [schedule(epoch) for epoch in (0, 9, 10, 20, 30, 99)]
    [0.1, 0.1, 0.05, 0.025, 0.025, 0.025]
    """

    lr: float
    every: int = 200
    factor: float = 0.1
    most: int = 4

    def __post_init__(self) -> None:
        check_number("StepSchedule: lr", self.lr, 0.0, above=True)
        check_whole("StepSchedule: every", self.every, 1)
        check_number("StepSchedule: factor", self.factor, 0.0, above=True)
        check_whole("StepSchedule: most", self.most, 0)

    def __call__(self, k: int) -> float:
        """Return the learning rate of epoch or step `k`, counted from 0."""
        check_whole("StepSchedule: k", k, 0)
        return self.lr * self.factor ** min(k // self.every, self.most)


@dataclass(frozen=True)
class FallingSchedule(Schedule):
    """The base class of `LinearSchedule` and `CosineSchedule`: the learning rate falls from `lr` to `final`.

    Parameters
    ----------
    lr : float
        The learning rate at the start, above 0.
    epochs : int
        The length of the run in epochs or steps, at least 1: the first `k` with the learning rate `final`, so that the
        last epoch, `epochs` - 1, still learns.
    final : float
        The learning rate from `epochs` on, 0 or more.
    """

    lr: float
    epochs: int
    final: float = 0.0

    def __post_init__(self) -> None:
        kind = type(self).__name__
        check_number(f"{kind}: lr", self.lr, 0.0, above=True)
        check_whole(f"{kind}: epochs", self.epochs, 1)
        check_number(f"{kind}: final", self.final, 0.0)

    def __call__(self, k: int) -> float:
        """Return the learning rate of epoch or step `k`, counted from 0."""
        check_whole(f"{type(self).__name__}: k", k, 0)
        return self.final + (self.lr - self.final) * self.remaining(min(k, self.epochs))

    def remaining(self, k: int) -> float:
        """Return the share of the way down that remains: 1 for `k` = 0, 0 for `k` = `epochs`."""
        raise NotImplementedError(f"{type(self).__name__} has no remaining")


class LinearSchedule(FallingSchedule):
    """The learning rate falls along a straight line, from `lr` at 0 to `final` at `epochs`.

    Parameters
    ----------
    lr, epochs, final
        Those of `FallingSchedule`: the learning rate at the start, the length of the run in epochs or steps, and the
        learning rate at its end, 0 by default.

    Examples
    --------
    >>> [LinearSchedule(0.5, epochs=4)(epoch) for epoch in range(5)]
    [0.5, 0.375, 0.25, 0.125, 0.0]

    In a run of a million steps:

    >>> LinearSchedule(7e-4, 1_000_000)(500_000)
    0.00035
    """

    def remaining(self, k: int) -> float:
        """Return ``1 - k / epochs``."""
        return 1 - k / self.epochs


class CosineSchedule(FallingSchedule):
    """The learning rate falls along half a cosine wave, from `lr` at 0 to `final` at `epochs`.

    Parameters
    ----------
    lr, epochs, final
        Those of `FallingSchedule`: the learning rate at the start, the length of the run in epochs or steps, and the
        learning rate at its end, 0 by default.

    Examples
    --------
    >>> [round(CosineSchedule(0.5, epochs=4)(epoch), 3) for epoch in range(5)]
    [0.5, 0.427, 0.25, 0.073, 0.0]
    """

    def remaining(self, k: int) -> float:
        """Return ``(1 + cos(pi * k / epochs)) / 2``."""
        return (1 + math.cos(math.pi * k / self.epochs)) / 2
