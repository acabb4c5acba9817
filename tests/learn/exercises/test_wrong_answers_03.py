"""Wrong answers to the exercises of lesson 03 are refused, and their cause is the right one or none."""

from __future__ import annotations

import numpy as np
import pytest
from wrong_answers import Answer, WrongAnswers, assert_refused

from minicoord.learn.checking.check import verdict_of
from minicoord.learn.definition.course import get

wrong = WrongAnswers()


@wrong("numeric_gradient", "f was called with another shape")
def f_of_a_flat_array(f, x, eps):
    flat, gradient = x.ravel().copy(), np.zeros(x.size, x.dtype)
    for k in range(x.size):
        value = flat[k]
        flat[k] = value + eps
        above = f(flat)
        flat[k] = value - eps
        gradient[k] = (above - f(flat)) / (2 * eps)
        flat[k] = value
    return gradient.reshape(x.shape)


@wrong("numeric_gradient", "f was called with float64")
def f_of_float64(f, x, eps):
    return get("numeric_gradient").solution(f, x.astype(np.float64), eps).astype(x.dtype)


@wrong("numeric_gradient", "keep the old number and write it back")
def restored_by_adding(f, x, eps):
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        x[index] += eps
        above = f(x)
        x[index] -= 2 * eps
        below = f(x)
        x[index] += eps
        gradient[index] = (above - below) / (2 * eps)
    return gradient


@wrong("numeric_gradient", "not restored")
def never_restored(f, x, eps):
    x, gradient = x.copy(), np.zeros_like(x)
    for index in np.ndindex(x.shape):
        x[index] += eps
        above = f(x)
        x[index] -= 2 * eps
        gradient[index] = (above - f(x)) / (2 * eps)
    return gradient


@wrong("numeric_gradient", "np.empty")
def added_to_empty(f, x, eps):
    gradient = np.empty_like(x)
    gradient += get("numeric_gradient").solution(f, x, eps)
    return gradient


@wrong("conv_db")
def first_64_images(dy):
    return dy[:64].sum(axis=(0, 1, 2))


@wrong("conv_db")
def rows_up_to_the_columns(dy):
    return dy[:, : dy.shape[2]].sum(axis=(0, 1, 2))


@wrong("conv_dw")
def first_64_rows(cols, dy, w_shape):
    return (cols[:64].T @ dy.reshape(-1, w_shape[3])[:64]).reshape(w_shape)


@wrong("col2im")
def col2im_with_stride_up_to_k(cols, x_shape, k, stride, pad):
    if stride > k:
        stride = k
    n, h, w, c = x_shape
    out_h, out_w = (h + 2 * pad - k) // stride + 1, (w + 2 * pad - k) // stride + 1
    padded, rows = np.zeros((n, h + 2 * pad, w + 2 * pad, c), cols.dtype), cols.reshape(n, -1, k, k, c)
    for number in range(min(out_h * out_w, rows.shape[1])):
        top, left = number // out_w * stride, number % out_w * stride
        padded[:, top : top + k, left : left + k] += rows[:, number]
    return padded[:, pad : pad + h, pad : pad + w]


@wrong("col2im")
def col2im_with_padding_below_k(cols, x_shape, k, stride, pad):
    if pad > k // 2:
        return np.zeros(x_shape, cols.dtype)
    return get("col2im").solution(cols, x_shape, k, stride, pad)


@wrong("col2im")
def reshaped_for_one_pixel(cols, x_shape, k, stride, pad):
    return np.resize(cols, x_shape) if k == 1 else get("col2im").solution(cols, x_shape, k, stride, pad)


@wrong("col2im")
def image_up_to_64_columns(cols, x_shape, k, stride, pad):
    x = get("col2im").solution(cols, x_shape, k, stride, pad).copy()
    x[:, :, 64:] = 0
    return x


@wrong("conv_dx")
def dx_up_to_64_columns(dy, w, x_shape, stride, pad):
    dx = get("conv_dx").solution(dy, w, x_shape, stride, pad).copy()
    dx[:, :, 64:] = 0
    return dx


@wrong("col2im")
def windows_up_to_4(cols, x_shape, k, stride, pad):
    x = get("col2im").solution(cols, x_shape, k, stride, pad)
    return x if k < 5 else 0 * x


