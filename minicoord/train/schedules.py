"""Learning rates that change from epoch to epoch: ``schedule(epoch)``, epochs counted from 0."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from minicoord.system.arguments import check_number, check_whole


class Schedule:
    """What the schedules share. Any function of the epoch that returns a learning rate can stand in for one."""

    def __call__(self, epoch: int) -> float:
        """Return the learning rate of `epoch`, counted from 0."""
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """Return the name and the arguments, fit for JSON."""
        return {"name": type(self).__name__, **asdict(self)}  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True)
class ConstantSchedule(Schedule):
    """The same learning rate in every epoch.

    Parameters
    ----------
    lr : float
        The learning rate, above 0.
    """

    lr: float

    def __post_init__(self) -> None:
        check_number("ConstantSchedule: lr", self.lr, 0.0, above=True)

    def __call__(self, epoch: int) -> float:
        """Return the learning rate of `epoch`, counted from 0."""
        return self.lr


@dataclass(frozen=True)
class StepSchedule(Schedule):
    """The learning rate times `factor` after every `every` epochs, at most `most` times.

    The defaults are those of the paper's experiments: a tenth every 200 epochs, at most four times.

    Parameters
    ----------
    lr : float
        The learning rate at the start, above 0.
    every : int
        Epochs from one step to the next, at least 1.
    factor : float
        What each step multiplies the learning rate by, above 0.
    most : int
        Steps at most, 0 or more.

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

    def __call__(self, epoch: int) -> float:
        """Return the learning rate of `epoch`, counted from 0."""
        return self.lr * self.factor ** min(epoch // self.every, self.most)


@dataclass(frozen=True)
class LinearSchedule(Schedule):
    """The learning rate falls along a straight line, from `lr` in epoch 0 to `final` in epoch `epochs`.

    Parameters
    ----------
    lr : float
        The learning rate at the start, above 0.
    epochs : int
        The epoch (counted from 0) that would be the first with `final`: the length of the run, so that its last epoch
        still learns. At least 1.
    final : float
        The learning rate from there on, 0 or more.

    Examples
    --------
    >>> [LinearSchedule(0.5, epochs=4)(epoch) for epoch in range(5)]
    [0.5, 0.375, 0.25, 0.125, 0.0]
    """

    lr: float
    epochs: int
    final: float = 0.0

    def __post_init__(self) -> None:
        check_number("LinearSchedule: lr", self.lr, 0.0, above=True)
        check_whole("LinearSchedule: epochs", self.epochs, 1)
        check_number("LinearSchedule: final", self.final, 0.0)

    def __call__(self, epoch: int) -> float:
        """Return the learning rate of `epoch`, counted from 0."""
        left = 1 - min(epoch, self.epochs) / self.epochs
        return self.final + (self.lr - self.final) * left


@dataclass(frozen=True)
class CosineSchedule(Schedule):
    """The learning rate falls along half a cosine wave, from `lr` in epoch 0 to `final` in epoch `epochs`.

    Parameters
    ----------
    lr : float
        The learning rate at the start, above 0.
    epochs : int
        The epoch (counted from 0) that would be the first with `final`: the length of the run, so that its last epoch
        still learns. At least 1.
    final : float
        The learning rate from there on, 0 or more.

    Examples
    --------
    >>> [round(CosineSchedule(0.5, epochs=4)(epoch), 3) for epoch in range(5)]
    [0.5, 0.427, 0.25, 0.073, 0.0]
    """

    lr: float
    epochs: int
    final: float = 0.0

    def __post_init__(self) -> None:
        check_number("CosineSchedule: lr", self.lr, 0.0, above=True)
        check_whole("CosineSchedule: epochs", self.epochs, 1)
        check_number("CosineSchedule: final", self.final, 0.0)

    def __call__(self, epoch: int) -> float:
        """Return the learning rate of `epoch`, counted from 0."""
        half_wave = (1 + math.cos(math.pi * min(epoch, self.epochs) / self.epochs)) / 2
        return self.final + (self.lr - self.final) * half_wave
