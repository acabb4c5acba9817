"""Answers to the exercises of lesson 10 as learners write them: wrong ones are refused with the right cause or none."""

from __future__ import annotations

import numpy as np
import pytest
from wrong_answers import SEEDS, Answer, WrongAnswers, assert_refused

from minicoord.experiments.detection.boxes import decode, encode
from minicoord.experiments.detection.sampling import assign
from minicoord.kernels.boxes import box_iou, nms
from minicoord.learn.checking.check import python_verdict
from minicoord.learn.definition.course import get

wrong = WrongAnswers()


@wrong("box_iou_pairs", "negative length twice")
def loops_without_a_floor(a, b):
    iou = np.zeros((len(a), len(b)), a.dtype)
    for place in np.ndindex(iou.shape):
        (i, j, h, w), (k, m, g, v) = a[place[0]], b[place[1]]
        rows = min(i + h / 2, k + g / 2) - max(i - h / 2, k - g / 2)
        columns = min(j + w / 2, m + v / 2) - max(j - w / 2, m - v / 2)
        both = max(rows * columns, 0)
        union = h * w + g * v - both
        iou[place] = both / union if union > 0 else 0
    return iou


@wrong("box_iou_pairs", "you took them as its top left corner")
def corners(a, b):
    first = np.maximum(a[:, None, :2], b[:, :2])
    last = np.minimum((a[:, :2] + a[:, 2:])[:, None], b[:, :2] + b[:, 2:])
    both = np.maximum(last - first, 0).prod(axis=2)
    union = a[:, 2:].prod(1)[:, None] + b[:, 2:].prod(1) - both
    return both / np.where(union > 0, union, 1)


@wrong("box_iou_pairs")
def square_canvas_only(a, b):
    return get("box_iou_pairs").solution(np.minimum(a, 30), np.minimum(b, 30))


@wrong("encode_boxes", "divide by those of the anchor")
def by_the_box(boxes, anchors):
    (i, j, h, w), (k, m, g, v) = boxes.T, anchors.T
    return np.stack([(i - k) / h, (j - m) / w, np.log(h / g), np.log(w / v)], axis=1)


@wrong("encode_boxes")
def shifted(boxes, anchors):
    return get("encode_boxes").solution(boxes + np.asarray(0.5, boxes.dtype), anchors)


@wrong("decode_boxes", "1 + t times")
def linear(transforms, anchors):
    (a, b, c, d), (i, j, h, w) = transforms.T, anchors.T
    return np.stack([i + a * h, j + b * w, h + c * h, w + d * w], axis=1)


@wrong("decode_boxes")
def at_most_the_image(transforms, anchors):
    return np.minimum(get("decode_boxes").solution(transforms, anchors), 64)


@wrong("non_maximum_suppression", "a dropped box drops none")
def with_a_matrix(boxes, scores, threshold, most):
    order = np.argsort(-scores, kind="stable")
    kept = []
    for place, k in enumerate(order):
        better = order[:place]
        if (box_iou(boxes[k][None], boxes[better])[0] <= threshold).all():
            kept.append(k)
    return np.array(kept[:most], int)


@wrong("non_maximum_suppression", "the worst box came first")
def in_place(boxes, scores, threshold, most):
    rest, kept = list(np.argsort(scores, kind="stable")), []
    while rest and len(kept) < most:
        best = rest.pop(0)
        kept.append(best)
        rest = [k for k in rest if box_iou(boxes[best][None], boxes[k][None])[0, 0] <= threshold]
    return np.array(kept, int)


@wrong("non_maximum_suppression")
def without_the_worst(boxes, scores, threshold, most):
    return get("non_maximum_suppression").solution(boxes, scores, threshold, most)[:-1]


@wrong("assign_anchors", "the best box of each digit was forgotten")
def thresholds_alone(iou, inside):
    best = iou.max(axis=1, initial=0)
    digit = np.array([row.argmax() if good else -1 for row, good in zip(iou, inside & (best > 0.5), strict=True)], int)
    return digit, inside & (best < 0.1) & (digit < 0)


@wrong("assign_anchors")
def nothing_is_background(iou, inside):
    digit, negative = get("assign_anchors").solution(iou, inside)
    return digit, np.zeros_like(negative)


@wrong("box_iou_pairs")
def a_little_added_to_the_union(a, b):
    iou = get("box_iou_pairs").solution(a.astype(np.float64), b.astype(np.float64))
    areas = a[:, 2:].prod(axis=1)[:, None] + b[:, 2:].prod(axis=1)
    union = areas / (1 + iou)
    return (iou * union / (union + 1e-9)).astype(a.dtype)


@wrong("box_iou_pairs")
def areas_of_at_least_a_pixel(a, b):
    iou = get("box_iou_pairs").solution(a, b)
    return np.where((a[:, 2:].prod(axis=1)[:, None] + b[:, 2:].prod(axis=1)) / (1 + iou) > 1, iou, 0).astype(a.dtype)


@wrong("box_iou_pairs")
def second_boxes_within_50_pixels(a, b):
    return get("box_iou_pairs").solution(a, np.clip(b, -50, 50))


