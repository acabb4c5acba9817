"""Lesson 02: how many positions a window has along one axis."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield windows that fit exactly, with pixels left over and once; stride and padding below and above the window."""
    n = 2 * int(rng.integers(4, 9)) + 1
    yield Case(f"{n} pixels, window of 3", (n, 3, 1, 0))
    yield Case(f"{n} pixels, window of 5, padding 2: as many positions as pixels", (n, 5, 1, 2))
    yield Case(f"{n} pixels, window of 3, stride 2", (n, 3, 2, 0))
    yield Case(f"{n + 1} pixels, window of 3, stride 2: one pixel is left over", (n + 1, 3, 2, 0))
    m = 3 * int(rng.integers(3, 6)) + 2  # a third of a step is left over, which rounding does not make a whole one
    yield Case(f"{m} pixels, window of 5, stride 3, padding 2", (m, 5, 3, 2))
    yield Case("a window as large as the axis", (n, n, 2, 0))
    yield Case(f"{n} pixels, window of 2, stride 3: a pixel between two positions is skipped", (n, 2, 3, 0))
    yield Case(f"{n} pixels, window of 2, padding 3: more than the window", (n, 2, 1, 3))
    yield Case(f"{n} pixels, window of 1, stride 4, padding 1", (n, 1, 4, 1))
    yield Case(f"{n} pixels, window of 1: as many positions as pixels", (n, 1, 1, 0))
    yield Case("199 pixels, window of 70, stride 65", (199, 70, 65, 0))


exercise = Exercise(
    id="conv_out_size",
    lesson=2,
    title="How many positions a window has",
    minutes=5,
    difficulty=1,
    imports=(),
    cases=cases,
    hints=(
        "Draw 7 pixels and a window of 3. Count its positions with stride 1, then with stride 2.",
        "Padding adds pixels at both ends of the axis.",
        "The first position needs no step. How many steps are left from there until the window touches the end?",
    ),
)


@exercise.solved_by
def conv_out_size(n, k, stride, pad):
    """Return how many positions a window of k pixels has on an axis of n pixels.

    stride: pixels from one position to the next. pad: zeros added at each of the two ends.

    The window must lie entirely on the n pixels and the padding; pixels at the end that are too
    few for another step are left over. It always fits at least once.
    """
    return (n + 2 * pad - k) // stride + 1


@exercise.mistake("padding was counted once; it is added at both ends")
def padded_once(n, k, stride, pad):
    return (n + pad - k) // stride + 1


@exercise.mistake("that is the number of steps; the position before the first step counts, too")
def steps(n, k, stride, pad):
    return (n + 2 * pad - k) // stride


@exercise.mistake("the stride is missing; this is how many positions the window has with stride 1")
def without_stride(n, k, stride, pad):
    return n + 2 * pad - k + 1


@exercise.mistake("the last step was rounded up; where too few pixels are left, there is no further position")
def rounded_up(n, k, stride, pad):
    return -(-(n + 2 * pad - k) // stride) + 1


@exercise.mistake("the first position was added before dividing; divide the pixels that are left, then add 1")
def one_too_early(n, k, stride, pad):
    return (n + 2 * pad - k + 1) // stride


@exercise.mistake("/ gives a float; a count of positions is a whole number, so use //")
def divided(n, k, stride, pad):
    return (n + 2 * pad - k) / stride + 1


@exercise.mistake("the padding is missing; it makes the axis longer at both ends")
def not_padded(n, k, stride, pad):
    return (n - k) // stride + 1


@exercise.mistake("// binds tighter than + and -; put the pixels that are left, n + 2 * pad - k, in parentheses")
def without_parentheses(n, k, stride, pad):
    return n + 2 * pad - k // stride + 1


@exercise.mistake("the number of steps was rounded; where too few pixels are left for a whole step, it is left out: //")
def rounded(n, k, stride, pad):
    return round((n + 2 * pad - k) / stride) + 1


@exercise.mistake("one pixel too few was counted; the first position leaves n + 2 * pad - k pixels for further steps")
def one_pixel_less(n, k, stride, pad):
    return (n + 2 * pad - k - 1) // stride + 1


@exercise.mistake("the padding was halved; `pad` zeros are added at each of the two ends")
def half_of_the_padding(n, k, stride, pad):
    return (n + pad // 2 - k) // stride + 1
