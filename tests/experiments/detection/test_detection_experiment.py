"""Detection as an experiment: its runs and files, resuming to the same bits, and its metrics against plain code."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minicoord.experiments.detection.anchors import anchors
from minicoord.experiments.detection.boxes import encode
from minicoord.experiments.detection.data import detection_data
from minicoord.experiments.detection.detector import Detector
from minicoord.experiments.detection.evaluation import share_outside
from minicoord.experiments.detection.experiment import Detection
from minicoord.experiments.detection.losses import detection_loss
from minicoord.experiments.detection.networks import PLACES, region_proposal_network
from minicoord.experiments.detection.settings import COORDS, PRESETS, DetectionSettings
from minicoord.experiments.detection.trainer import DetectionTrainer
from minicoord.experiments.records.figures import MissingRecordsError
from minicoord.experiments.records.reading import KeptRuns
from minicoord.train.weights import load_weights

pytestmark = pytest.mark.compiled
detection = Detection()
FEW: dict[str, Any] = {"images": 10, "test_images": 7, "batch": 4, "epochs": 2}


def trainer(model: str = "coordconv", padding: str = "valid", seed: int = 3, **changes: Any) -> DetectionTrainer:
    return detection.trainer(detection.plan(model, padding, seed=seed, **{**FEW, **changes}))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("detection")
    return detection.run("coordconv", "valid", seed=3, out=out, progress=False, **FEW)


def bits(folder: Path) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    """Return all arrays of a run as bytes, and its history without the seconds."""
    arrays = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            arrays |= {f"{path.name}/{key}": file[key].tobytes() for key in file.files if key != "meta"}
    rows = json.loads((folder / "result.json").read_text())["history"]
    return arrays, [{key: value for key, value in row.items() if key != "train_seconds"} for row in rows]


# A run


def test_a_run_leaves_its_files_and_its_record(finished: dict[str, Any]):
    folder = Path(finished["folder"])
    assert {path.name for path in folder.iterdir()} == {
        "checkpoint.npz",
        "weights.npz",
        "maps.npz",
        "result.json",
        ".lock",
    }
    assert json.loads((folder / "result.json").read_text()) == finished
    assert finished["parameters"] == 83_838
    assert finished["samples"] == {"train": 10, "test": 7}
    assert [row["epoch"] for row in finished["history"]] == [1, 2]
    watched = {"train_iou", "test_iou", "train_recall_50", "test_recall_50", "train_recall_70", "test_recall_70"}
    assert finished["history"][0].keys() >= {"box_loss", "score_loss", "positives", "lr", *watched}
    last = finished["history"][-1]
    assert {key: last[key] for key in watched} == {key: finished["metrics"][key] for key in watched}
    assert 0.6 < finished["yardsticks"]["anchors_iou"] < 0.85 and 0.1 < finished["yardsticks"]["random_iou"] < 0.3


def test_the_kept_boxes_are_those_of_the_saved_weights(finished: dict[str, Any]):
    folder = Path(finished["folder"])
    net: Any = load_weights(folder / "weights.npz", region_proposal_network(PLACES, rng=9))
    test = detection_data(replace(PRESETS["quick"]["coordconv"], **FEW)).test
    found = Detector(net, "valid").detect(test.images, test.boxes)
    with np.load(folder / "maps.npz") as maps:
        np.testing.assert_array_equal(maps["images"], test.images[:6, ..., 0])
        np.testing.assert_array_equal(maps["truth"], test.boxes[:6])
        for k, image in enumerate(found[:6]):
            np.testing.assert_allclose(maps["boxes"][k, : len(image.boxes)], image.boxes, rtol=1e-5)
            assert np.isnan(maps["boxes"][k, len(image.boxes) :]).all()
            assert (np.diff(image.scores) <= 0).all() and len(image.boxes) <= 10
        np.testing.assert_array_equal(maps["centres"], test.boxes[..., :2])
        assert maps["positive"].shape == maps["negative"].shape == (6, 6, 4)
        # A digit is found at .5 by the best of all kept boxes wherever it is found by one of its own.
        assert (maps["best"] >= 0.5).mean() >= finished["metrics"]["test_recall_50"]


def test_boxes_outside_the_image_are_counted_and_left_out_on_request():
    test = detection_data(replace(PRESETS["quick"]["coordconv"], **FEW)).test
    net: Any = region_proposal_network(rng=0)
    net.params["5.box.1.b"][:4] = 3.0, 0.0, 0.0, 0.0  # the first anchor of each place moves down by 45 pixels
    net.params["5.score.0.b"][:2] = 50.0, 0.0  # and is the best
    detector = Detector(net, "valid")
    anywhere, within = (detector.detect(test.images, test.boxes, only) for only in (False, True))
    assert share_outside(detector, anywhere) > 0.3 and share_outside(detector, within) == 0
    assert all(len(image.boxes) == 10 and (np.diff(image.scores) <= 0).all() for image in within)
    nowhere = Detector(net, "valid")
    nowhere.anchors = nowhere.anchors + np.array([500, 0, 0, 0], np.float32)
    assert [len(image.boxes) for image in nowhere.detect(test.images, test.boxes, within=True)] == [0] * len(test)


@pytest.mark.parametrize("changes", [{}, {"optimiser": "sgd", "schedule": "constant", "clip": True}])
def test_a_run_that_is_resumed_ends_with_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes):
    options = {**FEW, **changes, "epochs": 3, "seed": 1, "progress": False}
    straight = detection.run("conv", "same", out=tmp_path / "straight", **options)
    step, taken = DetectionTrainer.step, [0]

    def stops(self: DetectionTrainer) -> dict[str, float]:
        taken[0] += 1
        if taken[0] == 6:  # one of a throwaway trainer, three of the first epoch, and in the middle of the second
            raise KeyboardInterrupt
        return step(self)

    monkeypatch.setattr(DetectionTrainer, "step", stops)
    stopped = detection.run("conv", "same", out=tmp_path / "resumed", **options)
    assert stopped["interrupted"] and stopped["epochs"] == 1
    monkeypatch.undo()
    resumed = detection.run("conv", "same", out=tmp_path / "resumed", resume=True, **options)
    assert not resumed["interrupted"] and resumed["epochs"] == 3
    assert bits(Path(resumed["folder"])) == bits(Path(straight["folder"]))


def test_a_checkpoint_of_another_network_is_refused_and_changes_nothing():
    one, other = trainer("conv"), trainer("coordconv")
    one.step()
    before = other.state()
    with pytest.raises(ValueError, match="it belongs to another model"):
        other.restore(one.state())
    state = other.state()
    assert all(np.array_equal(array, state["net"]["params"][key]) for key, array in before["net"]["params"].items())
    with pytest.raises(ValueError, match="it says -1 epochs are done"):
        other.restore({**before, "epoch": {"done": -1}})


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("model", COORDS)
def test_every_network_learns_a_few_images_by_heart(model: str, padding: str):
    training = trainer(model, padding, images=4, epochs=60, schedule="constant", lr=0.002)
    steps = [training.step() for _ in range(60)]
    losses = [numbers["box_loss"] + numbers["score_loss"] for numbers in steps]
    # Each step draws other boxes, so that its loss is a noisy one. With two seeds the share was .24 to .52.
    assert np.mean(losses[-10:]) < 0.65 * np.mean(losses[:3])


def test_seeds_decide_the_order_of_images_whatever_the_network():
    one, other, another = trainer("conv"), trainer("coordconv-boxes"), trainer("conv", seed=4)
    for training in (one, other, another):
        training.step()
    np.testing.assert_array_equal(one.order, other.order)
    assert sorted(one.order) == list(range(10)) and not np.array_equal(one.order, another.order)
    assert not np.array_equal(one.data.train.images[:7], one.data.test.images)


def test_an_epoch_ends_with_the_rest_of_the_images_and_the_learning_rate_falls():
    training = trainer("conv", epochs=4)
    assert training.every == 3 and training.steps == 12
    sizes, rates = [], []
    for _ in range(12):
        sizes.append(training.step()["samples"])
        rates.append(training.columns()["lr"])
    assert sizes == [4, 4, 2] * 4
    assert len(set(rates)) == 4 and rates == sorted(rates, reverse=True)


# Gradients


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_the_gradients_of_the_whole_network_are_those_of_the_loss(padding: str):
    """Central differences in float64, of a few entries of every parameter; the drawn boxes are held fixed."""
    rng = np.random.default_rng(0)
    net = region_proposal_network(PLACES, padding, rng=0).astype(np.float64)
    for array in net.params.values():
        array += 0.02 * rng.standard_normal(array.shape)  # no zero weights, and no kink of ReLU at exactly 0
    detector = Detector(net, padding)
    detector.anchors = detector.anchors.astype(np.float64)
    data = detection_data(replace(PRESETS["quick"]["conv"], **FEW)).train
    images, truth = data.images[:2].astype(np.float64), data.boxes[:2].astype(np.float64)
    transforms, logits = detector.branches(images)
    samples = detector.samples(detector.boxes(transforms), truth, rng)

    def loss() -> float:
        both = detection_loss(*detector.branches(images), samples, detector.anchors, truth, "standard")
        return both.box + both.score

    transforms, logits = detector.branches(images, training=True)
    losses = detection_loss(transforms, logits, samples, detector.anchors, truth, "standard")
    detector.backward(losses.dtransforms, losses.dlogits)
    gradients, step = {key: g.copy() for key, g in net.grads.items()}, 1e-6
    for key, array in net.params.items():
        for place in rng.integers(0, array.size, 3):
            entry = np.unravel_index(place, array.shape)
            kept = array[entry]
            ends = []
            for moved in (kept - step, kept + step):
                array[entry] = moved
                ends.append(loss())
            array[entry] = kept
            slope = (ends[1] - ends[0]) / (2 * step)
            assert gradients[key][entry] == pytest.approx(slope, rel=1e-4, abs=1e-7), key


# The detector


class Given:
    """In place of a network: the maps that were given, whatever the image."""

    def __init__(self, box: np.ndarray, score: np.ndarray) -> None:
        self.maps = {"box": box, "score": score}

    def output_shape(self, shape: Any) -> dict[str, Any]:
        return {key: array.shape for key, array in self.maps.items()}

    def forward(self, images: np.ndarray, training: bool = False) -> dict[str, np.ndarray]:
        return self.maps


def given(rows: int, columns: int, at: dict[tuple[int, int, int], tuple[Any, float]], **options: Any) -> Detector:
    """A detector whose boxes are anchors with a low score, but for some that are moved to a box with a logit."""
    box, score = np.zeros((1, rows, columns, 36), np.float32), np.zeros((1, rows, columns, 18), np.float32)
    score[..., 1::2] = 5  # background
    where = anchors(rows, columns)
    for (i, j, k), (wanted, logit) in at.items():
        box[0, i, j, 4 * k : 4 * k + 4] = encode(np.array(wanted, np.float32), where[i, j, k])
        score[0, i, j, 2 * k] = logit
    net: Any = Given(box, score)
    return Detector(net, "valid", height=4 * rows + 12, width=4 * columns + 12, **options)


def test_maps_of_a_grid_that_is_not_square_are_read_anchor_by_anchor():
    """The box and the score of one anchor stand at the same place, or a detector keeps boxes that nobody scored."""
    wanted = {(2, 4, 7): ((10.0, 30.0, 16.0, 22.0), 20.0), (5, 0, 1): ((28.0, 9.0, 20.0, 12.0), 15.0)}
    detector = given(6, 9, wanted)
    truth = np.array([[[10, 30, 16, 22], [28, 9, 20, 12]]], np.float32)
    (found,) = detector.detect(np.zeros((1, 36, 48, 1), np.float32), truth)
    np.testing.assert_allclose(found.boxes[:2], truth[0], rtol=1e-5)
    assert found.scores[:3].tolist() == [15, 10, -5]


def test_boxes_whose_probability_is_rounded_to_one_are_still_ranked():
    """By probability alone the first in the array, which lies at the top, would come before a better one below it."""
    top, bottom, weak = (10.0, 12.0, 16.0, 20.0), (26.0, 30.0, 18.0, 16.0), (12.0, 34.0, 20.0, 20.0)
    at = {(1, 1, 0): (top, 30.0), (5, 6, 3): (bottom, 40.0), (1, 7, 0): (weak, 6.0)}
    nothing, none = np.zeros((1, 36, 48, 1), np.float32), np.zeros((1, 0, 4), np.float32)
    by_logits, by_probability = given(6, 9, at), given(6, 9, at, rank_by="probability")
    (found,), (tied,) = by_logits.detect(nothing, none), by_probability.detect(nothing, none)
    np.testing.assert_allclose(found.boxes[:3], [bottom, top, weak], rtol=1e-5)
    np.testing.assert_allclose(tied.boxes[:3], [top, bottom, weak], rtol=1e-5)
    assert tied.scores[0] == tied.scores[1] == 1 and found.scores[:3].tolist() == [35, 25, 1]
    probability = by_logits.probabilities(found.scores)
    np.testing.assert_allclose(probability, by_probability.probabilities(tied.scores), rtol=1e-5)
    assert probability[2] == pytest.approx(1 / (1 + np.exp(-1)))


def test_the_gradients_reach_the_place_of_their_anchor():
    detector = given(6, 9, {})
    caught: dict[str, np.ndarray] = {}
    net: Any = detector.net
    net.backward = lambda gradients, need_dx: caught.update(gradients)
    dtransforms, dlogits = np.zeros((1, 6 * 9 * 9, 4), np.float32), np.zeros((1, 6 * 9 * 9, 2), np.float32)
    anchor = (2 * 9 + 4) * 9 + 7  # of position (2, 4)
    dtransforms[0, anchor], dlogits[0, anchor] = [1, 2, 3, 4], [5, 6]
    detector.backward(dtransforms, dlogits)
    assert caught["box"][0, 2, 4, 28:32].tolist() == [1, 2, 3, 4] and caught["box"].sum() == 10
    assert caught["score"][0, 2, 4, 14:16].tolist() == [5, 6] and caught["score"].sum() == 11


def test_clipped_boxes_and_digits_end_at_the_edge_and_count_as_inside():
    truth = np.array([[[1, 20, 16, 16]]], np.float32)  # its upper part lies outside
    at = {(0, 3, 0): ((1.0, 20.0, 16.0, 16.0), 9.0)}
    for clipped in (False, True):
        detector = given(6, 9, at, clipped=clipped)
        transforms, _ = detector.branches(np.zeros((1, 36, 48, 1), np.float32))
        boxes = detector.boxes(transforms)
        (sample,) = detector.samples(boxes, truth, np.random.default_rng(0))
        moved = (0 * 9 + 3) * 9
        assert moved in sample.positive, "it is the best box of the digit, inside or not"
        np.testing.assert_allclose(boxes[0, moved], [4.5, 20, 9, 16] if clipped else [1, 20, 16, 16], rtol=1e-5)
        (found,) = detector.detect(np.zeros((1, 36, 48, 1), np.float32), truth)
        np.testing.assert_allclose(found.truth, [[4.5, 20, 9, 16] if clipped else [1, 20, 16, 16]])


def test_a_box_that_is_too_large_for_float32_is_an_error_that_names_the_cure():
    detector = given(6, 9, {})
    transforms = np.full((1, 6 * 9 * 9, 4), 1000, np.float32)
    with pytest.raises(FloatingPointError, match="a box is no longer finite: try a lower learning rate"):
        detector.boxes(transforms)


# Settings


def test_official_anchors_are_where_a_run_with_that_switch_starts():
    right, scrambled = trainer(), trainer(official_anchors=True)
    np.testing.assert_array_equal(right.detector.anchors, anchors(13, 13).reshape(-1, 4))
    np.testing.assert_array_equal(scrambled.detector.anchors, anchors(13, 13, official=True).reshape(-1, 4))
    assert trainer(padding="same").detector.anchors.shape == (2304, 4)
    scrambled.step()


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"scattered": 4}, "scattered was 4, wanted 5 or more"),
        ({"stick_out": False, "scattered": 7}, "scattered was 7 and stick_out off, which is possible with 5 only"),
        ({"box_loss": "smooth"}, "box_loss was 'smooth', wanted one of published, standard"),
        ({"images": 0}, "images was 0, wanted a whole number of at least 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, Any], sentence: str):
    with pytest.raises(ValueError, match=sentence):
        detection.plan("conv", **changes)


def test_digits_lie_within_the_image_or_reach_in_from_outside():
    few = replace(PRESETS["quick"]["conv"], images=60, test_images=30)
    within = detection_data(replace(few, stick_out=False)).train.boxes
    assert ((within[..., :2] - within[..., 2:] / 2 > -1e-4) & (within[..., :2] + within[..., 2:] / 2 < 64 + 1e-4)).all()
    as_in_the_paper = detection_data(few).train
    crowded = detection_data(replace(few, scattered=17)).train
    assert as_in_the_paper.boxes.shape == crowded.boxes.shape == (60, 5, 4)
    assert crowded.images.mean() > 1.1 * as_in_the_paper.images.mean()


def test_all_networks_of_a_preset_are_trained_alike():
    for preset in PRESETS.values():
        assert len(set(preset.values())) == 1 and preset.keys() == COORDS.keys()
    assert PRESETS["paper"]["conv"].images == 9000 and PRESETS["paper"]["conv"].test_images == 1000


@pytest.mark.parametrize("make", [DetectionSettings.descent, DetectionSettings.learning_rates])
def test_the_learning_rate_reaches_optimiser_and_schedule(make: Callable[[DetectionSettings], Any]):
    kinds: tuple[dict[str, Any], ...] = ({}, {"optimiser": "sgd", "schedule": "constant"})
    for kind in kinds:
        made = make(DetectionSettings(epochs=3, lr=0.125, **kind))
        assert made.config()["lr"] == 0.125


# What is written


def record(model: str, seed: int, iou: float, **more: Any) -> dict[str, Any]:
    settings = {**vars(PRESETS["quick"]["conv"]), **more}
    facts = {"experiment": "detection", "preset": "quick", "variant": "valid", "settings": settings}
    return {**facts, "model": model, "seed": seed, "metrics": {"test_iou": iou}}


def test_notes_say_the_change_and_what_to_compare_with(finished: dict[str, Any]):
    notes = detection.notes([finished])
    assert any(note.startswith("ten random boxes have an IOU of 0.") for note in notes)
    assert not any("for conv" in note for note in notes)
    runs = [record("conv", 0, 0.5), record("coordconv", 0, 0.6)]
    assert any(
        note == "coordconv, valid, preset quick: test IOU 0.600 and 0.500 for conv, +20.0 %, over one seed, which says "
        "nothing of chance; paper: +24 %"
        for note in detection.notes(runs)
    )
    assert detection.remarks([*runs, {"experiment": "regression"}], Path()) == detection.notes(runs)[-1:]


def test_only_runs_with_the_same_settings_are_compared():
    runs = [record("conv", 0, 0.5), record("coordconv", 0, 0.75, lr=0.5)]
    assert detection.remarks(runs, Path()) == []
    (sentence,) = detection.remarks([*runs, record("conv", 0, 0.5, lr=0.5)], Path())
    assert "preset quick with lr=0.5: test IOU 0.750 and 0.500 for conv, +50.0 %" in sentence


def test_all_figures_of_a_run_are_drawn(finished: dict[str, Any], tmp_path: Path):
    names = {path.name for path in detection.figures([finished], tmp_path)}
    wanted = ("kept-boxes", "sampled-boxes", "missed-digits", "iou-and-recall")
    assert names == {f"{name}-valid.png" for name in wanted}
    assert all((tmp_path / name).stat().st_size > 1000 for name in names)


def test_the_figures_are_drawn_from_what_a_run_left(finished: dict[str, Any]):
    kept = KeptRuns(Path(finished["folder"]).parents[2])
    figures = dict(detection.record_figures())
    with pytest.raises(MissingRecordsError, match="no two runs of detection make a pair"):
        figures.pop("detection-depends").draw(kept)
    assert len(figures) == 4
    for name, figure in figures.items():
        drawn = figure.draw(kept)
        assert "coordconv" in drawn.source, name
        assert drawn.figure.axes, name


def test_a_folder_without_runs_of_detection_has_none_of_its_figures(tmp_path: Path):
    for figure in detection.record_figures().values():
        with pytest.raises(MissingRecordsError, match=r"no (run|two runs) of detection (is recorded|make a pair)"):
            figure.draw(KeptRuns(tmp_path))
