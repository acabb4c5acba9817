"""Lesson 11: by how much a matrix stretches, found by multiplying there and back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise

TINY = 1e-12


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield tall, wide and square matrices, one column and one row, rank one, a right start, zeros, and float32."""
    few, many = int(rng.integers(3, 5)), int(rng.integers(6, 9))

    def drawn(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
        u = rng.normal(size=columns)
        return rng.normal(size=(rows, columns)), u / np.linalg.norm(u)

    yield Case(f"{many} rows, {few} columns", drawn(many, few))
    yield Case(f"{few} rows, {many} columns", drawn(few, many))
    yield Case(f"a square of {few}", drawn(few, few))
    yield Case("one column", drawn(many, 1))
    yield Case("one row", drawn(1, few))
    w, u = drawn(many, few)
    yield Case("rank one: every row points the same way", (np.multiply.outer(w[:, 0], w[0, :few]), u))
    yield Case("u is the direction that is stretched most", (w, np.ascontiguousarray(np.linalg.svd(w)[2][0])))
    yield Case("only zeros", (0 * w, u))
    w, u = drawn(many, few)
    yield Case("a matrix that makes every direction a thousand times as short", (w / 1000, u))
    w, u = drawn(few, many)
    yield Case("float32", (w.astype(np.float32), u.astype(np.float32)))


exercise = Exercise(
    id="power_step",
    lesson=11,
    title="A step of power iteration",
    minutes=12,
    difficulty=2,
    cases=cases,
    hints=(
        "w @ u has the shape (rows,). Its length, np.linalg.norm, is sigma; divided by it, it is v.",
        "From v, with its shape (rows,), back to (columns,): which product is that?",
        "w.T @ v. Divide it by its length, and it is the next u.",
        "For zeros the length is 0, and 0 / 0 is nan: max(length, 1e-12) in its place.",
    ),
)


@exercise.solved_by
def power_step(w, u):
    """Return what one step of power iteration finds.

    w: a matrix, shape (rows, columns). u: a direction, shape (columns,), of length 1.

    v is w @ u, divided by its length, and sigma is that length: by how much w stretches u. The
    next u is w.T @ v, divided by its length. A length below 1e-12 counts as 1e-12, so that a
    matrix of zeros gives zeros and no nan.

    Returns v, shape (rows,), sigma, a float, and the next u, shape (columns,); both arrays in the
    dtype of w. u is left unchanged.
    """
    v = w @ u
    sigma = max(float(np.linalg.norm(v)), 1e-12)
    v = v / w.dtype.type(sigma)
    back = w.T @ v
    return v, sigma, back / w.dtype.type(max(float(np.linalg.norm(back)), 1e-12))


@exercise.mistake("v has the length sigma; divide it by that")
def v_not_divided(w, u):
    v, sigma, after = power_step(w, u)
    return v * w.dtype.type(sigma), sigma, after


@exercise.mistake("the next u is not of length 1; divide it by its length")
def u_not_divided(w, u):
    v, sigma, _ = power_step(w, u)
    return v, sigma, w.T @ v


@exercise.mistake("neither v nor the next u has length 1; divide each by its length")
def nothing_divided(w, u):
    return w @ u, power_step(w, u)[1], w.T @ (w @ u)


@exercise.mistake("sigma is the length of w.T @ v, of the way back; it is that of w @ u")
def length_of_the_way_back(w, u):
    v, _, after = power_step(w, u)
    return v, max(float(np.linalg.norm(w.T @ v)), TINY), after


@exercise.mistake("sigma is a sum of squares; its square root is missing")
def squared(w, u):
    v, sigma, after = power_step(w, u)
    return v, max(sigma**2, TINY), after


@exercise.mistake("sigma is a sum of absolute values; a length is the root of the sum of squares")
def sum_of_absolute_values(w, u):
    v, _, after = power_step(w, u)
    return v, max(float(np.abs(w @ u).sum()), TINY), after


@exercise.mistake("sigma is the norm of all numbers of w, np.linalg.norm(w); it is the length of w @ u")
def norm_of_all_numbers(w, u):
    v, _, after = power_step(w, u)
    return v, max(float(np.linalg.norm(w)), TINY), after


@exercise.mistake("that is the largest singular value itself; a step gives its estimate, the length of w @ u")
def exact(w, u):
    v, _, after = power_step(w, u)
    return v, max(float(np.linalg.svd(w, compute_uv=False)[0]), TINY), after


@exercise.mistake("the way back takes the transposed matrix, w.T @ v")
def not_transposed(w, u):
    v, sigma, _ = power_step(w, u)
    after = w @ v
    return v, sigma, after / w.dtype.type(max(float(np.linalg.norm(after)), TINY))


@exercise.mistake("first comes w @ u, then w.T @ v; they were exchanged")
def transposed_first(w, u):
    return power_step(w.T, u)


@exercise.mistake("for a matrix of zeros a length is 0, and 0 / 0 is nan; a length below 1e-12 counts as 1e-12")
def zero_by_zero(w, u):
    v = w @ u
    sigma = np.linalg.norm(v)
    v = v / sigma
    back = w.T @ v
    return v, float(sigma), back / np.linalg.norm(back)


@exercise.mistake("the third result is the old u; the next one is w.T @ v, divided by its length")
def u_as_it_was(w, u):
    v, sigma, _ = power_step(w, u)
    return v, sigma, u.copy()


@exercise.mistake("the order is v, sigma, next u")
def u_first(w, u):
    v, sigma, after = power_step(w, u)
    return after, sigma, v


@exercise.mistake("the arrays are float64 for a float32 matrix; they should have the dtype of w")
def float64(w, u):
    v, sigma, after = power_step(w, u)
    return v.astype(np.float64), sigma, after.astype(np.float64)


@exercise.mistake("sigma is an array of one number; return a float")
def sigma_in_an_array(w, u):
    v, sigma, after = power_step(w, u)
    return v, np.array([sigma]), after


@exercise.mistake("the largest number was taken for the length; a length is the root of the sum of squares")
def largest_number(w, u):
    v = w @ u
    sigma = max(float(abs(v).max()), TINY)
    v = v / w.dtype.type(sigma)
    back = w.T @ v
    return v, sigma, back / w.dtype.type(max(float(abs(back).max()), TINY))


@exercise.mistake("u was changed in place, and it belongs to the caller; return a new array")
def written_into_u(w, u):
    v, sigma, after = power_step(w, u)
    u[:] = after
    return v, sigma, u
