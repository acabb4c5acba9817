"""A tiny experiment, for tests of what runs experiments: a run takes milliseconds, so that a test can afford many.

It is found as that of any other package would be, through the entry point `POINT`, in this process and in those that it
starts: see ``entry_points.py``.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minicoord import SGD, Adam, Dense, ReLU, Sequential, mean_squared_error
from minicoord.experiments.frame.experiment import Experiment
from minicoord.experiments.frame.metrics import Metric
from minicoord.experiments.frame.plan import Plan
from minicoord.experiments.frame.settings import Settings, setting
from minicoord.train.fit import train_on_batch
from minicoord.train.trainer import Trainer

DISTURB = "TINY_DISTURB"
"""A variable of the environment that disturbs runs at one of their steps.

``"12 SIGKILL"``: before the 12th step, the process sends itself this signal. ``"12 some/file"``: it waits until there
is such a file, or somebody ends it. ``"12:bend SIGINT"``: in runs of this variant only.
"""
PATIENCE = 60.0  # seconds: no process waits for ever, whatever a test does

POINT = "tiny = tiny_experiment:Tiny"
X = np.linspace(-1, 1, 32, dtype=np.float32)[:, None]  # (32, 1)
TARGETS = {"slope": 3 * X, "bend": X**2}
EVERY = 5  # steps in a row of the history, which is also how often a checkpoint is written


@dataclass(frozen=True, kw_only=True)
class TinySettings(Settings):
    """One setting of each type, one with choices, one that a single network has."""

    steps: int = setting("length of the run", 20)
    lr: float = setting("learning rate [of the optimiser]", 0.1)
    width: int = setting("size of the hidden layer", 8, models=["curve"])
    optimiser: str = setting("what makes the loss fall", "sgd", choices=["sgd", "adam"])
    shuffle: bool = setting("draw each batch at random", True)


class TinyTrainer(Trainer):
    """A network of one or two dense layers that is fitted to 32 numbers, eight at a time."""

    def __init__(self, plan: Plan) -> None:
        self.settings: Any = plan.settings
        rng = np.random.default_rng(plan.seed)
        width = self.settings.width
        line = [Dense(1, 1, rng=rng)]
        layers = line if plan.model == "line" else [Dense(1, width, rng=rng), ReLU(), Dense(width, 1, rng=rng)]
        self.variant, self.net, self.target, self.rng = plan.variant, Sequential(layers), TARGETS[plan.variant], rng
        self.optimiser = SGD(self.settings.lr) if self.settings.optimiser == "sgd" else Adam(self.settings.lr)
        self.calls = 0
        super().__init__(self.settings.steps, EVERY, net=self.net, optimiser=self.optimiser, rng=rng)

    def step(self) -> dict[str, float]:
        self.calls += 1
        place, _, what = os.environ.get(DISTURB, "").partition(" ")
        if place in (f"{self.calls}", f"{self.calls}:{self.variant}"):
            disturb(what)
        chosen = self.rng.integers(0, len(X), 8) if self.settings.shuffle else np.arange(8)
        loss = train_on_batch(self.net, mean_squared_error, self.optimiser, X[chosen], self.target[chosen])
        if not np.isfinite(loss):
            raise FloatingPointError(f"the loss became {loss}")
        return {"loss": loss}


def disturb(what: str) -> None:
    """Send this process a signal of that name, or wait for a file of that name."""
    if what.startswith("SIG"):
        os.kill(os.getpid(), getattr(signal, what))
        return
    limit = time.monotonic() + PATIENCE
    while not Path(what).exists():
        if time.monotonic() > limit:
            raise TimeoutError(f"there is no {what} after {PATIENCE} s")
        time.sleep(0.01)


PRESETS = {
    "quick": {"line": TinySettings(), "curve": TinySettings(width=4)},
    "paper": {"line": TinySettings(steps=60), "curve": TinySettings(steps=80, optimiser="adam")},
}
PAPER = {("line", "slope"): {"error": "0.001"}}
GRIDS = {
    "quick": [{"preset": "quick", "model": ["line", "curve"], "target": ["slope", "bend"]}],
    "paper": [{"model": "line", "target": ["slope", "bend"], "lr": [0.01, 0.1, 0.2]}],
}


class Tiny(Experiment):
    """Fit a line or a curve to a slope or a bend."""

    name = "tiny"
    title = "Tiny [bold] Fit"  # square brackets are markup for rich: they have to come out as they are
    Settings = TinySettings
    models = ("line", "curve")
    variants = ("slope", "bend")
    variant_name = "target"
    presets = PRESETS
    paper = PAPER
    grids = GRIDS
    metrics = (
        Metric("error", "mean error", more_is_better=False, primary=True, digits=3),
        Metric("near", "near [%]", factor=100),
    )

    def trainer(self, plan: Plan) -> TinyTrainer:
        return TinyTrainer(plan)

    def measure(self, trainer: TinyTrainer) -> tuple[dict[str, float], dict[str, Any]]:
        off = np.abs(trainer.net.forward(X) - trainer.target)  # (32, 1)
        return {"error": float(off.mean()), "near": float((off < 0.1).mean())}, {"off": off}

    def watch(self, trainer: TinyTrainer) -> dict[str, float]:
        return {"error": self.measure(trainer)[0]["error"]}

    def solved(self, metrics: Any) -> bool:
        return metrics["error"] < 1

    def notes(self, results: Any) -> list[str]:
        return ["Every run is short."]
