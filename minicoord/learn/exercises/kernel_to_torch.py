"""Lesson 14: a kernel of minicoord in the layout of PyTorch, with the coordinates in the order of the other layer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield kernels of 1 to 5 pixels, wide and tall, with and without r, in both orders and dtypes."""
    c, k = int(rng.integers(2, 4)), int(rng.integers(5, 8))

    def kernel(*shape: int) -> np.ndarray:
        return rng.normal(size=shape)

    yield Case(f"3 x 3, {c} channels and i, j; {k} outputs", (kernel(3, 3, c + 2, k), False, "ij"))
    yield Case(f"3 x 3, {c} channels and j, i wanted", (kernel(3, 3, c + 2, k), False, "xy"))
    yield Case(f"2 x 3, {c} channels and i, j, r", (kernel(2, 3, c + 3, k), True, "ij"))
    yield Case("3 x 1, one channel and j, i, r wanted", (kernel(3, 1, 4, k), True, "xy"))
    yield Case("1 x 5, no channel but i and j", (kernel(1, 5, 2, k), False, "xy"))
    yield Case("as many channels as outputs", (kernel(3, 3, k, k), False, "ij"))
    yield Case("1 x 1, as many channels as outputs, with r", (kernel(1, 1, k, k), True, "xy"))
    yield Case("float32", (kernel(2, 2, c + 3, k).astype(np.float32), True, "xy"))
    yield Case("3 x 3, called with the kernel alone", (kernel(3, 3, c + 2, k),))


exercise = Exercise(
    id="kernel_to_torch",
    lesson=14,
    title="The same weights in another layout",
    minutes=10,
    difficulty=2,
    builds_on=("add_coords_first",),
    axes=("outputs", "channels", "rows", "columns"),
    cases=cases,
    hints=(
        "w.transpose(a, b, c, d) puts axis a of w first, then b, c, d. Which axis of w are the outputs?",
        "Outputs are axis 3, channels axis 2, rows axis 0, columns axis 1. w.T would exchange rows and columns, too.",
        'For "xy", exchange the weights of i and j: the last two channels, or with r the two before the last.',
        "channels = list(range(w.shape[2])); exchange two of its items; w[:, :, channels] has them in that order.",
    ),
)


@exercise.solved_by
def kernel_to_torch(w, with_r=False, order="ij"):
    """Return a CoordConv kernel of minicoord in the layout of PyTorch.

    w: shape (kh, kw, C + 2, c_out), or (kh, kw, C + 3, c_out) with r. The channels are those of
    the image, then i, j, and r if with_r is True.
    order: that of the layer which gets the kernel: "ij" if its coordinates are i and then j,
    "xy" if they are j and then i. r is last in both.

    Returns shape (c_out, C + 2, kh, kw), or (c_out, C + 3, kh, kw), in the dtype of w. A layer
    with these weights computes the same as before.
    """
    channels = list(range(w.shape[2]))
    if order == "xy":
        i = len(channels) - (3 if with_r else 2)
        channels[i], channels[i + 1] = i + 1, i
    return w[:, :, channels].transpose(3, 2, 0, 1)


def _exchanged(w: np.ndarray, first: int) -> np.ndarray:
    """Return w with two neighbouring input channels exchanged; the first is counted from the end if it is negative."""
    channels = np.arange(w.shape[2])
    first %= len(channels)
    second = (first + 1) % len(channels)
    channels[[first, second]] = channels[[second, first]]
    return w[:, :, channels]


