"""Lesson 00: the number of a pixel, counted row by row. It is the class that the paper's classifier predicts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield canvases that are wide, tall, of one row and one column, of 64 x 64 and larger; and no pixels."""
    h, w = int(rng.integers(4, 7)), int(rng.integers(8, 12))

    def pixels(n: int, height: int, width: int) -> tuple:
        return rng.integers(0, width, n), rng.integers(0, height, n), height, width

    yield Case(f"5 pixels of a canvas of {h} rows and {w} columns", pixels(5, h, w))
    y, x = np.indices((w, h)).reshape(2, -1)
    yield Case(f"every pixel of a canvas of {w} rows and {h} columns", (x, y, w, h))
    corners = np.array([0, w - 1, 0, w - 1]), np.array([0, 0, h - 1, h - 1])
    yield Case(f"the four corners of a canvas of {h} rows and {w} columns", (*corners, h, w))
    yield Case(f"a canvas of one row and {w} columns", pixels(4, 1, w))
    yield Case("6 pixels of the paper's canvas, 64 x 64", pixels(6, 64, 64))
    yield Case("no pixels: x and y are empty", pixels(0, h, w))
    yield Case(f"a canvas of {h} rows and one column", pixels(4, h, 1))
    large = np.array([0, 71, 499, 310]), np.array([66, 0, 299, 290])
    yield Case("4 pixels of a large canvas, 300 rows and 500 columns", (*large, 300, 500))


exercise = Exercise(
    id="pixel_index",
    lesson=0,
    title="The number of a pixel",
    minutes=3,
    difficulty=1,
    axes=("pixels",),
    cases=cases,
    imports=(),
    hints=(
        "Count on the drawing: how many pixels come before the first one of row 1? Before the first one of row 2?",
        "Above row y lie y whole rows, and each has as many pixels as the canvas is wide.",
        "In its own row, x pixels come before the one in column x. Add the two numbers.",
    ),
)


@exercise.solved_by
def pixel_index(x, y, height, width):
    """Return the number of the pixel in column x and row y.

    Pixels are counted in reading order: row by row from the top, each row from left to right.
    The first is number 0, the last number height * width - 1.

    x: columns, int array of shape (n,); 0 is the leftmost.
    y: rows, int array of shape (n,); 0 is the top one.
    height, width: rows and columns of the canvas.

    Returns an int array of shape (n,).
    """
    return y * width + x


@exercise.mistake("x and y are exchanged; x is the column and y the row")
def exchanged(x, y, height, width):
    return x * width + y


@exercise.mistake("a row was assumed to have `height` pixels; it has `width` pixels")
def height_for_width(x, y, height, width):
    return y * height + x


@exercise.mistake("the pixels are counted column by column; they should be counted row by row")
def column_by_column(x, y, height, width):
    return x * height + y


@exercise.mistake("the count begins at 1; the first pixel is number 0")
def from_one(x, y, height, width):
    return y * width + x + 1


@exercise.mistake("a row was assumed to be one pixel too short; columns 0 to width - 1 are width pixels")
def row_too_short(x, y, height, width):
    return y * (width - 1) + x


@exercise.mistake("the rows are counted from the bottom; row 0 is the top one")
def upside_down(x, y, height, width):
    return (height - 1 - y) * width + x


@exercise.mistake("one row too few was counted; y whole rows lie above row y, because the top one is row 0")
def rows_from_one(x, y, height, width):
    return (y - 1) * width + x


@exercise.mistake(
    "int16 holds numbers up to 32767, and a larger one starts again below 0; a large canvas needs more bits"
)
def in_16_bits(x, y, height, width):
    return (y * width + x).astype(np.int16)


@exercise.mistake("a row was assumed to have 64 pixels on every canvas; it has `width` pixels")
def always_64(x, y, height, width):
    return y * 64 + x


@exercise.mistake("one row too many was counted; y whole rows lie above row y, and its own row is not full yet")
def rows_too_many(x, y, height, width):
    return (y + 1) * width + x


@exercise.mistake("a row was assumed to be one pixel too long; columns 0 to width - 1 are width pixels")
def row_too_long(x, y, height, width):
    return y * (width + 1) + x
