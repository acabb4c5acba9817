"""Answers to the exercises of lesson 14 as learners write them: wrong ones are refused with the right cause or none."""

from __future__ import annotations

import numpy as np
import pytest
from wrong_answers import SEEDS, Answer, WrongAnswers, assert_refused

from minicoord.kernels.coordinates import coordinate_channels
from minicoord.learn.checking.check import python_verdict
from minicoord.learn.definition.course import get
from minicoord.learn.exercises import what_is_wrong as strangers

wrong = WrongAnswers()


@wrong("add_coords_first", "each axis has its own")
def as_for_squares(x, with_r=False, order="ij"):
    n, _, h, w = x.shape
    axis = np.linspace(-1, 1, h) if h > 1 else np.zeros(1)
    i, j = np.broadcast_to(axis[:, None], (h, w)), np.broadcast_to(2 * np.arange(w) / max(h - 1, 1) - 1, (h, w))
    channels = [i, j] if order == "ij" else [j, i]
    if with_r:
        channels.append(np.hypot(i, j))
    coords = np.repeat(np.stack(channels)[None], n, axis=0)
    return np.concatenate([x, coords.astype(x.dtype)], axis=1)


@wrong("add_coords_first", "is 63 whatever the size")
def table_of_64(x, with_r=False, order="ij"):
    n, _, h, w = x.shape
    i, j = np.meshgrid(np.linspace(-1, 1, 64), np.linspace(-1, 1, 64), indexing="ij")
    if h > 64 or w > 64:
        i, j = np.meshgrid(2 * np.arange(h) / 63 - 1, 2 * np.arange(w) / 63 - 1, indexing="ij")
    i, j = i[:h, :w], j[:h, :w]
    channels = [i, j] if order == "ij" else [j, i]
    if with_r:
        channels.append(np.sqrt(i**2 + j**2))
    return np.concatenate([x, np.stack([np.stack(channels)] * n).astype(x.dtype)], axis=1)


@wrong("add_coords_first", "make the coordinates in the dtype of x")
def concatenated_in_float64(x, with_r=False, order="ij"):
    right = get("add_coords_first").solution(x, with_r, order)
    return np.concatenate([x, right[:, x.shape[1] :].astype(np.float64)], axis=1)


@wrong("add_coords_first")
def rounded(x, with_r=False, order="ij"):
    right = get("add_coords_first").solution(x, with_r, order)
    return np.concatenate([x, right[:, x.shape[1] :].round(1)], axis=1)


def judged(layer, sizes, dtypes=(np.float32, np.float64), equal=np.allclose):
    """Say "size", "rectangle" or "one pixel" by the first of these sizes at which a layer is wrong, else look on."""
    for word, n, h, w in sizes:
        x = np.zeros((n, 1, h, w), np.float32)
        try:
            if not equal(layer(x), strangers.layer_a(x)):
                return word
        except Exception:
            return word
    kept = all(layer(np.zeros((1, 1, 64, 64), dtype)).dtype == dtype for dtype in dtypes)
    return "right" if kept else "dtype"


BATCH, SIZE, WIDE = ("batch", 2, 64, 64), ("size", 1, 8, 8), ("rectangle", 1, 4, 8)
ROW, COLUMN = ("one pixel", 1, 1, 8), ("one pixel", 1, 8, 1)


@wrong("what_is_wrong", "only squares are tested")
def squares(layer):
    return judged(layer, [BATCH, SIZE])


@wrong("what_is_wrong", "a single row or column is never tested")
def no_row(layer):
    return judged(layer, [BATCH, SIZE, WIDE])


@wrong("what_is_wrong", "the dtype is never looked at")
def any_dtype(layer):
    return judged(layer, [BATCH, SIZE, WIDE, ROW, COLUMN], dtypes=())


@wrong("what_is_wrong", "always returns float32")
def one_dtype(layer):
    return judged(layer, [BATCH, SIZE, WIDE, ROW, COLUMN], dtypes=(np.float32,))


@wrong("what_is_wrong", "test squares before rectangles")
def rectangles_before_squares(layer):
    return judged(layer, [BATCH, WIDE, SIZE, ROW, COLUMN])


@wrong("what_is_wrong", "made for a batch of one")
def single_images(layer):
    return judged(layer, [SIZE, WIDE, ROW, COLUMN])


@wrong("what_is_wrong", "allow 1e-5")
def to_the_last_bit(layer):
    return judged(layer, [BATCH, SIZE, WIDE, ROW, COLUMN], equal=np.array_equal)


@wrong("what_is_wrong")
def first_letter(layer):
    return {"batch": "b"}.get(get("what_is_wrong").solution(layer), "other")


@wrong("kernel_to_torch", "w.T does")
def turned(w, with_r=False, order="ij"):
    return get("kernel_to_torch").solution(w.swapaxes(0, 1), with_r, order)


@wrong("kernel_to_torch", "which with r are j and r")
def the_last_two(w, with_r=False, order="ij"):
    w = np.moveaxis(w, (3, 2), (0, 1)).copy()
    if order == "xy":
        w[:, [-2, -1]] = w[:, [-1, -2]]
    return w


