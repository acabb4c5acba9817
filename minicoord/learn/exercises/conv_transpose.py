"""Lesson 04: the transposed convolution, which paints: every input pixel adds its multiple of the kernel."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield kernels of all shapes that touch and overlap, once and often, channels, and images of all shapes."""
    h, w = int(rng.integers(2, 4)), int(rng.integers(4, 6))
    a, b = int(rng.integers(2, 4)), int(rng.integers(4, 6))

    def arrays(images: int, rows: int, columns: int, kernel: tuple[int, int], c_out: int, c_in: int) -> tuple:
        return rng.normal(size=(images, rows, columns, c_in)), rng.normal(size=(*kernel, c_out, c_in))

    yield Case(
        f"an image of {h} x {w}, kernel 2 x 2, stride 2: patches side by side", (*arrays(1, h, w, (2, 2), 1, 1), 2)
    )
    yield Case(
        f"2 images, kernel 3 x 3, stride 2: patches that overlap, {a} channels in and out",
        (*arrays(2, h, w, (3, 3), a, a), 2),
    )
    yield Case("kernel 4 x 5, stride 2", (*arrays(2, h, w, (4, 5), 2, 2), 2))
    yield Case(f"{b} channels in, {a} out, stride 1", (*arrays(2, h, w, (3, 3), a, b), 1))
    yield Case(f"stride 3, {a} channels in, {b} out", (*arrays(1, h, w, (4, 5), b, a), 3))
    yield Case("one pixel, as in the first layer of the network", (*arrays(3, 1, 1, (3, 3), b, 2), 2))
    x, kernel = arrays(2, h, w, (3, 3), a, a)
    yield Case("float32", (x.astype(np.float32), kernel.astype(np.float32), 2))
    yield Case(f"{w} x {h} pixels, kernel 5 x 2, stride 1: five patches overlap", (*arrays(2, w, h, (5, 2), a, b), 1))
    yield Case("kernel 1 x 1, stride 1: a product at each pixel", (*arrays(2, h, w, (1, 1), b, a), 1))
    yield Case("an image of one column, kernel 7 x 7, stride 2", (*arrays(1, w, 1, (7, 7), 1, 2), 2))
    yield Case("5 images of one row, 20 columns, kernel 4 x 6, stride 4", (*arrays(5, 1, 20, (4, 6), 1, 1), 4))


exercise = Exercise(
    id="conv_transpose",
    lesson=4,
    title="Every pixel paints its patch",
    minutes=25,
    difficulty=2,
    builds_on=("conv_loops", "conv_dx"),
    axes=("images", "rows", "columns", "channels"),
    cases=cases,
    hints=(
        "Begin with zeros for everything that is painted: (H - 1) * stride + kh rows, and likewise for columns.",
        "Loop over rows i and columns j of the input; the patch of (i, j) starts at (i * stride, j * stride).",
        "patch[n, ki, kj, o] is the sum over c of x[n, i, j, c] * w[ki, kj, o, c]; np.einsum writes that in one line.",
        "Use +=, because patches are added where they overlap.",
        "At the end keep H * stride rows and W * stride columns; the first row kept is (kh - stride) // 2.",
    ),
)


@exercise.solved_by
def conv_transpose(x, w, stride):
    """Return the transposed convolution of x: every pixel paints its multiple of the kernel.

    x: images, shape (N, H, W, c_in).
    w: the kernel, shape (kh, kw, c_out, c_in); kh and kw are at least the stride.

    Pixel (i, j) of x paints a patch of kh x kw pixels whose top left corner is at (i * stride,
    j * stride). At pixel (ki, kj) of the patch, output channel o gets the sum over the input
    channels c of x[n, i, j, c] * w[ki, kj, o, c]. Patches that overlap are added. That paints
    (H - 1) * stride + kh rows; the kh - stride rows too many are cut off, half of them at the
    top and half at the bottom; an odd one at the bottom. Likewise for columns.

    Returns shape (N, H * stride, W * stride, c_out), in the dtype of x.
    """
    n, h, width = x.shape[:3]
    kh, kw, c_out = w.shape[:3]
    painted = np.zeros((n, (h - 1) * stride + kh, (width - 1) * stride + kw, c_out), x.dtype)
    for i in range(h):
        for j in range(width):
            patch = np.einsum("nc,yxoc->nyxo", x[:, i, j], w)
            top, left = i * stride, j * stride
            painted[:, top : top + kh, left : left + kw] += patch
    top, left = (kh - stride) // 2, (kw - stride) // 2
    return painted[:, top : top + h * stride, left : left + width * stride]


