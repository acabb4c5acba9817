"""Lesson 05: a third channel, the distance from the middle."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield images of all shapes, with and without a middle pixel, large, in float32, of one row and one column."""
    h, w, c = int(rng.choice([3, 5])), int(rng.choice([6, 8])), int(rng.integers(3, 5))
    yield Case(f"one image of {h} x {w}, one channel", (rng.normal(size=(1, h, w, 1)),))
    yield Case(f"2 images of {w} x {h}, {c} channels", (rng.normal(size=(2, w, h, c)),))
    yield Case(f"a square image of {h} x {h}, with a middle pixel", (rng.normal(size=(1, h, h, 2)),))
    yield Case(f"3 images of {h} x {w} in float32", (rng.normal(size=(3, h, w, 2)).astype(np.float32),))
    yield Case("an image of one row", (rng.normal(size=(2, 1, w, 2)),))
    yield Case("an image of one column", (rng.normal(size=(2, w, 1, 2)),))
    yield Case("an image of one pixel", (rng.normal(size=(2, 1, 1, 2)),))
    yield Case("an image of 2 x 2", (rng.normal(size=(5, 2, 2, 1)),))
    yield Case("an image of 70 x 90", (rng.normal(size=(1, 70, 90, 1)),))


exercise = Exercise(
    id="add_r",
    lesson=5,
    title="How far from the middle",
    minutes=8,
    difficulty=1,
    builds_on=("add_coords",),
    axes=("images", "rows", "columns", "channels"),
    cases=cases,
    hints=(
        "You need the i and j of add_coords again: from -1 to 1, an (H, 1) array of rows and a (W,) array of columns.",
        "Pythagoras: np.sqrt(i**2 + j**2) is an (H, W) array if i has the shape (H, 1) and j the shape (W,).",
        "np.broadcast_to(r[None, :, :, None], (N, H, W, 1)) repeats it for every image; keep the dtype of x.",
    ),
)


@exercise.solved_by
def add_r(x):
    """Return images with one more channel, the distance r of every pixel from the middle.

    x: images, shape (N, H, W, C).

    r is sqrt(i * i + j * j), with i and j as add_coords makes them: each from -1 to 1, and 0
    where there is only one row or one column. So r is sqrt(2) in the corners, whatever the
    size of the image.

    Returns shape (N, H, W, C + 1), in the dtype of x: the channels of x, then r.
    """
    n, h, w, _ = x.shape
    i = 2 * np.arange(h) / (h - 1) - 1 if h > 1 else np.zeros(1)
    j = 2 * np.arange(w) / (w - 1) - 1 if w > 1 else np.zeros(1)
    r = np.sqrt(i[:, None] ** 2 + j**2).astype(x.dtype)
    return np.concatenate([x, np.broadcast_to(r[None, :, :, None], (n, h, w, 1))], axis=3)


