"""A world or a game that breaks the protocol is one sentence, before what it says reaches a weight."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from minicoord import Dense, Flatten, Sequential
from minicoord.datasets.worlds.checks import check_pictures, check_step, check_world
from minicoord.datasets.worlds.position import PositionWorld
from minicoord.datasets.worlds.share import Move
from minicoord.datasets.worlds.side_by_side import SideBySide
from minicoord.experiments.a2c.agent import Agent
from minicoord.experiments.a2c.evaluation import play
from minicoord.experiments.a2c.games import make_world
from minicoord.experiments.a2c.networks import ARMS, network
from minicoord.experiments.a2c.settings import A2CSettings

SETTINGS = A2CSettings(env_steps=1000, envs=3)


def policy(outputs: int = 4) -> Sequential:
    return network(PositionWorld.shape, outputs, ARMS["coordconv-pool"], 0)


class Broken(PositionWorld):
    """One that returns something else after a step."""

    change: dict[str, Any] = {}

    def step(self, actions):
        return super().step(actions)._replace(**self.change)


PICTURES = np.zeros((3, 19, 19, 2), np.float32)
STEPS = [
    ({"rewards": np.array([0, np.nan, 1], np.float32)}, "a reward of the world was nan, wanted a finite number"),
    ({"rewards": np.array([0, 1, np.inf])}, "a reward of the world was inf, wanted a finite number"),
    ({"rewards": np.zeros((3, 1))}, r"rewards of the world was an array of shape \(3, 1\) .* wanted .* \(3,\) of numb"),
    ({"rewards": 1.0}, r"rewards of the world was 1.0, wanted an array of shape \(3,\) of numbers"),
    ({"ended": np.zeros(3)}, r"ended of the world was .* float64, wanted an array of shape \(3,\) of bool"),
    ({"cut": None}, "cut of the world was None, wanted an array"),
    ({"ended": np.ones(3, bool), "cut": np.ones(3, bool)}, "has ended and was cut off, wanted one of the two"),
    ({"pictures": 255 * np.ones_like(PICTURES)}, "pictures of the world has values from 255 to 255, wanted 0 to 1"),
    ({"arrived": PICTURES - 0.5}, "arrived of the world has values from -0.5 to -0.5, wanted 0 to 1"),
    ({"arrived": np.full_like(PICTURES, np.nan)}, "arrived of the world has values from nan to nan"),
    (
        {"pictures": PICTURES[:1]},
        r"pictures of the world was an array of shape \(1, 19, 19, 2\) .*, wanted .*3, 19, 19",
    ),
    ({"pictures": PICTURES.astype(np.uint8)}, "pictures of the world was .* uint8, wanted .* float32"),
]


@pytest.mark.compiled
@pytest.mark.parametrize("change, words", STEPS)
def test_a_wrong_step_reaches_no_weight(change, words):
    world = Broken(3)
    agent = Agent(policy(), world, SETTINGS)
    before = {name: array.copy() for name, array in agent.net.params.items()}
    world.change = change
    with pytest.raises(ValueError, match=words):
        agent.step()
    with pytest.raises(ValueError, match=words):
        play(agent.net, world, 1)
    assert all(np.array_equal(array, before[name]) for name, array in agent.net.params.items())
    world.change = {}
    agent.step()


@pytest.mark.parametrize("returned", [None, (PICTURES, np.zeros(3), np.zeros(3, bool)), PICTURES])
def test_a_step_is_a_step(returned):
    with pytest.raises(TypeError, match=r"step of the world returned .*, wanted a Step$"):
        check_step(returned, PositionWorld(3))


def test_the_worlds_of_the_library_keep_the_protocol():
    world = PositionWorld(3, control=True)
    check_world(world)
    for k in range(50):
        check_step(world.step(np.full(3, k % 4)), world)
        check_pictures("look", world.look(), world)


@pytest.mark.parametrize(
    "change, error, words",
    [
        ({"count": 0}, ValueError, "count of the world was 0, wanted a whole number of at least 1"),
        (
            {"shape": (19, 19)},
            ValueError,
            r"shape of the world was \(19, 19\), wanted height, width and channels, each",
        ),
        ({"shape": (19, 0, 2)}, ValueError, "wanted height, width and channels, each at least 1"),
        ({"shape": "wide"}, TypeError, "shape of the world was 'wide', wanted height, width and channels"),
        ({"actions": 4}, TypeError, "actions of the world was 4, wanted a tuple of their names"),
        ({"actions": (0, 1)}, TypeError, r"actions of the world was \(0, 1\), wanted a tuple of their names"),
        ({"actions": ()}, ValueError, r"actions of the world was \(\), wanted the name of at least one"),
        ({"place_channel": 2}, ValueError, "place_channel of the world was 2, wanted None or 0 to 1"),
    ],
)
def test_what_a_world_says_of_itself_is_checked(change, error, words):
    world = PositionWorld(3)
    for name, value in change.items():
        setattr(world, name, value)
    with pytest.raises(error, match=words):
        check_world(world)
    with pytest.raises(error, match=words):
        Agent(policy(), world, SETTINGS)


def test_what_lacks_methods_is_no_world():
    with pytest.raises(TypeError, match=r"the world was 5, wanted one with count, shape, .*, restore \(see World\)"):
        Agent(policy(), 5, SETTINGS)  # pyright: ignore[reportArgumentType]
    half = SimpleNamespace(**dict.fromkeys(("count", "shape", "actions", "place_channel", "saves_episodes")))
    with pytest.raises(TypeError, match="wanted one with reset, step, look, state, restore"):
        check_world(half)


def test_an_agent_has_a_network_that_fits_its_world():
    world = PositionWorld(3)
    with pytest.raises(ValueError, match=r"Agent: the network returns .*\(1, 6\).* for one picture, wanted .*\(1, 4\)"):
        Agent(policy(6), world, SETTINGS)
    with pytest.raises(ValueError, match=r"Agent: the network returns \(1, 4\) for one picture, wanted \{'policy'"):
        Agent(Sequential([Flatten(), Dense(722, 4)]), world, SETTINGS)
    with pytest.raises(TypeError, match="Agent: net is of type int, wanted a Sequential"):
        Agent(5, world, SETTINGS)  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="Agent: settings is of type dict, wanted an A2CSettings"):
        Agent(policy(), world, {})  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="Agent: seed was -1, wanted whole numbers of at least 0"):
        Agent(policy(), world, SETTINGS, seed=-1)
    with pytest.raises(ValueError, match="play: episodes was 0, wanted a whole number of at least 1"):
        play(policy(), world, 0)


class Lamp:
    """A game of one pixel."""

    shape, actions, white = (1, 1, 1), ("on", "off"), 1

    def __init__(self, rng):
        self.rng = rng

    def reset(self):
        self.lit = 0

    def step(self, action):
        self.lit = 1 - action
        return Move(0.0, False, False)

    def show(self, picture):
        picture[...] = self.lit


@pytest.mark.parametrize(
    "change, error, words",
    [
        ({"white": 0}, ValueError, "white of the game was 0, wanted a whole number from 1 to 255"),
        ({"white": 256}, ValueError, "white of the game was 256"),
        ({"white": 0.5}, ValueError, r"white of the game was 0\.5"),
        ({"shape": (1, 1)}, ValueError, r"shape of the game was \(1, 1\), wanted height, width and channels"),
        ({"shape": None}, TypeError, "shape of the game was None, wanted height, width and channels"),
        ({"actions": "on"}, TypeError, "actions of the game was 'on', wanted a tuple of their names"),
    ],
)
def test_what_a_game_says_of_itself_is_checked(change, error, words):
    with pytest.raises(error, match=words):
        SideBySide(type("Changed", (Lamp,), change), 2, [0])


def test_a_game_may_say_its_facts_in_lists():
    world = SideBySide(type("Listed", (Lamp,), {"shape": [1, 1, 1], "actions": ["on", "off"]}), 2, 0)
    assert (world.shape, world.actions) == ((1, 1, 1), ("on", "off"))
    check_world(world)
    check_step(world.step(np.array([0, 1])), world)


def test_games_of_lists_are_added_up():
    class Listed(Lamp):
        def step(self, action):
            return super().step(action)._replace(games=[(2.0, 3)])

    assert SideBySide(Listed, 2, 0).step(np.array([0, 1])).games == ((2.0, 3), (2.0, 3))


def test_what_a_game_returns_is_a_move():
    changed: Any = type("Changed", (Lamp,), {"step": lambda self, action: (0.0, False, False)})
    with pytest.raises(TypeError, match="what step of a game returned is of type tuple, wanted a Move"):
        SideBySide(changed, 2, [0]).step(np.zeros(2, int))


@pytest.mark.parametrize(
    "call, arguments, error, words",
    [
        (SideBySide, (5, 2, [0]), TypeError, "SideBySide: make was 5, wanted a function that makes a game"),
        (SideBySide, (Lamp, 2, "ab"), TypeError, "SideBySide: seed was 'ab', wanted a whole number or a sequence of"),
        (SideBySide(Lamp, 2, 0).restore, (None,), ValueError, "it is damaged: the state of the world was None"),
        (PositionWorld, (2, -1), ValueError, "PositionWorld: seed was -1, wanted whole numbers of at least 0"),
        (PositionWorld, (2, []), ValueError, r"PositionWorld: seed was \[\], wanted whole numbers of at least 0"),
        (PositionWorld, (2, 0, "no"), TypeError, "PositionWorld: control was 'no', wanted True or False"),
        (make_world, ("position", 2, [0.5]), TypeError, r"make_world: seed was \[0\.5\], wanted a whole number or a"),
        (make_world, ("atari-pong", "4", [0]), ValueError, "make_world: count was '4', wanted a whole number"),
        (make_world, ("position", 10**22, 0), ValueError, "PositionWorld: the pictures of shape .* would take .* GiB"),
        (SideBySide, (Lamp, 10**22, 0), ValueError, "SideBySide: games of shape .* would take .* GiB, wanted one that"),
        (make_world, (None, 2, [0]), ValueError, "there is no game None; wanted a name such as position"),
        (make_world, (["x"], 2, [0]), ValueError, r"there is no game \['x'\]; wanted a name such as position"),
    ],
)
def test_wrong_arguments_are_one_sentence(call, arguments, error, words):
    with pytest.raises(error, match=words):
        call(*arguments)


def test_a_seed_may_be_one_number():
    one, other = make_world("position", 2, 3), make_world("position", 2, [3])
    assert np.array_equal(one.look(), other.look())
