"""Answers to the exercises of lesson 13 as learners write them: wrong ones are refused with the right cause or none."""

from __future__ import annotations

import numpy as np
import pytest
from wrong_answers import SEEDS, Answer, WrongAnswers, assert_refused

from minicoord.experiments.a2c import losses, returns
from minicoord.learn.checking.check import python_verdict
from minicoord.learn.definition.course import get

wrong = WrongAnswers()


@wrong("n_step_returns", "a cut was taken for an end")
def one_flag_for_both(rewards, ended, cut, after, gamma):
    found = np.zeros_like(rewards)
    for n in range(rewards.shape[1]):
        future = after[-1, n]
        if cut[-1, n]:
            future = 0
        for t in range(len(rewards) - 1, -1, -1):
            if ended[t, n] or cut[t, n]:
                future = 0
            future = rewards[t, n] + gamma * future
            found[t, n] = future
    return found


@wrong("n_step_returns", "the last row has no future")
def starts_from_zero(rewards, ended, cut, after, gamma):
    found = rewards.copy()
    for t in range(len(rewards)):
        if t:
            row = len(rewards) - 1 - t
            found[row] += gamma * np.where(cut[row], after[row], np.where(ended[row], 0, found[row + 1]))
        else:
            found[-1] += gamma * np.where(cut[-1], after[-1], 0)
    return found


@wrong("n_step_returns", "it belongs to the caller")
def rewards_changed(rewards, ended, cut, after, gamma):
    right = get("n_step_returns").solution(rewards, ended, cut, after, gamma)
    rewards += 1
    return right


@wrong("policy_gradient", "exp overflows")
def plain_softmax(logits, actions, advantages):
    p = np.exp(logits) / np.exp(logits).sum(axis=1)[:, None]
    for b, a in enumerate(actions):
        p[b, a] -= 1
    return p * advantages[:, None] / len(p)


@wrong("policy_gradient", "the sign is flipped")
def uphill(logits, actions, advantages):
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    chosen = np.eye(logits.shape[1], dtype=logits.dtype)[actions]
    return (chosen - p) * advantages[:, None] / logits.dtype.type(len(p))


@wrong("policy_gradient")
def standardised(logits, actions, advantages):
    scaled = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    return get("policy_gradient").solution(logits, actions, scaled.astype(logits.dtype))


@wrong("policy_entropy", "log p of a probability of 0 is -inf")
def from_probabilities(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return float(np.mean(-np.sum(p * np.log(p), axis=1)))


@wrong("policy_entropy", "that is in bits")
def base_two(logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-(np.exp(log_p) * log_p / np.log(2)).sum(axis=1).mean())


@wrong("policy_entropy_dx", "one logit changes all probabilities")
def chain_rule_cut_short(logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -(1 + log_p) * p / len(p)


@wrong("policy_entropy_dx")
def constant(logits):
    return np.zeros_like(logits) + logits.dtype.type(0.1)


@wrong("clip_norm", "each array was clipped by itself")
def in_turn(dw, db, most):
    found = []
    for array in (dw, db):
        norm = np.sqrt((array * array).sum())
        found.append(array * array.dtype.type(most / norm) if norm > most else array.copy())
    return tuple(found)


@wrong("clip_norm", "gradients that were short enough were made longer")
def always_scaled(dw, db, most):
    norm = np.sqrt((dw**2).sum() + (db**2).sum())
    scale = dw.dtype.type(most / norm) if norm else 0
    return dw * scale, db * scale


@wrong("clip_norm", "they belong to the caller")
def in_place(dw, db, most):
    norm = np.sqrt((dw**2).sum() + (db**2).sum())
    if norm > most:
        dw *= dw.dtype.type(most / norm)
        db *= db.dtype.type(most / norm)
    return dw, db


@wrong("n_step_returns")
def cuts_of_the_first_row_overlooked(rewards, ended, cut, after, gamma):
    cut = cut.copy()
    cut[0] = False
    return get("n_step_returns").solution(rewards, ended, cut, after, gamma)


@wrong("n_step_returns", "used for the row before it")
def flags_after_the_row(rewards, ended, cut, after, gamma):
    returns, future = np.zeros_like(rewards), after[-1]
    for t in range(len(rewards) - 1, -1, -1):
        returns[t] = rewards[t] + gamma * future
        future = np.where(cut[t], after[t], returns[t])
        future = np.where(ended[t], 0, future)
    return returns


@wrong("policy_gradient", "subtracted from whole columns")
def columns_of_the_actions(logits, actions, advantages):
    p = np.exp(logits - logits.max(1, keepdims=True))
    p = p / p.sum(1, keepdims=True)
    p[:, actions] -= 1
    return p * advantages[:, None] / logits.dtype.type(len(p))


@wrong("policy_gradient", "the largest of all logits was taken off")
def largest_of_all(logits, actions, advantages):
    e = np.exp(logits - np.max(logits))
    p = e / e.sum(axis=1, keepdims=True)
    p[np.arange(len(p)), actions] -= 1
    return p * (advantages / len(p))[:, None]


@wrong("policy_entropy", "the greatest that is possible")
def relative(logits):
    return get("policy_entropy").solution(logits) / np.log(len(logits[0]))


@wrong("clip_norm", "the norm was taken of db alone")
def norm_of_the_last(dw, db, most):
    norm = np.linalg.norm(db)
    scale = dw.dtype.type(most / norm if norm > most else 1)
    return dw * scale, db * scale


@wrong("n_step_returns")
def cuts_of_the_first_four_rows(rewards, ended, cut, after, gamma):
    cut = cut.copy()
    cut[4:] = False
    return get("n_step_returns").solution(rewards, ended, cut, after, gamma)


@wrong("policy_gradient")
def smallest_taken_off(logits, actions, advantages):
    p = np.exp(logits - logits.min(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(p)), actions] -= 1
    return p * (advantages / len(p))[:, None]


@wrong("clip_norm")
def first_two_rows(dw, db, most):
    norm = np.sqrt((dw[:2] ** 2).sum() + (db**2).sum())
    scale = dw.dtype.type(min(1, most / max(norm, 1e-12)))
    return dw * scale, db * scale


@pytest.mark.parametrize("id, answer, cause", wrong.answers, ids=wrong.names())
def test_a_wrong_answer_is_refused(id: str, answer: Answer, cause: str | None):
    assert_refused(id, answer, cause)


@pytest.mark.parametrize(
    "id, answer",
    [
        ("n_step_returns", returns.n_step_returns),
        ("policy_gradient", lambda logits, actions, gains: losses.policy_loss(logits, actions, gains)[1]),
        ("policy_entropy", lambda logits: losses.policy_entropy(logits)[0]),
        ("policy_entropy_dx", lambda logits: losses.policy_entropy(logits)[1]),
    ],
)
def test_the_library_computes_what_the_exercise_asks(id: str, answer: Answer):
    for seed in SEEDS:
        verdict = python_verdict(get(id), answer, list(get(id).cases(np.random.default_rng(seed))))
        assert verdict.passed, f"seed {seed}: {verdict}"
