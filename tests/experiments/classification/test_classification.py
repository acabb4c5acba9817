"""The main job end to end, on runs that are short but real."""

import json
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from minicoord import BatchNorm2D, load_weights
from minicoord.app.cli import app
from minicoord.experiments.classification import experiment as classification

FAST: dict[str, Any] = {"epochs": 1, "fs": 2, "c": 1, "batch_size": 64}


@pytest.fixture(scope="module")
def conv(tmp_path_factory):
    """One epoch of the smallest deconvolution network on the quadrant split."""
    out = tmp_path_factory.mktemp("conv")
    return classification.run("conv", "quadrant", seed=3, out=out, progress=False, **FAST), out


@pytest.mark.compiled
def test_coordconv_learns_in_one_epoch_what_convolution_does_not(conv, tmp_path):
    coordconv = classification.run("coordconv", "uniform", seed=1, out=tmp_path, progress=False, epochs=1)
    assert coordconv["parameters"] == 7_553
    assert coordconv["metrics"]["test_accuracy"] > 0.5
    assert coordconv["metrics"]["test_distance"] < 1
    assert conv[0]["metrics"]["test_accuracy"] < 0.05


@pytest.mark.compiled
def test_the_result_is_complete_and_on_disk(conv):
    result, out = conv
    folder = out / "classification" / "quick" / "conv-quadrant-seed3"
    assert json.loads((folder / "result.json").read_text()) == json.loads(json.dumps(result))
    wanted = {"experiment", "model", "split", "preset", "seed", "parameters", "epochs", "train_seconds", "metrics"}
    wanted |= {"history", "settings", "solved", "peak_memory_mb", "versions", "machine", "commit", "command", "threads"}
    assert wanted <= result.keys()
    assert result["samples"] == {"train": 2407, "test": 729}
    assert result["epochs"] == len(result["history"]) == 1
    assert result["metrics"]["test_accuracy"] == result["history"][-1]["test_accuracy"]
    assert result["solved"] is False


@pytest.mark.compiled
def test_the_weights_are_those_that_were_measured(conv):
    folder = conv[1] / "classification" / "quick" / "conv-quadrant-seed3"
    net = classification.network("conv", classification.Preset(1, 0.1, 0.0, c=1, fs=2), seed=99)
    load_weights(folder / "weights.npz", net)
    with np.load(folder / "maps.npz") as maps:
        x, y = maps["target"]
        inputs = np.array([[2 * x / 63 - 1, 2 * y / 63 - 1]], np.float32)
        np.testing.assert_array_equal(net.forward(inputs)[0, ..., 0], maps["logits"])
        assert maps["probabilities"].sum() == pytest.approx(1, abs=1e-5)
        assert maps["train"].sum() == pytest.approx(2407, rel=1e-5)
        assert maps["test"].sum() == pytest.approx(729, rel=1e-5)


@pytest.mark.compiled
def test_a_run_resumes_to_the_same_weights(tmp_path):
    constant = {**FAST, "schedule": "constant"}  # a cosine would depend on the number of epochs
    settings: dict[str, Any] = {**constant, "epochs": 2}
    whole = classification.run("conv", "quadrant", out=tmp_path / "whole", progress=False, **settings)
    classification.run("conv", "quadrant", out=tmp_path / "parts", progress=False, **constant)
    parts = classification.run("conv", "quadrant", out=tmp_path / "parts", progress=False, resume=True, **settings)
    assert parts["metrics"] == whole["metrics"]
    folders = [tmp_path / name / "classification" / "quick" / "conv-quadrant-seed0" for name in ("whole", "parts")]
    with np.load(folders[0] / "weights.npz") as one, np.load(folders[1] / "weights.npz") as other:
        assert one.files == other.files
        assert all(one[key].tobytes() == other[key].tobytes() for key in one.files)


