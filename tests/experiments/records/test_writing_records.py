"""Runs made small enough to keep: what a thinned curve still tells, what lies beside it, and that it can be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from minicoord.app import cli
from minicoord.experiments.frame.metrics import Metric
from minicoord.experiments.records import thinning, writing
from minicoord.experiments.records.reading import KeptRuns, load_records, run_name
from minicoord.experiments.records.reproduce import table
from minicoord.system.files import plain

ACCURACY = Metric("test_accuracy", "test accuracy")


def curve(values: list[float]) -> list[dict[str, float]]:
    pairs = enumerate(values, start=1)
    return [{"epoch": k, "train_seconds": 2.0 * k, "train_accuracy": 1.0, "test_accuracy": v} for k, v in pairs]


def climb(epochs: int) -> list[dict[str, float]]:
    """Up to .9 in the middle, and down to .5 at the end."""
    half = epochs // 2
    return curve([*np.linspace(0, 0.9, half).tolist(), *np.linspace(0.9, 0.5, epochs - half).tolist()])


def write_run(out: Path, model: str, seed: int, test: float, **more: Any) -> Path:
    """Write what a finished run of classification leaves, without having trained."""
    name = f"{model}-quadrant-seed{seed}"
    folder = out / "classification" / "paper" / name
    folder.mkdir(parents=True)
    result = {
        "experiment": "classification",
        "model": model,
        "variant": "quadrant",
        "preset": "paper",
        "seed": seed,
        "parameters": 7553,
        "unit": "epoch",
        "epochs": 200,
        "train_seconds": 400.0,
        "metrics": {"train_accuracy": 1.0, "test_accuracy": test, "test_distance": float("inf")},
        "solved": test == 1.0,
        "interrupted": False,
        "settings": {"epochs": 200, "lr": 0.005, "l2": 0.001},
        "folder": str(folder),
        "command": f"minicoord sweep classification --out {out} --seeds 2",
        "commit": "0" * 40,
        "history": climb(200),
        **more,
    }
    (folder / "result.json").write_text(json.dumps(plain(result)))
    rng = np.random.default_rng(seed)
    np.savez(folder / "maps.npz", test=300 * rng.random((64, 64)), target=np.array([40, 50]))
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    out = tmp_path / "somewhere" / "results"
    for model, seed, test in (("conv", 0, 0.0), ("coordconv", 0, 0.9), ("coordconv", 1, 1.0)):
        write_run(out, model, seed, test)
    return out


# Thinning


def test_a_short_curve_stays_whole():
    rows = climb(thinning.ABOUT)
    assert thinning.thin(rows) == rows


def test_a_thinned_curve_keeps_its_beginning_its_end_and_what_readers_ask_for():
    rows = climb(1000)
    kept = thinning.thin(rows, ACCURACY)
    epochs = [row["epoch"] for row in kept]
    assert epochs == sorted(set(epochs))
    assert epochs[: thinning.FIRST] == list(range(1, thinning.FIRST + 1))
    assert epochs[-1] == 1000
    assert 50 <= len(kept) <= thinning.ABOUT + 4
    assert max(row["test_accuracy"] for row in kept) == max(row["test_accuracy"] for row in rows)
    first_to_80 = next(row for row in rows if row["test_accuracy"] >= 0.8)
    assert next(row for row in kept if row["test_accuracy"] >= 0.8) == first_to_80
    assert np.diff(epochs).max() <= 25, "a swing of some fiftieths of the training shows, late ones too"


def test_the_best_of_a_distance_is_its_smallest():
    rows = [{"epoch": k, "test_distance": abs(k - 321) / 10 + 1} for k in range(1, 1001)]
    distance = Metric("test_distance", "test error", more_is_better=False)
    assert 321 in [row["epoch"] for row in thinning.thin(rows, distance)]
    assert 321 not in [row["epoch"] for row in thinning.thin(rows)], "without a metric nothing says that it is the best"


def test_rows_without_measurement_do_not_matter_to_thinning():
    rows = climb(300)
    for row in rows[1::2]:
        row["test_accuracy"] = None  # type: ignore[typeddict-item]
    assert thinning.thin(rows, ACCURACY)[-1] is rows[-1]
    for row in rows:
        row["test_accuracy"] = None  # type: ignore[typeddict-item]
    assert thinning.thin(rows, ACCURACY) == thinning.thin(rows)


# Records and arrays


def test_a_record_tells_that_it_was_thinned_and_nothing_of_the_machines_folders(runs: Path, tmp_path: Path):
    rows = writing.keep([runs], tmp_path / "kept" / "full.json")
    records = load_records(tmp_path / "kept")
    assert [run_name(r) for r in records] == [row["run"] for row in rows]
    for record in records:
        assert record["thinned"] == {"epochs": 200, "kept": len(record["history"])}
        assert record["epochs"] == 200
        assert record["epoch_seconds"] == 2.0
        assert record["command"] == "minicoord sweep classification --out results --seeds 2"
        assert str(tmp_path) not in json.dumps(record)
    assert records[0]["metrics"]["test_distance"] is None
    assert {row["solved"] for row in table(records)} == {"0 of 1 seeds", "1 of 2 seeds"}, "what was not finite is read"


def test_maps_are_kept_of_the_best_run_of_each_model_and_can_be_read_by_its_record(runs: Path, tmp_path: Path):
    writing.keep([runs], tmp_path / "kept" / "full.json")
    kept = KeptRuns(tmp_path / "kept")
    maps = {run_name(r).split("/")[-1]: kept.maps(r) for r in kept.records}
    assert maps["coordconv-quadrant-seed0"] is None
    original = np.load(runs / "classification" / "paper" / "coordconv-quadrant-seed1" / "maps.npz")
    found = maps["coordconv-quadrant-seed1"]
    assert found is not None
    assert found["test"].dtype == np.float16
    np.testing.assert_allclose(found["test"], original["test"], rtol=1e-3)
    np.testing.assert_array_equal(found["target"], [40, 50])
    assert all(kept.weights(r) is None for r in kept.records)


def test_results_of_runs_are_read_where_they_lie(runs: Path):
    kept = KeptRuns(runs)
    assert len(kept.records) == 3
    found = kept.maps(kept.records[0])
    assert found is not None
    assert found["test"].dtype == np.float64


def test_two_files_of_records_lie_side_by_side(runs: Path, tmp_path: Path):
    one, other = (runs / "classification" / "paper" / f"{name}-quadrant-seed0" for name in ("conv", "coordconv"))
    writing.keep([one], tmp_path / "kept" / "conv.json")
    writing.keep([other], tmp_path / "kept" / "coordconv.json")
    kept = KeptRuns(tmp_path / "kept")
    assert [r["model"] for r in kept.records] == ["conv", "coordconv"]
    assert all(kept.maps(r) is not None for r in kept.records)


def test_keeping_again_leaves_no_arrays_of_the_earlier_record(runs: Path, tmp_path: Path):
    writing.keep([runs], tmp_path / "full.json")
    writing.keep([runs], tmp_path / "full.json", maps=[])
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["full.json"]


def test_numbers_too_large_for_half_precision_are_named():
    with pytest.raises(ValueError, match="'test' reaches 1e\\+05, float16 ends at 65,504"):
        thinning.small_arrays({"test": np.array([1e5])})
    assert np.isnan(thinning.small_arrays({"test": np.array([np.nan])})["test"]).all(), "what was not finite stays so"


def test_what_cannot_be_kept_is_named(runs: Path, tmp_path: Path):
    with pytest.raises(ValueError, match="there is no finished run 'conv'; there are classification/paper/conv-"):
        writing.keep([runs], tmp_path / "a.json", maps=["conv"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"there is no finished run at or below .*empty"):
        writing.keep([tmp_path / "empty"], tmp_path / "a.json")
    with pytest.raises(ValueError, match=r"named 'a', wanted a name that ends in \.json"):
        writing.keep([runs], tmp_path / "a")
    write_run(runs, "conv", 7, 0.0, interrupted=True)
    with pytest.raises(ValueError, match="conv-quadrant-seed7 was interrupted"):
        writing.keep([runs], tmp_path / "a.json")


# The command


def test_the_command_says_what_it_kept(runs: Path, tmp_path: Path):
    (tmp_path / "full.toml").write_text("not written by it")
    result = CliRunner().invoke(cli.app, ["record", str(runs), "--out", str(tmp_path / "full.json")])
    assert result.exit_code == 0, result.output
    assert "3 runs" in result.stdout
    assert "written: " in result.stderr and "full-maps.npz" in result.stderr
    assert "full.toml" not in result.stderr
    assert len(load_records(tmp_path)) == 3


def test_the_command_warns_of_runs_that_no_commit_can_repeat(runs: Path, tmp_path: Path):
    write_run(runs, "conv", 9, 0.0, commit="0" * 40 + "+changes")
    result = CliRunner().invoke(cli.app, ["record", str(runs), "--out", str(tmp_path / "full.json")])
    assert "uncommitted changes" in result.stderr


def test_the_command_names_what_is_wrong(tmp_path: Path):
    result = CliRunner().invoke(cli.app, ["record", str(tmp_path), "--out", str(tmp_path / "full.json")])
    assert result.exit_code == 2
    assert "no finished run" in result.output
