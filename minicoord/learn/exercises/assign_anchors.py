"""Lesson 10: which boxes hold a digit, which are background, and which are neither."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def _image(rng: np.random.Generator, boxes: int, digits: int) -> tuple[np.ndarray, np.ndarray]:
    """Return IOUs of every kind and which boxes are inside: each with high, middle, low and no overlap."""
    iou = rng.uniform(0, 0.09, (boxes, digits))
    level = rng.permutation(np.arange(boxes) % 4)
    column = rng.permutation(np.arange(boxes) % digits)
    own = np.choose(level, [rng.uniform(0.55, 0.9, boxes), rng.uniform(0.2, 0.45, boxes), iou[:, 0], iou[:, 0]])
    iou[np.arange(boxes), column] = np.maximum(own, iou[np.arange(boxes), column])
    second = np.flatnonzero((level == 0) & (np.arange(boxes) % 3 == 0))
    iou[second, (column[second] + 1) % digits] = rng.uniform(0.52, 0.54, len(second))  # overlaps two
    return iou, rng.permutation(np.arange(boxes) % 3 > 0)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield images whose digits are well and badly met, one digit, none, exact thresholds, no box, and float32."""
    boxes, digits = int(rng.integers(30, 40)), int(rng.integers(4, 6))
    yield Case(f"{boxes} boxes, {digits} digits", _image(rng, boxes, digits))
    iou, inside = _image(rng, boxes, 3)
    yield Case("no box overlaps a digit by more than .5", (0.5 * iou, inside))
    # Box 2 is the best of digit 0, overlaps digit 1 more, and box 3 is the best of digit 1.
    shared = np.array([[0.0, 0.3, 0.0], [0.05, 0.0, 0.08], [0.6, 0.7, 0.0], [0.1, 0.8, 0.0], [0.02, 0.0, 0.01]])
    yield Case("the best box of one digit overlaps another more", (shared[:, :2], np.array([1, 1, 1, 1, 0]) > 0))
    yield Case(
        "the best boxes of digits lie partly outside, or hardly overlap", (shared, np.array([1, 1, 0, 0, 1]) > 0)
    )
    yield Case("the best box of the first digit hardly overlaps it", (shared[:, ::-1], np.array([1, 1, 1, 1, 1]) > 0))
    several = np.array([[0.9, 0.0], [0.55, 0.7], [0.0, 0.8], [0.75, 0.6]])
    yield Case("boxes that overlap both digits by more than .5", (several, np.array([1, 1, 1, 1]) > 0))
    outside = np.array([[0.4, 0.0], [0.6, 0.3], [0.2, 0.7], [0.0, 0.45]])
    yield Case("the best boxes of both digits lie outside, and good ones inside", (outside, np.array([1, 0, 0, 1]) > 0))
    twice = np.array([[0.3, 0.6, 0.2], [0.0, 0.05, 0.55], [0.07, 0.0, 0.0], [0.05, 0.02, 0.04]])
    yield Case("one box is the best of two digits", (twice, np.array([1, 1, 1, 1]) > 0))
    yield Case("one box is the best of two digits, in another order", (twice[:, [1, 0, 2]], np.array([1, 1, 1, 1]) > 0))
    missed = np.array([[0.0, 0.2], [0.0, 0.6], [0.0, 0.0]])
    yield Case("a digit that no box overlaps", (missed, np.array([1, 1, 1]) > 0))
    exact = np.array([[0.9, 0.0], [0.5, 0.1], [0.1, 0.0], [0.0, 0.7], [0.05, 0.0]])
    yield Case("IOUs of exactly .5 and .1", (exact, np.array([1, 1, 1, 1, 1]) > 0))
    tied = np.array([[0.2], [0.4], [0.4], [0.0]])
    yield Case("two boxes are equally good for a digit: the first is its best", (tied, np.array([1, 1, 1, 1]) > 0))
    yield Case("an image without digits", (np.zeros((4, 0)), np.array([1, 0, 1, 1]) > 0))
    yield Case("no box", (np.zeros((0, 3)), np.zeros(0, bool)))
    iou, inside = _image(rng, boxes, digits)
    yield Case("float32", (iou.astype(np.float32), inside))


exercise = Exercise(
    id="assign_anchors",
    lesson=10,
    title="Which boxes hold a digit",
    minutes=20,
    difficulty=3,
    builds_on=("box_iou_pairs",),
    axes=(),
    cases=cases,
    hints=(
        "iou.max(axis=1, initial=0) is the best IOU of each box with any digit; initial makes it work without digits.",
        "Begin with digit = np.full(len(iou), -1). A box k inside with a best IOU above .5 gets iou[k].argmax().",
        "Then the best box of each digit, iou[:, d].argmax(), gets that digit, wherever it lies, if they overlap.",
        "For the best box of two digits: go through the digits by rising best IOU, so that the greatest comes last.",
        "Background: inside, best IOU below .1, and not positive.",
    ),
)