@pytest.mark.compiled
def test_raw_input_has_a_folder_of_its_own(tmp_path):
    result = classification.run("conv", "uniform", out=tmp_path, raw_input=True, progress=False, **FAST)
    assert result["raw_input"] is True
    assert result["folder"].endswith("conv-uniform-seed0-raw")


@pytest.mark.compiled
def test_ctrl_c_leaves_a_checkpoint_and_a_partial_result(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(classification, "accuracy", interrupt)
    result = classification.run("conv", "quadrant", out=tmp_path, progress=False, **FAST)
    assert result["interrupted"] is True
    assert result["epochs"] == 0
    folder = tmp_path / "classification" / "quick" / "conv-quadrant-seed0"
    assert json.loads((folder / "result.json").read_text())["interrupted"] is True
    assert (folder / "checkpoint.npz").exists()


@pytest.mark.compiled
def test_the_command_prints_json_alone_and_draws_the_figures(tmp_path, monkeypatch):
    presets = {"quick": {"conv": classification.Preset(1, 0.01, 0.001, batch_size=64, c=1, fs=2)}}
    monkeypatch.setattr(classification, "PRESETS", presets)
    arguments = ["run", "classification", "--model", "conv", "--split", "both", "--json", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    results = json.loads(done.stdout)
    assert [(r["model"], r["split"], r["seed"]) for r in results] == [("conv", "uniform", 0), ("conv", "quadrant", 0)]
    names = {path.name for path in (tmp_path / "classification" / "quick").glob("*.png")}
    both = {f"{kind}-{split}.png" for kind in ("softmax-maps", "pixel-zoom") for split in ("uniform", "quadrant")}
    assert names == both | {"accuracy-against-time.png"}


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("conv", "uniform", "slow"), "the preset was 'slow', it must be one of quick, paper"),
        (("mlp", "uniform", "quick"), "the model was 'mlp', it must be one of conv, conv-no-bn, coordconv"),
        (("conv", "diagonal", "quick"), "the name is 'diagonal'"),
    ],
)
def test_unknown_names_are_named_before_anything_is_written(arguments, words, tmp_path):
    model, split, preset = arguments
    with pytest.raises(ValueError, match=words):
        classification.run(model, split, preset=preset, out=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def result(model, seed, test, solved):
    metrics = {"train_accuracy": 1.0, "test_accuracy": test, "test_distance": 0.25}
    return {"model": model, "split": "quadrant", "preset": "quick", "seed": seed, "parameters": 7553, "epochs": 12,
            "train_seconds": 10.0 + seed, "metrics": metrics, "solved": solved}  # fmt: skip


def test_the_table_gives_a_band_over_seeds_and_counts_the_solved():
    rows = classification.summary_table([result("coordconv", 0, 1.0, True), result("coordconv", 1, 0.5, False)])
    assert len(rows) == 1
    assert rows[0]["test accuracy"] == "75.0 % (50.0 to 100.0)\npaper: 100 %"
    assert rows[0]["solved"] == "1 of 2"


def test_the_quick_conv_run_claims_nothing():
    text = " ".join(classification.notes([result("conv", 0, 0.1, False)]))
    assert "short run" in text
    assert "86 %" in text


def test_without_batch_norm_the_network_has_its_convolutions_alone():
    settings = classification.PRESETS["paper"]["conv-no-bn"]
    net = classification.network("conv-no-bn", settings, 0)
    assert net.n_params == 408_193  # c = 3, fs = 2
    assert not any(isinstance(layer, BatchNorm2D) for layer in net.layers)
    (row,) = classification.summary_table([{**result("conv-no-bn", 0, 0.85, False), "split": "uniform"}])
    assert "paper: 86 %" in row["test accuracy"]


def test_describe_lists_all_networks_of_the_paper():
    described = {row["model"]: row["parameters"] for row in classification.describe()}
    assert len(described) == 11
    assert described["coordconv"] == 7_553
    assert described["conv c=3 fs=4"] == 1_632_001
