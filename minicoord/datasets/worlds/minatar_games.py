"""MinAtar (Young and Tian 2019): five Atari games on 10 x 10 pixels. Needs the extra ``rl``."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from minicoord.datasets.worlds.share import Levels, Move
from minicoord.system.arguments import shown

GAMES = ("asterix", "breakout", "freeway", "seaquest", "space_invaders")
LIMIT = 5000  # actions after which an episode is cut off; MinAtar itself has no limit
NAMES = {"n": "noop", "l": "left", "u": "up", "r": "right", "d": "down", "f": "fire"}


class MinAtarGame:
    """One episode of a MinAtar game at a time, as its authors made it: an action is repeated with probability .1.

    Only the actions that do something in the game can be taken. In all five games the first channel shows the player.

    Parameters
    ----------
    name : str
        One of `GAMES`.
    rng : numpy.random.Generator
        Where the seed of the game is drawn from.

    Raises
    ------
    ValueError
        If there is no such game, or MinAtar is not installed.
    """

    white: int = 1

    def __init__(self, name: str, rng: np.random.Generator) -> None:
        if name not in GAMES:
            raise ValueError(f"MinAtar has no game {shown(name)}, wanted one of {', '.join(GAMES)}")
        self.game = _environment(name)
        self.game.seed(int(rng.integers(2**31)))
        self.moves = [int(action) for action in self.game.minimal_action_set()]
        self.actions = tuple(NAMES[self.game.env.action_map[action]] for action in self.moves)
        height, width, channels = self.game.state_shape()
        self.shape = int(height), int(width), int(channels)
        self.age = 0

    def reset(self) -> None:
        """Begin a new episode."""
        self.game.reset()
        self.age = 0

    def step(self, action: int) -> Move:
        """Take an action."""
        reward, ended = self.game.act(self.moves[action])
        self.age += 1
        return Move(float(reward), bool(ended), self.age >= LIMIT and not ended)

    def show(self, picture: Levels) -> None:
        """Write what can be seen now into `picture`, (10, 10, C): 0 or 1."""
        picture[...] = self.game.state()


def _environment(name: str) -> Any:
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)  # it says on import that it cannot draw without seaborn, and we do not ask it to
    try:
        from minatar import Environment  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ValueError(f'MinAtar cannot be imported ({error}); pip install "minicoord[rl]" installs it') from None
    finally:
        logging.disable(disabled)
    return Environment(name)
