"""Lesson 02: convolution by its definition, in loops."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield images of all shapes, several channels, and strides and padding below, at and above the window."""
    h, w = int(rng.integers(4, 6)), int(rng.integers(6, 8))
    a, b = 2, int(rng.integers(3, 5))

    def arrays(images: int, rows: int, columns: int, k: int, c_in: int, c_out: int) -> tuple:
        x, kernel = rng.normal(size=(images, rows, columns, c_in)), rng.normal(size=(k, k, c_in, c_out))
        return x, kernel, rng.normal(size=c_out)

    yield Case(f"one image of {h} x {w}, one channel in and out", (*arrays(1, h, w, 3, 1, 1), 1, 0))
    yield Case(f"2 images, {a} channels in, {b} out", (*arrays(2, h, w, 3, a, b), 1, 0))
    yield Case("padding 1", (*arrays(2, h, w, 3, a, a), 1, 1))
    yield Case("stride 2", (*arrays(2, h + 1, w, 2, a, b), 2, 0))
    yield Case("stride 2, padding 2", (*arrays(1, h, w, 5, b, a), 2, 2))
    x, kernel, bias = arrays(2, 3, 3, 3, a, b)
    yield Case(
        "a window as large as the image, float32",
        (x.astype(np.float32), kernel.astype(np.float32), bias.astype(np.float32), 1, 0),
    )
    yield Case("a window of 2, stride 3: some pixels are under no window", (*arrays(2, w, h, 2, a, b), 3, 0))
    yield Case("a window of 2, padding 3: some windows hold zeros alone", (*arrays(1, h, w, 2, b, a), 1, 3))
    yield Case("a window of one pixel, stride 2, padding 1", (*arrays(2, h, w, 1, a, b), 2, 1))
    yield Case("5 images of one column, padding 1", (*arrays(5, h, 1, 3, a, b), 1, 1))
    yield Case("5 rows, 90 columns, a window of 5, stride 4", (*arrays(1, 5, 90, 5, 1, 1), 4, 0))
    yield Case("3 rows, 70 columns", (*arrays(1, 3, 70, 3, 1, 1), 1, 0))


exercise = Exercise(
    id="conv_loops",
    lesson=2,
    title="Convolution in loops",
    minutes=20,
    difficulty=2,
    builds_on=("conv_out_size",),
    axes=("images", "rows", "columns", "channels"),
    cases=cases,
    hints=(
        "Begin with the shape of the answer: two calls of your conv_out_size, or its formula, give rows and columns.",
        "Pad first: np.pad with one pair of numbers for each of the four axes. Then forget the padding.",
        "Four loops give every output: image n, row i, column j, output channel o.",
        "Its window is x[n, i * stride : i * stride + k, j * stride : j * stride + k], shape (k, k, c_in).",
        "Multiply the window by w[..., o], which has the same shape, sum everything, add b[o].",
    ),
)


@exercise.solved_by
def conv_loops(x, w, b, stride, pad):
    """Return the convolution of x with w, plus a bias.

    x: images, shape (N, H, W, c_in). w: the kernel, shape (k, k, c_in, c_out).
    b: the bias, shape (c_out,). pad: rings of zeros around each image.
    stride: pixels from one window position to the next.

    The window of output pixel (i, j) has its top left corner at (i * stride, j * stride) of the
    padded image. Channel o of the output is b[o] plus the sum, over the window's pixels and the
    channels c, of pixel (ki, kj, c) times w[ki, kj, c, o]. The kernel is not flipped.

    Returns shape (N, out_h, out_w, c_out), in the dtype of x.
    """
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    images, height, width, _ = x.shape
    k, _, _, c_out = w.shape
    out_h, out_w = (height - k) // stride + 1, (width - k) // stride + 1
    y = np.zeros((images, out_h, out_w, c_out), x.dtype)
    for n in range(images):
        for i in range(out_h):
            for j in range(out_w):
                top, left = i * stride, j * stride
                under = x[n, top : top + k, left : left + k]
                for o in range(c_out):
                    y[n, i, j, o] = np.sum(under * w[..., o]) + b[o]
    return y


@exercise.mistake("the kernel is flipped, as in mathematics; deep learning does not flip it")
def flipped(x, w, b, stride, pad):
    return conv_loops(x, w[::-1, ::-1], b, stride, pad)


@exercise.mistake("the kernel's rows and columns are exchanged")
def transposed(x, w, b, stride, pad):
    return conv_loops(x, w.swapaxes(0, 1), b, stride, pad)


@exercise.mistake("the bias is missing")
def without_bias(x, w, b, stride, pad):
    return conv_loops(x, w, np.zeros_like(b), stride, pad)


@exercise.mistake("the bias was added once for each product of the window; it is added once to their sum")
def many_biases(x, w, b, stride, pad):
    return conv_loops(x, w, b * np.prod(w.shape[:3]).astype(b.dtype), stride, pad)


@exercise.mistake("the bias was added once for each pixel of the window; it is added once to the sum over all of them")
def a_bias_for_each_pixel(x, w, b, stride, pad):
    return conv_loops(x, w, len(w) ** 2 * b, stride, pad)


@exercise.mistake("the windows are one pixel apart; they should be a whole stride apart")
def stride_forgotten(x, w, b, stride, pad):
    rows, columns = conv_loops(x, w, b, stride, pad).shape[1:3]
    return conv_loops(x, w, b, 1, pad)[:, :rows, :columns]


