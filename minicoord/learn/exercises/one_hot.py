"""Lesson 01: one white pixel for each centre: what the classifier should answer, and what the regressor is shown."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield one pixel and several, in corners, the same one twice, on canvases of all shapes and above 64, and none."""
    h, w = int(rng.integers(4, 7)), int(rng.integers(8, 12))
    x, y = int(rng.integers(2, 4)), int(rng.integers(0, 2))
    yield Case(f"x = {x}, y = {y} on {h} rows and {w} columns", (np.array([x]), np.array([y]), h, w))
    x = rng.permutation(h)[:3]
    yield Case(f"3 pixels on {w} rows and {h} columns", (x, (x + 1) % h, w, h))
    yield Case(f"5 pixels on {h} rows and {w} columns", (rng.integers(0, w, 5), rng.integers(0, h, 5), h, w))
    x, y = np.array([0, w - 1, 0, w - 1]), np.array([0, 0, h - 1, h - 1])
    yield Case(f"the four corners of {h} rows and {w} columns", (x, y, h, w))
    yield Case("the same pixel twice", (np.array([1, 1]), np.array([2, 2]), h, w))
    yield Case("no pixels: x and y are empty", (np.zeros(0, int), np.zeros(0, int), h, w))
    yield Case("3 pixels on 70 rows and 90 columns", (np.array([89, 3, 66]), np.array([2, 69, 67]), 70, 90))
    yield Case(f"3 pixels on one row and {w} columns", (rng.permutation(w)[:3], np.zeros(3, int), 1, w))
    yield Case(f"3 pixels on {h} rows and one column", (np.zeros(3, int), rng.permutation(h)[:3], h, 1))


exercise = Exercise(
    id="one_hot",
    lesson=1,
    title="One white pixel",
    minutes=8,
    difficulty=1,
    builds_on=("draw_square",),
    axes=("images", "rows", "columns", "channels"),
    cases=cases,
    hints=(
        "Begin with np.zeros for the whole result, in np.float32. Then one number in each image becomes 1.",
        "A loop over the images will do: images[k, row, column, 0] = 1.",
        "Without a loop: NumPy pairs index arrays, so np.arange(n), y, x picks one pixel in each of n images.",
    ),
)


@exercise.solved_by
def one_hot(x, y, height, width):
    """Return images that are 1 at one pixel and 0 everywhere else.

    x, y: column and row of the pixel of each image, int arrays of shape (n,).
    height, width: rows and columns of the canvas.

    Returns float32 of shape (n, height, width, 1).
    """
    images = np.zeros((len(x), height, width, 1), np.float32)
    images[np.arange(len(x)), y, x, 0] = 1
    return images


@exercise.mistake("x and y are exchanged; rows come first in an image, and y is the row")
def exchanged(x, y, height, width):
    images = np.zeros((len(x), height, width, 1), np.float32)
    images[np.arange(len(x)), x, y, 0] = 1  # an IndexError where x is no row
    return images


@exercise.mistake(
    "every image got the pixels of all of them; ':' selects all images, so pair each image with its own pixel"
)
def all_images(x, y, height, width):
    images = np.zeros((len(x), height, width, 1), np.float32)
    images[:, y, x, 0] = 1
    return images


@exercise.mistake("rows and columns are counted from 1; the top left pixel is x = 0, y = 0")
def from_one(x, y, height, width):
    # NumPy reads the index -1 as the last pixel.
    return one_hot(x - 1, y - 1, height, width)


@exercise.mistake("the rows are counted from the bottom; row 0 is the top one")
def upside_down(x, y, height, width):
    return one_hot(x, height - 1 - y, height, width)


@exercise.mistake("the pixels of all images are in the first one; image k should have pixel k")
def all_in_the_first(x, y, height, width):
    images = np.zeros((len(x), height, width, 1), np.float32)
    images[:1, y, x, 0] = 1
    return images


@exercise.mistake("only the first image has its pixel; loop over all of them, and return after the loop")
def first_only(x, y, height, width):
    images = one_hot(x, y, height, width)
    images[1:] = 0
    return images


@exercise.mistake("np.zeros and np.eye make float64 by default; give them np.float32")
def in_float64(x, y, height, width):
    return one_hot(x, y, height, width).astype(np.float64)


@exercise.mistake("white is 255 here; it should be 1")
def white_is_255(x, y, height, width):
    return 255 * one_hot(x, y, height, width)


@exercise.mistake("the columns are counted from the right; column 0 is the leftmost")
def mirrored(x, y, height, width):
    return one_hot(width - 1 - x, y, height, width)


@exercise.mistake("a whole row is white; only the pixel in column x should be")
def whole_row(x, y, height, width):
    return np.repeat(one_hot(0 * x, y, height, 1), width, axis=2)


@exercise.mistake("a whole column is white; only the pixel in row y should be")
def whole_column(x, y, height, width):
    return np.repeat(one_hot(x, 0 * y, 1, width), height, axis=1)


@exercise.mistake("the pixel was numbered by y * height + x; a row has `width` pixels, so its number is y * width + x")
def numbered_by_the_height(x, y, height, width):
    images = np.zeros((len(x), height * width), np.float32)
    images[np.arange(len(x)), y * height + x] = 1
    return images.reshape(-1, height, width, 1)
