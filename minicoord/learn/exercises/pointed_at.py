"""Lesson 07: the position that a softmax over the pixels points at."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield soft and sharp images of logits, of all shapes, near zero and far from it."""
    h, w = int(rng.integers(3, 5)), int(rng.integers(6, 9))
    yield Case(f"one image of {h} x {w}", (rng.normal(size=(1, h, w)),))
    yield Case(f"3 images of {w} x {h}", (2 * rng.normal(size=(3, w, h)),))
    yield Case("large logits, in the hundreds and thousands", (900 + 300 * rng.normal(size=(2, h, w)),))
    peaks = rng.normal(size=(2, h, w))
    peaks[0, int(rng.integers(h)), int(rng.integers(w))] += 6
    peaks[1, 0, w - 1] += 3
    yield Case("one pixel stands out, in float32", (peaks.astype(np.float32),))
    apart = rng.normal(size=(2, h, w))
    apart[0] += 2000
    yield Case("two images, the logits of one 2000 above those of the other", (apart,))
    ahead = rng.normal(size=(2, h, w))
    ahead[:, int(rng.integers(h)), int(rng.integers(w))] += 2000
    yield Case("one pixel is ahead of all others by 2000", (ahead,))
    yield Case("images of one row", (rng.normal(size=(2, 1, w)),))
    yield Case("all logits equal: the middle of the image", (np.full((2, h, w), rng.normal()),))
    yield Case("images of one column", (rng.normal(size=(2, w, 1)),))
    yield Case("all logits around -100,000", (rng.normal(size=(2, h, w)) - 100_000,))
    large = rng.normal(size=(1, 80, 100))
    large[0, 78, 97] += 20
    yield Case("80 rows and 100 columns, one pixel stands out", (large,))


exercise = Exercise(
    id="pointed_at",
    lesson=7,
    title="A softmax as a pointer",
    minutes=15,
    difficulty=2,
    builds_on=("softmax_cross_entropy",),
    axes=("images", "x and y"),
    cases=cases,
    hints=(
        "First the softmax: exp of every logit, divided by the sum over its image. Reshape to (N, H * W) for it.",
        "Subtract the largest logit of each image before exp: nothing changes, and nothing overflows.",
        "The mean of x is the sum over all pixels of probability times column; np.arange(W) has the columns.",
        "With p of shape (N, H, W): x = (p * np.arange(W)).sum(axis=(1, 2)); for y the rows are np.arange(H)[:, None].",
    ),
)


@exercise.solved_by
def pointed_at(logits):
    """Return the mean position (x, y) under the softmax over all pixels of each image.

    logits: shape (N, H, W). The softmax of an image gives each of its H * W pixels a
    probability; together they sum to 1.

    Returns shape (N, 2), in the dtype of the logits: the mean column x, then the mean row y, in
    pixels counted from 0.
    """
    h, w = logits.shape[1:]
    e = np.exp(logits - logits.max(axis=(1, 2), keepdims=True))
    p = e / e.sum(axis=(1, 2), keepdims=True)
    x = (p * np.arange(w)).sum(axis=(1, 2))
    y = (p * np.arange(h)[:, None]).sum(axis=(1, 2))
    return np.stack([x, y], axis=1).astype(logits.dtype)


def _mean_place(p: np.ndarray) -> np.ndarray:
    """Return the sum of probability times position; the probabilities need not sum to 1."""
    _, h, w = p.shape
    return np.stack([(p * np.arange(w)).sum(axis=(1, 2)), (p * np.arange(h)[:, None]).sum(axis=(1, 2))], axis=1)


