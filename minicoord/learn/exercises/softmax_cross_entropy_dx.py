"""Lesson 03b: the gradient of softmax and cross-entropy together: probabilities minus the truth."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield fewer and more samples than classes, huge logits, one far ahead of the others, one sample, and float32."""
    n, classes = int(rng.integers(3, 5)), int(rng.integers(6, 9))

    def drawn(samples: int, of: int) -> tuple:
        return 2 * rng.normal(size=(samples, of)), rng.integers(0, of, samples)

    z, labels = drawn(n, classes)
    yield Case(f"{n} samples, {classes} classes", (z, labels))
    z, labels = drawn(classes, n)
    yield Case(f"{classes} samples, {n} classes", (z, labels))
    z, labels = drawn(1, classes)
    yield Case("one sample", (z, labels))
    z, labels = drawn(n, classes)
    yield Case("logits around 2000, and around -2000", (z + 2000.0 * (-1) ** np.arange(n)[:, None], labels))
    z, labels = drawn(n, classes)
    z[np.arange(n), (labels + np.arange(n) % 2) % classes] += 2000
    yield Case("one class is ahead by 2000, the right one or another", (z, labels))
    z, labels = drawn(n, classes)
    yield Case("float32", (z.astype(np.float32), labels))
    z, labels = drawn(n, classes)
    yield Case("all logits around -100,000", (z - 100_000, labels))
    yield Case("70 samples, 90 classes", drawn(70, 90))


exercise = Exercise(
    id="softmax_cross_entropy_dx",
    lesson=3,
    title="The gradient of softmax and cross-entropy",
    minutes=12,
    difficulty=2,
    builds_on=("softmax_cross_entropy",),
    axes=("samples", "classes"),
    cases=cases,
    hints=(
        "For one sample the loss is log(sum of exp(z)) - z[label]. Differentiate the first part with respect to z[k].",
        "It is exp(z[k]) over the sum: the probability of class k. The second part involves only one class.",
        "So the gradient is the probabilities, with 1 subtracted at the label.",
        "The loss is a mean over N samples. What does that do to the gradient of each?",
    ),
)


@exercise.solved_by
def softmax_cross_entropy_dx(z, labels):
    """Return the gradient of softmax_cross_entropy(z, labels) with respect to the logits.

    z: logits, shape (N, classes), of any size: 2000 is allowed.
    labels: the right class of each sample, whole numbers, shape (N,).

    Returns dz, shape (N, classes), in the dtype of z.
    """
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(z)), labels] -= 1
    return p / len(z)


