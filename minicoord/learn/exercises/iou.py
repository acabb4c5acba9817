"""Lesson 07: the overlap of a drawing with its target."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def _square(rng: np.random.Generator, h: int, w: int, side: int) -> np.ndarray:
    """Return an image (h, w) of zeros with a square of ones somewhere inside it."""
    image = np.zeros((h, w))
    y, x = int(rng.integers(0, h - side + 1)), int(rng.integers(0, w - side + 1))
    image[y : y + side, x : x + side] = 1
    return image


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield squares that are drawn well, badly, too large, too small, and not at all, on images of all shapes."""
    h, w = int(rng.integers(7, 9)), int(rng.integers(10, 13))
    wanted = np.stack([_square(rng, h, w, 3), _square(rng, h, w, 4)])
    drawn = np.clip(0.2 + 0.5 * wanted + rng.uniform(-0.2, 0.2, wanted.shape), 0, 1)
    drawn[:, 0, :3] = rng.uniform(0.6, 0.9, (2, 3))
    drawn[:, 0, 3] = 0.5  # not above one half
    for image, square in zip(drawn, wanted, strict=True):
        image[tuple(np.argwhere(square)[-1])] = 0.3  # wanted and not drawn
    yield Case(f"2 images of {h} x {w}", (drawn, wanted))
    few = rng.uniform(0.05, 0.45, (3, h, w))
    few[0] = np.maximum(few[0], 0.9 * wanted[1])
    few[0, 0, 0] = few[1, 2, 3] = 0.8
    yield Case("drawn and wanted; drawn but not wanted; neither", (few, np.stack([wanted[1], 0 * few[1], 0 * few[2]])))
    yield Case("wanted and not drawn", (rng.uniform(0, 0.4, (2, h, w)), wanted))
    shifted = np.roll(wanted, int(rng.integers(1, 3)), axis=2)
    yield Case("a square in the wrong position, in float32", (shifted.astype(np.float32), wanted.astype(np.float32)))
    row = rng.integers(0, 2, (4, 1, w)).astype(float)
    row[:, 0, 0] = 1
    yield Case("images of one row", (rng.uniform(0, 1, row.shape), row))
    column = np.moveaxis(row, 1, 2)
    yield Case("images of one column", (rng.uniform(0, 1, column.shape), column))
    large = np.stack([_square(rng, 90, 70, 30)])
    yield Case("an image of 90 x 70", (rng.uniform(0, 1, large.shape), large))


exercise = Exercise(
    id="iou",
    lesson=7,
    title="Intersection over union",
    minutes=10,
    difficulty=1,
    axes=("images",),
    cases=cases,
    hints=(
        "Two boolean arrays: drawn = probabilities > 0.5, and wanted = target > 0.5.",
        "The intersection is drawn & wanted, the union drawn | wanted.",
        "Count the True entries of each image separately: np.count_nonzero with axis=(1, 2).",
        "Where the union is empty the answer is 1: use np.where, and divide by np.maximum(union, 1).",
    ),
)


@exercise.solved_by
def iou(probabilities, target):
    """Return the intersection over union of each image: pixels drawn and wanted, over drawn or
    wanted.

    probabilities: from 0 to 1, shape (N, H, W); a pixel is drawn if its probability is above
    one half.
    target: 1 where a pixel is wanted, else 0, shape (N, H, W).

    Returns float64 of shape (N,), from 0 to 1. An image in which nothing is drawn and nothing
    wanted counts as 1.
    """
    drawn, wanted = probabilities > 0.5, target > 0.5
    both = np.count_nonzero(drawn & wanted, axis=(1, 2))
    either = np.count_nonzero(drawn | wanted, axis=(1, 2))
    return np.where(either == 0, 1.0, both / np.maximum(either, 1))


def _counts(probabilities: np.ndarray, target: np.ndarray, threshold: float = 0.5) -> tuple[np.ndarray, ...]:
    """Return for each image the pixels drawn, wanted, both, and either."""
    drawn, wanted = probabilities > threshold, target > 0.5
    return tuple(np.count_nonzero(some, axis=(1, 2)) for some in (drawn, wanted, drawn & wanted, drawn | wanted))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(whole == 0, 1.0, part / np.maximum(whole, 1))


@exercise.mistake("drawn plus wanted counts the pixels that are both twice; the union counts them once")
def sum_as_union(probabilities, target):
    drawn, wanted, both, _ = _counts(probabilities, target)
    return _share(both, drawn + wanted)


@exercise.mistake("twice the intersection over drawn plus wanted is the Dice coefficient, a relative of the IOU")
def dice(probabilities, target):
    drawn, wanted, both, _ = _counts(probabilities, target)
    return _share(2 * both, drawn + wanted)


