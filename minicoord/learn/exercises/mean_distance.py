"""Lesson 06: how far off a regressor is, in pixels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise

SCALE = 64


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield few samples, many and one, near and far beyond the canvas, in float32, and the constant answer."""
    n = int(rng.integers(5, 9))
    targets = rng.integers(4, 60, size=(n, 2)) / SCALE
    yield Case(f"{n} samples, a few pixels off", (targets + rng.normal(size=(n, 2)) / 20, targets))
    yield Case("one sample", (rng.uniform(size=(1, 2)), rng.uniform(size=(1, 2))))
    yield Case("the same answer for all", (np.tile(targets.mean(axis=0), (n, 1)), targets))
    yield Case("all exact", (targets.copy(), targets))
    near = (targets + rng.normal(size=(n, 2)) / 100).astype(np.float32)
    yield Case("float32", (near, targets.astype(np.float32)))
    yield Case("100 samples, far beyond the canvas", (30 * rng.normal(size=(100, 2)), rng.uniform(size=(100, 2))))


exercise = Exercise(
    id="mean_distance",
    lesson=6,
    title="How many pixels off",
    minutes=8,
    difficulty=1,
    cases=cases,
    hints=(
        "For one sample: how far is the predicted point from the true one? Pythagoras, in pixels.",
        "The numbers are pixels divided by 64, so the distances are too.",
        "np.hypot(a, b) is sqrt(a * a + b * b), for whole arrays; take the mean last.",
    ),
)


@exercise.solved_by
def mean_distance(predictions, targets):
    """Return the mean distance in pixels between predicted and true positions, a float.

    predictions, targets: shape (N, 2), x and y in pixels, divided by 64. The distance of one
    sample is the straight line between the two positions.
    """
    dx, dy = (64 * (predictions - targets)).T
    return float(np.mean(np.hypot(dx, dy)))


def _offsets(predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return x and y off, in pixels, shape (N, 2)."""
    return SCALE * (predictions - targets)


@exercise.mistake("the result is not scaled: x and y are pixels divided by 64")
def not_scaled(predictions, targets):
    return mean_distance(predictions, targets) / SCALE


@exercise.mistake("this is the mean of the squared distances; take the square root of each first, then the mean")
def mean_of_squares(predictions, targets):
    return float((_offsets(predictions, targets) ** 2).sum(axis=1).mean())


@exercise.mistake("this is the root of the mean square; take the root of each distance first, then the mean")
def root_of_the_mean(predictions, targets):
    return float(np.sqrt((_offsets(predictions, targets) ** 2).sum(axis=1).mean()))


@exercise.mistake("this is |dx| + |dy|, the Manhattan distance; take the straight line")
def manhattan(predictions, targets):
    return float(abs(_offsets(predictions, targets)).sum(axis=1).mean())


@exercise.mistake("this is how far x and y are off on average, each alone; the distance of a sample combines both")
def mean_of_coordinates(predictions, targets):
    return float(abs(_offsets(predictions, targets)).mean())


@exercise.mistake(
    "the errors were averaged first, so that those to the left cancel those to the right; average the distances"
)
def distance_of_the_means(predictions, targets):
    return float(np.hypot(*_offsets(predictions, targets).mean(axis=0)))


@exercise.mistake(
    "this is the loss, the mean squared error of the scaled numbers; it is neither a distance nor in pixels"
)
def the_loss(predictions, targets):
    return float(((predictions - targets) ** 2).mean())


@exercise.mistake("this is the sum of all distances; divide by the number of samples")
def added_up(predictions, targets):
    return mean_distance(predictions, targets) * len(targets)


@exercise.mistake(
    "this is the root of the mean squared error of x and y together; take each sample's distance, then the mean"
)
def root_of_the_loss(predictions, targets):
    return float(np.sqrt((_offsets(predictions, targets) ** 2).mean()))


@exercise.mistake("these are the distances of all samples; return their mean, one number")
def one_by_one(predictions, targets):
    return np.hypot(*_offsets(predictions, targets).T)


@exercise.mistake("this is one root for all samples together; take the root of each sample, then the mean")
def one_root_for_all(predictions, targets):
    return float(np.sqrt((_offsets(predictions, targets) ** 2).sum()))


@exercise.mistake(
    "the squares were added up over the samples, separately for x and y; add x and y of each sample: axis 1"
)
def along_the_samples(predictions, targets):
    return float(np.sqrt((_offsets(predictions, targets) ** 2).sum(axis=0)).mean())


@exercise.mistake("the squares of x and y are added inside the root; you took their mean")
def mean_under_the_root(predictions, targets):
    return float(np.sqrt((_offsets(predictions, targets) ** 2).mean(axis=1)).mean())


@exercise.mistake(
    "this is the mean squared error in pixels; take the root of each sample's sum of squares, then the mean"
)
def squared_error_in_pixels(predictions, targets):
    return float((_offsets(predictions, targets) ** 2).mean())


@exercise.mistake("the result is divided by 64 once more; x and y are pixels divided by 64, so multiply")
def divided_again(predictions, targets):
    return mean_distance(predictions, targets) / SCALE**2


@exercise.mistake("x and y were divided by 64, so the factor is 64; you used 63")
def sixty_three(predictions, targets):
    return mean_distance(predictions, targets) * 63 / SCALE


@exercise.mistake("this is the largest distance; return the mean of all")
def largest(predictions, targets):
    return float(np.hypot(*_offsets(predictions, targets).T).max())


@exercise.mistake("this is the median of the distances; return the mean of all")
def median(predictions, targets):
    return float(np.median(np.hypot(*_offsets(predictions, targets).T)))


@exercise.mistake("only x was compared; the distance of a sample combines x and y")
def of_x_alone(predictions, targets):
    return float(abs(_offsets(predictions, targets)[:, 0]).mean())


@exercise.mistake("only y was compared; the distance of a sample combines x and y")
def of_y_alone(predictions, targets):
    return float(abs(_offsets(predictions, targets)[:, 1]).mean())


@exercise.mistake("only the first sample counts; take the mean over all of them")
def first_sample(predictions, targets):
    return mean_distance(predictions[:1], targets[:1])


@exercise.mistake("the predictions were moved onto the canvas first; a prediction beyond it is far off")
def clipped(predictions, targets):
    return mean_distance(np.clip(predictions, 0, 1), targets)


@exercise.mistake("the positions were rounded to whole pixels; the distance counts fractions of them, too")
def of_whole_pixels(predictions, targets):
    return mean_distance(np.rint(SCALE * predictions) / SCALE, np.rint(SCALE * targets) / SCALE)


@exercise.mistake("the larger of |dx| and |dy| was taken; the distance is the straight line")
def larger_of_both(predictions, targets):
    return float(abs(_offsets(predictions, targets)).max(axis=1).mean())


@exercise.mistake("this is one root for all samples together, over their number; take the root of each, then the mean")
def one_root_over_the_samples(predictions, targets):
    return float(np.linalg.norm(_offsets(predictions, targets)) / len(targets))
