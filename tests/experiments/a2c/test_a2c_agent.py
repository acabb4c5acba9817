"""The agent: what it remembers of its steps, a corridor solved exactly, and resuming to the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minicoord import Branches, Dense, Flatten, Sequential, softmax
from minicoord.datasets.worlds.position import PositionWorld
from minicoord.datasets.worlds.world import Step, World
from minicoord.experiments.a2c.agent import Agent, best, draw
from minicoord.experiments.a2c.episodes import EpisodeLog
from minicoord.experiments.a2c.losses import a2c_loss
from minicoord.experiments.a2c.networks import ARMS, network
from minicoord.experiments.a2c.returns import n_step_returns
from minicoord.experiments.a2c.settings import A2CSettings
from minicoord.train.clipping import clip_gradients

pytestmark = pytest.mark.compiled


def agent(arm: str = "coordconv-pool", seed: int = 0, control: bool = False, **changes: Any) -> Agent:
    settings = A2CSettings(**{"env_steps": 4000, "envs": 4, "optimiser": "adam", **changes})
    world = PositionWorld(settings.envs, seed=[seed, 2], control=control)
    return Agent(network(world.shape, 4, ARMS[arm], seed), world, settings, seed)


# What it remembers


def test_a_rollout_is_what_happened(monkeypatch: pytest.MonkeyPatch):
    """Fifty steps, over two time limits: each picture, action, reward, and the value of where it led."""
    training = agent(horizon=50)
    steps: list[Step] = []
    step = training.world.step

    def recorded(actions):
        steps.append(step(actions))
        return steps[-1]

    first = training.world.look()
    monkeypatch.setattr(training.world, "step", recorded)
    rollout = training.act()
    assert len(steps) == 50 and sum(s.cut.sum() for s in steps) >= 4 and sum(s.ended.sum() for s in steps) >= 1
    for t, happened in enumerate(steps):
        np.testing.assert_array_equal(rollout.pictures[t], steps[t - 1].pictures if t else first)
        for name in ("rewards", "ended", "cut"):
            np.testing.assert_array_equal(getattr(rollout, name)[t], getattr(happened, name))
        values = training.net.forward(rollout.pictures[t])["value"][:, 0]
        np.testing.assert_allclose(rollout.values[t], values, rtol=1e-5, atol=1e-6)
        after = training.net.forward(happened.arrived)["value"][:, 0]
        asked = happened.cut | (t == 49)
        np.testing.assert_allclose(rollout.after[t], np.where(asked, after, 0), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(training.pictures, steps[-1].pictures)


def test_actions_are_drawn_as_often_as_they_are_likely():
    logits = np.log(np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 1e-12]]))
    drawn = draw(np.repeat(logits, 20_000, axis=0), np.random.default_rng(0)).reshape(2, -1)
    shares = [[np.mean(row == action) for action in range(3)] for row in drawn]
    assert shares[0] == pytest.approx([0.1, 0.2, 0.7], abs=0.01)
    assert shares[1] == pytest.approx([0.5, 0.5, 0], abs=0.01)
    assert drawn.dtype == np.int64 and best(logits).tolist() == [2, 0]


def test_returns_of_episodes_are_added_up_and_a_state_goes_on():
    none = np.zeros((2, 1, 1, 1), np.float32)

    def step(rewards, ended, cut=(0, 0)):
        return Step(none, np.array(rewards, np.float32), np.array(ended, bool), np.array(cut, bool), none)

    log = EpisodeLog(2)
    for happened in (step([1, 5], [0, 0]), step([2, 5], [1, 0]), step([7, 5], [0, 0], [0, 1])):
        log.add(happened)
    twin = EpisodeLog(2)
    twin.restore(log.state())
    for each in (log, twin):
        assert each.summary() == {"return": 9, "moves": 2.5, "episodes": 2}
        each.add(step([1, 1], [1, 1]))
        assert each.summary() == {"return": 4.5, "moves": 1.5, "episodes": 2}
    with pytest.raises(ValueError, match="'returns' of the episodes"):
        EpisodeLog(3).restore(log.state())


def test_whole_games_count_in_place_of_episodes_where_the_world_reports_them():
    none, log = np.zeros((2, 1, 1, 1), np.float32), EpisodeLog(2)
    rewards, over = np.ones(2, np.float32), np.array([True, False])
    for games in ((), ((250.0, 40),), ((30.0, 10), (20.0, 10))):
        log.add(Step(none, rewards, over, ~over, none, games))
    assert log.summary() == {"return": 100, "moves": 20, "episodes": 3}
    log.add(Step(none, rewards, over, ~over, none, ()))
    assert log.summary()["episodes"] == 0 and np.isnan(log.summary()["return"])


# A world whose solution is known


class Corridor:
    """Seven cells; the left end gives .5, the right end 1, and both end the episode."""

    shape, actions, place_channel, saves_episodes = (1, 7, 1), ("left", "right"), 0, True
    ENDS = {0: 0.5, 6: 1.0}

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.rng = count, np.random.default_rng(seed)
        self.cell = self.rng.integers(1, 6, count)

    def look(self):
        return np.eye(7, dtype=np.float32)[self.cell][:, np.newaxis, :, np.newaxis]

    def reset(self):
        self.cell = self.rng.integers(1, 6, self.count)
        return self.look()

    def step(self, actions):
        self.cell = self.cell + 2 * actions - 1
        arrived, ended = self.look(), np.isin(self.cell, list(self.ENDS))
        rewards = np.array([self.ENDS.get(int(cell), 0) for cell in self.cell], np.float32)
        self.cell = np.where(ended, self.rng.integers(1, 6, self.count), self.cell)
        return Step(self.look(), rewards, ended, np.zeros(self.count, bool), arrived)

    def state(self):
        return {"cell": self.cell.copy()}

    def restore(self, state):
        self.cell = state["cell"].copy()


def value_iteration(gamma: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the value of each inner cell and the best action there: V(s) = max over a of r + gamma * V(s')."""
    values = np.zeros(7)  # an end is worth nothing once it is reached
    for _ in range(100):
        gains = np.array([[Corridor.ENDS.get(s + d, 0) + gamma * values[s + d] for d in (-1, 1)] for s in range(1, 6)])
        values[1:6] = gains.max(axis=1)
    return values[1:6], gains.argmax(axis=1)


