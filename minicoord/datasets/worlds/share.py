"""A share of the games of a world: those that one process plays, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from minicoord.system.arguments import check_kind

Levels = NDArray[np.uint8]
"""Pictures whose pixels are whole numbers, from 0 for black to the `white` of their game."""


class Move(NamedTuple):
    """What follows from one action in one episode.

    Attributes
    ----------
    reward : float
        What the action gained.
    ended, cut : bool
        Whether the episode ended, or a time limit cut it off.
    games : tuple of (float, int), optional
        The whole games that are over: see `minicoord.datasets.worlds.world.Step`.
    """

    reward: float
    ended: bool
    cut: bool
    games: tuple[tuple[float, int], ...] | None = None


class Game(Protocol):
    """One episode at a time.

    Attributes
    ----------
    shape : (int, int, int)
        Height, width and channels of a picture.
    actions : tuple of str
        What each action is called.
    white : int
        The brightest level of a picture, at most 255; 0 is black.
    """

    shape: tuple[int, int, int]
    actions: tuple[str, ...]
    white: int

    def reset(self) -> None:
        """Begin a new episode."""
        ...

    def step(self, action: int) -> Move:
        """Take an action."""
        ...

    def show(self, picture: Levels) -> None:
        """Write what can be seen now into `picture`, (H, W, C): levels from 0 to `white`."""
        ...


Make = Callable[[np.random.Generator], Game]
"""Makes a game whose random numbers come from a generator."""


class Facts(NamedTuple):
    """What all games of a world have in common: the attributes of `Game`."""

    shape: tuple[int, int, int]
    actions: tuple[str, ...]
    white: int


class Outcome(NamedTuple):
    """What follows from one action in each of n games.

    Attributes
    ----------
    arrived : ndarray of uint8, (n, H, W, C)
        What the actions led to.
    begun : ndarray of uint8, (k, H, W, C)
        The first pictures of the new episodes of the k games whose episode is over, in the order of the games; empty
        if k is 0.
    moves : list of Move
        One for each game.
    """

    arrived: Levels
    begun: Levels
    moves: list[Move]


class Share:
    """Several games, one after the other.

    Parameters
    ----------
    make : callable
        ``make(rng) -> Game``.
    rngs : sequence of numpy.random.Generator
        One for each game.
    """

    def __init__(self, make: Make, rngs: Sequence[np.random.Generator]) -> None:
        self.games = [make(rng) for rng in rngs]

    def facts(self) -> Facts:
        """Return what the games have in common."""
        game = self.games[0]
        return Facts(game.shape, game.actions, game.white)

    def reset(self) -> Levels:
        """Begin a new episode in each game, and return the first pictures, (n, H, W, C) of uint8."""
        for game in self.games:
            game.reset()
        return _seen(self.games)

    def step(self, actions: Sequence[int]) -> Outcome:
        """Take one action in each game, n of them; where an episode is over, a new one begins.

        Raises
        ------
        TypeError
            If a game does not return a `Move`.
        """
        moves = [game.step(action) for game, action in zip(self.games, actions, strict=True)]
        for move in moves:
            check_kind("what step of a game returned", move, Move, "a Move")
        arrived = _seen(self.games)
        over = [game for game, move in zip(self.games, moves, strict=True) if move.ended or move.cut]
        for game in over:
            game.reset()
        return Outcome(arrived, _seen(over), moves)


def _seen(games: Sequence[Game]) -> Levels:
    """Return what can be seen in each game now, (n, H, W, C)."""
    pictures = np.empty((len(games), *games[0].shape) if games else (0, 0, 0, 0), np.uint8)
    for game, picture in zip(games, pictures, strict=True):
        game.show(picture)
    return pictures


class ShareHere:
    """A share that is played in this process, when the answer is wanted."""

    def __init__(self, make: Make, rngs: Sequence[np.random.Generator]) -> None:
        self.share = Share(make, rngs)
        self._asked: tuple[str, tuple[Any, ...]] = "facts", ()
        self._ended = False

    def ask(self, name: str, *arguments: Any) -> None:
        """Say which method of the share is to be called."""
        self._asked = name, arguments

    def answer(self) -> Any:
        """Call it, and return what it returns.

        Raises
        ------
        RuntimeError
            After `end`.
        Exception
            What the method raises.
        """
        if self._ended:
            words = "were left after an error or an interruption, wanted restore(state()), which begins new ones"
            raise RuntimeError(f"the games of this world {words}")
        name, arguments = self._asked
        return getattr(self.share, name)(*arguments)

    def end(self) -> None:
        """Answer no more: some games may have taken a step that others have not."""
        self._ended = True
