"""Lesson 11: the gradient by which a generator learns to fool a discriminator."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield few images and many, an unsure discriminator, sure ones, one image, and float32."""
    few, many = int(rng.integers(3, 6)), int(rng.integers(16, 21))

    def logits(images: int, middle: float = 0.0, wide: float = 2.0) -> tuple[np.ndarray]:
        return (middle + wide * rng.normal(size=(images, 1)),)

    yield Case(f"{few} images", logits(few))
    yield Case(f"{many} images", logits(many))
    yield Case("the discriminator finds most of them out", logits(few, middle=-4.0))
    yield Case("the discriminator takes most of them for real", logits(few, middle=4.0))
    yield Case("the discriminator cannot tell: all logits are 0", (np.zeros((few, 1)),))
    yield Case("it is as sure as can be: logits near -800 and 800", (np.array([[-800.0], [1.5], [800.0]]),))
    yield Case("one image", logits(1))
    yield Case("float32", (logits(few)[0].astype(np.float32),))


exercise = Exercise(
    id="fooling_dx",
    lesson=11,
    title="The gradient of a generator that fools",
    minutes=12,
    difficulty=2,
    builds_on=("softmax_cross_entropy_dx",),
    cases=cases,
    axes=("images", "1"),
    hints=(
        "The derivative of -log(p) is -1 / p, and that of p = sigmoid(l) is p * (1 - p). What is left of the product?",
        "p - 1, which is between -1 and 0: the logit should always grow, and most where p is small.",
        "The loss is a mean over N images. What does that do to the gradient of each?",
        "1 - sigmoid(l) is exp(-log(1 + exp(l))), and np.logaddexp(0, l) is log(1 + exp(l)) without overflow.",
    ),
)


@exercise.solved_by
def fooling_dx(logits):
    """Return the gradient of the generator's loss with respect to the discriminator's logits.

    logits: what the discriminator says of N generated images, shape (N, 1). Its probability that
    an image is real is sigmoid(logit) = 1 / (1 + exp(-logit)). Logits may be large, such as 800
    or -800, and no entry of the result may be nan.

    The loss is the mean over the images of -log(sigmoid(logit)).

    Returns shape (N, 1), in the dtype of logits.
    """
    return -np.exp(-np.logaddexp(0, logits)) / len(logits)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -logits))


@exercise.mistake(
    "that is the gradient of log(1 - sigmoid), minus the discriminator's own loss: it is near 0 where the logit is "
    "low, where the generator has most to learn"
)
def saturating(logits):
    return -_sigmoid(logits) / len(logits)


@exercise.mistake("the sign is flipped: it would make the logits of generated images fall")
def turned(logits):
    return -fooling_dx(logits)


@exercise.mistake("that is the discriminator's gradient, which has the label fake; the generator wants the label real")
def label_fake(logits):
    return _sigmoid(logits) / len(logits)


@exercise.mistake("the loss is a mean over the images, so that the gradient of each is divided by their number")
def not_divided(logits):
    return fooling_dx(logits) * len(logits)


@exercise.mistake("that is the derivative by the probability; multiply by that of the sigmoid, p * (1 - p)")
def by_the_probability(logits):
    return -1 / _sigmoid(logits) / len(logits)


@exercise.mistake("that is the slope of the sigmoid; the logarithm is missing, whose derivative is 1 / p")
def slope_of_the_sigmoid(logits):
    p = _sigmoid(logits)
    return -p * (1 - p) / len(logits)


@exercise.mistake("that is the loss of each image; its gradient is wanted")
def loss_of_each(logits):
    return np.logaddexp(0, -logits) / len(logits)


@exercise.mistake(
    "for a very low logit exp(-logit) is inf and p is 0, and inf / inf or 1 / p * p is nan; simplify to p - 1, written "
    "without a quotient of two exponentials"
)
def inf_by_inf(logits):
    return -np.exp(-logits) / (1 + np.exp(-logits)) / len(logits)


@exercise.mistake("exp(logit) overflows for a very high logit, and inf / inf is nan; use 1 / (1 + exp(-logit))")
def inf_by_inf_above(logits):
    return (np.exp(logits) / (1 + np.exp(logits)) - 1) / len(logits)


@exercise.mistake("the axis of length 1 is missing; the result has the shape of logits, (N, 1)")
def without_the_axis(logits):
    return fooling_dx(logits)[:, 0]


@exercise.mistake("the results are float64 for float32 logits; they should have the dtype of logits")
def float64(logits):
    return fooling_dx(logits).astype(np.float64)


@exercise.mistake("the logits were clipped, and a sure discriminator gives another gradient; leave them as they are")
def clipped(logits):
    return fooling_dx(np.clip(logits, -1, 1))


@exercise.mistake("all images got the mean of the gradients; each has its own")
def mean_for_all(logits):
    return np.full_like(logits, fooling_dx(logits).mean())


@exercise.mistake("the loss is a logarithm, not a square: the derivative of -log(p) is -1 / p")
def of_a_square(logits):
    p = _sigmoid(logits)
    return 2 * (p - 1) * p * (1 - p) / len(logits)
