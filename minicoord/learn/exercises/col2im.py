"""Lesson 03: im2col backward: every number of a row is added to the pixel that it came from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def _places(height: int, width: int, k: int, stride: int, pad: int) -> tuple[int, int]:
    return (height + 2 * pad - k) // stride + 1, (width + 2 * pad - k) // stride + 1


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield windows that overlap, touch and leave gaps, images of all shapes, batches, and small and large padding."""
    h, w = int(rng.integers(4, 6)), 2 * int(rng.integers(3, 5))

    def arrays(x_shape: tuple[int, int, int, int], k: int, stride: int, pad: int) -> tuple:
        images, height, width, channels = x_shape
        out_h, out_w = _places(height, width, k, stride, pad)
        return rng.normal(size=(images * out_h * out_w, k * k * channels)), x_shape, k, stride, pad

    yield Case("windows side by side, one channel", arrays((1, 4, w, 1), 2, 2, 0))
    yield Case("windows that overlap", arrays((1, h, w, 1), 3, 1, 0))
    yield Case("2 images, 3 channels", arrays((2, h, w, 3), 3, 1, 0))
    yield Case("padding 1", arrays((2, h, w, 2), 3, 1, 1))
    yield Case("stride 2, padding 2, pixels left over", arrays((2, h, w + 1, 2), 4, 2, 2))
    cols, *rest = arrays((2, 3, 3, 2), 3, 1, 0)
    yield Case("one position, float32", (cols.astype(np.float32), *rest))
    yield Case("a window of 2, stride 3: no window covers some pixels", arrays((2, w, h, 2), 2, 3, 0))
    yield Case("a window of 2, padding 3: some windows cover no pixel", arrays((1, h, w, 2), 2, 1, 3))
    yield Case("a window of one pixel, stride 2, padding 1", arrays((2, h, w, 2), 1, 2, 1))
    yield Case("5 images of one column, padding 1", arrays((5, h, 1, 2), 3, 1, 1))
    yield Case("5 rows, 90 columns, a window of 5, stride 4", arrays((1, 5, 90, 1), 5, 4, 0))


exercise = Exercise(
    id="col2im",
    lesson=3,
    title="Rows back to the image",
    minutes=20,
    difficulty=3,
    builds_on=("im2col",),
    axes=("images", "rows", "columns", "channels"),
    cases=cases,
    hints=(
        "Take your im2col and reverse its assignment: what was read from the image is now added to it.",
        "Begin with zeros for the padded image, shape (N, H + 2 * pad, W + 2 * pad, C), in the dtype of cols.",
        "cols.reshape(N, out_h, out_w, k, k, C) turns every row back into a window.",
        "Use += because most pixels lie under several windows, and get something from each.",
        "At the end cut off the padding: rows pad to pad + H, and columns. (The slice pad:-pad is empty for pad = 0.)",
    ),
)


@exercise.solved_by
def col2im(cols, x_shape, k, stride, pad):
    """Return an image in which every number of an im2col matrix has been added to its pixel.

    cols: shape (N * out_h * out_w, k * k * C), in the order of im2col(x, k, stride, pad).
    x_shape: (N, H, W, C), the shape of x.

    Where windows overlap, a pixel gets the sum. What falls on the padding is dropped, and pixels
    under no window get zero.

    Returns shape x_shape, in the dtype of cols.
    """
    images, height, width, channels = x_shape
    out_h, out_w = (height + 2 * pad - k) // stride + 1, (width + 2 * pad - k) // stride + 1
    windows = cols.reshape(images, out_h, out_w, k, k, channels)
    padded = np.zeros((images, height + 2 * pad, width + 2 * pad, channels), cols.dtype)
    for i in range(out_h):
        for j in range(out_w):
            top, left = i * stride, j * stride
            padded[:, top : top + k, left : left + k] += windows[:, i, j]
    return padded[:, pad : pad + height, pad : pad + width]


