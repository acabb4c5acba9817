"""Lesson 10: from an anchor and four numbers to a box, the inverse of `encode_boxes`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield several, one and no anchor, tall and wide ones, numbers that are all zero or large, and float32."""
    n = int(rng.integers(3, 6))

    def drawn(count: int, tall: float, wide: float, spread: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
        sizes = rng.uniform(1, 2, (count, 2)) * [tall, wide]
        anchors = np.concatenate([rng.uniform((10, 30), (30, 80), (count, 2)), sizes], axis=1)
        return spread * rng.normal(size=(count, 4)), anchors

    yield Case(f"{n} anchors, wider than tall", drawn(n, 9, 17))
    yield Case(f"{n + 1} anchors, taller than wide", drawn(n + 1, 19, 7))
    yield Case("all numbers 0: the boxes are the anchors", drawn(n, 9, 17, spread=0.0))
    yield Case("one anchor", drawn(1, 12, 20))
    yield Case("no anchor", (np.zeros((0, 4)), np.zeros((0, 4))))
    yield Case("larger numbers", drawn(n, 15, 25, spread=2.0))
    yield Case("70 anchors", drawn(70, 9, 17))
    far = np.array([[-30.0, 40.0, 8.0, -8.0], [25.0, -60.0, -7.0, 9.0]])
    yield Case("boxes far away, a thousand times as large and as small", (far, drawn(2, 9, 17)[1]))
    yield Case("float32", tuple(x.astype(np.float32) for x in drawn(n, 15, 25)))


exercise = Exercise(
    id="decode_boxes",
    lesson=10,
    title="From an anchor to a box",
    minutes=6,
    difficulty=1,
    builds_on=("encode_boxes",),
    axes=("boxes", "i, j, h and w"),
    cases=cases,
    hints=(
        "Solve your four equations for the box. The first: t_i = (i - i_anchor) / h_anchor.",
        "The inverse of a logarithm is np.exp: a ratio of exp(t) makes the side exp(t) times as long.",
        "anchors[:, :2] + transforms[:, :2] * anchors[:, 2:] are the centres.",
    ),
)


@exercise.solved_by
def decode_boxes(transforms, anchors):
    """Return the boxes to which transforms move anchors: the inverse of encode_boxes.

    transforms: shape (N, 4), four numbers for each anchor as encode_boxes returns them.
    anchors: shape (N, 4): row i and column j of the centre, height h and width w, in pixels.

    Returns boxes, shape (N, 4), in pixels and in the dtype of the anchors.
    """
    size = anchors[:, 2:]
    return np.concatenate([anchors[:, :2] + transforms[:, :2] * size, size * np.exp(transforms[:, 2:])], axis=1)


def _joined(places: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([places, sizes], axis=1)


@exercise.mistake("h and w are exchanged: rows move by heights of the anchor, columns by its widths")
def sides_exchanged(transforms, anchors):
    right = decode_boxes(transforms, anchors)
    return _joined(anchors[:, :2] + transforms[:, :2] * anchors[:, [3, 2]], right[:, 2:])


@exercise.mistake("exp is missing: the sides were multiplied by the logarithm itself")
def without_exp(transforms, anchors):
    right = decode_boxes(transforms, anchors)
    return _joined(right[:, :2], anchors[:, 2:] * transforms[:, 2:])


@exercise.mistake("exp(t) was added to the sides; it is the ratio, so multiply")
def exp_added(transforms, anchors):
    right = decode_boxes(transforms, anchors)
    return _joined(right[:, :2], anchors[:, 2:] + np.exp(transforms[:, 2:]))


@exercise.mistake("the sides were made 1 + t times as long; that is near exp(t) for small t, and not equal")
def first_order(transforms, anchors):
    right = decode_boxes(transforms, anchors)
    return _joined(right[:, :2], anchors[:, 2:] * (1 + transforms[:, 2:]))


@exercise.mistake("the centre was moved by sides of the new box; the distances are in sides of the anchor")
def by_the_new_box(transforms, anchors):
    right = decode_boxes(transforms, anchors)
    return _joined(anchors[:, :2] + transforms[:, :2] * right[:, 2:], right[:, 2:])


@exercise.mistake("the centre was moved by so many pixels; multiply the distances by the sides of the anchor")
def in_pixels(transforms, anchors):
    right = decode_boxes(transforms, anchors)
    return _joined(anchors[:, :2] + transforms[:, :2], right[:, 2:])


@exercise.mistake("the anchor's own centre is missing: the distances count from there")
def from_the_corner_of_the_image(transforms, anchors):
    right = decode_boxes(transforms, anchors)
    return _joined(transforms[:, :2] * anchors[:, 2:], right[:, 2:])


@exercise.mistake("the sign is wrong: a first number above 0 moves the box down, to a larger i")
def turned_round(transforms, anchors):
    return decode_boxes(transforms * np.array([-1, -1, 1, 1], transforms.dtype), anchors)


@exercise.mistake("the sides were divided by exp(t); a number above 0 makes the box larger than its anchor")
def divided(transforms, anchors):
    return decode_boxes(transforms * np.array([1, 1, -1, -1], transforms.dtype), anchors)


@exercise.mistake("the sides are exchanged: the third number belongs to the height, the fourth to the width")
def numbers_exchanged(transforms, anchors):
    return decode_boxes(transforms[:, [0, 1, 3, 2]], anchors)


@exercise.mistake("the power is one of 2; the logarithm was a natural one, so take np.exp")
def base_2(transforms, anchors):
    right = decode_boxes(transforms, anchors)
    return _joined(right[:, :2], anchors[:, 2:] * 2 ** transforms[:, 2:])


@exercise.mistake("exp(t) alone is no side in pixels; multiply it by the side of the anchor")
def ratios_alone(transforms, anchors):
    right = decode_boxes(transforms, anchors)
    return _joined(right[:, :2], np.exp(transforms[:, 2:]))


@exercise.mistake("the centre was moved by halves of the sides; 1 stands for one whole height or width of the anchor")
def by_halves(transforms, anchors):
    return decode_boxes(transforms * np.array([0.5, 0.5, 1, 1], transforms.dtype), anchors)


@exercise.mistake("the result is float64 for float32 anchors; it should have their dtype")
def float64(transforms, anchors):
    return decode_boxes(transforms.astype(np.float64), anchors.astype(np.float64))


@exercise.mistake("both distances are in heights of the anchor; the second one is in its widths")
def by_the_height_alone(transforms, anchors):
    right = decode_boxes(transforms, anchors)
    return _joined(anchors[:, :2] + transforms[:, :2] * anchors[:, 2:3], right[:, 2:])


@exercise.mistake("the top left corner was returned; i and j are the centre of the box")
def top_left_corner(transforms, anchors):
    right = decode_boxes(transforms, anchors)
    return _joined(right[:, :2] - right[:, 2:] / 2, right[:, 2:])


@exercise.mistake("two opposite corners were returned; a box is its centre, its height and its width")
def two_corners(transforms, anchors):
    right = decode_boxes(transforms, anchors)
    return _joined(right[:, :2] - right[:, 2:] / 2, right[:, :2] + right[:, 2:] / 2)


@exercise.mistake("the boxes were rounded to whole pixels; their edges may lie anywhere")
def rounded(transforms, anchors):
    return np.rint(decode_boxes(transforms, anchors))
