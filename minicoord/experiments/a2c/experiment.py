"""A2C: an agent learns to play, with and without coordinates in the first layer of its network.

The paper trained A2C on nine Atari games: with coordinates it was better on six, about equal on two and slightly worse
on one. It gives no numbers, and no code was released. The models here are two by two: coordinates or none, and global
pooling or a dense layer after the convolutions, for a dense layer knows places without being told.

The variants are games. By default the two versions of `minicoord.datasets.worlds.position.PositionWorld` are played:
``position``, in which place matters, and ``control``, in which it does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minicoord.experiments.a2c.agent import Agent
from minicoord.experiments.a2c.comparison import sentences
from minicoord.experiments.a2c.evaluation import play, success_at_random
from minicoord.experiments.a2c.games import GAMES, OURS, make_world
from minicoord.experiments.a2c.grids import GRIDS
from minicoord.experiments.a2c.networks import ARMS, network
from minicoord.experiments.a2c.published import beside
from minicoord.experiments.a2c.settings import PRESETS, A2CSettings
from minicoord.experiments.frame.experiment import Experiment
from minicoord.experiments.frame.metrics import Metric, Results
from minicoord.experiments.frame.plan import Plan
from minicoord.nn.model import Sequential

MODELS = ("conv-pool", "coordconv-pool", "conv-dense", "coordconv-dense")
WEIGHTS, ACTIONS, WORLD, TEST = range(4)  # streams of the seed: each has random numbers of its own


class A2CAgent(Agent):
    """The agent of a plan.

    Parameters
    ----------
    plan : Plan
        The run. Its seed decides the initial weights, the actions that are drawn, and the world.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan, settings = plan, plan.settings
        world = make_world(plan.variant, settings.envs, [plan.seed, WORLD])
        super().__init__(first_network(plan), world, settings, [plan.seed, ACTIONS])


def first_network(plan: Plan) -> Sequential:
    """Return the network of a plan with its initial weights."""
    world = make_world(plan.variant, 1, [plan.seed, WORLD])
    return network(world.shape, len(world.actions), ARMS[plan.model], np.random.default_rng([plan.seed, WEIGHTS]))


class A2C(Experiment):
    """Convolution against CoordConv in an agent that acts.

    Examples
    --------
    >>> from minicoord import experiments
    >>> plan = experiments.get("a2c").plan("coordconv-pool", "control", seed=3, env_steps=1000)
    >>> plan.name, plan.settings.horizon
    ('coordconv-pool-control-seed3-env_steps=1000', 5)
    """

    name = "a2c"
    title = "Reinforcement learning with A2C"
    paper_section = "supplement S8"
    Settings = A2CSettings
    presets = PRESETS
    grids = GRIDS
    models = MODELS
    more_models = tuple(model for model in ARMS if model not in MODELS)
    variants = OURS
    more_variants = tuple(game for game in GAMES if game not in OURS)
    variant_name = "game"
    metrics = (
        Metric("test_return", "return, greedy", digits=2, primary=True),
        Metric("test_moves", "moves, greedy"),
    )

    def trainer(self, plan: Plan) -> A2CAgent:
        """Return the agent in its world."""
        return A2CAgent(plan)

    def measure(self, trainer: A2CAgent) -> tuple[dict[str, float], dict[str, Any]]:
        """Return how the agent plays with its most probable actions, on seeds that training does not see.

        Returns
        -------
        metrics : dict
            ``test_return`` and ``test_moves``, the mean return and length of an episode.
        arrays : dict
            ``returns`` and ``lengths`` of the episodes; ``visits`` (H, W), where the agent was, empty where no channel
            shows that; ``film`` (frames, H, W, C) of uint8, an episode; ``front`` and ``front_before``, the weights of
            the first layer (kh, kw, channels, outputs) after and before training.
        """
        plan, settings = trainer.plan, trainer.settings
        count = min(settings.envs, settings.test_episodes)
        world = make_world(plan.variant, count, [plan.seed, TEST], evaluation=True)
        played = play(trainer.net, world, settings.test_episodes)
        metrics = {"test_return": float(played.returns.mean()), "test_moves": float(played.lengths.mean())}
        front = {"front": trainer.net, "front_before": first_network(plan)}
        weights = {name: net.layers[0].params["w"].copy() for name, net in front.items()}
        return metrics, {**played._asdict(), **weights}

    def facts(self, trainer: A2CAgent) -> dict[str, Any]:
        """Return the length in actions, what the game's yardsticks are, and what resuming does to its episodes."""
        env_steps = trainer.optimiser.t * trainer.actions_per_step
        resuming = "continues its episodes" if trainer.world.saves_episodes else "begins new episodes"
        facts: dict[str, Any] = {"env_steps": env_steps, "resuming": resuming}
        if trainer.plan.variant in OURS:
            facts["yardsticks"] = {"random_return": success_at_random(), "best_return": 1.0}
        return facts

    def notes(self, results: Results) -> list[str]:
        """Return the notes below the table: what the numbers mean, what to compare them with, and the speed."""
        lines = [
            "return: mean over episodes with the most probable actions, on seeds that training does not see",
            "steps: updates of the network, each after several actions in all episodes",
            "paper: better on six Atari games, about equal on two, slightly worse on one, without numbers",
        ]
        known = next((r["yardsticks"] for r in results if r.get("yardsticks")), None)
        if known is not None:
            lines.append(
                f"position, control: a walk at random has a return of {known['random_return']:.2f}, "
                f"the shortest way {known['best_return']:.2f}"
            )
        lines += [*sentences(results), *beside(results)]
        for r in results:
            if r.get("env_steps") and r["train_seconds"] > 0:
                speed = r["env_steps"] / r["train_seconds"]
                lines.append(f"{r['model']}, {r['variant']}, seed {r['seed']}: {speed:,.0f} actions a second")
        return lines

    def figures(self, results: Results, folder: Path) -> list[Path]:
        """Draw the learning curves, where the agent goes, the weights of the first layer, and a film of an episode."""
        from minicoord.experiments.a2c.figures import draw

        return draw(results, folder)

    def record_figures(self) -> Mapping[str, Any]:
        """Return the figures that are drawn from records."""
        from minicoord.experiments.a2c.record_figures import FIGURES

        return FIGURES
