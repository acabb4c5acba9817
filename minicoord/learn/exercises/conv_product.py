"""Lesson 02: with the pixels side by side in rows, convolution is one matrix product."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield rows and kernels of several channels, kernels tall and wide, a 1 x 1 kernel, many rows, and none."""
    rows, a, b = int(rng.integers(5, 9)), 2, int(rng.integers(3, 5))

    def arrays(count: int, kh: int, kw: int, c_in: int, c_out: int) -> tuple:
        cols, w = rng.normal(size=(count, kh * kw * c_in)), rng.normal(size=(kh, kw, c_in, c_out))
        return cols, w, rng.normal(size=c_out)

    yield Case("a kernel of 3 x 3, one channel in and out", arrays(rows, 3, 3, 1, 1))
    yield Case(f"{a} channels in, {b} out", arrays(rows, 3, 3, a, b))
    yield Case("a kernel of 3 x 2", arrays(rows, 3, 2, a, b))
    yield Case("a kernel of 1 x 1: a product at each pixel", arrays(rows, 1, 1, b, a))
    cols, w, bias = arrays(rows, 2, 2, a, b)
    yield Case("float32", (cols.astype(np.float32), w.astype(np.float32), bias.astype(np.float32)))
    yield Case("no rows", arrays(0, 3, 3, a, b))
    yield Case("a kernel of 1 x 4, 70 rows", arrays(70, 1, 4, b, a))


exercise = Exercise(
    id="conv_product",
    lesson=2,
    title="Convolution as one product",
    minutes=8,
    difficulty=1,
    builds_on=("im2col",),
    axes=("rows", "channels"),
    cases=cases,
    hints=(
        "One output is a row's numbers times the weights, summed: row times column. Each output channel is a column.",
        "So the kernel has to become a matrix with one column for each output channel, its rows in the order of a row.",
        "w has the axes (row, column, channel in, channel out), and the last one stays: reshape, -1 for the others.",
    ),
)


@exercise.solved_by
def conv_product(cols, w, b):
    """Return the convolution as a matrix product.

    cols: what im2col returns, shape (rows, kh * kw * c_in): in each row the pixels under the window
    row by row, each with all its channels.
    w: the kernel, shape (kh, kw, c_in, c_out). b: the bias, shape (c_out,).

    Returns shape (rows, c_out): row r holds, for each output channel, the sum of the products of
    row r of cols with the weights of that channel, plus its bias.
    """
    return cols @ w.reshape(-1, w.shape[-1]) + b


@exercise.mistake("the weights were read in the wrong order: reshape(c_out, -1).T mixes weights of different channels")
def read_across(cols, w, b):
    return cols @ w.reshape(w.shape[-1], -1).T + b


@exercise.mistake("the bias is missing")
def without_bias(cols, w, b):
    return conv_product(cols, w, np.zeros_like(b))


@exercise.mistake("the kernel is flipped; read it row by row, as it is")
def flipped(cols, w, b):
    return conv_product(cols, w[::-1, ::-1], b)


@exercise.mistake("the kernel's rows and columns are exchanged")
def transposed(cols, w, b):
    return cols @ w.swapaxes(0, 1).reshape(-1, w.shape[-1]) + b


@exercise.mistake("the kernel's channels come before its pixels; in cols they come after them")
def channels_first(cols, w, b):
    return cols @ np.moveaxis(w, 2, 0).reshape(-1, w.shape[-1]) + b


@exercise.mistake("the result is transposed: a row for each position, a column for each output channel")
def turned_round(cols, w, b):
    return conv_product(cols, w, b).T


@exercise.mistake("that is the mean of the products; take their sum")
def mean(cols, w, b):
    return conv_product(cols, w / w.dtype.type(cols.shape[1]), b)


@exercise.mistake("w.T reverses all four axes; make w a matrix first: w.reshape(-1, c_out)")
def all_axes_turned(cols, w, b):
    return cols @ w.T.reshape(-1, w.shape[-1]) + b
