"""Lesson 05: what the coordinates add to a convolution, one map for all images."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield kernels of 1 to 7 pixels over images of all shapes, larger and smaller than the kernel."""
    h, w = int(rng.integers(4, 6)), int(rng.integers(7, 10))
    c_in, c_out = int(rng.integers(3, 5)), int(rng.integers(2, 4))
    yield Case(f"a 1 x 1 kernel, {h} x {w} pixels", (rng.normal(size=(1, 1, c_in + 2, c_out)), h, w))
    yield Case(f"a 3 x 3 kernel, {w} x {h} pixels", (rng.normal(size=(3, 3, c_in + 2, c_out)), w, h))
    yield Case(f"a 5 x 5 kernel, {h} x {w} pixels", (rng.normal(size=(5, 5, c_in + 2, 1)), h, w))
    yield Case("a 3 x 3 kernel in float32", (rng.normal(size=(3, 3, c_in + 2, c_out)).astype(np.float32), h, w))
    yield Case("a 3 x 3 kernel over one row", (rng.normal(size=(3, 3, c_in + 2, c_out)), 1, w))
    yield Case("a 3 x 3 kernel over one column", (rng.normal(size=(3, 3, c_in + 2, c_out)), w, 1))
    yield Case("a 3 x 3 kernel over one pixel", (rng.normal(size=(3, 3, c_in + 2, c_out)), 1, 1))
    yield Case("a 7 x 7 kernel, larger than the image of 5 x 4 pixels", (rng.normal(size=(7, 7, 3, c_out)), 5, 4))
    yield Case("a 1 x 1 kernel, 2 x 2 pixels", (rng.normal(size=(1, 1, 3, c_out)), 2, 2))
    yield Case("a 3 x 3 kernel, 70 x 90 pixels", (rng.normal(size=(3, 3, 4, 1)), 70, 90))


exercise = Exercise(
    id="coordconv_map",
    lesson=5,
    title="A convolution plus a map",
    minutes=20,
    difficulty=2,
    builds_on=("add_coords", "conv_loops"),
    axes=("rows", "columns", "channels"),
    cases=cases,
    hints=(
        "The coordinates belong to the last two input channels of the kernel: w[:, :, -2:, :].",
        "Make coords of shape (height, width, 2) as in add_coords, and put k // 2 rings of zeros around it: np.pad.",
        "The map is the convolution of coords with these weights; loop over the k x k pixels of the kernel.",
        "For kernel pixel (ki, kj) add padded[ki : ki + height, kj : kj + width] @ w[ki, kj, -2:].",
    ),
)