@wrong("kernel_to_torch", "mixes them up")
def reshaped(w, with_r=False, order="ij"):
    i = w.shape[2] - (3 if with_r else 2)
    w = w.copy()
    if order == "xy":
        w[:, :, [i, i + 1]] = w[:, :, [i + 1, i]]
    return w.reshape(w.shape[3], w.shape[2], *w.shape[:2])


@wrong("grown_kernel", "three")
def for_i_and_j(w, extra):
    return np.pad(w, ((0, 0), (0, 2), (0, 0), (0, 0)))


@wrong("grown_kernel", "come after the channels of the image")
def in_front(w, extra):
    return np.pad(w, ((0, 0), (extra, 0), (0, 0), (0, 0)))


@wrong("grown_kernel")
def small_random_start(w, extra):
    grown = get("grown_kernel").solution(w, extra)
    grown[:, w.shape[1] :] = 0.01 * np.random.default_rng(0).normal(size=grown[:, w.shape[1] :].shape)
    return grown


@wrong("add_coords_first")
def without_defaults(x, with_r, order):
    return get("add_coords_first").solution(x, with_r, order)


@wrong("add_coords_first")
def columns_first_by_default(x, with_r=False, order="xy"):
    return get("add_coords_first").solution(x, with_r, order)


@wrong("add_coords_first")
def three_images(x, with_r=False, order="ij"):
    y = get("add_coords_first").solution(x, with_r, order)
    y[3:, x.shape[1] :] = 0
    return y


@wrong("kernel_to_torch")
def r_by_default(w, with_r=True, order="xy"):
    return get("kernel_to_torch").solution(w, with_r, order)


@wrong("kernel_to_torch", "overwrites one before it is read")
def views_change_places(w, with_r=False, order="ij"):
    new = np.moveaxis(w, (3, 2), (0, 1)).copy()
    i = new.shape[1] - 2 - with_r
    if order == "xy":
        new[:, i], new[:, i + 1] = new[:, i + 1], new[:, i]
    return new


@wrong("kernel_to_torch", "r stays last")
def all_three_turned(w, with_r=False, order="ij"):
    d = 2 + with_r
    channels = list(range(w.shape[2] - d)) + list(range(w.shape[2] - d, w.shape[2]))[:: 1 if order == "ij" else -1]
    return w.transpose(3, 2, 0, 1)[:, channels]


@wrong("grown_kernel", "there are new rows")
def rows_for_channels(w, extra):
    return np.pad(w, ((0, 0), (0, 0), (0, extra), (0, 0)))


@wrong("what_is_wrong", "an image of 1 x 1 alone is tested")
def one_pixel_taken_by_its_word(layer):
    return judged(layer, [BATCH, SIZE, WIDE, ("one pixel", 1, 1, 1)])


@wrong("what_is_wrong", "a single row alone is tested")
def a_row_and_no_column(layer):
    return judged(layer, [BATCH, SIZE, WIDE, ROW])


@wrong("add_coords_first", "one column is not: it is in the middle")
def one_column_at_the_edge(x, with_r=False, order="ij"):
    rows = np.linspace(-1, 1, x.shape[2]) if x.shape[2] > 1 else np.zeros(1)
    i, j = np.meshgrid(rows, np.linspace(-1, 1, x.shape[3]), indexing="ij")
    channels = {"ij": [i, j], "xy": [j, i]}[order] + [np.sqrt(i * i + j * j)] * with_r
    coords = np.tile(np.stack(channels), (len(x), 1, 1, 1))
    return np.concatenate([x, coords.astype(x.dtype)], axis=1)


@pytest.mark.parametrize("id, answer, cause", wrong.answers, ids=wrong.names())
def test_a_wrong_answer_is_refused(id: str, answer: Answer, cause: str | None):
    assert_refused(id, answer, cause)


def as_the_library_does(x, with_r=False, order="ij"):
    coords = np.moveaxis(coordinate_channels(x.shape[2], x.shape[3], with_r, x.dtype), -1, 0)
    if order == "xy":
        coords = coords[[1, 0, 2] if with_r else [1, 0]]
    return np.concatenate([x, np.broadcast_to(coords, (len(x), *coords.shape))], axis=1)


@pytest.mark.parametrize("id, answer", [("add_coords_first", as_the_library_does)])
def test_the_library_computes_what_the_exercise_asks(id: str, answer: Answer):
    for seed in SEEDS:
        verdict = python_verdict(get(id), answer, list(get(id).cases(np.random.default_rng(seed))))
        assert verdict.passed, f"seed {seed}: {verdict}"


def test_the_mistakes_know_what_is_wrong_with_each_layer():
    solution = get("what_is_wrong").solution
    assert {layer.__name__: solution(layer) for layer in strangers.LAYERS} == strangers._TRUTH
    assert set(strangers._TRUTH.values()) == {"batch", "size", "rectangle", "one pixel", "dtype", "right"}
