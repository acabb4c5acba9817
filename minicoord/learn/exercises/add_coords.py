"""Lesson 05: two more channels, which tell every pixel where it is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield images that are wide, tall, small and large, more than one, of one row, one column, one pixel."""
    h, w, c = int(rng.integers(3, 5)), int(rng.integers(6, 9)), int(rng.integers(3, 5))
    yield Case(f"one image of {h} x {w}, one channel", (rng.normal(size=(1, h, w, 1)),))
    yield Case(f"2 images of {w} x {h}, {c} channels", (rng.normal(size=(2, w, h, c)),))
    yield Case(f"a square image of {w} x {w}", (rng.normal(size=(1, w, w, 2)),))
    yield Case(f"3 images of {h} x {w} in float32", (rng.normal(size=(3, h, w, 2)).astype(np.float32),))
    yield Case("an image of one row", (rng.normal(size=(2, 1, w, 2)),))
    yield Case("an image of one column", (rng.normal(size=(2, w, 1, 2)),))
    yield Case("an image of one pixel", (rng.normal(size=(2, 1, 1, 3)),))
    yield Case("an image of 2 x 2", (rng.normal(size=(5, 2, 2, 1)),))
    yield Case("an image of 70 x 90", (rng.normal(size=(1, 70, 90, 1)),))


exercise = Exercise(
    id="add_coords",
    lesson=5,
    title="Two channels that say where",
    minutes=15,
    difficulty=1,
    axes=("images", "rows", "columns", "channels"),
    cases=cases,
    hints=(
        "Take rows first: h numbers in equal steps, the first -1 and the last 1. There are h - 1 steps between them.",
        "np.arange(h) / (h - 1) runs from 0 to 1; twice that minus 1 runs from -1 to 1. h = 1 divides by zero.",
        "Make zeros of shape (N, H, W, 2) in the dtype of x; coords[..., 0] = rows[:, None] fills channel i.",
        "Likewise for the columns: coords[..., 1] = columns. Then np.concatenate([x, coords], axis=3).",
    ),
)


@exercise.solved_by
def add_coords(x):
    """Return images with two more channels, the coordinates i and j of every pixel.

    x: images, shape (N, H, W, C).

    Channel i holds the row: -1 in the first row, 1 in the last, equal steps between them.
    Channel j holds the column: -1 in the first column, 1 in the last. If there is only one row,
    i is 0; if there is only one column, j is 0.

    Returns shape (N, H, W, C + 2), in the dtype of x: the channels of x, then i, then j.
    """
    n, h, w, _ = x.shape
    coords = np.zeros((n, h, w, 2), x.dtype)
    if h > 1:
        coords[..., 0] = (2 * np.arange(h) / (h - 1) - 1)[:, None]
    if w > 1:
        coords[..., 1] = 2 * np.arange(w) / (w - 1) - 1
    return np.concatenate([x, coords], axis=3)


def _steps(length: int, divisor: int) -> np.ndarray:
    """Return ``-1 + 2 k / divisor`` for k = 0 to length - 1; zeros if the divisor is 0."""
    return 2 * np.arange(length) / divisor - 1 if divisor > 0 else np.zeros(length)


def _one_at_0(length: int) -> np.ndarray:
    """Return the right coordinates of an axis."""
    return _steps(length, length - 1)


