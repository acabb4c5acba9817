"""Lesson 13: a gradient that is never longer than a given number."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield gradients that are too long and short enough, two of very different length, zeros, and float32."""
    a, b = int(rng.integers(2, 4)), int(rng.integers(4, 6))

    def drawn(size: float, of_biases: float) -> tuple[np.ndarray, np.ndarray]:
        return size * rng.normal(size=(a, b)), of_biases * rng.normal(size=b)

    yield Case("too long", (*drawn(3, 2), 0.5))
    yield Case("short enough: nothing changes", (*drawn(0.01, 0.01), 0.5))
    yield Case("each is short enough, both together are too long", (np.full((1, 2), 0.3), np.full(2, 0.3), 0.5))
    yield Case("the biases alone are too long", (*drawn(0.01, 10), 1.0))
    yield Case("a bound above 1", (*drawn(9, 9), 2.0))
    yield Case("a kernel of 3 x 3, 5 channels in and 7 out", (rng.normal(size=(3, 3, 5, 7)), rng.normal(size=7), 2.5))
    yield Case("all zeros", (np.zeros((a, b)), np.zeros(b), 0.5))
    dw, db = drawn(3, 2)
    yield Case("float32", (dw.astype(np.float32), db.astype(np.float32), 0.5))


exercise = Exercise(
    id="clip_norm",
    lesson=13,
    title="A step that is not too long",
    minutes=8,
    difficulty=1,
    cases=cases,
    hints=(
        "All numbers of dw and db together are one long vector. Its norm is the root of the sum of all their squares.",
        "One factor for both arrays, or the direction of the step would change: most / norm.",
        "Only if the norm is larger than most; otherwise return dw and db as they are.",
    ),
)


@exercise.solved_by
def clip_norm(dw, db, most):
    """Return the gradients, scaled so that their common norm is at most `most`.

    dw, db: the gradients with respect to weights and biases, arrays of any shape.
    most: the largest norm, above 0.

    Taken together, dw and db are one long vector. If its norm, the root of the sum of all
    squares, is larger than most, both are multiplied by most / norm; otherwise they stay as they
    are. Returns two arrays with the shapes and the dtype of dw and db, as a tuple. dw and db are
    not changed.
    """
    norm = np.sqrt((dw**2).sum() + (db**2).sum())
    if norm <= most:
        return dw, db
    scale = dw.dtype.type(most / norm)
    return dw * scale, db * scale


def _scaled(dw: np.ndarray, db: np.ndarray, factor: float) -> tuple[np.ndarray, np.ndarray]:
    return dw * dw.dtype.type(factor), db * db.dtype.type(factor)


def _squares(dw: np.ndarray, db: np.ndarray) -> float:
    return float((dw**2).sum() + (db**2).sum())


@exercise.mistake("each array was clipped by itself, which turns the step; there is one norm for both")
def each_array(dw, db, most):
    return tuple(
        array * array.dtype.type(min(1.0, most / max(_squares(array, array[:0]) ** 0.5, 1e-12))) for array in (dw, db)
    )


@exercise.mistake("each number was clipped by itself, which turns the step; scale all of them by one factor")
def each_number(dw, db, most):
    return np.clip(dw, -most, most), np.clip(db, -most, most)


@exercise.mistake("gradients that were short enough were made longer; they stay as they are")
def always(dw, db, most):
    return _scaled(dw, db, most / max(_squares(dw, db) ** 0.5, 1e-300))


@exercise.mistake("the norm of a gradient of zeros is 0, and was divided by")
def divided_by_zero(dw, db, most):
    norm = np.sqrt(np.float64(_squares(dw, db)))
    return _scaled(dw, db, most / norm if norm > most or norm == 0 else 1.0)


@exercise.mistake("the root is missing: that is the square of the norm")
def without_root(dw, db, most):
    return _scaled(dw, db, min(1.0, most / max(_squares(dw, db), 1e-300)))


@exercise.mistake("the norm was taken of dw alone; db belongs to it")
def of_weights(dw, db, most):
    return _scaled(dw, db, min(1.0, most / max(_squares(dw, dw[:0]) ** 0.5, 1e-300)))


@exercise.mistake("absolute values were added up; the norm is the root of the sum of squares")
def of_absolute_values(dw, db, most):
    return _scaled(dw, db, min(1.0, most / max(float(np.abs(dw).sum() + np.abs(db).sum()), 1e-300)))


@exercise.mistake("the largest number was taken for the norm")
def of_the_largest(dw, db, most):
    return _scaled(dw, db, min(1.0, most / max(float(max(np.abs(dw).max(), np.abs(db).max())), 1e-300)))


@exercise.mistake("the mean of the squares was taken in place of their sum")
def of_the_mean(dw, db, most):
    return _scaled(dw, db, min(1.0, most / max((_squares(dw, db) / (dw.size + db.size)) ** 0.5, 1e-300)))


@exercise.mistake("the norms of both arrays were added up; add the squares, and take the root once")
def sum_of_norms(dw, db, most):
    norm = _squares(dw, dw[:0]) ** 0.5 + _squares(db, db[:0]) ** 0.5
    return _scaled(dw, db, min(1.0, most / max(norm, 1e-300)))


@exercise.mistake("the scaled gradient has the norm 1, whatever the bound is: multiply by most, too")
def of_length_one(dw, db, most):
    norm = _squares(dw, db) ** 0.5
    return _scaled(dw, db, 1 / norm if norm > most else 1.0)


@exercise.mistake("it was multiplied by most alone; divide by the norm, too")
def times_most(dw, db, most):
    return _scaled(dw, db, most if _squares(dw, db) ** 0.5 > most else 1.0)


@exercise.mistake("nothing was clipped")
def unchanged(dw, db, most):
    return dw.copy(), db.copy()


@exercise.mistake("the results are float64 for float32 arrays; they should have the dtype of dw")
def float64(dw, db, most):
    return tuple(array.astype(np.float64) for array in clip_norm(dw, db, most))


@exercise.mistake("the norm was taken of db alone; dw belongs to it")
def of_biases(dw, db, most):
    return _scaled(dw, db, min(1.0, most / max(_squares(db, db[:0]) ** 0.5, 1e-300)))


@exercise.mistake("only dw was scaled; both are multiplied by the same factor")
def weights_alone(dw, db, most):
    return clip_norm(dw, db, most)[0], db.copy()


@exercise.mistake("a gradient that is too long became 0; it becomes shorter, and keeps its direction")
def thrown_away(dw, db, most):
    return _scaled(dw, db, float(_squares(dw, db) ** 0.5 <= most))


@exercise.mistake("the argument most was not used: .5 is usual, but here it may be another number")
def always_half(dw, db, most):
    return clip_norm(dw, db, 0.5)


@exercise.mistake("dw and db were changed in place, and they belong to the caller; return new arrays")
def in_place(dw, db, most):
    new = clip_norm(dw, db, most)
    dw[...], db[...] = new
    return dw, db


@exercise.mistake("a small number was added to the norm; it is not needed, as a norm of 0 is below `most`")
def small_number_added(dw, db, most):
    return _scaled(dw, db, min(1.0, most / (_squares(dw, db) ** 0.5 + 1e-6)))
