"""Lesson 13: the gradient that makes good actions more probable."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield more pictures than actions, fewer, and as many; advantages of one sign; large logits; one; and float32."""
    b, a = int(rng.integers(5, 8)), int(rng.integers(3, 5))

    def drawn(pictures: int, choices: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        chosen = rng.integers(0, choices, pictures)
        return rng.normal(size=(pictures, choices)), chosen, 1 + 2 * rng.normal(size=pictures)

    yield Case(f"{b} pictures, {a} actions", drawn(b, a))
    yield Case(f"{a} pictures, {b} actions", drawn(a, b))
    yield Case(f"{a} pictures, {a} actions", drawn(a, a))
    logits, actions, advantages = drawn(b, a)
    yield Case("all actions turned out badly", (logits, actions, -np.abs(advantages)))
    yield Case("one picture", drawn(1, a))
    logits, actions, advantages = drawn(b, a)
    logits[0] += 1000.0
    yield Case("logits of about 1,000 in the first row", (logits, actions, advantages))
    logits, actions, advantages = drawn(b, a)
    logits[np.arange(b), (actions + np.arange(b) % 2) % a] += 2000.0
    yield Case("one action is ahead by 2000, the one that was taken or another", (logits, actions, advantages))
    yield Case("70 pictures, 90 actions", drawn(70, 90))
    logits, actions, advantages = drawn(b, a)
    yield Case("float32", (logits.astype(np.float32), actions, advantages.astype(np.float32)))


exercise = Exercise(
    id="policy_gradient",
    lesson=13,
    title="Make good actions more probable",
    minutes=12,
    difficulty=2,
    cases=cases,
    axes=("B", "A"),
    hints=(
        "First p, the softmax of each row of logits. Take the largest of the row off before exp, or it overflows.",
        "The loss is a softmax cross-entropy in which the action is the label: that gradient is p - onehot(a).",
        "Row b of it is multiplied by advantages[b] / B: `(advantages / len(logits))[:, None]`.",
    ),
)


@exercise.solved_by
def policy_gradient(logits, actions, advantages):
    """Return the gradient of the policy loss with respect to the logits.

    logits: what the actor says of each picture, shape (B, A). The probabilities p are their
        softmax, row by row.
    actions: the action that was taken, (B,), from 0 to A - 1.
    advantages: by how much it turned out better than expected, (B,). They are constants of this
        loss.

    The loss is -mean(advantage * log p[action]), the mean over the B pictures.
    Returns an array (B, A) in the dtype of logits. A row may have logits of any size.
    """
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(p)), actions] -= 1
    return p * (advantages / len(p))[:, None]


def _softmax(logits: np.ndarray) -> np.ndarray:
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def _chosen(logits: np.ndarray, actions: np.ndarray) -> np.ndarray:
    one_hot = np.zeros_like(logits)
    one_hot[np.arange(len(logits)), actions] = 1
    return one_hot


def _weights(logits: np.ndarray, advantages: np.ndarray) -> np.ndarray:
    return (advantages / len(logits))[:, None].astype(logits.dtype)


@exercise.mistake("the sign is flipped: a step against this gradient would make good actions less probable")
def flipped(logits, actions, advantages):
    return -policy_gradient(logits, actions, advantages)


@exercise.mistake("it was not divided by the number of pictures; the loss is a mean")
def summed(logits, actions, advantages):
    return policy_gradient(logits, actions, advantages) * len(logits)


@exercise.mistake("it was divided by the number of all logits; the loss is a mean over pictures")
def mean_over_everything(logits, actions, advantages):
    return policy_gradient(logits, actions, advantages) / logits.shape[1]


@exercise.mistake("the advantages are missing: every action would become more probable, the bad ones, too")
def without_advantages(logits, actions, advantages):
    return policy_gradient(logits, actions, np.ones_like(advantages))


@exercise.mistake("the sign of the advantages is lost: an action that turned out badly has to become less probable")
def absolute(logits, actions, advantages):
    return policy_gradient(logits, actions, np.abs(advantages))


@exercise.mistake("advantages below 0 were left out; such actions have to become less probable")
def only_good_ones(logits, actions, advantages):
    return policy_gradient(logits, actions, np.maximum(advantages, 0))


@exercise.mistake(
    "only the logit of the action that was taken has a gradient; the others take part through the softmax"
)
def taken_alone(logits, actions, advantages):
    return policy_gradient(logits, actions, advantages) * _chosen(logits, actions)


@exercise.mistake("p of the action that was taken lacks its - 1")
def without_one_hot(logits, actions, advantages):
    return _softmax(logits) * _weights(logits, advantages)


@exercise.mistake("that is the gradient with respect to the probabilities; go on to the logits")
def by_probabilities(logits, actions, advantages):
    return -_chosen(logits, actions) / _softmax(logits) * _weights(logits, advantages)


@exercise.mistake("exp overflows for large logits: take the largest of each row off first")
def overflowing(logits, actions, advantages):
    e = np.exp(logits)
    return (e / e.sum(axis=1, keepdims=True) - _chosen(logits, actions)) * _weights(logits, advantages)


@exercise.mistake("the softmax was taken over the pictures (axis 0); each row is one picture")
def over_pictures(logits, actions, advantages):
    return (_softmax(logits.T).T - _chosen(logits, actions)) * _weights(logits, advantages)


@exercise.mistake("the advantages were shifted so that their mean is 0; they are used as they are")
def centred(logits, actions, advantages):
    return policy_gradient(logits, actions, advantages - advantages.mean())


@exercise.mistake("the result is float64 for float32 logits; it should have the dtype of logits")
def float64(logits, actions, advantages):
    return policy_gradient(logits, actions, advantages).astype(np.float64)


@exercise.mistake("1 was subtracted after the advantages were multiplied; subtract first, then multiply everything")
def subtracted_late(logits, actions, advantages):
    return _softmax(logits) * _weights(logits, advantages) - _chosen(logits, actions)


@exercise.mistake("1 was subtracted from whole columns; pick one number in each row, with np.arange(B) and actions")
def whole_columns(logits, actions, advantages):
    p = _softmax(logits)
    p[:, actions] -= 1
    return p * _weights(logits, advantages)


@exercise.mistake("the largest of all logits was taken off; take off that of each row, or the others are lost")
def one_maximum(logits, actions, advantages):
    e = np.exp(logits - logits.max())
    return (e / e.sum(axis=1, keepdims=True) - _chosen(logits, actions)) * _weights(logits, advantages)


@exercise.mistake("all pictures got the mean advantage; each has its own")
def mean_advantage(logits, actions, advantages):
    return policy_gradient(logits, actions, np.full_like(advantages, advantages.mean()))


@exercise.mistake("the most probable action was taken for the one that was taken; `actions` says which it was")
def most_probable(logits, actions, advantages):
    return policy_gradient(logits, logits.argmax(axis=1), advantages)


@exercise.mistake(
    "advantages has the shape (B,), and runs along the actions here; make it a column: advantages[:, None]"
)
def advantages_across(logits, actions, advantages):
    return (_softmax(logits) - _chosen(logits, actions)) * advantages / logits.dtype.type(len(logits))


@exercise.mistake("the advantages were squared")
def squared(logits, actions, advantages):
    return policy_gradient(logits, actions, advantages**2)


@exercise.mistake("the advantages were scaled to a deviation of 1; they are used as they are")
def standardised(logits, actions, advantages):
    deviation = max(float(advantages.std()), 1e-8)
    return policy_gradient(logits, actions, ((advantages - advantages.mean()) / deviation).astype(logits.dtype))
