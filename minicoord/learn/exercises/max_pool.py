"""Lesson 03b: the largest number under each window."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield windows that touch, overlap and leave gaps, pixels left over, images of all shapes, and numbers near zero
    and far from it.
    """
    h, w = 2 * int(rng.integers(2, 4)), 2 * int(rng.integers(4, 6))
    yield Case(f"one image of {h} x {w}, one channel", (rng.normal(size=(1, h, w, 1)), 2, 2))
    yield Case("2 images, 3 channels", (rng.normal(size=(2, h, w, 3)), 2, 2))
    yield Case("all numbers negative", (-rng.uniform(1, 2, size=(2, h, w, 2)), 2, 2))
    yield Case("windows of 3 that overlap, stride 2", (rng.normal(size=(2, 5, w + 1, 2)), 3, 2))
    yield Case("a row and a column are left over", (rng.normal(size=(2, h + 1, w + 1, 2)), 2, 2))
    yield Case("a window as large as the image, in float32", (rng.normal(size=(2, 3, 3, 4)).astype(np.float32), 3, 1))
    yield Case("windows of 2, stride 3: some pixels are under no window", (rng.normal(size=(2, w, h, 2)), 2, 3))
    yield Case("windows of one pixel, stride 2", (rng.normal(size=(2, h, w, 2)), 1, 2))
    yield Case("5 images of one column, windows of one pixel", (rng.normal(size=(5, h, 1, 2)), 1, 1))
    yield Case("all numbers around -1e30", (-1e30 * rng.uniform(1, 2, size=(2, h, w, 2)), 2, 2))
    yield Case("71 rows, 91 columns, a window of 5, stride 4", (rng.normal(size=(1, 71, 91, 1)), 5, 4))


exercise = Exercise(
    id="max_pool",
    lesson=3,
    title="Max pooling",
    minutes=8,
    difficulty=1,
    builds_on=("conv_out_size",),
    axes=("images", "rows", "columns", "channels"),
    cases=cases,
    hints=(
        "The positions are those of a convolution without padding: your formula from lesson 02 counts them.",
        "The window at (i, j), for all images: x[:, i * stride : i * stride + k, j * stride : j * stride + k].",
        "Its largest number for each image and channel: max(axis=(1, 2)).",
    ),
)


@exercise.solved_by
def max_pool(x, k, stride):
    """Return the largest number under a k x k window at each of its positions, channel by channel.

    x: images, shape (N, H, W, C). stride: pixels from one window position to the next.

    There is no padding; pixels at the end that are too few for another window are left out.

    Returns shape (N, out_h, out_w, C), in the dtype of x.
    """
    images, height, width, channels = x.shape
    out_h, out_w = (height - k) // stride + 1, (width - k) // stride + 1
    y = np.empty((images, out_h, out_w, channels), x.dtype)
    for i in range(out_h):
        for j in range(out_w):
            top, left = i * stride, j * stride
            y[:, i, j] = x[:, top : top + k, left : left + k].max(axis=(1, 2))
    return y


def _pooled(x: np.ndarray, k: int, stride: int, size: int, pool: np.ufunc | None = None) -> np.ndarray:
    """Return the maximum, or the mean, of windows of another size at the positions of windows of size k."""
    y = max_pool(x, k, stride)
    for i, j in np.ndindex(y.shape[1:3]):
        under = x[:, i * stride : i * stride + size, j * stride : j * stride + size]
        y[:, i, j] = under.mean(axis=(1, 2)) if pool is None else pool.reduce(under, axis=(1, 2))
    return y


@exercise.mistake("that is the mean under each window; take the largest number")
def mean(x, k, stride):
    return _pooled(x, k, stride, k)


@exercise.mistake("that is the smallest number under each window; take the largest")
def smallest(x, k, stride):
    return _pooled(x, k, stride, k, np.minimum)


@exercise.mistake("the search started at 0, so 0 wins where all numbers are negative; start with one of the numbers")
def from_zero(x, k, stride):
    return np.maximum(max_pool(x, k, stride), 0)


@exercise.mistake(
    "the search started at a number such as -100, which wins where all numbers are smaller; start with one of them"
)
def from_a_small_number(x, k, stride):
    return np.maximum(max_pool(x, k, stride), x.dtype.type(-100))


@exercise.mistake("the largest absolute value won; -3 is smaller than 2")
def by_magnitude(x, k, stride):
    largest, least = max_pool(x, k, stride), _pooled(x, k, stride, k, np.minimum)
    return np.where(-least > largest, least, largest)


