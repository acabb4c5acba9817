"""Lesson 03: a numerical gradient, one number at a time, to test all other gradients against."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def sum_of_cubes(x: np.ndarray) -> Any:
    """Return a function that treats each number separately."""
    return np.sum(x**3)


def neighbours_multiplied(x: np.ndarray) -> Any:
    """Return a function in which every number is multiplied by the next one."""
    flat = x.reshape(-1)
    return np.sum(flat[:-1] * flat[1:]) + np.sum(np.sin(flat))


def growing(x: np.ndarray) -> Any:
    """Return a function that is steeper the larger the numbers are."""
    return np.log(np.sum(np.exp(x)))


def of_rows_and_columns(x: np.ndarray) -> Any:
    """Return a function that needs both axes of a matrix, as a layer needs those of its images."""
    if x.ndim != 2:
        raise ValueError(f"f takes rows and columns, as x has them, but was called with the shape {x.shape}")
    i, j = np.indices(x.shape)
    return np.sum((1 + i + 2 * j) * x**2)


def in_float32(x: np.ndarray) -> Any:
    """Return a function that takes float32 only, as a layer that trains in float32 does."""
    if x.dtype != np.float32:
        raise TypeError(f"f takes float32, as x is, but was called with {x.dtype}")
    return np.sum(x * x)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield functions of vectors, matrices and images, small steps and large ones, which show the rule, and small and
    large numbers; two of the functions insist on an array like x.
    """
    n = int(rng.integers(3, 6))
    yield Case(f"the sum of cubes of {n} numbers, step 0.5", (sum_of_cubes, rng.uniform(0.5, 2, size=n), 0.5))
    yield Case("the sum of cubes, step 1e-4", (sum_of_cubes, rng.uniform(0.5, 2, size=(2, n)), 1e-4))
    yield Case(
        "a function in which numbers interact, step 0.25", (neighbours_multiplied, rng.normal(size=(2, n)), 0.25)
    )
    yield Case("four axes, step 1e-5", (growing, rng.normal(size=(2, 2, n, 1)), 1e-5))
    yield Case("one number", (growing, rng.normal(size=1), 1e-4))
    yield Case("float32, step 0.5", (sum_of_cubes, rng.uniform(0.5, 2, size=n).astype(np.float32), 0.5))
    yield Case("one row of numbers in the hundreds, step 2", (sum_of_cubes, rng.uniform(-600, 600, size=(1, n)), 2.0))
    yield Case("f takes rows and columns only, as x has them", (of_rows_and_columns, rng.normal(size=(n, 2)), 0.25))
    yield Case("f takes float32 only, as x is", (in_float32, rng.normal(size=(2, n)).astype(np.float32), 0.5))
    yield Case("3 rows of 70 numbers", (neighbours_multiplied, rng.normal(size=(3, 70)), 0.25))


exercise = Exercise(
    id="numeric_gradient",
    lesson=3,
    title="A numerical gradient",
    minutes=15,
    difficulty=1,
    cases=cases,
    hints=(
        "For one number v of x: compute f with v + eps in its place, then with v - eps, and compare.",
        "np.ndindex(x.shape) yields all indices, however many axes x has; x[index] takes such an index.",
        "Work on a copy of x. Put the old number back before you go on to the next.",
        "The two results are 2 * eps apart, so divide their difference by that.",
    ),
)


@exercise.solved_by
def numeric_gradient(f, x, eps):
    """Return the gradient of f at x by central differences.

    f: a function that takes an array like x and returns one number.
    x: an array of any shape. eps: a small step, such as 1e-5.

    The entry of the gradient for a number v of x is (f with v + eps in its place, minus f with
    v - eps in its place) over 2 * eps; all other numbers stay as they are.

    Returns an array of the shape and dtype of x. x is left unchanged.
    """
    x = x.copy()
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + eps
        above = f(x)
        x[index] = value - eps
        below = f(x)
        x[index] = value
        gradient[index] = (above - below) / (2 * eps)
    return gradient


