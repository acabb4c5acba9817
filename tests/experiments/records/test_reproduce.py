"""The table of the paper against the records: what is read, how it is grouped, and that a run can be done again."""

import dataclasses
import json
from typing import Any

import pytest
from typer.testing import CliRunner

from minicoord import experiments
from minicoord.app import cli
from minicoord.experiments.frame.folder import RunExistsError
from minicoord.experiments.records import reproduce
from minicoord.experiments.records.reading import load_records
from minicoord.system.paths import lessons_folder


def record(seed: int = 0, solved: bool = True, **changes: Any) -> dict[str, Any]:
    metrics = {"train_accuracy": 1.0, "test_accuracy": 0.5 + seed / 4, "test_distance": 0.0}
    facts = {"experiment": "classification", "preset": "quick", "model": "coordconv", "variant": "uniform"}
    settings = {"epochs": 6, "lr": 0.01, "l2": 0.003, "schedule": "cosine", "init_scale": 0.3, **changes}
    rest = {"parameters": 7553, "unit": "epoch", "epochs": 6, "train_seconds": 3.0, "command": "minicoord run"}
    rest |= {"commit": "abcdef0123", "history": [], "folder": "results/classification/quick/coordconv-uniform-seed0"}
    return {**facts, "seed": seed, "solved": solved, "metrics": metrics, "settings": settings, **rest}


def test_seeds_of_one_setting_are_one_row():
    rows = reproduce.table([record(0), record(1, solved=False), record(2), record(0, lr=0.1)])
    assert [row["run"] for row in rows] == [
        "classification/quick/coordconv-uniform",
        "classification/quick/coordconv-uniform-lr=0.1",
    ]
    assert rows[0]["solved"] == "2 of 3 seeds"
    assert rows[0]["recorded"] == "75.0 % (50.0 to 100.0)"
    assert rows[0]["paper"] == "100 %"
    assert rows[0]["commit"] == "abcdef0"


def test_only_what_differs_from_the_preset_is_in_the_name_and_every_difference_is():
    settings = dataclasses.asdict(experiments.get("classification").presets["paper"]["conv"])
    facts = {**record(), "preset": "paper", "model": "conv"}
    changes = [{}, {"fs": 2}, {"fs": 2, "epochs": 300}, {"fs": 2, "epochs": 300, "lr": 0.001}]
    names = list(reproduce.grouped([{**facts, "settings": settings | change} for change in changes]))
    endings = ["", "-epochs=300-fs=2", "-epochs=300-fs=2-lr=0.001", "-fs=2"]
    assert names == [f"classification/paper/conv-uniform{ending}" for ending in endings]


def test_a_setting_that_is_younger_than_the_record_had_its_default():
    presets = experiments.get("regression").presets["quick"]["coordconv"]
    settings = {k: v for k, v in dataclasses.asdict(presets).items() if k != "start_at_mean"}
    old = {"experiment": "regression", "preset": "quick", "model": "coordconv", "variant": "uniform"}
    assert list(reproduce.grouped([{**old, "settings": settings}])) == [
        "regression/quick/coordconv-uniform-start_at_mean=False"
    ]


def test_presets_and_models_that_are_gone_are_named_by_all_their_settings():
    gone = {**record(), "preset": "gone"}
    (name,) = reproduce.grouped([gone])
    settings = "batch_size=16-beta2=0.99-decay=0.0-epochs=6-init_scale=0.3-l2=0.003-lr=0.01-raw_input=False"
    assert name == f"classification/gone/coordconv-uniform-{settings}-schedule=cosine"
    (name,) = reproduce.grouped([{**record(), "model": "older"}])
    assert name.startswith("classification/quick/older-uniform-batch_size=16-beta2=0.99-")


def test_a_row_made_by_several_commands_says_so():
    rows = reproduce.table([record(0), {**record(1), "command": "minicoord run --seed 1"}, record(2)])
    assert rows[0]["command"] == "minicoord run; minicoord run --seed 1"
    sections, commands = reproduce.sections(rows)
    assert commands == ["minicoord run", "minicoord run --seed 1"]
    assert sections["classification/quick: test accuracy"][0]["command"] == "1, 2"