@exercise.mistake("the rows of windows are one pixel apart, only the columns a whole stride; the row is i * stride")
def stride_forgotten_down(x, w, b, stride, pad):
    return conv_loops(x, w, b, 1, pad)[:, : conv_loops(x, w, b, stride, pad).shape[1], ::stride]


@exercise.mistake("the columns of windows are one pixel apart, only the rows a whole stride; the column is j * stride")
def stride_forgotten_across(x, w, b, stride, pad):
    return conv_loops(x, w, b, 1, pad)[:, ::stride, : conv_loops(x, w, b, stride, pad).shape[2]]


@exercise.mistake("that is the mean of the products of each window; take their sum")
def mean(x, w, b, stride, pad):
    return conv_loops(x, w / w.dtype.type(np.prod(w.shape[:3])), b, stride, pad)


@exercise.mistake("every output comes from the first image; the window is x[n, ...], not x[0, ...]")
def first_image_for_all(x, w, b, stride, pad):
    return conv_loops(np.broadcast_to(x[:1], x.shape), w, b, stride, pad)


@exercise.mistake("only the first image was convolved; the output has an image for each of the batch")
def first_image_alone(x, w, b, stride, pad):
    return conv_loops(x[:1], w, b, stride, pad)


@exercise.mistake("the padding was left out")
def not_padded(x, w, b, stride, pad):
    return conv_loops(x, w, b, stride, 0)


@exercise.mistake("all of the padding is at the bottom and on the right; half of it belongs at the top and on the left")
def padded_at_the_end(x, w, b, stride, pad):
    return conv_loops(np.pad(x, ((0, 0), (0, 2 * pad), (0, 2 * pad), (0, 0))), w, b, stride, 0)


@exercise.mistake("only the last input channel counts; each output sums over all of them")
def last_channel(x, w, b, stride, pad):
    return conv_loops(x[..., -1:], w[:, :, -1:], b, stride, pad)


@exercise.mistake("only the first input channel counts; each output sums over all of them")
def first_channel(x, w, b, stride, pad):
    return conv_loops(x[..., :1], w[:, :, :1], b, stride, pad)


@exercise.mistake("only the last product of each window remains; add each product to the sum with +=, not =")
def overwritten(x, w, b, stride, pad):
    last = np.zeros_like(w)
    last[-1, -1, -1] = w[-1, -1, -1]
    return conv_loops(x, last, b, stride, pad)


@exercise.mistake("only the first image has an output; loop over all of them, and return after the loop")
def first_image(x, w, b, stride, pad):
    y = conv_loops(x, w, b, stride, pad)
    y[1:] = 0
    return y


@exercise.mistake("the last window position is missing; there are (H - k) // stride + 1 of them")
def last_place_missing(x, w, b, stride, pad):
    return conv_loops(x, w, b, stride, pad)[:, :-1, :-1]


@exercise.mistake("the padding repeats the pixels of the border; it should be zeros")
def padded_with_the_border(x, w, b, stride, pad):
    return conv_loops(np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode="edge"), w, b, stride, 0)


@exercise.mistake("np.pad with a single number pads the images and the channels, too; give it a pair for each axis")
def padded_everywhere(x, w, b, stride, pad):
    return conv_loops(np.pad(x, pad), w, b, stride, 0)


@exercise.mistake("np.zeros and np.empty make float64 by default; give them the dtype of x")
def in_float64(x, w, b, stride, pad):
    return conv_loops(x, w, b, stride, pad).astype(np.float64)


@exercise.mistake("all output channels are the same: each has weights of its own, w[..., o], and its own bias b[o]")
def first_kernel_for_all(x, w, b, stride, pad):
    return np.repeat(conv_loops(x, w[..., :1], b[:1], stride, pad), w.shape[3], axis=3)


@exercise.mistake("all output channels have the weights of the first; those of channel o are w[..., o]")
def first_weights_for_all(x, w, b, stride, pad):
    return conv_loops(x, np.repeat(w[..., :1], w.shape[3], axis=3), b, stride, pad)


@exercise.mistake("all output channels have the bias of the first; that of channel o is b[o]")
def first_bias_for_all(x, w, b, stride, pad):
    return conv_loops(x, w, np.full_like(b, b[0]), stride, pad)


@exercise.mistake("a ReLU was applied; a convolution may be negative")
def with_relu(x, w, b, stride, pad):
    return np.maximum(conv_loops(x, w, b, stride, pad), 0)


@exercise.mistake("the sum was not set back to 0: each output also contains those before it")
def never_set_back(x, w, b, stride, pad):
    y = conv_loops(x, w, np.zeros_like(b), stride, pad)
    return np.cumsum(y.reshape(-1), dtype=y.dtype).reshape(y.shape) + b


@exercise.mistake("the positions in a row were computed from the height; out_w comes from the width")
def square_only(x, w, b, stride, pad):
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    k, out = len(w), (x.shape[1] - len(w)) // stride + 1
    y = np.zeros((len(x), out, out, w.shape[3]), x.dtype)
    for n, i, j, o in np.ndindex(y.shape):
        y[n, i, j, o] = np.sum(x[n, i * stride : i * stride + k, j * stride : j * stride + k] * w[..., o]) + b[o]
    return y
