"""Lesson 03b: the gradient of max pooling, which goes to the winner alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield windows with one winner and with ties, that touch, overlap and leave gaps, pixels left over, images of all
    shapes, and numbers near zero and far from it.
    """
    h, w = 2 * int(rng.integers(2, 4)), 2 * int(rng.integers(4, 6))

    def arrays(x: np.ndarray, k: int, stride: int) -> tuple:
        out_h, out_w = ((size - k) // stride + 1 for size in x.shape[1:3])
        return rng.normal(size=(x.shape[0], out_h, out_w, x.shape[3])).astype(x.dtype), x, k, stride

    yield Case(f"one image of {h} x {w}, one channel", arrays(rng.normal(size=(1, h, w, 1)), 2, 2))
    yield Case("2 images, 3 channels", arrays(rng.normal(size=(2, h, w, 3)), 2, 2))
    yield Case("windows of 3 that overlap, stride 1", arrays(rng.normal(size=(2, h, w, 2)), 3, 1))
    yield Case("a row and a column are left over", arrays(rng.normal(size=(2, h + 1, w + 1, 2)), 2, 2))
    yield Case("black images: every window is a tie", arrays(np.zeros((2, h, w, 2)), 2, 2))
    yield Case("few different numbers, float32", arrays(rng.integers(-2, 2, (2, 6, w, 2)).astype(np.float32), 3, 3))
    yield Case("windows of 2, stride 3: some pixels are under no window", arrays(rng.normal(size=(2, w, h, 2)), 2, 3))
    yield Case("windows of one pixel, stride 2", arrays(rng.normal(size=(2, h, w, 2)), 1, 2))
    yield Case("5 images of one column, windows of one pixel", arrays(rng.normal(size=(5, h, 1, 2)), 1, 1))
    yield Case("all numbers around -1e30", arrays(-1e30 * rng.uniform(1, 2, size=(2, h, w, 2)), 2, 2))
    near = 1e6 + np.arange(2 * h * w).reshape(1, h, w, 2) / 100
    yield Case("35 rows, 90 columns, a window of 5, stride 4", arrays(rng.normal(size=(1, 35, 90, 1)), 5, 4))
    yield Case("5 images, windows of 3, stride 2", arrays(rng.normal(size=(5, 5, 7, 1)), 3, 2))
    yield Case("numbers around 1,000,000 that differ by a few hundredths", arrays(near, 2, 2))


exercise = Exercise(
    id="max_pool_dx",
    lesson=3,
    title="The gradient of max pooling",
    minutes=20,
    difficulty=3,
    builds_on=("max_pool", "col2im"),
    axes=("images", "rows", "columns", "channels"),
    cases=cases,
    hints=(
        "Only the winning pixel matters: change another a little, and y stays. So the winner gets dy[n, i, j, c].",
        "Four loops are fine: image n, row i, column j, channel c. The window is x[n, ..., ..., c], shape (k, k).",
        "window.argmax() counts row by row and gives the first of equal numbers; divmod(that, k) is its row, column.",
        "Add with +=, because a pixel may win more than once where windows overlap.",
    ),
)


@exercise.solved_by
def max_pool_dx(dy, x, k, stride):
    """Return the gradient of the loss with respect to the image that went into max pooling.

    dy: gradient with respect to the output of max_pool(x, k, stride), shape (N, out_h, out_w, C).
    x: the images, shape (N, H, W, C).

    Each number of dy goes to the pixel that was largest under its window, in its channel. Of equal
    pixels, the first one, row by row, gets it. A pixel that won several times gets the sum.

    Returns dx, shape (N, H, W, C), in the dtype of dy.
    """
    dx = np.zeros(x.shape, dy.dtype)
    for n, i, j, c in np.ndindex(dy.shape):
        top, left = i * stride, j * stride
        under = x[n, top : top + k, left : left + k, c]
        row, column = divmod(under.argmax(), k)
        dx[n, top + row, left + column, c] += dy[n, i, j, c]
    return dx


def _sent(dy, x, k, stride, weights, add=True):
    """Return dx where `weights(window)`, shape (k, k), says what each pixel gets of a gradient."""
    dx = np.zeros(x.shape, dy.dtype)
    for n, i, j, c in np.ndindex(dy.shape):
        place = np.s_[n, i * stride : i * stride + k, j * stride : j * stride + k, c]
        share = weights(x[place])
        dx[place] = np.where(share > 0, share * dy[n, i, j, c] + (dx[place] if add else 0), dx[place])
    return dx


def _winner(window, of_equals=0):
    share = np.zeros(window.size, window.dtype)
    share[np.flatnonzero(window.reshape(-1) == window.max())[of_equals]] = 1
    return share.reshape(window.shape)


@exercise.mistake("every pixel that equals the maximum got the whole gradient; of equal ones only the first gets it")
def all_equals(dy, x, k, stride):
    return _sent(dy, x, k, stride, lambda window: (window == window.max()).astype(x.dtype))


@exercise.mistake("equal pixels share the gradient; here only the first of them gets it")
def shared(dy, x, k, stride):
    return _sent(dy, x, k, stride, lambda window: (window == window.max()) / (window == window.max()).sum())


@exercise.mistake("of equal pixels, the last one got the gradient; it goes to the first, row by row")
def last_of_equals(dy, x, k, stride):
    return _sent(dy, x, k, stride, lambda window: _winner(window, -1))


@exercise.mistake(
    "of equal pixels, the first one column by column got the gradient; it goes to the first one row by row"
)
def first_by_column(dy, x, k, stride):
    return _sent(dy, x, k, stride, lambda window: _winner(window.T).T)


@exercise.mistake(
    "a pixel that wins twice keeps only the last gradient; += in a loop adds them, and so does np.add.at, while += "
    "with index arrays counts a repeated index once"
)
def overwritten(dy, x, k, stride):
    return _sent(dy, x, k, stride, _winner, add=False)


@exercise.mistake("the gradient was spread over the whole window, as for a mean; it goes to the winner alone")
def spread(dy, x, k, stride):
    return _sent(dy, x, k, stride, lambda window: np.full(window.shape, 1 / k**2, x.dtype))


@exercise.mistake("the gradient went to the top left of each window; it goes to where the largest pixel was")
def top_left(dy, x, k, stride):
    corner = np.zeros((k, k), x.dtype)
    corner[0, 0] = 1
    return _sent(dy, x, k, stride, lambda window: corner)


@exercise.mistake("the winner's row and column are exchanged")
def exchanged(dy, x, k, stride):
    return _sent(dy, x, k, stride, lambda window: _winner(window).T)


@exercise.mistake("all channels send their gradient to where channel 0 has its maximum; each has its own winner")
def winners_of_channel_0(dy, x, k, stride):
    return max_pool_dx(dy, np.broadcast_to(x[..., :1], x.shape), k, stride)


@exercise.mistake(
    "the position within the window is not that in the image: add i * stride to its row, j * stride to its column"
)
def place_in_window(dy, x, k, stride):
    dx = np.zeros(x.shape, dy.dtype)
    for n, i, j, c in np.ndindex(dy.shape):
        under = x[n, i * stride : i * stride + k, j * stride : j * stride + k, c]
        dx[(n, *divmod(under.argmax(), k), c)] += dy[n, i, j, c]
    return dx


@exercise.mistake("the windows are one pixel apart; they should be a whole stride apart")
def stride_forgotten(dy, x, k, stride):
    dx = np.zeros(x.shape, dy.dtype)
    dx[:, : dy.shape[1] + k - 1, : dy.shape[2] + k - 1] = max_pool_dx(
        dy, x[:, : dy.shape[1] + k - 1, : dy.shape[2] + k - 1], k, 1
    )
    return dx


@exercise.mistake("every pixel of the window got the whole gradient; it goes to the winner alone")
def to_all(dy, x, k, stride):
    return _sent(dy, x, k, stride, np.ones_like)


@exercise.mistake("the winner got 1; it gets the number of dy that belongs to its window")
def ones(dy, x, k, stride):
    return max_pool_dx(np.ones_like(dy), x, k, stride)


@exercise.mistake("the winner got its own value; it gets the number of dy that belongs to its window")
def own_value(dy, x, k, stride):
    dx = np.zeros(x.shape, dy.dtype)
    for n, i, j, c in np.ndindex(dy.shape):
        place = np.s_[n, i * stride : i * stride + k, j * stride : j * stride + k, c]
        dx[place] += _winner(x[place]) * x[place].max()
    return dx


@exercise.mistake("the winner was searched for in all channels together; each channel has its own")
def one_winner_for_all(dy, x, k, stride):
    dx = np.zeros(x.shape, dy.dtype)
    for n, i, j in np.ndindex(dy.shape[:3]):
        under = x[n, i * stride : i * stride + k, j * stride : j * stride + k]
        row, column, c = np.unravel_index(under.argmax(), under.shape)
        dx[n, i * stride + row, j * stride + column, c] += dy[n, i, j, c]
    return dx


@exercise.mistake(
    "the search for the largest started at 0, so nobody wins where all are negative; start with the first pixel"
)
def from_zero(dy, x, k, stride):
    def winner_above_zero(window: np.ndarray) -> np.ndarray:
        return _winner(window) if window.max() > 0 else _winner(np.zeros_like(window))

    return _sent(dy, x, k, stride, winner_above_zero)


@exercise.mistake(
    "the search for the largest started at a number such as -100, so nobody wins where all are smaller; start with the "
    "first pixel"
)
def from_a_small_number(dy, x, k, stride):
    def winner_above(window: np.ndarray) -> np.ndarray:
        return _winner(window) if window.max() > -100 else _winner(np.zeros_like(window))

    return _sent(dy, x, k, stride, winner_above)


@exercise.mistake("pixels that are nearly equal were taken for equal; the largest wins, however small the difference")
def nearly_equal(dy, x, k, stride):
    return _sent(dy, x, k, stride, lambda window: _winner(np.isclose(window, window.max()).astype(x.dtype)))


@exercise.mistake("the pixel of the largest absolute value won; -3 is smaller than 2")
def by_magnitude(dy, x, k, stride):
    return max_pool_dx(dy, abs(x), k, stride)


@exercise.mistake("the gradient went to the smallest pixel; it goes to the largest")
def to_the_smallest(dy, x, k, stride):
    return max_pool_dx(dy, -x, k, stride)


@exercise.mistake("only the first image got a gradient; each image of the batch has its own")
def first_image(dy, x, k, stride):
    dx = max_pool_dx(dy, x, k, stride)
    dx[1:] = 0
    return dx


@exercise.mistake("all images send their gradient to the winners of the first; each has its own")
def winners_of_image_0(dy, x, k, stride):
    return max_pool_dx(dy, np.broadcast_to(x[:1], x.shape), k, stride)
