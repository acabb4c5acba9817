"""What the tests of experiments share: six short runs, each trained once for all of them, and a part of the data."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from minicoord import experiments
from minicoord.datasets.not_so_clevr import NotSoClevr
from minicoord.datasets.splits import Split, split as split_data
from minicoord.experiments.supervised import experiment as supervised


@pytest.fixture(scope="session")
def short_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], dict[str, Any]]:
    """The result of a run of short_runs.json, by experiment and model: one epoch on the quadrant split, seed 3.

    Each is trained when it is first asked for, also where several workers of pytest-xdist ask: the lock of its folder
    lets one train and the others wait for the result. The folder belongs to all tests: a test that changes files copies
    it.
    """
    base = tmp_path_factory.getbasetemp()
    out = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "short-runs"

    @cache
    def run(experiment: str, model: str) -> dict[str, Any]:
        options: dict[str, Any] = {"preset": "quick", "seed": 3, "epochs": 1, "progress": False}
        return experiments.get(experiment).run(model, "quadrant", out=out, resume=True, **options)

    return run


@pytest.fixture
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train and test on every eighth sample: for tests of anything but how well a network learns."""

    def few(data: NotSoClevr, name: str) -> Split:
        parts = split_data(data, name)
        return Split(name=parts.name, train=parts.train[::8], test=parts.test[::8])

    monkeypatch.setattr(supervised, "split_data", few)