@exercise.mistake(
    "where windows overlap, only the last of them counts; += in a loop adds them, and so does np.add.at, while += with "
    "index arrays counts a repeated index once"
)
def overwritten(cols, x_shape, k, stride, pad):
    n, h, w, c = x_shape
    out_h, out_w = _places(h, w, k, stride, pad)
    padded = np.zeros((n, h + 2 * pad, w + 2 * pad, c), cols.dtype)
    for i, j in np.ndindex(out_h, out_w):
        place = padded[:, i * stride : i * stride + k, j * stride : j * stride + k]
        place[...] = cols.reshape(n, out_h, out_w, k, k, c)[:, i, j]
    return padded[:, pad : pad + h, pad : pad + w]


@exercise.mistake("a pixel gets the mean of what its windows send back; a gradient is the sum")
def averaged(cols, x_shape, k, stride, pad):
    count = col2im(np.ones_like(cols), x_shape, k, stride, pad)
    return col2im(cols, x_shape, k, stride, pad) / np.maximum(count, 1)


@exercise.mistake("the padding is still there; cut it off on all four sides")
def not_cut(cols, x_shape, k, stride, pad):
    n, h, w, c = x_shape
    return col2im(cols, (n, h + 2 * pad, w + 2 * pad, c), k, stride, 0)


@exercise.mistake("all of the padding was cut off at the bottom and on the right; half of it lies at the top and left")
def cut_at_the_end(cols, x_shape, k, stride, pad):
    return not_cut(cols, x_shape, k, stride, pad)[:, : x_shape[1], : x_shape[2]]


@exercise.mistake("the slice pad:-pad is empty where there is no padding; take pad : pad + H")
def empty_slice(cols, x_shape, k, stride, pad):
    return not_cut(cols, x_shape, k, stride, pad)[:, pad:-pad, pad:-pad]


@exercise.mistake("within a row the channels were assumed to come first; they come last, pixel by pixel")
def channels_first(cols, x_shape, k, stride, pad):
    rows = cols.reshape(len(cols), x_shape[3], k * k).swapaxes(1, 2).reshape(cols.shape)
    return col2im(rows, x_shape, k, stride, pad)


@exercise.mistake("the window's rows and columns are exchanged")
def window_transposed(cols, x_shape, k, stride, pad):
    rows = cols.reshape(len(cols), k, k, x_shape[3]).swapaxes(1, 2).reshape(cols.shape)
    return col2im(rows, x_shape, k, stride, pad)


@exercise.mistake("the positions were read column by column; im2col goes row by row")
def places_by_column(cols, x_shape, k, stride, pad):
    n, h, w, _ = x_shape
    out_h, out_w = _places(h, w, k, stride, pad)
    rows = cols.reshape(n, out_w, out_h, -1).swapaxes(1, 2).reshape(cols.shape)
    return col2im(rows, x_shape, k, stride, pad)


@exercise.mistake("the windows are one pixel apart; they should be a whole stride apart")
def stride_forgotten(cols, x_shape, k, stride, pad):
    n, h, w, c = x_shape
    out_h, out_w = _places(h, w, k, stride, pad)
    padded = np.zeros((n, h + 2 * pad, w + 2 * pad, c), cols.dtype)
    for i, j in np.ndindex(out_h, out_w):
        padded[:, i : i + k, j : j + k] += cols.reshape(n, out_h, out_w, k, k, c)[:, i, j]
    return padded[:, pad : pad + h, pad : pad + w]


@exercise.mistake("the padding is not counted; the padded image has H + 2 * pad rows and W + 2 * pad columns")
def padding_forgotten(cols, x_shape, k, stride, pad):
    n, h, w, c = x_shape
    out_h, out_w = _places(h, w, k, stride, 0)
    return col2im(cols.reshape(n, out_h, out_w, k, k, c).reshape(-1, k * k * c), x_shape, k, stride, 0)


@exercise.mistake("the positions in a row were computed from the height; out_w comes from the width")
def square_only(cols, x_shape, k, stride, pad):
    n, h, w, c = x_shape
    out_h, _ = _places(h, w, k, stride, pad)
    cols.reshape(n, out_h, out_h, k, k, c)
    return col2im(cols, x_shape, k, stride, pad)


