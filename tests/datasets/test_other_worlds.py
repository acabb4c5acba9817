"""Games of other packages behind our protocol: side by side, MinAtar, and Atari against gymnasium's own wrapper."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import numpy as np
import pytest

from minicoord import reference
from minicoord.datasets.worlds.atari import AtariGame, console
from minicoord.datasets.worlds.minatar_games import GAMES, MinAtarGame
from minicoord.datasets.worlds.share import Move
from minicoord.datasets.worlds.side_by_side import SideBySide
from minicoord.datasets.worlds.world import World
from minicoord.experiments.a2c.games import ATARI, MINATAR, make_world
from minicoord.kernels.area import area_resize


def needed(*modules: str) -> None:
    """Skip a test where a package of the extra is missing."""
    for name in modules:
        pytest.importorskip(name, reason=f'{name} is not installed; pip install "minicoord[rl]" opencv-python-headless')


# Side by side


class Countdown:
    """Every action takes one off; at 0 the episode ends, and action 1 cuts it off."""

    shape, actions, white = (1, 1, 1), ("wait", "leave"), 9

    def __init__(self, rng):
        self.rng = rng

    def reset(self):
        self.left = int(self.rng.integers(2, 9))

    def step(self, action):
        self.left -= 1
        over = self.left == 0
        return Move(float(self.left), over, action == 1 and self.left > 0, *self.reported(over))

    def reported(self, over):
        return ()

    def show(self, picture):
        picture[...] = self.left


def shown(game: Any) -> np.ndarray:
    """Return what can be seen in a game now."""
    picture = np.full(game.shape, 77, np.uint8)
    game.show(picture)
    return np.divide(picture, game.white, dtype=np.float32)


def test_games_side_by_side_are_a_world():
    world = SideBySide(Countdown, 4, [0])
    assert isinstance(world, World) and world.shape == (1, 1, 1)
    alone = [Countdown(rng) for rng in np.random.default_rng([0, 0]).spawn(4)]
    for game in alone:
        game.reset()
    np.testing.assert_array_equal(world.look(), [shown(game) for game in alone])
    rng = np.random.default_rng(1)
    earlier, kept = world.look(), world.look().copy()
    for _ in range(40):
        actions = rng.integers(0, 2, 4)
        step = world.step(actions)
        np.testing.assert_array_equal(earlier, kept)  # pictures that somebody holds stay what they are
        earlier, kept = step.pictures, step.pictures.copy()
        for n, game in enumerate(alone):
            move = game.step(actions[n])
            assert (step.rewards[n], step.ended[n], step.cut[n]) == (move.reward, move.ended, move.cut)
            np.testing.assert_array_equal(step.arrived[n], shown(game))
            if move.ended or move.cut:
                game.reset()
            np.testing.assert_array_equal(step.pictures[n], shown(game))
            np.testing.assert_array_equal(world.look()[n], shown(game))


class Breaking(Countdown):
    """Action 1 breaks it."""

    def step(self, action):
        if action == 1:
            raise ArithmeticError("two and two make five")
        return super().step(action)


def test_a_world_goes_no_further_from_the_middle_of_a_step():
    world = SideBySide(Breaking, 2, [0])
    with pytest.raises(ArithmeticError, match="make five"):
        world.step(np.array([0, 1]))
    for go_on in (lambda: world.step(np.zeros(2, int)), world.reset):
        with pytest.raises(RuntimeError, match=r"of this world were left after an error .*, wanted restore\(state"):
            go_on()
    world.restore(world.state())
    assert world.step(np.zeros(2, int)).rewards.shape == (2,)


class ZeroOrOne(Countdown):
    """It says 0 and 1 in place of False and True."""

    def step(self, action):
        move = super().step(action)
        return move._replace(ended=int(move.ended), cut=int(move.cut))


def test_an_end_may_be_said_as_zero_or_one():
    worlds = [SideBySide(kind, 4, [5]) for kind in (Countdown, ZeroOrOne)]
    for k in range(20):
        wanted, found = (world.step(np.full(4, k % 7 == 6, int)) for world in worlds)
        assert found.ended.dtype == found.cut.dtype == bool
        for one, other in zip(wanted[:5], found[:5], strict=True):
            np.testing.assert_array_equal(one, other)


class Reporting(Countdown):
    """The same, of which only the end counts as the end of a whole game."""

    def reported(self, over):
        return ((((100.0, 3),) if over else ()),)


def test_whole_games_of_all_copies_are_reported_together():
    assert SideBySide(Countdown, 2, [0]).step(np.zeros(2, int)).games is None
    world, counts = SideBySide(Reporting, 5, [0]), set()
    for _ in range(12):
        step = world.step(np.zeros(5, int))
        assert step.games == ((100.0, 3),) * int(step.ended.sum())
        counts.add(int(step.ended.sum()))
    assert 0 in counts and max(counts) > 1


def test_a_world_that_is_restored_begins_new_episodes_with_other_numbers():
    one, other = SideBySide(Countdown, 30, [0]), SideBySide(Countdown, 30, [0])
    before = one.look()
    state = one.state()
    one.restore(state)
    assert not one.saves_episodes and not np.array_equal(one.look(), before)
    other.restore(state)
    np.testing.assert_array_equal(one.look(), other.look())
    with pytest.raises(ValueError, match="it is damaged: the world was restored None times"):
        one.restore({})


@pytest.mark.parametrize(
    "wrong, words",
    [
        ([0, 2], r"actions has 0 to 2, wanted 0 to 1"),
        ([0, -1], r"actions has -1 to 0"),
        ([0], r"shape \(1,\)"),
        ([0.0, 1.0], "dtype float64"),
    ],
)
def test_a_wrong_action_moves_nothing(wrong, words):
    world = SideBySide(Countdown, 2, [0])
    games: Any = world.shares[0].share.games  # pyright: ignore[reportAttributeAccessIssue]
    before = [game.left for game in games]
    with pytest.raises(ValueError, match=words):
        world.step(np.array(wrong))
    assert [game.left for game in games] == before


@pytest.mark.parametrize("module, game", [("minatar", "minatar-breakout"), ("ale_py", "atari-pong")])
def test_a_missing_extra_is_one_sentence(monkeypatch, module, game):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ValueError, match=r'cannot be imported .*; pip install "minicoord\[rl\]" installs it'):
        make_world(game, 1, [0])


def test_an_unknown_game_of_minatar_is_one_sentence():
    with pytest.raises(ValueError, match="MinAtar has no game 'pong', wanted one of asterix, breakout"):
        MinAtarGame("pong", np.random.default_rng(0))


def test_areas_are_means_and_larger_images_are_refused():
    image = np.arange(24.0).reshape(1, 4, 6)
    np.testing.assert_allclose(area_resize(image, 2, 3)[0, 0], [3.5, 5.5, 7.5])
    assert area_resize(image, 1, 1).item() == image.mean()
    with pytest.raises(ValueError, match="area_resize: width was 7, wanted at most 6"):
        area_resize(image, 2, 7)


def test_means_of_bytes_are_rounded_to_the_nearest_and_a_half_to_the_even_number():
    halves = np.array([[[0, 1, 1, 2, 2, 3, 255, 254]]], np.uint8)
    assert area_resize(halves, 1, 4).tolist() == [[[0, 2, 2, 254]]]
    # Of the levels 0, 85 and 170 many means are halves, which a sum of float64 may miss by a hair.
    for levels in (256, 3):
        screens = (np.random.default_rng(levels).integers(0, levels, (3, 210, 160)) * (256 // levels)).astype(np.uint8)
        small = area_resize(screens, 84, 84)
        assert small.dtype == np.uint8
        np.testing.assert_array_equal(small, np.rint(area_resize(screens.astype(np.float32), 84, 84)))
        np.testing.assert_array_equal(small, reference.area_resize(screens, 84, 84))


# MinAtar


@pytest.mark.parametrize("game", MINATAR)
def test_minatar_is_what_its_authors_made(game):
    needed("minatar")
    world, twin = make_world(game, 3, [5]), make_world(game, 3, [5])
    from minatar import Environment  # pyright: ignore[reportMissingImports]

    plain: list[Any] = []
    for rng in np.random.default_rng([5, 0]).spawn(3):
        plain.append(Environment(MINATAR[game]))
        plain[-1].seed(int(rng.integers(2**31)))
        plain[-1].reset()
    moves = plain[0].minimal_action_set()
    assert world.actions[0] == "noop" and len(world.actions) == len(moves)
    rng = np.random.default_rng(0)
    for _ in range(300):
        actions = rng.integers(0, len(moves), 3)
        step, again = world.step(actions), twin.step(actions)
        assert all(np.array_equal(a, b) for a, b in zip(step[:5], again[:5], strict=True))
        assert step.pictures.dtype == np.float32 and set(np.unique(step.pictures)) <= {0, 1}
        for n, environment in enumerate(plain):
            reward, ended = environment.act(moves[actions[n]])
            np.testing.assert_array_equal(step.arrived[n], environment.state())
            assert (step.rewards[n], step.ended[n]) == (reward, ended)
            if ended:
                environment.reset()
            assert step.pictures[n, ..., 0].any()  # the player
    assert set(GAMES) == set(MINATAR.values())


# Atari


def pair(name: str, evaluation: bool, seed: int = 3) -> tuple[Any, AtariGame]:
    """Return gymnasium's environment in its own wrapper, and our game on another console with the same seed."""
    needed("gymnasium", "ale_py", "cv2")
    gymnasium: Any = importlib.import_module("gymnasium")
    gymnasium.register_envs(importlib.import_module("ale_py"))
    options = {"frameskip": 1, "repeat_action_probability": 0.0, "full_action_space": False}
    theirs, ours = (gymnasium.make(f"ALE/{name}-v5", **options) for _ in range(2))
    wrapped = gymnasium.wrappers.AtariPreprocessing(theirs, terminal_on_life_loss=not evaluation)
    ours.reset(seed=seed)
    return wrapped, AtariGame(ours.unwrapped.ale, ours.unwrapped.np_random, evaluation)


