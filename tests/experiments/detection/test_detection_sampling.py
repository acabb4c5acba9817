"""Which boxes hold a digit, and which are drawn for the loss."""

from __future__ import annotations

import numpy as np
import pytest

from minicoord.experiments.detection.sampling import Assignment, assign, sample


def test_a_box_within_the_image_with_an_iou_above_one_half_is_positive():
    iou = np.array([[0.9, 0.0], [0.6, 0.1], [0.6, 0.0], [0.5, 0.0], [0.0, 0.8]])
    found = assign(iou, np.array([True, True, False, True, True]))
    assert found.positive.tolist() == [True, True, False, False, True]
    assert found.digit[found.positive].tolist() == [0, 0, 1]


def test_the_best_box_of_a_digit_is_positive_however_badly_it_fits_and_wherever_it_lies():
    iou = np.array([[0.05, 0.0], [0.3, 0.0], [0.0, 0.02]])
    found = assign(iou, np.array([True, False, True]))
    assert found.positive.tolist() == [False, True, True]
    assert found.negative.tolist() == [True, False, False], "a positive box is never background"


def test_the_best_box_of_a_digit_belongs_to_it_although_it_overlaps_another_more():
    iou = np.array([[0.9, 0.0], [0.7, 0.4]])  # the best box of digit 1 is box 1
    found = assign(iou, np.array([True, True]))
    assert found.digit.tolist() == [0, 1]
    both = np.array([[0.6, 0.7], [0.1, 0.2]])  # box 0 is the best of both: it belongs to digit 1
    assert assign(both, np.array([True, True])).digit[0] == 1
    assert assign(both[:, ::-1], np.array([True, True])).digit[0] == 0


def test_a_digit_that_no_box_meets_has_none():
    found = assign(np.array([[0.0, 0.3], [0.0, 0.6]]), np.array([True, True]))
    assert found.positive.tolist() == [False, True] and found.digit[1] == 1


def test_background_overlaps_no_digit_by_a_tenth_and_lies_within_the_image():
    iou = np.array([[0.09, 0.05], [0.1, 0.0], [0.0, 0.2], [0.0, 0.0], [0.9, 0.9]])
    found = assign(iou, np.array([True, True, True, False, True]))
    assert found.negative.tolist() == [True, False, False, False, False]


@pytest.mark.parametrize("shape", [(4, 0), (0, 3), (0, 0)])
def test_without_digits_all_is_background(shape):
    found = assign(np.zeros(shape), np.arange(shape[0]) > 0)
    assert not found.positive.any() and found.negative.tolist() == (np.arange(shape[0]) > 0).tolist()


def planted(positives: int, negatives: int) -> Assignment:
    digit = np.arange(50) % 5
    kind = np.arange(50)
    return Assignment(digit, kind < positives, (kind >= positives) & (kind < positives + negatives))


def test_six_and_six_are_drawn_without_repetition_and_in_every_combination():
    rng, assignment, seen = np.random.default_rng(0), planted(20, 30), np.zeros(50, int)
    for _ in range(300):
        drawn = sample(assignment, rng)
        assert len(drawn.positive) == len(drawn.negative) == 6
        assert len(set(drawn.positive) | set(drawn.negative)) == 12
        assert (drawn.positive < 20).all() and (drawn.negative >= 20).all()
        assert drawn.digit.tolist() == (drawn.positive % 5).tolist()
        seen[np.concatenate([drawn.positive, drawn.negative])] += 1
    np.testing.assert_allclose(seen[:20], 300 * 6 / 20, rtol=0.4)
    np.testing.assert_allclose(seen[20:], 300 * 6 / 30, rtol=0.4)


@pytest.mark.parametrize("positives, negatives", [(0, 0), (1, 6), (6, 3), (20, 1), (0, 20)])
def test_where_there_are_few_all_are_taken(positives, negatives):
    drawn = sample(planted(positives, negatives), np.random.default_rng(0))
    assert (len(drawn.positive), len(drawn.negative)) == (min(positives, 6), min(negatives, 6))
    fewer = sample(planted(positives, negatives), np.random.default_rng(0), positives=2, negatives=1)
    assert (len(fewer.positive), len(fewer.negative)) == (min(positives, 2), min(negatives, 1))
