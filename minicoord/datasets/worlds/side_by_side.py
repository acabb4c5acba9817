"""Several copies of a game that knows one episode at a time become one world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.worlds.world import Pictures, Step
from minicoord.kernels.backend.memory import empty
from minicoord.system.arguments import check_whole, shown


class Move(NamedTuple):
    """What follows from one action in one episode: see `minicoord.datasets.worlds.world.Step`."""

    reward: float
    ended: bool
    cut: bool
    games: tuple[tuple[float, int], ...] | None = None


class Game(Protocol):
    """One episode at a time."""

    shape: tuple[int, int, int]
    actions: tuple[str, ...]

    def reset(self) -> None:
        """Begin a new episode."""
        ...

    def step(self, action: int) -> Move:
        """Take an action."""
        ...

    def show(self, picture: Pictures) -> None:
        """Write what can be seen now into `picture`, (H, W, C): values from 0 to 1."""
        ...


class SideBySide:
    """A world of N copies of a game, each with random numbers of its own.

    The copies take their steps one after the other. Threads would gain nothing: MinAtar is Python, and ale-py keeps
    Python's lock while its emulator works, too.

    Parameters
    ----------
    make : callable
        ``make(rng) -> Game``, with a `numpy.random.Generator`.
    count : int
        Episodes side by side, at least 1.
    seed : sequence of int
        Seed of all that is random.
    place_channel : int, optional
        The channel that shows where the agent is.

    Notes
    -----
    The episodes of these games cannot be saved. A state holds how often the world was restored; after `restore` new
    episodes begin, with other random numbers than those before it.
    """

    saves_episodes: bool = False

    def __init__(
        self,
        make: Callable[[np.random.Generator], Game],
        count: int,
        seed: Sequence[int],
        place_channel: int | None = None,
    ) -> None:
        check_whole("SideBySide: count", count, 1)
        self.make, self.count, self.seed, self.place_channel = make, int(count), list(seed), place_channel
        self.restored = 0
        self._begin()

    def _begin(self) -> None:
        rngs = np.random.default_rng([*self.seed, self.restored]).spawn(self.count)
        self.games = [self.make(rng) for rng in rngs]
        self.shape, self.actions = self.games[0].shape, self.games[0].actions
        self.reset()

    def reset(self) -> Pictures:
        """Begin a new episode everywhere, and return its first pictures, (N, H, W, C)."""
        for game in self.games:
            game.reset()
        self.pictures = self._seen()
        return self.pictures

    def look(self) -> Pictures:
        """Return the pictures to act on next, (N, H, W, C)."""
        return self.pictures

    def step(self, actions: NDArray[np.int64]) -> Step:
        """Take one action, (N,), in each episode; see `minicoord.datasets.worlds.world.World`.

        Raises
        ------
        ValueError
            If there is no such action, or not one for each episode; nothing moves then.
        """
        chosen = np.asarray(actions)
        if chosen.shape != (self.count,) or chosen.dtype.kind not in "iu":
            raise ValueError(
                f"actions has shape {chosen.shape} and dtype {chosen.dtype}, wanted {self.count} whole numbers"
            )
        if chosen.min() < 0 or chosen.max() >= len(self.actions):
            raise ValueError(f"actions has {chosen.min()} to {chosen.max()}, wanted 0 to {len(self.actions) - 1}")
        moves = [game.step(action) for game, action in zip(self.games, chosen.tolist(), strict=True)]
        arrived = pictures = self._seen()
        ended, cut = np.array([move.ended for move in moves]), np.array([move.cut for move in moves])
        over = np.flatnonzero(ended | cut)
        if over.size:
            pictures = arrived.copy()
            for n in over:
                self.games[n].reset()
                self.games[n].show(pictures[n])
        self.pictures = pictures
        rewards = np.array([move.reward for move in moves], np.float32)
        games = [move.games for move in moves if move.games is not None]
        return Step(pictures, rewards, ended, cut, arrived, sum(games, ()) if games else None)

    def _seen(self) -> Pictures:
        """Return what can be seen in each episode now, (N, H, W, C)."""
        pictures = empty((self.count, *self.shape), np.float32)
        for game, picture in zip(self.games, pictures, strict=True):
            game.show(picture)
        return pictures

    def state(self) -> dict[str, Any]:
        """Return how often the world was restored: its episodes cannot be saved."""
        return {"restored": self.restored}

    def restore(self, state: dict[str, Any]) -> None:
        """Begin new episodes, with random numbers that the saved run did not have.

        Raises
        ------
        ValueError
            If the state does not say how often the world was restored; nothing is changed then.
        """
        restored = state.get("restored")
        if isinstance(restored, bool) or not isinstance(restored, int) or restored < 0:
            raise ValueError(f"it is damaged: the world was restored {shown(restored)} times, wanted a whole number")
        self.restored = restored + 1
        self._begin()
