"""Atari games, with the usual preprocessing (Mnih et al. 2015), step by step. Needs the extra ``rl``.

What an agent sees and gets is far from what the console shows, and each step has a reason:

1. *Frame skip.* An action is held for 4 frames, 15 decisions a second, and the rewards are added up.
2. *Maximum of the last two frames.* The console draws some objects in every other frame only.
3. *Grey and 84 x 84.* The luminance of 210 x 160 pixels, each new pixel the mean of the area that it covers.
4. *A stack of 4.* The last four of these pictures are the channels, so that motion can be seen; at the beginning of an
   episode the first is there four times.
5. *No-ops.* A game begins with 1 to 30 frames without an action, because the console itself has no randomness.
6. *FIRE.* In Breakout there is no ball until FIRE is pressed, so it is held for 4 frames where a game begins and after
   every lost life, when an agent is evaluated, too. One whose most probable action is another would otherwise wait for
   ever. OpenAI Baselines presses it in every game that has the button, and only where an episode begins.

While an agent is trained, and never when it is evaluated:

7. *Clipped rewards.* Only their signs count, so that one learning rate serves all games.
8. *Episodic life.* A lost life ends the episode, though not the game: the next episode goes on where it was lost.

A game is cut off after 27,000 decisions, half an hour. What training reports all the same is the score of whole games,
so that it can be compared with what others publish.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.worlds.share import Levels, Move
from minicoord.kernels.area import area_resize
from minicoord.system.arguments import shown

SKIP, STACK, SIDE = 4, 4, 84
NOOPS = 30  # frames, at most
LIMIT = 27_000  # decisions: 108,000 frames, 60 a second
WAITING = ("breakout",)
"""The games that wait for FIRE. In the others of `GAMES` the picture goes on changing without any action."""

GAMES = (
    "beam_rider",
    "breakout",
    "enduro",
    "freeway",
    "ms_pacman",
    "pong",
    "qbert",
    "seaquest",
    "space_invaders",
)


class AtariGame:
    """One episode of an Atari game at a time, preprocessed.

    Parameters
    ----------
    ale : ale_py.ALEInterface
        A console with a game in it, see `console`.
    rng : numpy.random.Generator
        Where the numbers of no-ops are drawn from.
    evaluation : bool
        True for the rewards of the game, and an episode that is a whole game.
    waits : bool
        Whether the game waits for FIRE, so that it is pressed for the agent.

    Raises
    ------
    ValueError
        If a game that waits for FIRE does not have it among its actions.
    """

    shape: tuple[int, int, int] = (SIDE, SIDE, STACK)
    white: int = 255

    def __init__(self, ale: Any, rng: np.random.Generator, evaluation: bool = False, waits: bool = False) -> None:
        self.ale, self.rng, self.evaluation = ale, rng, evaluation
        self.moves = list(ale.getMinimalActionSet())
        self.actions = tuple(move.name.lower() for move in self.moves)
        if waits and "fire" not in self.actions:
            raise ValueError(
                f"a game that waits for FIRE has the actions {', '.join(self.actions)}, wanted FIRE among them"
            )
        self.fire = self.moves[self.actions.index("fire")] if waits else None
        height, width = ale.getScreenDims()
        self.screens = np.zeros((2, height, width), np.uint8)  # the last two frames that were looked at
        self.stack = np.zeros((SIDE, SIDE, STACK), np.uint8)
        self.lives, self.age = 0, LIMIT
        self.score = 0.0  # of the whole game so far, unclipped
        self.games: list[tuple[float, int]] = []  # that are over and were not reported yet

    def reset(self) -> None:
        """Begin a new episode: a new game in an evaluation, at the time limit, and where a game is over.

        Otherwise the game goes on with its next life, or with this one, after one action that does nothing.
        """
        if self.ale.game_over() or self.evaluation or not 0 < self.age < LIMIT:
            self._new_game()
        else:
            self._hold(self.moves[0])
            if self.ale.game_over():
                self.games.append((self.score, self.age))
                self._new_game()
        self.lives = self.ale.lives()
        self._press_fire()
        self.stack[:] = self._picture()[:, :, np.newaxis]

    def step(self, action: int) -> Move:
        """Hold an action for four frames, or until the episode is over."""
        reward = self._hold(self.moves[action])
        self.age += 1
        if self.evaluation and self.ale.lives() < self.lives and not self.ale.game_over():
            self.lives = self.ale.lives()
            reward += self._press_fire()
        # In memory the channels of a pixel lie next to each other. So all channels move down by one when all numbers
        # do; what comes into the last one from the next pixel is written over.
        numbers = self.stack.reshape(-1)
        numbers[:-1] = numbers[1:]
        self.stack[:, :, -1] = self._picture()
        ended = self._is_over()
        self.lives = self.ale.lives()
        cut = self.age >= LIMIT and not ended
        if self.evaluation:
            return Move(reward, ended, cut)
        if self.ale.game_over() or self.age >= LIMIT:
            self.games.append((self.score, self.age))
        games, self.games = tuple(self.games), []
        return Move(float(np.sign(reward)), ended, cut, games)

    def show(self, picture: Levels) -> None:
        """Write the stack into `picture`, (84, 84, 4)."""
        picture[...] = self.stack

    def _new_game(self) -> None:
        self.ale.reset_game()
        for _ in range(self.rng.integers(1, NOOPS + 1)):
            self.ale.act(self.moves[0])
            if self.ale.game_over():
                self.ale.reset_game()
        self.age, self.score = 0, 0.0
        self.screens[0] = 0
        self.ale.getScreenGrayscale(self.screens[1])

    def _press_fire(self) -> float:
        """Let a game that waits for FIRE go on, and return what that gained: nothing, in the games that we know."""
        return 0.0 if self.fire is None else self._hold(self.fire)

    def _hold(self, move: Any) -> float:
        """Repeat an action, keep the last two frames, and return the sum of the rewards."""
        reward = 0.0
        for frame in range(SKIP):
            reward += self.ale.act(move)
            over = self._is_over()
            if frame >= SKIP - 2 or over:
                self.screens[0] = self.screens[1]
                self.ale.getScreenGrayscale(self.screens[1])
            if over:
                break
        self.score += reward
        return reward

    def _is_over(self) -> bool:
        return self.ale.game_over() or (not self.evaluation and self.ale.lives() < self.lives)

    def _picture(self) -> NDArray[np.uint8]:
        """Return the maximum of the two frames, resized: (84, 84)."""
        frame = np.maximum(*self.screens)  # (210, 160)
        return area_resize(frame[np.newaxis], SIDE, SIDE)[0]


def make_game(name: str, evaluation: bool, rng: np.random.Generator) -> AtariGame:
    """Return a game on a console of its own, whose seed is drawn first; see `AtariGame` and `console`."""
    return AtariGame(console(name, int(rng.integers(2**31))), rng, evaluation, waits=name in WAITING)


def console(name: str, seed: int) -> Any:
    """Return an emulated console with a game in it, without sticky actions.

    Parameters
    ----------
    name : str
        The game as ale-py calls it, such as ``"ms_pacman"``.
    seed : int
        Seed of the console.

    Raises
    ------
    ValueError
        If ale-py is not installed, or has no such game.
    """
    try:
        import ale_py  # pyright: ignore[reportMissingImports]
        from ale_py import roms  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ValueError(f'ale-py cannot be imported ({error}); pip install "minicoord[rl]" installs it') from None
    known = roms.get_all_rom_ids()
    if name not in known:
        raise ValueError(f"ale-py has no game {shown(name)}, wanted one such as {', '.join(GAMES)}")
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    ale = ale_py.ALEInterface()
    ale.setInt("random_seed", seed)
    ale.setFloat("repeat_action_probability", 0.0)
    ale.loadROM(str(roms.get_rom_path(name)))
    return ale
