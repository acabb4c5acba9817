"""Lesson 03: the gradient of the kernel, one product with the rows of im2col."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield batches, several channels in and out, kernels tall and wide, one pixel, many rows, and float32."""
    h, w = int(rng.integers(2, 4)), int(rng.integers(4, 6))
    a, b = 2, int(rng.integers(3, 5))

    def arrays(images: int, rows: int, columns: int, shape: tuple[int, int, int, int]) -> tuple:
        cols = rng.normal(size=(images * rows * columns, int(np.prod(shape[:3]))))
        return cols, rng.normal(size=(images, rows, columns, shape[3])), shape

    yield Case("one image, one channel in and out", arrays(1, h, w, (3, 3, 1, 1)))
    yield Case(f"3 images, {a} channels in, {b} out", arrays(3, h, w, (3, 3, a, b)))
    yield Case("a kernel of 3 x 2", arrays(2, h, w, (3, 2, b, a)))
    yield Case("a kernel of 1 x 1", arrays(2, h, w, (1, 1, a, b)))
    yield Case("images with one output position", arrays(4, 1, 1, (2, 2, a, b)))
    cols, dy, shape = arrays(2, h, w, (2, 2, a, b))
    yield Case("float32", (cols.astype(np.float32), dy.astype(np.float32), shape))
    yield Case(f"a kernel of 1 x 3, 2 images of {9 * w} x {h}", arrays(2, 9 * w, h, (1, 3, a, b)))


exercise = Exercise(
    id="conv_dw",
    lesson=3,
    title="The gradient of the kernel",
    minutes=12,
    difficulty=2,
    builds_on=("im2col", "conv_product"),
    axes=("kernel rows", "kernel columns", "channels in", "channels out"),
    cases=cases,
    hints=(
        "Forward, y = cols @ w as matrices: shapes (rows, p) and (p, c_out). The gradient has the shape of w.",
        "First turn dy into a matrix with one row for each row of cols: reshape(-1, c_out).",
        "w[p, o] times cols[r, p] went into y[r, o], for every row r: sum cols[r, p] * dy[r, o] over r.",
        "That sum is a matrix product with cols transposed. At the end, reshape to w_shape.",
    ),
)


@exercise.solved_by
def conv_dw(cols, dy, w_shape):
    """Return the gradient of the loss with respect to the kernel of a convolution.

    cols: the rows of im2col that went into the convolution, shape
    (N * out_h * out_w, kh * kw * c_in).
    dy: gradient of the loss with respect to the output, shape (N, out_h, out_w, c_out).
    w_shape: (kh, kw, c_in, c_out).

    Returns dw, shape w_shape, in the dtype of dy.
    """
    return (cols.T @ dy.reshape(-1, w_shape[-1])).reshape(w_shape)


@exercise.mistake("the gradients were read in the wrong order: dy.reshape(c_out, -1) mixes pixels and channels")
def read_across(cols, dy, w_shape):
    return (cols.T @ dy.reshape(w_shape[-1], -1).T).reshape(w_shape)


@exercise.mistake("the product is dy.T @ cols; that is the transpose of dw, and reshape does not transpose it back")
def turned(cols, dy, w_shape):
    return (dy.reshape(-1, w_shape[-1]).T @ cols).reshape(w_shape)


@exercise.mistake("the sum was divided by the number of images; if the loss is a mean, dy already contains that factor")
def over_images(cols, dy, w_shape):
    return conv_dw(cols, dy, w_shape) / dy.dtype.type(len(dy))


@exercise.mistake("that is the mean over all positions; the gradients of all of them are added")
def mean(cols, dy, w_shape):
    return conv_dw(cols, dy, w_shape) / dy.dtype.type(len(cols))


@exercise.mistake("only the last image counts: each one replaces the gradient of those before it; add them")
def last_image(cols, dy, w_shape):
    return conv_dw(cols[-len(cols) // len(dy) :], dy[-1:], w_shape)


@exercise.mistake("the kernel is flipped; as the forward pass did not flip it, its gradient is not flipped either")
def flipped(cols, dy, w_shape):
    return conv_dw(cols, dy, w_shape)[::-1, ::-1]


@exercise.mistake(
    "the shapes of the product do not fit; it is cols transposed, (p, rows), times dy as a matrix, (rows, c_out)"
)
def transpose_forgotten(cols, dy, w_shape):
    return (cols @ dy.reshape(-1, w_shape[-1])).reshape(w_shape)


@exercise.mistake("that is the product as a matrix; give it the shape of the kernel with reshape(w_shape)")
def left_as_matrix(cols, dy, w_shape):
    return conv_dw(cols, dy, w_shape).reshape(cols.shape[1], w_shape[-1])


@exercise.mistake("only the first image counts; the rows of all of them belong to the product")
def first_image(cols, dy, w_shape):
    return conv_dw(cols[: len(cols) // len(dy)], dy[:1], w_shape)


@exercise.mistake("only the last row counts: with = each one replaces those before it; add them up with +=")
def last_row(cols, dy, w_shape):
    return np.outer(cols[-1], dy[-1, -1, -1]).reshape(w_shape)


@exercise.mistake("the kernel's rows and columns are exchanged")
def transposed(cols, dy, w_shape):
    kh, kw, c_in, c_out = w_shape
    return conv_dw(cols, dy, (kw, kh, c_in, c_out)).swapaxes(0, 1)


@exercise.mistake("within a row the channels were assumed to come first; they come last, pixel by pixel")
def channels_first(cols, dy, w_shape):
    kh, kw, c_in, c_out = w_shape
    return conv_dw(cols, dy, (c_in, kh, kw, c_out)).transpose(1, 2, 0, 3)


@exercise.mistake("the sign is flipped: dw says where the loss grows, and the optimiser goes against it")
def turned_sign(cols, dy, w_shape):
    return -conv_dw(cols, dy, w_shape)


@exercise.mistake("dy was not used: that sums the rows of cols; weight them by dy")
def rows_summed(cols, dy, w_shape):
    return np.repeat(cols.sum(axis=0)[:, None], w_shape[3], axis=1).reshape(w_shape)


@exercise.mistake("rows and gradients were summed first, then multiplied; multiply row by row, then sum")
def summed_first(cols, dy, w_shape):
    return np.outer(cols.sum(axis=0), dy.sum(axis=(0, 1, 2))).reshape(w_shape)


@exercise.mistake("the channels of dy were moved before its pixels; a row of its matrix is one pixel with all channels")
def channels_of_dy_first(cols, dy, w_shape):
    return (cols.T @ np.moveaxis(dy, 3, 1).reshape(-1, w_shape[3])).reshape(w_shape)