def test_the_solution_of_a_corridor_is_reached():
    values, actions = value_iteration(0.8)
    assert values == pytest.approx([0.5, 0.512, 0.64, 0.8, 1.0]) and actions.tolist() == [0, 1, 1, 1, 1]
    world: Any = Corridor(16, seed=0)
    assert isinstance(world, World)
    heads = Branches(policy=Dense(7, 2, init="zeros"), value=Dense(7, 1, init="zeros"))
    settings = A2CSettings(env_steps=80_000, gamma=0.8, optimiser="adam", lr=0.03, entropy=0.001)
    training = Agent(Sequential([Flatten(), heads]), world, settings, 1)
    for _ in range(training.steps):
        training.step()
    cells = np.eye(7, dtype=np.float32)[1:6].reshape(5, 1, 7, 1)
    found = training.net.forward(cells)
    assert best(found["policy"]).tolist() == actions.tolist()
    np.testing.assert_allclose(found["value"][:, 0], values, atol=0.03)
    chosen = softmax(found["policy"])[np.arange(5), actions]
    assert chosen.min() > 0.8


# Steps


def test_the_gradients_of_the_whole_network_are_those_of_the_loss():
    """Central differences in float64, of a few entries of every parameter."""
    rng = np.random.default_rng(0)
    net = network((19, 19, 2), 4, ARMS["coordconv-r-pool"], 0).astype(np.float64)
    pictures = rng.random((5, 19, 19, 2))
    actions, returns, gains = rng.integers(0, 4, 5), rng.standard_normal(5), rng.standard_normal(5)

    def losses():
        heads = net.forward(pictures)
        return a2c_loss(heads["policy"], heads["value"][:, 0], actions, returns, gains, 0.1, 0.5)

    def loss():
        found = losses()
        return found.policy - 0.1 * found.entropy + 0.5 * found.value

    found = losses()
    net.backward({"policy": found.dlogits, "value": found.dvalues[:, np.newaxis]}, need_dx=False)
    gradients = {key: g.copy() for key, g in net.grads.items()}
    for key, w in net.params.items():
        flat, h = w.reshape(-1), 1e-6
        for k in rng.choice(flat.size, min(4, flat.size), replace=False):
            kept = flat[k]
            flat[k] = kept + h
            above = loss()
            flat[k] = kept - h
            below = loss()
            flat[k] = kept
            assert gradients[key].reshape(-1)[k] == pytest.approx((above - below) / (2 * h), rel=1e-5, abs=1e-8), key