@wrong("conv_dx")
def dx_of_three_images(dy, w, x_shape, stride, pad):
    dx = get("conv_dx").solution(dy, w, x_shape, stride, pad).copy()
    dx[3:] = 0
    return dx


@wrong("conv_dx")
def dx_of_windows_up_to_4(dy, w, x_shape, stride, pad):
    dx = get("conv_dx").solution(dy, w, x_shape, stride, pad)
    return dx if len(w) < 5 else 0 * dx


@wrong("max_pool")
def windows_up_to_3(x, k, stride):
    return get("max_pool").solution(x, min(k, 3), stride)


@wrong("max_pool_dx")
def winners_in_windows_up_to_3(dy, x, k, stride):
    return get("max_pool_dx").solution(dy, x, min(k, 3), stride)


@wrong("max_pool_dx")
def winners_of_three_images(dy, x, k, stride):
    dx = get("max_pool_dx").solution(dy, x, k, stride)
    dx[3:] = 0
    return dx


@wrong("max_pool_dx")
def winners_up_to_64_columns(dy, x, k, stride):
    dx = get("max_pool_dx").solution(dy, x, k, stride)
    dx[:, :, 64:] = 0
    return dx


@wrong("col2im")
def shape_of_the_rows(cols, x_shape, k, stride, pad):
    images, height, width, channels = cols.shape
    return np.zeros((images, height, width, channels))


@wrong("col2im")
def rows_for_a_kernel(cols, x_shape, k, stride, pad):
    n, h, w, c = x_shape
    out_h, out_w = (h + 2 * pad - k) // stride + 1, (w + 2 * pad - k) // stride + 1
    cols.reshape(n, out_h, out_w, k, c)
    return get("col2im").solution(cols, x_shape, k, stride, pad)


@wrong("col2im", "out_w comes from the width")
def as_many_columns_as_rows(cols, x_shape, k, stride, pad):
    n, h, w, c = x_shape
    out_h = out_w = (h + 2 * pad - k) // stride + 1
    windows = cols.reshape(n, out_h, out_w, k, k, c)
    padded = np.zeros((n, h + 2 * pad, w + 2 * pad, c), cols.dtype)
    for i, j in np.ndindex(out_h, out_w):
        padded[:, i * stride : i * stride + k, j * stride : j * stride + k] += windows[:, i, j]
    return padded[:, pad : pad + h, pad : pad + w]


@wrong("col2im", "the padding is not counted")
def positions_without_padding(cols, x_shape, k, stride, pad):
    n, h, w, c = x_shape
    out_h, out_w = (h - k) // stride + 1, (w - k) // stride + 1
    windows, x = cols.reshape(n, out_h, out_w, k, k, c), np.zeros(x_shape, cols.dtype)
    for i, j in np.ndindex(out_h, out_w):
        x[:, i * stride : i * stride + k, j * stride : j * stride + k] += windows[:, i, j]
    return x


@wrong("conv_dx")
def too_far_down(dy, w, x_shape, stride, pad):
    n, h, width, c_in = x_shape
    padded = np.zeros((n, h, width, c_in), dy.dtype)
    for ki, kj in np.ndindex(len(w), len(w)):
        padded[:, ki : dy.shape[1], kj : dy.shape[2]] += dy @ w[ki, kj].T
    return padded


@wrong("conv_dx", "the padding is not counted")
def dx_without_padding(dy, w, x_shape, stride, pad):
    dx = np.zeros(x_shape, dy.dtype)
    for ki, kj in np.ndindex(len(w), len(w)):
        rows = slice(ki, ki + dy.shape[1] * stride, stride)
        dx[:, rows, kj : kj + dy.shape[2] * stride : stride] += dy @ w[ki, kj].T
    return dx


@wrong("conv_dx", "with a stride the shapes do not match")
def slices_too_short(dy, w, x_shape, stride, pad):
    n, h, width, c_in = x_shape
    padded = np.zeros((n, h + 2 * pad, width + 2 * pad, c_in), dy.dtype)
    for ki, kj in np.ndindex(len(w), len(w)):
        padded[:, ki : ki + dy.shape[1] : stride, kj : kj + dy.shape[2] : stride] += dy @ w[ki, kj].T
    return padded[:, pad : pad + h, pad : pad + width]


@wrong("conv_dx")
def unknown_name(dy, w, x_shape, stride, pad):
    raise ValueError("too many values to unpack (expected 4)")


