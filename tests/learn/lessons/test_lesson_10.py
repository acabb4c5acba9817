"""What lesson 10 shows: its drawings, its words about runs, and a scramble that is undone by hand."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from minicoord import field_of_digits, shipped_images
from minicoord.experiments.detection.anchors import anchors
from minicoord.experiments.detection.detector import Detector
from minicoord.experiments.detection.networks import PLACES, region_proposal_network
from minicoord.learn.definition.course import get
from minicoord.learn.lessons import lesson10, lesson10_drawings as drawings

RIGHT, SCRAMBLED = anchors(13, 13), anchors(13, 13, official=True)
RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(size=(2, 64, 64, 1)).astype(np.float32)
TRUTH = np.array([[[20.0, 40.0, 18.0, 24.0], [60.0, 9.0, 16.0, 20.0]]] * 2, np.float32)  # (2, 2, 4)


def detector(seed: int = 0) -> Detector:
    """A CoordConv detector whose last layers have weights of every kind."""
    net = region_proposal_network(PLACES, rng=seed)
    rng = np.random.default_rng(seed)
    for name in ("5.box.1.w", "5.box.1.b"):
        net.params[name][...] = 0.05 * rng.normal(size=net.params[name].shape)
    return Detector(net, "valid")


def of_slots(array: np.ndarray, slots: list[int]) -> np.ndarray:
    """The rows of some anchors at all positions: (N, 13 * 13 * 9, ...) to (N, 169, slots, ...)."""
    return array.reshape(len(array), 169, 9, -1)[:, :, slots]


def test_the_scramble_is_undone_exactly():
    trained = detector()
    by_hand = lesson10.undone_by_hand(trained)
    assert np.array_equal(by_hand.anchors, SCRAMBLED.reshape(-1, 4))
    (right, right_scores), (undone, undone_scores) = (
        (d.boxes(transforms), d.rank(logits)) for d in (trained, by_hand) for transforms, logits in [d.branches(IMAGES)]
    )
    slots, sources = list(lesson10.SAME_SIZE), list(lesson10.SAME_SIZE.values())
    assert_allclose(of_slots(undone, slots), of_slots(right, sources), atol=1e-3)
    assert_allclose(of_slots(undone_scores, slots), of_slots(right_scores, sources), atol=1e-4)
    others = [k for k in range(9) if k not in slots]
    assert of_slots(undone_scores, others).max() < right_scores.min() - 100


def test_undoing_leaves_the_trained_detector_as_it_was():
    trained = detector()
    before = {name: array.copy() for name, array in trained.net.params.items()}
    lesson10.undone_by_hand(trained)
    assert all(np.array_equal(array, before[name]) for name, array in trained.net.params.items())
    assert np.array_equal(trained.anchors, RIGHT.reshape(-1, 4))


def test_the_chosen_scrambled_anchors_are_one_box_everywhere_and_of_the_size_that_is_said():
    for slot, source in lesson10.SAME_SIZE.items():
        assert (SCRAMBLED[:, :, slot] == SCRAMBLED[0, 0, slot]).all()
        assert np.array_equal(SCRAMBLED[0, 0, slot, 2:], RIGHT[0, 0, source, 2:])


def test_the_same_weights_on_scrambled_anchors_give_other_boxes():
    trained = detector()
    moved = lesson10.with_scrambled_anchors(trained)
    transforms, _ = trained.branches(IMAGES)
    assert np.abs(moved.boxes(transforms) - trained.boxes(transforms)).max() > 10


def record(model: str, iou: float, seed: int = 0, variant: str = "valid", **changes: object) -> dict:
    settings = {"epochs": 10, "lr": 0.001, "images": 3000, **changes}
    names = ("test_recall_50", "test_recall_70", "test_ap_50", "test_ap")
    return {
        "experiment": "detection",
        "model": model,
        "variant": variant,
        "seed": seed,
        "preset": "paper",
        "settings": settings,
        "metrics": {"test_iou": iou, **dict.fromkeys(names, 0.25)},
        "yardsticks": {"random_iou": 0.19, "random_recall_50": 0.16},
    }


@pytest.mark.parametrize(
    "before, after, said",
    [
        (0.6, 0.61, "+2 %, no difference to speak of"),
        (0.6, 0.59, "-2 %, no difference to speak of"),
        (0.5, 0.58, "+16 %, coordinates help"),
        (0.4, 0.56, "+40 %, coordinates help a lot"),
        (0.6, 0.3, "-50 %, coordinates harm"),
    ],
)
def test_a_change_is_told_in_words(before: float, after: float, said: str):
    found = lesson10.change_in_words({"conv": record("conv", before), "coordconv": record("coordconv", after)})
    assert found.endswith(said)


def test_results_have_a_row_each_and_a_yardstick():
    rows = lesson10.rows({"convolution": record("conv", 0.6)})
    assert [row[""] for row in rows] == ["convolution", "ten random boxes"]
    assert rows[0]["mean best IOU"] == "0.600" and rows[0]["recall at .5"] == "25 %"
    assert rows[1]["mean best IOU"] == "0.190" and rows[1]["recall at .5"] == "16 %"


@pytest.mark.compiled  # pure Python takes too long
def test_a_shared_head_needs_the_position_from_a_scrambled_anchor_only():
    digits = shipped_images("mnist").test.images[:100]
    right, scrambled = lesson10.shared_heads(detector(), field_of_digits(digits, count=60, seed=3))

    def off(row: dict[str, str]) -> list[float]:
        return [float(text.removesuffix(" px off")) for text in list(row.values())[1:]]

    assert max(off(right)) < 6
    seen, with_place = off(scrambled)
    assert seen > 2 * with_place
    assert with_place == pytest.approx(off(right)[1], abs=0.11)


def test_boxes_outside_the_image_are_counted():
    beside = detector()
    data = field_of_digits(shipped_images("mnist").test.images[:9], count=3, seed=0)
    for name in ("5.box.1.w", "5.box.1.b"):
        beside.net.params[name][...] = 0
    assert lesson10.share_outside(beside, data) == 0  # the anchors themselves
    beside.net.params["5.box.1.b"][0::4] = 50  # 50 heights further down
    assert lesson10.share_outside(beside, data) == 1


RECORDS = [
    *(record(model, 0.6 + 0.01 * seed, seed) for model in ("conv", "coordconv") for seed in (0, 1)),
    *(record("conv", iou, seed, official_anchors=True) for seed, iou in enumerate((0.4, 0.3, 0.35))),
    *(record("coordconv", 0.56, seed, official_anchors=True) for seed in (0, 1)),
    record("conv", 0.6, variant="same"),  # without its pair
    record("coordconv-image", 0.6),  # a network that is not compared here
]


def test_recorded_runs_are_paired_by_setting_and_seed():
    settings = lesson10.seeds_by_setting(RECORDS)
    assert list(settings) == ["3,000 images", "3,000 images, scrambled anchors"]
    assert settings["3,000 images, scrambled anchors"]["conv"] == {0: 0.4, 1: 0.3}
    right, wrong = lesson10.kept_rows(settings)
    assert right["change"] == "+0.0 %" and right["CoordConv ahead"] == "0 of 2 seeds"
    assert wrong["change"] == "+60.0 %" and wrong["CoordConv ahead"] == "2 of 2 seeds"
    said = lesson10.kept_in_words(settings)
    assert "right anchors, 1 setting: test IOU +0 to +0 %" in said
    assert "scrambled anchors, 1 setting: test IOU +60 to +60 %" in said


def test_a_setting_is_named_in_words():
    changes = {"lr": 0.003, "clip": True, "stick_out": False, "scattered": 17, "batch": 64, "rank_by": "probability"}
    pair = [record(model, 0.6, variant="same", **changes) for model in ("conv", "coordconv")]
    (name,) = lesson10.seeds_by_setting(pair)
    for words in (
        "learning rate 0.003",
        "boxes clipped",
        "no digit sticks out",
        "17 digits on the field",
        "64 batch",
        "rank by probability",
        "padding same",
    ):
        assert words in name


def test_without_records_the_words_say_so():
    assert "No run of detection is recorded" in lesson10.kept_in_words(lesson10.seeds_by_setting([]))


BOXES = RIGHT.reshape(-1, 4)[::40]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: drawings.digits_and_boxes(IMAGES, TRUTH),
        lambda: drawings.two_boxes(5, 8, 14, 40, get("box_iou_pairs").solution),
        lambda: drawings.anchor_grid(IMAGES[0, ..., 0], TRUTH[0], RIGHT, np.array([3, 700]), (6, 7)),
        lambda: drawings.seen_from_the_anchor(IMAGES[0, ..., 0], TRUTH[0, 0], BOXES[0], np.arange(4.0)),
        lambda: drawings.labelled_boxes(
            IMAGES[0, ..., 0], TRUTH[0], BOXES, np.arange(len(BOXES)) % 3 - 1, np.arange(len(BOXES)) % 3 == 0
        ),
        lambda: drawings.labelled_boxes(
            IMAGES[0, ..., 0], TRUTH[0], BOXES, np.zeros(len(BOXES), int), np.zeros(len(BOXES), bool)
        ),
        lambda: drawings.before_and_after(IMAGES[0, ..., 0], TRUTH[0], BOXES, np.array([3, 1]), 0.8),
        lambda: drawings.before_and_after(IMAGES[0, ..., 0], TRUTH[0], BOXES[:0], np.array([], int), 0.8),
        lambda: drawings.where_boxes_begin(IMAGES[0, ..., 0], RIGHT, SCRAMBLED, [(1, 2), (9, 4)]),
        lambda: drawings.all_nine(RIGHT, SCRAMBLED),
        lambda: drawings.seeds_of_settings(lesson10.seeds_by_setting(RECORDS)),
    ],
)
def test_each_drawing_is_a_figure_that_can_be_shown(draw):
    figure = draw()
    assert isinstance(figure, Figure)
    figure.canvas.draw()


def test_the_shared_part_of_two_boxes_is_counted():
    figure = drawings.two_boxes(0, 14, 20, 28, get("box_iou_pairs").solution)
    assert figure.axes[0].get_title() == "intersection 280, union 840: IOU 0.33"