def _softmax(logits: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    e = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


@exercise.mistake("x and y are exchanged: x is the column, y the row, and x comes first")
def exchanged(logits):
    return np.ascontiguousarray(pointed_at(logits)[:, ::-1])


@exercise.mistake("that is the pixel of the largest logit; the mean position lies between pixels, and has a gradient")
def largest(logits):
    n, _, w = logits.shape
    best = logits.reshape(n, -1).argmax(axis=1)
    return np.stack([best % w, best // w], axis=1).astype(logits.dtype)


@exercise.mistake("the softmax was taken over each row separately; take it over all pixels of an image together")
def softmax_of_rows(logits):
    return _mean_place(_softmax(logits, 2)).astype(logits.dtype)


@exercise.mistake("the softmax was taken over each column separately; take it over all pixels of an image together")
def softmax_of_columns(logits):
    return _mean_place(_softmax(logits, 1)).astype(logits.dtype)


@exercise.mistake("the softmax was taken over the whole batch; each image has its own")
def softmax_of_batch(logits):
    return _mean_place(_softmax(logits, (0, 1, 2))).astype(logits.dtype)


@exercise.mistake(
    "exp of a large logit overflows; subtract the image's largest logit first: the softmax stays the same"
)
def overflowing(logits):
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(logits)
        return _mean_place(e / e.sum(axis=(1, 2), keepdims=True)).astype(logits.dtype)


@exercise.mistake("the pixels were counted from 1; the first row and the first column are 0")
def counted_from_one(logits):
    return pointed_at(logits) + logits.dtype.type(1)


@exercise.mistake("the largest logit of the whole batch was subtracted; subtract each image's own, or an image is lost")
def one_maximum(logits):
    with np.errstate(invalid="ignore"):
        e = np.exp(logits - logits.max())
        return _mean_place(e / e.sum(axis=(1, 2), keepdims=True)).astype(logits.dtype)


@exercise.mistake("there is no softmax: the logits themselves were used as probabilities")
def without_softmax(logits):
    return _mean_place(logits)


@exercise.mistake("exp was not divided by its sum, so that the probabilities do not sum to 1")
def not_divided_by_the_sum(logits):
    return _mean_place(np.exp(logits - logits.max(axis=(1, 2), keepdims=True))).astype(logits.dtype)


@exercise.mistake("probability times position is summed over the pixels; you took the mean over them")
def mean_for_sum(logits):
    return pointed_at(logits) / np.prod(logits.shape[1:], dtype=logits.dtype)


@exercise.mistake("the position is scaled to [-1, 1]; return it in pixels, counted from 0")
def scaled(logits):
    steps = np.maximum(np.array(logits.shape[:0:-1]) - 1, 1)
    return (2 * pointed_at(logits) / steps - 1).astype(logits.dtype)


@exercise.mistake(
    "the mean pixel number was split into row and column; take the mean of the columns and the mean of the rows"
)
def mean_number(logits):
    n, _, w = logits.shape
    p = _softmax(logits, (1, 2)).reshape(n, -1)
    number = (p * np.arange(p.shape[1])).sum(axis=1)
    return np.stack([number % w, number // w], axis=1).astype(logits.dtype)


@exercise.mistake("the positions are float64 for float32 logits; they should have the dtype of the logits")
def float64(logits):
    return pointed_at(logits.astype(np.float64))


@exercise.mistake("that is the pixel of the largest logit, a whole number; the mean position lies between pixels")
def largest_whole(logits):
    return largest(logits).astype(np.int64)


@exercise.mistake(
    "the logits were clipped before exp, and large ones became equal; subtract the image's largest logit instead"
)
def cut_off(logits):
    return _mean_place(_softmax(np.clip(logits, -50, 50), (1, 2))).astype(logits.dtype)


@exercise.mistake("the mean was subtracted before exp; a logit far above it still overflows, so subtract the largest")
def mean_taken_off(logits):
    e = np.exp(logits - logits.mean(axis=(1, 2), keepdims=True))
    return _mean_place(e / e.sum(axis=(1, 2), keepdims=True)).astype(logits.dtype)


@exercise.mistake("the position is divided by the sides of the image; return it in pixels, counted from 0")
def as_a_share(logits):
    return (pointed_at(logits) / np.array(logits.shape[:0:-1])).astype(logits.dtype)


@exercise.mistake("half a pixel was added; the middle of the first pixel is 0")
def half_a_pixel_on(logits):
    return pointed_at(logits) + logits.dtype.type(0.5)


@exercise.mistake("the mean position was rounded; it lies between pixels")
def rounded(logits):
    return np.rint(pointed_at(logits))


@exercise.mistake("the result is transposed: a row for each image, with x and then y")
def turned_round(logits):
    return pointed_at(logits).T


@exercise.mistake("the rows are counted from the bottom; row 0 is the top one")
def upside_down(logits):
    return np.ascontiguousarray(pointed_at(logits[:, ::-1]))
