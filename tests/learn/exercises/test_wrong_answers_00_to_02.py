"""Wrong answers to the exercises of lessons 00 to 02 are refused, and their cause is the right one or none."""

from __future__ import annotations

import numpy as np
import pytest
from wrong_answers import Answer, WrongAnswers, assert_refused

from minicoord.learn.definition.course import get

wrong = WrongAnswers()


@wrong("pixel_index", "int16")
def in_16_bits(x, y, height, width):
    return (y * width + x).astype(np.int16)


@wrong("pixel_index")
def in_unsigned_16_bits(x, y, height, width):
    return (y * width + x).astype(np.uint16)


@wrong("pixel_index")
def at_most_64_columns(x, y, height, width):
    return y * min(width, 64) + x


@wrong("draw_square", "every image got the squares of all of them")
def all_squares_in_all_images(x, y, side, height, width):
    images = np.zeros((len(x), height, width, 1), np.float32)
    half = side // 2
    for k in range(len(x)):
        images[:, y[k] - half : y[k] + half + 1, x[k] - half : x[k] + half + 1] = 1
    return images


@wrong("draw_square")
def at_most_9(x, y, side, height, width):
    return get("draw_square").solution(x, y, min(side, 9), height, width)


@wrong("draw_square")
def canvas_up_to_64(x, y, side, height, width):
    images = np.zeros((len(x), 64, 64, 1), np.float32)
    half = side // 2
    for k in range(len(x)):
        images[k, y[k] - half : y[k] + half + 1, x[k] - half : x[k] + half + 1] = 1
    return images[:, :height, :width]


@wrong("draw_square", "np.empty")
def on_an_empty_canvas(x, y, side, height, width):
    images = np.empty((len(x), height, width, 1), np.float32)
    half = side // 2
    for k in range(len(x)):
        images[k, y[k] - half : y[k] + half + 1, x[k] - half : x[k] + half + 1] = 1
    return images


@wrong("one_hot", "np.empty")
def pixel_on_an_empty_canvas(x, y, height, width):
    images = np.empty((len(x), height, width, 1), np.float32)
    images[np.arange(len(x)), y, x, 0] = 1
    return images


@wrong("one_hot")
def pixel_up_to_64(x, y, height, width):
    images = np.zeros((len(x), max(height, 64), 64, 1), np.float32)
    x = np.minimum(x, 63)
    images[np.arange(len(x)), y, x, 0] = 1
    return images[:, :height, :width] if width <= 64 else np.pad(images, [(0, 0), (0, 0), (0, width - 64), (0, 0)])


@wrong("quadrant_split", "half is width / 2, not (width - 1) / 2")
def half_of_one_less(x, y, height, width):
    return (x > (width - 1) / 2) & (y > (height - 1) / 2)


@wrong("quadrant_split")
def half_is_32_at_most(x, y, height, width):
    return (x > min(width / 2, 32)) & (y > min(height / 2, 32))


@wrong("conv_out_size")
def stride_up_to_the_window(n, k, stride, pad):
    return (n + 2 * pad - k) // min(stride, k) + 1