def test_each_picture_goes_through_the_network_once_for_the_gradient_of_a_pass_over_all(monkeypatch: Any):
    training, twin = agent(), agent()
    seen: list[np.ndarray] = []
    forward = training.net.forward
    monkeypatch.setattr(training.net, "forward", lambda x, training=False: seen.append(x) or forward(x, training))
    training.step()
    assert [len(x) for x in seen] == [4] * 6  # five steps, and the pictures after the last one

    rollout, settings = twin.act(), twin.settings
    returns = n_step_returns(rollout.rewards, rollout.ended, rollout.cut, rollout.after, settings.gamma)
    heads = twin.net.forward(rollout.pictures.reshape(20, 19, 19, 2), training=True)
    values, gains = heads["value"][:, 0], (returns - rollout.values).reshape(20)
    losses = a2c_loss(heads["policy"], values, rollout.actions.reshape(20), returns.reshape(20), gains, 0.01, 0.5)
    twin.net.backward({"policy": losses.dlogits, "value": losses.dvalues[:, np.newaxis]}, need_dx=False)
    clip_gradients(twin.net, settings.clip)
    for key, g in training.net.grads.items():
        np.testing.assert_allclose(g, twin.net.grads[key], rtol=1e-4, atol=1e-6)


def test_updates_are_counted_and_the_learning_rate_falls_to_zero():
    training = agent(env_steps=101, envs=4, horizon=5, every=30)
    assert (training.steps, training.every, training.actions_per_step) == (6, 2, 20)
    rates = []
    for _ in range(training.steps):
        numbers = training.step()
        rates.append(training.columns()["lr"])
    assert set(numbers) == {"policy_loss", "value_loss", "entropy", "gradient_norm"}
    assert rates == pytest.approx([7e-4 * (1 - k / 6) for k in range(6)])
    assert training.columns()["env_steps"] == 120


@pytest.mark.parametrize("control", [False, True])
def test_a_state_goes_on_with_the_same_bits(control: bool):
    one, other = agent(control=control), agent(seed=5, control=control)
    for _ in range(7):
        one.step()
    other.restore(one.state())
    for _ in range(9):
        assert one.step() == other.step()
    assert one.columns() == other.columns()
    assert all(np.array_equal(w, other.net.params[key]) for key, w in one.net.params.items())


def test_a_state_that_does_not_fit_changes_nothing():
    one, other = agent(envs=4), agent(envs=5)
    one.step()
    before = other.state()
    with pytest.raises(ValueError, match="does not fit"):
        other.restore(one.state())
    after = other.state()
    assert all(np.array_equal(w, after["net"]["params"][key]) for key, w in before["net"]["params"].items())
    assert after["actions"] == before["actions"] and np.array_equal(after["world"]["dot"], before["world"]["dot"])


def test_numbers_that_are_no_longer_finite_stop_the_run():
    training = agent()
    training.net.params["0.b"][:] = np.nan
    with pytest.raises(FloatingPointError, match=r"0\.b is no longer finite"):
        training.columns()
    with pytest.raises(FloatingPointError, match="the norm of the gradient became nan"):
        training.step()


@pytest.mark.parametrize(
    "changes, words",
    [({"gamma": 1.5}, "gamma was 1.5"), ({"lr": 0.0}, "lr was 0, wanted"), ({"clip": 0.0}, "clip was 0, wanted")],
)
def test_settings_out_of_range_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        A2CSettings(env_steps=10, **changes).check()