def _joined(x: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Return x with two channels that hold i (h,) for every row and j (w,) for every column."""
    coords = np.zeros((*x.shape[:3], 2), x.dtype)
    coords[..., 0], coords[..., 1] = i[:, None], j
    return np.concatenate([x, coords], axis=3)


@exercise.mistake(
    "the two divisors are exchanged: rows are divided by the number of columns - 1 and columns by that of rows - 1; "
    "on a square image this does not show"
)
def divisors_exchanged(x):
    _, h, w, _ = x.shape
    return _joined(x, _steps(h, w - 1), _steps(w, h - 1))


@exercise.mistake("x and y are exchanged: channel i (rows) comes first, then channel j (columns)")
def exchanged(x):
    y = add_coords(x)
    return np.concatenate([x, y[..., :-3:-1]], axis=3)


@exercise.mistake("these are raw indices, 0, 1, 2, ...; scaled, the first is -1 and the last is 1")
def raw_indices(x):
    _, h, w, _ = x.shape
    return _joined(x, np.arange(h), np.arange(w))


@exercise.mistake("the coordinates run from 0 to 1; they should run from -1 to 1")
def from_zero(x):
    _, h, w, _ = x.shape
    return _joined(x, (_steps(h, h - 1) + 1) / 2, (_steps(w, w - 1) + 1) / 2)


@exercise.mistake(
    "the coordinates are shifted by .5; once they run from -1 to 1 they are centred, so nothing has to be subtracted"
)
def shifted(x):
    _, h, w, _ = x.shape
    return _joined(x, _steps(h, h - 1) - 0.5, _steps(w, w - 1) - 0.5)


@exercise.mistake(
    "n pixels have n - 1 steps between the first and the last; you divided by n, so that the last is not 1"
)
def divided_by_length(x):
    _, h, w, _ = x.shape
    return _joined(x, _steps(h, h), _steps(w, w))


@exercise.mistake("the wrong array is concatenated: channel i appears twice, and j is missing")
def rows_twice(x):
    y = add_coords(x)
    return np.concatenate([x, y[..., -2:-1], y[..., -2:-1]], axis=3)


@exercise.mistake("the coordinates come before the image; they should come after the channels of x")
def before_the_image(x):
    y = add_coords(x)
    return np.concatenate([y[..., -2:], x], axis=3)


@exercise.mistake("the coordinates are float64 and turned a float32 image into float64; make them in the dtype of x")
def float64(x):
    return add_coords(x.astype(np.float64))


@exercise.mistake("with one row or one column you divide by zero; its coordinate is 0")
def divided_by_zero(x):
    _, h, w, _ = x.shape
    with np.errstate(invalid="ignore", divide="ignore"):
        return _joined(x, 2 * np.arange(h) / np.float64(h - 1) - 1, 2 * np.arange(w) / np.float64(w - 1) - 1)


@exercise.mistake(
    "a single row or column is in the middle, at 0; np.linspace(-1, 1, 1) and a divisor of max(n - 1, 1) put it at -1"
)
def single_at_the_edge(x):
    _, h, w, _ = x.shape
    return _joined(x, np.linspace(-1, 1, h), np.linspace(-1, 1, w))


@exercise.mistake(
    "these are the centres of n equal cells between -1 and 1; here the first pixel is at -1 itself, the last at 1"
)
def middles_of_cells(x):
    _, h, w, _ = x.shape
    return _joined(x, (2 * np.arange(h) + 1) / h - 1, (2 * np.arange(w) + 1) / w - 1)


@exercise.mistake("the wrong array is concatenated: channel j appears twice, and i is missing")
def columns_twice(x):
    y = add_coords(x)
    return np.concatenate([x, y[..., -1:], y[..., -1:]], axis=3)


@exercise.mistake("the wrong array is concatenated: j was joined to x again, and not to x with i, so that i is lost")
def columns_alone(x):
    y = add_coords(x)
    return np.concatenate([x, y[..., -1:]], axis=3)


@exercise.mistake("only the coordinates are left; the channels of x should come first")
def image_dropped(x):
    return np.ascontiguousarray(add_coords(x)[..., -2:])


@exercise.mistake("channel r is there too; this function adds i and j alone")
def with_r(x):
    y = add_coords(x)
    return np.concatenate([y, np.hypot(y[..., -2:-1], y[..., -1:])], axis=3)


@exercise.mistake("i is upside down: the first row, at the top of the image, is -1 and the last is 1")
def upside_down(x):
    _, h, w, _ = x.shape
    return _joined(x, -_steps(h, h - 1), _steps(w, w - 1))


@exercise.mistake("the coordinates run from -.5 to .5; they should run from -1 to 1")
def half_as_wide(x):
    _, h, w, _ = x.shape
    return _joined(x, _steps(h, h - 1) / 2, _steps(w, w - 1) / 2)


@exercise.mistake("both axes are divided by the longer side - 1; each axis has its own length, and ends at 1")
def longer_side(x):
    _, h, w, _ = x.shape
    return _joined(x, _steps(h, max(h, w) - 1), _steps(w, max(h, w) - 1))


@exercise.mistake("the coordinates were made for one image; each of the N images of the batch needs them")
def batch_forgotten(x):
    return np.concatenate([x, add_coords(x[:1])[..., -2:]], axis=3)


@exercise.mistake("the axes were assumed to be N, C, H, W; here the channels come last: N, H, W, C")
def channels_first(x):
    n, _, h, w = x.shape
    coords = add_coords(np.zeros((n, h, w, 0), x.dtype))
    return np.concatenate([x, np.moveaxis(coords, 3, 1)], axis=1)


@exercise.mistake("with one row or one column there is no step to divide by; its coordinate is 0")
def divided_by_no_step(x):
    _, h, w, _ = x.shape
    return _joined(
        x, np.array([2 * k / (h - 1) - 1 for k in range(h)]), np.array([2 * k / (w - 1) - 1 for k in range(w)])
    )


def _steps_but_for_one(length: int) -> np.ndarray:
    """Return coordinates that are nan where there is a single one."""
    return 2 * np.arange(length) / np.float64(length - 1) - 1


@exercise.mistake("one row is cared for, one column is not: there too you divide by zero, and the coordinate is 0")
def one_column_divided_by_zero(x):
    _, h, w, _ = x.shape
    return _joined(x, _one_at_0(h), _steps_but_for_one(w))


@exercise.mistake("one column is cared for, one row is not: there too you divide by zero, and the coordinate is 0")
def one_row_divided_by_zero(x):
    _, h, w, _ = x.shape
    return _joined(x, _steps_but_for_one(h), _one_at_0(w))


@exercise.mistake("one row is cared for, one column is not: it is in the middle, at 0, and not at the edge, at -1")
def one_column_at_the_edge(x):
    _, h, w, _ = x.shape
    return _joined(x, _one_at_0(h), np.linspace(-1, 1, w))


@exercise.mistake("one column is cared for, one row is not: it is in the middle, at 0, and not at the edge, at -1")
def one_row_at_the_edge(x):
    _, h, w, _ = x.shape
    return _joined(x, np.linspace(-1, 1, h), _one_at_0(w))


@exercise.mistake("one row is cared for, one column is not: there is no step to divide by, and its coordinate is 0")
def one_column_divided_by_no_step(x):
    _, h, w, _ = x.shape
    return _joined(x, _one_at_0(h), np.array([2 * k / (w - 1) - 1 for k in range(w)]))


@exercise.mistake("one column is cared for, one row is not: there is no step to divide by, and its coordinate is 0")
def one_row_divided_by_no_step(x):
    _, h, w, _ = x.shape
    return _joined(x, np.array([2 * k / (h - 1) - 1 for k in range(h)]), _one_at_0(w))


@exercise.mistake("j is the wrong way round: the first column, on the left of the image, is -1 and the last is 1")
def mirrored(x):
    _, h, w, _ = x.shape
    return _joined(x, _one_at_0(h), -_one_at_0(w))


@exercise.mistake("np.meshgrid puts columns first, (W, H), unless it is told otherwise: indexing='ij'")
def grid_of_columns_first(x):
    n, h, w, _ = x.shape
    grid = np.stack(np.meshgrid(_one_at_0(h), _one_at_0(w)), axis=-1)
    return np.concatenate([x, np.broadcast_to(grid, (n, *grid.shape)).astype(x.dtype)], axis=3)


@exercise.mistake("the pixels were counted from 1; the first is number 0, so that it comes to -1")
def counted_from_one(x):
    _, h, w, _ = x.shape
    i, j = (2 * np.arange(1, n + 1) / n - 1 if n > 1 else np.zeros(1) for n in (h, w))
    return _joined(x, i, j)


@exercise.mistake("the sign is lost: above and left of the middle the coordinates are negative")
def absolute(x):
    _, h, w, _ = x.shape
    return _joined(x, abs(_one_at_0(h)), abs(_one_at_0(w)))
