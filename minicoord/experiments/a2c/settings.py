"""The settings of A2C and its presets.

What is published of A2C (OpenAI Baselines): 16 environments, 5 steps, gamma .99, learning rate 7e-4 falling linearly to
0, entropy .01, value .5, gradient norm .5, and RMSprop with alpha .99. The paper on CoordConv says which games it had,
how many were better, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from minicoord.experiments.a2c.networks import ARMS
from minicoord.experiments.frame.settings import Settings, setting
from minicoord.train.optim import Adam, RMSprop
from minicoord.train.schedules import ConstantSchedule, LinearSchedule, Schedule


@dataclass(frozen=True, kw_only=True)
class A2CSettings(Settings):
    """How an agent is trained, and on how many episodes it is evaluated.

    Attributes
    ----------
    env_steps : int
        Length of the run: actions in all episodes together, rounded up to whole updates. An update is a *step* of the
        training loop; it comes after `horizon` actions in each of `envs` episodes.
    every : int
        Actions from one row of the history to the next, rounded up to whole updates.
    envs, horizon : int
        Episodes side by side, and actions in each before an update.
    gamma : float
        What a reward is worth one step later.
    lr : float
        Initial learning rate.
    decay : bool
        Whether the learning rate falls along a line to 0.
    optimiser : {"rmsprop", "rmsprop-textbook", "adam"}
        See `minicoord.train.optim.RMSprop` for the difference between the first two.
    entropy, value : float
        Weights of the entropy and of the value loss.
    clip : float
        The largest norm of the gradient, over all parameters.
    test_episodes : int
        Episodes of the greedy evaluation, on seeds that training does not see.
    """

    env_steps: int = setting("length of the run in actions, in all episodes together")
    every: int = setting("actions from one row of the history to the next", 10_000)
    envs: int = setting("episodes side by side", 16)
    horizon: int = setting("actions in each episode before an update", 5)
    gamma: float = setting("what a reward is worth one step later", 0.99)
    lr: float = setting("initial learning rate", 7e-4)
    decay: bool = setting("let the learning rate fall along a line to 0", True)
    optimiser: str = setting("what makes the loss fall", "rmsprop", choices=("rmsprop", "rmsprop-textbook", "adam"))
    entropy: float = setting("weight of the entropy, which keeps the policy from being sure too early", 0.01)
    value: float = setting("weight of the value loss", 0.5)
    clip: float = setting("largest norm of the gradient, over all parameters", 0.5)
    test_episodes: int = setting("episodes of the greedy evaluation", 100)

    def check(self) -> None:
        """Raise ValueError if a number is out of range."""
        if self.gamma > 1:
            raise ValueError(f"gamma was {self.gamma:g}, wanted a number from 0 to 1")
        for name in ("lr", "clip"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} was {getattr(self, name):g}, wanted a number above 0")

    def descent(self) -> RMSprop | Adam:
        """Return the optimiser."""
        if self.optimiser == "adam":
            return Adam(self.lr, eps=1e-5)
        return RMSprop(self.lr, alpha=0.99, eps=1e-5, textbook=self.optimiser == "rmsprop-textbook")

    def learning_rates(self, updates: int) -> Schedule:
        """Return the schedule of the learning rate over so many updates."""
        return LinearSchedule(self.lr, updates) if self.decay else ConstantSchedule(self.lr)


PRESETS: dict[str, dict[str, A2CSettings]] = {
    # RMSprop with a running mean that starts at 1 takes a thousand updates to gain speed; this run has as many in all.
    "quick": dict.fromkeys(ARMS, A2CSettings(env_steps=80_000, every=4_000, optimiser="adam", lr=0.002)),
    "published": dict.fromkeys(ARMS, A2CSettings(env_steps=1_000_000, every=20_000)),
}
