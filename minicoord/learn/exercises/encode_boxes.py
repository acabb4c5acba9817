"""Lesson 10: a box seen from its anchor, which is what a detector learns to give."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield several, one and no box, tall and wide anchors, equal boxes, boxes far away, and float32."""
    n = int(rng.integers(3, 6))

    def drawn(count: int, tall: float, wide: float) -> tuple[np.ndarray, np.ndarray]:
        centres = rng.uniform((10, 30), (30, 80), (2, count, 2))
        sizes = np.stack([rng.uniform((8, 20), (16, 40), (count, 2)), rng.uniform(1, 2, (count, 2)) * [tall, wide]])
        boxes, anchors = np.concatenate([centres, sizes], axis=2)
        return boxes, anchors

    yield Case(f"{n} boxes, anchors wider than tall", drawn(n, 9, 17))
    yield Case(f"{n + 1} boxes, anchors taller than wide", drawn(n + 1, 19, 7))
    boxes, anchors = drawn(n, 9, 17)
    yield Case("boxes that are their anchors", (anchors.copy(), anchors))
    yield Case("one box", drawn(1, 12, 20))
    yield Case("no box", (np.zeros((0, 4)), np.zeros((0, 4))))
    yield Case("boxes far away and far larger", (boxes + np.array([500, -300, 200, 90]), anchors))
    yield Case("70 boxes", drawn(70, 9, 17))
    yield Case("float32", tuple(x.astype(np.float32) for x in drawn(n, 15, 25)))


exercise = Exercise(
    id="encode_boxes",
    lesson=10,
    title="A box seen from its anchor",
    minutes=8,
    difficulty=1,
    axes=("boxes", "i, j, h and w"),
    cases=cases,
    hints=(
        "The first number: how far down is the centre of the box from that of its anchor, in heights of the anchor?",
        "The third number is the logarithm of a ratio: np.log(height of the box / height of the anchor).",
        "Two at a time: boxes[:, :2] are the centres, boxes[:, 2:] the sizes; np.concatenate joins with axis=1.",
    ),
)


@exercise.solved_by
def encode_boxes(boxes, anchors):
    """Return four numbers that say how to get from each anchor to its box.

    boxes: shape (N, 4): row i and column j of the centre, height h and width w, in pixels.
    anchors: shape (N, 4), the same four numbers; anchor n belongs to box n.

    Returns shape (N, 4), in the dtype of the boxes:
    how far down the box is, in heights of the anchor; how far to the right, in widths of the
    anchor; the logarithm of its height as a multiple of the anchor's; the same of its width.
    """
    size = anchors[:, 2:]
    return np.concatenate([(boxes[:, :2] - anchors[:, :2]) / size, np.log(boxes[:, 2:] / size)], axis=1)


