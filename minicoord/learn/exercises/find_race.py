"""Lesson 08: a sum over images whose result depends on the number of threads, and one that does not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numba import prange

from minicoord.learn.checking.bytecode import CodeTraits
from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield one image, an odd number, many, one channel, float32, and enough work to keep two threads busy."""
    h, w, c = int(rng.integers(2, 4)), int(rng.integers(4, 7)), int(rng.integers(3, 6))
    odd = 2 * int(rng.integers(2, 5)) + 1

    def numbers(*shape: int) -> np.ndarray:
        return rng.uniform(0.5, 1.5, size=shape)  # all above 0, so that a lost sum makes a difference

    yield Case(f"one image of {h} x {w}, {c} channels", (numbers(1, h, w, c),))
    yield Case(f"{odd} images of {h} x {w}, {c} channels", (numbers(odd, h, w, c),))
    yield Case("one channel", (numbers(4, h, w, 1),))
    yield Case("float32", (numbers(6, h, w, c).astype(np.float32),))
    yield Case("32 images of 24 x 24, 2 channels", (numbers(32, 24, 24, 2),))
    yield Case("1,100 images of one pixel", (numbers(1100, 1, 1, 2),))
    yield Case("3 images of one pixel, 70 channels", (numbers(3, 1, 1, 70),))


def code_check(traits: CodeTraits) -> str | None:
    """Say what is missing where no threads share the work."""
    return None if traits.loops and traits.prange else "no threads share the work; write it with a loop over prange"


exercise = Exercise(
    id="find_race",
    lesson=8,
    title="Find the race",
    minutes=20,
    difficulty=2,
    builds_on=("conv_db",),
    compiled=True,
    axes=("channels",),
    cases=cases,
    code_check=code_check,
    hints=(
        "Which cell does task 0 write to, and which one task 1? They must never be the same.",
        "Either each task owns one result (prange over channels), or each has its own sum, and these are added later.",
        "For the second way: parts has a row of zeros for each image, and task n writes to parts[n] alone.",
        "After the prange loop, an ordinary loop adds parts[0], parts[1], ... in this order.",
    ),
    imports=("import numpy as np", "from numba import prange"),
)


@exercise.solved_by
def find_race(dy):
    """Return the sum of each channel of dy over all images and pixels: the gradient of a bias.

    dy: shape (N, H, W, C). Returns shape (C,), in the dtype of dy.

    This way is right with one thread, and wrong with two:

        db = np.zeros(dy.shape[3], dy.dtype)
        for n in prange(dy.shape[0]):
            for i in range(dy.shape[1]):
                for j in range(dy.shape[2]):
                    for c in range(dy.shape[3]):
                        db[c] += dy[n, i, j, c]

    Find out why, and write a version with prange that is right with any number of threads: no two
    tasks may write the same cell.
    """
    parts = np.zeros((dy.shape[0], dy.shape[3]), dy.dtype)
    for n in prange(dy.shape[0]):
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                for c in range(dy.shape[3]):
                    parts[n, c] += dy[n, i, j, c]
    db = np.zeros(dy.shape[3], dy.dtype)
    for n in range(dy.shape[0]):
        for c in range(dy.shape[3]):
            db[c] += parts[n, c]
    return db


@exercise.mistake(
    "all tasks add to the same db[c]: two threads read it, each adds its number, and one sum is lost",
    races=True,
)
def one_total(dy):
    db = np.zeros(dy.shape[3], dy.dtype)
    for n in prange(dy.shape[0]):
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                for c in range(dy.shape[3]):
                    db[c] += dy[n, i, j, c]
    return db


@exercise.mistake(
    "there are fewer partial sums than tasks, so some tasks still share one; give each task its own row",
    races=True,
)
def too_few_parts(dy):
    parts = np.zeros((2, dy.shape[3]), dy.dtype)
    for n in prange(dy.shape[0]):
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                for c in range(dy.shape[3]):
                    parts[n % 2, c] += dy[n, i, j, c]
    return parts[0] + parts[1]


@exercise.mistake(
    "all tasks use the same scratch array, which one task clears while another adds to it; it belongs inside the loop",
    races=True,
)
def one_scratch(dy):
    parts = np.zeros((dy.shape[0], dy.shape[3]), dy.dtype)
    scratch = np.zeros(dy.shape[3], dy.dtype)
    for n in prange(dy.shape[0]):
        scratch[:] = 0
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                for c in range(dy.shape[3]):
                    scratch[c] += dy[n, i, j, c]
        for c in range(dy.shape[3]):
            parts[n, c] = scratch[c]
    return parts.sum(axis=0)


@exercise.mistake("the last partial sum is left out")
def last_part_left_out(dy):
    return dy[:-1].sum(axis=(0, 1, 2))


@exercise.mistake("only the last image counts: each task starts the sum again; add the partial sums of all images")
def last_image(dy):
    return dy[-1].sum(axis=(0, 1))


@exercise.mistake("the partial sums are still separate, one row for each image; add them after the prange loop")
def parts_apart(dy):
    return dy.sum(axis=(1, 2))


@exercise.mistake("that is the mean; return the sum")
def mean(dy):
    return dy.mean(axis=(0, 1, 2))


@exercise.mistake("np.zeros makes float64 by default; give it the dtype of dy")
def always_float64(dy):
    return find_race(dy).astype(np.float64)


@exercise.mistake("only the last pixel of each image counts: with = it replaces those before it; add them up with +=")
def last_pixels(dy):
    return dy[:, -1, -1].sum(axis=0)


@exercise.mistake("every channel has the sum of all; each has its own")
def sum_of_all(dy):
    return np.full(dy.shape[3], dy.sum(), dy.dtype)


@exercise.mistake("only the first image counts; add the partial sums of all images")
def first_image(dy):
    return dy[0].sum(axis=(0, 1))


@exercise.mistake("the images were dealt out to two tasks by halves, rounded down, and an odd one was left out")
def odd_image_left_out(dy):
    return dy[: len(dy) // 2 * 2].sum(axis=(0, 1, 2))


@exercise.mistake("that is the mean over the images; return the sum")
def mean_over_images(dy):
    return dy.sum(axis=(0, 1, 2)) / dy.dtype.type(len(dy))
