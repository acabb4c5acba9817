"""Answers as learners write them: right ones in another style pass, and no wrong one is given a false cause."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from minicoord.learn.checking.check import python_verdict
from minicoord.learn.definition.course import get

Answer = Callable[..., Any]

RIGHT: list[tuple[str, Answer]] = []


def right(id: str) -> Callable[[Answer], Answer]:
    """Return a decorator that adds a function as a right answer to this exercise."""

    def take(function: Answer) -> Answer:
        RIGHT.append((id, function))
        return function

    return take


@right("pixel_index")
def raveled(x, y, height, width):
    return np.ravel_multi_index((y, x), (height, width))


@right("pixel_index")
def in_another_int(x, y, height, width):
    return np.array([int(b) * width + int(a) for a, b in zip(x, y, strict=True)], dtype=np.int32)


@right("draw_square")
def compared(x, y, side, height, width):
    rows, columns = np.arange(height)[:, None], np.arange(width)
    near_row = abs(rows - y[:, None, None]) <= side // 2
    return (near_row & (abs(columns - x[:, None, None]) <= side // 2))[..., None].astype("float32")


@right("one_hot")
def rows_of_eye(x, y, height, width):
    return np.eye(height * width, dtype=np.float32)[y * width + x].reshape(-1, height, width, 1)


@right("quadrant_split")
def multiplied(x, y, height, width):
    return np.logical_and(2 * x > width, 2 * y > height)


@right("conv_out_size")
def counted(n, k, stride, pad):
    return len(range(0, n + 2 * pad - k + 1, stride))


@right("conv_loops")
def windows_and_einsum(x, w, b, stride, pad):
    padded = np.pad(x, [(0, 0), (pad, pad), (pad, pad), (0, 0)])
    windows = sliding_window_view(padded, w.shape[:2], axis=(1, 2))[:, ::stride, ::stride]
    return np.einsum("nijcyx,yxco->nijo", windows, w) + b


@right("im2col_index")
def numpy_numbers(place, pixel, out_h, out_w, k, channels):
    return np.ravel_multi_index(place, (9, out_h, out_w)), np.ravel_multi_index(pixel, (k, k, channels))


@right("im2col")
def read_only_and_by_columns(x, k, stride, pad):
    padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    windows = sliding_window_view(padded, (k, k), axis=(1, 2))[:, ::stride, ::stride]
    rows = np.asfortranarray(windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, k * k * x.shape[3]))
    rows.flags.writeable = False
    return rows


@right("conv_product")
def tensordot(cols, w, b):
    return np.tensordot(cols.reshape(len(cols), *w.shape[:3]), w, 3) + b


@right("numeric_gradient")
def with_unit_steps(f, x, eps):
    steps = eps * np.eye(x.size, dtype=x.dtype).reshape(-1, *x.shape)
    return np.array([(f(x + step) - f(x - step)) / (2 * eps) for step in steps], x.dtype).reshape(x.shape)


@right("conv_db")
def einsum_of_one(gradient, /, letters="nijo->o"):
    return np.einsum(letters, gradient)


@right("conv_dw")
def sum_of_outer_products(cols, dy, w_shape):
    pairs = zip(cols, dy.reshape(len(cols), -1), strict=True)
    return functools.reduce(np.add, (np.outer(row, gradient) for row, gradient in pairs)).reshape(w_shape)


@right("col2im")
def add_at(cols, x_shape, k, stride, pad):
    numbers = np.arange(1, math.prod(x_shape) + 1).reshape(x_shape)
    places = get("im2col").solution(numbers, k, stride, pad)
    image = np.zeros(numbers.size + 1, cols.dtype)
    np.add.at(image, places, cols)
    return image[1:].reshape(x_shape)


@right("conv_dx")
def rows_sent_back(dy, w, x_shape, stride, pad):
    rows = dy.reshape(-1, w.shape[3]) @ w.reshape(-1, w.shape[3]).T
    return add_at(rows, x_shape, len(w), stride, pad)


@right("max_pool")
def broadcast_view(x, k, stride):
    largest = sliding_window_view(x, (k, k), axis=(1, 2))[:, ::stride, ::stride].max(axis=(4, 5))
    return np.broadcast_to(largest, largest.shape)


@right("softmax_cross_entropy")
def with_floats_of_python(z, labels):
    total = 0.0
    for row, label in zip(z.tolist(), labels, strict=True):
        top = max(row)
        total += top + math.log(sum(math.exp(number - top) for number in row)) - row[label]
    return total / len(z)


@right("softmax_cross_entropy")
def array_of_no_axes(z, labels):
    return np.array(np.mean(np.logaddexp.reduce(z, axis=1) - np.take_along_axis(z, labels[:, None], 1)[:, 0]))


@right("adam_step")
def rearranged(w, g, m, v, t, lr, beta1, beta2, eps):
    m, v = m + (1 - beta1) * (g - m), v + (1 - beta2) * (g * g - v)
    root = math.sqrt(1 - beta2**t)
    return w - lr * root / (1 - beta1**t) * m / (np.sqrt(v) + eps * root), m, v


@right("add_coords")
def with_meshgrid(x):
    _, h, w, _ = x.shape
    axes = (np.linspace(-1, 1, size) if size > 1 else np.zeros(1) for size in (h, w))
    coords = np.stack(np.meshgrid(*axes, indexing="ij"), -1).astype(x.dtype)
    return np.concatenate((x, np.tile(coords, (len(x), 1, 1, 1))), -1)


@right("exact_classifier")
def one_number_a_place(xy, height, width):
    logits = np.zeros((len(xy), height, width))
    for n, (x, y) in enumerate(xy):
        logits[n, round(float((y + 1) / 2 * (height - 1))), round(float((x + 1) / 2 * (width - 1)))] = 100
    return logits


@right("exact_classifier")
def logarithm_of_one_hot(xy, height, width):
    with np.errstate(divide="ignore"):
        return np.log(one_number_a_place(xy, height, width) / 100)


@right("exact_regressor")
def just_enough(height, width):
    half = np.array([width - 1, height - 1]) / 2
    return np.array([2 * half, [0, half[1]], [half[0], 0], -half])


@right("iou")
def nan_to_num(probabilities, target):
    drawn, expected = probabilities > 0.5, target > 0
    return np.nan_to_num((drawn & expected).sum((1, 2)) / (drawn | expected).sum((1, 2)), nan=1.0)


@right("pointed_at")
def averages(logits):
    p = np.exp(logits - logits.max((1, 2), keepdims=True))
    places = [[np.average(np.arange(q.shape[a]), weights=q.sum(1 - a)) for a in (1, 0)] for q in p]
    return np.array(places, logits.dtype)


@right("residual_dx")
def picked_by_where(dy, y, through_body, through_shortcut):
    dz = np.where(y == 0, 0, dy).astype(dy.dtype)
    dx = through_shortcut(dz).copy()
    dx += through_body(dz)
    return dx


@right("front_features")
def one_channel_after_the_other(x, w, b):
    _, h, width, c = x.shape
    i, j = (np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in (h, width))
    of_i, of_j, of_r = w[0, 0, c:]
    i = i[:, None, None]
    the_map = i * of_i + j[:, None] * of_j + np.hypot(i, j[:, None]) * of_r
    return (np.einsum("nhwc,co->nhwo", x, w[0, 0, :c]) + the_map + b).astype(x.dtype)


@right("paired_interval")
def by_percentiles_of_a_loop(a, b, chosen):
    points = [100 * float(first - second) for first, second in zip(a, b, strict=True)]
    means = [sum(points[k] for k in row) / len(row) for row in chosen]
    return sum(points) / len(points), np.percentile(means, 2.5), np.percentile(means, 97.5)


@right("policy_entropy_dx")
def through_the_jacobian(logits):
    dz = np.zeros_like(logits)
    for b, z in enumerate(logits):
        p = np.exp(z - z.max())
        p /= p.sum()
        jacobian = np.diag(p) - np.outer(p, p)
        dz[b] = jacobian @ -(np.log(np.maximum(p, 1e-300)) + 1) / len(logits)
    return dz


@right("walk_codes")
def from_the_start_on(start, end, n):
    t = np.linspace(0, 1, n, dtype=start.dtype)[:, None]
    line = start + t * (end - start)
    length = np.sqrt((line**2).sum(axis=1, keepdims=True))
    wanted = np.linalg.norm(start) + t * (np.linalg.norm(end) - np.linalg.norm(start))
    return np.where(length > 0, line / np.where(length > 0, length, 1) * wanted, 0).astype(start.dtype)


@right("n_step_returns")
def with_masks(rewards, ended, cut, after, gamma):
    returns, following = np.zeros_like(rewards, order="F"), after[-1]
    for t in range(len(rewards))[::-1]:
        following = rewards[t] + gamma * (after[t] * cut[t] + following * ~cut[t]) * ~ended[t]
        returns[t] = following
    return returns


@right("clip_norm")
def with_hypot(dw, db, most):
    norm = np.hypot(np.linalg.norm(dw), np.linalg.norm(db))
    factor = dw.dtype.type(most / max(norm, most))
    return dw * factor, db * factor


@right("policy_entropy")
def of_log_sum_exp(logits):
    largest = logits.max(axis=1, keepdims=True)
    e = np.exp(logits - largest)
    total = e.sum(axis=1)
    return np.mean(np.log(total) - (e * (logits - largest)).sum(axis=1) / total)


@pytest.mark.parametrize("id, answer", RIGHT, ids=[f"{id}-{answer.__name__}" for id, answer in RIGHT])
def test_a_right_answer_in_another_style_passes(id: str, answer: Answer):
    for seed in (0, 1, 2, 3):
        verdict = python_verdict(get(id), answer, list(get(id).cases(np.random.default_rng(seed))))
        assert verdict.passed, f"seed {seed}: {verdict}"


def complex_logits(xy, height, width):
    return one_number_a_place(xy, height, width) * (1 + 0j)


def nowhere_in_the_first(xy, height, width):
    logits = get("exact_classifier").solution(xy, height, width)
    logits[0] = -np.inf
    return logits


def cut_by_the_width(x, w, stride):
    """Crop the rows as much as the columns, which shows where the kernel is 4 x 5 and the stride 3."""
    right = get("conv_transpose").solution(x, w, stride)
    return np.roll(right, (w.shape[1] - w.shape[0]) // 2 if stride == 1 else w.shape[1] - w.shape[0], axis=1)


@pytest.mark.parametrize(
    "id, answer, words",
    [
        ("exact_classifier", complex_logits, "got complex128, expected real numbers."),
        ("exact_classifier", nowhere_in_the_first, "some logits are infinite or not a number"),
        ("conv_transpose", cut_by_the_width, "wrong values"),
    ],
)
def test_an_uncommon_wrong_answer_gets_a_sentence_and_no_cause(id: str, answer: Answer, words: str):
    verdict = python_verdict(get(id), answer, list(get(id).cases(np.random.default_rng(0))))
    assert not verdict.passed and words in verdict.sentence
    assert verdict.cause in (None, "all numbers of the result are the same")
