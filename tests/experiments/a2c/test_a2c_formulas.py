"""The formulas of A2C: by hand on five steps, against plain code, and their gradients against central differences."""

from __future__ import annotations

import math

import numpy as np
import pytest

from minicoord import gradcheck
from minicoord.experiments.a2c.losses import a2c_loss, log_softmax, policy_entropy, policy_loss, value_loss
from minicoord.experiments.a2c.returns import advantages, n_step_returns

# Returns


def column(*numbers, dtype: type = np.float64):
    return np.array(numbers, dtype)[:, np.newaxis]


NEVER = column(0, 0, 0, 0, 0, dtype=bool)
REWARDS = column(1, 0, 2, 0, 3)
AFTER = column(10, 20, 30, 40, 50)  # the critic's value of the picture after each step


def test_five_steps_of_one_episode_by_hand():
    # Backwards, with gamma = 1/2: 3 + 50/2 = 28, 0 + 28/2 = 14, 2 + 14/2 = 9, 0 + 9/2 = 4.5, 1 + 4.5/2 = 3.25
    found = n_step_returns(REWARDS, NEVER, NEVER, AFTER, 0.5)
    assert found[:, 0].tolist() == [3.25, 4.5, 9, 14, 28]
    assert advantages(found, AFTER)[:, 0].tolist() == [-6.75, -15.5, -21, -26, -22]


def test_whole_numbers_are_rewards_too():
    never = np.zeros((3, 1), bool)
    found = n_step_returns(np.array([[1], [0], [1]]), never, never, np.zeros((3, 1)), 0.9)
    assert found.ravel().tolist() == pytest.approx([1.81, 0.9, 1.0])
    none = np.zeros((0, 2), np.float32)
    assert n_step_returns(none, none > 0, none > 0, none, 0.9).shape == (0, 2)


def test_an_end_in_the_middle_by_hand():
    # The third step ends the episode: 2, and nothing after it; before it 0 + 2/2 = 1 and 1 + 1/2 = 1.5.
    ended = column(0, 0, 1, 0, 0, dtype=bool)
    assert n_step_returns(REWARDS, ended, NEVER, AFTER, 0.5)[:, 0].tolist() == [1.5, 1, 2, 14, 28]


def test_a_time_limit_in_the_middle_by_hand():
    # The third step is the last before the limit: 2 + 30/2 = 17, then 8.5 and 5.25; the new episode has no part in it.
    cut = column(0, 0, 1, 0, 0, dtype=bool)
    assert n_step_returns(REWARDS, NEVER, cut, AFTER, 0.5)[:, 0].tolist() == [5.25, 8.5, 17, 14, 28]


def test_an_end_and_a_cut_at_the_last_step_by_hand():
    last = column(0, 0, 0, 0, 1, dtype=bool)
    assert n_step_returns(REWARDS, last, NEVER, AFTER, 0.5)[:, 0].tolist() == [1.6875, 1.375, 2.75, 1.5, 3]
    same = n_step_returns(REWARDS, NEVER, NEVER, AFTER, 0.5)
    np.testing.assert_array_equal(n_step_returns(REWARDS, NEVER, last, AFTER, 0.5), same)


def plain_return(rewards, ended, cut, after, gamma, t):
    """The sum over the steps from t on, each discounted, as far as the episode or the row of steps goes."""
    total, factor = 0.0, 1.0
    for k in range(t, len(rewards)):
        total += factor * rewards[k]
        factor *= gamma
        if ended[k]:
            return total
        if cut[k] or k == len(rewards) - 1:
            return total + factor * after[k]
    raise AssertionError("the last step returns")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("steps, count", [(5, 16), (1, 3), (7, 1), (5, 0)])
def test_returns_are_discounted_sums(dtype, steps, count):
    rng = np.random.default_rng(0)
    rewards, after = (rng.standard_normal((steps, count)).astype(dtype) for _ in range(2))
    over = rng.integers(0, 5, (steps, count))
    ended, cut = over == 1, over == 2
    found = n_step_returns(rewards, ended, cut, after, 0.9)
    assert found.dtype == dtype and found.shape == (steps, count)
    for n in range(count):
        wanted = [
            plain_return(rewards[:, n], ended[:, n], cut[:, n], after[:, n], 0.9, t) for t in range(steps)
        ]  # fmt: skip
        np.testing.assert_allclose(found[:, n], wanted, rtol=1e-5 if dtype == np.float32 else 1e-13)


# Losses

PROBABILITIES = np.array([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.25, 0.25, 0.5], [0.5, 0.375, 0.125], [0.25] * 3])
PROBABILITIES[4, 0] = 0.5
LOGITS = np.log(PROBABILITIES) + np.arange(5.0)[:, np.newaxis]  # a number added to all logits of a row changes nothing
ACTIONS = np.array([0, 1, 2, 2, 1])
ADVANTAGES = np.array([1.0, -2.0, 0.5, 0.0, 4.0])