@wrong("box_iou_pairs", "the lengths lost their sign")
def with_abs(a, b):
    first = np.maximum((a[:, :2] - a[:, 2:] / 2)[:, None], b[:, :2] - b[:, 2:] / 2)
    last = np.minimum((a[:, :2] + a[:, 2:] / 2)[:, None], b[:, :2] + b[:, 2:] / 2)
    both = np.abs(last - first).prod(axis=2)
    either = a[:, 2:].prod(axis=1)[:, None] + b[:, 2:].prod(axis=1) - both
    return both / np.where(either > 0, either, 1)


@wrong("encode_boxes")
def first_64_boxes(boxes, anchors):
    transforms = get("encode_boxes").solution(boxes, anchors)
    transforms[64:] = 0
    return transforms


@wrong("decode_boxes")
def sides_at_most_55_times_as_long(transforms, anchors):
    return get("decode_boxes").solution(np.minimum(transforms, [np.inf, np.inf, 4, 4]).astype(anchors.dtype), anchors)


@wrong("decode_boxes", "two opposite corners")
def as_corners(transforms, anchors):
    i, j, h, w = get("decode_boxes").solution(transforms, anchors).T
    return np.stack([i - h / 2, j - w / 2, i + h / 2, j + w / 2], axis=1)


@wrong("assign_anchors", "by more than .5 got the first")
def the_first_digit_that_is_good_enough(iou, inside):
    digit, best = np.full(len(iou), -1), iou.max(axis=0, initial=0)
    for k in range(len(iou)):
        good = np.flatnonzero(iou[k] > 0.5)
        if inside[k] and len(good):
            digit[k] = good[0]
    for d in np.argsort(best, kind="stable"):
        if best[d] > 0:
            digit[iou[:, d].argmax()] = d
    return digit, inside & (iou.max(axis=1, initial=0) < 0.1) & (digit == -1)


@wrong("assign_anchors", "took their digits")
def thresholds_last(iou, inside):
    digit, best = np.full(len(iou), -1), iou.max(axis=0, initial=0)
    for d in np.argsort(best, kind="stable"):
        if best[d] > 0:
            digit[iou[:, d].argmax()] = d
    for k in range(len(iou)):
        if inside[k] and iou[k].max(initial=0) > 0.5:
            digit[k] = iou[k].argmax()
    return digit, inside & (iou.max(axis=1, initial=0) < 0.1) & (digit < 0)


@wrong("assign_anchors")
def digit_0_taken_for_none(iou, inside):
    digit, _ = get("assign_anchors").solution(iou, inside)
    return digit, inside & (iou.max(axis=1, initial=0) < 0.1) & (digit < 1)


@wrong("non_maximum_suppression", "one box too many is kept")
def most_and_one_more(boxes, scores, threshold, most):
    rest, kept = np.argsort(-scores, kind="stable"), []
    while len(rest) and len(kept) <= most:
        kept.append(rest[0])
        rest = rest[1:][box_iou(boxes[rest[:1]], boxes[rest[1:]])[0] <= threshold]
    return np.array(kept, dtype=int)


@wrong("non_maximum_suppression", "marked with a score such as 0 or -1")
def marked_by_minus_one(boxes, scores, threshold, most):
    left, kept = scores.copy(), []
    while len(kept) < most and left.max(initial=-1) > -1:
        best = int(left.argmax())
        kept.append(best)
        left[box_iou(boxes[best][None], boxes)[0] > threshold] = -1
        left[best] = -1
    return np.array(kept, int)


@wrong("non_maximum_suppression")
def an_order_that_is_not_stable(boxes, scores, threshold, most):
    order = np.argsort(-scores)
    kept = get("non_maximum_suppression").solution(boxes[order], -np.arange(len(order)), threshold, most)
    return order[kept]


@wrong("non_maximum_suppression")
def whole_scores(boxes, scores, threshold, most):
    return get("non_maximum_suppression").solution(boxes, np.trunc(scores), threshold, most)


@wrong("non_maximum_suppression")
def at_most_20(boxes, scores, threshold, most):
    return get("non_maximum_suppression").solution(boxes, scores, threshold, min(most, 20))


@pytest.mark.parametrize("id, answer, cause", wrong.answers, ids=wrong.names())
def test_a_wrong_answer_is_refused(id: str, answer: Answer, cause: str | None):
    assert_refused(id, answer, cause)


def assigned(iou, inside):
    found = assign(iou, inside)
    return np.where(found.positive, found.digit, -1), found.negative


@pytest.mark.parametrize(
    "id, answer",
    [
        ("box_iou_pairs", box_iou),
        ("encode_boxes", encode),
        ("decode_boxes", decode),
        ("non_maximum_suppression", nms),
        ("assign_anchors", assigned),
    ],
)
def test_the_library_computes_what_the_exercise_asks(id: str, answer: Answer):
    for seed in SEEDS:
        verdict = python_verdict(get(id), answer, list(get(id).cases(np.random.default_rng(seed))))
        assert verdict.passed, f"seed {seed}: {verdict}"
