"""What the three tasks on Not-so-Clevr share: one network, a loss, and metrics of train and test.

Classification, regression and rendering differ in what goes into a network, what should come out, and how that is
judged: a subclass of `SupervisedExperiment` says it.
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
LONG = 100  # epochs: a run this long is taken for one of the paper's, though theirs went on to 1,000


class SupervisedTrainer(Fit):
    """A network that is fitted to the training part of Not-so-Clevr, with the data that it is judged by.

    Attributes
    ----------
    data : NotSoClevr
        All samples.
    inputs : ndarray, shape (samples, ...)
        What the network is fed, for all samples.
    split : Split
        Which samples are for training and which for testing.
    """

    def __init__(self, plan: Plan, net: Sequential, loss: Loss, samples: tuple[NDArray, NDArray], parts: Split) -> None:
        settings: Any = plan.settings
        inputs, targets = samples
        super().__init__(
            net,
            loss,
            settings.optimiser(),
            inputs[parts.train],
            targets[parts.train],
            epochs=settings.epochs,
            batch_size=settings.batch_size,
            seed=plan.seed,
            schedule=settings.learning_rates(),
        )
        self.data, self.inputs, self.split = not_so_clevr(), inputs, parts


class SupervisedExperiment(Experiment):
    """The base class of the three supervised tasks.

    A subclass writes `network`, `samples`, `loss`, `watch_part` and `measure`. The uniform split is the same for every
    seed.
    """

    variants = SPLITS
    more_variants = ("quadrant-symmetric", "official-uniform")
    variant_name = "split"

    def network(self, model: str, settings: Any, seed: int) -> Sequential:
        """Return the network called `model`, with initial weights drawn from `seed`."""
        raise NotImplementedError

    def samples(self, model: str, settings: Any, data: NotSoClevr) -> tuple[NDArray, NDArray]:
        """Return the inputs and the targets of all samples."""
        raise NotImplementedError

    def loss(self, settings: Any) -> Loss:
        """Return the loss as `minicoord.fit` takes it."""
        raise NotImplementedError

    def watch_part(self, net: Sequential, data: NotSoClevr, inputs: NDArray, part: NDArray) -> dict[str, float]:
        """Return the few metrics of the samples `part` that are recorded after every epoch."""
        raise NotImplementedError

    def trainer(self, plan: Plan) -> SupervisedTrainer:
        """Return the network with its training set, optimiser and shuffled batches."""
        data = not_so_clevr()
        parts = split_data(data, plan.variant)
        net = self.network(plan.model, plan.settings, plan.seed)
        samples = self.samples(plan.model, plan.settings, data)
        return SupervisedTrainer(plan, net, self.loss(plan.settings), samples, parts)

    def watch(self, trainer: SupervisedTrainer) -> dict[str, float]:
        """Return the metrics of `watch_part` for train and test, such as ``test_accuracy``."""
        watched = {}
        for name in PARTS:
            part = getattr(trainer.split, name)
            metrics = self.watch_part(trainer.model, trainer.data, trainer.inputs, part)
            watched |= {f"{name}_{key}": value for key, value in metrics.items()}
        return watched

    def facts(self, trainer: SupervisedTrainer) -> dict[str, Any]:
        """Return how many samples there are to train on and to test on."""
        return {"samples": {name: len(getattr(trainer.split, name)) for name in PARTS}}

    def merit(self, metrics: Mapping[str, float | None]) -> float:
        """Return how good a run is, train and test counted alike.

        A network that learned nothing may be better on test by chance than one that learned what it was shown.
        """
        name = self.primary.name.removeprefix("test_")
        both = np.array([metrics.get(f"{part}_{name}") for part in PARTS], np.float64)  # None becomes NaN
        if not np.isfinite(both).all():
            return -float("inf")
        return float(both.sum()) * (1 if self.primary.more_is_better else -1)

    def is_of_papers_grid(self, record: Mapping[str, Any]) -> bool:
        """Return whether a run could be one of the paper's grid: no other settings varied, and of its length or long.

        Studies that begin at the paper's settings and change others, or stop early, are not.
        """
        of_model = [grid for grid in self.grids.get("paper", ()) if record["model"] in as_list(grid["model"])]
        varied = {"lr", "l2", "epochs"}.union(*of_model)
        if record["preset"] != "paper" or not set(self.differences(record)) <= varied:
            return False
        preset = self.presets["paper"][record["model"]]
        return record["settings"]["epochs"] >= min(preset.epochs, LONG)


def as_list(value: Any) -> list[Any]:
    """Return the values of an entry of a grid, which may be one or a list."""
    return value if isinstance(value, list) else [value]


def maps_by_model(results: Results, variant: str) -> dict[str, dict[str, NDArray]]:
    """Return the arrays that the first run of each model left for figures, of those on one split."""
    return {r["model"]: maps_of(r) for r in reversed(results) if r["variant"] == variant}


def splits_of(results: Results) -> Sequence[str]:
    """Return the splits of some results, in the order in which they come."""
    return list(dict.fromkeys(r["variant"] for r in results))
