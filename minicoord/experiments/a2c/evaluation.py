"""What an agent can do: it plays with its most probable actions, on seeds that training does not see."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.worlds.checks import check_pictures, check_step, check_world
from minicoord.datasets.worlds.position import LIMIT, RADIUS
from minicoord.datasets.worlds.world import Pictures, World
from minicoord.experiments.a2c.agent import best
from minicoord.nn.model import Sequential
from minicoord.reference.dots import STEPS
from minicoord.system.arguments import check_whole

MOST_FRAMES = 200  # of the episode that is kept as a film


class Evaluation(NamedTuple):
    """Episodes that were played to their end, E of them.

    Attributes
    ----------
    returns : ndarray of float64, (E,)
        The sum of the rewards of each.
    lengths : ndarray of int64, (E,)
        The number of actions of each.
    visits : ndarray of float64, (H, W), or (0, 0)
        The share of all pictures in which the agent was at a pixel; empty where no channel shows the agent alone.
    film : ndarray of uint8, (frames, H, W, C)
        The pictures of the first episode from 0 to 255, at most 200; of a stack of frames the last.
    """

    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    visits: NDArray[np.float64]
    film: NDArray[np.uint8]


def play(net: Sequential, world: World, episodes: int) -> Evaluation:
    """Let an agent play, and return what came of it.

    Every world plays the same number of episodes, so that short ones do not count more often than long ones. There are
    at least `episodes` in all.

    Parameters
    ----------
    net : Sequential
        The agent's network.
    world : World
        New episodes begin in it.
    episodes : int
        At least 1.

    Raises
    ------
    TypeError, ValueError
        If the world breaks the protocol, or `episodes` is not a whole number of at least 1.
    """
    check_whole("play: episodes", episodes, 1)
    check_world(world)
    quota = math.ceil(episodes / world.count)
    pictures = world.reset()
    check_pictures("reset", pictures, world)
    returns, lengths = np.zeros(world.count), np.zeros(world.count, np.int64)
    done: list[list[tuple[float, int]]] = [[] for _ in range(world.count)]
    visits, looks = np.zeros(world.shape[:2]), 0
    film = [pictures[0].copy()]  # a view would keep the pictures of all worlds
    while any(len(of_world) < quota for of_world in done):
        if world.place_channel is not None:
            playing = np.array([len(of_world) < quota for of_world in done])
            visits += pictures[playing, ..., world.place_channel].sum(axis=0)
            looks += int(playing.sum())
        step = world.step(best(net.forward(pictures)["policy"]))
        check_step(step, world)
        returns += step.rewards
        lengths += 1
        if not done[0] and len(film) < MOST_FRAMES:
            film.append(step.arrived[0].copy())
        for n in np.flatnonzero(step.over):
            if len(done[n]) < quota:
                done[n].append((float(returns[n]), int(lengths[n])))
            returns[n], lengths[n] = 0, 0
        pictures = step.pictures
    all_episodes = [episode for of_world in done for episode in of_world]
    seen = visits / looks if looks else np.zeros((0, 0))
    return Evaluation(
        np.array([gain for gain, _ in all_episodes]),
        np.array([length for _, length in all_episodes]),
        seen,
        _film(np.stack(film), world),
    )


def _film(pictures: Pictures, world: World) -> NDArray[np.uint8]:
    shown = pictures if world.place_channel is not None else pictures[..., -1:]
    return np.round(255 * shown).astype(np.uint8)


def success_at_random(probabilities: NDArray[np.float64] | None = None) -> float:
    """Return how likely a walk at random reaches the goal of `PositionWorld` in time, computed exactly.

    It is what an agent that cannot see the place can gain: the same distribution of actions everywhere.

    Parameters
    ----------
    probabilities : ndarray (4,), optional
        Of up, down, left and right; by default all are equally likely.

    Examples
    --------
    >>> round(success_at_random(), 3), round(success_at_random(np.array([0.0, 0.5, 0.0, 0.5])), 3)
    (0.255, 0.1)
    """
    p = np.full(4, 0.25) if probabilities is None else probabilities
    side = 2 * RADIUS + 1
    where = np.full((side, side), 1 / (side**2 - 1))  # the probability that the dot is at a place, goal in the middle
    where[RADIUS, RADIUS] = success = 0.0
    for _ in range(LIMIT):
        after = np.zeros_like(where)
        for (i, j), now in np.ndenumerate(where):
            for (di, dj), of_action in zip(STEPS, p, strict=True):
                there = min(max(i + di, 0), side - 1), min(max(j + dj, 0), side - 1)
                after[there] += now * of_action
        success += after[RADIUS, RADIUS]
        after[RADIUS, RADIUS] = 0
        where = after
    return float(success)
