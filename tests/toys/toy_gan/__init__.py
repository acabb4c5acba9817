"""A toy GAN as an experiment of its own: two networks, two optimisers, alternating steps, counted in steps.

Real samples are points on a ring, or in a blob. It shows that the frame carries a GAN: nothing of it is in minicoord.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minicoord import Adam, Dense, LeakyReLU, Sequential, sigmoid_cross_entropy
from minicoord.experiments.frame.experiment import Experiment
from minicoord.experiments.frame.metrics import Metric
from minicoord.experiments.frame.settings import Settings, setting
from minicoord.train.trainer import Trainer


@dataclass(frozen=True, kw_only=True)
class GanSettings(Settings):
    steps: int = setting("steps of both networks", 60)
    every: int = setting("steps from one row of the history to the next", 10)
    batch: int = setting("samples per step", 16)
    lr: float = setting("learning rate of both", 0.003)
    slope: float = setting("of the leaky ReLU in the critic", 0.2, models=["leaky"])


class GanTrainer(Trainer):
    def __init__(self, plan):
        s = self.settings = plan.settings
        rng = np.random.default_rng(plan.seed)
        generator = Sequential([Dense(4, 16, rng=rng), LeakyReLU(0.1), Dense(16, 2, rng=rng)])
        critic = Sequential([Dense(2, 16, rng=rng), LeakyReLU(s.slope), Dense(16, 1, rng=rng)])
        self.generator, self.critic, self.rng, self.variant = generator, critic, rng, plan.variant
        self.adam_g, self.adam_d = Adam(s.lr, 0.5, 0.99), Adam(s.lr, 0.5, 0.99)
        parts = {"generator": generator, "critic": critic, "adam_g": self.adam_g, "adam_d": self.adam_d, "rng": rng}
        super().__init__(s.steps, s.every, **parts)

    def real(self, n):
        angle = self.rng.uniform(0, 2 * np.pi, n)
        radius = 1.0 if self.variant == "ring" else self.rng.uniform(0, 1, n)
        return (radius * np.stack([np.cos(angle), np.sin(angle)])).T.astype(np.float32)

    def noise(self, n):
        return self.rng.uniform(-1, 1, (n, 4)).astype(np.float32)

    def step(self):
        n = self.settings.batch
        pairs = np.concatenate([self.real(n), self.generator.forward(self.noise(n))])
        is_real = np.repeat(np.array([1, 0], np.float32), n)[:, np.newaxis]
        d_loss, dlogits = sigmoid_cross_entropy(self.critic.forward(pairs, training=True), is_real)
        self.critic.backward(dlogits, need_dx=False)
        self.adam_d.step(self.critic)
        fakes = self.generator.forward(self.noise(n), training=True)
        g_loss, dlogits = sigmoid_cross_entropy(self.critic.forward(fakes), np.ones((n, 1), np.float32))
        dfakes = self.critic.backward(dlogits)
        self.generator.backward(dfakes, need_dx=False)
        self.adam_g.step(self.generator)
        return {"d_loss": d_loss, "g_loss": g_loss}


class ToyGan(Experiment):
    name = "toy-gan"
    title = "A toy GAN"
    Settings = GanSettings
    models = ("plain", "leaky")
    variants = ("ring", "blob")
    variant_name = "shape"
    presets = {"quick": {"plain": GanSettings(slope=0.0), "leaky": GanSettings()}}
    grids = {"lr": [{"preset": "quick", "model": "leaky", "shape": "ring", "lr": [0.001, 0.003]}]}
    metrics = (
        Metric("radius_error", "radius error", more_is_better=False, primary=True, digits=3),
        Metric("spread", "spread", digits=3),
    )
    paper = {("leaky", "ring"): {"radius_error": "none"}}

    def trainer(self, plan):
        return GanTrainer(plan)

    def measure(self, trainer):
        fakes = trainer.generator.forward(np.random.default_rng(1).uniform(-1, 1, (200, 4)).astype(np.float32))
        radius = np.hypot(*fakes.T)
        metrics = {"radius_error": float(abs(radius - 1).mean()), "spread": float(fakes.std())}
        return metrics, {"fakes": fakes}

    def record_figures(self):
        from minicoord.experiments.records.figures import Drawn, RecordFigure, best_maps, runs_of

        def draw(kept):
            from matplotlib.figure import Figure

            arrays, words = best_maps(kept, runs_of(kept, "toy-gan", self.models), "ring")
            figure = Figure()
            for found in arrays.values():
                figure.subplots().scatter(*found["fakes"].T)
            return Drawn(figure, "; ".join(words))

        return {"toy-gan-points": RecordFigure("points that the toy GAN makes", draw)}
