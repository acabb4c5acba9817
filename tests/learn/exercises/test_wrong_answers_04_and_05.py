"""Wrong answers to the exercises of lessons 04 and 05 are refused, and their cause is the right one or none."""

from __future__ import annotations

import numpy as np
import pytest
from wrong_answers import Answer, WrongAnswers, assert_refused

from minicoord.learn.checking.check import verdict_of
from minicoord.learn.definition.course import get

wrong = WrongAnswers()


@wrong("conv_transpose")
def product_for_one_pixel(x, w, stride):
    return x @ w[0, 0] if w.shape[:2] == (1, 1) else get("conv_transpose").solution(x, w, stride)


@wrong("conv_transpose")
def at_most_two_patches(x, w, stride):
    """Add a patch to its neighbours alone, as if no kernel reached farther than twice the stride."""
    return get("conv_transpose").solution(x, w, stride) if max(w.shape[:2]) <= 3 * stride else x[..., :1] * 0


@wrong("conv_transpose")
def columns_up_to_the_kernels_rows(x, w, stride):
    kh, kw = w.shape[:2]
    return get("conv_transpose").solution(x, w[: max(kw, stride)] if kh > kw else w, stride)


@wrong("conv_transpose")
def painted_up_to_64_columns(x, w, stride):
    y = get("conv_transpose").solution(x, w, stride).copy()
    y[:, :, 64:] = 0
    return y


def cropped(painted, x, w, stride):
    top, left = (w.shape[0] - stride) // 2, (w.shape[1] - stride) // 2
    return painted[:, top : top + x.shape[1] * stride, left : left + x.shape[2] * stride]


@wrong("conv_transpose", "np.add.at")
def painted_by_index_arrays(x, w, stride):
    n, h, width = x.shape[:3]
    kh, kw, c_out = w.shape[:3]
    painted = np.zeros((n, (h - 1) * stride + kh, (width - 1) * stride + kw, c_out), x.dtype)
    image, i, j, ki, kj, o = np.indices((n, h, width, kh, kw, c_out))
    painted[image, i * stride + ki, j * stride + kj, o] += np.einsum("nijc,yxoc->nijyxo", x, w)
    return cropped(painted, x, w, stride)


@wrong("conv_transpose", "gathering from padded x needs it flipped")
def gathered_without_flipping(x, w, stride):
    """A correlation of x, spread out and padded, with the kernel as it is."""
    n, h, width, c_in = x.shape
    kh, kw, c_out = w.shape[:3]
    spread = np.zeros((n, (h - 1) * stride + 2 * kh - 1, (width - 1) * stride + 2 * kw - 1, c_in), x.dtype)
    spread[:, kh - 1 : -kh + 1 or None : stride, kw - 1 : -kw + 1 or None : stride] = x
    painted = np.zeros((n, (h - 1) * stride + kh, (width - 1) * stride + kw, c_out), x.dtype)
    for i, j in np.ndindex(painted.shape[1:3]):
        painted[:, i, j] = np.einsum("nyxc,yxoc->no", spread[:, i : i + kh, j : j + kw], w)
    return cropped(painted, x, w, stride)


@wrong("conv_transpose", "np.empty")
def painted_on_empty(x, w, stride):
    n, h, width = x.shape[:3]
    kh, kw, c_out = w.shape[:3]
    painted = np.empty((n, (h - 1) * stride + kh, (width - 1) * stride + kw, c_out), x.dtype)
    for i, j in np.ndindex(h, width):
        patch = np.einsum("nc,yxoc->nyxo", x[:, i, j], w)
        painted[:, i * stride : i * stride + kh, j * stride : j * stride + kw] += patch
    top, left = (kh - stride) // 2, (kw - stride) // 2
    return painted[:, top : top + h * stride, left : left + width * stride]


def steps(n: int, single: float | None) -> np.ndarray:
    """The coordinates of n pixels; of a single one, this number, or with None whatever the division gives."""
    if n == 1 and single is not None:
        return np.array([single])
    with np.errstate(invalid="ignore"):
        return 2 * np.arange(n) / np.float64(n - 1) - 1


def coordinates(x, of_one_row, of_one_column):
    n, h, w, _ = x.shape
    coords = np.zeros((n, h, w, 2), x.dtype)
    coords[..., 0] = steps(h, of_one_row)[:, None]
    coords[..., 1] = steps(w, of_one_column)
    return coords


@wrong("add_coords", "one column")
def one_column_divides_by_zero(x):
    return np.concatenate([x, coordinates(x, 0, None)], axis=3)


@wrong("add_coords", "one column")
def one_column_at_the_edge(x):
    return np.concatenate([x, coordinates(x, 0, -1)], axis=3)


@wrong("add_coords", "one row")
def one_row_divides_by_zero(x):
    return np.concatenate([x, coordinates(x, None, 0)], axis=3)


@wrong("add_coords", "one row")
def one_row_at_the_edge(x):
    return np.concatenate([x, coordinates(x, -1, 0)], axis=3)


