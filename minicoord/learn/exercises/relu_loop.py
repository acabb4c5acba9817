"""Lesson 08: bias and ReLU as loops that Numba compiles."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.checking.bytecode import CodeTraits
from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield images with fewer columns than channels and with more, long and thin ones, one pixel, and float32."""
    h, w, c = int(rng.integers(2, 4)), int(rng.integers(4, 6)), int(rng.integers(7, 9))

    def numbers(*shape: int) -> np.ndarray:
        return rng.normal(size=shape)

    yield Case(f"2 images of {h} x {w}, {c} channels", (numbers(2, h, w, c), numbers(c)))
    yield Case(f"3 images of {h} x {c}, {w} channels", (numbers(3, h, c, w), numbers(w)))
    yield Case("as many rows and columns as channels", (numbers(2, 3, 3, 3), numbers(3)))
    yield Case("one pixel", (numbers(1, 1, 1, c), numbers(c)))
    yield Case("float32", (numbers(2, h, w, c).astype(np.float32), numbers(c).astype(np.float32)))
    yield Case(f"5 images of {h} x 70, one channel", (numbers(5, h, 70, 1), numbers(1) / 10))
    yield Case("70 rows, one column, numbers far from 0", (1e6 * numbers(1, 70, 1, 2), 1e6 * numbers(2)))


def code_check(traits: CodeTraits) -> str | None:
    """Say what is missing where NumPy does the work."""
    if traits.whole_arrays and traits.loops:
        return "NumPy computes several numbers at once; write plain loops over single numbers"
    return None if traits.loops else "there is no loop in it; write plain loops over single numbers"


def traced() -> tuple[np.ndarray, np.ndarray]:
    """Return small images and a bias, to see whether an answer takes their numbers one by one."""
    return np.arange(-24.0, 24).reshape(2, 3, 4, 2), np.array([0.5, -1.5])


exercise = Exercise(
    id="relu_loop",
    lesson=8,
    title="Bias and ReLU in one pass",
    minutes=10,
    difficulty=1,
    compiled=True,
    axes=("images", "rows", "columns", "channels"),
    cases=cases,
    code_check=code_check,
    traced=traced,
    hints=(
        "Four nested loops, one for each axis of x: images, rows, columns, channels.",
        "Create the result first: np.empty_like(x) has the shape and the dtype of x.",
        "The bias belongs to a channel: b[c]. Add it first, then look at the sign.",
        "value = x[n, i, j, c] + b[c], and then value if value > 0 else 0.",
    ),
)


@exercise.solved_by
def relu_loop(x, b):
    """Return relu(x + b) in a new array, computed by plain loops over single numbers.

    x: images, shape (N, H, W, C). b: the bias, shape (C,), one number for each channel.

    Returns shape (N, H, W, C), in the dtype of x. relu(z) is z where z > 0, else 0. The check runs
    it first as Python, and then compiled by Numba.
    """
    y = np.empty_like(x)
    for n in range(x.shape[0]):
        for i in range(x.shape[1]):
            for j in range(x.shape[2]):
                for c in range(x.shape[3]):
                    value = x[n, i, j, c] + b[c]
                    y[n, i, j, c] = value if value > 0 else 0
    return y


@exercise.mistake("it writes into x, which the caller may still need; make a new array with np.empty_like(x)")
def in_place(x, b):
    x[:] = relu_loop(x, b)
    return x


@exercise.mistake("the bias was indexed by column; b has one number for each channel, so it is b[c]")
def bias_by_column(x, b):
    return np.maximum(x + b[np.arange(x.shape[2])][:, None], 0).astype(x.dtype)


@exercise.mistake("the bias was indexed by row; b has one number for each channel, so it is b[c]")
def bias_by_row(x, b):
    return np.maximum(x + b[np.arange(x.shape[1])][:, None, None], 0).astype(x.dtype)


@exercise.mistake("the bias was added after the ReLU; it comes first, so that no result is below 0")
def bias_last(x, b):
    return np.maximum(x, 0) + b


@exercise.mistake("the sign of x was tested; it is the sum x + b that must be above 0")
def sign_before_bias(x, b):
    return np.where(x > 0, x + b, 0).astype(x.dtype)


@exercise.mistake("np.zeros and np.empty make float64 by default; give them the dtype of x")
def always_float64(x, b):
    return relu_loop(x, b).astype(np.float64)


@exercise.mistake("the bias is missing")
def without_bias(x, b):
    return np.maximum(x, 0)


@exercise.mistake("the bias was indexed by image; b has one number for each channel, so it is b[c]")
def bias_by_image(x, b):
    return np.maximum(x + b[np.arange(x.shape[0])][:, None, None, None], 0).astype(x.dtype)


@exercise.mistake("where x + b is below 0 the number from x was left unchanged; it should be 0 there")
def x_left_standing(x, b):
    return np.where(x + b > 0, x + b, x).astype(x.dtype)


@exercise.mistake("that is the absolute value; where x + b is below 0 the result is 0")
def absolute(x, b):
    return np.abs(x + b)


@exercise.mistake("the ReLU is missing: what is below 0 should become 0")
def without_relu(x, b):
    return x + b


@exercise.mistake("only the first image was done; loop over all of them, and return after the loop")
def returned_early(x, b):
    y = relu_loop(x, b)
    y[1:] = 0
    return y


@exercise.mistake("all channels got the bias of the first; that of channel c is b[c]")
def first_bias_for_all(x, b):
    return relu_loop(x, np.full_like(b, b[0]))


@exercise.mistake("the bias was subtracted; add it")
def bias_subtracted(x, b):
    return relu_loop(x, -b)


@exercise.mistake("only what is below 0 was kept; a ReLU keeps what is above 0")
def upside_down(x, b):
    return np.minimum(x + b, 0)


@exercise.mistake("that is 1 where x + b is above 0; the result there is x + b itself")
def ones(x, b):
    return (x + b > 0).astype(x.dtype)


@exercise.mistake("the last channel was left out; range(C) already ends at C - 1")
def last_channel_left_out(x, b):
    y = relu_loop(x, b)
    y[..., -1] = 0
    return y