def _joined(places: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([places, sizes], axis=1)


@exercise.mistake("h and w are exchanged: rows are divided by the height of the anchor, columns by its width")
def sides_exchanged(boxes, anchors):
    right = encode_boxes(boxes, anchors)
    return _joined((boxes[:, :2] - anchors[:, :2]) / anchors[:, [3, 2]], right[:, 2:])


@exercise.mistake("the distances are divided by the sides of the box; divide by those of the anchor")
def divided_by_the_box(boxes, anchors):
    right = encode_boxes(boxes, anchors)
    return _joined((boxes[:, :2] - anchors[:, :2]) / boxes[:, 2:], right[:, 2:])


@exercise.mistake("the logarithm is missing: these are the ratios of the sides, and equal sides should give 0")
def without_log(boxes, anchors):
    right = encode_boxes(boxes, anchors)
    return _joined(right[:, :2], boxes[:, 2:] / anchors[:, 2:])


@exercise.mistake(
    "the ratio is upside down: the side of the box over the side of the anchor, so that larger is above 0"
)
def ratio_upside_down(boxes, anchors):
    return encode_boxes(boxes, anchors) * np.array([1, 1, -1, -1], boxes.dtype)


@exercise.mistake("the sign is wrong: a box below its anchor has a larger i, and the first number is above 0")
def turned_round(boxes, anchors):
    return encode_boxes(boxes, anchors) * np.array([-1, -1, 1, 1], boxes.dtype)


@exercise.mistake("you went from the box to its anchor; go from the anchor to the box")
def from_the_box(boxes, anchors):
    return encode_boxes(anchors, boxes)


@exercise.mistake("the distances are in pixels; divide them by the sides of the anchor")
def in_pixels(boxes, anchors):
    right = encode_boxes(boxes, anchors)
    return _joined(boxes[:, :2] - anchors[:, :2], right[:, 2:])


@exercise.mistake("the sides were subtracted, too; take the logarithm of their ratio")
def sides_subtracted(boxes, anchors):
    return (boxes - anchors) / anchors[:, [2, 3, 2, 3]]


@exercise.mistake("the sides are not divided by those of the anchor: this is their logarithm in pixels")
def log_of_pixels(boxes, anchors):
    right = encode_boxes(boxes, anchors)
    return _joined(right[:, :2], np.log(boxes[:, 2:]))


@exercise.mistake("the logarithm is to the base 2; take the natural one, np.log")
def base_2(boxes, anchors):
    right = encode_boxes(boxes, anchors)
    return _joined(right[:, :2], np.log2(boxes[:, 2:] / anchors[:, 2:]))


@exercise.mistake("the logarithm is to the base 10; take the natural one, np.log")
def base_10(boxes, anchors):
    right = encode_boxes(boxes, anchors)
    return _joined(right[:, :2], np.log10(boxes[:, 2:] / anchors[:, 2:]))


@exercise.mistake("the logarithms of the sides are exchanged: first that of the height, then that of the width")
def logs_exchanged(boxes, anchors):
    return np.ascontiguousarray(encode_boxes(boxes, anchors)[:, [0, 1, 3, 2]])


@exercise.mistake("the order is i, j, h, w: rows before columns, height before width")
def columns_first(boxes, anchors):
    return np.ascontiguousarray(encode_boxes(boxes, anchors)[:, [1, 0, 3, 2]])


@exercise.mistake("the distance is between corners; take it between the centres, which i and j are")
def between_corners(boxes, anchors):
    right = encode_boxes(boxes, anchors)
    corners = boxes[:, :2] - boxes[:, 2:] / 2 - (anchors[:, :2] - anchors[:, 2:] / 2)
    return _joined(corners / anchors[:, 2:], right[:, 2:])


@exercise.mistake("the distances are in halves of the sides; one whole height of the anchor counts as 1")
def in_halves(boxes, anchors):
    return encode_boxes(boxes, anchors) * np.array([2, 2, 1, 1], boxes.dtype)


@exercise.mistake("the result is float64 for float32 boxes; it should have their dtype")
def float64(boxes, anchors):
    return encode_boxes(boxes.astype(np.float64), anchors.astype(np.float64))


@exercise.mistake("both distances are divided by the height of the anchor; columns are divided by its width")
def by_the_height_alone(boxes, anchors):
    right = encode_boxes(boxes, anchors)
    return _joined((boxes[:, :2] - anchors[:, :2]) / anchors[:, 2:3], right[:, 2:])


@exercise.mistake("the distances lost their sign: a box above its anchor or left of it gives a negative one")
def absolute(boxes, anchors):
    right = encode_boxes(boxes, anchors)
    return _joined(abs(right[:, :2]), right[:, 2:])


@exercise.mistake("the result is transposed: a row for each box, with its four numbers")
def turned_over(boxes, anchors):
    return encode_boxes(boxes, anchors).T


@exercise.mistake("1 was added to the ratio before the logarithm, as np.log1p does; equal sides should give 0")
def log_of_one_more(boxes, anchors):
    right = encode_boxes(boxes, anchors)
    return _joined(right[:, :2], np.log1p(boxes[:, 2:] / anchors[:, 2:]))
