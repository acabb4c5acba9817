"""Lesson 14: a trained kernel that gets coordinate channels, without a change of what it computes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield kernels of all shapes with one to three new channels, with and without groups."""
    k, c = int(rng.integers(2, 4)), int(rng.integers(4, 6))

    def kernel(*shape: int) -> np.ndarray:
        return rng.normal(size=shape)

    yield Case(f"{k} outputs of {c} channels, 3 x 3; i and j", (kernel(k, c, 3, 3), 2))
    yield Case(f"{c} outputs of {k} channels, 1 x 5; i, j and r", (kernel(c, k, 1, 5), 3))
    yield Case(f"{k} outputs of {c} channels, 1 x 1; one coordinate", (kernel(k, c, 1, 1), 1))
    yield Case("depthwise: one channel for each of 6 outputs, 3 x 2", (kernel(6, 1, 3, 2), 2))
    yield Case("as many outputs as channels", (kernel(c, c, 3, 3), 3))
    yield Case("float32", (kernel(k, c, 2, 3).astype(np.float32), 2))


exercise = Exercise(
    id="grown_kernel",
    lesson=14,
    title="Coordinates for a trained network",
    minutes=8,
    difficulty=1,
    builds_on=("kernel_to_torch",),
    axes=("outputs", "channels", "rows", "columns"),
    cases=cases,
    hints=(
        "With which weights does a new channel leave every output as it was, whatever is in the channel?",
        "np.zeros((c_out, extra, kh, kw), w.dtype) are the weights of the new channels.",
        "They come after the channels of the image: np.concatenate([w, new], axis=1).",
    ),
)


@exercise.solved_by
def grown_kernel(w, extra):
    """Return a trained kernel with weights for new channels, which change no output.

    w: a kernel in the layout of PyTorch, shape (c_out, C, kh, kw). With groups, C is the number
    of channels of a group.
    extra: how many coordinate channels come in, after those of the image: 2, or 3 with r.

    Returns shape (c_out, C + extra, kh, kw), in the dtype of w. Whatever the new channels hold,
    each output is what it was with w alone.
    """
    c_out, _, kh, kw = w.shape
    return np.concatenate([w, np.zeros((c_out, extra, kh, kw), w.dtype)], axis=1)


@exercise.mistake("the new weights come first; the coordinates come after the channels of the image")
def new_ones_first(w, extra):
    return np.roll(grown_kernel(w, extra), extra, axis=1)


@exercise.mistake("the new weights are 1, so that the coordinates are added to every output; with 0 they are not")
def ones(w, extra):
    c_out, _, kh, kw = w.shape
    return np.concatenate([w, np.ones((c_out, extra, kh, kw), w.dtype)], axis=1)


@exercise.mistake("there are new outputs in place of new channels; the channels of the input are axis 1")
def new_outputs(w, extra):
    return np.concatenate([w, np.zeros((extra, *w.shape[1:]), w.dtype)], axis=0)


@exercise.mistake("there are new columns in place of new channels; the channels of the input are axis 1")
def new_columns(w, extra):
    return np.concatenate([w, np.zeros((*w.shape[:3], extra), w.dtype)], axis=3)


@exercise.mistake("the result is float64 for a float32 kernel; np.zeros needs the dtype of w")
def always_float64(w, extra):
    return grown_kernel(w.astype(np.float64), extra)


@exercise.mistake("the trained weights became smaller, to make room for more channels; a zero weight needs no room")
def scaled_down(w, extra):
    return (grown_kernel(w, extra) * (w.shape[1] / (w.shape[1] + extra))).astype(w.dtype)


@exercise.mistake("there are always two new channels; with r there are three")
def always_two(w, extra):
    return grown_kernel(w, 2)


@exercise.mistake("the new channels got the weights of the last channels of the image; they should be 0")
def copied(w, extra):
    channels = [*range(w.shape[1]), *[max(w.shape[1] - 1 - k, 0) for k in range(extra)]]
    return np.ascontiguousarray(w[:, channels])


@exercise.mistake("there are new rows in place of new channels; the channels of the input are axis 1")
def new_rows(w, extra):
    c_out, c_in, _, kw = w.shape
    return np.concatenate([w, np.zeros((c_out, c_in, extra, kw), w.dtype)], axis=2)


@exercise.mistake("the new channels got the mean of the trained weights; they should be 0")
def mean_of_the_weights(w, extra):
    return np.concatenate([w, np.repeat(w.mean(axis=1, keepdims=True), extra, axis=1)], axis=1)


@exercise.mistake("the middle of the last new channel is 1, and a coordinate is added to every output; it should be 0")
def middle_is_one(w, extra):
    new = grown_kernel(w, extra)
    new[:, -1, w.shape[2] // 2, w.shape[3] // 2] = 1
    return new


@exercise.mistake("there is one new channel too many; there are `extra` of them")
def one_too_many(w, extra):
    return grown_kernel(w, extra + 1)
