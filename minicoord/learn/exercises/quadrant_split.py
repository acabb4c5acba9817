"""Lesson 01: the rule of the quadrant split, with its strict 'beyond the middle'."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield whole canvases with even and odd sides, wide and tall, small and large, a few centres, and none."""
    # The sides are so similar that half of either lies on both axes: otherwise, comparing x with the height, or y with
    # the width, could look like a comparison that is never true.
    h = 2 * int(rng.integers(4, 6))
    w = h + 2 * int(rng.integers(1, 3))

    def every(height: int, width: int) -> tuple:
        y, x = np.indices((height, width)).reshape(2, -1)
        return x, y, height, width

    yield Case(f"every pixel of {h} rows and {w} columns", every(h, w))
    yield Case(f"every pixel of {w + 1} rows and {h + 1} columns", every(w + 1, h + 1))
    n = int(rng.integers(5, 9))
    yield Case(f"{n} pixels of {w} rows and {h} columns", (rng.integers(0, h, n), rng.integers(0, w, n), w, h))
    y, x = (np.indices((56, 56)) + 4).reshape(2, -1)
    yield Case("the 3,136 centres of the paper, on 64 x 64", (x, y, 64, 64))
    yield Case("no pixels: x and y are empty", (np.zeros(0, int), np.zeros(0, int), h, w))
    yield Case("every pixel of 80 rows and 100 columns", every(80, 100))
    yield Case(f"every pixel of one row and {w} columns: half of one row is not beyond it", every(1, w))
    yield Case(f"every pixel of {h} rows and one column", every(h, 1))
    yield Case("every pixel of 3 rows and 5 columns", every(3, 5))
    yield Case("every pixel of 5 rows and 3 columns", every(5, 3))


exercise = Exercise(
    id="quadrant_split",
    lesson=1,
    title="Hold out a quarter",
    minutes=5,
    difficulty=1,
    builds_on=("draw_square",),
    axes=("samples",),
    cases=cases,
    imports=(),
    hints=(
        "The result is a boolean array: a comparison of arrays, such as x > 3, gives one.",
        "Two conditions must hold for the same sample: one for x and the width, one for y and the height.",
        "For arrays, 'and' is written &, with each comparison in parentheses. 'Beyond' is > and not >=.",
    ),
)


@exercise.solved_by
def quadrant_split(x, y, height, width):
    """Return which samples are held out for the test: those in the quarter at the bottom right.

    A sample belongs to the test set if its x is beyond half of the width and its y is beyond half
    of the height. A centre exactly at half is not beyond it. Rows are counted from the top, so a
    large y is at the bottom.

    x, y: columns and rows of the centres in pixels, int arrays of shape (n,).
    height, width: rows and columns of the canvas.

    Returns a bool array of shape (n,): True for the test, False for training.
    """
    return (x > width / 2) & (y > height / 2)


@exercise.mistake(
    "a centre exactly at half of the canvas is held out; only what lies beyond should be: > and not >=, and half is "
    "width / 2, not (width - 1) / 2"
)
def not_strict(x, y, height, width):
    return (x >= width / 2) & (y >= height / 2)


@exercise.mistake("one of the two conditions was enough; both must hold: & and not |")
def either(x, y, height, width):
    return (x > width / 2) | (y > height / 2)


@exercise.mistake("x was compared with the height, and y with the width")
def sides_exchanged(x, y, height, width):
    return (x > height / 2) & (y > width / 2)


@exercise.mistake("the quarter at the top right is held out; rows are counted from the top, so the bottom has large y")
def top_right(x, y, height, width):
    return (x > width / 2) & (y < height / 2)


@exercise.mistake("train and test are exchanged; True is for the test")
def turned_round(x, y, height, width):
    return ~quadrant_split(x, y, height, width)


@exercise.mistake("the quarter at the bottom left is held out; on the right, x is large")
def bottom_left(x, y, height, width):
    return (x < width / 2) & (y > height / 2)


@exercise.mistake("the quarter at the top left is held out; at the bottom right, x and y are both large")
def top_left(x, y, height, width):
    return (x < width / 2) & (y < height / 2)


@exercise.mistake("only x was checked; y has to be beyond half of the height, too")
def only_x(x, y, height, width):
    return x > width / 2


@exercise.mistake("only y was checked; x has to be beyond half of the width, too")
def only_y(x, y, height, width):
    return y > height / 2


@exercise.mistake("x and y were both compared with the width; y has to be compared with the height")
def width_twice(x, y, height, width):
    return (x > width / 2) & (y > width / 2)


@exercise.mistake("half of the canvas was assumed to be 32; `height` and `width` say how large the canvas is")
def always_32(x, y, height, width):
    return (x > 32) & (y > 32)


@exercise.mistake("the indices of the samples were returned; the result should be True or False for each sample")
def numbers(x, y, height, width):
    return quadrant_split(x, y, height, width).nonzero()[0]


@exercise.mistake("an array has no single truth value; join the comparisons with & and not 'and', each in parentheses")
def and_for_ampersand(x, y, height, width):
    return (x > width / 2) and (y > height / 2)


@exercise.mistake("& binds tighter than >; put each comparison in parentheses")
def without_parentheses(x, y, height, width):
    return x > (width / 2 & y) > height / 2  # how Python groups it without parentheses


@exercise.mistake("x and y were both compared with the height; x has to be compared with the width")
def height_twice(x, y, height, width):
    return (x > height / 2) & (y > height / 2)


@exercise.mistake("a centre in the column exactly at half is held out; for x, too, it is > and not >=")
def x_not_strict(x, y, height, width):
    return (x >= width / 2) & (y > height / 2)


@exercise.mistake("a centre in the row exactly at half is held out; for y, too, it is > and not >=")
def y_not_strict(x, y, height, width):
    return (x > width / 2) & (y >= height / 2)


@exercise.mistake("the middle of the centres was taken; half of the canvas is width / 2 and height / 2")
def middle_of_the_centres(x, y, height, width):
    n = max(len(x), 1)
    return (x > x.sum() / n) & (y > y.sum() / n)


@exercise.mistake("exactly one of the two conditions had to hold, as ^ asks; both must hold: &")
def one_alone(x, y, height, width):
    return (x > width / 2) ^ (y > height / 2)