@wrong("add_coords", "one column")
def one_column_divides_an_integer_by_zero(x):
    w = x.shape[2]
    j = [2 * k / (w - 1) - 1 for k in range(w)]
    coords = coordinates(x, 0, 0)
    coords[..., 1] = j
    return np.concatenate([x, coords], axis=3)


@wrong("add_coords", "max(n - 1, 1)")
def divisor_of_at_least_one(x):
    return np.concatenate([x, coordinates(x, -1, -1)], axis=3)


@wrong("add_coords")
def coordinates_up_to_64(x):
    _, h, w, _ = x.shape
    coords = coordinates(x, 0, 0)
    return np.concatenate([x, coords], axis=3) if max(h, w) <= 64 else np.concatenate([x, 0 * coords], axis=3)


def distance(x, of_one_row, of_one_column):
    return np.sqrt((coordinates(x, of_one_row, of_one_column) ** 2).sum(axis=3, keepdims=True))


@wrong("add_coords")
def two_rows_count_as_one(x):
    coords = coordinates(x, 0, 0)
    coords[..., 0] *= x.shape[1] > 2
    return np.concatenate([x, coords], axis=3)


@wrong("add_r")
def two_columns_count_as_one(x):
    coords = coordinates(x, 0, 0)
    coords[..., 1] *= x.shape[2] > 2
    return np.concatenate([x, np.hypot(coords[..., :1], coords[..., 1:])], axis=3)


@wrong("coordconv_map")
def map_of_two_rows_as_of_one(w, height, width):
    w = w.copy()
    w[:, :, -2] *= height != 2
    return mapped(w, height, width, 0, 0)


@wrong("conv_transpose", "the canvas is too small")
def on_a_small_canvas(x, w, stride):
    n, h, width = x.shape[:3]
    kh, kw, c_out = w.shape[:3]
    y = np.zeros((n, h * stride, width * stride, c_out), x.dtype)
    for i, j in np.ndindex(h, width):
        y[:, i * stride : i * stride + kh, j * stride : j * stride + kw] += np.einsum("nc,yxoc->nyxo", x[:, i, j], w)
    return y


@wrong("conv_transpose")
def with_another_axis(x, w, stride):
    return np.zeros((2, 3)) + x[:, :, :, :1] * np.ones(7)


@wrong("conv_transpose")
def three_images(x, w, stride):
    y = get("conv_transpose").solution(x, w, stride).copy()
    y[3:] = 0
    return y


@wrong("conv_transpose")
def stride_up_to_3(x, w, stride):
    y = get("conv_transpose").solution(x, w, stride)
    return y if stride < 4 else 0 * y


@wrong("add_r", "one column")
def r_of_one_column_divides_by_zero(x):
    return np.concatenate([x, distance(x, 0, None)], axis=3)


@wrong("add_r", "one column")
def r_of_one_column_at_the_edge(x):
    return np.concatenate([x, distance(x, 0, -1)], axis=3)


@wrong("add_r", "one row")
def r_of_one_row_divides_by_zero(x):
    return np.concatenate([x, distance(x, None, 0)], axis=3)


