"""Lesson 10: of many boxes around one digit, the best."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.kernels.boxes import box_iou
from minicoord.learn.definition.exercise import Case, Exercise


def _crowd(rng: np.random.Generator, groups: int, each: int) -> np.ndarray:
    """Return boxes in groups, of which those of a group overlap more or less; (groups * each, 4), shuffled."""
    centres = np.repeat([[30.0, 40.0 + 60 * k] for k in range(groups)], each, axis=0)
    places = centres + rng.uniform(-5, 5, centres.shape)
    boxes = np.concatenate([places, rng.uniform((14, 24), (20, 34), centres.shape)], axis=1)
    return rng.permutation(boxes)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield crowds with few and many kept, a chain of boxes, ties, an exact threshold, one box, none, and float32."""
    each = int(rng.integers(5, 8))
    crowd = _crowd(rng, 3, each)
    scores = rng.permutation(len(crowd)) + rng.uniform(0, 0.5, len(crowd))  # all apart, many above 1
    yield Case(f"{len(crowd)} boxes in three groups, threshold .4", (crowd, scores, 0.4, 100))
    yield Case(f"{len(crowd)} boxes in three groups, scores below 0, threshold .7", (crowd, scores - 50, 0.7, 100))
    # Each overlaps only its neighbours, and the highest score stands at one end.
    chain = np.stack([np.full(5, 20.0), 30.0 + 9 * np.arange(5), np.full(5, 10.0), np.full(5, 26.0)], axis=1)
    order = rng.permutation(5)
    falling = np.arange(5.0, 0, -1) + rng.uniform(0, 0.5, 5)
    yield Case(
        "a chain: each box overlaps its neighbours alone by more than .4", (chain[order], falling[order], 0.4, 9)
    )
    yield Case(f"{len(crowd)} boxes, at most 4 kept", (crowd, scores, 0.4, 4))
    yield Case("at most one kept", (crowd, scores, 0.4, 1))
    half = np.array([[8.0, 20.0, 8.0, 16.0], [8.0, 20.0, 4.0, 16.0], [8.0, 20.0, 2.0, 16.0]])
    yield Case("IOUs of exactly .5, the threshold", (half, np.array([3.0, 2.0, 1.0]), 0.5, 10))
    apart = np.array([[10.0, 30.0 + 50 * k, 8.0, 16.0] for k in range(4)])
    yield Case("boxes apart, equal scores: the first in the array come first", (apart, np.full(4, 0.5), 0.4, 3))
    many = np.array([[12.0 * i, 20.0 * j, 8.0, 16.0] for i in range(5) for j in range(6)])
    levels = rng.permutation(np.arange(30) % 4) / 1000 + 0.9  # probabilities
    yield Case("30 boxes apart, scores from 0 to 1 that hardly differ, or do not", (many, levels, 0.4, 100))
    yield Case("one box", (crowd[:1], scores[:1], 0.4, 10))
    yield Case("no box", (crowd[:0], scores[:0], 0.4, 10))
    crowd, scores = _crowd(rng, 2, each).astype(np.float32), 1 + rng.permutation(2 * each).astype(np.float32)
    yield Case("float32", (crowd, scores, 0.5, 10))


exercise = Exercise(
    id="non_maximum_suppression",
    lesson=10,
    title="Of many boxes around a digit, the best",
    minutes=20,
    difficulty=2,
    builds_on=("box_iou_pairs",),
    imports=("import numpy as np", "from minicoord.kernels.boxes import box_iou"),
    axes=("kept boxes",),
    cases=cases,
    hints=(
        "Two steps, again and again: keep the best box that is left; drop all that overlap it by more than allowed.",
        "np.argsort(-scores, kind='stable') has the indices of the boxes, best first, and of equal scores the first.",
        "Start with all indices in that order. Each time the first of them is kept; the rest is what still may be.",
        "rest = rest[box_iou(boxes[best][None], boxes[rest])[0] <= threshold] drops what overlaps the box just kept.",
        "Stop when nothing is left or `most` are kept. An empty list becomes np.array([], dtype=int).",
    ),
)


@exercise.solved_by
def non_maximum_suppression(boxes, scores, threshold, most):
    """Return the indices of the boxes that are kept, best first.

    The box of the highest score is kept, and all that overlap it by an IOU above the threshold
    are dropped. Of those left, the one of the highest score is kept, and so on. A box that was
    dropped drops no others.

    boxes: shape (N, 4): row i and column j of the centre, height h and width w, in pixels.
    scores: any numbers, shape (N,). Of equal ones, the first in the array counts as higher.
    threshold: the IOU that two kept boxes may have, exactly this much included.
    most: how many boxes are kept at most, 1 or more.

    box_iou(a, b) is the library's box_iou_pairs. Returns an int array of shape (K,).
    """
    rest = np.argsort(-scores, kind="stable")
    kept = []
    while len(rest) and len(kept) < most:
        best, rest = rest[0], rest[1:]
        kept.append(best)
        rest = rest[box_iou(boxes[best][None], boxes[rest])[0] <= threshold]
    return np.array(kept, dtype=int)


def _order(scores: np.ndarray) -> np.ndarray:
    return np.argsort(-scores, kind="stable")


def _greedy(boxes: np.ndarray, order: np.ndarray, stays, most: int) -> np.ndarray:
    """Return what is kept if boxes come in this order and `stays(iou)` of the ones with the kept box stay."""
    rest, kept = order, []
    while len(rest) and len(kept) < most:
        best, rest = rest[0], rest[1:]
        kept.append(best)
        rest = rest[stays(box_iou(boxes[best][None], boxes[rest])[0])]
    return np.array(kept, dtype=int)