@exercise.mistake("that is the one-sided difference, f(v + eps) - f(v); the central one is far more accurate")
def one_sided(f, x, eps):
    x, gradient = x.copy(), np.zeros_like(x)
    start = f(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + eps
        gradient[index] = (f(x) - start) / eps
        x[index] = value
    return gradient


@exercise.mistake("the two results are 2 * eps apart; you divided by eps, so everything is twice too large")
def twice_too_large(f, x, eps):
    return numeric_gradient(f, x, eps) * x.dtype.type(2)


@exercise.mistake("the numbers were not restored: each one is still changed when the next one is")
def not_put_back(f, x, eps):
    x, gradient = x.copy(), np.zeros_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + eps
        above = f(x)
        x[index] = value - eps
        gradient[index] = (above - f(x)) / (2 * eps)
    return gradient


@exercise.mistake("x itself was changed and not restored; work on a copy")
def changes_x(f, x, eps):
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + eps
        above = f(x)
        x[index] = value - eps
        gradient[index] = (above - f(x)) / (2 * eps)
    return gradient


@exercise.mistake("adding and subtracting eps is off by rounding; keep the old number and write it back")
def restored_by_adding(f, x, eps):
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        x[index] += eps
        above = f(x)
        x[index] -= 2 * eps
        gradient[index] = (above - f(x)) / (2 * eps)
        x[index] += eps
    return gradient


@exercise.mistake("f was called with another shape than that of x; hand it an array like x, with one number changed")
def flattened(f, x, eps):
    return numeric_gradient(f, x.reshape(-1), eps).reshape(x.shape)


@exercise.mistake("f was called with float64 where x is float32; hand it an array like x, of the same dtype")
def in_float64(f, x, eps):
    return numeric_gradient(f, x.astype(np.float64), eps).astype(x.dtype)


@exercise.mistake("all numbers were changed at once; change one, and leave the others as they are")
def all_at_once(f, x, eps):
    return np.full_like(x, (f(x + eps) - f(x - eps)) / (2 * eps))


@exercise.mistake("the sign is flipped: f with v + eps comes first, f with v - eps is subtracted")
def turned(f, x, eps):
    return -numeric_gradient(f, x, eps)


@exercise.mistake("eps was not used; a different step gives different numbers")
def own_step(f, x, eps):
    return numeric_gradient(f, x, 1e-5)


@exercise.mistake("that is a one-sided difference, f(v) - f(v - eps); the central one is far more accurate")
def from_below(f, x, eps):
    return x.dtype.type(2) * numeric_gradient(f, x, eps) - one_sided(f, x, eps)


@exercise.mistake("the difference was not divided by anything; the two results are 2 * eps apart, so divide by that")
def not_divided(f, x, eps):
    return numeric_gradient(f, x, eps) * x.dtype.type(2 * eps)


@exercise.mistake("... / 2 * eps divides by 2 and then multiplies by eps; put 2 * eps in parentheses")
def brackets_missing(f, x, eps):
    return numeric_gradient(f, x, eps) * x.dtype.type(eps * eps)


@exercise.mistake("x[k] is a whole row where x has more than one axis; loop over np.ndindex(x.shape), number by number")
def rows_at_once(f, x, eps):
    x, gradient = x.copy(), np.zeros_like(x)
    for k in range(len(x)):
        value = x[k]  # if x[k] is a row, this is a view, which changes with it
        x[k] = value + eps
        above = f(x)
        x[k] = value - eps
        gradient[k] = (above - f(x)) / (2 * eps)
        x[k] = value
    return gradient


@exercise.mistake("the sign is lost: a gradient may be negative")
def absolute(f, x, eps):
    return abs(numeric_gradient(f, x, eps))


@exercise.mistake("the difference was divided by the square of eps; the two results are 2 * eps apart")
def divided_by_the_square(f, x, eps):
    return numeric_gradient(f, x, eps) * x.dtype.type(2 / eps)


@exercise.mistake("that is the second derivative; the first is f(v + eps) - f(v - eps) over 2 * eps")
def second_derivative(f, x, eps):
    x, gradient = x.copy(), np.zeros_like(x)
    middle = f(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + eps
        above = f(x)
        x[index] = value - eps
        gradient[index] = (above - 2 * middle + f(x)) / eps**2
        x[index] = value
    return gradient