@pytest.mark.parametrize("name", ["Breakout", "Seaquest"])
@pytest.mark.parametrize("evaluation", [False, True])
def test_frames_are_those_of_gymnasiums_wrapper(name, evaluation):
    theirs, ours = pair(name, evaluation)
    frame, _ = theirs.reset(seed=3)
    ours.reset()
    picture = shown(ours)
    assert theirs.unwrapped.ale.getEpisodeFrameNumber() == ours.ale.getEpisodeFrameNumber()
    rng = np.random.default_rng(0)
    compared = rewards = 0
    for _ in range(400):
        seen = np.rint(255 * picture[..., -1]).astype(int)
        # Means that lie between two whole numbers are rounded differently now and then.
        assert np.abs(seen - frame).max() <= 1 and np.mean(seen != frame) < 0.01
        compared += 1
        action = int(rng.integers(len(ours.actions)))
        before = picture
        frame, reward, ended, _, _ = theirs.step(action)
        move = ours.step(action)
        picture = shown(ours)
        assert (move.reward, move.ended, move.cut) == (reward if evaluation else np.sign(reward), ended, False)
        np.testing.assert_array_equal(picture[..., :-1], before[..., 1:])
        rewards += int(reward != 0)
        if ended:  # the wrapper shows older frames here, and would begin a new game where ours goes on
            break
    assert compared > 30 and picture.dtype == np.float32 and 0 <= picture.min() <= picture.max() <= 1


