"""Lesson 09: the paper's front layer, a 1x1 CoordConv over the image and i, j and r."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield images of all shapes, of one row, one column and one pixel, with fewer outputs than inputs and more."""
    h, w, c = int(rng.integers(3, 5)), int(rng.integers(6, 9)), int(rng.integers(3, 5))

    def arrays(n: int, height: int, width: int, c_in: int, c_out: int) -> tuple[np.ndarray, ...]:
        shapes = (n, height, width, c_in), (1, 1, c_in + 3, c_out), (c_out,)
        return tuple(rng.normal(size=shape) for shape in shapes)

    yield Case(f"one image of {h} x {w}, one channel, 8 outputs", arrays(1, h, w, 1, 8))
    yield Case(f"2 images of {w} x {h}, {c} channels, 2 outputs", arrays(2, w, h, c, 2))
    yield Case(f"a square image of {h} x {h}, with as many outputs as channels", arrays(1, h, h, c, c))
    single = arrays(3, h, w, 2, 4)
    yield Case(f"3 images of {h} x {w} in float32", tuple(array.astype(np.float32) for array in single))
    yield Case("one row, one output", arrays(2, 1, w, 2, 1))
    yield Case("one column", arrays(2, w, 1, 2, 3))
    yield Case("one pixel", arrays(2, 1, 1, 3, 4))
    yield Case("5 images of 2 x 2", arrays(5, 2, 2, 1, 3))
    yield Case("an image of 70 x 90", arrays(1, 70, 90, 1, 2))


exercise = Exercise(
    id="front_features",
    lesson=9,
    title="The paper's front layer",
    minutes=15,
    difficulty=2,
    builds_on=("add_coords", "add_r"),
    axes=("images", "rows", "columns", "outputs"),
    cases=cases,
    hints=(
        "Three more channels first: those of add_coords and add_r, in the order i, j, r. Then the convolution.",
        "A 1x1 window holds one pixel, so each pixel is multiplied by one matrix, w[0, 0], of shape (C + 3, c_out).",
        "r = np.sqrt(i**2 + j**2) is (H, W) if i has the shape (H, 1) and j the shape (W,).",
        "Fill channels, (N, H, W, C + 3) in the dtype of x: x, then i, j and r. Then channels @ w[0, 0] + b.",
    ),
)


@exercise.solved_by
def front_features(x, w, b):
    """Return what the paper's front layer makes of images: a 1x1 convolution of image, i, j and r.

    x: images, shape (N, H, W, C).
    w: kernel, shape (1, 1, C + 3, c_out): the channels of the image, then i, j and r.
    b: bias, shape (c_out,).

    i and j are those of add_coords: -1 in the first row or column, 1 in the last, 0 where there
    is only one. r is that of add_r, sqrt(i * i + j * j). No activation follows.

    Returns shape (N, H, W, c_out), in the dtype of x.
    """
    n, h, width, c = x.shape
    channels = np.zeros((n, h, width, c + 3), x.dtype)
    channels[..., :c] = x
    if h > 1:
        channels[..., c] = (2 * np.arange(h) / (h - 1) - 1)[:, None]
    if width > 1:
        channels[..., c + 1] = 2 * np.arange(width) / (width - 1) - 1
    channels[..., c + 2] = np.sqrt(channels[..., c] ** 2 + channels[..., c + 1] ** 2)
    return channels @ w[0, 0] + b


def _steps(length: int, divisor: int) -> np.ndarray:
    """Return ``-1 + 2 k / divisor`` for k = 0 to length - 1; zeros if the divisor is 0."""
    return 2 * np.arange(length) / divisor - 1 if divisor > 0 else np.zeros(length)