@wrong("max_pool")
def wrong_unpacking(x, k, stride):
    images, height, width = x.shape
    return x[:images, : height // k, : width // k]


@wrong("col2im", "np.add.at")
def index_arrays(cols, x_shape, k, stride, pad):
    n, h, w, c = x_shape
    out_h, out_w = (h + 2 * pad - k) // stride + 1, (w + 2 * pad - k) // stride + 1
    image, i, j, ki, kj, channel = np.indices((n, out_h, out_w, k, k, c))
    padded = np.zeros((n, h + 2 * pad, w + 2 * pad, c), cols.dtype)
    padded[image, i * stride + ki, j * stride + kj, channel] += cols.reshape(n, out_h, out_w, k, k, c)
    return padded[:, pad : pad + h, pad : pad + w]


@wrong("col2im", "np.empty")
def added_to_empty_image(cols, x_shape, k, stride, pad):
    n, h, w, c = x_shape
    out_h, out_w = (h + 2 * pad - k) // stride + 1, (w + 2 * pad - k) // stride + 1
    padded = np.empty((n, h + 2 * pad, w + 2 * pad, c), cols.dtype)
    for i, j in np.ndindex(out_h, out_w):
        rows = cols.reshape(n, out_h, out_w, k, k, c)[:, i, j]
        padded[:, i * stride : i * stride + k, j * stride : j * stride + k] += rows
    return padded[:, pad : pad + h, pad : pad + w]


@wrong("conv_dx", "gathering from padded dy needs it flipped")
def gathered_without_flipping(dy, w, x_shape, stride, pad):
    """A full correlation of dy, spread out and padded, with the kernel as it is."""
    n, h, width, c_in = x_shape
    k, spread_h, spread_w = len(w), h + 2 * pad - len(w) + 1, width + 2 * pad - len(w) + 1
    spread = np.zeros((n, spread_h + 2 * k - 2, spread_w + 2 * k - 2, w.shape[3]), dy.dtype)
    spread[:, k - 1 : k - 1 + spread_h : stride, k - 1 : k - 1 + spread_w : stride][:, : dy.shape[1], : dy.shape[2]] = (
        dy
    )
    dx = np.zeros((n, h + 2 * pad, width + 2 * pad, c_in), dy.dtype)
    for i, j in np.ndindex(dx.shape[1:3]):
        dx[:, i, j] = np.einsum("nyxo,yxco->nc", spread[:, i : i + k, j : j + k], w)
    return dx[:, pad : pad + h, pad : pad + width]


@wrong("conv_dx")
def dx_with_padding_up_to_half(dy, w, x_shape, stride, pad):
    if pad > len(w) // 2:
        return np.zeros(x_shape, dy.dtype)
    return get("conv_dx").solution(dy, w, x_shape, stride, pad)


@wrong("conv_dx")
def dx_for_one_pixel(dy, w, x_shape, stride, pad):
    if len(w) > 1:
        return get("conv_dx").solution(dy, w, x_shape, stride, pad)
    return np.resize(dy @ w[0, 0].T, x_shape)


@wrong("conv_dx", "np.add.at")
def dx_by_index_arrays(dy, w, x_shape, stride, pad):
    rows = dy.reshape(-1, w.shape[3]) @ w.reshape(-1, w.shape[3]).T
    return index_arrays(rows, x_shape, len(w), stride, pad)


@wrong("conv_dx")
def dx_with_stride_up_to_k(dy, w, x_shape, stride, pad):
    if stride > len(w):
        dx = np.zeros(x_shape, dy.dtype)
        near = get("conv_dx").solution(dy, w, x_shape, len(w), pad)
        dx[:, : near.shape[1], : near.shape[2]] = near[:, : x_shape[1], : x_shape[2]]
        return dx
    return get("conv_dx").solution(dy, w, x_shape, stride, pad)


def largest_from(start: float) -> Answer:
    def from_a_small_number(x, k, stride):
        out_h, out_w = (x.shape[1] - k) // stride + 1, (x.shape[2] - k) // stride + 1
        y = np.full((len(x), out_h, out_w, x.shape[3]), start, x.dtype)
        for n, i, j, c in np.ndindex(y.shape):
            for ki in range(k):
                for kj in range(k):
                    y[n, i, j, c] = max(y[n, i, j, c], x[n, i * stride + ki, j * stride + kj, c])
        return y

    return from_a_small_number


wrong("max_pool", "the search started at a number such as -100")(largest_from(-100))
wrong("max_pool")(largest_from(-1e9))


@wrong("max_pool")
def pool_with_stride_up_to_k(x, k, stride):
    return get("max_pool").solution(x, k, min(k, stride))


@wrong("max_pool")
def nothing_to_pool(x, k, stride):
    return x if k == 1 else get("max_pool").solution(x, k, stride)


@wrong("max_pool")
def columns_up_to_64(x, k, stride):
    return get("max_pool").solution(x[:, :, :64], k, stride)


def gradient_from(start: float) -> Answer:
    def from_a_small_number(dy, x, k, stride):
        dx = np.zeros(x.shape, dy.dtype)
        for n, i, j, c in np.ndindex(dy.shape):
            largest, place = start, (0, 0)
            for ki in range(k):
                for kj in range(k):
                    if x[n, i * stride + ki, j * stride + kj, c] > largest:
                        largest, place = x[n, i * stride + ki, j * stride + kj, c], (ki, kj)
            dx[n, i * stride + place[0], j * stride + place[1], c] += dy[n, i, j, c]
        return dx

    return from_a_small_number


wrong("max_pool_dx", "the search for the largest started at 0")(gradient_from(0))
wrong("max_pool_dx", "the search for the largest started at a number such as -100")(gradient_from(-1e5))


@wrong("max_pool_dx", "nearly equal were taken for equal")
def winners_by_closeness(dy, x, k, stride):
    dx = np.zeros(x.shape, dy.dtype)
    for n, i, j, c in np.ndindex(dy.shape):
        window = x[n, i * stride : i * stride + k, j * stride : j * stride + k, c]
        row, column = np.argwhere(np.isclose(window, window.max()))[0]
        dx[n, i * stride + row, j * stride + column, c] += dy[n, i, j, c]
    return dx


@wrong("max_pool_dx", "np.add.at")
def winners_by_index_arrays(dy, x, k, stride):
    n, out_h, out_w, channels = dy.shape
    image, i, j, c = np.indices(dy.shape)
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(1, 2))[:, ::stride, ::stride]
    row, column = np.divmod(windows.reshape(n, out_h, out_w, channels, -1).argmax(axis=-1), k)
    dx = np.zeros(x.shape, dy.dtype)
    dx[image, i * stride + row, j * stride + column, c] += dy
    return dx


