"""Lesson 13: how unsure a policy is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def logits_of_all_kinds(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """Yield more pictures than actions and fewer, an even and a sure policy, large logits, one picture, float32."""
    b, a = int(rng.integers(5, 8)), int(rng.integers(3, 5))
    yield f"{b} pictures, {a} actions", rng.normal(size=(b, a))
    yield f"{a} pictures, {b} actions", rng.normal(size=(a, b))
    yield "all actions are equally likely", np.zeros((b, a))
    sure = rng.normal(size=(b, a))
    sure[1, 0] += 2000.0
    yield "the second row is so sure that the other probabilities are 0", sure
    yield "logits of about 1,000", rng.normal(size=(b, a)) + 1000.0
    yield "one picture", 2 * rng.normal(size=(1, a))
    yield "float32", rng.normal(size=(b, a)).astype(np.float32)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the logits above."""
    for name, logits in logits_of_all_kinds(rng):
        yield Case(name, (logits,))


exercise = Exercise(
    id="policy_entropy",
    lesson=13,
    title="How unsure a policy is",
    minutes=10,
    difficulty=2,
    cases=cases,
    hints=(
        "Begin with log p, not with p: z - max(z) - log(sum(exp(z - max(z)))), row by row.",
        "Then p = exp(log p). A probability of 0 has a log p of about -2,000 this way, and 0 times that is 0.",
        "The sum over the actions of a row, axis=1, with a minus; then the mean over rows.",
    ),
)


@exercise.solved_by
def policy_entropy(logits):
    """Return the entropy of a policy in nats, the mean over pictures.

    logits: what the actor says of each picture, shape (B, A). The probabilities p are their
        softmax, row by row.

    The entropy of a row is -sum(p * log p) with the natural logarithm: log A if all actions are
    equally likely, 0 if one of them is certain; there p * log p is 0 for p = 0. Returns a float.
    A row may have logits of any size.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-(np.exp(log_p) * log_p).sum(axis=1).mean())


def _log_p(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


@exercise.mistake("the sign is flipped: an entropy is never below 0")
def negative(logits):
    return -policy_entropy(logits)


@exercise.mistake("the entropies of all pictures were added up; take their mean")
def summed(logits):
    return policy_entropy(logits) * len(logits)


@exercise.mistake("the mean was taken over actions, too; add those of a picture up")
def mean_over_everything(logits):
    return policy_entropy(logits) / logits.shape[1]


@exercise.mistake("that is in bits; the logarithm is the natural one")
def in_bits(logits):
    return policy_entropy(logits) / np.log(2)


@exercise.mistake("log p of a probability of 0 is -inf, and 0 times that is no number: compute log p from the logits")
def logarithm_of_zero(logits):
    p = np.exp(_log_p(logits))
    return float(-(p * np.log(p)).sum(axis=1).mean())


@exercise.mistake("exp overflows for large logits: take the largest of each row off first")
def overflowing(logits):
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return float(-(np.exp(log_p) * log_p).sum(axis=1).mean())


@exercise.mistake("log p was added up without its p")
def without_p(logits):
    return float(-_log_p(logits).sum(axis=1).mean())


@exercise.mistake("p was multiplied by the logits; it has to be log p")
def with_logits(logits):
    return float(-(np.exp(_log_p(logits)) * logits).sum(axis=1).mean())


@exercise.mistake("that is the entropy of the mean policy; the mean comes last")
def of_the_mean(logits):
    p = np.exp(_log_p(logits)).mean(axis=0)
    return float(-(p * np.log(np.maximum(p, 1e-300))).sum())


@exercise.mistake("the softmax was taken over the pictures (axis 0); each row is one picture")
def over_pictures(logits):
    log_p = _log_p(logits.T).T
    return float(-(np.exp(log_p) * log_p).sum(axis=1).mean())


@exercise.mistake("the entropy of each picture was returned; their mean is wanted, a float")
def of_each(logits):
    log_p = _log_p(logits)
    return -(np.exp(log_p) * log_p).sum(axis=1)


@exercise.mistake("that is the logarithm of base 10; np.log is the natural one")
def of_base_ten(logits):
    return policy_entropy(logits) / np.log(10)


@exercise.mistake("it was divided by the greatest that is possible, log A; leave it in nats")
def as_a_share(logits):
    return policy_entropy(logits) / np.log(logits.shape[1])


@exercise.mistake("that is one minus the sum of squared probabilities; entropy has -p * log(p)")
def gini(logits):
    return float(1 - (np.exp(_log_p(logits)) ** 2).sum(axis=1).mean())


@exercise.mistake("only the first picture counts; take the mean over all of them")
def first_picture(logits):
    return policy_entropy(logits[:1])


@exercise.mistake("the softmax was taken over all logits together; each row is one picture")
def one_softmax(logits):
    return policy_entropy(logits.reshape(1, -1))