@exercise.mistake("the maximum was taken over all channels; each channel is pooled separately")
def over_channels(x, k, stride):
    y = max_pool(x, k, stride)
    return np.broadcast_to(y.max(axis=3, keepdims=True), y.shape).copy()


@exercise.mistake("the windows are as large as the stride; their size is k")
def stride_for_size(x, k, stride):
    return _pooled(x, k, stride, stride, np.maximum)


@exercise.mistake("the windows lie side by side; they should be a stride apart, which may be less than k")
def size_for_stride(x, k, stride):
    return max_pool(x, k, k)


@exercise.mistake("windows that stick out at the end were counted, too; a window must lie entirely on the image")
def with_parts(x, k, stride):
    more = [-(size - k) % stride for size in x.shape[1:3]]
    filled = np.pad(x, ((0, 0), (0, more[0]), (0, more[1]), (0, 0)), constant_values=-np.inf)
    return max_pool(filled, k, stride)


@exercise.mistake("the windows are one pixel apart; they should be a whole stride apart")
def stride_forgotten(x, k, stride):
    out_h, out_w = ((size - k) // stride + 1 for size in x.shape[1:3])
    return max_pool(x, k, 1)[:, :out_h, :out_w]


@exercise.mistake("the maximum was taken over images and channels, too; keep those axes: max(axis=(1, 2))")
def over_everything(x, k, stride):
    return over_channels(over_images(x, k, stride), 1, 1)


@exercise.mistake("the maximum was taken over all images; each image is pooled separately, so max(axis=(1, 2))")
def over_images(x, k, stride):
    y = max_pool(x, k, stride)
    return np.broadcast_to(y.max(axis=0, keepdims=True), y.shape).copy()


@exercise.mistake("the windows are too small: rows top to top + k - 1 are the slice top : top + k")
def window_too_small(x, k, stride):
    return _pooled(x, k, stride, k - 1, np.maximum)


@exercise.mistake("the last position is left out: there are (H - k) // stride + 1 of them")
def last_place_left_out(x, k, stride):
    return max_pool(x, k, stride)[:, :-1, :-1]


@exercise.mistake("the positions in a row were computed from the height; out_w comes from the width")
def square_only(x, k, stride):
    out_h = out_w = (x.shape[1] - k) // stride + 1
    y = np.empty((len(x), out_h, out_w, x.shape[3]), x.dtype)
    for i, j in np.ndindex(out_h, out_w):
        y[:, i, j] = x[:, i * stride : i * stride + k, j * stride : j * stride + k].max(axis=(1, 2))
    return y


@exercise.mistake(
    "reshape cuts the image into windows side by side; that fails where they overlap or pixels are left over"
)
def by_reshape(x, k, stride):
    n, h, w, c = x.shape
    return x.reshape(n, h // k, k, w // k, k, c).max(axis=(2, 4))


@exercise.mistake("that is the top left pixel of each window; take the largest")
def first_pixel(x, k, stride):
    return _pooled(x, k, stride, 1, np.maximum)


@exercise.mistake("the absolute value of the largest was taken; a maximum may be negative")
def largest_magnitude(x, k, stride):
    return max_pool(abs(x), k, stride)


@exercise.mistake("the rows of windows are one pixel apart, only the columns a whole stride; the row is i * stride")
def stride_forgotten_down(x, k, stride):
    return max_pool(x, k, 1)[:, : (x.shape[1] - k) // stride + 1, ::stride]


@exercise.mistake("the columns of windows are one pixel apart, only the rows a whole stride; the column is j * stride")
def stride_forgotten_across(x, k, stride):
    return max_pool(x, k, 1)[:, ::stride, : (x.shape[2] - k) // stride + 1]


@exercise.mistake("that is the sum under each window; take the largest number")
def summed(x, k, stride):
    return _pooled(x, k, stride, k, np.add)


@exercise.mistake("that is where the largest number stands, as argmax says; take the number itself: max")
def place_of_the_largest(x, k, stride):
    y = max_pool(x, k, stride)
    for n, i, j, c in np.ndindex(y.shape):
        y[n, i, j, c] = x[n, i * stride : i * stride + k, j * stride : j * stride + k, c].argmax()
    return y


@exercise.mistake("only the first image was pooled; loop over all of them, and return after the loop")
def first_image(x, k, stride):
    y = max_pool(x, k, stride)
    y[1:] = 0
    return y


@exercise.mistake("all channels have the maxima of the first; each channel is pooled separately")
def first_channel_for_all(x, k, stride):
    return np.repeat(max_pool(x[..., :1], k, stride), x.shape[3], axis=3)
