"""Lesson 01: white squares on black canvases, from their centres."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield one square and several, at the edge, small and large, on canvases of all shapes and above 64, and none."""
    h, w = int(rng.integers(9, 12)), int(rng.integers(14, 18))

    def squares(n: int, side: int, height: int, width: int) -> tuple:
        half = side // 2
        x, y = rng.integers(half, width - half, n), rng.integers(half, height - half, n)
        return x, y, side, height, width

    x, y = int(rng.integers(6, 8)), int(rng.integers(3, 5))
    yield Case(
        f"a square of 5 x 5 at x = {x}, y = {y} on {h} rows and {w} columns", (np.array([x]), np.array([y]), 5, h, w)
    )
    yield Case(f"4 squares of 3 x 3 on {w} rows and {h} columns", squares(4, 3, w, h))
    x, y = np.array([2, w - 3, 2, w - 3]), np.array([2, 2, h - 3, h - 3])
    yield Case(f"squares of 5 x 5 in the four corners of {h} rows and {w} columns", (x, y, 5, h, w))
    yield Case("3 squares of one pixel", squares(3, 1, h, w))
    yield Case("the paper's canvas and square: 9 x 9 on 64 x 64", squares(2, 9, 64, 64))
    yield Case("no squares: x and y are empty", squares(0, 3, h, w))
    yield Case("2 squares of 21 x 21 on 70 rows and 90 columns", squares(2, 21, 70, 90))
    yield Case("6 squares of one pixel on one row", squares(6, 1, 1, w))
    yield Case("2 squares of one pixel on one column", squares(2, 1, h, 1))


exercise = Exercise(
    id="draw_square",
    lesson=1,
    title="Draw the square",
    minutes=10,
    difficulty=1,
    builds_on=("pixel_index",),
    axes=("images", "rows", "columns", "channels"),
    cases=cases,
    hints=(
        "Begin with np.zeros for the whole result, in np.float32, and go through the squares one by one.",
        "A square of side 9 reaches half = 9 // 2 = 4 pixels from its centre in each direction; the centre adds one.",
        "The rows go from y - half to y + half, both included. A slice excludes its end, so it ends at y + half + 1.",
        "Rows come first: images[k, y[k] - half : y[k] + half + 1, and then the same for x, 0] = 1.",
    ),
)


@exercise.solved_by
def draw_square(x, y, side, height, width):
    """Return images of white squares on black, one for each centre.

    x, y: columns and rows of the centres in pixels, int arrays of shape (n,).
    side: pixels along each side of a square, an odd number.
    height, width: rows and columns of the canvas. Every square lies entirely on the canvas.

    Returns float32 of shape (n, height, width, 1): 1 inside the square, else 0.
    """
    images = np.zeros((len(x), height, width, 1), np.float32)
    half = side // 2
    for k in range(len(x)):
        images[k, y[k] - half : y[k] + half + 1, x[k] - half : x[k] + half + 1, 0] = 1
    return images


def _drawn(height, width, rectangles):
    """Return an image for each (top, bottom, left, right) of `rectangles`, where bottom and right are excluded."""
    images = np.zeros((len(rectangles), height, width, 1), np.float32)
    for image, (top, bottom, left, right) in zip(images, rectangles, strict=True):
        image[top:bottom, left:right] = 1
    return images


@exercise.mistake("x and y are exchanged; rows come first in an image, and y is the row")
def exchanged(x, y, side, height, width):
    half = side // 2
    return _drawn(height, width, [(a - half, a + half + 1, b - half, b + half + 1) for a, b in zip(x, y, strict=True)])


@exercise.mistake("the last row and the last column of the square are missing; a slice excludes its end")
def end_left_out(x, y, side, height, width):
    half = side // 2
    return _drawn(height, width, [(b - half, b + half, a - half, a + half) for a, b in zip(x, y, strict=True)])


@exercise.mistake("(x, y) was used as the top left corner of the square; it is the centre")
def corner(x, y, side, height, width):
    return _drawn(height, width, [(b, b + side, a, a + side) for a, b in zip(x, y, strict=True)])


@exercise.mistake("the square reaches a whole side from its centre in each direction; it should reach side // 2 pixels")
def side_for_half(x, y, side, height, width):
    return _drawn(height, width, [(b - side, b + side + 1, a - side, a + side + 1) for a, b in zip(x, y, strict=True)])


@exercise.mistake("each image still shows the squares of the images before it; every image needs its own canvas")
def squares_kept(x, y, side, height, width):
    return np.maximum.accumulate(draw_square(x, y, side, height, width), axis=0)


@exercise.mistake(
    "every image got the squares of all of them; each needs a canvas of its own: images[k] is that of square k, "
    "images[:] are those of all"
)
def all_squares_in_all_images(x, y, side, height, width):
    images = draw_square(x, y, side, height, width)
    return np.broadcast_to(images.max(axis=0, initial=0), images.shape).copy()


@exercise.mistake("the last row of the square is missing; a slice excludes its end")
def last_row_left_out(x, y, side, height, width):
    half = side // 2
    return _drawn(height, width, [(b - half, b + half, a - half, a + half + 1) for a, b in zip(x, y, strict=True)])


@exercise.mistake("the last column of the square is missing; a slice excludes its end")
def last_column_left_out(x, y, side, height, width):
    half = side // 2
    return _drawn(height, width, [(b - half, b + half + 1, a - half, a + half) for a, b in zip(x, y, strict=True)])


@exercise.mistake("every square has 9 pixels along its sides, as in the paper; here `side` says how many")
def always_9(x, y, side, height, width):
    return _drawn(height, width, [(b - 4, b + 5, a - 4, a + 5) for a, b in zip(x, y, strict=True)])


@exercise.mistake("only the first image has its square; loop over all of them, and return after the loop")
def first_only(x, y, side, height, width):
    images = draw_square(x, y, side, height, width)
    images[1:] = 0
    return images


@exercise.mistake("the rows are counted from the bottom; row 0 is the top one")
def upside_down(x, y, side, height, width):
    return draw_square(x, height - 1 - y, side, height, width)


@exercise.mistake("white is 255 here; it should be 1")
def white_is_255(x, y, side, height, width):
    return 255 * draw_square(x, y, side, height, width)


@exercise.mistake("np.zeros makes float64 by default; give it np.float32")
def in_float64(x, y, side, height, width):
    return draw_square(x, y, side, height, width).astype(np.float64)


@exercise.mistake(
    "the first row and column of the square are missing; it begins half = side // 2 pixels before its centre"
)
def beginning_left_out(x, y, side, height, width):
    half = side // 2
    return _drawn(
        height, width, [(b - half + 1, b + half + 1, a - half + 1, a + half + 1) for a, b in zip(x, y, strict=True)]
    )


@exercise.mistake("the square reaches one pixel too far in each direction: (side + 1) // 2; it should reach side // 2")
def half_rounded_up(x, y, side, height, width):
    half = (side + 1) // 2
    return _drawn(height, width, [(b - half, b + half + 1, a - half, a + half + 1) for a, b in zip(x, y, strict=True)])


@exercise.mistake("the columns are counted from the right; column 0 is the leftmost")
def mirrored(x, y, side, height, width):
    return draw_square(width - 1 - x, y, side, height, width)
