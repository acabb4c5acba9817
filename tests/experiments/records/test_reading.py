"""Records read from a folder: what counts as one, what is told of the others, and that a run counts once."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner
from written_runs import write_run

from minicoord import experiments
from minicoord.app import cli
from minicoord.experiments.records import writing
from minicoord.experiments.records.reading import KeptRuns, best, each_once, for_figures, load_records, run_name
from minicoord.experiments.records.reproduce import table
from minicoord.train.archive import write_archive


def run(out: Path, seed: int = 0, **changes: Any) -> dict[str, Any]:
    return write_run(out, "classification", "coordconv", "quadrant", 1.0, seed=seed, **changes)


def reproduce(folder: Path) -> Any:
    return CliRunner().invoke(cli.app, ["reproduce", "--records", str(folder)])


# What a record is


def test_other_json_is_passed_over_and_what_cannot_be_read_is_named(tmp_path: Path):
    record = run(tmp_path / "elsewhere")
    (tmp_path / "bench.json").write_text('{"rows": []}')
    (tmp_path / "table.json").write_text('[{"run": "classification/quick/conv-uniform", "paper": "86 %"}]')
    (tmp_path / "empty.json").write_text("[]")
    (tmp_path / "runs.json").write_text(json.dumps([record]))
    assert load_records(tmp_path) == [record]
    (tmp_path / "foreign.json").write_text('[{"experiment": "other"}]')
    (tmp_path / "list.json").write_text("[1, {}]")
    problems: list[str] = []
    assert load_records(tmp_path, problems) == [record]
    foreign, mixed = problems
    assert foreign == f"{tmp_path / 'foreign.json'}: a run in it is of an unknown experiment, 'other'"
    assert mixed.startswith(f"{tmp_path / 'list.json'} is not a list of records")
    for path in ("foreign.json", "list.json"):
        (tmp_path / path).unlink()
    (tmp_path / "runs.json").write_text("[")
    with pytest.raises(ValueError, match=r"runs\.json is damaged: it is not valid JSON"):
        load_records(tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"preset": None}, "has no 'preset'"),
        ({"seed": "first"}, "has no 'seed'"),
        ({"variant": None}, "has no 'variant'"),
        ({"folder": 3}, "has no 'folder'"),
        ({"history": None}, "has no 'history'"),
        ({"settings": []}, "has no 'settings'"),
        ({"settings": {}}, "has no 'epochs' among its settings"),
        ({"settings": {"epochs": 6, "lr": 0.1}}, "has no 'l2' among its settings"),
        ({"metrics": {}}, "has no 'test_accuracy' among its metrics"),
        ({"metrics": {"train_accuracy": 1.0}}, "has no 'test_accuracy' among its metrics"),
        ({"metrics": {"test_accuracy": "high"}}, "has 'high' as test_accuracy, wanted a number"),
        ({"history": [1, 2]}, "has a history whose rows are not those that minicoord run writes"),
        ({"deep": json.loads("[" * 40 + "]" * 40)}, "is nested more than 30 levels deep"),
        ({"experiment": "clasification"}, "a run in it is of an unknown experiment, 'clasification'"),
        ({"experiment": ["classification"]}, "a run in it is of an unknown experiment, ['classification']"),
    ],
)
def test_a_run_that_lacks_something_is_told_and_left_out(tmp_path: Path, change: dict[str, Any], words: str):
    good = run(tmp_path / "elsewhere")
    (tmp_path / "runs.json").write_text(json.dumps([good, {**good, "seed": 1, **change}]))
    problems: list[str] = []
    assert load_records(tmp_path, problems) == [good]
    assert len(problems) == 1 and problems[0].startswith(f"{tmp_path / 'runs.json'}: ") and words in problems[0]
    result = reproduce(tmp_path)
    assert result.exit_code == 1
    assert problems[0] in result.stderr
    assert "1 of 1 seed" in result.stdout


def test_a_metric_that_was_not_finite_is_there_and_null(tmp_path: Path):
    record = run(tmp_path)
    record["metrics"]["test_accuracy"] = None
    (Path(record["folder"]) / "result.json").write_text(json.dumps(record))
    assert load_records(tmp_path) == [record]


def test_an_interrupted_run_is_not_a_record(tmp_path: Path):
    record = run(tmp_path)
    (Path(record["folder"]) / "result.json").write_text(json.dumps({**record, "interrupted": True}))
    assert load_records(tmp_path) == []


# Each run once


def seeds_counted(folder: Path) -> list[str]:
    problems: list[str] = []
    rows = table(load_records(folder, problems))
    assert problems == []
    return [row["solved"] for row in rows]


def test_a_record_beside_the_folder_of_its_run_counts_once(tmp_path: Path):
    kept = {**run(tmp_path), "folder": "classification/paper/coordconv-quadrant-seed0", "epoch_seconds": 3.0}
    run(tmp_path, seed=1)
    (tmp_path / "full.json").write_text(json.dumps([kept]))
    assert seeds_counted(tmp_path) == ["2 of 2 seeds"]
    assert "2 of 2 seeds" in reproduce(tmp_path).stdout


def test_what_the_command_printed_as_json_may_lie_in_the_folder_of_results(tmp_path: Path):
    printed = [run(tmp_path, seed=seed) for seed in range(3)]
    (tmp_path / "printed.json").write_text(json.dumps(printed, indent=2))
    (tmp_path / "printed-again.json").write_text(json.dumps(printed[:1], indent=2))
    assert seeds_counted(tmp_path) == ["3 of 3 seeds"]


@pytest.mark.parametrize("place", ["classification/paper", "classification/copies", "copies/of-mine"])
def test_a_copied_folder_of_a_run_counts_once(tmp_path: Path, place: str):
    folder = Path(run(tmp_path)["folder"])
    shutil.copytree(folder, tmp_path / place / f"{folder.name} (copy)")
    assert seeds_counted(tmp_path) == ["1 of 1 seed"]
    maps = KeptRuns(tmp_path).maps(load_records(tmp_path)[0])
    assert maps is not None
    np.testing.assert_array_equal(maps["test"], np.ones((64, 64)))


def test_of_the_same_run_from_two_commits_the_newest_counts(tmp_path: Path):
    old = {**run(tmp_path / "a"), "commit": "a" * 40, "date": "2026-01-31T09:00:00+00:00", "solved": False}
    new = {**old, "commit": "b" * 40, "date": "2026-02-01T08:00:00+00:00", "solved": True}
    undated = {**old, "commit": "c" * 40, "date": None}
    for order in ([old, new], [new, old], [undated, new], [new, undated], [undated, new, old]):
        assert each_once(order) == [new]
        (tmp_path / "runs.json").write_text(json.dumps(order))
        (row,) = table(load_records(tmp_path))
        assert (row["solved"], row["commit"]) == ("1 of 1 seed", "b" * 7)
    del undated["date"]
    assert each_once([undated, old]) == each_once([old, undated]) == [old]


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"variant": "uniform"},
        {"preset": "quick"},
        {"model": "conv"},
        {"settings": {"epochs": 5, "lr": 0.02, "l2": 0.001}},
    ],
)
def test_runs_that_differ_in_anything_that_was_wanted_count_each(tmp_path: Path, change: dict[str, Any]):
    first = run(tmp_path)
    assert len(each_once([first, {**first, **change}])) == 2


def test_a_setting_that_is_not_named_had_its_default_and_a_foreign_one_makes_no_other_run(tmp_path: Path):
    first = run(tmp_path)
    default = {**first, "settings": {**first["settings"], "init_scale": 1.0, "batch_size": 16}}
    assert each_once([first, default]) == [first]
    assert len(each_once([first, {**first, "settings": {**first["settings"], "init_scale": 0.5}}])) == 2


def test_a_run_in_the_form_of_before_and_the_same_in_that_of_today_are_one(tmp_path: Path):
    now = run(tmp_path)
    before = {key: value for key, value in now.items() if key not in ("variant", "unit")}
    before |= {"split": "quadrant", "raw_input": False, "settings": {**now["settings"], "c": None, "pointer": 0.0}}
    (tmp_path / "older.json").write_text(json.dumps([before]))
    assert seeds_counted(tmp_path) == ["1 of 1 seed"]
    (tmp_path / "older.json").write_text(json.dumps([{**before, "raw_input": True}]))
    assert seeds_counted(tmp_path) == ["1 of 1 seed", "1 of 1 seed"], "another input, another run"


# The choice of runs


def test_best_counts_train_and_test_alike_and_small_distances():
    def ended(experiment: str, metric: str, test: float | None, train: float) -> dict[str, Any]:
        return {"experiment": experiment, "metrics": {f"test_{metric}": test, f"train_{metric}": train}}

    same_test = [ended("classification", "accuracy", 0.0, train) for train in (0.9, 1.0, 0.95)]
    assert best(same_test) is same_test[1]
    learned_nothing = ended("regression", "distance", 13.8, 21.4)
    distances = [ended("regression", "distance", test, 0.1) for test in (float("nan"), None, 16.4, 17.0)]
    assert best([learned_nothing, *distances]) is distances[2]


def test_figures_are_of_the_papers_settings_if_there_are_any():
    def of(preset: str, split: str, model: str = "coordconv", **changes: Any) -> dict[str, Any]:
        settings = dataclasses.asdict(experiments.get("classification").presets[preset][model]) | changes
        facts = {"experiment": "classification", "model": model, "variant": split, "preset": preset}
        return {**facts, "settings": settings}

    full, slow = of("paper", "uniform"), of("paper", "uniform", lr=0.001)
    studies = [of("paper", "uniform", epochs=12), of("paper", "uniform", init_scale=0.5)]
    quick = [of("quick", split) for split in ("uniform", "quadrant")]
    conv = of("paper", "uniform", "conv", epochs=300, fs=2)
    short = of("paper", "quadrant", "conv", epochs=12)
    raw = of("paper", "uniform", raw_input=True)
    assert for_figures([*quick, *studies, full, slow, conv, short, raw]) == {
        ("classification", "coordconv", "uniform"): [full, slow],
        ("classification", "coordconv", "quadrant"): [quick[1]],
        ("classification", "conv", "uniform"): [conv],
        ("classification", "conv", "quadrant"): [short],
    }


def test_without_the_papers_settings_figures_are_of_runs_as_their_preset_has_them():
    def of(model: str, **changes: Any) -> dict[str, Any]:
        settings = dataclasses.asdict(experiments.get("vae").presets["record"][model]) | changes
        return {"experiment": "vae", "model": model, "variant": "", "preset": "record", "settings": settings}

    plain, heavy, other = of("conv"), of("conv", beta=16.0), of("coordconv", steps=5)
    assert for_figures([heavy, plain, other]) == {("vae", "conv", ""): [plain], ("vae", "coordconv", ""): [other]}


# Arrays and weights


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    run(tmp_path / "runs")
    return tmp_path / "runs"


def test_weights_of_a_finished_run_are_read_where_they_lie(runs: Path):
    kept = KeptRuns(runs)
    write_archive(runs / run_name(kept.records[0]) / "weights.npz", "weights", {"params/0.w": np.ones(2)}, {})
    weights = kept.weights(kept.records[0])
    assert weights is not None
    np.testing.assert_array_equal(weights["params/0.w"], np.ones(2))


def test_weights_of_several_networks_have_the_name_of_theirs_before_them(runs: Path):
    kept = KeptRuns(runs)
    for network in ("critic", "generator"):
        path = runs / run_name(kept.records[0]) / f"weights-{network}.npz"
        write_archive(path, "weights", {"params/0.w": np.full(2, len(network))}, {})
    weights = kept.weights(kept.records[0])
    assert weights is not None
    assert {key: array.tolist() for key, array in weights.items()} == {
        "critic/params/0.w": [6, 6],
        "generator/params/0.w": [9, 9],
    }


def test_what_was_not_kept_is_none_and_no_problem(runs: Path):
    kept = KeptRuns(runs)
    (record,) = kept.records
    (runs / run_name(record) / "maps.npz").unlink()
    assert kept.maps(record) is None
    assert kept.weights(record) is None
    assert kept.problems == []


# A run that replaces another, where the process was killed while its files were moved out of new/


def half_moved(out: Path) -> Path:
    """Leave the folder of a run as a kill in the middle of the move does: the weights are moved, the rest is not."""
    folder = Path(run(out)["folder"])
    result = json.loads((folder / "result.json").read_text())
    (folder / "new").mkdir()
    result["metrics"]["test_accuracy"] = 0.25
    (folder / "new" / "result.json").write_text(json.dumps(result))
    np.savez(folder / "new" / "maps.npz", test=np.full((64, 64), 7.0))
    write_archive(folder / "weights.npz", "weights", {"params/0.w": np.full(2, 7.0)}, {})
    return folder


def test_of_a_half_moved_run_all_files_are_of_the_new_version(tmp_path: Path):
    folder = half_moved(tmp_path / "runs")
    kept = KeptRuns(tmp_path / "runs")
    (record,) = kept.records
    assert record["metrics"]["test_accuracy"] == 0.25
    maps, weights = kept.maps(record), kept.weights(record)
    assert maps is not None and weights is not None
    assert maps["test"][0, 0] == 7 and weights["params/0.w"].tolist() == [7, 7]
    writing.keep([tmp_path / "runs"], tmp_path / "kept" / "full.json")
    kept = KeptRuns(tmp_path / "kept")
    (record,) = kept.records
    maps = kept.maps(record)
    assert record["metrics"]["test_accuracy"] == 0.25 and maps is not None and maps["test"][0, 0] == 7
    assert (folder / "new" / "result.json").exists(), "readers change nothing"


def test_a_replacement_that_is_not_complete_is_not_read(tmp_path: Path):
    folder = half_moved(tmp_path)
    (folder / "new" / "result.json").unlink()
    write_archive(folder / "new" / "weights-critic.npz", "weights", {"params/0.w": np.ones(2)}, {})
    kept = KeptRuns(tmp_path)
    (record,) = kept.records
    maps, weights = kept.maps(record), kept.weights(record)
    assert record["metrics"]["test_accuracy"] == 1.0
    assert maps is not None and maps["test"][0, 0] == 1
    assert weights is not None and list(weights) == ["params/0.w"]
