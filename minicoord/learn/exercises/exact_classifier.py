"""Lesson 05: the classification task solved by a formula, with nothing learned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise

SURE = 0.5  # the right pixel has to get more than this share of the probability


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield positions on canvases of several shapes, in corners too, and on the paper's canvas."""
    h, w = int(rng.integers(5, 8)), int(rng.integers(9, 13))
    yield Case(f"4 positions on {h} x {w} pixels", (_places(rng, 4, h, w), h, w))
    yield Case(f"4 positions on {w} x {h} pixels", (_places(rng, 4, w, h), w, h))
    yield Case(f"the four corners of {h} x {w} pixels", (np.array([[-1.0, -1], [1, -1], [-1, 1], [1, 1]]), h, w))
    yield Case("the paper's canvas, in float32", (_places(rng, 3, 64, 64).astype(np.float32), 64, 64))
    yield Case(f"20 rows, {w + 30} columns", (_places(rng, 3, 20, w + 30), 20, w + 30))


def _places(rng: np.random.Generator, number: int, h: int, w: int) -> np.ndarray:
    """Return (x, y) of pixels in [-1, 1]; the first has its column and its row far apart.

    A position that was computed is off by rounding. These are a little too small, where int() takes the pixel before.
    """
    x, y = rng.integers(w, size=number), rng.integers(h, size=number)
    x[0], y[0] = w - 2, 1
    return np.stack([2 * x / (w - 1) - 1, 2 * y / (h - 1) - 1], axis=1) - 1e-7


def judge(args: tuple[Any, ...], result: Any) -> str | None:
    """Return None if most of the probability is on the right pixel for every (x, y), else what is wrong."""
    xy, height, width = args
    logits = np.asarray(result)
    if logits.shape != (len(xy), height, width):
        return f"the shape is {logits.shape}, wanted {(len(xy), height, width)}: (N, height, width)"
    # -inf stands for a probability of 0, as in the logarithm of a one-hot image
    if np.isnan(logits).any() or np.isposinf(logits).any() or np.isneginf(logits).all(axis=(1, 2)).any():
        return "some logits are infinite or not a number; use finite numbers, such as -1000 where a pixel is wrong"
    z = logits.reshape(len(xy), -1).astype(np.float64)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    probabilities = z.min() >= 0 and np.allclose(z.sum(axis=1), 1, atol=1e-3)
    for n, (x, y) in enumerate(np.asarray(xy, np.float64)):
        column, row = round((x + 1) * (width - 1) / 2), round((y + 1) * (height - 1) / 2)
        best_row, best_column = divmod(int(z[n].argmax()), width)
        equal = np.flatnonzero(np.isclose(z[n], z[n].max(), rtol=1e-9, atol=1e-9))
        if len(equal) > 1:
            (row_1, column_1), (row_2, column_2) = (divmod(int(number), width) for number in equal[:2])
            return (
                f"for position {n}, {len(equal)} pixels share the largest logit, such as row {row_1}, "
                f"column {column_1}, and row {row_2}, column {column_2}; only row {row}, column {column} should have it"
            )
        if (best_row, best_column) != (row, column):
            return (
                f"for position {n} the largest logit is at row {best_row}, column {best_column}; "
                f"it should be at row {row}, column {column}"
            )
        if p[n, row * width + column] <= SURE and probabilities:
            return (
                f"the largest number for position {n} is at the right pixel, but the numbers of each position sum to "
                "1, so that the softmax makes them nearly equal; return logits"
            )
        if p[n, row * width + column] <= SURE:
            return (
                f"for position {n} the right pixel has the largest logit, but a probability of only "
                f"{p[n, row * width + column]:.3f}; it needs more than {SURE}: let the logits fall off more steeply"
            )
    return None


exercise = Exercise(
    id="exact_classifier",
    lesson=5,
    title="Solved by hand",
    minutes=15,
    difficulty=2,
    builds_on=("add_coords", "softmax_cross_entropy"),
    axes=("positions", "rows", "columns"),
    cases=cases,
    judge=judge,
    hints=(
        "The logit should be largest where i equals y and j equals x. What is 0 there and negative everywhere else?",
        "-((i - y)**2 + (j - x)**2) is. But neighbours are 2 / 63 apart, too little for the softmax: count in pixels.",
        "(i - y) * (height - 1) / 2 is the distance in rows. A factor of 5 or 10 before the squares makes it sharp.",
        "Shapes: i as (1, height, 1), j as (1, 1, width), and x = xy[:, 0, None, None] as (N, 1, 1).",
    ),
)


