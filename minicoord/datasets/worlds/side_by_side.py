"""Several copies of a game that knows one episode at a time become one world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.worlds.world import Pictures, Step
from minicoord.system.arguments import check_whole


class Move(NamedTuple):
    """What follows from one action in one episode: see `minicoord.datasets.worlds.world.Step`."""

    picture: NDArray[np.float32]
    reward: float
    ended: bool
    cut: bool


class Game(Protocol):
    """One episode at a time."""

    shape: tuple[int, int, int]
    actions: tuple[str, ...]

    def reset(self) -> NDArray[np.float32]:
        """Begin a new episode, and return its first picture, (H, W, C)."""
        ...

    def step(self, action: int) -> Move:
        """Take an action."""
        ...


class SideBySide:
    """A world of N copies of a game, each with random numbers of its own.

    The copies take their steps in threads, if a game spends its time in code that lets other threads run. The results
    do not depend on that, because no copy knows of another.

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
    threads : int
        Threads for the steps, at least 1.

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
        threads: int = 1,
    ) -> None:
        check_whole("SideBySide: count", count, 1)
        check_whole("SideBySide: threads", threads, 1)
        self.make, self.count, self.seed, self.place_channel = make, int(count), list(seed), place_channel
        self.pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self.restored = 0
        self._begin()
        self.shape, self.actions = self.games[0].shape, self.games[0].actions

    def _begin(self) -> None:
        rngs = np.random.default_rng([*self.seed, self.restored]).spawn(self.count)
        self.games = [self.make(rng) for rng in rngs]
        self.pictures = np.stack([game.reset() for game in self.games])  # (N, H, W, C)

    def reset(self) -> Pictures:
        """Begin a new episode everywhere, and return its first pictures, (N, H, W, C)."""
        self.pictures = np.stack([game.reset() for game in self.games])
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
        run = map if self.pool is None else self.pool.map
        moves = list(run(lambda game, action: game.step(int(action)), self.games, chosen))
        arrived = pictures = np.stack([move.picture for move in moves])
        ended, cut = np.array([move.ended for move in moves]), np.array([move.cut for move in moves])
        over = np.flatnonzero(ended | cut)
        if over.size:
            pictures = arrived.copy()
            for n in over:
                pictures[n] = self.games[n].reset()
        self.pictures = pictures
        return Step(pictures, np.array([move.reward for move in moves], np.float32), ended, cut, arrived)

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
            raise ValueError(f"it is damaged: the world was restored {restored!r} times, wanted a whole number")
        self.restored = restored + 1
        self._begin()