@exercise.solved_by
def assign_anchors(iou, inside):
    """Return which boxes hold a digit, and which are background.

    iou: the IOU of each box with each digit, shape (N, D).
    inside: whether each box lies within the image, bool, shape (N,).

    A box is positive if it is the best box of a digit, that of the largest IOU (of equal ones
    the first), wherever it lies; a digit that no box overlaps has none. A box is also positive
    if it lies within the image and its IOU with some digit is above .5. A positive box belongs
    to the digit that it overlaps most, but the best box of a digit belongs to that digit; the
    best box of two digits belongs to the one that it overlaps more.
    A box is negative if it lies within the image, its IOU with every digit is below .1, and it
    is not positive. The others are neither.

    Returns two arrays of shape (N,): digit, ints, the index of the digit that each positive box
    belongs to, and -1 for all other boxes; and negative, bools.
    """
    best = iou.max(axis=1, initial=0)  # (N,)
    digit = np.full(len(iou), -1)
    for k in np.flatnonzero(inside & (best > 0.5)):
        digit[k] = iou[k].argmax()
    best_of_digit = iou.max(axis=0, initial=0)  # (D,)
    for d in np.argsort(best_of_digit, kind="stable"):
        if best_of_digit[d] > 0:
            digit[iou[:, d].argmax()] = d
    return digit, inside & (best < 0.1) & (digit < 0)


