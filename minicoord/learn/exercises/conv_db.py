"""Lesson 03: the gradient of the bias, which is added to every pixel."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield gradients of several images and many, wider and taller, of one pixel, and of one channel."""
    h, w, c = int(rng.integers(2, 4)), int(rng.integers(4, 7)), int(rng.integers(3, 6))
    yield Case(f"one image of {h} x {w}, {c} channels", (rng.normal(size=(1, h, w, c)),))
    yield Case(f"3 images of {h} x {w}, {c} channels", (rng.normal(size=(3, h, w, c)),))
    yield Case("4 images of one pixel", (rng.normal(size=(4, 1, 1, c)),))
    yield Case("one channel", (rng.normal(size=(2, h, w, 1)),))
    yield Case("float32", (rng.normal(size=(2, h, w, c)).astype(np.float32),))
    yield Case(f"70 images of {w} x {h}", (rng.normal(size=(70, w, h, 2)),))
    yield Case("2 images of 3 x 70", (rng.normal(size=(2, 3, 70, c)),))


exercise = Exercise(
    id="conv_db",
    lesson=3,
    title="The gradient of the bias",
    minutes=4,
    difficulty=1,
    builds_on=("conv_loops",),
    axes=("channels",),
    cases=cases,
    hints=(
        "b[o] is added to channel o of every output pixel. If b[o] grows a little, which numbers of y grow as much?",
        "Each of them passes its own gradient back, and what comes back along several paths is added.",
        "np.sum takes several axes at once: axis=(0, 1, 2).",
    ),
)


@exercise.solved_by
def conv_db(dy):
    """Return the gradient of the loss with respect to the bias of a convolution.

    dy: gradient of the loss with respect to the output, shape (N, out_h, out_w, c_out).
    The bias b, shape (c_out,), was added to every pixel of every image.

    Returns db, shape (c_out,), in the dtype of dy.
    """
    return dy.sum(axis=(0, 1, 2))


@exercise.mistake("that is the mean; every pixel passes back all of its gradient, so take the sum")
def mean(dy):
    return dy.mean(axis=(0, 1, 2))


@exercise.mistake("the sum was divided by the number of images; if the loss is a mean, dy already contains that factor")
def over_images(dy):
    return dy.sum(axis=(0, 1, 2)) / dy.dtype.type(len(dy))


@exercise.mistake("each image got its own gradient; b is the same for all of them, so sum over the batch, too")
def batch_not_summed(dy):
    return dy.sum(axis=(1, 2))


@exercise.mistake("the sum runs over the images only; b is added to every pixel, so sum over rows and columns, too")
def pixels_not_summed(dy):
    return dy.sum(axis=0)


@exercise.mistake("only the last image counts; add up what comes back from each")
def last_image(dy):
    return dy[-1].sum(axis=(0, 1))


@exercise.mistake("everything was summed to one number; each channel has its own bias")
def one_number(dy):
    return dy.sum()


@exercise.mistake("the sum was divided by the number of pixels; every pixel passes back all of its gradient")
def over_pixels(dy):
    return dy.sum(axis=(0, 1, 2)) / dy.dtype.type(dy.shape[1] * dy.shape[2])


@exercise.mistake("the columns were not summed; b is added to every pixel, so sum over images, rows and columns")
def columns_not_summed(dy):
    return dy.sum(axis=(0, 1))


@exercise.mistake("the sum runs over the channels; they are the axis to keep, so sum over the other three")
def channels_summed(dy):
    return dy.sum(axis=-1)


@exercise.mistake("only the image axis is left; it should be the channels, so sum over axis=(0, 1, 2)")
def images_stay(dy):
    return dy.sum(axis=(1, 2, 3))


@exercise.mistake("the gradients were read in the wrong order: dy.reshape(c_out, -1) mixes pixels and channels")
def read_across(dy):
    return dy.reshape(dy.shape[-1], -1).sum(axis=1)


@exercise.mistake("only the first image counts; sum over the batch, too")
def first_image(dy):
    return dy[0].sum(axis=(0, 1))


@exercise.mistake("only the last pixel counts: with = each one replaces those before it; add them up with +=")
def last_pixel(dy):
    return dy[-1, -1, -1]


@exercise.mistake("the sign is flipped: db says where the loss grows, and the optimiser goes against it")
def turned_sign(dy):
    return -dy.sum(axis=(0, 1, 2))


@exercise.mistake("dy was not used: that counts the pixels; each of them passes back its own gradient")
def pixels_counted(dy):
    return np.full(dy.shape[3], dy.size // dy.shape[3], dy.dtype)


@exercise.mistake("the sum has all four axes still; keepdims=True keeps axes of length 1, and (c_out,) is wanted")
def four_axes(dy):
    return dy.sum(axis=(0, 1, 2), keepdims=True)
