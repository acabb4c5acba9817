"""Dots that move on a small canvas."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike, NDArray

STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1))  # up, down, left, right


def move_dots(dot: NDArray, goal: NDArray, age: NDArray, actions: NDArray, radius: int, limit: int) -> NDArray:
    """Move each dot of (N, 2) by one pixel, in place; return 1 where it is at its goal, 2 where time is over, else 0.

    A dot that would leave the square of `radius` pixels around its goal stays where it is.
    """
    outcome = np.zeros(len(dot), np.int64)
    for n in range(len(dot)):
        there = dot[n] + STEPS[actions[n]]  # (2,)
        if np.all(np.abs(there - goal[n]) <= radius):
            dot[n] = there
        age[n] += 1
        if np.array_equal(dot[n], goal[n]):
            outcome[n] = 1
        elif age[n] >= limit:
            outcome[n] = 2
    return outcome


def draw_dots(dot: NDArray, goal: NDArray, side: int, show_goal: bool, dtype: DTypeLike = np.float32) -> NDArray:
    """Return pictures (N, side, side, 2): 1 at the dot in the first channel, and at the goal in the second if shown."""
    pictures = np.zeros((len(dot), side, side, 2), dtype)
    for n in range(len(dot)):
        pictures[n, dot[n, 0], dot[n, 1], 0] = 1
        if show_goal:
            pictures[n, goal[n, 0], goal[n, 1], 1] = 1
    return pictures