def _above(iou: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return the digit that each chosen box overlaps most, and -1 for the others."""
    digit = np.full(len(iou), -1)
    for k in np.flatnonzero(chosen):
        digit[k] = iou[k].argmax()
    return digit


def _with_best_boxes(iou: np.ndarray, digit: np.ndarray) -> np.ndarray:
    """Return the digits after the best box of each digit has got it."""
    best = iou.max(axis=0, initial=0)
    for d in np.argsort(best, kind="stable"):
        if best[d] > 0:
            digit[iou[:, d].argmax()] = d
    return digit


def _right(iou: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the best IOU of each box, and what is right."""
    return (iou.max(axis=1, initial=0), *assign_anchors(iou, inside))


@exercise.mistake("the best box of each digit was forgotten: it is positive even where its IOU is not above .5")
def without_best_boxes(iou, inside):
    best = iou.max(axis=1, initial=0)
    digit = _above(iou, inside & (best > 0.5))
    return digit, inside & (best < 0.1) & (digit < 0)


@exercise.mistake("boxes above .5 were forgotten: a digit has its best box, and all others above .5")
def only_best_boxes(iou, inside):
    digit = _with_best_boxes(iou, np.full(len(iou), -1))
    return digit, inside & (iou.max(axis=1, initial=0) < 0.1) & (digit < 0)


@exercise.mistake("the best box of a digit counts wherever it lies; you took it only if it lies within the image")
def best_boxes_inside(iou, inside):
    _, digit, negative = _right(iou, inside)
    return np.where(inside, digit, -1), negative


@exercise.mistake("the maximum was taken along the wrong axis: the best IOU of each box is over the digits, axis 1")
def wrong_axis(iou, inside):
    best = iou.max(axis=0)
    digit = _above(iou, inside & (best > 0.5))
    return digit, inside & (best < 0.1)


@exercise.mistake(
    "the best box of a digit got the digit that it overlaps most; it belongs to the digit whose best it is, or that "
    "digit is left without a box"
)
def digit_of_the_box(iou, inside):
    _, digit, negative = _right(iou, inside)
    return _above(iou, digit >= 0), negative


@exercise.mistake("every box that is not positive was taken as background; from .1 to .5 a box is neither")
def all_others_negative(iou, inside):
    _, digit, _ = _right(iou, inside)
    return digit, inside & (digit < 0)


@exercise.mistake("background is below .1 with every digit, and not with any one of them")
def far_from_one_digit(iou, inside):
    _, digit, _ = _right(iou, inside)
    return digit, inside & (iou < 0.1).any(axis=1) & (digit < 0)


@exercise.mistake("background has to lie within the image, too")
def negative_outside(iou, inside):
    best, digit, _ = _right(iou, inside)
    return digit, (best < 0.1) & (digit < 0)


@exercise.mistake("a box above .5 is positive only if it lies within the image, unless it is the best box of a digit")
def positive_outside(iou, inside):
    best = iou.max(axis=1, initial=0)
    digit = _with_best_boxes(iou, _above(iou, best > 0.5))
    return digit, inside & (best < 0.1) & (digit < 0)


@exercise.mistake("`inside` was forgotten, for boxes above .5 and for background")
def without_inside(iou, inside):
    return assign_anchors(iou, np.ones(len(iou), bool))


@exercise.mistake("an IOU of exactly .5 is not enough; it has to be above")
def at_least_half(iou, inside):
    best = iou.max(axis=1, initial=0)
    digit = _with_best_boxes(iou, _above(iou, inside & (best >= 0.5)))
    return digit, inside & (best < 0.1) & (digit < 0)


@exercise.mistake("an IOU of exactly .1 is not background; it has to be below")
def at_most_a_tenth(iou, inside):
    best, digit, _ = _right(iou, inside)
    tenth = np.asarray(0.1, iou.dtype)
    return digit, inside & (best <= tenth) & (digit < 0)


@exercise.mistake(
    "a digit that no box overlaps has no best box; argmax of zeros is the first box, and that is no match"
)
def best_of_nothing(iou, inside):
    best, digit, _ = _right(iou, inside)
    for d in np.argsort(iou.max(axis=0, initial=0), kind="stable") if len(iou) else ():
        digit[iou[:, d].argmax()] = d
    return digit, inside & (best < 0.1) & (digit < 0)


@exercise.mistake(
    "a box is positive and background at once: the best box of a digit is no background, however low its IOU"
)
def both_at_once(iou, inside):
    best, digit, _ = _right(iou, inside)
    return digit, inside & (best < 0.1)


@exercise.mistake("the best box of two digits got the last of them; it belongs to the one that it overlaps more")
def last_digit_wins(iou, inside):
    best = iou.max(axis=1, initial=0)
    digit = _above(iou, inside & (best > 0.5))
    for d in range(iou.shape[1]):
        if iou[:, d].max(initial=0) > 0:
            digit[iou[:, d].argmax()] = d
    return digit, inside & (best < 0.1) & (digit < 0)


@exercise.mistake("every box got a digit; those that are not positive have -1")
def a_digit_for_all(iou, inside):
    _, digit, negative = _right(iou, inside)
    return np.where(digit < 0, iou.argmax(axis=1) if iou.shape[1] else 0, digit), negative


@exercise.mistake("the digits are counted from 1; the first column is digit 0")
def counted_from_one(iou, inside):
    _, digit, negative = _right(iou, inside)
    return np.where(digit < 0, -1, digit + 1), negative


@exercise.mistake("a maximum over no digits is an error; without digits every box has a best IOU of 0: initial=0")
def needs_a_digit(iou, inside):
    iou.max(axis=1)
    return assign_anchors(iou, inside)


@exercise.mistake("a maximum over no boxes is an error; a digit without boxes has a best IOU of 0: initial=0")
def needs_a_box(iou, inside):
    iou.max(axis=0)
    return assign_anchors(iou, inside)


@exercise.mistake(
    "boxes above .5 came after the best boxes and took their digits; the best box of a digit belongs to that digit"
)
def best_boxes_first(iou, inside):
    best = iou.max(axis=1, initial=0)
    digit = _with_best_boxes(iou, np.full(len(iou), -1))
    good = inside & (best > 0.5)
    digit = np.where(good, _above(iou, good), digit)
    return digit, inside & (best < 0.1) & (digit < 0)


@exercise.mistake("the best box of two digits got the one that it overlaps less, as the smaller IOU came last")
def smaller_one_wins(iou, inside):
    best, best_of_digit = iou.max(axis=1, initial=0), iou.max(axis=0, initial=0)
    digit = _above(iou, inside & (best > 0.5))
    for d in np.argsort(-best_of_digit, kind="stable"):
        if best_of_digit[d] > 0:
            digit[iou[:, d].argmax()] = d
    return digit, inside & (best < 0.1) & (digit < 0)


@exercise.mistake("the best box was looked for inside the image alone; it counts wherever it lies")
def best_of_those_inside(iou, inside):
    best = iou.max(axis=1, initial=0)
    digit = _with_best_boxes(iou * inside[:, None], _above(iou, inside & (best > 0.5)))
    return digit, inside & (best < 0.1) & (digit < 0)


@exercise.mistake(
    "a box that overlaps several digits by more than .5 got the first; it belongs to the one that it overlaps most"
)
def first_above_half(iou, inside):
    best = iou.max(axis=1, initial=0)
    digit = np.full(len(iou), -1)
    for k in np.flatnonzero(inside & (best > 0.5)):
        digit[k] = (iou[k] > 0.5).argmax()
    return _with_best_boxes(iou, digit), inside & (best < 0.1) & (_with_best_boxes(iou, digit) < 0)


@exercise.mistake("of two boxes that are equally good for a digit, the last was taken, or both; the first is its best")
def last_of_equals(iou, inside):
    best, best_of_digit = iou.max(axis=1, initial=0), iou.max(axis=0, initial=0)
    digit = _above(iou, inside & (best > 0.5))
    for d in np.argsort(best_of_digit, kind="stable"):
        if best_of_digit[d] > 0:
            digit[np.flatnonzero(iou[:, d] == best_of_digit[d])[-1]] = d
    return digit, inside & (best < 0.1) & (digit < 0)


@exercise.mistake("the two results are exchanged: first the digits, then which boxes are background")
def exchanged(iou, inside):
    return assign_anchors(iou, inside)[::-1]


@exercise.mistake("True or False was returned for the positive boxes; return the digit that each belongs to, or -1")
def positive_or_not(iou, inside):
    digit, negative = assign_anchors(iou, inside)
    return digit >= 0, negative