@exercise.mistake(
    "each box was compared with all better ones; compare it with the kept ones only: a dropped box drops none"
)
def compared_with_all(boxes, scores, threshold, most):
    order = _order(scores)
    iou = np.triu(box_iou(boxes[order], boxes[order]), 1)
    return order[(iou <= threshold).all(axis=0)][:most]


@exercise.mistake("each box was compared with the last kept one only; it must not overlap any that was kept")
def compared_with_the_last(boxes, scores, threshold, most):
    kept = []
    for k in _order(scores):
        if not kept or box_iou(boxes[kept[-1]][None], boxes[k][None])[0, 0] <= threshold:
            kept.append(k)
    return np.array(kept[:most], dtype=int)


@exercise.mistake("only the best box of all drops others; every kept box does")
def only_the_best_drops(boxes, scores, threshold, most):
    order = _order(scores)
    left = [k for k in order[1:] if box_iou(boxes[order[:1]], boxes[k][None])[0, 0] <= threshold]
    return np.array([*order[:1], *left][:most], dtype=int)


@exercise.mistake("the order is ascending, and the worst box came first; the highest score comes first")
def ascending(boxes, scores, threshold, most):
    return _greedy(boxes, np.argsort(scores, kind="stable"), lambda iou: iou <= threshold, most)


@exercise.mistake("the order of the array was taken; the highest score comes first")
def as_they_come(boxes, scores, threshold, most):
    return _greedy(boxes, np.arange(len(scores)), lambda iou: iou <= threshold, most)


@exercise.mistake("an overlap of exactly the threshold is allowed; drop what is above it: >, and not >=")
def at_least(boxes, scores, threshold, most):
    return _greedy(boxes, _order(scores), lambda iou: iou < threshold, most)


@exercise.mistake("the wrong side was dropped: what overlaps by more than the threshold goes, the rest stays")
def wrong_side(boxes, scores, threshold, most):
    return _greedy(boxes, _order(scores), lambda iou: iou > threshold, most)


@exercise.mistake(
    "the limit came first: of all boxes only the best `most` were looked at; drop first, count the kept ones"
)
def limit_first(boxes, scores, threshold, most):
    return _greedy(boxes, _order(scores)[:most], lambda iou: iou <= threshold, most)


@exercise.mistake("`most` was forgotten: so many boxes are kept at most")
def without_limit(boxes, scores, threshold, most):
    return _greedy(boxes, _order(scores), lambda iou: iou <= threshold, len(scores))


@exercise.mistake(
    "of equal scores the last came first; argsort()[::-1] turns ties round, np.argsort(-scores, kind='stable') does not"
)
def ties_turned_round(boxes, scores, threshold, most):
    return _greedy(boxes, np.argsort(scores, kind="stable")[::-1], lambda iou: iou <= threshold, most)


@exercise.mistake("these are places in the order of the scores; return indices into `boxes`: order[place]")
def places_in_the_order(boxes, scores, threshold, most):
    order = _order(scores)
    place = np.empty(len(order), int)
    place[order] = np.arange(len(order))
    return place[non_maximum_suppression(boxes, scores, threshold, most)]


@exercise.mistake("the kept boxes are in the order of the array; return them best first")
def in_order_of_the_array(boxes, scores, threshold, most):
    return np.sort(non_maximum_suppression(boxes, scores, threshold, most))


@exercise.mistake("nothing was dropped: these are the boxes of the highest scores")
def only_the_limit(boxes, scores, threshold, most):
    return _order(scores)[:most]


@exercise.mistake("the boxes themselves were returned; return their indices")
def boxes_themselves(boxes, scores, threshold, most):
    return boxes[non_maximum_suppression(boxes, scores, threshold, most)]


@exercise.mistake("the scores of the kept boxes were returned; return their indices")
def scores_themselves(boxes, scores, threshold, most):
    return scores[non_maximum_suppression(boxes, scores, threshold, most)]


@exercise.mistake("True or False was returned for each box; return the indices of the kept ones, best first")
def true_or_false(boxes, scores, threshold, most):
    kept = np.zeros(len(scores), bool)
    kept[non_maximum_suppression(boxes, scores, threshold, most)] = True
    return kept


@exercise.mistake("with no box to look at there is no best one; stop when none is left")
def needs_a_box(boxes, scores, threshold, most):
    scores.argmax()
    return non_maximum_suppression(boxes, scores, threshold, most)


@exercise.mistake("one box too many is kept: stop when `most` are kept, len(kept) < most")
def one_more(boxes, scores, threshold, most):
    return non_maximum_suppression(boxes, scores, threshold, most + 1)


@exercise.mistake("one box too few is kept: go on while len(kept) < most")
def one_fewer(boxes, scores, threshold, most):
    return non_maximum_suppression(boxes, scores, threshold, most - 1)


@exercise.mistake(
    "dropped boxes were marked with a score such as 0 or -1; others may have a lower one, so take them out"
)
def marked_by_a_score(boxes, scores, threshold, most):
    above = np.flatnonzero(scores > 0)
    return above[non_maximum_suppression(boxes[above], scores[above], threshold, most)]


@exercise.mistake("the threshold was not used: .5 is usual, but here it may be another number")
def always_half(boxes, scores, threshold, most):
    return non_maximum_suppression(boxes, scores, 0.5, most)
