"""A toy agent as an experiment of its own: episodes in a corridor of five cells, a policy and a value on one trunk.

The agent starts in the middle; the right end gives 1, the left end nothing. It shows that the frame carries a loop of
episodes: nothing of it is in minicoord, and it has neither a test set nor a notion of "solved" in between.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minicoord import Adam, Branches, Dense, ReLU, Sequential, softmax
from minicoord.experiments.frame.experiment import Experiment
from minicoord.experiments.frame.metrics import Metric
from minicoord.experiments.frame.settings import Settings, setting
from minicoord.train.trainer import Trainer

CELLS = 5


@dataclass(frozen=True, kw_only=True)
class CorridorSettings(Settings):
    episodes: int = setting("episodes in all", 80)
    every: int = setting("episodes from one row of the history to the next", 20)
    lr: float = setting("learning rate", 0.02)
    longest: int = setting("moves after which an episode ends", 20)


class Agent(Trainer):
    def __init__(self, plan):
        self.settings, self.rng = plan.settings, np.random.default_rng(plan.seed)
        heads = Branches(policy=Dense(16, 2, rng=self.rng), value=Dense(16, 1, rng=self.rng))
        self.net, self.adam = Sequential([Dense(CELLS, 16, rng=self.rng), ReLU(), heads]), Adam(plan.settings.lr)
        super().__init__(self.settings.episodes, self.settings.every, net=self.net, adam=self.adam, rng=self.rng)

    def step(self):
        cells, moves, reward = self.episode()
        returns = reward * 0.9 ** np.arange(len(moves) - 1, -1, -1.0)  # (t,)
        heads = self.net.forward(cells, training=True)
        advantage = returns - heads["value"][:, 0]
        dpolicy = softmax(heads["policy"])  # d(-log p(move)) = p - 1 at the move
        dpolicy[np.arange(len(moves)), moves] -= 1
        dvalue = -advantage[:, np.newaxis]
        dy = {"policy": dpolicy * advantage[:, np.newaxis] / len(moves), "value": dvalue / len(moves)}
        self.net.backward({head: gradient.astype(np.float32) for head, gradient in dy.items()}, need_dx=False)
        self.adam.step(self.net)
        return {"return": reward, "moves": len(moves)}

    def episode(self):
        position, seen, moves = CELLS // 2, [], []
        while 0 < position < CELLS - 1 and len(moves) < self.settings.longest:
            seen.append(np.eye(CELLS, dtype=np.float32)[position])
            right = softmax(self.net.forward(seen[-1][np.newaxis])["policy"])[0, 1]
            moves.append(int(self.rng.random() < right))
            position += 1 if moves[-1] else -1
        return np.stack(seen), np.array(moves), float(position == CELLS - 1)


class Corridor(Experiment):
    name = "corridor"
    title = "A corridor of five cells"
    Settings = CorridorSettings
    models = ("agent",)
    presets = {"quick": {"agent": CorridorSettings()}}
    grids = {"quick": [{"preset": "quick", "model": "agent", "lr": [0.01, 0.02]}]}
    metrics = (Metric("right", "goes right", " %", factor=100, primary=True),)

    def trainer(self, plan):
        return Agent(plan)

    def watch(self, trainer):
        return self.measure(trainer)[0]

    def measure(self, trainer):
        inner = np.eye(CELLS, dtype=np.float32)[1:-1]
        right = softmax(trainer.net.forward(inner)["policy"])[:, 1]
        return {"right": float(right.mean())}, {"right": right}

    def solved(self, metrics):
        return metrics["right"] > 0.9

    def figures(self, results, folder):
        from matplotlib.figure import Figure

        from minicoord.plots import save_figure

        figure = Figure()
        figure.subplots().plot([row["return"] for row in results[0]["history"]])
        return [save_figure(figure, folder / "returns.png")]

    def record_figures(self):
        from minicoord.experiments.records.figures import Drawn, RecordFigure, counts, runs_of

        def draw(kept):
            from matplotlib.figure import Figure

            runs = runs_of(kept, "corridor", self.models)
            figure = Figure()
            figure.subplots().plot([row["return"] for row in runs[0]["history"]])
            return Drawn(figure, counts(runs))

        return {"corridor-returns": RecordFigure("returns of the agent in the corridor", draw)}
