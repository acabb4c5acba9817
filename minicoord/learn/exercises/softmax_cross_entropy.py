"""Lesson 03b: how much the right answer surprises a network."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield fewer and more samples than classes, many, huge logits, sure answers, right or wrong, and float32."""
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
    z[np.arange(n), labels] += 2000
    yield Case("sure, and right: the right class is ahead by 2000", (z, labels))
    z, labels = drawn(n, classes)
    z[np.arange(n), (labels + 1) % classes] += 2000
    yield Case("sure, and wrong: another class is ahead by 2000", (z, labels))
    z, labels = drawn(n, classes)
    yield Case("float32", (z.astype(np.float32), labels))
    z, labels = drawn(n, classes)
    yield Case("all logits around -100,000", (z - 100_000, labels))
    yield Case("70 samples, 90 classes", drawn(70, 90))


exercise = Exercise(
    id="softmax_cross_entropy",
    lesson=3,
    title="Softmax and cross-entropy",
    minutes=12,
    difficulty=2,
    cases=cases,
    hints=(
        "exp(2000) is inf. Softmax stays the same if one number is subtracted from all logits of a sample: which one?",
        "Subtract the largest logit of each sample.",
        "axis=1, keepdims=True keeps one column, so that it can be subtracted from every row.",
        "log(exp(z) / total) is z - log(total). So no probability is rounded to zero before its logarithm.",
        "z[np.arange(N), labels] picks one number from each row: that of the right class.",
    ),
)


@exercise.solved_by
def softmax_cross_entropy(z, labels):
    """Return the mean, over the samples, of minus the logarithm of the right class's probability.

    z: logits, shape (N, classes), of any size: 2000 is allowed.
    labels: the right class of each sample, whole numbers, shape (N,).

    The probability of class k is exp(z[n, k]) over the sum of exp(z[n]) (softmax). The logarithm
    is the natural one.

    Returns one number.
    """
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(z)), labels].mean()


@exercise.mistake("exp of a large logit is inf, and inf / inf is nan; subtract the largest logit of each sample first")
def overflowing(z, labels):
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(z)), labels]).mean()


@exercise.mistake("a tiny probability was rounded to 0, whose logarithm is -inf; use z - log(sum of exp) instead")
def logarithm_of_zero(z, labels):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return -np.log((e / e.sum(axis=1, keepdims=True))[np.arange(len(z)), labels]).mean()


@exercise.mistake("the largest of all logits was subtracted; subtract each sample's own, or small logits are lost")
def one_maximum(z, labels):
    z = z - z.max()
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(z)), labels].mean()


@exercise.mistake(
    "the largest of all logits was subtracted, and a row far below it became 0 / 0; subtract each sample's own"
)
def one_maximum_divided(z, labels):
    e = np.exp(z - z.max())
    return -np.log((e / e.sum(axis=1, keepdims=True))[np.arange(len(z)), labels]).mean()


@exercise.mistake("the softmax runs over the samples; it should run over the classes of each sample, axis 1")
def over_samples(z, labels):
    z = z - z.max(axis=0)
    log_p = z - np.log(np.exp(z).sum(axis=0))
    return -log_p[np.arange(len(z)), labels].mean()


@exercise.mistake("that is the sum over the samples; take the mean")
def summed(z, labels):
    return softmax_cross_entropy(z, labels) * len(z)


@exercise.mistake("the mean was taken over the classes, too; divide by the number of samples alone")
def over_classes(z, labels):
    return softmax_cross_entropy(z, labels) / z.shape[1]


@exercise.mistake("the minus is missing: the logarithm of a probability is negative, the loss is positive")
def negative(z, labels):
    return -softmax_cross_entropy(z, labels)


@exercise.mistake("that is the logit of the right class alone; the logarithm of the sum is missing")
def without_sum(z, labels):
    return -z[np.arange(len(z)), labels].mean()


@exercise.mistake("the mean was taken before the logarithm; take the mean of the logarithms")
def logarithm_of_mean(z, labels):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return -np.log((e / e.sum(axis=1, keepdims=True))[np.arange(len(z)), labels].mean())


