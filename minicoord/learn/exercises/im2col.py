"""Lesson 02: the pixels under the window, side by side in one row for each window position."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield images of all shapes, batches, channels, and strides and padding below, at and above the window."""
    h, w = int(rng.integers(4, 6)), int(rng.integers(6, 9))
    yield Case(f"one image of {h} x {w}, one channel", (rng.normal(size=(1, h, w, 1)), 3, 1, 0))
    yield Case(f"2 images of {h} x {w}, 3 channels", (rng.normal(size=(2, h, w, 3)), 3, 1, 0))
    yield Case("stride 2", (rng.normal(size=(2, h + 3, w + 2, 2)), 3, 2, 0))
    yield Case("padding 1", (rng.normal(size=(2, h, w, 2)), 3, 1, 1))
    yield Case("a window of 4, stride 2, padding 2", (rng.normal(size=(2, h, w, 2)), 4, 2, 2))
    yield Case("a window of one pixel, 3 channels", (rng.normal(size=(2, 2, 3, 3)), 1, 1, 0))
    yield Case(
        "a window as large as the image, in float32", (rng.normal(size=(2, 3, 3, 2)).astype(np.float32), 3, 1, 0)
    )
    yield Case("a window of 2, stride 3: some pixels are in no row", (rng.normal(size=(2, w, h, 2)), 2, 3, 0))
    yield Case("a window of 2, padding 3: some windows hold zeros alone", (rng.normal(size=(1, h, w, 2)), 2, 1, 3))
    yield Case("a window of one pixel, stride 2, padding 1", (rng.normal(size=(2, h, w, 2)), 1, 2, 1))
    yield Case("5 images of one column, padding 1", (rng.normal(size=(5, h, 1, 2)), 3, 1, 1))
    yield Case("5 rows, 90 columns, a window of 5, stride 4", (rng.normal(size=(1, 5, 90, 1)), 5, 4, 0))


exercise = Exercise(
    id="im2col",
    lesson=2,
    title="One row for each window position",
    minutes=20,
    difficulty=2,
    builds_on=("im2col_index", "conv_out_size"),
    axes=("rows", "columns"),
    cases=cases,
    hints=(
        "Pad the image first: np.pad with one pair of numbers for each of the four axes.",
        "Three loops are fine: image n, row i of the output, column j of the output; each iteration makes one row.",
        "The pixels under the window at (i, j) are x[n, i * stride : i * stride + k, j * stride : j * stride + k, :].",
        "Their order is right already: reshape(-1) of that block is the row.",
    ),
)


@exercise.solved_by
def im2col(x, k, stride, pad):
    """Return the pixels under a k x k window, one row for each window position.

    x: images, shape (N, H, W, C). stride: pixels from one window position to the next.
    pad: rings of zeros around each image.

    Returns shape (N * out_h * out_w, k * k * C), in the dtype of x: images one after the other,
    then positions row by row; within a row the window's pixels row by row, each with all its
    channels.
    """
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    n, h, w, c = x.shape
    out_h, out_w = (h - k) // stride + 1, (w - k) // stride + 1
    cols = np.empty((n, out_h, out_w, k * k * c), x.dtype)
    for i in range(out_h):
        for j in range(out_w):
            top, left = i * stride, j * stride
            cols[:, i, j] = x[:, top : top + k, left : left + k].reshape(n, -1)
    return cols.reshape(-1, k * k * c)


@exercise.mistake("the channels come before the pixels of the window; they belong last, as in the image")
def channels_first(x, k, stride, pad):
    rows = im2col(x, k, stride, pad)
    return rows.reshape(len(rows), k * k, x.shape[3]).swapaxes(1, 2).reshape(len(rows), -1)


@exercise.mistake("the window's rows and columns are exchanged")
def window_transposed(x, k, stride, pad):
    rows = im2col(x, k, stride, pad)
    return rows.reshape(len(rows), k, k, -1).swapaxes(1, 2).reshape(len(rows), -1)


@exercise.mistake("the window positions go column by column; they should go row by row")
def places_by_column(x, k, stride, pad):
    return (
        im2col(x.swapaxes(1, 2), k, stride, pad)
        .reshape(-1, k, k, x.shape[3])
        .swapaxes(1, 2)
        .reshape(-1, k * k * x.shape[3])
    )


@exercise.mistake("the images alternate, position by position; all rows of the first image come first")
def images_in_turn(x, k, stride, pad):
    rows = im2col(x, k, stride, pad)
    return rows.reshape(len(x), -1, rows.shape[1]).swapaxes(0, 1).reshape(rows.shape)


@exercise.mistake("the matrix is transposed: each window position is a row of it, not a column")
def columns_for_rows(x, k, stride, pad):
    return im2col(x, k, stride, pad).T


