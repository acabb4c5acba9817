"""The games by the names that the command line knows."""

from __future__ import annotations

from collections.abc import Sequence

from minicoord.datasets.worlds.position import PositionWorld
from minicoord.datasets.worlds.world import World
from minicoord.system.suggestion import suggestion

OURS = ("position", "control")
"""The two versions of `PositionWorld`: place matters, and place does not matter."""

GAMES = OURS


def make_world(game: str, count: int, seed: Sequence[int], evaluation: bool = False) -> World:
    """Return a world with `count` episodes of a game.

    Parameters
    ----------
    game : str
        One of `GAMES`.
    count : int
        Episodes side by side.
    seed : sequence of int
        Seed of all that is random in it.
    evaluation : bool
        False where an agent is trained, True where it is evaluated: then the rewards are those of the game, and an
        episode is a whole game. `PositionWorld` is the same either way.

    Raises
    ------
    ValueError
        If there is no such game.
    """
    if game in OURS:
        return PositionWorld(count, list(seed), control=game == "control")
    raise ValueError(f"there is no game {game!r}; {suggestion(game, GAMES)}")
