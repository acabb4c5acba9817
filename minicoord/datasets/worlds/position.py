"""`PositionWorld`: a dot is to be brought to its goal, whose place must be known, or can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.worlds.checks import check_state
from minicoord.datasets.worlds.world import Pictures, Step
from minicoord.kernels.dots import CUT, ENDED, draw_dots, move_dots
from minicoord.system.arguments import check_flag, check_whole, seed_numbers, shown
from minicoord.system.arrays import check_room

SIDE = 19  # pixels of the canvas
RADIUS = 3  # the dot stays within so many rows and columns of its goal
LIMIT = 20  # moves after which an episode is cut off
MARGIN = 3  # pixels between the edge of the canvas and the square of a goal that may lie anywhere
PLACES = (2 * RADIUS + 1) ** 2  # of a dot around its goal


class PositionWorld:
    """A dot moves on a canvas of 19 x 19 pixels; it gains 1 when it reaches its goal, which ends the episode.

    The dot begins anywhere in the 7 x 7 pixels around the goal other than at the goal itself, moves by one pixel up,
    down, left or right, and cannot leave these 7 x 7 pixels. After 20 moves an episode is cut off. So the return of an
    episode is 1 or 0. There are two versions, and seen from the goal they are the same game:

    *Place matters.* The goal is the middle of the canvas, and nothing shows it. A convolution with global pooling
    cannot learn this. Let its layers be unpadded, with stride 1, and let what they see together span at most 7 pixels.
    The dot is at least 6 pixels from the edge, so wherever it is, every window of 7 x 7 pixels that holds it lies on
    the canvas: the map before the pooling is moved, and has the same values. The maximum or the mean over all places
    is then the same for every place of the dot, and so are the probabilities of the actions. All that can be learned is
    one distribution of actions for all places, a walk at random. With coordinates, or with a dense layer that has
    weights of its own for every place, the network sees where the dot is, and the goal is at most 6 moves away.

    *Place does not matter* (the control). The goal lies anywhere from 3 pixels off the edge on, and the second channel
    shows it. Which way to go depends on the goal as seen from the dot, and a window of 7 x 7 pixels around the dot
    always holds the goal. So a convolution with global pooling can learn it: one channel for "the goal is further up"
    fires in the window around the dot, and the maximum over all places keeps it. Coordinates add nothing.

    Parameters
    ----------
    count : int
        Episodes side by side, at least 1.
    seed : int or sequence of int
        Seed of all that is random.
    control : bool
        True for the version in which place does not matter.

    Attributes
    ----------
    dot, goal : ndarray of int64, (N, 2)
        Row and column of each dot and of its goal, in pixels.
    age : ndarray of int64, (N,)
        Moves so far in each episode.

    Raises
    ------
    TypeError
        If `seed` is no whole number and no sequence of them, or `control` is not True or False.
    ValueError
        If `count` is not a whole number of at least 1, or too large for the memory, or a seed is negative.

    Examples
    --------
    >>> world = PositionWorld(2, seed=0)
    >>> world.reset().shape
    (2, 19, 19, 2)
    >>> world.dot[0] = 9, 8  # the pixel to the left of the goal
    >>> step = world.step(np.array([3, 3]))
    >>> step.rewards[0].item(), step.ended[0].item()
    (1.0, True)
    """

    shape: tuple[int, int, int] = (SIDE, SIDE, 2)
    actions: tuple[str, ...] = ("up", "down", "left", "right")
    place_channel: int | None = 0
    saves_episodes: bool = True

    def __init__(self, count: int, seed: int | Sequence[int] = 0, control: bool = False) -> None:
        check_whole("PositionWorld: count", count, 1)
        check_room("PositionWorld: the pictures", (count, *self.shape), np.float32)
        self.count, self.control = int(count), check_flag("PositionWorld: control", control)
        self.rng = np.random.default_rng(seed_numbers("PositionWorld", seed))
        self.dot, self.goal = np.zeros((self.count, 2), np.int64), np.zeros((self.count, 2), np.int64)
        self.age = np.zeros(self.count, np.int64)
        self.reset()

    def reset(self) -> Pictures:
        """Begin a new episode everywhere, and return its first pictures, (N, 19, 19, 2)."""
        self._begin(np.arange(self.count))
        return self.look()

    def step(self, actions: NDArray[np.int64]) -> Step:
        """Move each dot: 0 up, 1 down, 2 left, 3 right; see `minicoord.datasets.worlds.world.World`.

        Raises
        ------
        TypeError, ValueError
            If `actions` is not an array (N,) of int64, or there is no such action.
        """
        outcome = move_dots(self.dot, self.goal, self.age, actions, RADIUS, LIMIT)
        ended, cut = outcome == ENDED, outcome == CUT
        arrived = pictures = self.look()
        over = np.flatnonzero(ended | cut)
        if over.size:
            self._begin(over)
            pictures = self.look()
        return Step(pictures, ended.astype(np.float32), ended, cut, arrived)

    def look(self) -> Pictures:
        """Return the pictures to act on next, (N, 19, 19, 2): the dot, and the goal or nothing."""
        return draw_dots(self.dot, self.goal, SIDE, self.control)

    def _begin(self, which: NDArray[np.int64]) -> None:
        """Begin a new episode in the worlds `which`, (K,)."""
        if self.control:
            first, last = MARGIN + RADIUS, SIDE - 1 - MARGIN - RADIUS
            self.goal[which] = self.rng.integers(first, last + 1, (len(which), 2))
        else:
            self.goal[which] = SIDE // 2
        place = self.rng.integers(0, PLACES - 1, len(which))  # every place but the middle one
        place += place >= PLACES // 2
        self.dot[which] = self.goal[which] + np.stack(np.divmod(place, 2 * RADIUS + 1), axis=1) - RADIUS
        self.age[which] = 0

    def state(self) -> dict[str, Any]:
        """Return a copy of places, ages and the random state."""
        arrays = {"dot": self.dot.copy(), "goal": self.goal.copy(), "age": self.age.copy()}
        return {**arrays, "rng": dict(self.rng.bit_generator.state)}

    def restore(self, state: dict[str, Any]) -> None:
        """Return to a saved state.

        Raises
        ------
        ValueError
            If it is not that of such a world with as many episodes; nothing is changed then.
        """
        check_state(state)
        arrays = {"dot": self.dot, "goal": self.goal, "age": self.age}
        for name, array in arrays.items():
            saved = state.get(name)
            if not isinstance(saved, np.ndarray) or (saved.shape, saved.dtype) != (array.shape, array.dtype):
                raise ValueError(f"it is damaged: {shown(name)} of the world is missing or does not fit")
        way = np.abs(state["dot"] - state["goal"])  # (N, 2)
        if state["age"].min() < 0 or state["age"].max() >= LIMIT:
            raise ValueError(f"it is damaged: an age of the world is not from 0 to {LIMIT - 1} moves")
        if way.max() > RADIUS or not way.any(axis=1).all():
            raise ValueError("it is damaged: a dot of the world is not where it can be")
        if state["goal"].min() < MARGIN + RADIUS or state["goal"].max() > SIDE - 1 - MARGIN - RADIUS:
            raise ValueError("it is damaged: a goal of the world is not where it can be")
        if not self.control and (state["goal"] != SIDE // 2).any():
            raise ValueError("it is damaged: a goal of the world is not in the middle, as in the control")
        rng, random_state = np.random.default_rng(0), state.get("rng", {})
        try:
            rng.bit_generator.state = random_state
        except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
            raise ValueError("it is damaged: the random state of the world is not one of PCG64") from error
        for name, array in arrays.items():
            array[...] = state[name]
        self.rng = rng
