"""The settings that all networks of the three supervised tasks share: those of training."""

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
    epochs : int
        Passes over the training set.
    batch_size : int
        Samples per step.
    lr : float
        Initial learning rate of Adam.
    l2 : float
        Strength of the penalty ``l2 * sum(w^2)`` on convolution kernels.
    decay : float
        Decoupled weight decay (AdamW) of convolution kernels, in place of that penalty; not in the official code.
    schedule : {"constant", "step", "cosine"}
        The learning rate over the epochs. ``"step"``: multiplied by 0.1 after every fifth of the epochs, as the
        official code did every 200 of 1,000. ``"cosine"``: half a cosine wave down to zero.
    beta2 : float
        Decay rate of Adam's running mean of squared gradients; 0.99 in the official code.
    """

    epochs: int = setting("passes over the training set")
    lr: float = setting("initial learning rate of Adam")
    l2: float = setting("strength of the L2 penalty, l2 * sum(w^2), on convolution kernels")
    schedule: str = setting("how the learning rate changes over the epochs", "constant", choices=SCHEDULES)
    batch_size: int = setting("samples per training step", 16)
    beta2: float = setting("decay rate of Adam's mean of squared gradients, below 1", 0.99)
    decay: float = setting("decoupled weight decay of convolution kernels (AdamW), in place of l2", 0.0)

    def check(self) -> None:
        """Raise ValueError if both the penalty and the decay are set, or Adam refuses a value."""
        self.optimiser()

    def optimiser(self) -> Adam:
        """Return Adam with the penalty, or AdamW with the decay.

        Raises
        ------
        ValueError
            If both are set, or a value is out of range.
        """
        if self.decay and self.l2:
            raise ValueError(f"the settings had l2 {self.l2} and decay {self.decay}; one of them must be 0")
        if self.decay:
            return AdamW(self.lr, beta2=self.beta2, decay=self.decay)
        return Adam(self.lr, beta2=self.beta2, l2=self.l2)

    def learning_rates(self) -> Schedule:
        """Return the schedule of the learning rate over the epochs."""
        if self.schedule == "cosine":
            return CosineSchedule(self.lr, self.epochs)
        if self.schedule == "step":
            return StepSchedule(self.lr, every=max(1, self.epochs // 5))
        return ConstantSchedule(self.lr)
