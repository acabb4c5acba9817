"""Lesson 10: the overlap of every box with every other, from four numbers each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def _boxes(rng: np.random.Generator, count: int, height: float = 30, width: float = 70) -> np.ndarray:
    """Return boxes on a canvas that is wider than tall, most of them overlapping others; (count, 4)."""
    centres = rng.uniform((0.3 * height, 0.3 * width), (0.7 * height, 0.7 * width), (count, 2))
    return np.concatenate([centres, rng.uniform((8, 20), (16, 40), (count, 2))], axis=1)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield boxes that overlap, are apart in one way or both, touch, lie within each other, have no area, and none."""
    few, many = int(rng.integers(3, 5)), int(rng.integers(6, 9))
    yield Case(f"{few} boxes with {many}", (_boxes(rng, few), _boxes(rng, many)))
    yield Case(f"{many} boxes with {few}", (_boxes(rng, many), _boxes(rng, few)))
    i, j, h, w = _boxes(rng, 1)[0]
    apart = np.array([[i + 3 * h, j, h, w], [i, j - 2 * w, h, w], [i + 1.5 * h, j + 2 * w, h, w]])
    yield Case("one box with three: below it, left of it, and diagonally away", (np.array([[i, j, h, w]]), apart))
    touching = np.array([[4.0, 9.0, 4.0, 6.0], [8.0, 9.0, 4.0, 6.0]])
    yield Case("boxes that touch along an edge", (touching[:1], touching))
    nested = np.array([[i, j, h, w], [i, j, h / 2, w / 4]])
    yield Case("a box within another, and the same box twice", (nested, nested))
    yield Case("float32", (_boxes(rng, few).astype(np.float32), _boxes(rng, few + 1).astype(np.float32)))
    yield Case("no box with some", (np.zeros((0, 4)), _boxes(rng, few)))
    flat = np.array([[i, j, 0.0, w], [i, j, 0.0, 0.0]])
    yield Case("boxes far smaller than a pixel", (_boxes(rng, few) / 100, _boxes(rng, many) / 100))
    yield Case("boxes of a large canvas, 300 x 700", (10 * _boxes(rng, few), 10 * _boxes(rng, many)))
    yield Case("boxes without area", (flat, np.concatenate([flat, [[i, j, h, w]]])))


exercise = Exercise(
    id="box_iou_pairs",
    lesson=10,
    title="The overlap of all pairs of boxes",
    minutes=15,
    difficulty=2,
    builds_on=("iou",),
    axes=("boxes of a", "boxes of b"),
    cases=cases,
    hints=(
        "A box reaches from i - h/2 to i + h/2 along the rows, and from j - w/2 to j + w/2 along the columns.",
        "Along an axis, boxes overlap from the larger beginning to the smaller end; if that is negative, by 0.",
        "All pairs: a[:, None] has shape (A, 1, 4), and with b of shape (B, 4) NumPy makes (A, B) of them.",
        "The intersection is overlap along i times overlap along j; the union is both areas minus the intersection.",
        "Where the union is 0 the answer is 0: divide by np.where(union > 0, union, 1).",
    ),
)


@exercise.solved_by
def box_iou_pairs(a, b):
    """Return the intersection over union of every box of a with every box of b.

    a: boxes, shape (A, 4): row i and column j of the centre, height h and width w, in pixels.
    b: boxes, shape (B, 4), in the same dtype.

    Boxes are areas with edges anywhere, also between pixels. Returns shape (A, B), in the dtype of
    the boxes, from 0 to 1. Two boxes without area have an IOU of 0.
    """
    first = np.maximum((a[:, :2] - a[:, 2:] / 2)[:, None], b[:, :2] - b[:, 2:] / 2)  # (A, B, 2)
    last = np.minimum((a[:, :2] + a[:, 2:] / 2)[:, None], b[:, :2] + b[:, 2:] / 2)
    both = np.maximum(last - first, 0).prod(axis=2)
    either = a[:, 2:].prod(axis=1)[:, None] + b[:, 2:].prod(axis=1) - both
    return both / np.where(either > 0, either, 1)