@exercise.solved_by
def exact_classifier(xy, height, width):
    """Return logits computed by a formula; most of their softmax is on the pixel at (x, y).

    xy: positions, shape (N, 2), x (column) and then y (row), scaled like the coordinates: -1 is
    the first column or row and 1 the last, and every position is that of a pixel. height, width:
    the size of the canvas, at least 2 each.

    Every pixel may look at its own coordinates i and j and at x and y, as the network does.
    More than one formula is right. More than half of the probability has to be on the right
    pixel, on any canvas up to 64 x 64.

    Returns shape (N, height, width).
    """
    i = np.linspace(-1, 1, height)[None, :, None]
    j = np.linspace(-1, 1, width)[None, None, :]
    x, y = xy[:, 0, None, None], xy[:, 1, None, None]
    rows = (i - y) * (height - 1) / 2
    columns = (j - x) * (width - 1) / 2
    return -10 * (rows**2 + columns**2)


@exercise.mistake("x and y are exchanged: compare i (rows) with y and j (columns) with x")
def exchanged(xy, height, width):
    return exact_classifier(xy[:, ::-1], height, width)


@exercise.mistake("the sign is missing: the logit is smallest at the right pixel, and should be largest")
def sign_missing(xy, height, width):
    return -exact_classifier(xy, height, width)


@exercise.mistake(
    "in [-1, 1] two neighbours are a few hundredths apart, so all logits are nearly equal; count in pixels"
)
def not_sharp(xy, height, width):
    i = np.linspace(-1, 1, height)[None, :, None]
    j = np.linspace(-1, 1, width)[None, None, :]
    return -((i - xy[:, 1, None, None]) ** 2 + (j - xy[:, 0, None, None]) ** 2)


@exercise.mistake("without squares or absolute values the differences cancel, and the largest logit is in a corner")
def no_square(xy, height, width):
    i = np.linspace(-1, 1, height)[None, :, None]
    j = np.linspace(-1, 1, width)[None, None, :]
    return -10 * ((i - xy[:, 1, None, None]) * (height - 1) / 2 + (j - xy[:, 0, None, None]) * (width - 1) / 2)


@exercise.mistake("raw pixel numbers are compared with x and y, which run from -1 to 1")
def raw_indices(xy, height, width):
    i, j = np.arange(height)[None, :, None], np.arange(width)[None, None, :]
    return -10 * ((i - xy[:, 1, None, None]) ** 2 + (j - xy[:, 0, None, None]) ** 2)


@exercise.mistake(
    "these are probabilities: the softmax comes afterwards, and it makes numbers from 0 to 1 nearly equal"
)
def probabilities(xy, height, width):
    logits = exact_classifier(xy, height, width)
    e = np.exp(logits - logits.max(axis=(1, 2), keepdims=True))
    return e / e.sum(axis=(1, 2), keepdims=True)


@exercise.mistake(
    "i * y + j * x grows towards a corner of the canvas; the logit has to fall off on all sides of the right pixel"
)
def product(xy, height, width):
    i = np.linspace(-1, 1, height)[None, :, None]
    j = np.linspace(-1, 1, width)[None, None, :]
    return 1000 * (i * xy[:, 1, None, None] + j * xy[:, 0, None, None])


@exercise.mistake("only the columns are compared, j with x; compare the rows, too, i with y")
def columns_alone(xy, height, width):
    j = np.linspace(-1, 1, width)[None, None, :]
    return np.repeat(-10 * ((j - xy[:, 0, None, None]) * (width - 1) / 2) ** 2, height, axis=1)


@exercise.mistake("only the rows are compared, i with y; compare the columns, too, j with x")
def rows_alone(xy, height, width):
    i = np.linspace(-1, 1, height)[None, :, None]
    return np.repeat(-10 * ((i - xy[:, 1, None, None]) * (height - 1) / 2) ** 2, width, axis=2)


@exercise.mistake(
    "int() cuts off the fraction, so that a position computed as 6.9999999 becomes pixel 6; round it with np.rint"
)
def truncated(xy, height, width):
    logits = np.zeros((len(xy), height, width))
    for n, (x, y) in enumerate(xy.astype(np.float64)):
        logits[n, int((y + 1) * (height - 1) / 2), int((x + 1) * (width - 1) / 2)] = 1000
    return logits


@exercise.mistake(
    "numbers that were computed are off by rounding, so == finds no pixel; let the logit fall off with the distance"
)
def exactly_equal(xy, height, width):
    i, j = np.linspace(-1, 1, height)[None, :, None], np.linspace(-1, 1, width)[None, None, :]
    return 1000.0 * ((i == xy[:, 1, None, None]) & (j == xy[:, 0, None, None]))


@exercise.mistake(
    "the two differences were added before the absolute value, so that one cancels the other and several pixels tie; "
    "take the absolute value or the square of each"
)
def absolute_of_the_sum(xy, height, width):
    return -abs(no_square(xy, height, width))