def _moved(w: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(w.transpose(3, 2, 0, 1))


@exercise.mistake("reshape keeps the numbers in their order in memory and mixes them up; transpose moves the axes")
def reshaped(w, with_r=False, order="ij"):
    w = _exchanged(w, -3 if with_r else -2) if order == "xy" else w
    kh, kw, c_in, c_out = w.shape
    return np.ascontiguousarray(w).reshape(c_out, c_in, kh, kw)


@exercise.mistake("rows and columns of the kernel are exchanged, as w.T does; the rows come before the columns")
def fully_transposed(w, with_r=False, order="ij"):
    return np.ascontiguousarray(kernel_to_torch(w, with_r, order).swapaxes(2, 3))


@exercise.mistake("outputs and channels are exchanged; in PyTorch the outputs come first")
def outputs_second(w, with_r=False, order="ij"):
    return np.ascontiguousarray(kernel_to_torch(w, with_r, order).swapaxes(0, 1))


@exercise.mistake('order has no effect; with "xy" the weights of i and j change places')
def order_ignored(w, with_r=False, order="ij"):
    return _moved(w)


@exercise.mistake('the weights of i and j change places always; with "ij" they stay')
def always_exchanged(w, with_r=False, order="ij"):
    return kernel_to_torch(w, with_r, "xy")


@exercise.mistake('the two orders are exchanged: minicoord has "ij", so "xy" needs the exchange')
def orders_exchanged(w, with_r=False, order="ij"):
    return kernel_to_torch(w, with_r, "xy" if order == "ij" else "ij")


@exercise.mistake("the last two channels were exchanged, which with r are j and r; i and j stand before r")
def last_two(w, with_r=False, order="ij"):
    return _moved(_exchanged(w, -2) if order == "xy" else w)


@exercise.mistake("the first two channels were exchanged; the coordinates come after the channels of the image")
def first_two(w, with_r=False, order="ij"):
    return _moved(_exchanged(w, 0) if order == "xy" else w)


@exercise.mistake('rows and columns of the kernel were exchanged for "xy"; only the channels of i and j are')
def kernel_turned(w, with_r=False, order="ij"):
    return np.ascontiguousarray(_moved(w).swapaxes(2, 3)) if order == "xy" else _moved(w)


@exercise.mistake("the kernel is flipped; PyTorch's convolution is a correlation, as ours is")
def flipped(w, with_r=False, order="ij"):
    return np.ascontiguousarray(kernel_to_torch(w, with_r, order)[:, :, ::-1, ::-1])


@exercise.mistake("the coordinates come before the channels of the image; they stay behind them")
def coordinates_first(w, with_r=False, order="ij"):
    return np.roll(kernel_to_torch(w, with_r, order), 3 if with_r else 2, axis=1)


@exercise.mistake("the sign of j was turned; in both orders the first column is -1")
def sign_turned(w, with_r=False, order="ij"):
    right = kernel_to_torch(w, with_r, order).copy()
    if order == "xy":
        right[:, -3 if with_r else -2] *= -1
    return right


@exercise.mistake("the result is float64 for a float32 kernel; it should have the dtype of w")
def always_float64(w, with_r=False, order="ij"):
    return kernel_to_torch(w.astype(np.float64), with_r, order)


@exercise.mistake('with "xy" all three were turned round; r stays last')
def r_moved_by_order(w, with_r=False, order="ij"):
    if order == "ij":
        return _moved(w)
    d = 3 if with_r else 2
    return _moved(np.concatenate([w[:, :, :-d], w[:, :, -d:][:, :, ::-1]], axis=2))


@exercise.mistake(
    "i and j have the same weights: a, b = b, a with two views of an array overwrites one before it is read; index "
    "with a list of channels"
)
def views_exchanged(w, with_r=False, order="ij"):
    new, i = _moved(w).copy(), w.shape[2] - (3 if with_r else 2)
    if order == "xy":
        new[:, i] = new[:, i + 1]
    return new


@exercise.mistake("w was changed in place, and it belongs to the caller; w[:, :, channels] makes a new array")
def changed_in_place(w, with_r=False, order="ij"):
    new = kernel_to_torch(w, with_r, order).copy()
    if order == "xy":
        w[...] = new.transpose(2, 3, 1, 0)
    return new


@exercise.mistake("the order of the outputs is turned round; they stay as they are")
def outputs_turned_round(w, with_r=False, order="ij"):
    return np.ascontiguousarray(kernel_to_torch(w, with_r, order)[::-1])
