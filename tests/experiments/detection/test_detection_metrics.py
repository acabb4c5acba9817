"""Mean IOU, recall and average precision: by hand, and against what pycocotools gives."""

from __future__ import annotations

import numpy as np
import pytest

from minicoord import field_of_digits, shipped_images
from minicoord.experiments.detection.anchors import anchors
from minicoord.experiments.detection.metrics import (
    RECALLS,
    THRESHOLDS,
    Detections,
    average_precision,
    matches,
    mean_average_precision,
    mean_best_iou,
    recall,
)
from minicoord.experiments.detection.proposals import digit_probability, kept_boxes, moved_boxes
from minicoord.experiments.detection.yardsticks import best_iou, random_boxes
from minicoord.kernels.boxes import box_iou

# A digit, boxes that overlap it by 8/10, 6/10 and 4/10 of its height, and one elsewhere.
DIGIT = np.array([[20.0, 20, 10, 10]])
SHIFTED = {iou: [20.0, 20, 10 * iou, 10] for iou in (1.0, 0.8, 0.6, 0.4)}
ELSEWHERE = [50.0, 50, 10, 10]
NOTHING = np.empty((0, 4))


def image(*boxes: list[float], scores: list[float] | None = None, truth: np.ndarray = DIGIT) -> Detections:
    falling = np.linspace(0.9, 0.1, len(boxes)) if scores is None else np.array(scores)
    return Detections(np.array(boxes).reshape(-1, 4), falling, truth)


def test_the_papers_measure_is_the_mean_over_kept_boxes_then_images():
    one, two = image(SHIFTED[0.8], ELSEWHERE), image(SHIFTED[0.6])
    assert mean_best_iou([one]) == pytest.approx(0.4)
    assert mean_best_iou([one, two]) == pytest.approx(0.5)
    assert mean_best_iou([one, image()]) == pytest.approx(0.2)
    assert mean_best_iou([]) == 0 and mean_best_iou([image(ELSEWHERE, truth=NOTHING)]) == 0


def test_a_digit_is_found_once_and_by_the_box_of_the_highest_score():
    twice = image(SHIFTED[0.6], SHIFTED[1.0], ELSEWHERE, scores=[0.2, 0.1, 0.9])
    assert matches(twice, 0.5).tolist() == [False, True, False]
    assert matches(twice, 0.7).tolist() == [False, False, True]


def test_a_box_takes_the_free_digit_that_it_overlaps_most():
    digits = np.array([[20.0, 20, 10, 10], [20, 24, 10, 10]])
    both = image([20.0, 21, 10, 10], [20.0, 21.5, 10, 10], truth=digits)
    assert matches(both, 0.5).tolist() == [True, True]
    assert recall([both], 0.5) == 1 and recall([both], 0.65) == 0.5


def test_recall_counts_the_digits_of_all_images():
    images = [image(SHIFTED[0.8], SHIFTED[1.0]), image(SHIFTED[0.6]), image(), image(ELSEWHERE, truth=NOTHING)]
    assert recall(images, 0.5) == pytest.approx(2 / 3)
    assert recall(images, 0.7) == pytest.approx(1 / 3)
    assert recall([image(ELSEWHERE, truth=NOTHING)], 0.5) == 0


def test_average_precision_of_cases_by_hand():
    digits = np.concatenate([DIGIT, [ELSEWHERE]])
    assert average_precision([image(SHIFTED[1.0], ELSEWHERE, truth=digits)], 0.5) == 1
    # Precision 1 up to a recall of a half, then 2 / 3: the recalls 0 to .5 are 51 of 101.
    wrong_between = image(SHIFTED[1.0], [5.0, 5, 2, 2], ELSEWHERE, truth=digits)
    assert average_precision([wrong_between], 0.5) == pytest.approx((51 + 50 * 2 / 3) / 101)
    # A higher precision later counts for all recalls before: 1/2 and 2/3 are 2/3 throughout.
    wrong_first = image([5.0, 5, 2, 2], SHIFTED[1.0], ELSEWHERE, truth=digits)
    assert average_precision([wrong_first], 0.5) == pytest.approx(2 / 3)
    assert average_precision([image(SHIFTED[0.4])], 0.5) == 0
    assert average_precision([image()], 0.5) == average_precision([image(ELSEWHERE, truth=NOTHING)], 0.5) == 0
    assert mean_average_precision([image(SHIFTED[0.8])]) == pytest.approx(0.7), ".5 to .8 are seven of ten thresholds"


def test_scores_are_compared_over_all_images():
    """A wrong box of a high score in one image costs the right box in another, which is below it."""
    right = image(SHIFTED[1.0], scores=[0.5])
    assert average_precision([right, image([5.0, 5, 2, 2], scores=[0.4], truth=NOTHING)], 0.5) == 1
    assert average_precision([right, image([5.0, 5, 2, 2], scores=[0.6], truth=NOTHING)], 0.5) == 0.5


def scattered(seed: int) -> list[Detections]:
    """Four images with up to three digits and six boxes, most of them near a digit."""
    rng, images = np.random.default_rng(seed), []
    for _ in range(4):
        digits, count = int(rng.integers(0, 4)), int(rng.integers(0, 7))
        truth = np.concatenate([rng.uniform(5, 40, (digits, 2)), rng.uniform(10, 20, (digits, 2))], 1)
        if digits:
            boxes = truth[rng.integers(0, digits, count)] + rng.normal(0, 2, (count, 4))
        else:
            boxes = np.concatenate([rng.uniform(5, 40, (count, 2)), rng.uniform(10, 20, (count, 2))], 1)
        images.append(Detections(boxes, rng.random(count), truth))
    return images


