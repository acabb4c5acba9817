"""Wrong answers to the exercises of lesson 08 are refused, and their cause is the right one or none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numba import prange
from wrong_answers import Answer, WrongAnswers, assert_refused

from minicoord.learn.checking.check import verdict_of
from minicoord.learn.checking.check_compiled import first_race
from minicoord.learn.definition.course import get

wrong = WrongAnswers()


@wrong("find_race")
def up_to_64_images(dy):
    return dy[:64].sum(axis=(0, 1, 2))


@wrong("find_race", "np.empty")
def parts_on_empty(dy):
    parts = np.empty((dy.shape[0], dy.shape[3]), dy.dtype)
    for n in prange(dy.shape[0]):
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                for c in range(dy.shape[3]):
                    parts[n, c] += dy[n, i, j, c]
    return parts.sum(axis=0)


@wrong("relu_loop")
def up_to_64_columns(x, b):
    y = np.zeros_like(x)
    y[:, :, :64] = np.maximum(x[:, :, :64] + b, 0)
    return y


@wrong("tiled_product", "np.empty")
def product_on_empty(a, b, tile):
    c = np.empty((len(a), b.shape[1]), a.dtype)
    for start in range(0, a.shape[1], tile):
        c += a[:, start : start + tile] @ b[start : start + tile]
    return c


@wrong("tiled_product")
def sums_of_64(a, b, tile):
    return a[:, :64] @ b[:64]


@wrong("find_race")
def up_to_64_channels(dy):
    db = dy.sum(axis=(0, 1, 2))
    db[64:] = 0
    return db


@wrong("find_race", "an odd one was left out")
def two_halves(dy):
    parts = np.zeros((2, dy.shape[3]), dy.dtype)
    half = len(dy) // 2
    for task in prange(2):
        for n in range(task * half, (task + 1) * half):
            parts[task] += dy[n].sum(axis=(0, 1))
    return parts[0] + parts[1]


@wrong("relu_loop", "the bias of the first")
def one_bias(x, b):
    y = np.empty_like(x)
    for n, i, j, c in np.ndindex(x.shape):
        y[n, i, j, c] = max(x[n, i, j, c] + b[0], 0)
    return y


@wrong("tiled_product", "all tiles of the result were added into the first")
def places_in_the_tile(a, b, tile):
    c = np.zeros((len(a), b.shape[1]), a.dtype)
    for top in range(0, len(a), tile):
        for left in range(0, b.shape[1], tile):
            block = a[top : top + tile] @ b[:, left : left + tile]
            c[: block.shape[0], : block.shape[1]] += block
    return c


@pytest.mark.parametrize("id, answer, cause", wrong.answers, ids=wrong.names())
def test_a_wrong_answer_is_refused(id: str, answer: Answer, cause: str | None):
    assert_refused(id, answer, cause)


def parts_of(number: int) -> Answer:
    def parts_in_turn(dy):
        parts = np.zeros((number, dy.shape[3]), dy.dtype)
        for n in prange(dy.shape[0]):
            for i in range(dy.shape[1]):
                for j in range(dy.shape[2]):
                    for c in range(dy.shape[3]):
                        parts[n % number, c] += dy[n, i, j, c]
        return parts.sum(axis=0)

    return parts_in_turn


def written_by_out(dy):
    db = np.zeros(dy.shape[3], dy.dtype)
    for n in prange(dy.shape[0]):
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                np.add(db, dy[n, i, j], out=db)
    return db


def written_by_a_third_argument(dy):
    db = np.zeros(dy.shape[3], dy.dtype)
    for n in prange(dy.shape[0]):
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                np.add(db, dy[n, i, j], db)
    return db


def written_by_fill(dy):
    parts, scratch = np.zeros((dy.shape[0], dy.shape[3]), dy.dtype), np.zeros(1, dy.dtype)
    for n in prange(dy.shape[0]):
        for c in range(dy.shape[3]):
            scratch.fill(dy[n, :, :, c].sum())
            parts[n, c] = scratch.max()
    return parts.sum(axis=0)


def scratch_outside_the_loop(dy):
    parts = np.zeros((dy.shape[0], dy.shape[3]), dy.dtype)
    scratch = np.zeros(dy.shape[3], dy.dtype)
    for n in prange(dy.shape[0]):
        for c in range(dy.shape[3]):
            scratch[c] = 0
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                for c in range(dy.shape[3]):
                    scratch[c] += dy[n, i, j, c]
        parts[n] = scratch
    return parts.sum(axis=0)


def added_to_one_result(dy):
    total = np.zeros(dy.shape[3], dy.dtype)
    for n in prange(dy.shape[0]):
        for c in range(dy.shape[3]):
            total[c] += dy[n, :, :, c].sum()
    return total


def added_to_a_slice(dy):
    db = np.zeros(dy.shape[3], dy.dtype)
    for n in prange(dy.shape[0]):
        db[:] += dy[n].sum(axis=0).sum(axis=0)
    return db


def assigned_to_a_slice(dy):
    db = np.zeros(dy.shape[3], dy.dtype)
    for n in prange(dy.shape[0]):
        db[:] = db + dy[n].sum(axis=0).sum(axis=0)
    return db


@pytest.mark.compiled
@pytest.mark.parametrize(
    "answer, cause",
    [
        (parts_of(64), "fewer partial sums than tasks"),
        (parts_of(1024), "fewer partial sums than tasks"),
        (added_to_one_result, "all tasks add to the same db[c]"),
        (added_to_a_slice, "all tasks add to the same db[c]"),
        (assigned_to_a_slice, None),
        (scratch_outside_the_loop, "belongs inside the loop"),
        (written_by_a_third_argument, None),
    ],
)
def test_a_race_is_found_and_named(answer: Answer, cause: str | None):
    verdict = verdict_of(get("find_race"), answer)
    assert verdict.outcome == "depends on threads", verdict
    if cause is None:
        assert verdict.cause is None
    else:
        assert verdict.cause is not None and cause in verdict.cause


@pytest.mark.parametrize("answer", [written_by_out, written_by_a_third_argument, written_by_fill])
def test_a_race_without_a_subscript_is_found(answer: Answer):
    cases = list(get("find_race").cases(np.random.default_rng(0)))
    race = first_race(answer, cases)
    assert race is not None and not race.reads and race.array in ("db", "scratch")


def reduced_by_numba(dy):
    db = np.zeros(dy.shape[3], dy.dtype)
    for n in prange(dy.shape[0]):
        db += dy[n].sum(axis=0).sum(axis=0)
    return db


def own_scratch(dy):
    parts = np.zeros((dy.shape[0], dy.shape[3]), dy.dtype)
    for n in prange(dy.shape[0]):
        scratch = np.zeros(dy.shape[3], dy.dtype)
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                np.add(scratch, dy[n, i, j], scratch)
        parts[n] = scratch
    return parts.sum(axis=0)


@pytest.mark.parametrize("answer", [reduced_by_numba, own_scratch])
def test_an_array_of_each_task_or_thread_is_no_race(answer: Answer):
    assert first_race(answer, list(get("find_race").cases(np.random.default_rng(0)))) is None


def relu_by_rows(x, b):
    y = np.empty_like(x)
    for n in range(x.shape[0]):
        for i in range(x.shape[1]):
            for j in range(x.shape[2]):
                y[n, i, j] = np.maximum(x[n, i, j] + b, 0)
    return y


def relu_by_images(x, b):
    y = x.copy()
    for n in range(x.shape[0]):
        y[n] += b
        y[n] *= y[n] > 0
    return y


def relu_by_flat_numbers(x, b):
    y = np.empty_like(x)
    flat, out = x.reshape(-1), y.reshape(-1)
    for k in range(flat.size):
        value = flat[k] + b[k % b.shape[0]]
        out[k] = max(value, 0)
    return y


def product_by_rows(a, b, tile):
    c = np.zeros((a.shape[0], b.shape[1]), a.dtype)
    for left in range(0, b.shape[1], tile):
        for start in range(0, a.shape[1], tile):
            for i in range(a.shape[0]):
                for k in range(start, min(start + tile, a.shape[1])):
                    c[i, left : left + tile] += a[i, k] * b[k, left : left + tile]
    return c


def tiled(cut: str, order: str) -> Answer:
    """A product by loops in this order; a capital letter goes from tile to tile, and only axes of `cut` have tiles."""

    def product(a, b, tile):
        c = np.zeros((a.shape[0], b.shape[1]), a.dtype)
        sizes = {"i": a.shape[0], "k": a.shape[1], "j": b.shape[1]}

        def descend(letters: str, at: dict[str, int]) -> None:
            if not letters:
                c[at["i"], at["j"]] += a[at["i"], at["k"]] * b[at["k"], at["j"]]
                return
            letter, axis = letters[0], letters[0].lower()
            if letter.isupper():
                steps = range(0, sizes[axis], tile)
            elif axis in cut:
                start = at[axis.upper()]
                steps = range(start, min(start + tile, sizes[axis]))
            else:
                steps = range(sizes[axis])
            for step in steps:
                descend(letters[1:], {**at, letter: step})

        descend(order, {})
        return c

    return product


def product_with_copied_tiles(a, b, tile):
    n, depth = a.shape
    m = b.shape[1]
    c = np.zeros((n, m), a.dtype)
    for top in range(0, n, tile):
        for left in range(0, m, tile):
            for start in range(0, depth, tile):
                part_a, part_b = (
                    a[top : top + tile, start : start + tile],
                    b[start : start + tile, left : left + tile].copy(),
                )
                for i in range(part_a.shape[0]):
                    for j in range(part_b.shape[1]):
                        total = c[top + i, left + j]
                        for k in range(part_b.shape[0]):
                            total += part_a[i, k] * part_b[k, j]
                        c[top + i, left + j] = total
    return c


SINGLE = "over single numbers"
TILES = "a and b are not read tile by tile"


def said(id: str, answer: Answer) -> Any:
    """What the check of the code says of an answer with right values, without compiling it."""
    exercise = get(id)
    interpreted = replace(exercise, compiled=False)
    interpreted._solution = exercise.solution
    verdict = verdict_of(interpreted, answer)
    assert verdict.outcome in ("passed", "not as asked"), verdict
    return None if verdict.passed else verdict.sentence


@pytest.mark.parametrize(
    "id, answer, words",
    [
        ("relu_loop", relu_by_rows, SINGLE),
        ("relu_loop", relu_by_images, SINGLE),
        ("tiled_product", product_by_rows, SINGLE),
        *(("tiled_product", tiled(cut, order), TILES) for cut, order in [
            ("i", "Iikj"), ("i", "Iijk"), ("k", "Kikj"), ("k", "Kjik"), ("j", "Jikj"), ("j", "Jkij"),
            ("ij", "IJijk"), ("ik", "IKikj"), ("kj", "KJkij"), ("ij", "IJjik"), ("", "ikj"), ("", "kji"),
        ]),
    ],
)  # fmt: skip
def test_right_values_that_are_computed_in_another_way_are_refused(id: str, answer: Answer, words: str):
    assert words in said(id, answer)


@pytest.mark.parametrize(
    "id, answer",
    [
        ("relu_loop", get("relu_loop").solution),
        ("relu_loop", relu_by_flat_numbers),
        ("tiled_product", get("tiled_product").solution),
        ("tiled_product", product_with_copied_tiles),
        *(("tiled_product", tiled("ijk", order)) for order in ("IJKijk", "IJKikj", "KJIkji", "JKIjik", "IKJkij")),
    ],
)
def test_other_ways_to_do_what_was_asked_pass(id: str, answer: Answer):
    assert said(id, answer) is None