def _axes(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the right coordinates: i (h, 1) and j (w,)."""
    _, h, w, _ = x.shape
    return _steps(h, h - 1)[:, None], _steps(w, w - 1)


def _features(x: np.ndarray, w: np.ndarray, b: np.ndarray, *coordinates: np.ndarray) -> np.ndarray:
    """Return the 1x1 convolution of x and these channels, each broadcast to (h, w), in the dtype of x."""
    shape = x.shape[:3]
    more = [np.broadcast_to(channel, shape)[..., None].astype(x.dtype) for channel in coordinates]
    return np.concatenate([x, *more], axis=3) @ w[0, 0] + b


def _of_axes(x: np.ndarray, w: np.ndarray, b: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Return the features of coordinates i (h,) and j (w,), with the r that belongs to them."""
    i = np.asarray(i)[:, None]
    return _features(x, w, b, i, j, np.hypot(i, j))


@exercise.mistake("i and j are exchanged: after the image comes i (rows), then j (columns), then r")
def exchanged(x, w, b):
    i, j = _axes(x)
    return _features(x, w, b, j, i, np.hypot(i, j))


@exercise.mistake("r comes before i and j; the order is image, i, j, r")
def r_first(x, w, b):
    i, j = _axes(x)
    return _features(x, w, b, np.hypot(i, j), i, j)


@exercise.mistake("the coordinates come before the image; the order is image, i, j, r")
def coordinates_first(x, w, b):
    return front_features(x, np.roll(w, -3, axis=2), b)


@exercise.mistake(
    "the two divisors are exchanged: rows are divided by the number of columns - 1 and columns by that of rows - 1; "
    "on a square image this does not show"
)
def divisors_exchanged(x, w, b):
    _, h, width, _ = x.shape
    return _of_axes(x, w, b, _steps(h, width - 1), _steps(width, h - 1))


@exercise.mistake("these are raw indices, 0, 1, 2, ...; i and j run from -1 to 1")
def raw_indices(x, w, b):
    _, h, width, _ = x.shape
    return _of_axes(x, w, b, np.arange(h), np.arange(width))


@exercise.mistake("the coordinates run from 0 to 1; they should run from -1 to 1")
def from_zero(x, w, b):
    i, j = _axes(x)
    return _of_axes(x, w, b, (i[:, 0] + 1) / 2, (j + 1) / 2)


@exercise.mistake(
    "n pixels have n - 1 steps between the first and the last; you divided by n, so that the last is not 1"
)
def divided_by_length(x, w, b):
    _, h, width, _ = x.shape
    return _of_axes(x, w, b, _steps(h, h), _steps(width, width))


@exercise.mistake("both axes are divided by the longer side - 1; each axis has its own length, and ends at 1")
def longer_side(x, w, b):
    _, h, width, _ = x.shape
    divisor = max(h, width) - 1
    return _of_axes(x, w, b, _steps(h, divisor), _steps(width, divisor))


@exercise.mistake(
    "a single row or column is in the middle, at 0; np.linspace(-1, 1, 1) and a divisor of max(n - 1, 1) put it at -1"
)
def single_at_the_edge(x, w, b):
    _, h, width, _ = x.shape
    return _of_axes(x, w, b, np.linspace(-1, 1, h), np.linspace(-1, 1, width))


@exercise.mistake("with one row or one column you divide by zero; its coordinate is 0")
def divided_by_zero(x, w, b):
    _, h, width, _ = x.shape
    with np.errstate(invalid="ignore", divide="ignore"):
        i, j = (2 * np.arange(n) / np.float64(n - 1) - 1 for n in (h, width))
    return _of_axes(x, w, b, i, j)


@exercise.mistake("r comes from raw indices, in pixels from the middle; take i and j from -1 to 1")
def r_in_pixels(x, w, b):
    _, h, width, _ = x.shape
    i, j = _axes(x)
    return _features(x, w, b, i, j, np.hypot(np.arange(h)[:, None] - h / 2, np.arange(width) - width / 2))


@exercise.mistake("r is divided by the square root of 2; it is not scaled, and is 1.41 in the corners")
def r_up_to_one(x, w, b):
    i, j = _axes(x)
    return _features(x, w, b, i, j, np.hypot(i, j) / np.sqrt(2))


@exercise.mistake("the root is missing: r is sqrt(i * i + j * j)")
def r_without_root(x, w, b):
    i, j = _axes(x)
    return _features(x, w, b, i, j, i**2 + j**2)


@exercise.mistake("r is |i| + |j| here; it is the straight distance, sqrt(i * i + j * j)")
def r_by_blocks(x, w, b):
    i, j = _axes(x)
    return _features(x, w, b, i, j, abs(i) + abs(j))


@exercise.mistake("i and j are centred already; .5 was subtracted once more, so that r is smallest off the middle")
def r_shifted(x, w, b):
    i, j = _axes(x)
    return _features(x, w, b, i, j, np.hypot(i - 0.5, j - 0.5))


@exercise.mistake("r is the larger of |i| and |j| here; it is the straight distance, sqrt(i * i + j * j)")
def r_by_the_larger(x, w, b):
    i, j = _axes(x)
    return _features(x, w, b, i, j, np.maximum(abs(i), abs(j)))


@exercise.mistake("r is missing, so that its weights are not used; there are three more channels: i, j and r")
def without_r(x, w, b):
    return front_features(x, _some_weights(w, image=True, coordinates=True, r=False), b)


@exercise.mistake("the coordinates are missing: these are the features of the image alone")
def image_alone(x, w, b):
    return front_features(x, _some_weights(w, image=True, coordinates=False, r=False), b)


@exercise.mistake("the image is missing: these are the features of i, j and r alone")
def coordinates_alone(x, w, b):
    return front_features(x, _some_weights(w, image=False, coordinates=True, r=True), b)


def _some_weights(w: np.ndarray, *, image: bool, coordinates: bool, r: bool) -> np.ndarray:
    """Return w with zeros for the channels that are left out."""
    kept = [*[image] * (w.shape[2] - 3), coordinates, coordinates, r]
    return w * np.array(kept, w.dtype)[:, None]


@exercise.mistake("the bias is missing: add b to every pixel")
def without_bias(x, w, b):
    return front_features(x, w, np.zeros_like(b))


@exercise.mistake("a ReLU was applied; no activation follows the front layer")
def with_relu(x, w, b):
    return np.maximum(front_features(x, w, b), 0)


@exercise.mistake("the kernel was read in the wrong order: w[0, 0] is (C + 3, c_out); reshape(c_out, -1) mixes it up")
def kernel_read_across(x, w, b):
    matrix = w.reshape(w.shape[3], w.shape[2]).T
    return front_features(x, np.ascontiguousarray(matrix)[None, None], b)


@exercise.mistake("the features are float64 for float32 images; make the coordinates in the dtype of x")
def always_float64(x, w, b):
    return front_features(x.astype(np.float64), w, b)


@exercise.mistake("the coordinates were made for one image; each of the N images of the batch needs them")
def batch_forgotten(x, w, b):
    i, j = _axes(x)
    more = np.stack(np.broadcast_arrays(i, j, np.hypot(i, j)), axis=-1)[None].astype(x.dtype)
    return np.concatenate([x, more], axis=3) @ w[0, 0] + b


def _one_at_0(length: int) -> np.ndarray:
    """Return the right coordinates of an axis."""
    return _steps(length, length - 1)


def _steps_but_for_one(length: int) -> np.ndarray:
    """Return coordinates that are nan where there is a single one."""
    return 2 * np.arange(length) / np.float64(length - 1) - 1


@exercise.mistake("one row is cared for, one column is not: there too you divide by zero, and the coordinate is 0")
def one_column_divided_by_zero(x, w, b):
    return _of_axes(x, w, b, _one_at_0(x.shape[1]), _steps_but_for_one(x.shape[2]))


@exercise.mistake("one column is cared for, one row is not: there too you divide by zero, and the coordinate is 0")
def one_row_divided_by_zero(x, w, b):
    return _of_axes(x, w, b, _steps_but_for_one(x.shape[1]), _one_at_0(x.shape[2]))


@exercise.mistake("one row is cared for, one column is not: it is in the middle, at 0, and not at the edge, at -1")
def one_column_at_the_edge(x, w, b):
    return _of_axes(x, w, b, _one_at_0(x.shape[1]), np.linspace(-1, 1, x.shape[2]))


@exercise.mistake("one column is cared for, one row is not: it is in the middle, at 0, and not at the edge, at -1")
def one_row_at_the_edge(x, w, b):
    return _of_axes(x, w, b, np.linspace(-1, 1, x.shape[1]), _one_at_0(x.shape[2]))


@exercise.mistake("j and r are exchanged: after the image comes i (rows), then j (columns), then r")
def j_last(x, w, b):
    i, j = _axes(x)
    return _features(x, w, b, i, np.hypot(i, j), j)
