"""Records of version 0.1 in the form of today: renamed and sorted, with nothing measured changed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from minicoord import experiments
from minicoord.experiments.frame.settings import names_of
from minicoord.experiments.records.text import text_of_records
from minicoord.experiments.records.upgrade import main, upgraded
from minicoord.system.paths import lessons_folder

# The settings of all experiments were those of one class; a network had those that it did not know as well.
SETTINGS = {
    "epochs": 5,
    "lr": 0.003,
    "l2": 1e-05,
    "schedule": "cosine",
    "batch_size": 32,
    "beta2": 0.99,
    "decay": 0.0,
    "c": None,
    "fs": None,
    "m": None,
    "init_scale": 0.03,
    "start_at_mean": True,
    "loss": None,
    "pointer": 0.0,
    "pointer_loss": "softmax",
    "sharpen": True,
}
HISTORY = [
    {"epoch": 1, "train_loss": 0.0133781, "lr": 0.003, "train_seconds": 0.6, "test_accuracy": 0.4},
    {"epoch": 5, "train_loss": 1.7e-06, "lr": 0.0002, "train_seconds": 3.1, "test_accuracy": None},
]
OF_NETWORK = {key: SETTINGS[key] for key in ("epochs", "lr", "l2", "schedule", "batch_size", "beta2", "decay")}


def old(experiment: str, model: str, **changes: Any) -> dict[str, Any]:
    """A record as version 0.1 wrote it."""
    metric = experiments.get(experiment).primary.name
    return {
        "experiment": experiment,
        "model": model,
        "split": "quadrant",
        "preset": "quick",
        "seed": 203,
        "raw_input": False,
        "parameters": 906,
        "epochs": 5,
        "train_seconds": 3.1234567891,
        "metrics": {metric: 0.07519827343523502, "train_loss": None},
        "solved": True,
        "interrupted": False,
        "settings": SETTINGS,
        "samples": {"train": 2407, "test": 729},
        "peak_memory_mb": 321.4,
        "command": f"minicoord sweep {experiment} --grid fresh --out results",
        "commit": "3411aa5" + "0" * 33,
        "date": "2026-11-01T10:00:00+00:00",
        "machine": {"system": "Linux", "processor": "a processor", "cores": 2, "load_before": 0.5},
        "threads": 2,
        "threading_layer": "tbb",
        "versions": {"minicoord": "0.1.0", "numpy": "2.4.6"},
        "cores_of_others": 0.04,
        "thinned": {"epochs": 5, "kept": 2},
        "epoch_seconds": 0.62,
        "folder": f"{experiment}/quick/{model}-quadrant-seed203",
        "history": HISTORY,
        **changes,
    }


def test_an_old_record_becomes_a_new_one_and_nothing_measured_changes():
    before = old("regression", "coordconv")
    kept = json.dumps(before)
    after = upgraded(before)
    assert json.dumps(before) == kept, "the record that was given is as it was"
    assert (after["variant"], after["background_load"], after["unit"]) == ("quadrant", 0.04, "epoch")
    assert after["settings"] == {**OF_NETWORK, "init_scale": 0.03, "start_at_mean": True}
    gone, come = before.keys() - after.keys(), after.keys() - before.keys()
    assert gone == {"split", "raw_input", "cores_of_others"} and come == {"variant", "background_load", "unit"}
    same = before.keys() & after.keys() - {"settings"}
    assert {key: after[key] for key in same} == {key: before[key] for key in same}
    assert {"metrics", "history", "train_seconds", "seed", "solved", "epochs", "parameters", "commit"} < same
    places = list(after)
    assert places.index("unit") == places.index("epochs") - 1
    assert places.index("variant") == places.index("model") + 1


@pytest.mark.parametrize("raw", [False, True])
def test_the_scale_of_the_input_is_a_setting_where_the_network_has_one(raw: bool):
    after = upgraded(old("classification", "coordconv", raw_input=raw))
    assert after["settings"] == {**OF_NETWORK, "init_scale": 0.03, "raw_input": raw}
    after = upgraded(old("rendering", "drawer"))
    assert "raw_input" not in after["settings"], "it is fed an image"


def test_a_convolution_keeps_its_own_settings():
    after = upgraded(old("classification", "conv", settings={**SETTINGS, "c": 2, "fs": 3}))
    assert after["settings"] == {**OF_NETWORK, "c": 2, "fs": 3, "raw_input": False}


def test_a_setting_that_was_not_set_has_its_default():
    before = old("regression", "conv-fc")
    assert before["settings"]["m"] is None
    assert "m" not in upgraded(before)["settings"]
    assert experiments.get("regression").settings_of(upgraded(before)).m == 1  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("experiment", experiments.names())
def test_an_upgrade_is_done_once(experiment: str):
    kind = experiments.get(experiment)
    for model in dict.fromkeys(model for preset in kind.presets.values() for model in preset):
        once = upgraded(old(experiment, model))
        assert upgraded(once) == once
        assert list(upgraded(once)) == list(once)
        assert set(once["settings"]) <= set(names_of(kind.Settings, model))


def test_a_record_of_today_is_left_as_it_is():
    today = {**upgraded(old("regression", "coordconv")), "raw_input": "a setting of another day", "split": "x"}
    assert upgraded(today) == today


def upgrade(*folders: Path) -> list[str]:
    module = "minicoord.experiments.records.upgrade"
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-m", module, *map(str, folders)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.splitlines()


def test_the_command_rewrites_the_lists_of_a_folder_once_and_nothing_else(tmp_path: Path):
    records = [old("regression", "coordconv"), old("classification", "conv", settings={**SETTINGS, "c": 1, "fs": 2})]
    (tmp_path / "old.json").write_text(json.dumps(records))
    (tmp_path / "mixed.json").write_text(json.dumps([upgraded(records[0]), records[1]]))
    (tmp_path / "bench.json").write_text('{"rows":   []}')
    (tmp_path / "table.json").write_text('[{"run":   "classification/quick/conv-uniform"}, 3]')
    (tmp_path / "notes.txt").write_text("[]")
    shutil.copy(lessons_folder() / "results" / "regression-quick-fresh.json", tmp_path / "committed.json")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    said = upgrade(tmp_path)
    assert said == [f"{tmp_path / 'mixed.json'}: 2 records", f"{tmp_path / 'old.json'}: 2 records"]
    for name in ("old.json", "mixed.json"):
        assert (tmp_path / name).read_text() == text_of_records([upgraded(record) for record in records])
        assert json.loads((tmp_path / name).read_text()) == [upgraded(record) for record in records]
    for name in ("bench.json", "table.json", "notes.txt", "committed.json"):
        assert (tmp_path / name).read_bytes() == before[name]
    assert before.keys() == {path.name for path in tmp_path.iterdir()}
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert upgrade(tmp_path) == [], "the second time there is nothing to do"
    assert after == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_several_folders_are_done_one_after_the_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "runs.json").write_text(json.dumps([old("regression", "conv-fc")]))
    main([str(tmp_path / "a"), str(tmp_path / "b")])
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"{tmp_path / name / 'runs.json'}: 1 record" for name in ("a", "b")]


def test_the_records_that_come_with_minicoord_are_in_the_form_of_today():
    texts = {path: path.read_text(encoding="utf-8") for path in (lessons_folder() / "results").glob("*.json")}
    lists = {path: json.loads(text) for path, text in texts.items()}
    records = [(path, record) for path, content in lists.items() if isinstance(content, list) for record in content]
    assert len(records) > 250
    for path, record in records:
        experiment = experiments.get(record["experiment"])
        assert upgraded(record) == record, path
        assert not {"split", "raw_input", "cores_of_others"} & record.keys(), path
        unit = "step" if record["experiment"] in ("a2c", "gan", "vae") else "epoch"  # without a data set to pass over
        assert record["unit"] == unit and record[f"{unit}s"] >= len(record["history"]), path
        assert record["variant"] in (*experiment.variants, *experiment.more_variants), path
        assert set(record["settings"]) <= set(names_of(experiment.Settings, record["model"])), path
        missing = {name for name, value in record["settings"].items() if value is None}
        # None is a choice there: all images, the shipped or generated ones, and the rates of the recipe.
        assert missing <= {"train_images", "data", "photos", "lr_d", "lr_g"}, path
    for path, content in lists.items():
        if isinstance(content, list):
            assert texts[path] == text_of_records(content), "written by something else"
