"""The protocol of worlds: what an agent may ask of a game, of which several episodes run side by side."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.float32]


class Step(NamedTuple):
    """What follows from one action in each of N episodes.

    An episode may be over for two reasons, which an agent must tell apart. Where it *ended*, nothing more could have
    been gained. Where it was *cut* by a time limit, more could have been: its future has the value of the picture at
    which it was cut. Either way a new episode begins at once.

    Attributes
    ----------
    pictures : ndarray of float32, (N, H, W, C)
        The pictures to act on next; where an episode is over, the first one of a new episode.
    rewards : ndarray of float32, (N,)
        What the actions gained.
    ended, cut : ndarray of bool, (N,)
        Where the episode ended, and where a time limit cut it off; never both.
    arrived : ndarray of float32, (N, H, W, C)
        The pictures that the actions led to, before new episodes began; where none did, those of `pictures`.
    games : tuple of (float, int), optional
        Score and number of actions of each whole game that is over since the step before, where an agent sees less than
        that: episodes that are a life long, or rewards that are clipped. None where each episode is a whole game.
    """

    pictures: Pictures
    rewards: NDArray[np.float32]
    ended: NDArray[np.bool_]
    cut: NDArray[np.bool_]
    arrived: Pictures
    games: tuple[tuple[float, int], ...] | None = None

    @property
    def over(self) -> NDArray[np.bool_]:
        """Where an episode is over, for either reason, (N,)."""
        return self.ended | self.cut


@runtime_checkable
class World(Protocol):
    """A game of which N episodes run side by side.

    Attributes
    ----------
    count : int
        The number of episodes, N.
    shape : (int, int, int)
        Height, width and channels of a picture.
    actions : tuple of str
        What each action is called; action k is ``actions[k]``.
    place_channel : int or None
        The channel that shows where the agent is; None where no channel shows that alone.
    saves_episodes : bool
        Whether `state` holds the episodes, so that they go on after `restore`. Where it does not, `restore` begins new
        ones.
    """

    count: int
    shape: tuple[int, int, int]
    actions: tuple[str, ...]
    place_channel: int | None
    saves_episodes: bool

    def reset(self) -> Pictures:
        """Begin a new episode everywhere, and return its first pictures, (N, H, W, C), values from 0 to 1."""
        ...

    def step(self, actions: NDArray[np.int64]) -> Step:
        """Take one action, (N,), in each episode.

        Raises
        ------
        ValueError
            If there is no such action.
        """
        ...

    def look(self) -> Pictures:
        """Return the pictures to act on next, (N, H, W, C)."""
        ...

    def state(self) -> dict[str, Any]:
        """Return a copy of all that the next step depends on, as `minicoord.train.trainer.Trainable` wants it."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Return to a saved state; raise ValueError and change nothing if it does not fit."""
        ...