def _painted(x: np.ndarray, w: np.ndarray, stride: int, step: int, add: bool = True) -> np.ndarray:
    """Return all that is painted, before the cut, with the patches `step` pixels apart."""
    n, h, width, _ = x.shape
    kh, kw, c_out, _ = w.shape
    painted = np.zeros((n, (h - 1) * stride + kh, (width - 1) * stride + kw, c_out), x.dtype)
    for i, j in np.ndindex(h, width):
        place = painted[:, i * step : i * step + kh, j * step : j * step + kw]
        place[...] = np.einsum("nc,yxoc->nyxo", x[:, i, j], w) + (place if add else 0)
    return painted


def _cut(painted: np.ndarray, x: np.ndarray, stride: int, top: int, left: int) -> np.ndarray:
    return painted[:, top : top + x.shape[1] * stride, left : left + x.shape[2] * stride]


@exercise.mistake(
    "where patches overlap, only the last of them counts; += in a loop adds them, and so does np.add.at, while += with "
    "index arrays counts a repeated index once"
)
def overwritten(x, w, stride):
    painted = _painted(x, w, stride, stride, add=False)
    return _cut(painted, x, stride, (w.shape[0] - stride) // 2, (w.shape[1] - stride) // 2)


@exercise.mistake(
    "the kernel is the wrong way round: gathering from padded x needs it flipped, but a pixel paints it as it is, with "
    "w[0, 0] at the top left"
)
def flipped(x, w, stride):
    return conv_transpose(x, w[::-1, ::-1], stride)


@exercise.mistake("the channels of the kernel are exchanged: its last axis belongs to the input")
def channels_exchanged(x, w, stride):
    kh, kw, c_out, c_in = w.shape
    return conv_transpose(x, w.reshape(kh, kw, c_in, c_out).swapaxes(2, 3), stride)


@exercise.mistake("nothing was cut off; H * stride rows and W * stride columns should remain")
def not_cut(x, w, stride):
    return _painted(x, w, stride, stride)


@exercise.mistake(
    "all of the excess was cut off at the bottom and on the right; half of it belongs to the top and the left"
)
def cut_at_the_end(x, w, stride):
    return _cut(_painted(x, w, stride, stride), x, stride, 0, 0)


@exercise.mistake("the odd row and column were cut off at the top and on the left; they go at the bottom and the right")
def odd_one_at_the_top(x, w, stride):
    painted = _painted(x, w, stride, stride)
    return _cut(painted, x, stride, (w.shape[0] - stride + 1) // 2, (w.shape[1] - stride + 1) // 2)


@exercise.mistake("the patches are one pixel apart; they should be a whole stride apart")
def stride_forgotten(x, w, stride):
    painted = _painted(x, w, stride, 1)
    return _cut(painted, x, stride, (w.shape[0] - stride) // 2, (w.shape[1] - stride) // 2)


@exercise.mistake(
    "the canvas is too small for the last patches: paint on (H - 1) * stride + kh rows, and cut at the end"
)
def small_canvas(x, w, stride):
    n, h, width, _ = x.shape
    kh, kw, c_out, _ = w.shape
    painted = np.zeros((n, h * stride, width * stride, c_out), x.dtype)
    for i, j in np.ndindex(h, width):
        place = np.s_[:, i * stride : i * stride + kh, j * stride : j * stride + kw]
        painted[place] += np.einsum("nc,yxoc->nyxo", x[:, i, j], w)
    return painted


@exercise.mistake("the slice top:-top is empty where nothing has to be cut off; use top : top + H * stride")
def empty_slice(x, w, stride):
    top, left = (w.shape[0] - stride) // 2, (w.shape[1] - stride) // 2
    return _painted(x, w, stride, stride)[:, top:-top, left:-left]


@exercise.mistake("where patches overlap, their mean was taken; they should be added")
def averaged(x, w, stride):
    count = conv_transpose(np.ones_like(x[..., :1]), np.ones_like(w[..., :1, :1]), stride)
    return conv_transpose(x, w, stride) / count


@exercise.mistake("the kernel's rows and columns are exchanged")
def transposed(x, w, stride):
    painted = _painted(x, w.swapaxes(0, 1), stride, stride)
    return _cut(painted, x, stride, (w.shape[0] - stride) // 2, (w.shape[1] - stride) // 2)


@exercise.mistake("only the first image was painted; each image of the batch has its own canvas")
def first_image(x, w, stride):
    y = conv_transpose(x, w, stride)
    y[1:] = 0
    return y


@exercise.mistake("only the first input channel paints; sum over all of them")
def first_channel(x, w, stride):
    return conv_transpose(x[..., :1], w[..., :1], stride)


@exercise.mistake("the last row and column of pixels did not paint; range(H) already ends at H - 1")
def last_pixels_left_out(x, w, stride):
    x = x.copy()
    x[:, -1], x[:, :, -1] = 0, 0
    return conv_transpose(x, w, stride)


@exercise.mistake("columns were cut off by the kernel's height, like rows; for columns it is (kw - stride) // 2")
def cut_by_the_height(x, w, stride):
    cut = (w.shape[0] - stride) // 2
    return _cut(_painted(x, w, stride, stride), x, stride, cut, cut)


@exercise.mistake("the cut was computed from the kernel alone, (kh - 1) // 2; the first row kept is (kh - stride) // 2")
def cut_of_a_convolution(x, w, stride):
    return _cut(_painted(x, w, stride, stride), x, stride, (w.shape[0] - 1) // 2, (w.shape[1] - 1) // 2)


@exercise.mistake(
    "as much was cut off at the bottom as at the top, and an odd row remains; keep H * stride rows from the first"
)
def odd_one_kept(x, w, stride):
    painted, top, left = _painted(x, w, stride, stride), (w.shape[0] - stride) // 2, (w.shape[1] - stride) // 2
    return painted[:, top : painted.shape[1] - top, left : painted.shape[2] - left]


def _painted_apart(x: np.ndarray, w: np.ndarray, stride: int, down: int, across: int) -> np.ndarray:
    """Return the result if patches are `down` rows and `across` columns apart."""
    n, h, width, _ = x.shape
    kh, kw, c_out, _ = w.shape
    painted = np.zeros((n, (h - 1) * stride + kh, (width - 1) * stride + kw, c_out), x.dtype)
    for i, j in np.ndindex(h, width):
        place = painted[:, i * down : i * down + kh, j * across : j * across + kw]
        place += np.einsum("nc,yxoc->nyxo", x[:, i, j], w)
    return _cut(painted, x, stride, (kh - stride) // 2, (kw - stride) // 2)


@exercise.mistake("the rows of patches are one pixel apart, only the columns a whole stride; the row is i * stride")
def stride_forgotten_down(x, w, stride):
    return _painted_apart(x, w, stride, 1, stride)


@exercise.mistake("the columns of patches are one pixel apart, only the rows a whole stride; the column is j * stride")
def stride_forgotten_across(x, w, stride):
    return _painted_apart(x, w, stride, stride, 1)


@exercise.mistake("all images show the first; each image of the batch paints on a canvas of its own")
def first_image_for_all(x, w, stride):
    return np.repeat(conv_transpose(x[:1], w, stride), len(x), axis=0)


@exercise.mistake("where patches overlap, the largest number was kept; they should be added")
def largest(x, w, stride):
    n, h, width, _ = x.shape
    kh, kw, c_out, _ = w.shape
    painted = np.zeros((n, (h - 1) * stride + kh, (width - 1) * stride + kw, c_out), x.dtype)
    for i, j in np.ndindex(h, width):
        place = painted[:, i * stride : i * stride + kh, j * stride : j * stride + kw]
        np.maximum(place, np.einsum("nc,yxoc->nyxo", x[:, i, j], w), out=place)
    return _cut(painted, x, stride, (kh - stride) // 2, (kw - stride) // 2)
