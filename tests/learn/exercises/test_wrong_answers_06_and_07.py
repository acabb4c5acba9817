"""Wrong answers to the exercises of lessons 06 and 07 are refused, and their cause is the right one or none."""

from __future__ import annotations

import numpy as np
import pytest
from wrong_answers import Answer, WrongAnswers, assert_refused

from minicoord.learn.definition.course import get

wrong = WrongAnswers()


@wrong("mean_distance")
def of_64_samples(predictions, targets):
    return get("mean_distance").solution(predictions[:64], targets[:64])


@wrong("mean_distance", "moved onto the canvas first")
def inside_the_canvas(predictions, targets):
    return get("mean_distance").solution(np.clip(predictions, 0, 1), targets)


def lifted(lift: float) -> Answer:
    def by_a_fixed_number(height, width):
        half = np.array([width - 1, height - 1]) / 2
        return np.array([[lift, lift], [0, half[1]], [half[0], 0], half - lift])

    return by_a_fixed_number


wrong("exact_regressor", "float32")(lifted(1e8))
wrong("exact_regressor", "float32")(lifted(3e7))
wrong("exact_regressor", "suits 64 x 64 pixels")(lifted(64))


@wrong("exact_regressor")
def one_column_divides_by_zero(height, width):
    weights = get("exact_regressor").solution(height, width)
    weights[2, 0] = weights[2, 0] / np.float64(width - 1) * (width - 1)
    return weights


@wrong("exact_regressor")
def not_for_one_column(height, width):
    return get("exact_regressor").solution(height, width) + (width == 1)


@wrong("iou", "only where nothing is wanted either")
def nothing_drawn_is_perfect(probabilities, target):
    drawn, wanted = probabilities > 0.5, target > 0.5
    both, either = (drawn & wanted).sum((1, 2)), (drawn | wanted).sum((1, 2))
    return np.where(drawn.any((1, 2)), both / np.maximum(either, 1), 1.0)


@wrong("iou", "only where nothing is drawn either")
def nothing_wanted_is_perfect(probabilities, target):
    drawn, wanted = probabilities > 0.5, target > 0.5
    both, either = (drawn & wanted).sum((1, 2)), (drawn | wanted).sum((1, 2))
    return np.where(wanted.any((1, 2)), both / np.maximum(either, 1), 1.0)


@wrong("iou")
def first_64_columns(probabilities, target):
    return get("iou").solution(probabilities[:, :, :64], target[:, :, :64])


@wrong("iou")
def rows_up_to_the_columns(probabilities, target):
    side = probabilities.shape[2]
    return get("iou").solution(probabilities[:, :side], target[:, :side])


@wrong("pointed_at")
def at_most_64_rows(logits):
    return np.minimum(get("pointed_at").solution(logits), 63)


@wrong("pointed_at")
def largest_from_minus_10000(logits):
    h, w = logits.shape[1:]
    e = np.exp(logits - np.maximum(logits.max(axis=(1, 2), keepdims=True), -10_000))
    p = e / e.sum(axis=(1, 2), keepdims=True)
    position = (p * np.arange(w)).sum(axis=(1, 2)), (p * np.arange(h)[:, None]).sum(axis=(1, 2))
    return np.stack(position, axis=1).astype(logits.dtype)


@wrong("pointed_at")
def one_column_is_the_first(logits):
    return get("pointed_at").solution(logits) if logits.shape[2] > 1 else np.zeros((len(logits), 2), logits.dtype)


@wrong("mean_distance", "rounded to whole pixels")
def in_whole_pixels(predictions, targets):
    dx, dy = (np.round(64 * predictions) - np.round(64 * targets)).T
    return np.sqrt(dx * dx + dy * dy).mean()


@wrong("mean_distance", "only x was compared")
def first_column(predictions, targets):
    return float(np.mean(64 * np.abs(predictions[:, 0] - targets[:, 0])))


@wrong("iou", "1 - IOU")
def exclusive_or(probabilities, target):
    drawn, wanted = probabilities > 0.5, target > 0.5
    return (drawn ^ wanted).sum((1, 2)) / np.maximum((drawn | wanted).sum((1, 2)), 1)


@wrong("pointed_at", "divided by the sides of the image")
def from_0_to_1(logits):
    p = np.exp(logits - logits.max((1, 2), keepdims=True))
    p /= p.sum((1, 2), keepdims=True)
    x, y = np.arange(logits.shape[2]) / logits.shape[2], np.arange(logits.shape[1]) / logits.shape[1]
    return np.stack([p.sum(1) @ x, p.sum(2) @ y], axis=1).astype(logits.dtype)


@pytest.mark.parametrize("id, answer, cause", wrong.answers, ids=wrong.names())
def test_a_wrong_answer_is_refused(id: str, answer: Answer, cause: str | None):
    assert_refused(id, answer, cause)
