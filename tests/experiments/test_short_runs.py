"""Six short runs are what they were before experiments had a frame: the same bits on the machine that recorded them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from minicoord.system.machine import machine_facts
from minicoord.train.archive import read_archive

RECORDED = json.loads(Path(__file__).with_name("short_runs.json").read_text(encoding="utf-8"))
RUNS: dict[str, dict[str, Any]] = RECORDED["runs"]

# Between machines the last bits differ, and an epoch of training makes more of that. What is left of it was measured:
# with initial weights of which each was off by some 2e-7 of itself, the mean loss of the epoch moved by less than .1 %,
# that of the CoordConv painters, whose first steps are steep, by up to 10 %.
LOSS = dict.fromkeys(RUNS, 0.01) | dict.fromkeys(["classification/coordconv", "rendering/coordconv"], 0.25)
# Distances of the regressors moved by less than .02 %. The other networks are in the middle of learning after an epoch,
# and their metrics can be anywhere between these bounds.
DISTANCES = 0.01
BOUNDS = {
    "classification/coordconv": {"train_accuracy": (0.5, 1), "test_accuracy": (0.5, 1), "test_distance": (0, 1)},
    "classification/conv": {"train_accuracy": (0, 0.1), "test_accuracy": (0, 0.05), "test_distance": (5, 60)},
    "rendering/coordconv": {"train_iou": (0.6, 1), "test_iou": (0.6, 1)},
    "rendering/conv": {"train_iou": (0, 0.1), "test_iou": (0, 0.05), "test_perfect": (0, 0)},
}


def is_the_machine_that_recorded() -> bool:
    """Whether processor and versions agree; minicoord's own may change, and must not change the bits."""
    here, there = machine_facts(), dict(RECORDED["machine"])
    return here | {"minicoord": None} == there | {"minicoord": None}


def sha_of_weights(folder: str) -> str:
    arrays, _ = read_archive(Path(folder) / "weights.npz")
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(name.encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


@pytest.mark.compiled
@pytest.mark.parametrize("name", RUNS)
def test_a_short_run_ends_where_it_ended_before(name: str, short_run: Callable[[str, str], dict[str, Any]]):
    result, recorded = short_run(*name.split("/")), RUNS[name]
    row = {key: value for key, value in result["history"][-1].items() if key != "train_seconds"}
    assert len(result["history"]) == result["epochs"] == 1
    assert row.keys() == recorded["row"].keys()
    assert result["metrics"].keys() == recorded["metrics"].keys()
    assert (row["epoch"], row["lr"]) == (recorded["row"]["epoch"], recorded["row"]["lr"])
    assert row["train_loss"] == pytest.approx(recorded["row"]["train_loss"], rel=LOSS[name])
    assert row["l2_penalty"] == pytest.approx(recorded["row"]["l2_penalty"], rel=LOSS[name])
    for key, (least, most) in BOUNDS.get(name, {}).items():
        assert least <= result["metrics"][key] <= most, key
    if name.startswith("regression"):
        assert result["metrics"] == pytest.approx(recorded["metrics"], rel=DISTANCES, abs=0.01)
    if is_the_machine_that_recorded():
        assert row == recorded["row"]
        assert result["metrics"] == recorded["metrics"]
        assert sha_of_weights(result["folder"]) == recorded["weights"]


def test_what_is_recorded_lies_within_the_bounds():
    assert set(BOUNDS) | {"regression/coordconv", "regression/conv-full"} == set(RUNS)
    for name, bounds in BOUNDS.items():
        for key, (least, most) in bounds.items():
            assert least <= RUNS[name]["metrics"][key] <= most
