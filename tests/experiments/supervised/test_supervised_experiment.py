"""What the three tasks share: which of two runs is better, which could be the paper's, and what a trainer holds."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from minicoord import experiments
from minicoord.datasets import not_so_clevr, split
from minicoord.experiments.supervised.experiment import SupervisedTrainer, splits_of

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("experiment", "metric", "better", "worse"),
    [
        ("classification", "accuracy", (1.0, 0.0), (0.9, 0.0)),
        ("classification", "accuracy", (0.7, 0.7), (1.0, 0.3)),
        ("regression", "distance", (0.1, 16.4), (21.4, 13.8)),
        ("rendering", "iou", (0.5, 0.5), (0.9, 0.0)),
    ],
)
def test_train_and_test_are_counted_alike(
    experiment: str, metric: str, better: tuple[float, float], worse: tuple[float, float]
):
    def merit(values: tuple[float, float]) -> float:
        return experiments.get(experiment).merit({f"train_{metric}": values[0], f"test_{metric}": values[1]})

    assert merit(better) > merit(worse) > -INF


@pytest.mark.parametrize("value", [NAN, INF, -INF, None])
@pytest.mark.parametrize("part", ["train", "test"])
def test_a_run_that_was_not_finite_on_one_part_is_worse_than_every_other(part: str, value: float | None):
    for experiment, metric in (("classification", "accuracy"), ("regression", "distance"), ("rendering", "iou")):
        metrics = {f"train_{metric}": 1.0, f"test_{metric}": 1.0, f"{part}_{metric}": value}
        assert experiments.get(experiment).merit(metrics) == -INF
        del metrics[f"{part}_{metric}"]
        assert experiments.get(experiment).merit(metrics) == -INF


def record(preset: str = "paper", model: str = "conv", **changes: Any) -> dict[str, Any]:
    settings = dataclasses.asdict(experiments.get("classification").presets[preset][model]) | changes
    return {"experiment": "classification", "preset": preset, "model": model, "settings": settings}


@pytest.mark.parametrize(
    ("run", "wanted"),
    [
        (record(), True),
        (record(lr=0.05, l2=0.0, c=3, fs=4, batch_size=32), True),
        (record(epochs=100), True),
        (record(epochs=99), False),
        (record(schedule="cosine"), False),
        (record(raw_input=True), False),
        (record("quick"), False),
        (record(model="coordconv", lr=0.01), True),
        (record(model="coordconv", epochs=49), False),
        (record(model="coordconv", init_scale=0.5), False),
        (record(model="coordconv", batch_size=32), False),
    ],
)
def test_a_run_could_be_the_papers_if_it_varied_what_the_grid_varies_and_was_as_long(run: dict[str, Any], wanted: bool):
    assert experiments.get("classification").is_of_papers_grid(run) is wanted


def test_a_trainer_has_the_data_that_its_network_is_judged_by():
    trainer = experiments.get("classification").trainer(experiments.get("classification").plan("conv", "quadrant"))
    assert isinstance(trainer, SupervisedTrainer)
    parts = split(not_so_clevr(), "quadrant")
    np.testing.assert_array_equal(trainer.split.train, parts.train)
    np.testing.assert_array_equal(trainer.x, not_so_clevr().inputs()[parts.train])
    np.testing.assert_array_equal(trainer.y, not_so_clevr().labels[parts.train])
    assert experiments.get("classification").facts(trainer) == {"samples": {"train": 2407, "test": 729}}
    assert (trainer.unit, trainer.every, trainer.steps) == ("epoch", 151, 12 * 151)


def test_one_seed_gives_one_network_and_another_seed_another():
    classification = experiments.get("classification")

    def weights(seed: int) -> dict[str, Any]:
        return classification.trainer(classification.plan("coordconv", "uniform", seed=seed)).networks["model"].params

    first, again, other = weights(3), weights(3), weights(4)
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert not np.array_equal(first["1.w"], other["1.w"])


def test_splits_come_in_the_order_of_the_results():
    assert splits_of([{"variant": name} for name in ("quadrant", "uniform", "quadrant")]) == ["quadrant", "uniform"]
