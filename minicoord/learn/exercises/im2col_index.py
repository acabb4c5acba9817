"""Lesson 02: where in the im2col matrix one pixel of one window is found."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield positions and pixels whose indices all differ, on outputs wide and tall, windows small and large."""
    out_h, out_w, k, channels = 4, int(rng.integers(6, 9)), 3, int(rng.integers(4, 6))
    size = out_h, out_w, k, channels
    i, j, ki, kj, c = 1, int(rng.integers(2, 6)), 1, 2, int(rng.integers(1, channels))
    yield Case("the first position, the first pixel", ((0, 0, 0), (0, 0, 0), *size))
    yield Case(f"image 0, row {i}, column {j} of the output; the first pixel", ((0, i, j), (0, 0, 0), *size))
    yield Case(f"pixel ({ki}, {kj}) of the window, channel {c}, at the first position", ((0, 0, 0), (ki, kj, c), *size))
    yield Case(f"image 2, row {i}, column {j}, pixel ({ki}, {kj}), channel {c}", ((2, i, j), (ki, kj, c), *size))
    last = (2, out_h - 1, out_w - 1), (k - 1, k - 1, channels - 1)
    yield Case("the last position of image 2, the last pixel", (*last, *size))
    yield Case("an output taller than wide, a window of 5, one channel", ((1, 5, 2), (3, 1, 0), 7, 3, 5, 1))
    yield Case("a window of one pixel, 70 channels, image 8", ((8, 2, 1), (0, 0, 68), 3, 4, 1, 70))
    yield Case("a window of 2, 70 channels, 80 columns", ((1, 2, 66), (1, 0, 67), 4, 80, 2, 70))


exercise = Exercise(
    id="im2col_index",
    lesson=2,
    title="Which row, which column",
    minutes=5,
    difficulty=1,
    imports=(),
    cases=cases,
    hints=(
        "In lesson 00 the number of a pixel was y * width + x: whole rows before it, then its position in its own row.",
        "Before the first row of image n come n whole images. How many window positions does one image have?",
        "The column is the same sum with other names: rows of the window, then pixels, each with all its channels.",
    ),
    builds_on=("pixel_index",),
)


@exercise.solved_by
def im2col_index(position, pixel, out_h, out_w, k, channels):
    """Return the row and the column of the im2col matrix that hold one number.

    position: (n, i, j), the window's position: which image, which row and column of the output.
    pixel: (ki, kj, c), which row and column within the k x k window, and which channel.
    out_h, out_w: rows and columns of the output. channels: how many channels the image has.

    The matrix has one row for each window position: image after image, within an image row by row.
    A row of the matrix holds the window's pixels row by row, each with all its channels.

    Returns two whole numbers, (row, column), both counted from 0.
    """
    n, i, j = position
    ki, kj, c = pixel
    return (n * out_h + i) * out_w + j, (ki * k + kj) * channels + c


@exercise.mistake("rows and columns of the output are exchanged: a step down passes out_w positions, not out_h")
def height_for_width(position, pixel, out_h, out_w, k, channels):
    return im2col_index(position, pixel, out_w, out_h, k, channels)


@exercise.mistake("the positions go column by column; they should go row by row")
def by_columns(position, pixel, out_h, out_w, k, channels):
    n, i, j = position
    return (n * out_w + j) * out_h + i, im2col_index(position, pixel, out_h, out_w, k, channels)[1]


@exercise.mistake("the channels come before the pixels of the window; they belong last, as in the image")
def channels_first(position, pixel, out_h, out_w, k, channels):
    ki, kj, c = pixel
    return im2col_index(position, pixel, out_h, out_w, k, channels)[0], (c * k + ki) * k + kj


@exercise.mistake("rows and columns of the window are exchanged")
def window_transposed(position, pixel, out_h, out_w, k, channels):
    ki, kj, c = pixel
    return im2col_index(position, (kj, ki, c), out_h, out_w, k, channels)


@exercise.mistake("the image is left out: every image has rows of its own, below those of the images before it")
def without_image(position, pixel, out_h, out_w, k, channels):
    return im2col_index((0, *position[1:]), pixel, out_h, out_w, k, channels)


@exercise.mistake("row and column are exchanged: the position gives the row, the pixel gives the column")
def exchanged(position, pixel, out_h, out_w, k, channels):
    return im2col_index(position, pixel, out_h, out_w, k, channels)[::-1]


@exercise.mistake("rows and columns of the position are exchanged; i counts the rows of the output, j its columns")
def position_transposed(position, pixel, out_h, out_w, k, channels):
    n, i, j = position
    return im2col_index((n, j, i), pixel, out_h, out_w, k, channels)


@exercise.mistake("n images were counted as n * out_h positions; each image has out_h * out_w of them")
def image_of_one_column(position, pixel, out_h, out_w, k, channels):
    n, i, j = position
    return n * out_h + i * out_w + j, im2col_index(position, pixel, out_h, out_w, k, channels)[1]


@exercise.mistake("ki rows of the window were counted as ki * k numbers; each row has k pixels with all their channels")
def row_of_one_channel(position, pixel, out_h, out_w, k, channels):
    ki, kj, c = pixel
    return im2col_index(position, pixel, out_h, out_w, k, channels)[0], ki * k + kj * channels + c


@exercise.mistake("the channels are left out of the column; each pixel of the window has all its channels in the row")
def without_channels(position, pixel, out_h, out_w, k, channels):
    ki, kj, _ = pixel
    return im2col_index(position, pixel, out_h, out_w, k, channels)[0], ki * k + kj


@exercise.mistake("the count begins at 1; the first row and the first column are number 0")
def from_one(position, pixel, out_h, out_w, k, channels):
    row, column = im2col_index(position, pixel, out_h, out_w, k, channels)
    return row + 1, column + 1


@exercise.mistake("n was added as if an image had one position; each image has out_h * out_w of them")
def image_of_one_position(place, pixel, out_h, out_w, k, channels):
    n, i, j = place
    return n + i * out_w + j, im2col_index(place, pixel, out_h, out_w, k, channels)[1]


@exercise.mistake("a row of the window was counted as out_w pixels; within the window a row has k")
def rows_of_the_output(place, pixel, out_h, out_w, k, channels):
    ki, kj, c = pixel
    return im2col_index(place, pixel, out_h, out_w, k, channels)[0], (ki * out_w + kj) * channels + c
