"""Lesson 13: the gradient that keeps a policy from being sure too early."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise
from minicoord.learn.exercises.policy_entropy import logits_of_all_kinds


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the logits of `policy_entropy`."""
    for name, logits in logits_of_all_kinds(rng):
        yield Case(name, (logits,))


exercise = Exercise(
    id="policy_entropy_dx",
    lesson=13,
    title="The gradient of the entropy",
    minutes=15,
    difficulty=3,
    builds_on=("policy_entropy",),
    cases=cases,
    axes=("B", "A"),
    hints=(
        "For one row: dH/dp[k] = -(log p[k] + 1), and dp[k]/dz[j] = p[k] * ((k == j) - p[j]).",
        "Sum over k. The part with k == j gives -p[j] * (log p[j] + 1), the other p[j] * sum(p * (log p + 1)).",
        "sum(p * log p) is -H, and sum(p) is 1: what is left is -p * (log p + H), H being the entropy of the row.",
    ),
)


@exercise.solved_by
def policy_entropy_dx(logits):
    """Return the gradient of policy_entropy with respect to the logits.

    logits: what the actor says of each picture, shape (B, A). A row may have logits of any size.

    Returns an array (B, A) in the dtype of logits. Every row of it adds up to 0, as adding the
    same number to all logits of a picture changes nothing.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    p = np.exp(log_p)
    entropy = -(p * log_p).sum(axis=1, keepdims=True)
    return -p * (log_p + entropy) / len(logits)


def _log_p(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


@exercise.mistake("the sign is flipped: this is the gradient of minus the entropy")
def flipped(logits):
    return -policy_entropy_dx(logits)


@exercise.mistake("it was not divided by the number of pictures; the entropy is a mean")
def summed(logits):
    return policy_entropy_dx(logits) * len(logits)


@exercise.mistake("it was divided by the number of all logits; the entropy is a mean over pictures")
def mean_over_everything(logits):
    return policy_entropy_dx(logits) / logits.shape[1]


@exercise.mistake("that is the gradient with respect to the probabilities; go on to the logits")
def by_probabilities(logits):
    return -(_log_p(logits) + 1) / len(logits)


@exercise.mistake("one logit changes all probabilities of its row: the part that the other ones bring is missing")
def own_probability_alone(logits):
    log_p = _log_p(logits)
    return -np.exp(log_p) * (log_p + 1) / len(logits)


@exercise.mistake("the entropy of the row is missing beside log p")
def without_entropy(logits):
    log_p = _log_p(logits)
    return -np.exp(log_p) * log_p / len(logits)


@exercise.mistake("the entropy has the wrong sign beside log p")
def entropy_subtracted(logits):
    log_p = _log_p(logits)
    p = np.exp(log_p)
    return -p * (log_p + (p * log_p).sum(axis=1, keepdims=True)) / len(logits)


@exercise.mistake("the mean entropy of all pictures was used; each row has its own")
def mean_entropy(logits):
    log_p = _log_p(logits)
    p = np.exp(log_p)
    return -p * (log_p - (p * log_p).sum(axis=1).mean()) / len(logits)


@exercise.mistake("p is missing in front")
def without_p(logits):
    log_p = _log_p(logits)
    return -(log_p - (np.exp(log_p) * log_p).sum(axis=1, keepdims=True)) / len(logits)


@exercise.mistake("log p of a probability of 0 is -inf, and 0 times that is no number: compute log p from the logits")
def logarithm_of_zero(logits):
    p = np.exp(_log_p(logits))
    log_p = np.log(p)
    return -p * (log_p - (p * log_p).sum(axis=1, keepdims=True)) / len(logits)


@exercise.mistake("exp overflows for large logits: take the largest of each row off first")
def overflowing(logits):
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    p = np.exp(log_p)
    return -p * (log_p - (p * log_p).sum(axis=1, keepdims=True)) / len(logits)


@exercise.mistake("the result is float64 for float32 logits; it should have the dtype of logits")
def float64(logits):
    return policy_entropy_dx(logits).astype(np.float64)


@exercise.mistake("that is the gradient of the entropy in bits; the logarithm is the natural one")
def in_bits(logits):
    return policy_entropy_dx(logits) / logits.dtype.type(np.log(2))


@exercise.mistake("p was multiplied by the logits; it has to be log p")
def with_logits(logits):
    log_p = _log_p(logits)
    entropy = -(np.exp(log_p) * log_p).sum(axis=1, keepdims=True)
    return -np.exp(log_p) * (logits + entropy) / len(logits)


@exercise.mistake("a 1 is left over beside log p: it cancels, because the probabilities of a row sum to 1")
def one_left_over(logits):
    log_p = _log_p(logits)
    entropy = -(np.exp(log_p) * log_p).sum(axis=1, keepdims=True)
    return -np.exp(log_p) * (log_p + entropy + 1) / len(logits)


@exercise.mistake("p * (1 - p) is how a probability grows with its own logit; the other logits of the row count, too")
def own_slope(logits):
    log_p = _log_p(logits)
    p = np.exp(log_p)
    return -p * (1 - p) * (log_p + 1) / len(logits)


@exercise.mistake("the softmax was taken over the pictures (axis 0); each row is one picture")
def over_pictures(logits):
    return np.ascontiguousarray(policy_entropy_dx(np.ascontiguousarray(logits.T)).T)
