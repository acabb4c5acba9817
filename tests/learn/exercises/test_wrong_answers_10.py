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