def test_a_run_of_an_installation_has_no_commit_and_one_of_a_program_no_command():
    (row,) = reproduce.table([{**record(), "commit": None, "command": None}])
    assert (row["commit"], row["command"]) == ("unknown", "unknown")
    (row,) = reproduce.table([{**record(), "commit": "abcdef0123", "sittings": [{"commit": None}]}])
    assert row["commit"] == "unknown, abcdef0"
    assert reproduce.numbers([{**record(), "command": None}])[0]["commands"] == []


def test_seeds_are_named_where_they_are_not_the_first_ones():
    rows = reproduce.table([record(0), record(1), record(0, lr=0.1), record(100, lr=0.1), record(101, lr=0.1)])
    assert [row["seeds"] for row in rows] == ["0 to 1", "0, 100 to 101"]
    sections, _ = reproduce.sections(rows)
    cells = [row["solved"] for row in sections["classification/quick: test accuracy"]]
    assert cells == ["2 of 2 seeds", "3 of 3 seeds\n0, 100 to 101"]


def test_programs_get_numbers_for_every_row():
    records = [record(1, solved=False), record(0), {**record(0, lr=0.1), "command": "minicoord sweep"}]
    first, second = reproduce.numbers(records)
    assert first["metric"] == "test_accuracy"
    assert first["runs"] == [{"seed": 0, "value": 0.5, "solved": True}, {"seed": 1, "value": 0.75, "solved": False}]
    assert second["commands"] == ["minicoord sweep"]


def test_rows_for_a_narrow_terminal_are_grouped_and_their_commands_numbered():
    others = [{**record(seed, lr=0.1), "command": "minicoord sweep"} for seed in range(2)]
    rows = reproduce.table([record(0), *others, {**record(0), "preset": "paper"}])
    sections, commands = reproduce.sections(rows)
    assert list(sections) == ["classification/paper: test accuracy", "classification/quick: test accuracy"]
    assert [row["command"] for row in sections["classification/quick: test accuracy"]] == ["1", "2"]
    assert commands == ["minicoord run", "minicoord sweep"]
    for heading, short in sections.items():
        whole = [f"{heading.split(':')[0]}/{row['run']}" for row in short]
        assert set(whole) <= {row["run"] for row in rows}


def test_the_table_fits_a_terminal_of_100_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    result = CliRunner().invoke(cli.app, ["reproduce"])
    lines = [line for line in result.stdout.splitlines() if not line.startswith("command ")]
    assert max(map(len, lines)) <= 100
    assert any("coordconv-quadrant " in line and " 40 of 40 seeds " in line for line in lines), "a row is not folded"


def test_a_folder_without_records_is_said_to_be_one(tmp_path):
    result = CliRunner().invoke(cli.app, ["reproduce", "--records", str(tmp_path)])
    assert result.exit_code == 0
    assert "no record of a run" in result.stderr


