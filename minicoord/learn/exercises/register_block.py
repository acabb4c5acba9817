"""Lesson 08: a block of a matrix product whose sums stay in registers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.checking.bytecode import CodeTraits
from minicoord.learn.checking.counted_loads import counted
from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield sums of different lengths, from a single product on, float32, and arrays that count their loads."""

    def factors(depth: int, dtype: type = np.float64) -> tuple[np.ndarray, np.ndarray]:
        return rng.normal(size=(4, depth)).astype(dtype), rng.normal(size=(depth, 2)).astype(dtype)

    depth = int(rng.integers(5, 8))
    yield Case(f"sums of {depth} products", factors(depth))
    yield Case("a single product", factors(1))
    yield Case("as many products as rows", factors(4))
    yield Case("float32", factors(depth + 2, np.float32))
    yield Case("sums of 70 products", factors(70))
    x, w = factors(3)
    yield Case("each number of x and w loaded only once", (counted(x, limit=1), counted(w, limit=1)))


def code_check(traits: CodeTraits) -> str | None:
    """Say what is missing where NumPy multiplies."""
    if traits.products or not traits.loops:
        return "NumPy computes the product; write a loop over k with one variable for each sum"
    return None


exercise = Exercise(
    id="register_block",
    lesson=8,
    title="Eight sums in registers",
    minutes=20,
    difficulty=2,
    builds_on=("tiled_product",),
    compiled=True,
    axes=("rows of x", "columns of w"),
    cases=cases,
    code_check=code_check,
    hints=(
        "One loop, over k. Before it, eight variables that begin as zero: s00, s01, s10, ... s31, row first.",
        "In the loop: six loads first, w0 and w1 from row k of w, then x0 to x3 from column k of x.",
        "Then eight additions that touch variables only: s00 += x0 * w0, s01 += x0 * w1, s10 += x1 * w0, ...",
        "Zero of the right dtype is x.dtype.type(0). After the loop: y = np.empty((4, 2), x.dtype), and fill its rows.",
    ),
)


@exercise.solved_by
def register_block(x, w):
    """Return the matrix product x @ w of a block: 4 rows times 2 columns.

    x: shape (4, depth). w: shape (depth, 2); depth is at least 1. Returns shape (4, 2), in the
    dtype of x.

    Keep each of the eight sums in a variable of its own until it is complete, and load each number
    of x and of w only once: six loads for eight multiplications. The check counts the loads.
    """
    s00 = s01 = s10 = s11 = s20 = s21 = s30 = s31 = x.dtype.type(0)
    for k in range(len(w)):
        w0, w1 = w[k, 0], w[k, 1]
        x0, x1, x2, x3 = x[0, k], x[1, k], x[2, k], x[3, k]
        s00 += x0 * w0
        s01 += x0 * w1
        s10 += x1 * w0
        s11 += x1 * w1
        s20 += x2 * w0
        s21 += x2 * w1
        s30 += x3 * w0
        s31 += x3 * w1
    y = np.empty((4, 2), x.dtype)
    y[0, 0], y[0, 1] = s00, s01
    y[1, 0], y[1, 1] = s10, s11
    y[2, 0], y[2, 1] = s20, s21
    y[3, 0], y[3, 1] = s30, s31
    return y


@exercise.mistake(
    "a number is loaded again for each sum that needs it; load it into a variable once for each k, and use that"
)
def loaded_for_each_sum(x, w):
    y = np.zeros((4, 2), x.dtype)
    for k in range(len(w)):
        for r in range(4):
            for v in range(2):
                y[r, v] += x[r, k] * w[k, v]
    return y


@exercise.mistake("each sum keeps only its last product: with = it replaces those before it; add them up with +=")
def last_product_alone(x, w):
    return np.asarray(x)[:, -1:] @ np.asarray(w)[-1:]


@exercise.mistake("the last k is left out, so each sum stops one product too early")
def sum_too_short(x, w):
    return np.asarray(x)[:, :-1] @ np.asarray(w)[:-1]


@exercise.mistake("the first k is left out: a loop over k begins at 0")
def sum_too_late(x, w):
    return np.asarray(x)[:, 1:] @ np.asarray(w)[1:]


@exercise.mistake("the two columns are exchanged: s00 belongs to row 0 and column 0, s01 to row 0 and column 1")
def columns_exchanged(x, w):
    return np.asarray(x) @ np.asarray(w)[:, ::-1]


@exercise.mistake("both columns are the same: the second one needs w1, the number of w in column 1")
def same_column_twice(x, w):
    return np.asarray(x) @ np.asarray(w)[:, [0, 0]]


@exercise.mistake("the sums are in a wrong order: they stand row by row, s00, s01, s10, s11, ..., with the row first")
def column_by_column(x, w):
    return (np.asarray(x) @ np.asarray(w)).T.reshape(4, 2)


@exercise.mistake("all rows are the same: each of the four rows needs its own number of x, x0 to x3")
def same_row_four_times(x, w):
    return np.asarray(x)[[0, 0, 0, 0]] @ np.asarray(w)


@exercise.mistake("the result has the columns first; it has 4 rows and 2 columns")
def transposed(x, w):
    return (np.asarray(x) @ np.asarray(w)).T


@exercise.mistake("np.zeros and np.empty make float64 by default; give them the dtype of x")
def always_float64(x, w):
    return (np.asarray(x) @ np.asarray(w)).astype(np.float64)


@exercise.mistake("all eight products go into one sum; each row and column needs a sum of its own")
def one_sum(x, w):
    return np.full((4, 2), np.asarray(x @ w).sum(), x.dtype)


@exercise.mistake("two rows are the same: each of the four rows needs its own number of x, x0 to x3")
def last_row_twice(x, w):
    return np.asarray(x)[[0, 1, 2, 2]] @ np.asarray(w)


@exercise.mistake("only the first two rows have sums; there are four, s00 to s31")
def two_rows_alone(x, w):
    y = np.asarray(x) @ np.asarray(w)
    y[2:] = 0
    return y
