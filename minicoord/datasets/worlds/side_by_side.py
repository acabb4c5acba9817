"""Several copies of a game that knows one episode at a time become one world."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.worlds.checks import check_state, checked_facts
from minicoord.datasets.worlds.share import Levels, Make, Move, Outcome, ShareHere
from minicoord.datasets.worlds.share_process import ShareProcess
from minicoord.datasets.worlds.world import Pictures, Step
from minicoord.kernels.backend.memory import empty
from minicoord.system.arguments import check_whole, seed_numbers, shown
from minicoord.system.arrays import check_room

GAME_BYTES = 1024
"""What a game takes at least, with its random generator; a real one takes far more."""


class SideBySide:
    """A world of N copies of a game, each with random numbers of its own.

    The copies of a share take their steps one after the other; the shares take them at the same time, each in a process
    of its own. Threads would gain nothing: MinAtar is Python, and ale-py keeps Python's lock while its emulator works,
    too. What happens depends on the seed alone, whatever the number of processes.

    Parameters
    ----------
    make : callable
        ``make(rng) -> Game``, with a `numpy.random.Generator`; with several processes one that can be pickled, such as
        a function of a module, or a `functools.partial` of one.
    count : int
        Episodes side by side, at least 1.
    seed : int or sequence of int
        Seed of all that is random.
    place_channel : int, optional
        The channel that shows where the agent is.
    processes : int
        Shares of the copies, 1 to `count`. With 1 they are played in this process.

    Raises
    ------
    ValueError
        If there are fewer copies than 1 or than processes, or more than fit into memory; if a seed is negative, `make`
        cannot be loaded by another process, or its games have no pixel, no action or a `white` that is not from 1 to
        255.
    TypeError
        If `make` is not a function, or a game lacks something or has it of the wrong type.
    ChildProcessError
        If a process ends before its games have begun.
    Exception
        What `make` raises.

    Notes
    -----
    The episodes of these games cannot be saved. A state holds how often the world was restored; after `restore` new
    episodes begin, with other random numbers than those before it. If a game raises an exception, a process ends or a
    step is interrupted, some games may have moved and others not; so the world does no more steps until `restore`.
    """

    saves_episodes: bool = False

    def __init__(
        self, make: Make, count: int, seed: int | Sequence[int], place_channel: int | None = None, processes: int = 1
    ) -> None:
        check_whole("SideBySide: count", count, 1)
        check_whole("SideBySide: processes", processes, 1)
        check_room("SideBySide: games", (count, GAME_BYTES), np.uint8)
        if processes > count:
            raise ValueError(f"SideBySide: processes was {shown(processes)}, wanted at most {shown(count)}, one a game")
        if not callable(make):
            raise TypeError(f"SideBySide: make was {shown(make)}, wanted a function that makes a game")
        self.seed = seed_numbers("SideBySide", seed)
        self.make, self.count, self.place_channel = make, int(count), place_channel
        edges = [k * self.count // processes for k in range(processes + 1)]
        self._parts = [slice(*edge) for edge in pairwise(edges)]
        self.restored = 0
        self._begin()

    def _begin(self) -> None:
        rngs = np.random.default_rng([*self.seed, self.restored]).spawn(self.count)
        kind = ShareHere if len(self._parts) == 1 else ShareProcess
        self.shares = [kind(self.make, rngs[part]) for part in self._parts]
        self.shape, self.actions, self._white = checked_facts(self._all("facts")[0])
        self.reset()

    def _all(self, name: str, *arguments: Sequence[Any]) -> list[Any]:
        """Return what a method returns for each share, which is given its part of each argument."""
        try:
            for share, part in zip(self.shares, self._parts, strict=True):
                share.ask(name, *(argument[part] for argument in arguments))
            return [share.answer() for share in self.shares]
        except BaseException:  # some answers may still be on their way, and would be taken for later ones
            self._end()
            raise

    def _end(self) -> None:
        for share in self.shares:
            share.end()

    def reset(self) -> Pictures:
        """Begin a new episode everywhere, and return its first pictures, (N, H, W, C).

        A game may have episodes that are a part of it, as lives are in Atari; then it may go on in its next part.

        Raises
        ------
        ChildProcessError
            If a process that plays a share has ended.
        """
        self.pictures = self._lit(self._all("reset"))
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
        ChildProcessError
            If a process that plays a share has ended.
        Exception
            What a game raises.
        """
        chosen = np.asarray(actions)
        if chosen.shape != (self.count,) or chosen.dtype.kind not in "iu":
            raise ValueError(
                f"actions has shape {chosen.shape} and dtype {chosen.dtype}, wanted {self.count} whole numbers"
            )
        if chosen.min() < 0 or chosen.max() >= len(self.actions):
            raise ValueError(f"actions has {chosen.min()} to {chosen.max()}, wanted 0 to {len(self.actions) - 1}")
        outcomes: list[Outcome] = self._all("step", chosen.tolist())
        moves: list[Move] = [move for outcome in outcomes for move in outcome.moves]
        ended, cut = (np.array(flags, bool) for flags in zip(*[(move.ended, move.cut) for move in moves], strict=True))
        arrived = self.pictures = self._lit([outcome.arrived for outcome in outcomes])
        if (ended | cut).any():
            self.pictures = arrived.copy()
            self.pictures[ended | cut] = self._lit([outcome.begun for outcome in outcomes if len(outcome.begun)])
        rewards = np.array([move.reward for move in moves], np.float32)
        games = [move.games for move in moves if move.games is not None]
        return Step(self.pictures, rewards, ended, cut, arrived, tuple(chain(*games)) if games else None)

    def _lit(self, levels: list[Levels]) -> Pictures:
        """Return the pictures of all shares with values from 0 to 1, (N, H, W, C)."""
        pictures = empty((sum(map(len, levels)), *self.shape), np.float32)
        first = 0
        for some in levels:
            last = first + len(some)
            np.divide(some, self._white, out=pictures[first:last], dtype=np.float32)
            first = last
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
        OSError
            If new processes cannot be started.
        """
        check_state(state)
        restored = state.get("restored")
        if isinstance(restored, bool) or not isinstance(restored, int) or restored < 0:
            raise ValueError(f"it is damaged: the world was restored {shown(restored)} times, wanted a whole number")
        self.restored = restored + 1
        self._end()
        self._begin()
