"""Lesson 06: the weights of a linear CoordConv followed by a maximum, set by hand instead of trained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise

EXACT = 1e-3  # pixels


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield canvases that are wide, tall, square, of one row, one column and one pixel, and some above 64 pixels."""
    h, w = int(rng.integers(4, 7)), int(rng.integers(8, 12))
    yield Case(f"a canvas of {h} x {w}", (h, w))
    yield Case(f"a canvas of {w} x {h}", (w, h))
    yield Case(f"a canvas of {w} x {w}", (w, w))
    yield Case("one row", (1, w))
    yield Case(f"a canvas of 20 x {w + 20}", (20, w + 20))
    yield Case("one column", (w, 1))
    yield Case("one pixel", (1, 1))
    yield Case("a canvas of 70 x 100", (70, 100))
    yield Case("a canvas of 100 x 3", (100, 3))


def _layer(weights: np.ndarray, height: int, width: int, dtype: type) -> tuple[np.ndarray, np.ndarray]:
    """Return what the layer computes at every pixel in this dtype, if the pixel is dark and if it is lit.

    Two arrays of shape (height, width, 2).
    """
    i = (np.linspace(-1, 1, height) if height > 1 else np.zeros(1)).astype(dtype)
    j = (np.linspace(-1, 1, width) if width > 1 else np.zeros(1)).astype(dtype)
    image, row, column, bias = weights.astype(dtype)
    places = i[:, None, None] * row + j[:, None] * column
    return places + bias, image + places + bias


def _answers(dark: np.ndarray, lit: np.ndarray) -> np.ndarray:
    """Return the two maxima over all pixels for every pixel that may be lit, shape (height, width, 2)."""
    values = dark.reshape(-1, 2)
    others = np.empty_like(values)  # the largest of all pixels but this one
    for channel in range(2):
        ranked = np.argsort(values[:, channel])
        others[:, channel] = values[ranked[-1], channel]
        others[ranked[-1], channel] = values[ranked[-2], channel] if len(values) > 1 else -np.inf
    return np.maximum(others.reshape(dark.shape), lit)


def _wrong_pixels(weights: np.ndarray, height: int, width: int, dtype: type) -> np.ndarray:
    """Return (row, column) of every lit pixel for which the answer is off by more than `EXACT`."""
    row, column = np.indices((height, width))
    answers = _answers(*_layer(weights, height, width, dtype))
    return np.argwhere((np.abs(answers - np.stack([column, row], axis=2)) > EXACT).any(axis=2))


def judge(args: tuple[Any, ...], result: Any) -> str | None:
    """Return None if the network finds every lit pixel to a thousandth of a pixel, else what is wrong."""
    height, width = args
    weights = np.asarray(result)
    if weights.shape != (4, 2):
        return f"the shape is {weights.shape}, wanted (4, 2): image, i, j and bias, each for x and y"
    if not np.isfinite(weights).all():
        return "some weights are nan or infinite"
    wrong = _wrong_pixels(weights, height, width, np.float32)
    if not len(wrong):
        return None
    if not len(_wrong_pixels(weights, height, width, np.float64)):
        return (
            "the weights are right in float64, but the network computes in float32, which keeps seven digits, and its "
            "answers are off by more than a thousandth of a pixel"
        )
    row, column = wrong[0]
    dark, lit = _layer(weights, height, width, np.float32)
    values = dark.copy()
    values[row, column] = lit[row, column]
    found = values.max(axis=(0, 1))
    said = f"with the pixel at x = {column}, y = {row} lit, the answer is ({found[0]:.3g}, {found[1]:.3g})"
    for name, channel in (("x", 0), ("y", 1)):
        if values[row, column, channel] < found[channel] - EXACT:
            place = divmod(int(values[..., channel].argmax()), width)
            return f"{said}; the maximum for {name} comes from row {place[0]}, column {place[1]}, which is dark"
    return f"{said}; it should be ({column}, {row})"


exercise = Exercise(
    id="exact_regressor",
    lesson=6,
    title="Six numbers that find the pixel",
    minutes=20,
    difficulty=3,
    builds_on=("add_coords",),
    axes=("image, i, j and bias", "x and y"),
    cases=cases,
    judge=judge,
    hints=(
        "First let every pixel state its own column: from j in [-1, 1] to 0 ... width - 1 is one factor, one offset.",
        "(j + 1) * (width - 1) / 2. Now the maximum over all pixels is always width - 1. How can the lit pixel win?",
        "Push all pixels down by a number so large that every dark one is below 0, and lift the lit one by the same.",
        "For x: image weight A, j weight (width - 1) / 2, bias (width - 1) / 2 - A, with A = width. For y use i.",
    ),
)