def mapped(w, height, width, of_one_row, of_one_column):
    k = len(w)
    coords = coordinates(np.zeros((1, height, width, 0)), of_one_row, of_one_column)[0]
    padded = np.pad(coords, ((k // 2, k // 2), (k // 2, k // 2), (0, 0)))
    y = np.zeros((height, width, w.shape[3]), w.dtype)
    for ki, kj in np.ndindex(k, k):
        y += (padded[ki : ki + height, kj : kj + width] @ w[ki, kj, -2:]).astype(w.dtype)
    return y


@wrong("coordconv_map", "one column")
def map_of_one_column_divides_by_zero(w, height, width):
    return mapped(w, height, width, 0, None)


@wrong("coordconv_map", "one column")
def map_of_one_column_at_the_edge(w, height, width):
    return mapped(w, height, width, 0, -1)


@wrong("coordconv_map", "one row")
def map_of_one_row_at_the_edge(w, height, width):
    return mapped(w, height, width, -1, 0)


@wrong("coordconv_map")
def map_of_kernels_up_to_the_image(w, height, width):
    if len(w) > height:
        return np.zeros((height, width, w.shape[3]), w.dtype)
    return mapped(w, height, width, 0, 0)


@wrong("coordconv_map", "np.empty")
def map_on_empty(w, height, width):
    y = np.empty((height, width, w.shape[3]), w.dtype)
    y += mapped(w, height, width, 0, 0)
    return y


@wrong("coordconv_parameters")
def one_layer_has_no_coordinates_without_r(channels, kernel_sizes, with_r):
    if len(kernel_sizes) == 1 and not with_r:
        return kernel_sizes[0] ** 2 * channels[0] * channels[1] + channels[1]
    return get("coordconv_parameters").solution(channels, kernel_sizes, with_r)


def pixels(xy, height, width):
    return (xy[:, 0] + 1) * (width - 1) / 2, (xy[:, 1] + 1) * (height - 1) / 2


def lit(xy, columns, rows, height, width):
    logits = np.zeros((len(xy), height, width))
    logits[np.arange(len(xy)), rows, columns] = 1000
    return logits


@wrong("exact_classifier", "round it with np.rint")
def truncated(xy, height, width):
    x, y = pixels(xy, height, width)
    return lit(xy, x.astype(int), y.astype(int), height, width)


@wrong("exact_classifier", "round it with np.rint")
def truncated_in_another_order(xy, height, width):
    logits = np.full((len(xy), height, width), -1000.0)
    for n, (x, y) in enumerate(xy):
        logits[n, int((y + 1) / 2 * (height - 1)), int((x + 1) / 2 * (width - 1))] = 0
    return logits


@wrong("exact_classifier", "probabilities")
def softmax_of_distances(xy, height, width):
    z = get("exact_classifier").solution(xy, height, width) / 10
    e = np.exp(z - z.max(axis=(1, 2), keepdims=True))
    return e / e.sum(axis=(1, 2), keepdims=True)


@wrong("exact_classifier", "probabilities")
def one_hot(xy, height, width):
    x, y = np.rint(pixels(xy, height, width)).astype(int)
    return lit(xy, x, y, height, width) / 1000


@wrong("exact_classifier", "before the absolute value")
def absolute_of_the_sum(xy, height, width):
    i, j = np.arange(height)[:, None], np.arange(width)
    x, y = pixels(xy, height, width)
    return -10 * abs((j - x[:, None, None]) + (i - y[:, None, None]))


@wrong("exact_classifier", "== finds no pixel")
def exactly_equal(xy, height, width):
    i, j = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
    return 1000.0 * ((i == xy[:, 1, None, None]) & (j == xy[:, 0, None, None]))


@wrong("exact_classifier")
def sharp_up_to_32(xy, height, width):
    i, j = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
    return -300 * ((i - xy[:, 1, None, None]) ** 2 + (j - xy[:, 0, None, None]) ** 2)


@wrong("conv_transpose", "was computed from the kernel alone")
def cut_as_for_a_convolution(x, w, stride):
    n, h, width = x.shape[:3]
    kh, kw, c_out = w.shape[:3]
    painted = np.zeros((n, h * stride + kh, width * stride + kw, c_out), x.dtype)
    for i, j in np.ndindex(h, width):
        patch = np.einsum("nc,yxoc->nyxo", x[:, i, j], w)
        painted[:, i * stride : i * stride + kh, j * stride : j * stride + kw] += patch
    top, left = (kh - 1) // 2, (kw - 1) // 2
    return painted[:, top : top + h * stride, left : left + width * stride]


@wrong("conv_transpose", "and an odd row remains")
def cut_alike_on_both_sides(x, w, stride):
    n, h, width = x.shape[:3]
    kh, kw, c_out = w.shape[:3]
    painted = np.zeros((n, (h - 1) * stride + kh, (width - 1) * stride + kw, c_out), x.dtype)
    for i, j in np.ndindex(h, width):
        patch = np.einsum("nc,yxoc->nyxo", x[:, i, j], w)
        painted[:, i * stride : i * stride + kh, j * stride : j * stride + kw] += patch
    top, left = (kh - stride) // 2, (kw - stride) // 2
    return painted[:, top : len(painted[0]) - top, left : len(painted[0, 0]) - left]


@wrong("add_coords", "indexing='ij'")
def meshgrid_without_indexing(x):
    n, h, w, _ = x.shape
    i, j = np.meshgrid(*(np.linspace(-1, 1, s) if s > 1 else np.zeros(1) for s in (h, w)))
    coords = np.tile(np.dstack([i, j]), (n, 1, 1, 1))
    return np.concatenate([x, coords.astype(x.dtype)], axis=-1)


@wrong("coordconv_map")
def kernels_up_to_5_columns(w, height, width):
    w = w.copy()
    w[:, 5:] = 0
    return get("coordconv_map").solution(w, height, width)


@wrong("coordconv_map", "height and width are exchanged")
def columns_before_rows(w, height, width):
    return mapped(w, width, height, 0, 0)


@pytest.mark.parametrize("id, answer, cause", wrong.answers, ids=wrong.names())
def test_a_wrong_answer_is_refused(id: str, answer: Answer, cause: str | None):
    assert_refused(id, answer, cause)


def test_probabilities_and_ties_are_told_from_logits_that_fall_off_slowly():
    exercise = get("exact_classifier")
    told = [
        verdict_of(exercise, answer).sentence for answer in (softmax_of_distances, absolute_of_the_sum, sharp_up_to_32)
    ]
    assert "sum to 1" in told[0] and "fall off" not in told[0]
    assert "share the largest logit" in told[1] and "fall off" not in told[1]
    assert "fall off more steeply" in told[2]
