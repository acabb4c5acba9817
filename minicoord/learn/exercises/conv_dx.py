"""Lesson 03: the gradient with respect to the image, a whole step back through a convolution."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield channels, batches, images of all shapes, and stride and padding below, at and above the window."""
    h, w = int(rng.integers(4, 6)), int(rng.integers(6, 9))
    a, b = int(rng.integers(2, 4)), int(rng.integers(4, 6))

    def arrays(x_shape: tuple[int, int, int, int], k: int, c_out: int, stride: int, pad: int) -> tuple:
        out_h, out_w = ((size + 2 * pad - k) // stride + 1 for size in x_shape[1:3])
        dy = rng.normal(size=(x_shape[0], out_h, out_w, c_out))
        return dy, rng.normal(size=(k, k, x_shape[3], c_out)), x_shape, stride, pad

    yield Case("one image, one channel in and out", arrays((1, h, w, 1), 3, 1, 1, 0))
    yield Case(f"2 images, {a} channels in and out", arrays((2, h, w, a), 3, a, 1, 0))
    yield Case(f"{a} channels in, {b} out, padding 1", arrays((2, h, w, a), 3, b, 1, 1))
    yield Case("stride 2, padding 2, pixels left over", arrays((1, h, w + 1, a), 4, a, 2, 2))
    yield Case("stride 3, larger than the window", arrays((2, 8, 11, a), 2, b, 3, 0))
    dy, kernel, *rest = arrays((3, 3, 3, b), 3, a, 1, 0)
    yield Case("one position, float32", (dy.astype(np.float32), kernel.astype(np.float32), *rest))
    yield Case("a window of 2, padding 3: some windows cover no pixel", arrays((2, w, h, a), 2, b, 1, 3))
    yield Case("a window of one pixel, stride 2, padding 1", arrays((2, h, w, a), 1, b, 2, 1))
    yield Case("5 images of one column, padding 1", arrays((5, h, 1, a), 3, b, 1, 1))
    yield Case("5 rows, 90 columns, a window of 5, stride 4", arrays((1, 5, 90, 1), 5, 2, 4, 0))


exercise = Exercise(
    id="conv_dx",
    lesson=3,
    title="The gradient of the image",
    minutes=20,
    difficulty=3,
    builds_on=("conv_dw", "col2im"),
    axes=("images", "rows", "columns", "channels"),
    cases=cases,
    hints=(
        "There are two ways. One: the gradient of the rows of im2col, sent back by col2im. You may call your col2im.",
        "Forward, y = cols @ w as matrices. So the gradient of cols is dy, as a matrix, times w transposed.",
        "The other needs no rows: each kernel pixel (ki, kj) sends back dy @ w[ki, kj].T, for all positions at once.",
        "That goes to the padded image, at rows ki, ki + stride, ki + 2 * stride, ...: a slice with a step, and +=.",
        "The slice is padded[:, ki : ki + out_h * stride : stride, ...]. Cut off the padding at the end.",
    ),
)


@exercise.solved_by
def conv_dx(dy, w, x_shape, stride, pad):
    """Return the gradient of the loss with respect to the image that went into a convolution.

    dy: gradient of the loss with respect to the output, shape (N, out_h, out_w, c_out).
    w: the kernel, shape (k, k, c_in, c_out). x_shape: (N, H, W, c_in).
    stride, pad: as in the forward pass, conv_loops(x, w, b, stride, pad).

    Pixel (ki, kj, c) of the window at (i, j) was multiplied by w[ki, kj, c, o] and added to
    y[n, i, j, o]. So it gets dy[n, i, j, o] * w[ki, kj, c, o], summed over o and over all the
    windows that it lies under.

    Returns dx, shape x_shape, in the dtype of dy.
    """
    images, height, width, c_in = x_shape
    k, (out_h, out_w) = w.shape[0], dy.shape[1:3]
    padded = np.zeros((images, height + 2 * pad, width + 2 * pad, c_in), dy.dtype)
    for ki in range(k):
        for kj in range(k):
            rows = slice(ki, ki + out_h * stride, stride)
            columns = slice(kj, kj + out_w * stride, stride)
            padded[:, rows, columns] += dy @ w[ki, kj].T
    return padded[:, pad : pad + height, pad : pad + width]


@exercise.mistake(
    "the kernel is the wrong way round: gathering from padded dy needs it flipped, but sending dy back to the pixels "
    "of each window needs it as it is"
)
def flipped(dy, w, x_shape, stride, pad):
    return conv_dx(dy, w[::-1, ::-1], x_shape, stride, pad)


@exercise.mistake("the kernel's rows and columns are exchanged")
def transposed(dy, w, x_shape, stride, pad):
    return conv_dx(dy, w.swapaxes(0, 1), x_shape, stride, pad)


@exercise.mistake(
    "the channels of the kernel are exchanged: going back, sum over the channels out, so use w transposed"
)
def channels_exchanged(dy, w, x_shape, stride, pad):
    return conv_dx(dy, w.reshape(*w.shape[:2], w.shape[3], w.shape[2]).swapaxes(2, 3), x_shape, stride, pad)


@exercise.mistake(
    "where windows overlap, only the last of them counts; += in a loop adds them, and so does np.add.at, while += with "
    "index arrays counts a repeated index once"
)
def overwritten(dy, w, x_shape, stride, pad):
    n, h, width, c_in = x_shape
    padded = np.zeros((n, h + 2 * pad, width + 2 * pad, c_in), dy.dtype)
    for i, j in np.ndindex(dy.shape[1:3]):
        place = padded[:, i * stride : i * stride + len(w), j * stride : j * stride + len(w)]
        place[...] = np.einsum("no,yxco->nyxc", dy[:, i, j], w)
    return padded[:, pad : pad + h, pad : pad + width]


@exercise.mistake("the padding is still there; cut it off on all four sides")
def not_cut(dy, w, x_shape, stride, pad):
    n, h, width, c_in = x_shape
    return conv_dx(dy, w, (n, h + 2 * pad, width + 2 * pad, c_in), stride, 0)


@exercise.mistake("all of the padding was cut off at the bottom and on the right; half of it lies at the top and left")
def cut_at_the_end(dy, w, x_shape, stride, pad):
    return not_cut(dy, w, x_shape, stride, pad)[:, : x_shape[1], : x_shape[2]]


@exercise.mistake("the windows are one pixel apart; they should be a whole stride apart")
def stride_forgotten(dy, w, x_shape, stride, pad):
    n, h, width, c_in = x_shape
    small = n, dy.shape[1] + len(w) - 1, dy.shape[2] + len(w) - 1, c_in
    padded = np.zeros((n, h + 2 * pad, width + 2 * pad, c_in), dy.dtype)
    padded[:, : small[1], : small[2]] = conv_dx(dy, w, small, 1, 0)[:, : padded.shape[1], : padded.shape[2]]
    return padded[:, pad : pad + h, pad : pad + width]


@exercise.mistake(
    "the gradient was divided by the number of images; if the loss is a mean, dy already contains that factor"
)
def over_images(dy, w, x_shape, stride, pad):
    return conv_dx(dy, w, x_shape, stride, pad) / dy.dtype.type(len(dy))


@exercise.mistake("the transpose is missing: dy @ w[ki, kj].T sums over the channels out, as w has them last")
def transpose_forgotten(dy, w, x_shape, stride, pad):
    return conv_dx(dy, w.swapaxes(2, 3), x_shape, stride, pad)


@exercise.mistake("the matrices do not fit: w as a matrix is (p, c_out), and dy, (rows, c_out), needs it transposed")
def matrix_not_transposed(dy, w, x_shape, stride, pad):
    return dy.reshape(-1, w.shape[3]) @ w.reshape(-1, w.shape[3])


@exercise.mistake("w.T reverses all four axes; make w a matrix first: w.reshape(-1, c_out).T")
def all_axes_turned(dy, w, x_shape, stride, pad):
    k, _, c_in, c_out = w.shape
    return conv_dx(dy, w.T.reshape(c_out, -1).T.reshape(k, k, c_in, c_out), x_shape, stride, pad)


@exercise.mistake("that is the gradient of the rows of im2col; col2im brings it back to the image")
def rows_not_brought_back(dy, w, x_shape, stride, pad):
    return dy.reshape(-1, w.shape[3]) @ w.reshape(-1, w.shape[3]).T


@exercise.mistake("each kernel pixel replaces what the one before it sent; use += so that a pixel gets the sum")
def overwritten_by_kernel_pixel(dy, w, x_shape, stride, pad):
    n, h, width, c_in = x_shape
    padded = np.zeros((n, h + 2 * pad, width + 2 * pad, c_in), dy.dtype)
    for ki, kj in np.ndindex(w.shape[:2]):
        place = padded[:, ki : ki + dy.shape[1] * stride : stride, kj : kj + dy.shape[2] * stride : stride]
        place[...] = dy @ w[ki, kj].T
    return padded[:, pad : pad + h, pad : pad + width]


@exercise.mistake("the padding is not counted; the padded image has H + 2 * pad rows and W + 2 * pad columns")
def padding_forgotten(dy, w, x_shape, stride, pad):
    dx = np.zeros(x_shape, dy.dtype)
    for ki, kj in np.ndindex(w.shape[:2]):
        dx[:, ki : ki + dy.shape[1] * stride : stride, kj : kj + dy.shape[2] * stride : stride] += dy @ w[ki, kj].T
    return dx


@exercise.mistake(
    "with a stride the shapes do not match: out_h rows a stride apart are the slice ki : ki + out_h * stride : stride"
)
def stride_1_alone(dy, w, x_shape, stride, pad):
    n, h, width, c_in = x_shape
    padded = np.zeros((n, h + 2 * pad, width + 2 * pad, c_in), dy.dtype)
    for ki, kj in np.ndindex(w.shape[:2]):
        padded[:, ki : ki + dy.shape[1] : stride, kj : kj + dy.shape[2] : stride] += dy @ w[ki, kj].T
    return padded[:, pad : pad + h, pad : pad + width]


@exercise.mistake("only the first image got a gradient; each image of the batch has its own")
def first_image(dy, w, x_shape, stride, pad):
    dx = conv_dx(dy, w, x_shape, stride, pad)
    dx[1:] = 0
    return dx


def _sent(dy, w, x_shape, stride, pad, down, across):
    """Return dx where windows are `down` rows and `across` columns apart."""
    n, h, width, c_in = x_shape
    k, most = len(w), max(dy.shape[1:3]) * stride
    padded = np.zeros((n, h + 2 * pad + most, width + 2 * pad + most, c_in), dy.dtype)
    for i, j in np.ndindex(dy.shape[1:3]):
        place = padded[:, i * down : i * down + k, j * across : j * across + k]
        place += np.einsum("no,yxco->nyxc", dy[:, i, j], w)
    return padded[:, pad : pad + h, pad : pad + width]


@exercise.mistake("the rows of windows are one pixel apart, only the columns a whole stride; the row is i * stride")
def stride_forgotten_down(dy, w, x_shape, stride, pad):
    return _sent(dy, w, x_shape, stride, pad, 1, stride)


@exercise.mistake("the columns of windows are one pixel apart, only the rows a whole stride; the column is j * stride")
def stride_forgotten_across(dy, w, x_shape, stride, pad):
    return _sent(dy, w, x_shape, stride, pad, stride, 1)


@exercise.mistake("the slice pad:-pad is empty where there is no padding; take pad : pad + H")
def empty_slice(dy, w, x_shape, stride, pad):
    return not_cut(dy, w, x_shape, stride, pad)[:, pad:-pad, pad:-pad]


@exercise.mistake("the sign is flipped: dx says where the loss grows")
def turned_sign(dy, w, x_shape, stride, pad):
    return -conv_dx(dy, w, x_shape, stride, pad)


@exercise.mistake("only the first output channel sends anything back; sum over all of them")
def first_channel_out(dy, w, x_shape, stride, pad):
    return conv_dx(dy[..., :1], w[..., :1], x_shape, stride, pad)


@exercise.mistake("the last row and column of positions are left out; range(out_h) already ends at out_h - 1")
def last_places_left_out(dy, w, x_shape, stride, pad):
    dy = dy.copy()
    dy[:, -1], dy[:, :, -1] = 0, 0
    return conv_dx(dy, w, x_shape, stride, pad)