def _probabilities(z: np.ndarray, axis: int) -> np.ndarray:
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _truth(z: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return (labels[:, None] == np.arange(z.shape[1])).astype(z.dtype)


@exercise.mistake("the loss is a mean over the samples, so the gradient of each is divided by their number")
def not_divided(z, labels):
    return softmax_cross_entropy_dx(z, labels) * z.dtype.type(len(z))


@exercise.mistake("it was divided by samples times classes; the mean runs over the samples alone")
def over_classes(z, labels):
    return softmax_cross_entropy_dx(z, labels) / z.dtype.type(z.shape[1])


@exercise.mistake("those are the probabilities; subtract 1 at the right class")
def without_truth(z, labels):
    return _probabilities(z, 1) / z.dtype.type(len(z))


@exercise.mistake(
    "the sign is flipped: it is probability minus truth, so that the right logit gets a negative gradient"
)
def turned(z, labels):
    return -softmax_cross_entropy_dx(z, labels)


@exercise.mistake("1 was subtracted after dividing by the number of samples; subtract first, then divide everything")
def subtracted_late(z, labels):
    return _probabilities(z, 1) / z.dtype.type(len(z)) - _truth(z, labels)


@exercise.mistake("exp of a large logit is inf, and inf / inf is nan; subtract the largest logit of each sample first")
def overflowing(z, labels):
    e = np.exp(z)
    return (e / e.sum(axis=1, keepdims=True) - _truth(z, labels)) / z.dtype.type(len(z))


@exercise.mistake("the softmax runs over the samples; it should run over the classes of each sample, axis 1")
def over_samples(z, labels):
    return (_probabilities(z, 0) - _truth(z, labels)) / z.dtype.type(len(z))


@exercise.mistake("1 was subtracted from whole columns; pick one number in each row, with np.arange(N) and labels")
def whole_columns(z, labels):
    p = _probabilities(z, 1)
    p[:, labels] -= 1
    return p / z.dtype.type(len(z))


@exercise.mistake("only the right class got a gradient; the others get their probability, which pushes them down")
def right_class_alone(z, labels):
    return softmax_cross_entropy_dx(z, labels) * _truth(z, labels)


@exercise.mistake("the largest of all logits was subtracted; subtract each sample's own, or small logits are lost")
def one_maximum(z, labels):
    e = np.exp(z - z.max())
    return (e / e.sum(axis=1, keepdims=True) - _truth(z, labels)) / z.dtype.type(len(z))


@exercise.mistake(
    "that is the gradient with respect to the probability, -1 / p; go on through the softmax to the logits"
)
def by_probability(z, labels):
    return -_truth(z, labels) / _probabilities(z, 1) / z.dtype.type(len(z))


@exercise.mistake("p * (1 - p) is how a probability grows with its own logit; the loss gives p minus the truth")
def own_slope(z, labels):
    p = _probabilities(z, 1)
    return p * (1 - p) / z.dtype.type(len(z))


@exercise.mistake("the softmax is missing; those are the logits minus the truth")
def without_softmax(z, labels):
    return (z - _truth(z, labels)) / z.dtype.type(len(z))


@exercise.mistake("the gradients of the samples were added up; each row of z has its own gradient")
def samples_summed(z, labels):
    return softmax_cross_entropy_dx(z, labels).sum(axis=0)


@exercise.mistake("np.eye and np.zeros make float64 by default; give them the dtype of z")
def always_float64(z, labels):
    return softmax_cross_entropy_dx(z, labels).astype(np.float64)


@exercise.mistake("p[labels] picks whole rows; p[np.arange(N), labels] picks one number in each row")
def whole_rows(z, labels):
    p = _probabilities(z, 1)
    p[labels] -= 1
    return p / z.dtype.type(len(z))


@exercise.mistake("the mean was subtracted before exp; a logit far above it still overflows, so subtract the largest")
def mean_subtracted(z, labels):
    e = np.exp(z - z.mean(axis=1, keepdims=True))
    return (e / e.sum(axis=1, keepdims=True) - _truth(z, labels)) / z.dtype.type(len(z))


@exercise.mistake("the largest of each class was subtracted; subtract that of each sample: axis=1")
def largest_of_the_classes(z, labels):
    e = np.exp(z - z.max(axis=0))
    return (e / e.sum(axis=1, keepdims=True) - _truth(z, labels)) / z.dtype.type(len(z))


@exercise.mistake("the logits were clipped, and large ones became equal; subtract each sample's largest logit instead")
def clipped_logits(z, labels):
    return softmax_cross_entropy_dx(np.clip(z, -50, 50), labels)


@exercise.mistake("it was divided by the number of classes; the loss is a mean over the samples")
def divided_by_classes(z, labels):
    return softmax_cross_entropy_dx(z, labels) * z.dtype.type(len(z) / z.shape[1])


@exercise.mistake("1 was subtracted everywhere; subtract it at the right class alone")
def one_everywhere(z, labels):
    return (_probabilities(z, 1) - z.dtype.type(1)) / z.dtype.type(len(z))


@exercise.mistake("1 was subtracted one class too early, at labels - 1; the classes are counted from 0, as in labels")
def labels_from_one(z, labels):
    return softmax_cross_entropy_dx(z, (labels - 1) % z.shape[1])
