"""Worlds: PositionWorld step by step against plain code, its seeds and states, and what a blind network sees of it."""

from __future__ import annotations

import time

import numpy as np
import pytest

from minicoord import Conv2D, CoordConv2D, GlobalAvgPool, GlobalMaxPool, Sequential
from minicoord.datasets.worlds.position import LIMIT, RADIUS, SIDE, PositionWorld
from minicoord.datasets.worlds.world import World
from minicoord.kernels.dots import draw_dots, move_dots

STEPS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
BOTH = pytest.mark.parametrize("control", [False, True])


def plain_picture(dot, goal, control):
    picture = np.zeros((SIDE, SIDE, 2), np.float32)
    picture[tuple(dot)] = [1, 0]
    if control:
        picture[tuple(goal)] += np.array([0, 1], np.float32)
    return picture


@BOTH
def test_a_thousand_steps_are_those_of_plain_code(control):
    """Each world on its own, in plain Python; where new episodes begin is read off, how they begin is checked."""
    world, rng = PositionWorld(5, seed=3, control=control), np.random.default_rng(0)
    ages, ends, cuts = [0] * 5, 0, 0
    for _ in range(1000):
        before, goals = world.dot.copy(), world.goal.copy()
        actions = rng.integers(0, 4, 5)
        step = world.step(actions)
        for n in range(5):
            move = STEPS[PositionWorld.actions[actions[n]]]
            there = [before[n, k] + move[k] for k in range(2)]
            if max(abs(there[k] - goals[n, k]) for k in range(2)) > 3:
                there = list(before[n])
            ages[n] += 1
            at_goal = there == list(goals[n])
            late = ages[n] == 20 and not at_goal
            assert (step.rewards[n], step.ended[n], step.cut[n]) == (float(at_goal), at_goal, late)
            np.testing.assert_array_equal(step.arrived[n], plain_picture(there, goals[n], control))
            if at_goal or late:
                ends, cuts, ages[n] = ends + at_goal, cuts + late, 0
                far = np.abs(world.dot[n] - world.goal[n])
                assert 0 < far.max() <= 3 and world.age[n] == 0
                place = world.goal[n]
                assert place.min() >= 6 and place.max() <= 12 and (control or list(place) == [9, 9])
            else:
                assert list(world.dot[n]) == there and list(world.goal[n]) == list(goals[n])
            np.testing.assert_array_equal(step.pictures[n], plain_picture(world.dot[n], world.goal[n], control))
        np.testing.assert_array_equal(step.over, step.ended | step.cut)
    assert ends > 30 and cuts > 100


@BOTH
def test_episodes_begin_everywhere_equally_often_but_never_at_the_goal(control):
    world = PositionWorld(48_000, seed=1, control=control)
    counts = np.zeros((7, 7), int)
    np.add.at(counts, tuple((world.dot - world.goal + 3).T), 1)
    assert counts[3, 3] == 0
    assert np.sort(counts.ravel())[1] > 850 and counts.max() < 1150  # 1,000 each, give or take 32
    goals = np.unique(world.goal, axis=0)
    assert len(goals) == (49 if control else 1)


@BOTH
def test_the_same_seed_gives_the_same_episodes_and_a_state_goes_on(control):
    one, same, other = (PositionWorld(6, seed=seed, control=control) for seed in (5, 5, [5, 1]))
    assert np.array_equal(one.look(), same.look()) and not np.array_equal(one.look(), other.look())
    rng = np.random.default_rng(0)
    for k in range(60):
        if k == 30:
            other.restore(one.state())
        actions = rng.integers(0, 4, 6)
        steps = [world.step(actions) for world in (one, same, other)]
        for a, b, c in zip(*steps, strict=True):
            assert np.array_equal(a, b)
            assert k < 30 or np.array_equal(a, c)


def test_a_state_that_does_not_fit_is_refused_and_changes_nothing():
    world = PositionWorld(3, seed=0)
    state = world.state()
    wrong = [
        {**state, "dot": state["dot"][:2]},
        {**state, "dot": state["dot"] + 9},
        {**state, "goal": state["goal"] + 9, "dot": state["dot"] + 9},
        {**state, "age": state["age"] + 20},
        {**state, "dot": state["goal"].copy()},
        PositionWorld(3, seed=1, control=True).state(),
        {**state, "rng": {"bit_generator": "MT19937"}},
        {key: value for key, value in state.items() if key != "age"},
    ]
    for bad in wrong:
        with pytest.raises(ValueError, match="it is damaged"):
            world.restore(bad)
    assert all(np.array_equal(world.state()[key], state[key]) for key in ("dot", "goal", "age"))
    state["dot"][:] = 0  # a copy
    assert world.dot.min() >= 6


