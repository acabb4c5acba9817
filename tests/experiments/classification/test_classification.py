"""Classification end to end, on runs that are short but real."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from minicoord import BatchNorm2D, load_weights
from minicoord.app.cli import app
from minicoord.datasets import not_so_clevr
from minicoord.experiments.classification import experiment as module
from minicoord.experiments.classification.experiment import Classification
from minicoord.experiments.classification.settings import ClassificationSettings
from minicoord.experiments.frame.folder import RunExistsError
from minicoord.experiments.supervised.pixels import accuracy

FAST: dict[str, Any] = {"epochs": 1, "fs": 2, "c": 1, "batch_size": 64}
CHANGES = "-batch_size=64-c=1-epochs=1-fs=2"  # how the folder of such a run ends

classification = Classification()


@pytest.fixture
def conv(short_run: Callable[[str, str], dict[str, Any]]) -> dict[str, Any]:
    """One epoch of a small deconvolution network on the quadrant split."""
    return short_run("classification", "conv")


def settings(**changes: Any) -> ClassificationSettings:
    return ClassificationSettings(epochs=1, lr=0.1, l2=0.0, **changes)


@pytest.mark.compiled
def test_coordconv_learns_in_one_epoch_what_convolution_does_not(
    conv: dict[str, Any], short_run: Callable[[str, str], dict[str, Any]]
):
    coordconv = short_run("classification", "coordconv")
    assert coordconv["parameters"] == 7_553
    assert coordconv["metrics"]["test_accuracy"] > 0.5
    assert coordconv["metrics"]["test_distance"] < 1
    assert conv["metrics"]["test_accuracy"] < 0.05


@pytest.mark.compiled
def test_the_result_is_complete_and_on_disk(conv: dict[str, Any]):
    folder = Path(conv["folder"])
    assert folder.parts[-3:] == ("classification", "quick", "conv-quadrant-seed3-epochs=1")
    assert json.loads((folder / "result.json").read_text()) == json.loads(json.dumps(conv))
    wanted = {"experiment", "model", "variant", "preset", "seed", "parameters", "epochs", "train_seconds", "metrics"}
    wanted |= {"history", "settings", "solved", "peak_memory_mb", "versions", "machine", "commit", "command", "threads"}
    wanted |= {"unit", "interrupted", "date", "threading_layer", "sittings", "background_load", "samples", "folder"}
    assert wanted == conv.keys()
    assert conv["samples"] == {"train": 2407, "test": 729}
    assert conv["unit"] == "epoch"
    assert conv["epochs"] == len(conv["history"]) == 1
    assert conv["metrics"]["test_accuracy"] == conv["history"][-1]["test_accuracy"]
    assert conv["solved"] is False
    assert conv["interrupted"] is False


@pytest.mark.compiled
def test_the_settings_of_a_result_are_those_that_the_network_has(short_run: Callable[[str, str], dict[str, Any]]):
    of_training = {"epochs", "lr", "l2", "schedule", "batch_size", "beta2", "decay", "raw_input"}
    assert short_run("classification", "conv")["settings"].keys() == of_training | {"c", "fs"}
    assert short_run("classification", "coordconv")["settings"].keys() == of_training | {"init_scale"}


@pytest.mark.compiled
def test_the_weights_are_those_that_were_measured(conv: dict[str, Any]):
    folder = Path(conv["folder"])
    net = classification.network("conv", settings(c=1, fs=3), seed=99)
    load_weights(folder / "weights.npz", net)
    with np.load(folder / "maps.npz") as maps:
        x, y = maps["target"]
        inputs = np.array([[2 * x / 63 - 1, 2 * y / 63 - 1]], np.float32)
        np.testing.assert_array_equal(net.forward(inputs)[0, ..., 0], maps["logits"])
        assert maps["probabilities"].sum() == pytest.approx(1, abs=1e-5)
        assert maps["train"].sum() == pytest.approx(2407, rel=1e-5)
        assert maps["test"].sum() == pytest.approx(729, rel=1e-5)


class Interrupting:
    """Stands for `accuracy`, and is interrupted by Ctrl-C at its n-th call: there are two after every epoch."""

    def __init__(self, call: int) -> None:
        self.left = call

    def __call__(self, *arguments: Any) -> float:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return accuracy(*arguments)


@pytest.mark.compiled
def test_a_run_resumes_to_the_same_weights(tmp_path: Path, few_samples: None, monkeypatch: pytest.MonkeyPatch):
    changes: dict[str, Any] = {**FAST, "batch_size": 16, "epochs": 2}
    whole = classification.run("conv", "quadrant", out=tmp_path / "whole", progress=False, **changes)
    with monkeypatch.context() as patch:
        patch.setattr(module, "accuracy", Interrupting(call=4))
        first = classification.run("conv", "quadrant", out=tmp_path / "parts", progress=False, **changes)
    assert (first["interrupted"], first["epochs"]) == (True, 1)
    parts = classification.run("conv", "quadrant", out=tmp_path / "parts", progress=False, resume=True, **changes)
    assert parts["interrupted"] is False
    assert parts["metrics"] == whole["metrics"]
    assert [row["epoch"] for row in parts["history"]] == [1, 2]
    assert [sitting["after_epoch"] for sitting in parts["sittings"]] == [0, 1]
    with np.load(Path(whole["folder"]) / "weights.npz") as one, np.load(Path(parts["folder"]) / "weights.npz") as other:
        assert one.files == other.files
        assert all(one[key].tobytes() == other[key].tobytes() for key in one.files)


@pytest.mark.compiled
def test_raw_input_has_a_folder_of_its_own(tmp_path: Path, few_samples: None):
    result = classification.run("conv", "uniform", out=tmp_path, raw_input=True, progress=False, **FAST)
    assert result["settings"]["raw_input"] is True
    assert result["folder"].endswith(f"conv-uniform-seed0{CHANGES}-raw_input=True")


def test_raw_input_is_in_pixels_and_the_usual_one_between_minus_one_and_one():
    data = not_so_clevr()
    raw, labels = classification.samples("conv", settings(raw_input=True), data)
    np.testing.assert_array_equal(raw, data.centres)
    usual, same_labels = classification.samples("conv", settings(), data)
    assert np.abs(usual).max() <= 1
    np.testing.assert_array_equal(labels, same_labels)


@pytest.mark.compiled
def test_ctrl_c_leaves_a_checkpoint_and_a_partial_result(
    tmp_path: Path, few_samples: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "accuracy", Interrupting(call=1))
    result = classification.run("conv", "quadrant", out=tmp_path, progress=False, **FAST)
    assert result["interrupted"] is True
    assert result["epochs"] == 0
    folder = tmp_path / "classification" / "quick" / f"conv-quadrant-seed0{CHANGES}"
    assert json.loads((folder / "result.json").read_text())["interrupted"] is True
    assert (folder / "checkpoint.npz").exists()


@pytest.mark.compiled
def test_an_interrupted_run_is_not_solved(tmp_path: Path, few_samples: None, monkeypatch: pytest.MonkeyPatch):
    perfect = {f"{part}_{name}": 1.0 for part in ("train", "test") for name in ("accuracy", "distance", "loss")}
    monkeypatch.setattr(Classification, "measure", lambda *_: (perfect, {}))
    monkeypatch.setattr(module, "accuracy", Interrupting(call=1))
    stopped = classification.run("conv", "quadrant", out=tmp_path, progress=False, **FAST)
    assert stopped["solved"] is False
    assert classification.run("conv", "quadrant", out=tmp_path, progress=False, resume=True, **FAST)["solved"] is True


@pytest.mark.compiled
def test_a_finished_run_is_neither_done_again_nor_replaced_without_a_word(conv: dict[str, Any]):
    out = Path(conv["folder"]).parents[2]
    before = {path.name: path.read_bytes() for path in Path(conv["folder"]).iterdir()}
    with pytest.raises(RunExistsError, match="conv-quadrant-seed3-epochs=1 holds a finished run of 20"):
        classification.run("conv", "quadrant", seed=3, out=out, epochs=1, progress=False)
    again = classification.run("conv", "quadrant", seed=3, out=out, epochs=1, progress=False, resume=True)
    assert again == json.loads(json.dumps(conv))
    assert {path.name: path.read_bytes() for path in Path(conv["folder"]).iterdir()} == before


@pytest.mark.compiled
def test_the_command_prints_json_alone_and_draws_the_figures(tmp_path: Path, few_samples: None):
    changes = ["--epochs", "1", "--batch-size", "64", "--c", "1", "--fs", "2"]
    arguments = ["run", "classification", "--model", "conv", "--split", "both", "--json", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, [*arguments, *changes])
    assert done.exit_code == 0, done.output
    results = json.loads(done.stdout)
    assert [(r["model"], r["variant"], r["seed"]) for r in results] == [("conv", "uniform", 0), ("conv", "quadrant", 0)]
    names = {path.name for path in (tmp_path / "classification" / "quick").glob("*.png")}
    both = {f"{kind}-{split}.png" for kind in ("softmax-maps", "pixel-zoom") for split in ("uniform", "quadrant")}
    assert names == both | {"accuracy-against-time.png"}


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("conv", "uniform", "slow"), "there is no preset 'slow'; choose from quick, paper"),
        (("mlp", "uniform", "quick"), "there is no model 'mlp'; choose from conv, conv-no-bn, coordconv"),
        (("conv", "diagonal", "quick"), "there is no split 'diagonal'; choose from uniform, quadrant, "),
    ],
)
def test_unknown_names_are_named_before_anything_is_written(
    arguments: tuple[str, str, str], words: str, tmp_path: Path
):
    model, split, preset = arguments
    with pytest.raises(ValueError, match=words):
        classification.run(model, split, preset=preset, out=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def result(model: str, seed: int, test: float, solved: bool, split: str = "quadrant") -> dict[str, Any]:
    metrics = {"train_accuracy": 1.0, "test_accuracy": test, "test_distance": 0.25}
    facts = {"model": model, "variant": split, "preset": "quick", "seed": seed, "parameters": 7553, "epochs": 12}
    return {**facts, "train_seconds": 10.0 + seed, "metrics": metrics, "solved": solved}


def test_the_table_gives_a_band_over_seeds_and_counts_the_solved():
    rows = classification.summary_table([result("coordconv", 0, 1.0, True), result("coordconv", 1, 0.5, False)])
    assert len(rows) == 1
    assert rows[0]["split"] == "quadrant"
    assert rows[0]["test accuracy"] == "75.0 % (50.0 to 100.0)\npaper: 100 %"
    assert rows[0]["seconds"] == "10\npaper: 10-20"
    assert rows[0]["solved"] == "1 of 2"


def test_solved_needs_every_pixel_of_both_parts():
    assert classification.solved({"train_accuracy": 1.0, "test_accuracy": 1.0})
    for part in ("train", "test"):
        assert not classification.solved({"train_accuracy": 1.0, "test_accuracy": 1.0, f"{part}_accuracy": 0.9999})


def test_the_quick_conv_run_claims_nothing():
    text = " ".join(classification.notes([result("conv", 0, 0.1, False)]))
    assert "short run" in text
    assert "86 %" in text


def test_without_batch_norm_the_network_has_its_convolutions_alone():
    preset = classification.presets["paper"]["conv-no-bn"]
    net = classification.network("conv-no-bn", preset, 0)
    assert net.n_params == 408_193  # c = 3, fs = 2
    assert not any(isinstance(layer, BatchNorm2D) for layer in net.layers)
    (row,) = classification.summary_table([result("conv-no-bn", 0, 0.85, False, "uniform")])
    assert "paper: 86 %" in row["test accuracy"]


def test_describe_lists_all_networks_of_the_paper():
    described = {row["model"]: row["parameters"] for row in classification.describe()}
    assert len(described) == 11
    assert described["coordconv"] == 7_553
    assert described["conv c=3 fs=4"] == 1_632_001


def test_without_results_there_is_no_figure(tmp_path: Path):
    assert classification.figures([], tmp_path) == []
    assert not list(tmp_path.iterdir())