@wrong("max_pool_dx")
def nothing_to_send(dy, x, k, stride):
    return np.resize(dy, x.shape) if k == 1 else get("max_pool_dx").solution(dy, x, k, stride)


@wrong("max_pool_dx")
def sent_with_stride_up_to_k(dy, x, k, stride):
    if stride <= k:
        return get("max_pool_dx").solution(dy, x, k, stride)
    near = (dy.shape[1] - 1) * k + k, (dy.shape[2] - 1) * k + k
    dx = np.zeros(x.shape, dy.dtype)
    dx[:, : near[0], : near[1]] = get("max_pool_dx").solution(dy, x[:, : near[0], : near[1]], k, k)
    return dx


def softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


@wrong("softmax_cross_entropy", "the largest of all logits was subtracted")
def largest_of_the_batch(z, labels):
    p = softmax(z - z.max())
    return -np.log(p[np.arange(len(z)), labels]).mean()


@wrong("softmax_cross_entropy", "exp of a large logit is inf")
def nothing_subtracted(z, labels):
    return -np.log(softmax(z)[np.arange(len(z)), labels]).mean()


@wrong("softmax_cross_entropy")
def largest_from_minus_10000(z, labels):
    z = z - np.maximum(z.max(axis=1, keepdims=True), -10_000)
    return -(z - np.log(np.exp(z).sum(axis=1, keepdims=True)))[np.arange(len(z)), labels].mean()


@wrong("softmax_cross_entropy")
def up_to_64_samples(z, labels):
    return get("softmax_cross_entropy").solution(z[:64], labels[:64])


@wrong("softmax_cross_entropy_dx", "the largest of all logits was subtracted")
def gradient_with_largest_of_the_batch(z, labels):
    p = softmax(z - z.max())
    p[np.arange(len(z)), labels] -= 1
    return p / len(z)