def test_a_lost_life_ends_an_episode_and_not_the_game():
    needed("ale_py")
    game = AtariGame(console("breakout", 1), np.random.default_rng(0))
    game.reset()
    first = shown(game)
    assert all(np.array_equal(first[..., 0], first[..., k]) for k in range(4))
    rng, lives = np.random.default_rng(0), [game.lives]
    games = 0
    for _ in range(3000):
        move = game.step(int(rng.integers(len(game.actions))))
        assert move.reward in (-1, 0, 1)
        if move.ended:
            over = game.ale.game_over()
            games += over
            game.reset()
            lives.append(game.lives)
            assert game.lives == (5 if over else lives[-2] - 1)
    assert games >= 2 and lives[:6] == [5, 4, 3, 2, 1, 5]


def test_a_game_that_waits_for_fire_goes_on_after_every_lost_life_without_it():
    needed("ale_py")
    for evaluation in (False, True):
        idle, waiting = (
            AtariGame(console("breakout", 1), np.random.default_rng(0), evaluation, waits) for waits in (True, False)
        )
        lives = [0, 0]
        for k, game in enumerate((idle, waiting)):
            game.reset()
            seen = {game.ale.lives()}
            for _ in range(400):  # and never an action
                if game.step(0).ended:
                    game.reset()
                seen.add(game.ale.lives())
            lives[k] = len(seen)
        assert lives == [5, 1]


