"""What the three tasks on Not-so-Clevr share: one network, one loss, and metrics on the training and the test set.

Classification, regression and rendering differ in the input, the target, the loss and the metrics: a subclass of
`SupervisedExperiment` defines them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.not_so_clevr import NotSoClevr, not_so_clevr
from minicoord.datasets.splits import Split, split as split_data
from minicoord.experiments.frame.experiment import Experiment
from minicoord.experiments.frame.metrics import Results
from minicoord.experiments.frame.plan import Plan
from minicoord.experiments.frame.report import maps_of
from minicoord.nn.model import Sequential
from minicoord.train.accumulation import Loss
from minicoord.train.fit import Fit

SPLITS = ("uniform", "quadrant")
PARTS = ("train", "test")
LONG = 100  # epochs: a run of this length counts as one of the paper's grid, whose runs had up to 1,000


class SupervisedTrainer(Fit):
    """Fits a network to the training set of a split of Not-so-Clevr, and holds the data to evaluate it on.

    Parameters
    ----------
    plan : Plan
        The run; its settings are `TrainingSettings`.
    net : Sequential
        Trained in place.
    loss : callable
        As for `minicoord.fit`.
    samples : tuple of ndarray
        The inputs and the targets of all samples, each with one row for each sample.
    split : Split
        The indices of the training and the test samples.

    Attributes
    ----------
    data : NotSoClevr
        The data set.
    inputs : ndarray, shape (samples, ...)
        The inputs of all samples, of both sets.
    split : Split
        As given.
    """

    def __init__(self, plan: Plan, net: Sequential, loss: Loss, samples: tuple[NDArray, NDArray], split: Split) -> None:
        settings: Any = plan.settings
        inputs, targets = samples
        super().__init__(
            net,
            loss,
            settings.optimiser(),
            inputs[split.train],
            targets[split.train],
            epochs=settings.epochs,
            batch_size=settings.batch_size,
            seed=plan.seed,
            schedule=settings.learning_rates(),
        )
        self.data, self.inputs, self.split = not_so_clevr(), inputs, split


class SupervisedExperiment(Experiment):
    """The base class of the three supervised tasks.

    A subclass defines `network`, `samples`, `loss`, `watch_part` and `measure`. Its variants are the train/test splits;
    they are the same for every seed.
    """

    variants = SPLITS
    more_variants = ("quadrant-symmetric", "official-uniform")
    variant_name = "split"

    def network(self, model: str, settings: Any, seed: int) -> Sequential:
        """Return the network called `model`, with initial weights drawn from `seed`."""
        raise NotImplementedError

    def samples(self, model: str, settings: Any, data: NotSoClevr) -> tuple[NDArray, NDArray]:
        """Return the inputs and the targets of all samples, in the order of the data set."""
        raise NotImplementedError

    def loss(self, settings: Any) -> Loss:
        """Return the loss, as for `minicoord.fit`."""
        raise NotImplementedError

    def watch_part(self, net: Sequential, data: NotSoClevr, inputs: NDArray, part: NDArray) -> dict[str, float]:
        """Return the metrics to record after every epoch, on the samples with the indices `part`."""
        raise NotImplementedError

    def trainer(self, plan: Plan) -> SupervisedTrainer:
        """Return the trainer of a run: network, loss, optimiser and data."""
        data = not_so_clevr()
        split = split_data(data, plan.variant)
        net = self.network(plan.model, plan.settings, plan.seed)
        samples = self.samples(plan.model, plan.settings, data)
        return SupervisedTrainer(plan, net, self.loss(plan.settings), samples, split)

    def watch(self, trainer: SupervisedTrainer) -> dict[str, float]:
        """Return the metrics of `watch_part` on both sets, such as ``train_accuracy`` and ``test_accuracy``."""
        watched = {}
        for name in PARTS:
            part = getattr(trainer.split, name)
            metrics = self.watch_part(trainer.model, trainer.data, trainer.inputs, part)
            watched |= {f"{name}_{key}": value for key, value in metrics.items()}
        return watched

    def facts(self, trainer: SupervisedTrainer) -> dict[str, Any]:
        """Return the number of training and of test samples."""
        return {"samples": {name: len(getattr(trainer.split, name)) for name in PARTS}}

    def merit(self, metrics: Mapping[str, float | None]) -> float:
        """Return how good a run is: the sum of its primary metric on the training and on the test set.

        On the test set alone, a network that learned nothing may by chance beat one that fits the training set.
        """
        name = self.primary.name.removeprefix("test_")
        both = np.array([metrics.get(f"{part}_{name}") for part in PARTS], np.float64)  # None becomes NaN
        if not np.isfinite(both).all():
            return -float("inf")
        return float(both.sum()) * (1 if self.primary.more_is_better else -1)

    def is_of_papers_grid(self, record: Mapping[str, Any]) -> bool:
        """Return whether a run could be one of the paper's grid.

        It may vary only the settings that the grid varies, and must be as long as the preset "paper" or at least `LONG`
        epochs. Studies that change other settings or stop early do not count.
        """
        grids = [grid for grid in self.grids.get("paper", ()) if record["model"] in as_list(grid["model"])]
        varied = {"lr", "l2", "epochs"}.union(*grids)
        if record["preset"] != "paper" or not set(self.differences(record)) <= varied:
            return False
        preset = self.presets["paper"][record["model"]]
        return record["settings"]["epochs"] >= min(preset.epochs, LONG)


def as_list(value: Any) -> list[Any]:
    """Return the values of an entry of a grid, which is one value or a list of them."""
    return value if isinstance(value, list) else [value]


def maps_by_model(results: Results, variant: str) -> dict[str, dict[str, NDArray]]:
    """Return, for each model, the figure arrays of its first run on the split `variant`."""
    # Reversed, so that the first run of a model is the last to be entered.
    return {r["model"]: maps_of(r) for r in reversed(results) if r["variant"] == variant}


def splits_of(results: Results) -> Sequence[str]:
    """Return the splits of these results, in order of appearance."""
    return list(dict.fromkeys(r["variant"] for r in results))
