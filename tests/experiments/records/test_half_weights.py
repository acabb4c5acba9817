"""Weights in half precision: what they cost, and that they find their way back into a network."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minicoord.experiments.classification.painters import coordconv_painter
from minicoord.experiments.records import half_weights, writing
from minicoord.experiments.records.reading import KeptRuns, run_name


@pytest.mark.compiled
def test_half_weights_restore_a_network_that_is_nearly_the_same(
    tmp_path: Path, short_run: Callable[[str, str], dict[str, Any]]
):
    result = short_run("regression", "coordconv")
    name = run_name(result)
    shutil.copytree(result["folder"], tmp_path / "out" / name)
    (row,) = writing.keep([tmp_path / "out"], tmp_path / "kept" / "full.json", weights=["best"])
    assert row["run"] == name
    shutil.rmtree(tmp_path / "out")
    kept = KeptRuns(tmp_path / "kept")
    (record,) = kept.records
    weights = kept.weights(record)
    assert weights is not None
    assert {array.dtype for array in weights.values()} == {np.dtype(np.float16)}
    now = half_weights.metrics_of(record, weights)
    assert now["test_distance"] == pytest.approx(result["metrics"]["test_distance"], abs=0.2)
    assert now["test_distance"] != result["metrics"]["test_distance"]
    assert record["metrics_of_half_weights"] == pytest.approx(now)
    assert half_weights.network_of(record, weights).params["0.w"].dtype == np.float32


def test_weights_that_do_not_fit_are_named():
    record: dict[str, Any] = {"experiment": "regression", "preset": "quick", "model": "coordconv"}
    record |= {"variant": "uniform", "seed": 0}
    record["settings"] = {"epochs": 1, "lr": 0.1, "l2": 0.0}
    with pytest.raises(ValueError, match=r"of coordconv hold nothing for 'params/0.w', wanted \(1, 1, 3, 8\)"):
        half_weights.network_of(record, {})


def test_variances_keep_their_digits_and_large_weights_are_named():
    half = half_weights.halved({"params/0.w": np.ones(3, np.float32), "state/1.v": np.full(3, 1e-9, np.float32)}, "a")
    assert (half["params/0.w"].dtype, half["state/1.v"].dtype) == (np.float16, np.float32)
    assert (half["state/1.v"] == np.float32(1e-9)).all()
    with pytest.raises(ValueError, match="a: its weights take 1,200,000 bytes"):
        half_weights.halved({"params/0.w": np.zeros(600_000, np.float32)}, "a")
    with pytest.raises(ValueError, match=r"a: the weights 'params/0\.w' reach 7e\+04"):
        half_weights.halved({"params/0.w": np.full(3, 7e4, np.float32)}, "a")


def test_of_several_networks_those_are_kept_that_are_measured():
    weights = {f"{name}/params/0.w": np.ones(2) for name in ("generator", "discriminator")}
    assert list(half_weights.kept_of({"experiment": "gan"}, weights)) == ["generator/params/0.w"]
    assert half_weights.kept_of({"experiment": "vae"}, weights) == weights


def test_a_network_without_weights_is_the_one_that_the_run_began_with():
    facts = {"experiment": "classification", "preset": "quick", "model": "coordconv", "variant": "uniform", "seed": 5}
    record = {**facts, "settings": {"epochs": 1, "lr": 0.1, "l2": 0.0, "init_scale": 0.5}}
    for name, array in coordconv_painter(5, init_scale=0.5).params.items():
        np.testing.assert_array_equal(half_weights.network_of(record).params[name], array)