@exercise.solved_by
def coordconv_map(w, height, width):
    """Return what the coordinates add to the output of a CoordConv, the same for every image.

    w: the kernel of a CoordConv, shape (k, k, c_in + 2, c_out), k odd. Its input channels are
    those of the image, then i (rows) and j (columns), both from -1 to 1, or 0 if there is only
    one row or one column. height, width: the size of the image.

    The kernel moves over the image with stride 1. Around the image are k // 2 rings of zeros,
    in the channels i and j too. The output is the convolution of the image with the image's
    part of w, plus the map; there is no bias.

    Returns shape (height, width, c_out), in the dtype of w.
    """
    k = w.shape[0]
    coords = np.zeros((height, width, 2), w.dtype)
    if height > 1:
        coords[..., 0] = (2 * np.arange(height) / (height - 1) - 1)[:, None]
    if width > 1:
        coords[..., 1] = 2 * np.arange(width) / (width - 1) - 1
    padded = np.pad(coords, ((k // 2, k // 2), (k // 2, k // 2), (0, 0)))
    the_map = np.zeros((height, width, w.shape[3]), w.dtype)
    for ki in range(k):
        for kj in range(k):
            the_map += padded[ki : ki + height, kj : kj + width] @ w[ki, kj, -2:]
    return the_map


def _axis(length: int) -> np.ndarray:
    return 2 * np.arange(length) / (length - 1) - 1 if length > 1 else np.zeros(1)


def _coordinates(height: int, width: int) -> np.ndarray:
    """Return i and j, shape (height, width, 2)."""
    return np.stack(np.meshgrid(_axis(height), _axis(width), indexing="ij"), axis=2)


def _convolved(padded: np.ndarray, w: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the sum over the pixels of the kernel w (k, k, 2, c_out), in its dtype."""
    k = w.shape[0]
    parts = [padded[ki : ki + height, kj : kj + width] @ w[ki, kj] for ki in range(k) for kj in range(k)]
    return np.sum(parts, axis=0).astype(w.dtype)


def _map_of(w: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Return the map that these coordinates of the rows and of the columns give."""
    coords = np.stack(np.meshgrid(i, j, indexing="ij"), axis=2)
    return _convolved(_zeros_around(coords, w.shape[0]), w[:, :, -2:], len(i), len(j))


def _zeros_around(coords: np.ndarray, k: int) -> np.ndarray:
    return np.pad(coords, ((k // 2, k // 2), (k // 2, k // 2), (0, 0)))


@exercise.mistake(
    "the weights of i and j are exchanged: the second to last channel is i (rows), the last is j (columns)"
)
def exchanged(w, height, width):
    return coordconv_map(np.concatenate([w[:, :, :-2], w[:, :, :-3:-1]], axis=2), height, width)


@exercise.mistake("you used the first two channels of the kernel; the coordinates are the last two, after the image")
def first_channels(w, height, width):
    return coordconv_map(w[:, :, :2], height, width)


@exercise.mistake("the kernel is flipped; w[0, 0] belongs to the pixel at the top left of the window")
def flipped(w, height, width):
    return coordconv_map(w[::-1, ::-1], height, width)


@exercise.mistake("only the middle pixel of the kernel was used; all its k x k pixels see coordinates")
def middle_alone(w, height, width):
    k = w.shape[0]
    return coordconv_map(w[k // 2 : k // 2 + 1, k // 2 : k // 2 + 1], height, width)


@exercise.mistake("outside the image the coordinates are 0, like the image; yours repeat the border")
def border_repeated(w, height, width):
    k = w.shape[0]
    rings = (k // 2, k // 2)
    padded = np.pad(_coordinates(height, width), (rings, rings, (0, 0)), mode="edge")
    return _convolved(padded, w[:, :, -2:], height, width)


@exercise.mistake("these are raw indices; the coordinates run from -1 to 1")
def raw_indices(w, height, width):
    indices = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), axis=2)
    return _convolved(_zeros_around(indices, w.shape[0]), w[:, :, -2:], height, width)


@exercise.mistake("the rows were scaled by the number of columns and the columns by that of rows")
def divisors_exchanged(w, height, width):
    i = np.arange(height) * 2 / max(width - 1, 1) - 1
    j = np.arange(width) * 2 / max(height - 1, 1) - 1
    coords = np.stack(np.meshgrid(i, j, indexing="ij"), axis=2)
    return _convolved(_zeros_around(coords, w.shape[0]), w[:, :, -2:], height, width)


@exercise.mistake("the border is missing: k // 2 rings of zeros around the coordinates keep the size of the image")
def no_border(w, height, width):
    k = w.shape[0]
    return _convolved(_coordinates(height, width), w[:, :, -2:], height - k + 1, width - k + 1)


@exercise.mistake(
    "the coordinates were spread over the image and its border; make them for the image, then put zeros around them"
)
def spread_over_the_border(w, height, width):
    k = w.shape[0]
    return _convolved(_coordinates(height + k - 1, width + k - 1), w[:, :, -2:], height, width)


@exercise.mistake("outside the image the coordinates are 0, like the image; yours continue beyond -1 and 1")
def border_continued(w, height, width):
    half = w.shape[0] // 2
    i, j = (2 * np.arange(-half, n + half) / max(n - 1, 1) - 1 for n in (height, width))
    return _convolved(np.stack(np.meshgrid(i, j, indexing="ij"), axis=2), w[:, :, -2:], height, width)


@exercise.mistake(
    "rows and columns of the kernel are exchanged; w[ki, kj] belongs to row ki and column kj of the window"
)
def kernel_transposed(w, height, width):
    return coordconv_map(w.transpose(1, 0, 2, 3), height, width)


@exercise.mistake("every kernel got one ring of zeros; there are k // 2 rings, none for k = 1")
def always_one_ring(w, height, width):
    padded = np.pad(_coordinates(height, width), ((1, 1), (1, 1), (0, 0)))
    return _convolved(padded, w[:, :, -2:], height, width)


@exercise.mistake("the coordinates run from 0 to 1; they should run from -1 to 1")
def from_zero(w, height, width):
    coords = (_coordinates(height, width) + 1) / 2
    return _convolved(_zeros_around(coords, w.shape[0]), w[:, :, -2:], height, width)


@exercise.mistake(
    "n pixels have n - 1 steps between the first and the last; you divided by n, so that the last is not 1"
)
def divided_by_length(w, height, width):
    i, j = (2 * np.arange(n) / n - 1 for n in (height, width))
    coords = np.stack(np.meshgrid(i, j, indexing="ij"), axis=2)
    return _convolved(_zeros_around(coords, w.shape[0]), w[:, :, -2:], height, width)


@exercise.mistake(
    "a single row or column is in the middle, at 0; np.linspace(-1, 1, 1) and a divisor of max(n - 1, 1) put it at -1"
)
def single_at_the_edge(w, height, width):
    i, j = np.linspace(-1, 1, height), np.linspace(-1, 1, width)
    coords = np.stack(np.meshgrid(i, j, indexing="ij"), axis=2)
    return _convolved(_zeros_around(coords, w.shape[0]), w[:, :, -2:], height, width)


@exercise.mistake("with one row or one column you divide by zero; its coordinate is 0")
def divided_by_zero(w, height, width):
    with np.errstate(invalid="ignore", divide="ignore"):
        i, j = (2 * np.arange(n) / np.float64(n - 1) - 1 for n in (height, width))
    coords = np.stack(np.meshgrid(i, j, indexing="ij"), axis=2)
    return _convolved(_zeros_around(coords, w.shape[0]), w[:, :, -2:], height, width)


@exercise.mistake("the map is float64 for a float32 kernel; it should have the dtype of w")
def float64(w, height, width):
    return coordconv_map(w.astype(np.float64), height, width)


@exercise.mistake(
    "the weights were added up over the kernel first; each of its pixels sees the coordinates of a different pixel"
)
def kernel_added_up(w, height, width):
    return (_coordinates(height, width) @ w[:, :, -2:].sum(axis=(0, 1))).astype(w.dtype)


def _steps_but_for_one(length: int) -> np.ndarray:
    """Return coordinates that are nan where there is a single one."""
    return 2 * np.arange(length) / np.float64(length - 1) - 1


@exercise.mistake("one row is cared for, one column is not: there too you divide by zero, and the coordinate is 0")
def one_column_divided_by_zero(w, height, width):
    return _map_of(w, _axis(height), _steps_but_for_one(width))


@exercise.mistake("one column is cared for, one row is not: there too you divide by zero, and the coordinate is 0")
def one_row_divided_by_zero(w, height, width):
    return _map_of(w, _steps_but_for_one(height), _axis(width))


@exercise.mistake("one row is cared for, one column is not: it is in the middle, at 0, and not at the edge, at -1")
def one_column_at_the_edge(w, height, width):
    return _map_of(w, _axis(height), np.linspace(-1, 1, width))


@exercise.mistake("one column is cared for, one row is not: it is in the middle, at 0, and not at the edge, at -1")
def one_row_at_the_edge(w, height, width):
    return _map_of(w, np.linspace(-1, 1, height), _axis(width))


@exercise.mistake("only i was used; the last channel of the kernel belongs to j (columns)")
def rows_alone(w, height, width):
    w = w.copy()
    w[:, :, -1] = 0
    return coordconv_map(w, height, width)


@exercise.mistake("only j was used; the second to last channel of the kernel belongs to i (rows)")
def columns_alone(w, height, width):
    w = w.copy()
    w[:, :, -2] = 0
    return coordconv_map(w, height, width)


@exercise.mistake("height and width are exchanged: the map has `height` rows and `width` columns")
def sides_exchanged(w, height, width):
    return coordconv_map(w, width, height)
