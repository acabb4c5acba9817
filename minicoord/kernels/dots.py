"""Dots that move on a small canvas, one in each of many worlds: the moves, and the pictures.

A dot stays within a square around its goal, and a world is over when the dot reaches the goal or runs out of time. One
thread does it all: a thousand worlds take some hundred microseconds, less than it takes to wake the others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minicoord.kernels.backend.checks import check_array, check_in_place, check_shape
from minicoord.kernels.backend.memory import empty
from minicoord.kernels.backend.runtime import helper, launch
from minicoord.system.arguments import check_flag, check_whole
from minicoord.system.arrays import check_float_type

GOES_ON, ENDED, CUT = 0, 1, 2
"""What a move leads to: the episode goes on, it ends at the goal, or the time limit cuts it off."""

ACTIONS = 4
"""The moves, in this order: up, down, left, right."""


FAR = 2**62
"""A radius or a limit above this one means the same, and would not fit into the kernel's int64."""


@helper
def _move(dot, goal, age, actions, radius, limit, outcome):
    for n in range(len(dot)):
        action = actions[n]
        i = dot[n, 0] + (1 if action == 1 else -1 if action == 0 else 0)
        j = dot[n, 1] + (1 if action == 3 else -1 if action == 2 else 0)
        if abs(i - goal[n, 0]) <= radius and abs(j - goal[n, 1]) <= radius:
            dot[n, 0], dot[n, 1] = i, j
        age[n] += 1
        if dot[n, 0] == goal[n, 0] and dot[n, 1] == goal[n, 1]:
            outcome[n] = ENDED
        else:
            outcome[n] = CUT if age[n] >= limit else GOES_ON


@helper
def _draw(dot, goal, show_goal, pictures):
    for n in range(len(dot)):
        picture = pictures[n]
        picture[:] = 0
        picture[dot[n, 0], dot[n, 1], 0] = 1
        if show_goal:
            picture[goal[n, 0], goal[n, 1], 1] = 1


def move_dots(dot: NDArray, goal: NDArray, age: NDArray, actions: NDArray, radius: int, limit: int) -> NDArray:
    """Move each dot by one pixel, in place, and return what that leads to.

    A move that would take the dot further than `radius` rows or columns from its goal leaves it where it is.

    Parameters
    ----------
    dot : ndarray of int64, (N, 2)
        Row and column of each dot, in pixels; changed in place.
    goal : ndarray of int64, (N, 2)
        Row and column of each goal.
    age : ndarray of int64, (N,)
        Moves so far in each world; each becomes one more.
    actions : ndarray of int64, (N,)
        0 up, 1 down, 2 left, 3 right.
    radius : int
        Half the side of the square around the goal, in pixels, 0 or more.
    limit : int
        Moves after which an episode is cut off, at least 1.

    Returns
    -------
    ndarray of int64, (N,)
        `ENDED` where the dot is at its goal, `CUT` where it is not and the time is over, else `GOES_ON`.

    Raises
    ------
    ValueError
        Also if `dot` or `age` is not contiguous or cannot be written to, or an action is not one of the four.

    Examples
    --------
    >>> dot, age = np.array([[5, 4], [2, 2]]), np.zeros(2, np.int64)
    >>> move_dots(dot, np.array([[5, 5], [5, 5]]), age, np.array([3, 0]), radius=3, limit=20)
    array([1, 0])
    >>> dot.tolist()  # the second one was at the upper edge of its square
    [[5, 5], [2, 2]]
    """
    count = len(_check_places(dot, "move_dots: dot"))
    goal = check_array(goal, "move_dots: goal", shape=(count, 2), dtype=np.int64)
    check_array(age, "move_dots: age", shape=(count,), dtype=np.int64)
    actions = check_array(actions, "move_dots: actions", shape=(count,), dtype=np.int64)
    check_in_place("move_dots", dot=dot, age=age)
    check_whole("move_dots: radius", radius, 0)
    check_whole("move_dots: limit", limit, 1)
    wrong = np.flatnonzero((actions < 0) | (actions >= ACTIONS))
    if wrong.size:
        raise ValueError(
            f"move_dots: actions[{wrong[0]}] is {actions[wrong[0]]}, wanted an action from 0 to {ACTIONS - 1}"
        )
    outcome = np.empty(count, np.int64)
    launch(_move, dot, goal, age, actions, min(int(radius), FAR), min(int(limit), FAR), outcome)
    return outcome


def draw_dots(dot: NDArray, goal: NDArray, side: int, show_goal: bool, dtype: DTypeLike = np.float32) -> NDArray:
    """Return a picture of each world: the dot in the first channel and, if `show_goal`, the goal in the second.

    Parameters
    ----------
    dot, goal : ndarray of int64, (N, 2)
        Row and column, in pixels of the canvas.
    side : int
        Side of the canvas in pixels.
    show_goal : bool
        False leaves the second channel empty.
    dtype : float32 or float64

    Returns
    -------
    ndarray of `dtype`, (N, side, side, 2)
        1 at the pixel of the dot and at that of a shown goal, elsewhere 0.

    Raises
    ------
    ValueError
        Also if a pixel lies outside of the canvas.

    Examples
    --------
    >>> draw_dots(np.array([[0, 1]]), np.array([[1, 0]]), side=2, show_goal=True)[0].transpose(2, 0, 1).tolist()
    [[[0.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [1.0, 0.0]]]
    """
    check_whole("draw_dots: side", side, 1)
    side = int(side)
    dtype, show_goal = check_float_type("draw_dots", dtype), check_flag("draw_dots: show_goal", show_goal)
    dot = _check_places(dot, "draw_dots: dot")
    goal = check_array(goal, "draw_dots: goal", shape=dot.shape, dtype=np.int64)
    for name, array in (("dot", dot), ("goal", goal)):
        if array.size and not 0 <= array.min() <= array.max() < side:
            raise ValueError(
                f"draw_dots: {name} has a pixel outside of the canvas of {side} x {side}, wanted 0 to {side - 1}"
            )
    pictures = empty((len(dot), side, side, 2), dtype)
    launch(_draw, dot, goal, show_goal, pictures)
    return pictures


def _check_places(x: object, what: str) -> NDArray:
    """Return an array (N, 2) of int64 contiguous."""
    x = check_array(x, what, 2, "(N, 2)", dtype=np.int64)
    check_shape(x, (len(x), 2), what)
    return x