@wrong("conv_out_size")
def padding_up_to_half_the_window(n, k, stride, pad):
    return (n + 2 * min(pad, k // 2) - k) // stride + 1


@wrong("conv_out_size")
def as_many_as_pixels(n, k, stride, pad):
    return n if k == 1 else (n + 2 * pad - k) // stride + 1


@wrong("im2col_index")
def always_a_window_of_3(place, pixel, out_h, out_w, k, channels):
    return get("im2col_index").solution(place, pixel, out_h, out_w, 3, channels)


@wrong("im2col_index")
def rows_as_the_longer_side(place, pixel, out_h, out_w, k, channels):
    return get("im2col_index").solution(place, pixel, min(out_h, out_w), max(out_h, out_w), k, channels)


@wrong("im2col")
def stride_up_to_k(x, k, stride, pad):
    return get("im2col").solution(x, k, min(stride, k), pad)


@wrong("im2col")
def padding_up_to_half(x, k, stride, pad):
    return get("im2col").solution(x, k, stride, min(pad, k // 2))


@wrong("im2col")
def padding_below_k(x, k, stride, pad):
    return get("im2col").solution(x, k, stride, min(pad, k - 1))


@wrong("im2col")
def shortcut_for_one_pixel(x, k, stride, pad):
    return x.reshape(-1, x.shape[3]) if k == 1 else get("im2col").solution(x, k, stride, pad)


@wrong("im2col", "the rows of windows are one pixel apart")
def stride_for_columns_alone(x, k, stride, pad):
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    n, h, w, _ = x.shape
    rows = []
    for image in range(n):
        for i in range((h - k) // stride + 1):
            for j in range((w - k) // stride + 1):
                rows.append(x[image, i : i + k, j * stride : j * stride + k].ravel())
    return np.array(rows)


@wrong("im2col", "the columns of windows are one pixel apart")
def stride_for_rows_alone(x, k, stride, pad):
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    n, h, w, _ = x.shape
    rows = []
    for image in range(n):
        for i in range((h - k) // stride + 1):
            for j in range((w - k) // stride + 1):
                rows.append(x[image, i * stride : i * stride + k, j : j + k].ravel())
    return np.array(rows)


@wrong("conv_loops")
def loops_with_stride_up_to_k(x, w, b, stride, pad):
    return get("conv_loops").solution(x, w, b, min(stride, len(w)), pad)


@wrong("conv_loops")
def loops_with_padding_up_to_half(x, w, b, stride, pad):
    return get("conv_loops").solution(x, w, b, stride, min(pad, len(w) // 2))


@wrong("conv_loops")
def product_for_one_pixel(x, w, b, stride, pad):
    return x @ w[0, 0] + b if len(w) == 1 else get("conv_loops").solution(x, w, b, stride, pad)


@wrong("conv_loops", "that is the mean of the products")
def mean_of_products(x, w, b, stride, pad):
    return convolved(x, w, b, stride, pad, lambda products: np.mean(products))


@wrong("conv_loops", "every output comes from the first image")
def first_image_for_all(x, w, b, stride, pad):
    return convolved(np.broadcast_to(x[:1], x.shape), w, b, stride, pad, np.sum)


@wrong("conv_loops", "only the first image was convolved")
def first_image_alone(x, w, b, stride, pad):
    return convolved(x[:1], w, b, stride, pad, np.sum)


@wrong("conv_loops", "the rows of windows are one pixel apart")
def loops_with_stride_for_columns_alone(x, w, b, stride, pad):
    right = get("conv_loops").solution
    return right(x, w, b, 1, pad)[:, : right(x, w, b, stride, pad).shape[1], ::stride]


@wrong("conv_loops", "np.empty")
def added_to_empty(x, w, b, stride, pad):
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    k, _, _, c_out = w.shape
    y = np.empty((len(x), (x.shape[1] - k) // stride + 1, (x.shape[2] - k) // stride + 1, c_out), x.dtype)
    for n, i, j, o in np.ndindex(y.shape):
        for ki in range(k):
            for kj in range(k):
                y[n, i, j, o] += np.sum(x[n, i * stride + ki, j * stride + kj] * w[ki, kj, :, o])
    return y + b


@wrong("conv_loops", "once for each pixel of the window")
def bias_in_the_loop_over_the_window(x, w, b, stride, pad):
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    k, _, _, c_out = w.shape
    y = np.zeros((len(x), (x.shape[1] - k) // stride + 1, (x.shape[2] - k) // stride + 1, c_out), x.dtype)
    for n, i, j in np.ndindex(y.shape[:3]):
        for ki, kj in np.ndindex(k, k):
            y[n, i, j] += x[n, i * stride + ki, j * stride + kj] @ w[ki, kj] + b
    return y


def convolved(x, w, b, stride, pad, collect):
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    k, _, _, c_out = w.shape
    y = np.zeros((len(x), (x.shape[1] - k) // stride + 1, (x.shape[2] - k) // stride + 1, c_out), x.dtype)
    for n, i, j, o in np.ndindex(y.shape):
        y[n, i, j, o] = collect(x[n, i * stride : i * stride + k, j * stride : j * stride + k] * w[..., o]) + b[o]
    return y


@wrong("im2col")
def rows_of_three_images(x, k, stride, pad):
    return get("im2col").solution(x[:3], k, stride, pad)


@wrong("im2col")
def rows_with_stride_up_to_3(x, k, stride, pad):
    return get("im2col").solution(x, k, min(stride, 3), pad)


@wrong("conv_loops")
def three_images(x, w, b, stride, pad):
    return get("conv_loops").solution(x[:3], w, b, stride, pad)


@wrong("conv_loops")
def loops_with_stride_up_to_3(x, w, b, stride, pad):
    return get("conv_loops").solution(x, w, b, min(stride, 3), pad)


@wrong("im2col")
def rows_of_the_first_64_columns(x, k, stride, pad):
    x = x.copy()
    x[:, :, 64:] = 0
    return get("im2col").solution(x, k, stride, pad)


@wrong("conv_loops")
def up_to_64_columns(x, w, b, stride, pad):
    y = get("conv_loops").solution(x, w, b, stride, pad)
    y[:, :, 64:] = 0
    return y


@wrong("conv_loops", "loop over all of them")
def the_first_image_has_an_output(x, w, b, stride, pad):
    y = np.zeros_like(get("conv_loops").solution(x, w, b, stride, pad))
    y[:1] = get("conv_loops").solution(x[:1], w, b, stride, pad)
    return y


@wrong("conv_product")
def square_kernels_alone(cols, w, b):
    kh, kw, c_in, c_out = w.shape
    side = min(kh, kw)
    return cols[:, : side * kw * c_in] @ w[:side].reshape(-1, c_out) + b


@wrong("quadrant_split")
def half_of_at_least_4(x, y, height, width):
    return (x > max(width / 2, 4)) & (y > max(height / 2, 4))


@wrong("quadrant_split", "the middle of the centres")
def beyond_the_mean(x, y, height, width):
    if len(x) == 0:
        return np.zeros(0, bool)
    return (x > np.mean(x)) & (y > np.mean(y))


@wrong("conv_out_size")
def windows_up_to_64(n, k, stride, pad):
    return (n + 2 * pad - min(k, 64)) // stride + 1


@wrong("conv_out_size")
def strides_up_to_64(n, k, stride, pad):
    return (n + 2 * pad - k) // min(stride, 64) + 1


@wrong("conv_out_size")
def windows_of_2_at_least(n, k, stride, pad):
    return (n + 2 * pad - max(k, 2)) // stride + 1


@wrong("conv_out_size", "was rounded; where too few pixels")
def rounded_to_the_nearest(n, k, stride, pad):
    return int(np.rint((n + 2 * pad - k) / stride)) + 1


@wrong("conv_out_size", "one pixel too few was counted")
def without_the_pixel_of_the_window(n, k, stride, pad):
    return 1 + (n + 2 * pad - (k + 1)) // stride


@wrong("conv_out_size", "the padding was halved")
def padding_on_both_sides_together(n, k, stride, pad):
    return (n - k + pad // 2) // stride + 1


@wrong("im2col_index")
def windows_of_3_at_least(place, pixel, out_h, out_w, k, channels):
    return get("im2col_index").solution(place, pixel, out_h, out_w, max(k, 3), channels)


@wrong("im2col_index")
def up_to_64_channels(place, pixel, out_h, out_w, k, channels):
    return get("im2col_index").solution(place, pixel, out_h, out_w, k, min(channels, 64))


@wrong("one_hot", "x and y are exchanged")
def row_and_column_exchanged(x, y, height, width):
    images = np.zeros((len(x), height, width, 1), np.float32)
    for k in range(len(x)):
        images[k, x[k], y[k]] = 1
    return images


@wrong("draw_square", "each needs a canvas of its own")
def one_canvas_for_all(x, y, side, height, width):
    canvas, images, half = np.zeros((height, width, 1), np.float32), [], side // 2
    for a, b in zip(x, y, strict=True):
        canvas[b - half : b + half + 1, a - half : a + half + 1] = 1
        images.append(canvas)
    return np.array(images, np.float32).reshape(-1, height, width, 1)


@wrong("conv_loops", "the sum was not set back to 0")
def one_sum_for_all_outputs(x, w, b, stride, pad):
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    k, _, _, c_out = w.shape
    y = np.zeros((len(x), (x.shape[1] - k) // stride + 1, (x.shape[2] - k) // stride + 1, c_out), x.dtype)
    total = x.dtype.type(0)
    for n, i, j, o in np.ndindex(y.shape):
        for ki, kj in np.ndindex(k, k):
            total += x[n, i * stride + ki, j * stride + kj] @ w[ki, kj, :, o]
        y[n, i, j, o] = total + b[o]
    return y


@wrong("conv_loops", "out_w comes from the width")
def as_many_columns_as_rows(x, w, b, stride, pad):
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    k, side = len(w), (x.shape[1] - len(w)) // stride + 1
    y = np.zeros((len(x), side, side, w.shape[3]), x.dtype)
    for n, i, j in np.ndindex(y.shape[:3]):
        window = x[n, i * stride : i * stride + k, j * stride : j * stride + k]
        for o in range(w.shape[3]):
            y[n, i, j, o] = (window * w[..., o]).sum() + b[o]
    return y


@wrong("im2col", "numbered by i * out_h + j")
def counted_by_out_h(x, k, stride, pad):
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    n, h, w, c = x.shape
    out_h, out_w = (h - k) // stride + 1, (w - k) // stride + 1
    cols = np.zeros((n * out_h * out_w, k * k * c), x.dtype)
    for m in range(n):
        for i in range(out_h):
            for j in range(out_w):
                row = m * out_h * out_w + i * out_h + j
                cols[row] = x[m, i * stride : i * stride + k, j * stride : j * stride + k].ravel()
    return cols


@pytest.mark.parametrize("id, answer, cause", wrong.answers, ids=wrong.names())
def test_a_wrong_answer_is_refused(id: str, answer: Answer, cause: str | None):
    assert_refused(id, answer, cause)