@exercise.mistake("that is the pixel accuracy; most pixels are black in both and should not count")
def accuracy(probabilities, target):
    return ((probabilities > 0.5) == (target > 0.5)).mean(axis=(1, 2))


@exercise.mistake("a pixel is drawn if its probability is above 0.5; above 0 is the rule for logits")
def threshold_of_logits(probabilities, target):
    *_, both, either = _counts(probabilities, target, threshold=0.0)
    return _share(both, either)


@exercise.mistake("the whole batch was counted as one image; each image has its own IOU")
def batch_as_one(probabilities, target):
    *_, both, either = _counts(probabilities, target)
    return both.sum() / max(either.sum(), 1)


@exercise.mistake("all images have the IOU of the whole batch; count the pixels of each image separately")
def batch_for_each(probabilities, target):
    return np.full(len(target), batch_as_one(probabilities, target))


@exercise.mistake("an image in which nothing is wanted and nothing drawn is perfect: its IOU is 1, not 0")
def nothing_is_zero(probabilities, target):
    *_, both, either = _counts(probabilities, target)
    return both / np.maximum(either, 1)


@exercise.mistake("the intersection is divided by the wanted pixels alone, so that too large a square costs nothing")
def over_wanted(probabilities, target):
    _, wanted, both, _ = _counts(probabilities, target)
    return _share(both, wanted)


@exercise.mistake("the probabilities were not cut at one half; a pixel is either drawn or not")
def without_a_cut(probabilities, target):
    both = (probabilities * target).sum(axis=(1, 2), dtype=np.float64)
    return both / (probabilities + target - probabilities * target).sum(axis=(1, 2), dtype=np.float64)


@exercise.mistake("an image in which nothing is drawn counts as 1 only where nothing is wanted either; else it is 0")
def nothing_drawn_is_one(probabilities, target):
    drawn, *_ = _counts(probabilities, target)
    return np.where(drawn == 0, 1.0, iou(probabilities, target))


@exercise.mistake("an image in which nothing is wanted counts as 1 only where nothing is drawn either; else it is 0")
def nothing_wanted_is_one(probabilities, target):
    _, wanted, *_ = _counts(probabilities, target)
    return np.where(wanted == 0, 1.0, iou(probabilities, target))


@exercise.mistake("0 / 0 is nan; an image in which nothing is drawn and nothing wanted counts as 1")
def nothing_is_nan(probabilities, target):
    *_, both, either = _counts(probabilities, target)
    return both / either


@exercise.mistake("a pixel of exactly one half counts as drawn; it has to be above")
def at_least_half(probabilities, target):
    *_, both, either = _counts(probabilities, target, threshold=np.nextafter(0.5, 0))
    return _share(both, either)


@exercise.mistake("the mean was taken at the end; return the IOU of each image")
def mean_of_all(probabilities, target):
    return float(iou(probabilities, target).mean())


@exercise.mistake("the intersection is divided by the drawn pixels alone, so that too small a square costs nothing")
def over_drawn(probabilities, target):
    drawn, _, both, _ = _counts(probabilities, target)
    return _share(both, drawn)


@exercise.mistake(
    "the union contains the intersection, too; you counted the pixels that are drawn or wanted, but not both"
)
def either_but_not_both(probabilities, target):
    *_, both, either = _counts(probabilities, target)
    return _share(both, either - both)


@exercise.mistake("this is union over intersection, upside down; an IOU is at most 1")
def upside_down(probabilities, target):
    *_, both, either = _counts(probabilities, target)
    return np.where(either == 0, 1.0, either / np.maximum(both, 1))


@exercise.mistake("these are the pixels of the intersection; divide them by those of the union")
def not_divided(probabilities, target):
    *_, both, either = _counts(probabilities, target)
    return np.where(either == 0, 1.0, both)


@exercise.mistake("// drops the remainder; use / for a fraction")
def whole_division(probabilities, target):
    *_, both, either = _counts(probabilities, target)
    return np.where(either == 0, 1, both // np.maximum(either, 1))


@exercise.mistake("the pixels that are drawn or wanted but not both are divided by the union; that is 1 - IOU")
def difference_over_union(probabilities, target):
    *_, both, either = _counts(probabilities, target)
    return (either - both) / np.maximum(either, 1)


@exercise.mistake("the result is in percent; return a number from 0 to 1")
def in_percent(probabilities, target):
    return 100 * iou(probabilities, target)


@exercise.mistake("these are the shares of all pixels that are drawn and wanted; divide by the union, not by the image")
def over_the_image(probabilities, target):
    *_, both, either = _counts(probabilities, target)
    return np.where(either == 0, 1.0, both / probabilities[0].size)