def test_the_losses_of_five_actions_by_hand():
    loss, _ = policy_loss(LOGITS, ACTIONS, ADVANTAGES)
    by_hand = -(math.log(1 / 2) - 2 * math.log(3 / 4) + 0.5 * math.log(1 / 2) + 0 + 4 * math.log(1 / 4)) / 5
    assert loss == pytest.approx(by_hand, rel=1e-14)
    mean, _ = policy_entropy(LOGITS)
    bits = [1.5, 0.25 * 3 + 0.75 * math.log2(4 / 3), 1.5, 0.5 + 0.375 * math.log2(8 / 3) + 0.375, 1.5]
    assert mean == pytest.approx(math.log(2) * sum(bits) / 5, rel=1e-14)
    loss, dvalues = value_loss(np.array([1.0, 2, 3, 4, 5]), np.array([1.0, 0, 3, 5, 2]))
    assert loss == pytest.approx((0 + 4 + 0 + 1 + 9) / 5)
    assert dvalues == pytest.approx([0, 0.8, 0, -0.4, 1.2])


def test_the_gradient_of_the_policy_by_hand():
    # A * (p - onehot(a)) / 5, for the second action: -2 * (1/8, 3/4 - 1, 1/8) / 5
    _, dlogits = policy_loss(LOGITS, ACTIONS, ADVANTAGES)
    assert dlogits[1] == pytest.approx([-0.05, 0.1, -0.05])
    assert dlogits[3].tolist() == [0, 0, 0]


def plain_losses(logits, values, actions, returns, gains):
    """The three losses from the definitions, action by action."""
    policy = mean_entropy = value = 0.0
    for b in range(len(logits)):
        p = [math.exp(z) for z in logits[b]]
        p = [q / sum(p) for q in p]
        policy -= gains[b] * math.log(p[actions[b]]) / len(logits)
        mean_entropy -= sum(q * math.log(q) for q in p) / len(logits)
        value += (values[b] - returns[b]) ** 2 / len(logits)
    return policy, mean_entropy, value


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count, choices", [(80, 4), (1, 2), (7, 18), (3, 1)])
def test_the_losses_are_those_of_their_definitions(dtype, count, choices):
    rng = np.random.default_rng(1)
    logits = (3 * rng.standard_normal((count, choices))).astype(dtype)
    values, returns, gains = (rng.standard_normal(count).astype(dtype) for _ in range(3))
    actions = rng.integers(0, choices, count)
    found = a2c_loss(logits, values, actions, returns, gains, 0.01, 0.5)
    wanted = plain_losses(logits.tolist(), values.tolist(), actions, returns.tolist(), gains.tolist())
    tolerance = 2e-5 if dtype == np.float32 else 1e-12
    assert (found.policy, found.entropy, found.value) == pytest.approx(wanted, rel=tolerance, abs=tolerance)
    assert found.dlogits.dtype == found.dvalues.dtype == dtype
    np.testing.assert_allclose(found.dlogits.sum(axis=1), 0, atol=tolerance)


def weighted(logits, values, actions, returns, gains):
    losses = a2c_loss(logits, values, actions, returns, gains, 0.3, 0.7)
    return losses.policy - 0.3 * losses.entropy + 0.7 * losses.value, losses


def test_the_gradients_are_those_of_central_differences():
    rng = np.random.default_rng(2)
    logits, values, returns = rng.standard_normal((6, 4)), rng.standard_normal(6), rng.standard_normal(6)
    actions, gains = rng.integers(0, 4, 6), rng.standard_normal(6)

    def policy(z, a):
        return policy_loss(z, a, gains)

    def chance(z, _):
        return policy_entropy(z)

    def whole(z, a):
        loss, losses = weighted(z, values, a, returns, gains)
        return loss, losses.dlogits

    def critic(v, r):
        loss, losses = weighted(logits, v, actions, r, gains)
        return loss, losses.dvalues

    for loss in (policy, chance, whole):
        assert gradcheck(loss, logits, actions).error < 1e-8, loss.__name__
    for loss in (critic, value_loss):
        assert gradcheck(loss, values, returns).error < 1e-8


def test_a_sure_policy_has_finite_losses():
    logits = np.array([[1e4, 0.0, -1e4]], np.float32)
    assert log_softmax(logits).tolist() == [[0, -1e4, -2e4]]
    loss, dlogits = policy_loss(logits, np.array([2]), np.ones(1, np.float32))
    assert loss == 2e4 and dlogits.tolist() == [[1, 0, -1]]
    mean, dlogits = policy_entropy(logits)
    assert mean == 0 and not dlogits.any()


@pytest.mark.parametrize(
    "call, words",
    [
        (
            lambda: policy_loss(np.zeros((2, 3)), np.array([0, -1]), np.ones(2)),
            "from -1 to 0, wanted 0 to 2",
        ),
        (lambda: policy_loss(np.zeros((2, 3)), np.array([0, 3]), np.ones(2)), "actions go from 0 to 3, wanted 0 to 2"),
        (lambda: policy_loss(np.zeros((2, 3)), np.array([0]), np.ones(2)), r"actions has shape \(1,\), wanted \(2,\)"),
        (lambda: policy_loss(np.zeros((2, 3)), np.array([0, 1]), np.ones((2, 1))), r"advantages has shape \(2, 1\)"),
        (lambda: value_loss(np.zeros(3), np.ones((3, 1))), r"value_loss: returns has shape \(3, 1\), wanted \(3,\)"),
        (
            lambda: value_loss(np.zeros((3, 1)), np.ones((3, 1))),
            r"value_loss: values has shape \(3, 1\), wanted \(3,\)",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_one_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()
