"""The returns of episodes while the agent trains: each is the sum of the rewards, undiscounted.

In Atari an agent that trains sees clipped rewards and episodes of one life; what counts here is the score of whole
games.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicoord.datasets.worlds.world import Step
from minicoord.system.arguments import shown

_COUNTS = ("episodes", "total", "moves")


class EpisodeLog:
    """Adds up rewards, and sums up the episodes that were over since it was last asked.

    Parameters
    ----------
    count : int
        Episodes side by side.

    Examples
    --------
    >>> log, none = EpisodeLog(1), np.zeros((1, 1, 1, 1), np.float32)
    >>> for reward, ended in ((1, False), (2, True), (7, False)):
    ...     log.add(Step(none, np.array([reward], np.float32), np.array([ended]), np.array([False]), none))
    >>> log.summary()
    {'return': 3.0, 'moves': 2.0, 'episodes': 1}
    >>> log.summary()
    {'return': nan, 'moves': nan, 'episodes': 0}
    """

    def __init__(self, count: int) -> None:
        self.returns, self.lengths = np.zeros(count), np.zeros(count, np.int64)  # of the episodes that go on
        self.episodes, self.total, self.moves = 0, 0.0, 0

    def add(self, step: Step) -> None:
        """Add one action in each episode; where the world reports whole games, those count in place of the episodes."""
        if step.games is not None:
            self.episodes += len(step.games)
            self.total += sum(score for score, _ in step.games)
            self.moves += sum(moves for _, moves in step.games)
            return
        self.returns += step.rewards
        self.lengths += 1
        over = step.over
        self.episodes += int(over.sum())
        self.total += float(self.returns[over].sum())
        self.moves += int(self.lengths[over].sum())
        self.returns[over], self.lengths[over] = 0, 0

    def summary(self) -> dict[str, float]:
        """Return the mean return and length of the episodes that were over, and how many; then count anew."""
        episodes, total, moves = self.episodes, self.total, self.moves
        self.episodes, self.total, self.moves = 0, 0.0, 0
        if not episodes:
            return {"return": math.nan, "moves": math.nan, "episodes": 0}
        return {"return": total / episodes, "moves": moves / episodes, "episodes": episodes}

    def state(self) -> dict[str, Any]:
        """Return a copy of the sums."""
        arrays = {"returns": self.returns.copy(), "lengths": self.lengths.copy()}
        return {**arrays, **{name: getattr(self, name) for name in _COUNTS}}

    def restore(self, state: dict[str, Any]) -> None:
        """Return to a saved state; raise ValueError and change nothing if it is of another number of episodes."""
        arrays = {"returns": self.returns, "lengths": self.lengths}
        for name, array in arrays.items():
            saved = state.get(name)
            if not isinstance(saved, np.ndarray) or (saved.shape, saved.dtype) != (array.shape, array.dtype):
                raise ValueError(f"it is damaged: {shown(name)} of the episodes is missing or does not fit")
        if not all(isinstance(state.get(name), int | float) for name in _COUNTS):
            raise ValueError("it is damaged: the sums over the episodes are missing")
        for name, array in arrays.items():
            array[...] = state[name]
        for name in _COUNTS:
            setattr(self, name, state[name])