def _coordinates(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return i (h, 1) and j (w,), each from -1 to 1."""
    _, h, w, _ = x.shape
    return _one_at_0(h)[:, None], _one_at_0(w)


def _one_at_0(length: int) -> np.ndarray:
    """Return the right coordinates of an axis."""
    return 2 * np.arange(length) / (length - 1) - 1 if length > 1 else np.zeros(1)


def _joined(x: np.ndarray, *channels: np.ndarray) -> np.ndarray:
    """Return x with more channels, each broadcast to (h, w)."""
    more = np.empty((*x.shape[:3], len(channels)), x.dtype)
    for c, channel in enumerate(channels):
        more[..., c] = channel
    return np.concatenate([x, more], axis=3)


@exercise.mistake(
    "r comes from raw indices, in pixels from (H/2, W/2); take i and j from -1 to 1, so that r does not grow with the "
    "image"
)
def raw_indices(x):
    _, h, w, _ = x.shape
    return _joined(x, np.hypot(np.arange(h)[:, None] - h / 2, np.arange(w) - w / 2))


@exercise.mistake("i and j are centred already; .5 was subtracted once more, so that r is smallest off the middle")
def shifted(x):
    i, j = _coordinates(x)
    return _joined(x, np.hypot(i - 0.5, j - 0.5))


@exercise.mistake("r is float64 and turned a float32 image into float64; it should have the dtype of x")
def float64(x):
    return add_r(x.astype(np.float64))


@exercise.mistake("the square root is missing: this is r squared")
def squared(x):
    i, j = _coordinates(x)
    return _joined(x, i**2 + j**2)


@exercise.mistake("this is |i| + |j|, the Manhattan distance; r is the straight line")
def manhattan(x):
    i, j = _coordinates(x)
    return _joined(x, abs(i) + abs(j))


@exercise.mistake("r was scaled to end at 1; in the corners it is sqrt(2)")
def scaled_to_one(x):
    i, j = _coordinates(x)
    return _joined(x, np.hypot(i, j) / np.sqrt(2))


@exercise.mistake("the channels i and j are there too; this function adds r alone: add_r(add_coords(x)) has all three")
def all_three(x):
    i, j = _coordinates(x)
    return _joined(x, i, j, np.hypot(i, j))


@exercise.mistake("the wrong array is concatenated: i and j are there, but not the channels of x")
def image_dropped(x):
    i, j = _coordinates(x)
    return _joined(x, i, j, np.hypot(i, j))[..., x.shape[3] :]


@exercise.mistake(
    "r comes from raw indices, counted from the corner; take i and j from -1 to 1, so that 0 is the middle"
)
def from_the_corner(x):
    _, h, w, _ = x.shape
    return _joined(x, np.hypot(np.arange(h)[:, None], np.arange(w)))


@exercise.mistake(
    "r comes from indices, in pixels from the middle; take i and j from -1 to 1, so that r is sqrt(2) in the corners"
)
def in_pixels(x):
    _, h, w, _ = x.shape
    return _joined(x, np.hypot(np.arange(h)[:, None] - (h - 1) / 2, np.arange(w) - (w - 1) / 2))


@exercise.mistake("i and j run from 0 to 1 here, so that r is 0 in a corner; they should run from -1 to 1")
def from_zero(x):
    i, j = _coordinates(x)
    return _joined(x, np.hypot((i + 1) / 2, (j + 1) / 2))


@exercise.mistake("r is half as large as it should be; i and j run from -1 to 1, not from -.5 to .5")
def half_as_large(x):
    i, j = _coordinates(x)
    return _joined(x, np.hypot(i, j) / 2)


@exercise.mistake(
    "the two divisors are exchanged: rows are divided by the number of columns - 1 and columns by that of rows - 1"
)
def divisors_exchanged(x):
    _, h, w, _ = x.shape
    i, j = 2 * np.arange(h)[:, None] / max(w - 1, 1) - 1, 2 * np.arange(w) / max(h - 1, 1) - 1
    return _joined(x, np.hypot(i, j))


@exercise.mistake(
    "n pixels have n - 1 steps between the first and the last; you divided by n, so that r is not symmetric"
)
def divided_by_length(x):
    _, h, w, _ = x.shape
    return _joined(x, np.hypot(2 * np.arange(h)[:, None] / h - 1, 2 * np.arange(w) / w - 1))


@exercise.mistake("the last two channels of x were used as i and j; x need not have them: compute i and j from H and W")
def from_channels(x):
    return np.concatenate([x, np.sqrt(x[..., -2:-1] ** 2 + x[..., -1:] ** 2)], axis=3)


@exercise.mistake(
    "a single row or column is in the middle, at 0; np.linspace(-1, 1, 1) and a divisor of max(n - 1, 1) put it at -1"
)
def single_at_the_edge(x):
    _, h, w, _ = x.shape
    return _joined(x, np.hypot(np.linspace(-1, 1, h)[:, None], np.linspace(-1, 1, w)))


@exercise.mistake("with one row or one column you divide by zero; its coordinate is 0")
def divided_by_zero(x):
    _, h, w, _ = x.shape
    with np.errstate(invalid="ignore", divide="ignore"):
        i, j = (2 * np.arange(n) / np.float64(n - 1) - 1 for n in (h, w))
    return _joined(x, np.hypot(i[:, None], j))


@exercise.mistake("r comes before the image; it should come after the channels of x")
def before_the_image(x):
    y = add_r(x)
    return np.concatenate([y[..., -1:], x], axis=3)


@exercise.mistake("r was made for one image; each of the N images of the batch needs it")
def batch_forgotten(x):
    return np.concatenate([x, add_r(x[:1])[..., -1:]], axis=3)


@exercise.mistake(
    "r comes from raw indices, in pixels from pixel (H // 2, W // 2); take i and j from -1 to 1, so that r does not "
    "grow with the image"
)
def raw_from_a_pixel(x):
    _, h, w, _ = x.shape
    return _joined(x, np.hypot(np.arange(h)[:, None] - h // 2, np.arange(w) - w // 2))


def _steps_but_for_one(length: int) -> np.ndarray:
    """Return coordinates that are nan where there is a single one."""
    return 2 * np.arange(length) / np.float64(length - 1) - 1


@exercise.mistake("one row is cared for, one column is not: there too you divide by zero, and the coordinate is 0")
def one_column_divided_by_zero(x):
    _, h, w, _ = x.shape
    return _joined(x, np.hypot(_one_at_0(h)[:, None], _steps_but_for_one(w)))


@exercise.mistake("one column is cared for, one row is not: there too you divide by zero, and the coordinate is 0")
def one_row_divided_by_zero(x):
    _, h, w, _ = x.shape
    return _joined(x, np.hypot(_steps_but_for_one(h)[:, None], _one_at_0(w)))


@exercise.mistake("one row is cared for, one column is not: it is in the middle, at 0, and not at the edge, at -1")
def one_column_at_the_edge(x):
    _, h, w, _ = x.shape
    return _joined(x, np.hypot(_one_at_0(h)[:, None], np.linspace(-1, 1, w)))


@exercise.mistake("one column is cared for, one row is not: it is in the middle, at 0, and not at the edge, at -1")
def one_row_at_the_edge(x):
    _, h, w, _ = x.shape
    return _joined(x, np.hypot(np.linspace(-1, 1, h)[:, None], _one_at_0(w)))


@exercise.mistake("r is the larger of |i| and |j| here; it is the straight distance, sqrt(i * i + j * j)")
def larger(x):
    i, j = _coordinates(x)
    return _joined(x, np.maximum(abs(i), abs(j)))


@exercise.mistake("i and j were added before they were squared; square each, then add: sqrt(i * i + j * j)")
def squared_late(x):
    i, j = _coordinates(x)
    return _joined(x, np.sqrt((i + j) ** 2))


@exercise.mistake("only r is left; the channels of x should come first")
def r_alone(x):
    return np.ascontiguousarray(add_r(x)[..., -1:])