def _every_row(x, k, stride, pad):
    """Return the matrix of stride 1 by its positions, and how many of them there are with this stride."""
    n, h, w, _ = x.shape
    out_h, out_w = ((size + 2 * pad - k) // stride + 1 for size in (h, w))
    return im2col(x, k, 1, pad).reshape(n, h + 2 * pad - k + 1, w + 2 * pad - k + 1, -1), out_h, out_w


@exercise.mistake("the windows are one pixel apart; they should be a whole stride apart")
def stride_forgotten(x, k, stride, pad):
    every, out_h, out_w = _every_row(x, k, stride, pad)
    return every[:, :out_h, :out_w].reshape(-1, every.shape[-1])


@exercise.mistake("the rows of windows are one pixel apart, only the columns a whole stride; the row is i * stride")
def stride_forgotten_down(x, k, stride, pad):
    every, out_h, _ = _every_row(x, k, stride, pad)
    return every[:, :out_h, ::stride].reshape(-1, every.shape[-1])


@exercise.mistake("the columns of windows are one pixel apart, only the rows a whole stride; the column is j * stride")
def stride_forgotten_across(x, k, stride, pad):
    every, _, out_w = _every_row(x, k, stride, pad)
    return every[:, ::stride, :out_w].reshape(-1, every.shape[-1])


@exercise.mistake("the padding was left out")
def not_padded(x, k, stride, pad):
    return im2col(x, k, stride, 0)


@exercise.mistake("all of the padding is at the bottom and on the right; half of it belongs at the top and on the left")
def padded_at_the_end(x, k, stride, pad):
    return im2col(np.pad(x, ((0, 0), (0, 2 * pad), (0, 2 * pad), (0, 0))), k, stride, 0)


@exercise.mistake("the padding repeats the pixels of the border; it should be zeros")
def padded_with_the_border(x, k, stride, pad):
    return im2col(np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode="edge"), k, stride, 0)


@exercise.mistake("np.zeros and np.empty make float64 by default; give them the dtype of x")
def in_float64(x, k, stride, pad):
    return im2col(x, k, stride, pad).astype(np.float64)


@exercise.mistake("the window is placed at every pixel; from one position to the next it should move by a whole stride")
def at_every_pixel(x, k, stride, pad):
    return im2col(x, k, 1, pad)


@exercise.mistake("the last window position is missing; there are (H - k) // stride + 1 of them")
def last_place_missing(x, k, stride, pad):
    return im2col(np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))[:, :-1, :-1], k, stride, 0)


@exercise.mistake("np.pad with a single number pads the images and the channels, too; give it a pair for each axis")
def padded_everywhere(x, k, stride, pad):
    return im2col(np.pad(x, pad), k, stride, 0)


@exercise.mistake("the windows are flipped; a row begins with the pixel at the top left of its window")
def flipped(x, k, stride, pad):
    rows = im2col(x, k, stride, pad)
    return rows.reshape(len(rows), k, k, -1)[:, ::-1, ::-1].reshape(len(rows), -1)


@exercise.mistake("only the first image has rows; those of the other images come below")
def first_image_alone(x, k, stride, pad):
    return im2col(x[:1], k, stride, pad)


@exercise.mistake("all images have the rows of the first; the window is x[n, ...], not x[0, ...]")
def first_image_for_all(x, k, stride, pad):
    return im2col(np.broadcast_to(x[:1], x.shape), k, stride, pad)


def _numbered(x, k, stride, pad, out_w, number):
    """Return the matrix whose rows are filled one by one: `number(n, i, j, out_h, out_w)` is that of a position."""
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    n, h, w, c = x.shape
    out_h, true_w = (h - k) // stride + 1, (w - k) // stride + 1
    out_w = true_w if out_w is None else out_h
    rows = np.zeros((n * out_h * out_w, k * k * c), x.dtype)
    for image, i, j in np.ndindex(n, out_h, out_w):
        window = x[image, i * stride : i * stride + k, j * stride : j * stride + k]
        rows[number(image, i, j, out_h, out_w)] = window.reshape(-1)
    return rows


@exercise.mistake("the positions in a row were computed from the height; out_w comes from the width")
def square_only(x, k, stride, pad):
    return _numbered(x, k, stride, pad, "out_h", lambda n, i, j, out_h, out_w: (n * out_h + i) * out_w + j)


@exercise.mistake("the rows are numbered by i * out_h + j, so that some overwrite others; above row i lie i * out_w")
def numbered_by_the_height(x, k, stride, pad):
    return _numbered(x, k, stride, pad, None, lambda n, i, j, out_h, out_w: n * out_h * out_w + i * out_h + j)