def test_it_keeps_the_protocol():
    world = PositionWorld(2)
    assert isinstance(world, World)
    pictures = world.reset()
    assert pictures.shape == (2, *world.shape) and pictures.dtype == np.float32
    assert pictures.min() == 0 and pictures.max() == 1
    assert not PositionWorld(2).look()[..., 1].any()
    assert (PositionWorld(4, control=True).look().sum(axis=(1, 2)) == 1).all()


@pytest.mark.parametrize(
    "wrong, words",
    [
        (np.array([0, 4]), r"move_dots: actions\[1\] is 4, wanted an action from 0 to 3"),
        (np.array([-1, 0]), r"actions\[0\] is -1"),
        (np.array([0, 1, 2]), "actions has shape"),
        (np.array([0.0, 1.0]), "actions has dtype float64, wanted int64"),
        ([0, 1], "actions is of type list, wanted a NumPy array"),
    ],
)
def test_a_wrong_action_is_one_sentence_and_moves_nothing(wrong, words):
    world = PositionWorld(2, seed=0)
    before = world.state()
    with pytest.raises((TypeError, ValueError), match=words):
        world.step(wrong)
    assert np.array_equal(world.dot, before["dot"]) and np.array_equal(world.age, before["age"])


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="PositionWorld: count was 0"):
        PositionWorld(0)
    dot, age = np.full((2, 2), 5), np.zeros(2, np.int64)
    with pytest.raises(ValueError, match="move_dots: limit"):
        move_dots(dot, dot, age, age, 3, 0)
    with pytest.raises(ValueError, match="move_dots: goal has shape"):
        move_dots(dot, dot[:1], age, age, 3, 5)
    frozen = dot.copy()
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="move_dots: dot is a view or read-only, wanted a writeable contiguous array"):
        move_dots(frozen, dot, age, age, 3, 5)
    assert move_dots(dot, dot.copy(), age, np.zeros(2, np.int64), 10**30, 10**30).tolist() == [0, 0]
    with pytest.raises(ValueError, match="outside of the canvas of 5 x 5"):
        draw_dots(dot, dot, 5, True)
    with pytest.raises(TypeError, match="draw_dots: dtype was int64"):
        draw_dots(dot, dot, 9, True, np.int64)


@pytest.mark.parametrize("pool", [GlobalMaxPool, GlobalAvgPool])
def test_convolution_with_global_pooling_is_blind_to_the_place_and_coordconv_is_not(pool):
    rng = np.random.default_rng(0)
    places = np.stack(np.meshgrid(*[np.arange(9 - RADIUS, 10 + RADIUS)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    pictures = draw_dots(places, np.full_like(places, 9), SIDE, False, np.float64)

    def seen(first):
        options = {"padding": "valid", "activation": "relu", "rng": rng}  # linear layers and a mean would be blind, too
        layers = [first(2, 8, 5, **options), Conv2D(8, 8, 3, **options)]
        model = Sequential([layer.astype(np.float64) for layer in layers] + [pool()])
        return model.forward(pictures)  # (49, 8)

    blind, sighted = seen(Conv2D), seen(CoordConv2D)
    np.testing.assert_allclose(blind, np.broadcast_to(blind[:1], blind.shape), rtol=1e-12, atol=1e-12)
    assert len(np.unique(np.round(sighted, 9), axis=0)) > 7


@BOTH
def test_in_both_versions_the_shortest_way_takes_at_most_six_moves(control):
    world = PositionWorld(200, seed=2, control=control)
    open_, moves = np.ones(200, bool), 0
    while open_.any():
        far = world.goal - world.dot  # (N, 2)
        actions = np.where(far[:, 0] < 0, 0, np.where(far[:, 0] > 0, 1, np.where(far[:, 1] < 0, 2, 3)))
        open_ &= ~world.step(actions).ended
        moves += 1
    assert moves == 6


@pytest.mark.compiled
def test_sixteen_episodes_side_by_side_take_far_less_than_sixteen_times_as_long_as_one():
    worlds = {count: PositionWorld(count, seed=0) for count in (1, 16)}
    actions = np.random.default_rng(0).integers(0, 4, (400, 16))
    for count, world in worlds.items():
        world.step(actions[0, :count])

    def seconds(count: int) -> float:
        start = time.perf_counter()
        for k in range(400):
            worlds[count].step(actions[k, :count])
        return time.perf_counter() - start

    one, sixteen = np.array([[seconds(1), seconds(16)] for _ in range(7)]).min(axis=0)
    assert sixteen < 8 * one
    assert LIMIT == 20
