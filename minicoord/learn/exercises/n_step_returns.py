"""Lesson 13: what actions were worth, with the end of an episode and the time limit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield episodes that go on, end and are cut off, in the middle and with the last action, one action, float32."""
    t, n = int(rng.integers(5, 8)), int(rng.integers(2, 4))

    def drawn(steps: int = t, gamma: float = 0.9) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
        rewards, after = rng.normal(size=(2, steps, n))
        return rewards, np.zeros((steps, n), bool), np.zeros((steps, n), bool), after, gamma

    yield Case(f"{t} actions in each of {n} episodes that go on", drawn())
    rewards, ended, cut, after, gamma = drawn()
    ended[1, 0] = True
    yield Case("the first episode ends with the second action", (rewards, ended, cut, after, gamma))
    rewards, ended, cut, after, gamma = drawn()
    cut[2, 1] = True
    yield Case("the second episode is cut off after the third action", (rewards, ended, cut, after, gamma))
    rewards, ended, cut, after, gamma = drawn()
    ended[-1, 0] = cut[-1, 1] = True
    yield Case("the last action ends one episode, and another is cut off there", (rewards, ended, cut, after, gamma))
    rewards, ended, cut, after, gamma = drawn()
    ended[0, 0] = cut[1, 0] = ended[3, 0] = cut[0, 1] = cut[3, 1] = ended[2, 1] = True
    yield Case("several episodes one after the other", (rewards, ended, cut, after, gamma))
    yield Case("one action", drawn(1))
    rewards, ended, cut, after, gamma = drawn(70, 0.99)
    kind = rng.integers(0, 8, ended.shape)  # one of eight actions ends an episode, and one is cut off
    yield Case("70 actions, with many ends and cuts", (rewards, kind == 0, kind == 1, after, gamma))
    yield Case("gamma is 1", drawn(gamma=1.0))
    rewards, ended, cut, after, gamma = drawn()
    ended[1, 1] = cut[2, 0] = True
    yield Case("float32", (rewards.astype(np.float32), ended, cut, after.astype(np.float32), gamma))


exercise = Exercise(
    id="n_step_returns",
    lesson=13,
    title="What an action was worth",
    minutes=15,
    difficulty=2,
    cases=cases,
    axes=("T", "N"),
    hints=(
        "Begin with the last row, for only there is known what follows: after[-1]. Then go back, one row at a time.",
        "Keep `following`, an array (N,): what comes after the row that you are at. For the next row it is R[t].",
        "np.where(ended[t], 0, following) forgets what follows where an episode ended; a cut one takes after[t].",
    ),
)


@exercise.solved_by
def n_step_returns(rewards, ended, cut, after, gamma):
    """Return the return R of each action: its reward, and gamma times what followed.

    rewards: of T actions in each of N episodes side by side, shape (T, N).
    ended, cut: whether the episode ended with the action, or the time limit cut it off; (T, N) of
        bool, never both.
    after: what the critic expects from the picture that the action led to, (T, N).
    gamma: what a reward is worth one step later.

    Where the episode ended, nothing follows: R[t] = rewards[t].
    Where it was cut off, and in the last row, the critic is asked: R[t] is
    rewards[t] + gamma * after[t].
    Elsewhere it goes on with the next action: R[t] = rewards[t] + gamma * R[t + 1].
    An episode that ended has no future in the last row, either. After an end or a cut, row t + 1
    belongs to a new one.

    Returns an array (T, N) in the dtype of rewards.
    """
    returns = np.empty_like(rewards)
    following = after[-1]
    for t in reversed(range(len(rewards))):
        following = np.where(ended[t], 0, following)
        following = np.where(cut[t], after[t], following)
        following = rewards[t] + gamma * following
        returns[t] = following
    return returns


@exercise.mistake("an end was overlooked: where an episode ended, nothing follows, not even the next row")
def ends_overlooked(rewards, ended, cut, after, gamma):
    return n_step_returns(rewards, np.zeros_like(ended), cut, after, gamma)


@exercise.mistake(
    "a cut was taken for an end: the episode would have gone on, so the critic is asked what it was worth"
)
def cut_like_ended(rewards, ended, cut, after, gamma):
    return n_step_returns(rewards, ended | cut, np.zeros_like(cut), after, gamma)