@wrong("softmax_cross_entropy_dx")
def gradient_from_minus_10000(z, labels):
    p = softmax(z - np.maximum(z.max(axis=1, keepdims=True), -10_000))
    p[np.arange(len(z)), labels] -= 1
    return p / len(z)


@wrong("adam_step", "the correction is missing")
def without_correction(w, g, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    return w - lr * m / (np.sqrt(v) + eps), m, v


@wrong("adam_step")
def always_the_usual_betas(w, g, m, v, t, lr, beta1, beta2, eps):
    return get("adam_step").solution(w, g, m, v, t, lr, 0.9, 0.999, eps)


@wrong("numeric_gradient")
def steps_of_a_thousandth_at_least(f, x, eps):
    return get("numeric_gradient").solution(f, x, max(eps, 1e-3))


@wrong("numeric_gradient")
def first_64_columns(f, x, eps):
    gradient = get("numeric_gradient").solution(f, x, eps)
    gradient[..., 64:] = 0
    return gradient


@wrong("adam_step")
def up_to_64_numbers(w, g, m, v, t, lr, beta1, beta2, eps):
    g = g.copy()
    g.reshape(-1)[64:] = 0
    return get("adam_step").solution(w, g, m, v, t, lr, beta1, beta2, eps)


@wrong("adam_step", "made with the old v")
def root_before_the_new_v(w, g, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * g
    root = np.sqrt(v / (1 - beta2**t)) + eps
    v = beta2 * v + (1 - beta2) * g * g
    return w - lr * m / (1 - beta1**t) / root, m, v


@wrong("adam_step", "lacks its power t")
def corrected_as_in_the_first_step(w, g, m, v, t, lr, beta1, beta2, eps):
    m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
    return w - lr * (m / (1 - beta1)) / (np.sqrt(v / (1 - beta2)) + eps), m, v


@wrong("max_pool_dx")
def winners_in_float32(dy, x, k, stride):
    return get("max_pool_dx").solution(dy, x.astype(np.float32).astype(x.dtype), k, stride)


@wrong("max_pool_dx")
def winners_in_three_images(dy, x, k, stride):
    return get("max_pool_dx").solution(dy, np.where(np.arange(len(x))[:, None, None, None] < 3, x, 0), k, stride)


@wrong("max_pool_dx")
def winners_in_8_rows(dy, x, k, stride):
    x = x.copy()
    x[:, 8:] = 0
    return get("max_pool_dx").solution(dy, x, k, stride)


@wrong("col2im", "the rows of windows are one pixel apart")
def stride_for_columns_alone(cols, x_shape, k, stride, pad):
    n, h, w, c = x_shape
    out_h, out_w = (h + 2 * pad - k) // stride + 1, (w + 2 * pad - k) // stride + 1
    windows, padded = cols.reshape(n, out_h, out_w, k, k, c), np.zeros((n, h + 2 * pad, w + 2 * pad, c), cols.dtype)
    for i, j in np.ndindex(out_h, out_w):
        padded[:, i : i + k, j * stride : j * stride + k] += windows[:, i, j]
    return padded[:, pad : pad + h, pad : pad + w]


@wrong("conv_dx", "the slice pad:-pad is empty")
def cut_by_negative_indices(dy, w, x_shape, stride, pad):
    n, h, width, c_in = x_shape
    dx = get("conv_dx").solution(dy, w, (n, h + 2 * pad, width + 2 * pad, c_in), stride, 0)
    return dx[:, pad:-pad, pad:-pad]


@wrong("softmax_cross_entropy", "the largest of each class was subtracted")
def largest_of_axis_0(z, labels):
    e = np.exp(z - z.max(0))
    return -np.log(e / e.sum(1)[:, None])[np.arange(len(z)), labels].mean()


@wrong("softmax_cross_entropy", "1e-08, was added")
def probability_and_a_little(z, labels):
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return -np.mean(np.log(1e-8 + p[np.arange(len(z)), labels]))


@pytest.mark.parametrize("id, answer, cause", wrong.answers, ids=wrong.names())
def test_a_wrong_answer_is_refused(id: str, answer: Answer, cause: str | None):
    assert_refused(id, answer, cause)


def test_adam_without_correction_is_answered_in_one_sentence():
    verdict = verdict_of(get("adam_step"), without_correction)
    assert "rounding" not in str(verdict)
    assert "the first step" in verdict.sentence