def _lengths(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far the intervals overlap along rows and columns, negative if they are apart; each (A, B)."""
    first = np.maximum((a[:, :2] - a[:, 2:] / 2)[:, None], b[:, :2] - b[:, 2:] / 2)
    last = np.minimum((a[:, :2] + a[:, 2:] / 2)[:, None], b[:, :2] + b[:, 2:] / 2)
    return (last - first)[..., 0], (last - first)[..., 1]


def _areas(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (a[:, 2] * a[:, 3])[:, None], b[:, 2] * b[:, 3]


def _both_areas(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    area_a, area_b = _areas(a, b)
    return area_a + area_b


def _intersection(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    rows, columns = _lengths(a, b)
    return np.maximum(rows, 0) * np.maximum(columns, 0)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return part / np.where(whole > 0, whole, 1)


@exercise.mistake(
    "boxes that are apart along both axes overlap by a negative length twice, and the product is positive; set each "
    "negative length to 0 first"
)
def product_of_two_negatives(a, b):
    rows, columns = _lengths(a, b)
    both = np.maximum(rows * columns, 0)
    return _share(both, _both_areas(a, b) - both)


@exercise.mistake("boxes that are apart have a negative overlap here; a length below 0 counts as 0")
def without_zero(a, b):
    rows, columns = _lengths(a, b)
    both = rows * columns
    return _share(both, _both_areas(a, b) - both)


@exercise.mistake("i and j are the centre of a box; you took them as its top left corner")
def from_the_corner(a, b):
    return box_iou_pairs(a + a[:, [2, 3, 2, 3]] * [0.5, 0.5, 0, 0], b + b[:, [2, 3, 2, 3]] * [0.5, 0.5, 0, 0])


@exercise.mistake("a box reaches half of its height and half of its width to each side; you went the whole")
def twice_as_large(a, b):
    return box_iou_pairs(a * [1, 1, 2, 2], b * [1, 1, 2, 2])


@exercise.mistake("h and w are exchanged: the height belongs to i, the rows, and the width to j, the columns")
def sides_exchanged(a, b):
    return box_iou_pairs(a[:, [0, 1, 3, 2]], b[:, [0, 1, 3, 2]])


@exercise.mistake("both areas together hold the intersection twice; the union has it once")
def sum_as_union(a, b):
    return _share(_intersection(a, b), _both_areas(a, b))


@exercise.mistake("twice the intersection over both areas is the Dice coefficient, a relative of the IOU")
def dice(a, b):
    return _share(2 * _intersection(a, b), _both_areas(a, b))


@exercise.mistake("the intersection is divided by the area of a alone; divide by the union")
def over_the_first(a, b):
    return _share(_intersection(a, b), _areas(a, b)[0])


@exercise.mistake("the intersection is divided by the area of b alone; divide by the union")
def over_the_second(a, b):
    return _share(_intersection(a, b), _areas(a, b)[1])


@exercise.mistake("the intersection is divided by the smaller area, so that a box within another has 1; take the union")
def over_the_smaller(a, b):
    return _share(_intersection(a, b), np.minimum(*_areas(a, b)))


@exercise.mistake("these are the intersections, in square pixels; divide them by the unions")
def not_divided(a, b):
    return _intersection(a, b)


@exercise.mistake("the union here is that of the lengths, h1 + h2 and w1 + w2; take areas, h times w")
def box_around_both(a, b):
    first = np.minimum((a[:, :2] - a[:, 2:] / 2)[:, None], b[:, :2] - b[:, 2:] / 2)
    last = np.maximum((a[:, :2] + a[:, 2:] / 2)[:, None], b[:, :2] + b[:, 2:] / 2)
    return _share(_intersection(a, b), (last - first).prod(axis=2))


@exercise.mistake("1 was added to the lengths, as if pixels were counted; from 3.5 to 5.5 it is 2")
def pixels_counted(a, b):
    rows, columns = (np.maximum(lengths + 1, 0) for lengths in _lengths(a, b))
    area_a, area_b = (((x[:, 2] + 1) * (x[:, 3] + 1)) for x in (a, b))
    both = rows * columns
    return _share(both, area_a[:, None] + area_b - both)


@exercise.mistake("the result is turned round: the boxes of a go down the rows of the result, those of b across")
def turned_round(a, b):
    return np.ascontiguousarray(box_iou_pairs(a, b).T)


@exercise.mistake("the boxes of a and b were paired one by one; for all pairs, give a another axis: a[:, None]")
def one_by_one(a, b):
    first = np.maximum(a[:, :2] - a[:, 2:] / 2, b[:, :2] - b[:, 2:] / 2)
    last = np.minimum(a[:, :2] + a[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2)
    both = np.maximum(last - first, 0).prod(axis=1)
    return both / (a[:, 2:].prod(axis=1) + b[:, 2:].prod(axis=1) - both)


@exercise.mistake("0 / 0 is nan; two boxes without area have an IOU of 0")
def nothing_is_nan(a, b):
    both = _intersection(a, b)
    return both / (_both_areas(a, b) - both)


@exercise.mistake("two boxes without area have an IOU of 0 here, and not of 1, because they hold no digit")
def nothing_is_one(a, b):
    both = _intersection(a, b)
    either = _both_areas(a, b) - both
    return np.where(either > 0, _share(both, either), 1)


@exercise.mistake("the result is float64 for float32 boxes; it should have their dtype")
def float64(a, b):
    return box_iou_pairs(a.astype(np.float64), b.astype(np.float64))


@exercise.mistake("the lengths lost their sign, so that boxes that are apart overlap; a length below 0 counts as 0")
def absolute_lengths(a, b):
    rows, columns = _lengths(a, b)
    both = abs(rows * columns)
    return _share(both, _both_areas(a, b) - both)


@exercise.mistake("the intersection is divided by the larger area; divide by the union")
def over_the_larger(a, b):
    return _share(_intersection(a, b), np.maximum(*_areas(a, b)))


@exercise.mistake("only the rows were compared; the overlap along the columns belongs to it")
def rows_alone(a, b):
    both = np.maximum(_lengths(a, b)[0], 0)
    return _share(both, a[:, 2][:, None] + b[:, 2] - both)


@exercise.mistake("half of a side was rounded down by //; a box may reach to anywhere between pixels: / 2")
def halves_rounded_down(a, b):
    first = np.maximum((a[:, :2] - a[:, 2:] // 2)[:, None], b[:, :2] - b[:, 2:] // 2)
    last = np.minimum((a[:, :2] + a[:, 2:] // 2)[:, None], b[:, :2] + b[:, 2:] // 2)
    both = np.maximum(last - first, 0).prod(axis=2)
    return _share(both, _both_areas(a, b) - both)
