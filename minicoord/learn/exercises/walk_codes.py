"""Lesson 12: from one code to another, without leaving the region in which codes lie."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield few codes and many, ends of equal and unequal length, opposite ends, the same end twice, and float32."""
    z = int(rng.integers(5, 8))

    def ends(longer: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        start, end = rng.normal(size=(2, z))
        return start, longer * end

    yield Case(f"5 codes of {z} numbers", (*ends(), 5))
    yield Case("8 codes, and an end that is longer than the start", (*ends(3.0), 8))
    yield Case("an end that is shorter than the start", (*ends(0.2), 6))
    yield Case("two codes: the ends", (*ends(2.0), 2))
    start, _ = ends()
    yield Case("the end is the start", (start, start.copy(), 4))
    yield Case("opposite ends: the line misses 0", (start, -2 * start, 5))
    yield Case("opposite ends: the code in the middle is 0 and stays so", (start, -start, 3))
    start, end = ends(1.5)
    yield Case("float32", (start.astype(np.float32), end.astype(np.float32), 5))


exercise = Exercise(
    id="walk_codes",
    lesson=12,
    title="From one code to another",
    minutes=15,
    difficulty=2,
    cases=cases,
    axes=("codes", "numbers of a code"),
    hints=(
        "The straight line first: with t = np.linspace(0, 1, n)[:, None], what weighted sum of start and end is at t?",
        "np.linalg.norm(line, axis=1, keepdims=True) is the length of each code. Which length is wanted at t?",
        "Multiply each code by wanted / length. Where the length is 0, divide by something small instead: np.maximum.",
        "np.linspace makes float64; give it dtype=start.dtype.",
    ),
)


@exercise.solved_by
def walk_codes(start, end, n):
    """Return n codes from start to end, whose lengths go evenly from that of start to that of end.

    start, end: codes, shape (z,). n: how many, 2 or more.

    Each code points where the straight line from start to end is, at even distances, and is then
    stretched to its length: the first is start, the last is end, and the length (Euclidean norm)
    at k is that of start plus k / (n - 1) of the difference. A code of the line that is 0 stays 0.

    Returns shape (n, z), in the dtype of start.
    """
    t = np.linspace(0, 1, n, dtype=start.dtype)[:, None]
    line = (1 - t) * start + t * end
    wanted = (1 - t) * np.linalg.norm(start) + t * np.linalg.norm(end)
    return line * (wanted / np.maximum(np.linalg.norm(line, axis=1, keepdims=True), 1e-12))


def _line(start: np.ndarray, end: np.ndarray, n: int) -> np.ndarray:
    t = np.linspace(0, 1, n, dtype=start.dtype)[:, None]
    return (1 - t) * start + t * end


def _lengths(line: np.ndarray) -> np.ndarray:
    return np.maximum(np.linalg.norm(line, axis=1, keepdims=True), 1e-12)


@exercise.mistake("that is the straight line: in its middle the codes are shorter than those that the decoder knows")
def straight(start, end, n):
    return _line(start, end, n)


@exercise.mistake("all codes have the length of the start; it should change evenly to that of the end")
def length_of_the_start(start, end, n):
    line = _line(start, end, n)
    return line * (np.linalg.norm(start) / _lengths(line)).astype(start.dtype)


@exercise.mistake("all codes have length 1; multiply them by the length that is wanted at their place")
def of_length_one(start, end, n):
    line = _line(start, end, n)
    return line / _lengths(line).astype(start.dtype)


@exercise.mistake("that turns by even angles; here each code points where the straight line is")
def even_angles(start, end, n):
    a, b = np.linalg.norm(start), np.linalg.norm(end)
    angle = np.arccos(np.clip(start @ end / (a * b), -1, 1))
    if np.sin(angle) < 1e-6:
        return walk_codes(start, end, n)
    t = np.linspace(0, 1, n, dtype=start.dtype)[:, None]
    direction = (np.sin((1 - t) * angle) * start / a + np.sin(t * angle) * end / b) / np.sin(angle)
    return (direction * ((1 - t) * a + t * b)).astype(start.dtype)


@exercise.mistake("a code of the line that is 0 was divided by its length, 0, which gives nan; it should stay 0")
def zero_by_zero(start, end, n):
    t = np.linspace(0, 1, n, dtype=start.dtype)[:, None]
    line = (1 - t) * start + t * end
    wanted = (1 - t) * np.linalg.norm(start) + t * np.linalg.norm(end)
    return line / np.linalg.norm(line, axis=1, keepdims=True) * wanted


@exercise.mistake("the order is from start to end")
def backwards(start, end, n):
    return np.ascontiguousarray(walk_codes(start, end, n)[::-1])


@exercise.mistake("the end is missing: n codes include both ends, so that there are n - 1 steps")
def without_the_end(start, end, n):
    return np.ascontiguousarray(walk_codes(start, end, n + 1)[:-1])


@exercise.mistake("those are n steps, and so n + 1 codes; n codes are wanted, both ends included")
def one_too_many(start, end, n):
    return walk_codes(start, end, n + 1)


@exercise.mistake("the length was taken of the whole array; each code has its own, with axis=1 and keepdims=True")
def one_length_for_all(start, end, n):
    t = np.linspace(0, 1, n, dtype=start.dtype)[:, None]
    line = (1 - t) * start + t * end
    wanted = (1 - t) * np.linalg.norm(start) + t * np.linalg.norm(end)
    return line * (wanted / np.linalg.norm(line))


@exercise.mistake("the length was put in the place of the factor; multiply by wanted length over present length")
def multiplied_by_the_length(start, end, n):
    t = np.linspace(0, 1, n, dtype=start.dtype)[:, None]
    return _line(start, end, n) * ((1 - t) * np.linalg.norm(start) + t * np.linalg.norm(end))


@exercise.mistake("the length was taken without its root, as a sum of squares")
def squared_lengths(start, end, n):
    line = _line(start, end, n)
    t = np.linspace(0, 1, n, dtype=start.dtype)[:, None]
    wanted = (1 - t) * (start @ start) + t * (end @ end)
    return line * (wanted / np.maximum((line**2).sum(axis=1, keepdims=True), 1e-12))


@exercise.mistake("the result is float64 for float32 codes; np.linspace takes dtype=start.dtype")
def float64(start, end, n):
    return walk_codes(start.astype(np.float64), end.astype(np.float64), n)


@exercise.mistake("all codes have the length of the end; it should change evenly from that of the start")
def length_of_the_end(start, end, n):
    line = _line(start, end, n)
    return line * (np.linalg.norm(end) / _lengths(line)).astype(start.dtype)


@exercise.mistake("the lengths run from that of the end to that of the start; they were exchanged")
def lengths_exchanged(start, end, n):
    line, t = _line(start, end, n), np.linspace(0, 1, n, dtype=start.dtype)[:, None]
    wanted = t * np.linalg.norm(start) + (1 - t) * np.linalg.norm(end)
    return line * (wanted / _lengths(line)).astype(start.dtype)


@exercise.mistake("the lengths change by equal factors; they should change by equal steps")
def equal_factors(start, end, n):
    line, t = _line(start, end, n), np.linspace(0, 1, n, dtype=start.dtype)[:, None]
    wanted = np.linalg.norm(start) ** (1 - t) * np.linalg.norm(end) ** t
    return line * (wanted / _lengths(line)).astype(start.dtype)


@exercise.mistake("both ends are missing: the first code is start, and the last is end")
def ends_left_out(start, end, n):
    return np.ascontiguousarray(walk_codes(start, end, n + 2)[1:-1])


@exercise.mistake("the length is a sum of absolute values; take the Euclidean norm, the root of the sum of squares")
def sums_of_absolute_values(start, end, n):
    line, t = _line(start, end, n), np.linspace(0, 1, n, dtype=start.dtype)[:, None]
    wanted = (1 - t) * abs(start).sum() + t * abs(end).sum()
    return line * (wanted / np.maximum(abs(line).sum(axis=1, keepdims=True), 1e-12)).astype(start.dtype)


@exercise.mistake("all codes have the mean length of both ends; it should change evenly from one to the other")
def mean_length(start, end, n):
    line = _line(start, end, n)
    return line * ((np.linalg.norm(start) + np.linalg.norm(end)) / 2 / _lengths(line)).astype(start.dtype)