class Lives:
    """A console whose game has three lives and loses one every twelve frames; it notes what is pressed."""

    class Button:
        def __init__(self, name: str) -> None:
            self.name = name

    def __init__(self, names: tuple[str, ...] = ("NOOP", "FIRE")) -> None:
        self.buttons, self.pressed, self.frames = [self.Button(name) for name in names], [], 0

    def getMinimalActionSet(self):
        return self.buttons

    def getScreenDims(self):
        return 210, 160

    def getScreenGrayscale(self, screen):
        screen[...] = self.frames % 256

    def reset_game(self):
        self.frames = 0

    def act(self, button):
        self.pressed.append(button.name)
        self.frames += 1
        return 1.0 if button.name == "NOOP" and self.frames % 10 == 0 else 0.0

    def lives(self):
        return 3 - self.frames // 12

    def game_over(self):
        return self.frames >= 36


class NoNoops:
    def integers(self, low, high):
        return low


@pytest.mark.parametrize("evaluation", [False, True])
def test_fire_is_held_for_four_frames_at_each_new_life(evaluation):
    console: Any = Lives()
    rng: Any = NoNoops()
    game = AtariGame(console, rng, evaluation, waits=True)
    game.reset()
    assert console.pressed == ["NOOP", *["FIRE"] * 4]
    moves = [game.step(0) for _ in range(2)]  # the first life is lost with frame 12, the seventh of these
    assert [move.ended for move in moves] == [False, not evaluation]
    if evaluation:
        assert console.pressed[5:] == [*["NOOP"] * 8, *["FIRE"] * 4]
    else:
        assert console.pressed[5:] == ["NOOP"] * 7
        game.reset()
        assert console.pressed[12:] == [*["NOOP"] * 4, *["FIRE"] * 4]
    with pytest.raises(ValueError, match="waits for FIRE has the actions noop, up, wanted FIRE"):
        AtariGame(Lives(("NOOP", "UP")), rng, waits=True)


class Counted(Lives):
    """The same, worth 7 in every tenth frame, whatever is pressed; it notes what each game gained after its no-op."""

    gained: list[float]

    def reset_game(self):
        super().reset_game()
        self.gained = [*getattr(self, "gained", []), 0.0]

    def act(self, button):
        super().act(button)
        reward = 7.0 if self.frames % 10 == 0 else 0.0
        self.gained[-1] += reward
        return reward


@pytest.mark.parametrize("limit, waits", [(27_000, False), (27_000, True), (4, False), (7, True)])
def test_training_reports_the_score_of_whole_games_though_episodes_are_lives_and_rewards_signs(
    monkeypatch, limit, waits
):
    from minicoord.datasets.worlds import atari

    monkeypatch.setattr(atari, "LIMIT", limit)
    # Pictures play no part here, and take long without the compiler.
    monkeypatch.setattr(AtariGame, "_picture", lambda game: np.zeros((84, 84), np.uint8))
    console: Any = Counted()
    rng: Any = NoNoops()
    game = AtariGame(console, rng, waits=waits)
    game.reset()
    scores, decisions, moves, episodes = [], [], 0, 0
    for _ in range(100):
        move = game.step(0)
        moves += 1
        assert move.reward in (0, 1) and move.games is not None
        for score, count in move.games:
            scores.append(score)
            decisions.append(count)
        if move.ended or move.cut:
            episodes += 1
            game.reset()
    over = len(scores)
    assert over > 10 and episodes >= over and scores == console.gained[:over] and max(scores) >= 7
    assert len(console.gained) - over <= 1 and moves - max(decisions) <= sum(decisions) <= moves
    assert game.games == []
    whole = AtariGame(console, rng, evaluation=True)
    whole.reset()
    assert whole.step(0).games is None


def test_atari_side_by_side_is_the_same_for_the_same_seed_and_cut_at_its_limit(monkeypatch):
    needed("ale_py")
    from minicoord.datasets.worlds import atari

    monkeypatch.setattr(atari, "LIMIT", 25)
    one, other = (make_world("atari-pong", 3, [4], evaluation=True) for _ in range(2))
    assert one.shape == (84, 84, 4) and set(ATARI) >= {"atari-breakout", "atari-seaquest", "atari-ms-pacman"}
    rng, cuts = np.random.default_rng(0), 0
    for k in range(1, 60):
        actions = rng.integers(0, len(one.actions), 3)
        a, b = one.step(actions), other.step(actions)
        assert all(np.array_equal(x, y) for x, y in zip(a[:5], b[:5], strict=True))
        assert a.cut.all() == a.cut.any() == (k % 25 == 0)
        cuts += int(a.cut.sum())
    assert cuts == 6
    with pytest.raises(ValueError, match="ale-py has no game 'pongg'"):
        console("pongg", 0)
