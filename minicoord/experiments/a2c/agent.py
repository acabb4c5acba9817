"""The agent: it acts for a few steps, looks back at what that was worth, and learns::

    for t in range(horizon):
        actions = sample(softmax(actor(pictures)))                                # act
        pictures, rewards = world.step(actions)
    returns = rewards, discounted, and the critic's value of what comes after     # look back
    step(gradient of policy - .01 * entropy + .5 * value)                         # learn

The pictures go through the network once. What it computed in order to act is what the gradient needs, because the
weights change only afterwards.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.worlds.checks import check_pictures, check_step, check_world
from minicoord.datasets.worlds.world import Pictures, World
from minicoord.experiments.a2c.episodes import EpisodeLog
from minicoord.experiments.a2c.losses import a2c_loss, log_softmax
from minicoord.experiments.a2c.returns import advantages, n_step_returns
from minicoord.experiments.a2c.settings import A2CSettings
from minicoord.kernels.backend.memory import empty
from minicoord.nn.model import Sequential
from minicoord.nn.passes import ForwardPasses
from minicoord.system.arguments import check_kind, seed_numbers, shown
from minicoord.train.clipping import clip_gradients
from minicoord.train.trainer import Trainer


class Rollout(NamedTuple):
    """What happened in `horizon` steps, T, of N episodes.

    Attributes
    ----------
    pictures : ndarray of float32, (T, N, H, W, C)
    logits : ndarray of float32, (T, N, A)
        What the actor said of each picture.
    actions : ndarray of int64, (T, N)
    rewards, values, after : ndarray of float32, (T, N)
        ``values`` is what the critic expected of each picture, ``after`` of the picture that the action led to; the
        latter is 0 where nobody asks, see `minicoord.experiments.a2c.returns.n_step_returns`.
    ended, cut : ndarray of bool, (T, N)
    passes : ForwardPasses
        The passes of the pictures through the network.
    """

    pictures: Pictures
    logits: NDArray[np.float32]
    actions: NDArray[np.int64]
    rewards: NDArray[np.float32]
    values: NDArray[np.float32]
    after: NDArray[np.float32]
    ended: NDArray[np.bool_]
    cut: NDArray[np.bool_]
    passes: ForwardPasses


class Agent(Trainer):
    """An actor and a critic that learn to act in a world; a step is an update after `horizon` actions in each episode.

    Parameters
    ----------
    net : Sequential
        Pictures to ``{"policy": logits, "value": value}``; see `minicoord.experiments.a2c.networks.network`.
    world : World
        Where it acts.
    settings : A2CSettings
    seed : int or sequence of int
        Seed of the actions that are drawn.

    Raises
    ------
    TypeError
        If one of them is of another kind, or later, from `step`, if the world returns something other than a `Step`.
    ValueError
        If the network does not fit the world, or later, from `step`, if the world breaks the protocol.
    FloatingPointError
        From `step`, if the gradient is no longer finite.
    """

    def __init__(self, net: Sequential, world: World, settings: A2CSettings, seed: int | list[int] = 0) -> None:
        check_kind("Agent: net", net, Sequential, "a Sequential")
        check_kind("Agent: settings", settings, A2CSettings, "an A2CSettings")
        check_world(world)
        heads = {"policy": (1, len(world.actions)), "value": (1, 1)}
        found = net.output_shape((1, *world.shape))
        if found != heads:
            raise ValueError(f"Agent: the network returns {shown(found)} for one picture, wanted {heads}")
        self.net, self.world, self.settings = net, world, settings
        self.optimiser, self.rng = settings.descent(), np.random.default_rng(seed_numbers("Agent", seed))
        self.episodes = EpisodeLog(world.count)
        self.actions_per_step = world.count * settings.horizon
        updates = math.ceil(settings.env_steps / self.actions_per_step)
        self.learning_rates = settings.learning_rates(updates)
        every = max(1, math.ceil(settings.every / self.actions_per_step))
        parts = {"net": net, "optimiser": self.optimiser, "actions": self.rng}
        # The step counter is that of the optimiser, whose state says how many updates there were.
        super().__init__(updates, every, **parts, world=world, episodes=self.episodes)
        self.pictures = world.look()
        check_pictures("look", self.pictures, world)

    def step(self) -> dict[str, float]:
        """Act for `horizon` steps, then take one step of the optimiser; return the losses and the gradient's norm."""
        settings = self.settings
        rollout = self.act()
        returns = n_step_returns(rollout.rewards, rollout.ended, rollout.cut, rollout.after, settings.gamma)
        gains = advantages(returns, rollout.values)  # (T, N)
        losses = a2c_loss(
            rollout.logits.reshape(-1, len(self.world.actions)),  # (T * N, A)
            rollout.values.reshape(-1),
            rollout.actions.reshape(-1),
            returns.reshape(-1),
            gains.reshape(-1),
            settings.entropy,
            settings.value,
        )
        rollout.passes.join(rollout.pictures.reshape(-1, *self.world.shape))  # (T * N, H, W, C)
        self.net.backward({"policy": losses.dlogits, "value": losses.dvalues[:, np.newaxis]}, need_dx=False)
        norm = clip_gradients(self.net, settings.clip)
        self.optimiser.lr = float(self.learning_rates(self.optimiser.t))
        self.optimiser.step(self.net)
        return {
            "policy_loss": losses.policy,
            "value_loss": losses.value,
            "entropy": losses.entropy,
            "gradient_norm": norm,
        }

    def act(self) -> Rollout:
        """Return what happens when the agent acts for `horizon` steps, with actions drawn from its policy."""
        horizon, count = self.settings.horizon, self.world.count
        pictures = empty((horizon, count, *self.world.shape), np.float32)
        logits = np.empty((horizon, count, len(self.world.actions)), np.float32)
        actions = np.empty((horizon, count), np.int64)
        rewards, values, after = (np.zeros((horizon, count), np.float32) for _ in range(3))
        ended, cut = (np.zeros((horizon, count), bool) for _ in range(2))
        passes = ForwardPasses(self.net)
        to_value: list[Pictures] = []  # the pictures after the last step, and those at which episodes were cut
        for t in range(horizon):
            pictures[t] = self.pictures
            heads = passes.forward(pictures[t])
            logits[t], values[t] = heads["policy"], heads["value"][:, 0]
            actions[t] = draw(logits[t], self.rng)
            step = self.world.step(actions[t])
            check_step(step, self.world)
            rewards[t], ended[t], cut[t] = step.rewards, step.ended, step.cut
            if t == horizon - 1:
                to_value.append(step.arrived)
            elif step.cut.any():
                to_value.append(step.arrived[step.cut])
            self.episodes.add(step)
            self.pictures = step.pictures
        asked = cut.copy()
        asked[-1] = True
        ahead = to_value[0] if len(to_value) == 1 else np.concatenate(to_value)
        after[asked] = self.net.forward(ahead)["value"][:, 0]
        return Rollout(pictures, logits, actions, rewards, values, after, ended, cut, passes)

    def columns(self) -> dict[str, float]:
        """Return the steps in the world so far, the return and length of episodes since the last row, and the rate.

        In Atari these are the score and the length of whole games; see `EpisodeLog`.

        Raises
        ------
        FloatingPointError
            If a parameter is no longer finite.
        """
        for name, array in self.net.params.items():
            if not np.isfinite(array).all():
                raise FloatingPointError(f"{name} is no longer finite: try a lower learning rate")
        env_steps = self.optimiser.t * self.actions_per_step
        return {"env_steps": env_steps, **self.episodes.summary(), "lr": self.optimiser.lr}

    def restore(self, state: dict) -> None:
        """Return to a saved state; where the world does not keep its episodes, new ones begin."""
        super().restore(state)
        if not self.world.saves_episodes:
            self.episodes.returns[:], self.episodes.lengths[:] = 0, 0
        self.pictures = self.world.look()


def draw(logits: NDArray, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return one action for each row of logits (N, A), drawn from their softmax: (N,).

    A number between 0 and 1 falls into one of the A pieces that the probabilities cut the line into.

    Examples
    --------
    >>> draw(np.log(np.array([[0.5, 0.5], [1.0, 1e-9]])), np.random.default_rng(0))
    array([1, 0])
    """
    edges = np.exp(log_softmax(logits)).cumsum(axis=1, dtype=np.float64)  # (N, A)
    above = rng.random(len(logits))[:, np.newaxis] >= edges[:, :-1] / edges[:, -1:]
    return above.sum(axis=1)


def best(logits: NDArray) -> NDArray[np.int64]:
    """Return the most probable action for each row of logits (N, A), the first of several: (N,)."""
    return logits.argmax(axis=1)