@exercise.solved_by
def exact_regressor(height, width):
    """Return weights with which a CoordConv and a maximum find the lit pixel.

    height, width: the size of the canvas. The image is 1 at one pixel and 0 at all others; i
    (rows) and j (columns) run from -1 to 1, and are 0 if there is only one row or one column.
    At every pixel the layer computes two numbers,

        image * weights[0] + i * weights[1] + j * weights[2] + weights[3]

    and then takes the maximum of each over all pixels. The two maxima have to be the column x and
    the row y of the lit pixel, counted from 0, whichever pixel is lit, to a thousandth of a pixel.
    The network computes in float32. More than one answer is right.

    Returns shape (4, 2): a row each for image, i, j and the bias, a column each for x and y.
    """
    weights = np.zeros((4, 2))
    weights[2, 0] = (width - 1) / 2
    weights[1, 1] = (height - 1) / 2
    for axis, length in ((0, width), (1, height)):
        weights[0, axis] = length
        weights[3, axis] = (length - 1) / 2 - length
    return weights


def _changed(height: int, width: int, lit: float, bias: float) -> np.ndarray:
    """Return the solution with these factors on the image's weight and on the part of the bias that cancels it."""
    weights = exact_regressor(height, width)
    for axis, length in ((0, width), (1, height)):
        weights[0, axis] = lit * length
        weights[3, axis] = (length - 1) / 2 - bias * length
    return weights


@exercise.mistake("the image has no weight, so the answer is the last column and row, whichever pixel is lit")
def blind(height, width):
    return _changed(height, width, 0, 0)


@exercise.mistake(
    "the lit pixel is lifted, but the others are not pushed down as far: its answer is too large by that amount"
)
def not_pressed_down(height, width):
    return _changed(height, width, 1, 0)


@exercise.mistake("the lit pixel is lifted too little; on the left or at the top it loses to the last column or row")
def lifted_too_little(height, width):
    return _changed(height, width, 0.5, 0.5)


@exercise.mistake(
    "the lift is so large that float32 has no digits left for the column and the row; a little more than the sides of "
    "the canvas is enough"
)
def lifted_too_far(height, width):
    return _changed(height, width, 1e8, 1e8)


@exercise.mistake("a lift of 64 suits 64 x 64 pixels; on a larger canvas the lit pixel loses to the last column or row")
def always_lifted_by_64(height, width):
    half = np.array([width - 1, height - 1]) / 2
    return np.array([[64, 64], [0, half[1]], [half[0], 0], half - 64])


@exercise.mistake("x and y are exchanged: x is the column and comes from j, y is the row and comes from i")
def exchanged(height, width):
    weights = exact_regressor(height, width)
    return weights[:, ::-1].copy()


@exercise.mistake("from the first to the last of n pixels there are n - 1 steps; the factor is (n - 1) / 2, not n / 2")
def divided_by_length(height, width):
    weights = exact_regressor(height, width)
    weights[2, 0], weights[1, 1] = width / 2, height / 2
    weights[3] = -weights[0] + (width / 2, height / 2)
    return weights


@exercise.mistake("the offset of the coordinates is missing from the bias; j = 0 is the middle column, not column 0")
def no_offset(height, width):
    weights = exact_regressor(height, width)
    weights[3] = -weights[0]
    return weights


@exercise.mistake("one channel cannot hold both: x must not depend on i, nor y on j")
def both_in_each(height, width):
    weights = exact_regressor(height, width)
    weights[1:3] = weights[1:3].sum(axis=1, keepdims=True)
    return weights


@exercise.mistake("i and j are exchanged: x is the column and comes from j, y is the row and comes from i")
def i_and_j_exchanged(height, width):
    weights = exact_regressor(height, width)
    weights[1:3] = weights[1:3, ::-1].copy()
    return weights


@exercise.mistake("the rows of i and j are exchanged: weights[1] belongs to i, weights[2] to j")
def rows_exchanged(height, width):
    return exact_regressor(height, width)[[0, 2, 1, 3]]


@exercise.mistake("lifting the lit pixel by 1 is too little; it has to rise above the last column and row, n - 1")
def lifted_by_one(height, width):
    weights = _changed(height, width, 0, 1)
    weights[0], weights[3] = 1, weights[3] + (width - 1, height - 1)
    return weights


@exercise.mistake("height and width are exchanged: x and j go with the width, y and i with the height")
def sizes_exchanged(height, width):
    return exact_regressor(width, height)


@exercise.mistake("from j = -1 to j = 1 the distance is 2, not 1; the factor is (n - 1) / 2, not n - 1")
def factor_not_halved(height, width):
    weights = exact_regressor(height, width)
    weights[1:3] *= 2
    return weights


@exercise.mistake("j runs only from -1 to 1; it needs a factor to run from 0 to width - 1, and so does i")
def no_factor(height, width):
    weights = exact_regressor(height, width)
    weights[1, 1] = weights[2, 0] = 1
    weights[3] = -weights[0]
    return weights


@exercise.mistake("columns and rows were counted from 1; the first of each is 0")
def counted_from_one(height, width):
    weights = exact_regressor(height, width)
    weights[3] += 1
    return weights


@exercise.mistake("the weights are divided by 64; the answer of this network is in pixels")
def divided_by_64(height, width):
    return exact_regressor(height, width) / 64


@exercise.mistake(
    "the answer runs from right to left: the factor of a coordinate is positive, because the last one is 1"
)
def mirrored(height, width):
    weights = exact_regressor(height, width)
    weights[1:3] *= -1
    return weights
