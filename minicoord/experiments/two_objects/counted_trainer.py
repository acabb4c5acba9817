"""What the trainers of the GAN and the VAE share: a count of steps in the checkpoint, and finite parameters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicoord.train.trainer import Trainer


class CountedTrainer(Trainer):
    """Trains on images that follow from the number of the step, so that its count is all a checkpoint holds of them.

    Attributes
    ----------
    done : int
        How many steps are done; a subclass adds one in each.
    """

    done = 0

    def check_finite(self) -> None:
        """Raise FloatingPointError if a parameter of a network is no longer finite."""
        for name, network in self.networks.items():
            for key, array in network.params.items():
                if not np.isfinite(array).all():
                    raise FloatingPointError(
                        f"{key} of the {name} is no longer finite after step {self.done}: try a lower learning rate"
                    )

    def state(self) -> dict[str, Any]:
        """Return the state between two steps."""
        return {**super().state(), "progress": {"done": self.done}}

    def restore(self, state: dict[str, Any]) -> None:
        """Return to a state between two steps."""
        super().restore(state)
        self.done = int(state["progress"]["done"])

    def check(self, state: dict[str, Any]) -> None:
        """Raise ValueError if a state is missing or does not fit."""
        super().check(state)
        progress = state.get("progress")
        done = progress.get("done") if isinstance(progress, dict) else None
        if isinstance(done, bool) or not isinstance(done, int) or done < 0:
            raise ValueError("it is damaged: it does not say how many steps are done")


def finite(loss: float) -> float:
    """Return a loss, or raise FloatingPointError if it is not finite."""
    if not math.isfinite(loss):
        raise FloatingPointError(f"the loss became {loss}: try a lower learning rate")
    return loss