@exercise.mistake("only the first image got anything; the rows continue with the positions of the second, and so on")
def first_image(cols, x_shape, k, stride, pad):
    image = col2im(cols, x_shape, k, stride, pad)
    image[1:] = 0
    return image


@exercise.mistake(
    "the images were assumed to come last; all positions of the first image come first, then the second's"
)
def images_last(cols, x_shape, k, stride, pad):
    n, h, w, _ = x_shape
    out_h, out_w = _places(h, w, k, stride, pad)
    rows = cols.reshape(out_h * out_w, n, -1).swapaxes(0, 1).reshape(cols.shape)
    return col2im(rows, x_shape, k, stride, pad)


@exercise.mistake("the windows are flipped; a row holds its window in order, so its first number goes to the top left")
def flipped(cols, x_shape, k, stride, pad):
    rows = cols.reshape(len(cols), k, k, x_shape[3])[:, ::-1, ::-1].reshape(cols.shape)
    return col2im(rows, x_shape, k, stride, pad)


@exercise.mistake("the last row and column of positions are left out; range(out_h) already ends at out_h - 1")
def last_places_left_out(cols, x_shape, k, stride, pad):
    n, h, w, _ = x_shape
    out_h, out_w = _places(h, w, k, stride, pad)
    rows = cols.reshape(n, out_h, out_w, -1).copy()
    rows[:, -1], rows[:, :, -1] = 0, 0
    return col2im(rows.reshape(cols.shape), x_shape, k, stride, pad)


def _added(cols, x_shape, k, stride, pad, row, column, number=None):
    """Return the image if the window at (i, j) begins at row(i) and column(j), and is row `number` of the matrix."""
    n, h, w, c = x_shape
    out_h, out_w = _places(h, w, k, stride, pad)
    padded = np.zeros((n, h + 2 * pad, w + 2 * pad, c), cols.dtype)
    for image, i, j in np.ndindex(n, out_h, out_w):
        which = (image * out_h + i) * out_w + j if number is None else number(image, i, j, out_h, out_w)
        top, left = row(i), column(j)
        padded[image, top : top + k, left : left + k] += cols[which].reshape(k, k, c)
    return padded[:, pad : pad + h, pad : pad + w]


@exercise.mistake("the rows of windows are one pixel apart, only the columns a whole stride; the row is i * stride")
def stride_forgotten_down(cols, x_shape, k, stride, pad):
    return _added(cols, x_shape, k, stride, pad, lambda i: i, lambda j: j * stride)


@exercise.mistake("the columns of windows are one pixel apart, only the rows a whole stride; the column is j * stride")
def stride_forgotten_across(cols, x_shape, k, stride, pad):
    return _added(cols, x_shape, k, stride, pad, lambda i: i * stride, lambda j: j)


@exercise.mistake("all images got the rows of the first; those of image n begin at n * out_h * out_w")
def first_image_for_all(cols, x_shape, k, stride, pad):
    def number(n, i, j, out_h, out_w):
        return i * out_w + j

    return _added(cols, x_shape, k, stride, pad, lambda i: i * stride, lambda j: j * stride, number)


@exercise.mistake("the rows are numbered by i * out_h + j; above row i of positions lie i * out_w")
def numbered_by_the_height(cols, x_shape, k, stride, pad):
    def number(n, i, j, out_h, out_w):
        return n * out_h * out_w + i * out_h + j

    return _added(cols, x_shape, k, stride, pad, lambda i: i * stride, lambda j: j * stride, number)


@exercise.mistake("the largest of what the windows send back was kept; a pixel gets their sum")
def largest(cols, x_shape, k, stride, pad):
    n, h, w, c = x_shape
    out_h, out_w = _places(h, w, k, stride, pad)
    padded = np.zeros((n, h + 2 * pad, w + 2 * pad, c), cols.dtype)
    for i, j in np.ndindex(out_h, out_w):
        place = padded[:, i * stride : i * stride + k, j * stride : j * stride + k]
        np.maximum(place, cols.reshape(n, out_h, out_w, k, k, c)[:, i, j], out=place)
    return padded[:, pad : pad + h, pad : pad + w]
