"""Image classification in the frame: its run and files, its metrics, resuming, and its figures."""

import json
from pathlib import Path

import numpy as np
import pytest

from minicoord.datasets.images.labelled import ImageSet, LabelledImages
from minicoord.datasets.images.shipped import shipped_images
from minicoord.experiments.image_classification import data as data_module
from minicoord.experiments.image_classification.experiment import ImageClassification, predictions
from minicoord.experiments.image_classification.networks import MODELS, residual_network
from minicoord.experiments.image_classification.settings import VARIANTS
from minicoord.train.weights import load_weights

experiment = ImageClassification()
TINY = {"epochs": 2, "batch_size": 16, "train_images": 48}


@pytest.fixture(autouse=True)
def few_images(monkeypatch):
    """48 training and 40 test images."""
    shipped = shipped_images("fashion-mnist")
    train = LabelledImages(shipped.train.images[:48].copy(), shipped.train.labels[:48].copy())
    test = LabelledImages(shipped.test.images[:40].copy(), shipped.test.labels[:40].copy())
    few = ImageSet(shipped.name, train, test, shipped.classes)
    monkeypatch.setattr(data_module, "read_images", lambda folder: few)


def plan(model="coordconv", variant="shifted", seed=0, **changes):
    return experiment.plan(model, variant, seed=seed, **{**TINY, **changes})


def tiny_run(out, model, variant, seed=0):
    return experiment.run(model, variant, out=out, seed=seed, progress=False, **TINY)


@pytest.mark.compiled
def test_a_run_leaves_its_files_and_its_record(tmp_path):
    result = tiny_run(tmp_path, "coordconv", "shifted", seed=3)
    folder = Path(result["folder"])
    assert {path.name for path in folder.iterdir()} >= {"checkpoint.npz", "weights.npz", "maps.npz", "result.json"}
    assert json.loads((folder / "result.json").read_text()) == result
    assert result["parameters"] == 78_610 and result["epochs"] == 2 and result["solved"] is None
    assert result["samples"] == {"train": 48, "test": 40}
    assert result["canvas"] == 40 and result["places"] == {"seen": 133, "new": 36}


@pytest.mark.compiled
@pytest.mark.parametrize("model", MODELS)
def test_the_metrics_are_those_of_the_saved_weights(model, tmp_path):
    result = tiny_run(tmp_path, model, "centred")
    net = load_weights(Path(result["folder"]) / "weights.npz", residual_network(model, 99))
    data = data_module.run_data("centred", None, 48, 0)
    with np.load(Path(result["folder"]) / "maps.npz") as maps:
        for prefix, name, part in (("", "test_accuracy", data.test), ("new_", "new_places_accuracy", data.moved)):
            guess = net.forward(part.images).argmax(axis=1)
            np.testing.assert_array_equal(maps[f"{prefix}predicted"], guess)
            np.testing.assert_array_equal(maps[f"{prefix}places"], part.places)
            assert result["metrics"][name] == np.mean(guess == part.labels)
        assert maps["front"].shape == maps["front_before"].shape == ((0, 8) if model == "conv" else (4, 8))
        if model != "conv":
            np.testing.assert_array_equal(maps["front"], net.params["0.w"][0, 0])
            np.testing.assert_array_equal(maps["front_before"], residual_network(model, 0).params["0.w"][0, 0])


def test_all_networks_of_a_seed_see_the_same_images_in_the_same_order():
    trainers = [experiment.trainer(plan(model)) for model in MODELS]
    first, *others = trainers
    for trainer in others:
        assert trainer.x.tobytes() == first.x.tobytes()
        assert trainer.data.moved.images.tobytes() == first.data.moved.images.tobytes()
    orders = [trainer.rng.permutation(48).tolist() for trainer in trainers]
    assert orders[0] == orders[1] == orders[2]


@pytest.mark.compiled
@pytest.mark.parametrize("model", ["conv", "control"])
def test_a_restored_run_ends_with_the_same_bits(model):
    straight, resumed = (experiment.trainer(plan(model)) for _ in range(2))
    for _ in range(straight.every):
        straight.step()
    saved = straight.state()
    for _ in range(straight.every):
        straight.step()
    resumed.restore(saved)
    for _ in range(resumed.every):
        resumed.step()
    for one, other in ((straight.model.params, resumed.model.params), (straight.model.state, resumed.model.state)):
        assert all(one[key].tobytes() == other[key].tobytes() for key in one)
    assert straight.optimizer.lr == resumed.optimizer.lr


@pytest.mark.compiled
def test_training_lowers_the_loss_and_without_gradient_coordinate_weights_only_decay():
    trainer = experiment.trainer(plan("control", "centred", epochs=6, decay=0.0))
    before = trainer.model.params["0.w"].copy()
    losses = [trainer.step()["train_loss"] for _ in range(trainer.steps)]
    assert np.mean(losses[-3:]) < 0.7 * np.mean(losses[:3])
    after = trainer.model.params["0.w"]
    assert np.array_equal(before[0, 0, 1:], after[0, 0, 1:]) and not np.array_equal(before[0, 0, 0], after[0, 0, 0])


@pytest.mark.compiled
def test_predictions_do_not_depend_on_the_slices(monkeypatch):
    trainer = experiment.trainer(plan("conv", "centred"))
    whole = predictions(trainer.model, trainer.data.test.images)
    monkeypatch.setattr("minicoord.experiments.image_classification.experiment.SLICE", 7)
    np.testing.assert_array_equal(predictions(trainer.model, trainer.data.test.images), whole)


@pytest.mark.compiled
def test_report_and_figures_of_paired_runs(tmp_path):
    results = [tiny_run(tmp_path, model, variant, seed) for seed in (0, 1) for model in MODELS for variant in VARIANTS]
    (row,) = [r for r in experiment.summary_table(results) if (r["model"], r["images"]) == ("coordconv", "shifted")]
    assert row["parameters"] == "78,610" and "%" in row["at new positions"]
    notes = "\n".join(experiment.notes(results))
    assert notes.count("2 paired seeds") == 6 and "+.04 %" in notes and "fewer than ten seeds" in notes
    drawn = {path.name for path in experiment.figures(results, tmp_path / "figures")}
    assert drawn == {
        "paired-differences.png",
        "confusion-centred.png",
        "confusion-shifted.png",
        "front-layer-centred.png",
        "front-layer-shifted.png",
        "accuracy-by-place.png",
    }
    assert all((tmp_path / "figures" / name).stat().st_size > 1000 for name in drawn)


@pytest.mark.compiled
def test_figures_of_one_network_alone_are_those_that_it_has(tmp_path):
    results = [tiny_run(tmp_path, "conv", "centred")]
    drawn = [path.name for path in experiment.figures(results, tmp_path / "figures")]
    assert drawn == ["confusion-centred.png"]
    assert experiment.remarks([], tmp_path) == []


def test_networks_are_described():
    rows = {row["model"]: row for row in experiment.describe()}
    assert rows["conv"]["parameters"] == 77_562 and "CoordConv2D" not in rows["conv"]["layers"]
    assert "zero coordinates" in rows["control"]["layers"]