def test_a_folder_that_is_not_there_is_a_wrong_option(tmp_path):
    result = CliRunner().invoke(cli.app, ["reproduce", "--records", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert "there is no folder" in result.stderr


def test_every_record_that_comes_with_minicoord_is_complete():
    records = load_records(lessons_folder() / "results")
    assert records
    for r in records:
        assert len(r["commit"]) == 40, "made from a commit, without changes"
        assert r["command"].startswith("minicoord ")
        assert r["interrupted"] is False
        assert {"seed", "machine", "versions", "train_seconds", "date"} <= r.keys()


@pytest.mark.parametrize("option, start", [("--json", "["), ("--markdown", "| run |")])
def test_the_command_prints_the_records_for_programs_and_for_the_readme(option, start):
    result = CliRunner().invoke(cli.app, ["reproduce", option])
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(start)
    assert "classification/quick/coordconv-quadrant" in result.stdout


def test_the_json_has_for_every_row_its_numbers():
    rows = json.loads(CliRunner().invoke(cli.app, ["reproduce", "--json"]).stdout)
    for row in rows:
        judged = [run["solved"] for run in row["runs"] if run["solved"] is not None]
        words = f"{sum(judged)} of {len(judged)} seed" if judged else f"{len(row['runs'])} seed"
        assert row["solved"].startswith(words)
        assert row["command"] == "; ".join(row["commands"])


def test_every_number_of_figure_7_stands_beside_ours():
    measured = {"coverage": 0.5, "red_entropy": 3.0, "blue_entropy": 2.5, "difference_entropy": None}
    facts = {"experiment": "gan", "preset": "record", "model": "coordconv", "variant": "official", "solved": None}
    run = {**record(), **facts, "settings": {"steps": 9, "every": 3}, "metrics": measured}
    runs = [run, {**run, "seed": 1, "metrics": {**measured, "red_entropy": 2.0}}]
    rows = reproduce.table(runs)
    assert {row["run"] for row in rows} == set(reproduce.grouped(runs))
    assert [(row["measure"], row["paper"], row["recorded"]) for row in rows] == [
        ("coverage", "-", "50.0 % (50.0 to 50.0)"),
        ("red entropy", "3.30", "2.50 (2.00 to 3.00)"),
        ("blue entropy", "2.93", "2.50 (2.50 to 2.50)"),
        ("difference entropy", "2.62", "2 not finite"),
    ]
    facts_of_rows = reproduce.numbers(runs)
    assert [row["metric"] for row in facts_of_rows] == list(measured)
    assert [run["value"] for run in facts_of_rows[1]["runs"]] == [3.0, 2.0]
    assert list(reproduce.sections(rows)[0]) == [f"gan/record: {row['measure']}" for row in rows]


def test_an_unknown_run_is_answered_with_the_nearest():
    result = CliRunner().invoke(cli.app, ["reproduce", "--rerun", "classification/quick/coordconv-quadrat"])
    assert result.exit_code == 2
    assert "coordconv-quadrant" in result.output


@pytest.mark.compiled
def test_a_run_is_done_again_with_its_own_settings(tmp_path, few_samples: None):
    settings = {"epochs": 1, "lr": 0.001, "batch_size": 256, "l2": 0.0}
    facts = {"experiment": "regression", "preset": "quick", "model": "coordconv", "variant": "quadrant", "seed": 5}
    metrics = {"train_distance": 20.0, "test_distance": 30.0}
    record = {**facts, "settings": settings, "metrics": metrics}
    (name,) = reproduce.grouped([record])
    rows = reproduce.rerun(name, [record], tmp_path)
    assert [row["metric"] for row in rows] == ["train_distance", "test_distance", "solved"]
    assert rows[0]["recorded"] == "20"
    assert not (tmp_path / "regression/quick/coordconv-quadrant-seed5").exists(), "the folder of the preset's own run"
    (folder,) = (tmp_path / "regression/quick").iterdir()
    assert folder.name.startswith("coordconv-quadrant-seed5-batch_size=256-")
    result = json.loads((folder / "result.json").read_text())
    assert result["epochs"] == 1
    assert result["settings"]["init_scale"] == 1.0, "not that of the preset, which the record did not have"
    assert rows[1]["now"] == f"{result['metrics']['test_distance']:.6g}"
    with pytest.raises(RunExistsError, match="holds a finished run"):
        reproduce.rerun(name, [record], tmp_path)
    assert reproduce.rerun(name, [record], tmp_path, overwrite=True) == rows


@pytest.mark.parametrize("now", [float("nan"), float("inf"), None])
def test_a_metric_that_is_not_finite_is_called_so_in_the_record_and_in_the_new_run(tmp_path, monkeypatch, now):
    recorded = record()
    recorded["metrics"]["test_distance"] = None
    monkeypatch.setattr(
        type(experiments.get("classification")),
        "run",
        lambda *_, **__: {"metrics": {**recorded["metrics"], "test_distance": now}, "solved": True},
    )
    (name,) = reproduce.grouped([recorded])
    (row,) = [row for row in reproduce.rerun(name, [recorded], tmp_path) if row["metric"] == "test_distance"]
    assert (row["recorded"], row["now"]) == ("not finite", "not finite")


def test_remarks_that_cannot_be_made_cost_no_row(tmp_path, monkeypatch):
    def fails(*_):
        raise KeyError("test_accuracy")

    monkeypatch.setattr(type(experiments.get("classification")), "remarks", fails)
    (tmp_path / "runs.json").write_text(json.dumps([record()]))
    result = CliRunner().invoke(cli.app, ["reproduce", "--records", str(tmp_path)])
    assert result.exit_code == 1
    assert "coordconv-uniform" in result.stdout
    assert f"classification has no remarks on {tmp_path}: KeyError: 'test_accuracy'" in result.stderr
