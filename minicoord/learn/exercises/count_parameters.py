"""Lesson 04: how many parameters the deconvolution network has, counted from its two settings."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield settings in which the channel factor differs from the side of the kernel, the paper's and others."""
    yield Case("c = 1, fs = 2, the smallest network of the paper", (1, 2))
    for _ in range(2):
        c, fs = int(rng.integers(1, 4)), int(rng.integers(2, 5))
        yield Case(f"c = {c}, fs = {fs}, a network of the paper", (c, fs))
    c, fs = int(rng.integers(4, 8)), int(rng.integers(5, 9))
    yield Case(f"c = {c}, fs = {fs}, larger than any of the paper's", (c, fs))
    yield Case("kernels of one pixel", (int(rng.integers(2, 6)), 1))


exercise = Exercise(
    id="count_parameters",
    lesson=4,
    title="Count the parameters of a deconvolution network",
    minutes=10,
    difficulty=1,
    cases=cases,
    imports=(),
    hints=(
        "A list of the channels from the input to the output has seven entries: [2, 64 * c, ..., 1].",
        "From a channels to b, a kernel holds fs * fs * a * b numbers, and each of the b outputs has a bias.",
        "Batch normalisation learns two numbers for each channel, a factor and an offset; the last layer has none.",
        "Add up layer by layer, each from channels[k] to channels[k + 1]; c = 1 and fs = 3 give 103585.",
    ),
)


@exercise.solved_by
def count_parameters(c, fs):
    """Return the number of parameters of the deconvolution network, an int.

    Its input is two numbers. Six transposed convolutions follow, with 64c, 64c, 64c, 32c, 32c and
    1 output channels. Each has a kernel of fs x fs pixels and one bias for each output channel.
    Each of the first five is followed by a batch normalisation, which learns a factor and an
    offset for each channel.
    """
    channels = [2, 64 * c, 64 * c, 64 * c, 32 * c, 32 * c, 1]
    count = 0
    for k in range(6):
        c_in, c_out = channels[k], channels[k + 1]
        count += fs * fs * c_in * c_out + c_out
        if k < 5:
            count += 2 * c_out
    return count


def _channels(c: int) -> list[int]:
    return [2, 64 * c, 64 * c, 64 * c, 32 * c, 32 * c, 1]


@exercise.mistake("the biases are missing: one for each output channel of each transposed convolution")
def no_bias(c, fs):
    return count_parameters(c, fs) - sum(_channels(c)[1:])


@exercise.mistake("the batch normalisations are missing: two numbers for each of their channels")
def no_batch_norm(c, fs):
    return count_parameters(c, fs) - 2 * sum(_channels(c)[1:-1])


@exercise.mistake("biases and batch normalisations are both missing; these are the kernels alone")
def kernels_alone(c, fs):
    return count_parameters(c, fs) - sum(_channels(c)[1:]) - 2 * sum(_channels(c)[1:-1])


@exercise.mistake("a batch normalisation learns two numbers for each channel, a factor and an offset; you counted one")
def one_number_per_channel(c, fs):
    return count_parameters(c, fs) - sum(_channels(c)[1:-1])


@exercise.mistake("the running mean and variance are counted too; they are saved with the network, but not learned")
def running_statistics(c, fs):
    return count_parameters(c, fs) + 2 * sum(_channels(c)[1:-1])


@exercise.mistake("a batch normalisation is counted after the last layer too; its output goes straight to the softmax")
def normalised_at_the_end(c, fs):
    return count_parameters(c, fs) + 2


@exercise.mistake("a kernel has fs x fs pixels; you counted fs of them")
def side_of_the_kernel(c, fs):
    channels = _channels(c)
    kernels = sum(a * b for a, b in pairwise(channels))
    return count_parameters(c, fs) - (fs * fs - fs) * kernels


@exercise.mistake(
    "the channel factor c applies to both channels in and channels out, so between wide layers it counts twice"
)
def factor_once(c, fs):
    ones = _channels(1)
    kernels = c * fs * fs * sum(a * b for a, b in pairwise(ones))
    return kernels + sum(_channels(c)[1:]) + 2 * sum(_channels(c)[1:-1])


@exercise.mistake("the first layer is missing, from the two numbers (x, y) to 64c channels")
def first_layer_missing(c, fs):
    return count_parameters(c, fs) - (fs * fs * 2 * 64 * c + 64 * c)


@exercise.mistake("a bias belongs to an output channel; you counted one for each input channel")
def bias_by_input(c, fs):
    return count_parameters(c, fs) + 1  # 2 input channels instead of 1 output channel


@exercise.mistake("there is one bias for each output channel; you counted one for each layer")
def bias_by_layer(c, fs):
    return count_parameters(c, fs) - sum(_channels(c)[1:]) + 6


@exercise.mistake("the biases were multiplied by fs * fs; a bias is one number, whatever the size of the kernel")
def bias_by_kernel_pixel(c, fs):
    return count_parameters(c, fs) + (fs * fs - 1) * sum(_channels(c)[1:])


@exercise.mistake("the channel factor c is not used")
def factor_forgotten(c, fs):
    return count_parameters(1, fs)


@exercise.mistake("a kernel has fs * fs numbers for each pair of channels, in and out; you left out the channels in")
def channels_in_forgotten(c, fs):
    channels = _channels(c)
    return count_parameters(c, fs) - fs * fs * sum((a - 1) * b for a, b in pairwise(channels))


@exercise.mistake("the input is two numbers, x and y, so the first kernel has 2 channels in, not 1")
def one_number_in(c, fs):
    return count_parameters(c, fs) - fs * fs * 64 * c


@exercise.mistake("the last layer is missing, from 32c channels to one")
def last_layer_missing(c, fs):
    return count_parameters(c, fs) - (fs * fs * 32 * c + 1)


@exercise.mistake("a batch normalisation has the output channels of the layer before it; you used its input channels")
def normalised_at_the_input(c, fs):
    return count_parameters(c, fs) + 2 * 2


@exercise.mistake("all five batch normalisations were counted with 64c channels; two of them have 32c")
def normalised_all_wide(c, fs):
    return count_parameters(c, fs) + 2 * 64 * c


@exercise.mistake("c and fs are exchanged: c multiplies the channels, fs is the side of a kernel")
def exchanged(c, fs):
    return count_parameters(fs, c)


@exercise.mistake(
    "the first layer, from the two numbers (x, y) to 64c channels, and its batch normalisation are missing"
)
def first_layer_and_norm_missing(c, fs):
    return first_layer_missing(c, fs) - 2 * 64 * c


@exercise.mistake("all five inner layers were counted with 64c channels; two of them have 32c")
def all_wide(c, fs):
    channels = [2, *[64 * c] * 5, 1]
    kernels = fs * fs * sum(a * b for a, b in pairwise(channels))
    return kernels + sum(channels[1:]) + 2 * sum(channels[1:-1])


@exercise.mistake("one batch normalisation is missing: there are five, one after each layer but the last")
def one_norm_missing(c, fs):
    return count_parameters(c, fs) - 2 * 32 * c
