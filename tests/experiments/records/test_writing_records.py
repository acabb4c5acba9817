"""Runs made small enough to keep: what a thinned curve still tells, what lies beside it, and that it can be read."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace
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
    assert {row["solved"] for row in table(records)} == {"0 of 1 seed", "1 of 2 seeds"}, "what was not finite is read"


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


def test_arrays_that_half_precision_cannot_hold_stay_as_they_are():
    small = thinning.small_arrays(
        {"large": np.array([1e5]), "odd": np.array([np.nan, np.inf]), "words": np.array(["a"])}
    )
    assert small["large"].tolist() == [1e5], "65,504 is the end of float16"
    assert small["odd"].dtype == np.float16 and np.isnan(small["odd"][0]) and np.isinf(small["odd"][1])
    assert small["words"].tolist() == ["a"]


def test_arrays_of_any_name_and_type_are_kept(runs: Path, tmp_path: Path):
    arrays = {"meta": np.array(["a", "b"]), "allow_pickle": np.array([1e6]), "mask": np.array([True])}
    write_archive_of(runs / "classification" / "paper" / "coordconv-quadrant-seed1" / "maps.npz", arrays)
    assert len(writing.keep([runs], tmp_path / "kept" / "full.json")) == 3
    kept = KeptRuns(tmp_path / "kept")
    found = kept.maps(next(r for r in kept.records if r["folder"].endswith("coordconv-quadrant-seed1")))
    assert found is not None
    assert {name: array.tolist() for name, array in found.items()} == {k: v.tolist() for k, v in arrays.items()}


def write_archive_of(path: Path, arrays: dict[str, Any]) -> None:
    """Write arrays of any name: ``np.savez`` has parameters of its own."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, array)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("minicoord run x --out '/home/me/my work/results' --seeds 2", "minicoord run x --out results --seeds 2"),
        ("minicoord run x --out '/home/me/my results'", "minicoord run x --out 'my results'"),
        ("minicoord run x '--out=/home/me/my results' --lr 0.1", "minicoord run x '--out=my results' --lr 0.1"),
        ("minicoord run x --out results/", "minicoord run x --out results"),
        ("minicoord run x --out .", "minicoord run x --out ."),
        ("minicoord run x --name 'a b'", "minicoord run x --name 'a b'"),
        ("minicoord run x --out 'no end", "minicoord run x --out 'no end"),
    ],
)
def test_a_command_without_its_folders_can_be_pasted(given: str, kept: str):
    assert thinning.without_folders(given) == kept


def test_a_copied_run_is_kept_once(runs: Path, tmp_path: Path):
    paper = runs / "classification" / "paper"
    shutil.copytree(paper / "conv-quadrant-seed0", paper / "a copy")
    shutil.copytree(paper / "conv-quadrant-seed0", paper / "later copy")
    rows = writing.keep([runs], tmp_path / "full.json")
    assert [row["run"].split("/")[-1] for row in rows].count("conv-quadrant-seed0") == 1
    assert len(rows) == 3


def test_of_one_run_in_two_folders_the_newest_is_kept_whatever_their_order(tmp_path: Path):
    for name, date in (("a", "2026-02-01"), ("b", "2026-01-31")):
        write_run(tmp_path / name, "conv", 0, 0.5, date=date)
    for order in ("ab", "ba"):
        writing.keep([tmp_path / name for name in order], tmp_path / "kept" / "full.json")
        (record,) = load_records(tmp_path / "kept")
        assert record["date"] == "2026-02-01"


def test_two_different_runs_of_one_name_are_said_to_be_two(tmp_path: Path):
    write_run(tmp_path / "a", "conv", 0, 0.5)
    second = write_run(tmp_path / "b", "conv", 0, 0.5, settings={"epochs": 200, "lr": 0.1, "l2": 0.001})
    rows = writing.keep([tmp_path / "a", tmp_path / "b"], tmp_path / "full.json", problems=(problems := []))
    assert len(rows) == 1
    assert problems[0].startswith(f"{second} and ") and problems[0].endswith(f"; {second} is left out")


def test_a_folder_called_new_is_a_run_like_any_other(runs: Path, tmp_path: Path):
    folder = runs / "classification" / "paper" / "conv-quadrant-seed0"
    shutil.copytree(folder, tmp_path / "classification" / "paper" / "new")
    (row,) = writing.keep([tmp_path / "classification"], tmp_path / "full.json")
    assert row["run"] == "classification/paper/new"


@pytest.mark.compiled
def test_a_primary_metric_that_was_not_finite_is_said_to_be_so(runs: Path, tmp_path: Path, monkeypatch):
    for seed in (0, 1):
        folder = runs / "classification" / "paper" / f"coordconv-quadrant-seed{seed}"
        result = json.loads((folder / "result.json").read_text())
        result["metrics"]["test_accuracy"] = None
        (folder / "result.json").write_text(json.dumps(result))
    monkeypatch.setattr(writing, "read_weights", lambda _: {"params/0.w": np.ones(2)})
    monkeypatch.setattr(writing, "metrics_of", lambda *_: {"test_accuracy": float("nan")})
    rows = writing.keep([runs], tmp_path / "full.json", weights=["best"])
    assert "test_accuracy not finite to not finite" in [row["weights kept"] for row in rows]


def test_a_trainer_without_networks_has_no_weights_to_measure(runs: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(writing, "trainer_of", lambda *_: SimpleNamespace(networks={}))
    monkeypatch.setattr(writing, "metrics_of", lambda *_: pytest.fail("there is nothing to measure"))
    rows = writing.keep([runs], tmp_path / "full.json", weights=["best"])
    assert {row["weights kept"] for row in rows} == {"-"}
    assert all("metrics_of_half_weights" not in record for record in load_records(tmp_path))


def test_a_byte_that_is_not_utf_8_is_kept_escaped(runs: Path, tmp_path: Path):
    write_run(runs, "conv", 5, 0.0, command="minicoord run classification --out 'l\udcff'")
    writing.keep([runs], tmp_path / "full.json")
    assert "minicoord run classification --out 'l\udcff'" in [r["command"] for r in load_records(tmp_path)]


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


def test_one_run_is_not_called_several(runs: Path, tmp_path: Path):
    folder = runs / "classification" / "paper" / "conv-quadrant-seed0"
    result = CliRunner().invoke(cli.app, ["record", str(folder), "--out", str(tmp_path / "one.json")])
    assert "1 run" in [line.strip() for line in result.stdout.splitlines()]
    assert "1 runs" not in result.stdout


def test_a_run_of_an_installation_has_no_commit(runs: Path, tmp_path: Path):
    write_run(runs, "conv", 9, 0.0, commit=None)
    rows = {row["run"].split("-")[-1]: row for row in writing.keep([runs], tmp_path / "kept" / "full.json")}
    assert rows["seed9"]["commit"] == "unknown"


def test_the_command_warns_of_runs_that_no_commit_can_repeat(runs: Path, tmp_path: Path):
    write_run(runs, "conv", 9, 0.0, commit="0" * 40 + "+changes")
    result = CliRunner().invoke(cli.app, ["record", str(runs), "--out", str(tmp_path / "full.json")])
    assert "uncommitted changes" in result.stderr


def test_the_command_names_what_is_wrong(tmp_path: Path):
    result = CliRunner().invoke(cli.app, ["record", str(tmp_path), "--out", str(tmp_path / "full.json")])
    assert result.exit_code == 2
    assert "no finished run" in result.output
