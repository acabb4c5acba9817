"""What a metric says of several runs, and which of two runs it calls better."""

from __future__ import annotations

from typing import Any

import pytest

from minicoord.experiments.frame.experiment import Experiment
from minicoord.experiments.frame.metrics import Metric

NAN, INF = float("nan"), float("inf")


def results(*values: float | None) -> list[dict[str, Any]]:
    return [{"metrics": {"test_iou": value}} for value in values]


OVERLAP = Metric("test_iou", "test IOU")
PERCENT = Metric("test_iou", "test IOU", " %", factor=100)
DISTANCE = Metric("test_iou", "test error", " px", more_is_better=False, digits=2)


@pytest.mark.parametrize(
    ("metric", "values", "words"),
    [
        (OVERLAP, (0.5,), "0.5"),
        (OVERLAP, (0.5, 0.9, 0.6), "0.6 (0.5 to 0.9)"),
        (PERCENT, (0.5, 1.0), "75.0 % (50.0 to 100.0)"),
        (DISTANCE, (0.123, 4), "2.06 px (0.12 to 4.00)"),
        (OVERLAP, (0.5, None, 0.9, NAN), "0.7 (0.5 to 0.9); 2 not finite"),
        (OVERLAP, (0.5, INF, -INF), "0.5; 2 not finite"),
        (OVERLAP, (None,), "1 not finite"),
        (OVERLAP, (None, NAN, INF), "3 not finite"),
        (OVERLAP, (), "-"),
    ],
)
def test_a_band_is_the_median_and_the_ends_and_counts_what_is_not_finite(
    metric: Metric, values: tuple[float | None, ...], words: str
):
    assert metric.band(results(*values)) == words


def test_a_metric_that_a_run_does_not_have_counts_as_missing():
    assert OVERLAP.band([*results(0.5), {"metrics": {}}]) == "0.5; 1 not finite"


class Score(Experiment):
    name = "score"
    metrics = (Metric("loss", "loss"), Metric("score", "score", primary=True))


class Loss(Experiment):
    name = "loss"
    metrics = (Metric("loss", "loss", more_is_better=False), Metric("score", "score"))


def test_one_metric_is_primary_and_where_none_says_so_the_first():
    assert Score().primary.name == "score"
    assert Loss().primary.name == "loss"


def test_the_merit_of_a_run_follows_the_primary_metric_and_its_direction():
    good, bad = {"loss": 0.1, "score": 9.0}, {"loss": 5.0, "score": 1.0}
    assert Score().merit(good) > Score().merit(bad)
    assert Loss().merit(good) > Loss().merit(bad)
    assert Loss().merit({"loss": 0.1, "score": NAN}) == Loss().merit(good), "the other metrics do not matter"


@pytest.mark.parametrize("experiment", [Score(), Loss()])
@pytest.mark.parametrize("missing", [NAN, None, "no such metric"])
def test_a_run_whose_primary_metric_is_missing_is_worse_than_every_other(experiment: Experiment, missing: Any):
    name = experiment.primary.name
    metrics = {} if isinstance(missing, str) else {name: missing}
    assert experiment.merit(metrics) == -INF
    assert experiment.merit(metrics) < min(experiment.merit({name: value}) for value in (-1e30, 1e30))
