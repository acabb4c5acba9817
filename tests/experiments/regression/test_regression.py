"""Coordinate regression: its run and files, its metrics, and why the CoordConv network works."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from minicoord import GlobalAvgPool, GlobalMaxPool, ReLU, Sequential
from minicoord.datasets.not_so_clevr import not_so_clevr
from minicoord.datasets.splits import split
from minicoord.experiments.regression.experiment import MEAN_OF_EVERY, SCALE, Regression
from minicoord.experiments.regression.regressors import coordconv_regressor, exact_regressor
from minicoord.experiments.supervised.experiment import SupervisedTrainer
from minicoord.train.weights import load_weights

DATA = not_so_clevr()

regression = Regression()


@pytest.fixture
def finished(short_run: Callable[[str, str], dict[str, Any]]) -> dict[str, Any]:
    return short_run("regression", "coordconv")


@pytest.mark.compiled
def test_a_run_leaves_its_files_and_its_record(finished: dict[str, Any]):
    result, folder = finished, Path(finished["folder"])
    assert folder.parts[-3:] == ("regression", "quick", "coordconv-quadrant-seed3-epochs=1")
    left = {path.name for path in folder.iterdir()}
    assert left == {"checkpoint.npz", "weights.npz", "maps.npz", "result.json", ".lock"}
    assert json.loads((folder / "result.json").read_text()) == result
    assert result["parameters"] == 906
    assert result["samples"] == {"train": 2407, "test": 729}
    assert result["history"][0].keys() >= {"train_distance", "test_distance", "train_seconds"}


@pytest.mark.compiled
def test_the_metrics_are_those_of_the_saved_weights(finished: dict[str, Any]):
    result, folder = finished, Path(finished["folder"])
    net = load_weights(folder / "weights.npz", coordconv_regressor(rng=9))
    test = split(DATA, "quadrant").test
    points = 64 * net.forward(DATA.one_hot(test)).astype(np.float64)
    distance = np.hypot(*(points - DATA.centres[test]).T)
    assert result["metrics"]["test_distance"] == pytest.approx(distance.mean(), rel=1e-4)
    assert result["metrics"]["test_worst"] == pytest.approx(distance.max(), rel=1e-4)
    with np.load(folder / "maps.npz") as maps:
        np.testing.assert_allclose(maps["test"], points, atol=1e-3)
        np.testing.assert_array_equal(maps["test_centres"], DATA.centres[test])


def test_solved_means_less_than_half_a_pixel_on_both_parts():
    metrics = {"train_distance": 0.1, "test_distance": 0.49}
    assert regression.solved(metrics)
    assert not regression.solved(metrics | {"test_distance": 0.5})
    for key in metrics:
        assert not regression.solved(metrics | {key: float("nan")})


@pytest.mark.compiled
def test_the_network_that_was_thought_out_is_exact():
    net = exact_regressor()
    assert net.n_params == 906
    points = 64 * net.forward(DATA.one_hot()).astype(np.float64)
    assert np.abs(points - DATA.centres).max() < 1e-4
    in_double = net.astype(np.float64).forward(DATA.one_hot(dtype=np.float64))
    assert np.abs(in_double - DATA.centres / 64).max() < 1e-6


@pytest.mark.compiled
def test_with_a_mean_in_place_of_the_maximum_it_says_the_same_everywhere():
    net = Sequential([*exact_regressor().layers[:-1], GlobalAvgPool()])
    points = net.forward(DATA.one_hot())
    assert np.abs(points - points[0]).max() < 1e-6


@pytest.mark.compiled
def test_with_relu_behind_the_first_layer_the_answer_survives_and_the_others_are_zero():
    """So ReLU does not forbid the solution; it hides from training what every dark pixel would have said."""
    first, *others = exact_regressor().layers
    points = Sequential([first, ReLU(), *others]).forward(DATA.one_hot())
    np.testing.assert_allclose(64 * points, DATA.centres, atol=1e-4)


def test_there_is_nothing_to_scale_in_an_image_of_one_pixel(tmp_path: Path):
    with pytest.raises(ValueError, match="there is no setting 'raw_input'; choose from epochs, "):
        regression.run("coordconv", "uniform", out=tmp_path, raw_input=True, progress=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.compiled
@pytest.mark.parametrize("model", (*regression.models, *regression.more_models))
def test_every_model_takes_steps_that_lower_the_loss(model: str, tmp_path: Path, few_samples: None):
    result = regression.run(model, "uniform", out=tmp_path, progress=False, epochs=2, batch_size=32, lr=0.001)
    first, last = (row["train_loss"] for row in (result["history"][0], result["history"][-1]))
    assert last < first


class Off:
    """A network that sees every pixel 3 columns to the right and 4 rows further down."""

    def forward(self, images):
        _, rows, columns, _ = np.nonzero(images)
        return (np.stack([columns + 3, rows + 4], axis=1) / 64).astype(np.float32)


def record(model: str, folder: Path) -> dict[str, Any]:
    parts = split(DATA, "quadrant")
    judged: Any = SimpleNamespace(model=Off(), data=DATA, inputs=DATA.one_hot(), split=parts)
    metrics, arrays = regression.measure(judged)
    folder.mkdir()
    np.savez(folder / "maps.npz", **arrays)
    facts = {"model": model, "variant": "quadrant", "preset": "quick", "parameters": 906, "epochs": 3, "seed": 0}
    return {**facts, "metrics": metrics, "train_seconds": 1.5, "solved": False, "folder": str(folder)}


def test_the_metrics_of_a_network_that_is_off_by_five_pixels(tmp_path):
    metrics = record("coordconv", tmp_path / "run")["metrics"]
    for part in ("train", "test"):
        assert metrics[f"{part}_distance"] == pytest.approx(5, rel=1e-6)
        assert metrics[f"{part}_worst"] == pytest.approx(5, rel=1e-6)
        assert metrics[f"{part}_accuracy"] == 0


def test_the_report_names_the_paper_and_draws(tmp_path):
    results = [record(model, tmp_path / model) for model in regression.models]
    rows = regression.summary_table(results)
    assert [row["model"] for row in rows] == list(regression.models)
    assert rows[2]["test error"] == "5.00 px\npaper: fits"
    assert rows[0]["solved"] == "0 of 1"
    assert any("no errors in pixels" in line for line in regression.notes(results))
    paths = regression.figures(results, tmp_path)
    assert {path.name for path in paths} == {"point-clouds-quadrant.png", "error-maps-quadrant.png"}
    assert all(path.stat().st_size > 10_000 for path in paths)
    assert regression.figures([], tmp_path) == []


@pytest.mark.parametrize("model, relus, pooling", [
    ("coordconv", 0, GlobalMaxPool),
    ("coordconv-relu", 4, GlobalMaxPool),
    ("coordconv-mean", 0, GlobalAvgPool),
    ("coordconv-relu-mean", 4, GlobalAvgPool),
])  # fmt: skip
def test_a_variant_has_its_activations_and_its_pooling_and_the_weights_of_the_others(model, relus, pooling):
    settings = regression.presets["paper"]["coordconv"]
    net, plain = regression.network(model, settings, 5), coordconv_regressor(rng=5)
    assert net.n_params == 906
    assert [getattr(layer, "activation", None) for layer in net.layers].count("relu") == relus
    assert isinstance(net.layers[-1], pooling)
    for name, weights in plain.params.items():
        np.testing.assert_array_equal(net.params[name], weights)
    assert regression.presets["paper"][model] == settings
    assert regression.presets["quick"][model] == regression.presets["quick"]["coordconv"]


def test_describe_lists_the_networks_of_the_paper():
    described = {row["model"]: row["parameters"] for row in regression.describe()}
    assert described["conv-fc m=1"] == 72_850
    assert described["conv-full m=2"] == 49_890
    assert described["coordconv with r"] == 914


@pytest.mark.compiled
def test_the_outputs_begin_at_the_mean_of_the_targets_and_only_a_bias_moved():
    preset = regression.presets["quick"]["coordconv"]
    assert preset.start_at_mean
    plain = regression.network("coordconv", preset, 3)
    trainer = regression.trainer(regression.plan("coordconv", "quadrant", seed=3))
    assert isinstance(trainer, SupervisedTrainer)
    net, train = trainer.model, split(DATA, "quadrant").train
    first = net.forward(DATA.one_hot(train[::MEAN_OF_EVERY])).mean(axis=0)
    np.testing.assert_allclose(first, DATA.centres[train].mean(axis=0) / SCALE, atol=1e-5)
    moved = [key for key, array in net.params.items() if not np.array_equal(array, plain.params[key])]
    assert moved == ["4.b"]


@pytest.mark.compiled
def test_without_that_setting_the_network_begins_as_it_was_drawn():
    trainer = regression.trainer(regression.plan("coordconv", "quadrant", seed=3, start_at_mean=False))
    plain = regression.network("coordconv", regression.presets["quick"]["coordconv"], 3)
    for name, weights in plain.params.items():
        np.testing.assert_array_equal(trainer.networks["model"].params[name], weights)
