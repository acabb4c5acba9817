"""The table of the paper against the records: what is read, how it is grouped, and that a run can be done again."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from minicoord import cli
from minicoord.experiments import reproduce
from minicoord.paths import lessons_folder


def record(seed: int = 0, solved: bool = True, **changes: Any) -> dict[str, Any]:
    metrics = {"train_accuracy": 1.0, "test_accuracy": 0.5 + seed / 4, "test_distance": 0.0}
    facts = {"experiment": "classification", "preset": "quick", "model": "coordconv", "split": "uniform"}
    settings = {"epochs": 6, "lr": 0.01, **changes}
    rest = {"parameters": 7553, "epochs": 6, "train_seconds": 3.0, "command": "minicoord run", "commit": "abcdef0123"}
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


def test_a_row_made_by_several_commands_says_so():
    rows = reproduce.table([record(0), {**record(1), "command": "minicoord run --seed 1"}, record(2)])
    assert rows[0]["command"] == "minicoord run (and 1 more)"


def test_other_json_is_passed_over_and_broken_json_is_named(tmp_path):
    (tmp_path / "bench.json").write_text('{"rows": []}')
    (tmp_path / "list.json").write_text('[1, {"experiment": "other"}]')
    (tmp_path / "runs.json").write_text(json.dumps([record()]))
    assert reproduce.load_records(tmp_path) == [record()]
    (tmp_path / "runs.json").write_text("[")
    with pytest.raises(ValueError, match=r"runs\.json is no JSON"):
        reproduce.load_records(tmp_path)


def test_every_record_that_comes_with_minicoord_is_complete():
    records = reproduce.load_records(lessons_folder() / "results")
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


def test_an_unknown_run_is_answered_with_the_nearest():
    result = CliRunner().invoke(cli.app, ["reproduce", "--rerun", "classification/quick/coordconv-quadrat"])
    assert result.exit_code == 2
    assert "coordconv-quadrant" in result.output


@pytest.mark.compiled
def test_a_run_is_done_again_with_its_own_settings(tmp_path, monkeypatch):
    settings = {"epochs": 1, "lr": 0.001, "batch_size": 256, "l2": 0.0}
    facts = {"experiment": "regression", "preset": "quick", "model": "coordconv", "split": "quadrant", "seed": 5}
    metrics = {"train_distance": 20.0, "test_distance": 30.0}
    rows = reproduce.rerun(
        "regression/quick/coordconv-quadrant", [{**facts, "settings": settings, "metrics": metrics}], tmp_path
    )
    assert [row["metric"] for row in rows] == ["train_distance", "test_distance"]
    assert rows[0]["recorded"] == "20"
    result = json.loads((tmp_path / "regression/quick/coordconv-quadrant-seed5/result.json").read_text())
    assert result["epochs"] == 1
    assert rows[1]["now"] == f"{result['metrics']['test_distance']:.6g}"


def test_a_metric_that_is_not_finite_is_counted_and_left_out_of_the_band():
    from minicoord.experiments.report import band

    runs = [{"metrics": {"test_iou": value}} for value in (0.5, None, 0.9, float("nan"))]
    assert band(runs, "test_iou") == "0.7 (0.5 to 0.9); 2 not finite"
    assert band(runs[1:2], "test_iou") == "1 not finite"
