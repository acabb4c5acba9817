"""The games by the names that the command line knows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from minicoord.datasets.worlds import atari, minatar_games
from minicoord.datasets.worlds.position import PositionWorld
from minicoord.datasets.worlds.side_by_side import SideBySide
from minicoord.datasets.worlds.world import World
from minicoord.kernels.backend.threading_layer import get_threads
from minicoord.system.arguments import check_whole, seed_numbers, shown
from minicoord.system.suggestion import suggestion

OURS = ("position", "control")
"""The two versions of `PositionWorld`: place matters, and place does not matter."""

MINATAR = {f"minatar-{name.replace('_', '-')}": name for name in minatar_games.GAMES}
"""The games of MinAtar, and what MinAtar calls them."""

ATARI = {f"atari-{name.replace('_', '-')}": name for name in atari.GAMES}
"""Some of the games of ale-py, and what ale-py calls them."""

GAMES = (*OURS, *MINATAR, *ATARI)

SHARE = 4  # games of Atari: fewer are not worth a process of their own


def make_world(game: str, count: int, seed: int | Sequence[int], evaluation: bool = False) -> World:
    """Return a world with `count` episodes of a game.

    Parameters
    ----------
    game : str
        One of `GAMES`.
    count : int
        Episodes side by side.
    seed : int or sequence of int
        Seed of all that is random in it.
    evaluation : bool
        False where an agent is trained, True where it is evaluated: then the rewards are those of the game, and an
        episode is a whole game. `PositionWorld` is the same either way.

    Notes
    -----
    Atari's games are emulated in as many processes as the kernels have threads, or in fewer, so that each has at least
    four games; what happens does not depend on it.

    Raises
    ------
    TypeError
        If `seed` is no whole number and no sequence of them.
    ValueError
        If there is no such game, or what it needs is not installed; if `count` is not a whole number of at least 1, or
        a seed is negative.
    """
    if not isinstance(game, str) or game not in GAMES:
        near = suggestion(game, GAMES) if isinstance(game, str) else f"wanted a name such as {OURS[0]}"
        raise ValueError(f"there is no game {shown(game)}; {near}")
    check_whole("make_world: count", count, 1)
    numbers = seed_numbers("make_world", seed)
    if game in OURS:
        return PositionWorld(count, numbers, control=game == "control")
    if game in MINATAR:
        return SideBySide(partial(minatar_games.MinAtarGame, MINATAR[game]), count, numbers, place_channel=0)
    make = partial(atari.make_game, ATARI[game], evaluation)
    return SideBySide(make, count, numbers, processes=max(1, min(get_threads(), count // SHARE)))
