"""Lesson 14: coordinate channels in PyTorch's layout, for images of any size and dtype, in either order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield images of all shapes and both dtypes, with and without r, in both orders."""
    h, w, c = int(rng.integers(3, 5)), int(rng.integers(6, 9)), int(rng.integers(4, 6))

    def images(*shape: int) -> np.ndarray:
        return rng.normal(size=shape)

    yield Case(f"one image of 64 x 64, {c} channels", (images(1, c, 64, 64), False, "ij"))
    yield Case(f"2 images of {h} x {w}", (images(2, c, h, w), False, "ij"))
    yield Case(f"2 images of {w} x {h}, with r", (images(2, c, w, h), True, "ij"))
    yield Case(f"an image of {h} x {w}, columns first", (images(1, 1, h, w), False, "xy"))
    yield Case(f"3 images of {w} x {h}, columns first, with r", (images(3, c, w, h), True, "xy"))
    yield Case(f"3 images of {h} x {w} in float32", (images(3, 2, h, w).astype(np.float32), True, "ij"))
    yield Case("an image of one row", (images(2, 3, 1, w), True, "ij"))
    yield Case("an image of one column, columns first", (images(2, 3, w, 1), False, "xy"))
    yield Case("an image of one pixel", (images(1, 3, 1, 1), True, "ij"))
    yield Case("an image of 70 x 90", (images(1, 1, 70, 90), True, "xy"))
    yield Case(f"2 images of {w} x {h}, called with the images alone", (images(2, c, w, h),))
    yield Case("6 images of 2 x 3, columns first, with r", (images(6, 1, 2, 3), True, "xy"))


exercise = Exercise(
    id="add_coords_first",
    lesson=14,
    title="A layer for other people's images",
    minutes=15,
    difficulty=2,
    builds_on=("add_coords", "add_r"),
    axes=("images", "channels", "rows", "columns"),
    cases=cases,
    hints=(
        "i and j are those of add_coords, now of shape (H, W): np.meshgrid(rows, columns, indexing='ij') gives both.",
        "Collect the channels in a list, [i, j] or [j, i]; with r, append np.sqrt(i**2 + j**2). Order does not move r.",
        "np.stack(channels) is (d, H, W); np.broadcast_to(..., (N, d, H, W)) repeats it for every image.",
        "Join on axis 1, in the dtype of x: np.concatenate([x, coords.astype(x.dtype)], axis=1).",
    ),
)


@exercise.solved_by
def add_coords_first(x, with_r=False, order="ij"):
    """Return images with coordinate channels, in the layout of PyTorch: channels come before rows.

    x: images, shape (N, C, H, W), of any size, float32 or float64.
    with_r: whether to add r = sqrt(i * i + j * j) as the last channel.
    order: "ij" puts i (the row) first, "xy" puts j (the column) first. r stays last.

    i is -1 in the first row and 1 in the last, j the same for columns; where there is only one row
    or column, its coordinate is 0.

    Returns shape (N, C + 2, H, W), or (N, C + 3, H, W) with r, in the dtype of x: the channels of
    x, then the coordinates.
    """
    n, _, h, w = x.shape
    rows = 2 * np.arange(h) / (h - 1) - 1 if h > 1 else np.zeros(1)
    columns = 2 * np.arange(w) / (w - 1) - 1 if w > 1 else np.zeros(1)
    i, j = np.meshgrid(rows, columns, indexing="ij")
    channels = [i, j] if order == "ij" else [j, i]
    if with_r:
        channels.append(np.sqrt(i**2 + j**2))
    coords = np.broadcast_to(np.stack(channels).astype(x.dtype), (n, len(channels), h, w))
    return np.concatenate([x, coords], axis=1)


def _steps(length: int, divisor: int) -> np.ndarray:
    """Return ``-1 + 2 k / divisor`` for k = 0 to length - 1; zeros if the divisor is 0."""
    return 2 * np.arange(length) / divisor - 1 if divisor > 0 else np.zeros(length)