@exercise.mistake(
    "a small number added to the probability hides that it is 0, and a sure mistake costs too little; use "
    "z - log(sum of exp)"
)
def small_number_added(z, labels):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(z)), labels] + 1e-12).mean()


@exercise.mistake(
    "a small number such as 1e-7 was added to the probability: all losses are a little wrong, and a sure mistake costs "
    "too little; use z - log(sum of exp)"
)
def larger_number_added(z, labels):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(z)), labels] + 1e-7).mean()


@exercise.mistake(
    "the probability was clipped from below, or 1e-15 was added to it, so a sure mistake costs too little; use "
    "z - log(sum of exp)"
)
def cut_off(z, labels):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return -np.log(np.maximum(p[np.arange(len(z)), labels], 1e-15)).mean()


@exercise.mistake("that is the logarithm to base 2; use the natural one, np.log")
def base_2(z, labels):
    return softmax_cross_entropy(z, labels) / np.log(2)


@exercise.mistake("that is the logarithm to base 10; use the natural one, np.log")
def base_10(z, labels):
    return softmax_cross_entropy(z, labels) / np.log(10)


@exercise.mistake("the logarithm is missing; that is minus the mean probability of the right class")
def without_logarithm(z, labels):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return -(e / e.sum(axis=1, keepdims=True))[np.arange(len(z)), labels].mean()


@exercise.mistake("whole columns were picked; z[np.arange(N), labels] picks one number in each row")
def whole_columns(z, labels):
    z = z - z.max(axis=1, keepdims=True)
    return -(z - np.log(np.exp(z).sum(axis=1, keepdims=True)))[:, labels].mean()


@exercise.mistake("those are the losses of all samples; take their mean")
def each_sample(z, labels):
    z = z - z.max(axis=1, keepdims=True)
    return -(z - np.log(np.exp(z).sum(axis=1, keepdims=True)))[np.arange(len(z)), labels]


@exercise.mistake(
    "the largest logit was subtracted in the sum only; subtract it from the logit of the right class, too"
)
def subtracted_once(z, labels):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return -(z - np.log(e.sum(axis=1, keepdims=True)))[np.arange(len(z)), labels].mean()


@exercise.mistake(
    "axis=1 alone gives N numbers in a row, which do not broadcast to N rows; keepdims=True keeps a column"
)
def keepdims_forgotten(z, labels):
    z = z - z.max(axis=1)
    return -(z - np.log(np.exp(z).sum(axis=1)))[np.arange(len(z)), labels].mean()


@exercise.mistake("the mean was subtracted before exp; a logit far above it still overflows, so subtract the largest")
def mean_subtracted(z, labels):
    z = z - z.mean(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(z)), labels].mean()


@exercise.mistake("the largest of each class was subtracted; subtract that of each sample: axis=1")
def largest_of_the_classes(z, labels):
    z = z - z.max(axis=0)
    return -(z - np.log(np.exp(z).sum(axis=1, keepdims=True)))[np.arange(len(z)), labels].mean()


@exercise.mistake("the labels were not used: that is the mean over all classes; take the right class of each sample")
def without_labels(z, labels):
    z = z - z.max(axis=1, keepdims=True)
    return -(z - np.log(np.exp(z).sum(axis=1, keepdims=True))).mean()


@exercise.mistake("the logits were clipped, and large ones became equal; subtract each sample's largest logit instead")
def clipped_logits(z, labels):
    return softmax_cross_entropy(np.clip(z, -500, 500), labels)


@exercise.mistake("only the first sample counts; take the mean over all of them")
def first_sample(z, labels):
    return softmax_cross_entropy(z[:1], labels[:1])


def _with_small_number(small: float) -> None:
    """Add the mistake of an answer that adds this number to the probability."""

    @exercise.mistake(
        f"a small number, {small:g}, was added to the probability: all losses are a little wrong, and a sure mistake "
        "costs too little; use z - log(sum of exp)"
    )
    def small_number(z, labels):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        return -np.log(p[np.arange(len(z)), labels] + small).mean()


for _small in (1e-6, 1e-8, 1e-9, 1e-10, 1e-16, 1e-300):
    _with_small_number(_small)