@exercise.mistake("a cut was overlooked: the next row belongs to a new episode, so the critic is asked instead")
def cuts_overlooked(rewards, ended, cut, after, gamma):
    return n_step_returns(rewards, ended, np.zeros_like(cut), after, gamma)


@exercise.mistake("an end was taken for a cut: where an episode ended there is no future, and the critic is not asked")
def ended_like_cut(rewards, ended, cut, after, gamma):
    return n_step_returns(rewards, np.zeros_like(ended), ended | cut, after, gamma)


@exercise.mistake("the last row has no future; there the critic is asked what follows: after[-1]")
def no_bootstrap(rewards, ended, cut, after, gamma):
    last = after.copy()
    last[-1] = np.where(cut[-1], after[-1], 0)
    return n_step_returns(rewards, ended, cut, last, gamma)


@exercise.mistake("the last row asks the critic even where an episode ended with its action")
def bootstrap_past_the_end(rewards, ended, cut, after, gamma):
    going_on = ended.copy()
    going_on[-1] = False
    return n_step_returns(rewards, going_on, cut, after, gamma)


@exercise.mistake("gamma is missing: what follows counts less than the reward itself")
def without_gamma(rewards, ended, cut, after, gamma):
    return n_step_returns(rewards, ended, cut, after, 1.0)


@exercise.mistake("gamma was applied to the action's own reward, too; only what follows is discounted")
def own_reward_discounted(rewards, ended, cut, after, gamma):
    return gamma * n_step_returns(rewards, ended, cut, after, gamma)


@exercise.mistake("the critic was asked after each action; it is asked at a cut and in the last row only")
def one_step(rewards, ended, cut, after, gamma):
    return rewards + gamma * np.where(ended, 0, after)


@exercise.mistake("only the rewards are there, and nothing that follows")
def rewards_alone(rewards, ended, cut, after, gamma):
    return rewards.copy()


@exercise.mistake("the rewards were added up from the front: a return looks ahead, so begin with the last row")
def from_the_front(rewards, ended, cut, after, gamma):
    returns, before = np.empty_like(rewards), np.zeros_like(rewards[0])
    for t in range(len(rewards)):
        before = rewards[t] + gamma * before
        returns[t] = before
        before = np.where(ended[t] | cut[t], 0, before)
    return returns


@exercise.mistake("that is the advantage for a critic's value; here the return alone is wanted")
def minus_the_value(rewards, ended, cut, after, gamma):
    return n_step_returns(rewards, ended, cut, after, gamma) - after


@exercise.mistake("the result is float64 for float32 arrays; it should have the dtype of rewards")
def float64(rewards, ended, cut, after, gamma):
    return n_step_returns(rewards, ended, cut, after, gamma).astype(np.float64)


@exercise.mistake("the flags of a row were used for the row before it; row t is about action t and what follows it")
def flags_one_row_late(rewards, ended, cut, after, gamma):
    returns, following = np.empty_like(rewards), after[-1]
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following
        returns[t] = following
        following = np.where(cut[t], after[t], np.where(ended[t], 0, following))
    return returns


@exercise.mistake("gamma is missing in the last row: it is rewards[-1] + gamma * after[-1]")
def last_row_without_gamma(rewards, ended, cut, after, gamma):
    last = after.copy()
    last[-1] = after[-1] / gamma
    return n_step_returns(rewards, ended, cut, last, gamma)


@exercise.mistake("at a cut the critic's value of the next row was taken; after[t] is what it expects after action t")
def after_of_the_next_row(rewards, ended, cut, after, gamma):
    shifted = np.concatenate([after[1:], after[-1:]])
    return n_step_returns(rewards, ended, cut, shifted, gamma)


@exercise.mistake("the end of one episode was taken for that of all; each column has its own")
def ends_of_all(rewards, ended, cut, after, gamma):
    everywhere = np.broadcast_to(ended.any(axis=1, keepdims=True), ended.shape)
    return n_step_returns(rewards, everywhere & ~cut, cut, after, gamma)


@exercise.mistake("gamma was squared: it is applied once for each step")
def gamma_squared(rewards, ended, cut, after, gamma):
    return n_step_returns(rewards, ended, cut, after, gamma**2)


@exercise.mistake("rewards was changed in place, and it belongs to the caller; fill a new array")
def changed_in_place(rewards, ended, cut, after, gamma):
    rewards[...] = n_step_returns(rewards, ended, cut, after, gamma)
    return rewards