def _right(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the right coordinates: rows (h,) and columns (w,)."""
    h, w = x.shape[2:]
    return _steps(h, h - 1), _steps(w, w - 1)


def _joined(
    x: np.ndarray, with_r: bool, order: str, rows: np.ndarray, columns: np.ndarray, r: np.ndarray | None = None
) -> np.ndarray:
    """Return x with these coordinates; r (h, w) is that which belongs to them, if it is not given."""
    i, j = np.meshgrid(rows, columns, indexing="ij")
    channels = [i, j] if order == "ij" else [j, i]
    if with_r:
        channels.append(np.hypot(i, j) if r is None else r)
    coords = np.broadcast_to(np.stack(channels), (len(x), len(channels), *x.shape[2:]))
    return np.concatenate([x, coords.astype(x.dtype)], axis=1)


@exercise.mistake(
    "the two divisors are exchanged: rows are divided by the number of columns - 1 and columns by that of rows - 1, "
    "as in the released code; on a square image this does not show"
)
def divisors_exchanged(x, with_r=False, order="ij"):
    h, w = x.shape[2:]
    return _joined(x, with_r, order, _steps(h, w - 1), _steps(w, h - 1))


@exercise.mistake("the divisor is 63 whatever the size; that is right for 64 x 64 alone: take H - 1 and W - 1")
def made_for_64(x, with_r=False, order="ij"):
    h, w = x.shape[2:]
    return _joined(x, with_r, order, _steps(h, 63), _steps(w, 63))


@exercise.mistake("one length is used for both axes, that of the rows; each axis has its own, and ends at 1")
def length_of_rows(x, with_r=False, order="ij"):
    h, w = x.shape[2:]
    return _joined(x, with_r, order, _steps(h, h - 1), _steps(w, h - 1))


@exercise.mistake("both axes are divided by the longer side - 1; each axis has its own length, and ends at 1")
def longer_side(x, with_r=False, order="ij"):
    h, w = x.shape[2:]
    divisor = max(h, w) - 1
    return _joined(x, with_r, order, _steps(h, divisor), _steps(w, divisor))


@exercise.mistake("the result is float64 for float32 images; make the coordinates in the dtype of x")
def always_float64(x, with_r=False, order="ij"):
    return add_coords_first(x.astype(np.float64), with_r, order)


@exercise.mistake("the result is float32 for float64 images; make the coordinates in the dtype of x")
def always_float32(x, with_r=False, order="ij"):
    return add_coords_first(x.astype(np.float32), with_r, order)


@exercise.mistake('order has no effect: with "xy" the column comes first')
def order_ignored(x, with_r=False, order="ij"):
    return add_coords_first(x, with_r, "ij")


@exercise.mistake('the two orders are exchanged: "ij" is rows first, "xy" columns first')
def orders_exchanged(x, with_r=False, order="ij"):
    return add_coords_first(x, with_r, "xy" if order == "ij" else "ij")


@exercise.mistake('with "xy" all three were turned round; r stays last')
def r_moved_by_order(x, with_r=False, order="ij"):
    y = add_coords_first(x, with_r, "ij")
    if order == "ij":
        return y
    c = x.shape[1]
    return np.concatenate([x, y[:, : c - 1 : -1]], axis=1)


@exercise.mistake("r is missing; with_r=True asks for it as the last channel")
def without_r(x, with_r=False, order="ij"):
    return add_coords_first(x, False, order)


@exercise.mistake("r is always there; it is asked for with with_r=True alone")
def always_with_r(x, with_r=False, order="ij"):
    return add_coords_first(x, True, order)


@exercise.mistake("the root is missing: r is sqrt(i * i + j * j)")
def r_without_root(x, with_r=False, order="ij"):
    rows, columns = _right(x)
    return _joined(x, with_r, order, rows, columns, rows[:, None] ** 2 + columns**2)


@exercise.mistake("r is divided by the square root of 2; it is not scaled, and is 1.41 in the corners")
def r_up_to_one(x, with_r=False, order="ij"):
    rows, columns = _right(x)
    return _joined(x, with_r, order, rows, columns, np.hypot(rows[:, None], columns) / np.sqrt(2))


@exercise.mistake(
    "i and j are centred already; .5 was subtracted once more before r, as in a listing of the paper's first version"
)
def r_shifted(x, with_r=False, order="ij"):
    rows, columns = _right(x)
    return _joined(x, with_r, order, rows, columns, np.hypot(rows[:, None] - 0.5, columns - 0.5))


@exercise.mistake("these are raw indices, 0, 1, 2, ...; scaled, the first is -1 and the last is 1")
def raw_indices(x, with_r=False, order="ij"):
    h, w = x.shape[2:]
    return _joined(x, with_r, order, np.arange(h), np.arange(w))


@exercise.mistake("the coordinates run from 0 to 1; they should run from -1 to 1")
def from_zero(x, with_r=False, order="ij"):
    rows, columns = _right(x)
    return _joined(x, with_r, order, (rows + 1) / 2, (columns + 1) / 2)


@exercise.mistake("the coordinates run from -.5 to .5, as in MONAI; they should run from -1 to 1")
def half_range(x, with_r=False, order="ij"):
    rows, columns = _right(x)
    return _joined(x, with_r, order, rows / 2, columns / 2)


@exercise.mistake(
    "n pixels have n - 1 steps between the first and the last; you divided by n, so that the last is not 1"
)
def divided_by_length(x, with_r=False, order="ij"):
    h, w = x.shape[2:]
    return _joined(x, with_r, order, _steps(h, h), _steps(w, w))


@exercise.mistake(
    "a single row or column is in the middle, at 0; np.linspace(-1, 1, 1) and a divisor of max(n - 1, 1) put it at -1"
)
def single_at_the_edge(x, with_r=False, order="ij"):
    h, w = x.shape[2:]
    return _joined(x, with_r, order, np.linspace(-1, 1, h), np.linspace(-1, 1, w))


@exercise.mistake("with one row or one column you divide by zero; its coordinate is 0")
def divided_by_zero(x, with_r=False, order="ij"):
    with np.errstate(invalid="ignore", divide="ignore"):
        rows, columns = (2 * np.arange(n) / np.float64(n - 1) - 1 for n in x.shape[2:])
        return _joined(x, with_r, order, rows, columns)


@exercise.mistake("the coordinates come before the image; they should come after the channels of x")
def before_the_image(x, with_r=False, order="ij"):
    y, c = add_coords_first(x, with_r, order), x.shape[1]
    return np.concatenate([y[:, c:], y[:, :c]], axis=1)


@exercise.mistake("the coordinates were made for one image; each of the N images of the batch needs them")
def batch_forgotten(x, with_r=False, order="ij"):
    coords = add_coords_first(x[:1], with_r, order)[:, x.shape[1] :]
    return np.concatenate([x, coords], axis=1)


@exercise.mistake("channels were taken for the last axis, as in the other lessons; here x is (N, C, H, W)")
def channels_last(x, with_r=False, order="ij"):
    n, h, w, _ = x.shape
    i, j = np.meshgrid(_steps(h, h - 1), _steps(w, w - 1), indexing="ij")
    channels = [i, j] if order == "ij" else [j, i]
    if with_r:
        channels.append(np.hypot(i, j))
    coords = np.broadcast_to(np.stack(channels, axis=-1), (n, h, w, len(channels)))
    return np.concatenate([x, coords.astype(x.dtype)], axis=3)


@exercise.mistake("only the coordinates are left; the channels of x should come first")
def image_dropped(x, with_r=False, order="ij"):
    return np.ascontiguousarray(add_coords_first(x, with_r, order)[:, x.shape[1] :])


@exercise.mistake("r is the larger of |i| and |j| here; it is the straight distance, sqrt(i * i + j * j)")
def r_by_the_larger(x, with_r=False, order="ij"):
    rows, columns = _right(x)
    return _joined(x, with_r, order, rows, columns, np.maximum(abs(rows)[:, None], abs(columns)))


@exercise.mistake("r is |i| + |j| here; it is the straight distance, sqrt(i * i + j * j)")
def r_by_blocks(x, with_r=False, order="ij"):
    rows, columns = _right(x)
    return _joined(x, with_r, order, rows, columns, abs(rows)[:, None] + abs(columns))


@exercise.mistake("r comes before i and j; it is the last channel in both orders")
def r_first(x, with_r=False, order="ij"):
    y, c = add_coords_first(x, with_r, order), x.shape[1]
    return np.concatenate([y[:, :c], y[:, -1:], y[:, c:-1]], axis=1) if with_r else y


def _one_at_0(length: int) -> np.ndarray:
    """Return the right coordinates of an axis."""
    return _steps(length, length - 1)


def _steps_but_for_one(length: int) -> np.ndarray:
    """Return coordinates that are nan where there is a single one."""
    return 2 * np.arange(length) / np.float64(length - 1) - 1


@exercise.mistake("one row is cared for, one column is not: there too you divide by zero, and the coordinate is 0")
def one_column_divided_by_zero(x, with_r=False, order="ij"):
    return _joined(x, with_r, order, _one_at_0(x.shape[2]), _steps_but_for_one(x.shape[3]))


@exercise.mistake("one column is cared for, one row is not: there too you divide by zero, and the coordinate is 0")
def one_row_divided_by_zero(x, with_r=False, order="ij"):
    return _joined(x, with_r, order, _steps_but_for_one(x.shape[2]), _one_at_0(x.shape[3]))


@exercise.mistake("one row is cared for, one column is not: it is in the middle, at 0, and not at the edge, at -1")
def one_column_at_the_edge(x, with_r=False, order="ij"):
    return _joined(x, with_r, order, _one_at_0(x.shape[2]), np.linspace(-1, 1, x.shape[3]))


@exercise.mistake("one column is cared for, one row is not: it is in the middle, at 0, and not at the edge, at -1")
def one_row_at_the_edge(x, with_r=False, order="ij"):
    return _joined(x, with_r, order, np.linspace(-1, 1, x.shape[2]), _one_at_0(x.shape[3]))