# pycocotools 2.0.11 on `scattered(seed)`: AP over .5 to .95, AP50, AP75, and recall at .5 and .7.
COCO = {
    0: (0.327609684045, 0.681772023356, 0.072682268227, 1.0, 0.833333333333),
    1: (0.221941694169, 0.388338833883, 0.210396039604, 0.666666666667, 0.666666666667),
    2: (0.041584158416, 0.069306930693, 0.069306930693, 0.2, 0.2),
    3: (0.094738330976, 0.514568599717, 0.0, 0.625, 0.0),
    4: (0.05939555494, 0.1953541508, 0.018901890189, 0.6, 0.4),
    5: (0.260891089109, 0.489948994899, 0.257425742574, 0.75, 0.25),
}


@pytest.mark.parametrize("seed, wanted", COCO.items())
def test_the_metrics_are_those_of_an_independent_implementation(seed, wanted):
    images = scattered(seed)
    precisions = mean_average_precision(images), average_precision(images, 0.5), average_precision(images, 0.75)
    found = (*precisions, recall(images, 0.5), recall(images, 0.7))
    np.testing.assert_allclose(found, wanted, atol=1e-9)


def plain_average_precision(images: list[Detections], threshold: float) -> float:
    """AP from its definition: for each recall, the greatest precision of any cut of the scores that reaches it."""
    cuts = []
    for cut in sorted({float(score) for image in images for score in image.scores}):
        hits = boxes = 0
        for image in images:
            above = [k for k in np.argsort(-image.scores) if image.scores[k] >= cut]
            left = list(range(len(image.truth)))
            for k in above:
                overlaps = {d: box_iou(image.boxes[k][None], image.truth[d][None])[0, 0] for d in left}
                if overlaps and max(overlaps.values()) >= threshold:
                    hits += 1
                    left.remove(max(overlaps, key=lambda d: overlaps[d]))
            boxes += len(above)
        cuts.append((hits / sum(len(image.truth) for image in images), hits / boxes))
    return float(np.mean([max([p for r, p in cuts if r >= wanted], default=0.0) for wanted in RECALLS]))


@pytest.mark.parametrize("seed", range(10, 20))
def test_average_precision_follows_its_definition(seed):
    images = scattered(seed)
    for threshold in THRESHOLDS[::3]:
        assert average_precision(images, threshold) == pytest.approx(plain_average_precision(images, threshold))


# What is kept, and the yardsticks


@pytest.fixture(scope="module")
def fields():
    return field_of_digits(shipped_images("mnist").test.images, 200, 0)


def test_kept_boxes_are_few_apart_and_in_the_order_of_their_scores(fields):
    grid = anchors(13, 13).reshape(-1, 4)
    logits = np.random.default_rng(0).standard_normal((4, len(grid), 2)).astype(np.float32)
    boxes = moved_boxes(np.zeros((4, len(grid), 4), np.float32), grid)
    np.testing.assert_array_equal(boxes[2], grid)
    probability = digit_probability(logits)
    np.testing.assert_allclose(probability, 1 / (1 + np.exp(logits[..., 1] - logits[..., 0])), rtol=1e-5)
    for n, kept in enumerate(kept_boxes(boxes, probability, fields.boxes[:4])):
        assert kept.boxes.shape == (10, 4) and (np.diff(kept.scores) <= 0).all()
        assert kept.scores[0] == probability[n].max()
        assert np.triu(box_iou(kept.boxes, kept.boxes), 1).max() <= 0.8
        np.testing.assert_array_equal(kept.truth, fields.boxes[n])
    clipped = moved_boxes(np.zeros((1, len(grid), 4), np.float32), grid, (64, 64))[0]
    assert (clipped[:, :2] - clipped[:, 2:] / 2).min() == 0 and (clipped[:, :2] + clipped[:, 2:] / 2).max() == 64


@pytest.mark.compiled  # too slow without
@pytest.mark.parametrize("padding, side, wanted", [("valid", 13, 0.720), ("same", 16, 0.803)])
def test_the_best_anchor_meets_a_digit_as_well_as_was_found_before(fields, padding, side, wanted):
    found = best_iou(anchors(side, side, padding).reshape(-1, 4), fields.boxes)
    assert found.shape == (200, 5)
    assert found.mean() == pytest.approx(wanted, abs=0.02)
    scrambled = best_iou(anchors(side, side, padding, official=True).reshape(-1, 4), fields.boxes)
    assert scrambled.mean() < found.mean() - 0.1


def test_ten_random_boxes_reach_a_fifth(fields):
    rng = np.random.default_rng(0)
    boxes = np.stack([random_boxes(rng, 10) for _ in fields.boxes])
    assert boxes.shape == (200, 10, 4) and (boxes[..., :2] < 64).all() and boxes[..., 2:].min() >= 15
    images = kept_boxes(boxes, rng.random(boxes.shape[:2]).astype(np.float32), fields.boxes)
    assert mean_best_iou(images) == pytest.approx(0.2, abs=0.03)
