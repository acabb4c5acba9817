"""The settings that every network of the three supervised tasks has: those of its training."""

from __future__ import annotations

from dataclasses import dataclass

from minicoord.experiments.frame.settings import Settings, setting
from minicoord.train.optim import Adam, AdamW
from minicoord.train.schedules import ConstantSchedule, CosineSchedule, Schedule, StepSchedule

SCHEDULES = ("constant", "step", "cosine")


@dataclass(frozen=True, kw_only=True)
class TrainingSettings(Settings):
    """How a network is trained.

    Attributes
    ----------
    epochs, batch_size : int
    lr : float
        Learning rate of Adam at the start.
    l2 : float
        Strength of the penalty ``l2 * sum(w^2)`` on convolution kernels.
    decay : float
        Decoupled decay (AdamW) of convolution kernels, in place of that penalty; the official code had none.
    schedule : {"constant", "step", "cosine"}
        ``"step"``: a tenth after every fifth of the epochs; the official code did so every 200 of 1,000.
        ``"cosine"``: down to zero.
    beta2 : float
        Of Adam; the official code had 0.99.
    """

    epochs: int = setting("epochs")
    lr: float = setting("learning rate at the start")
    l2: float = setting("penalty l2 * sum(w^2) on convolution kernels")
    schedule: str = setting("learning rate over the epochs", "constant", choices=SCHEDULES)
    batch_size: int = setting("samples per step", 16)
    beta2: float = setting("of Adam", 0.99)
    decay: float = setting("decoupled decay of convolution kernels (AdamW), in place of l2", 0.0)

    def check(self) -> None:
        """Raise ValueError if there are both a penalty and a decay, or Adam refuses a number."""
        self.optimiser()

    def optimiser(self) -> Adam:
        """Return Adam with the penalty, or AdamW with the decay.

        Raises
        ------
        ValueError
            If there are both.
        """
        if self.decay and self.l2:
            raise ValueError(f"the settings had l2 {self.l2} and decay {self.decay}; one of them must be 0")
        if self.decay:
            return AdamW(self.lr, beta2=self.beta2, decay=self.decay)
        return Adam(self.lr, beta2=self.beta2, l2=self.l2)

    def learning_rates(self) -> Schedule:
        """Return the learning rate as a function of the epoch."""
        if self.schedule == "cosine":
            return CosineSchedule(self.lr, self.epochs)
        if self.schedule == "step":
            return StepSchedule(self.lr, every=max(1, self.epochs // 5))
        return ConstantSchedule(self.lr)
