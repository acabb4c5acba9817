"""Lesson 05: how many parameters a network has whose first layer is a CoordConv."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the paper's classifier and regressor, and networks of other sizes, with r and without."""
    classifier, regressor = (2, 32, 32, 64, 64, 1), (1, 8, 8, 8, 8, 2)
    yield Case("the paper's classifier", (classifier, (1, 1, 1, 1, 1), False))
    yield Case("the paper's regressor, with r", (regressor, (1, 1, 1, 3, 3), True))
    for with_r in (False, True):
        layers = int(rng.integers(2, 5))
        channels = tuple(int(c) for c in rng.integers(4, 20, size=layers + 1))
        sides = tuple(int(k) for k in rng.choice([3, 5, 7], size=layers))
        yield Case(f"{layers} layers, {'with' if with_r else 'without'} r", (channels, sides, with_r))
    yield Case("one layer of one pixel, without r", ((int(rng.integers(3, 9)), int(rng.integers(3, 9))), (1,), False))
    yield Case("one layer, with r", ((int(rng.integers(3, 9)), int(rng.integers(3, 9))), (5,), True))


exercise = Exercise(
    id="coordconv_parameters",
    lesson=5,
    title="What the coordinates cost",
    minutes=8,
    difficulty=1,
    builds_on=("count_parameters",),
    cases=cases,
    imports=(),
    hints=(
        "A k x k convolution from a to b channels learns k * k * a * b numbers, and b biases.",
        "Only the first layer sees the coordinates: its input has channels[0] + 2 channels, or + 3 with r.",
        "Its output still has channels[1] channels, so the second layer does not change.",
        "(2, 32, 32, 64, 64, 1) with kernels of one pixel: 160 + 1056 + 2112 + 4160 + 65 = 7553, and 7585 with r.",
    ),
)


@exercise.solved_by
def coordconv_parameters(channels, kernel_sizes, with_r):
    """Return the number of parameters of a network whose first layer is a CoordConv, an int.

    channels: those of the image, then the output channels of each layer, such as (2, 32, 32,
    64, 64, 1). kernel_sizes: the side of each layer's kernel, one number fewer. with_r: whether
    the coordinates are i, j and r (True) or i and j alone (False).

    The first layer is a convolution over the image with its coordinates; the others are plain
    convolutions. Each layer has a bias for each output channel.
    """
    count = 0
    for layer in range(len(kernel_sizes)):
        k, c_in, c_out = kernel_sizes[layer], channels[layer], channels[layer + 1]
        if layer == 0:
            c_in += 3 if with_r else 2
        count += k * k * c_in * c_out + c_out
    return count


def _kernels(channels: tuple[int, ...], sides: tuple[int, ...], extra: tuple[int, ...]) -> int:
    """Return the weights of kernels whose inputs have `extra` more channels, layer by layer."""
    return sum(k * k * (a + d) * b for k, (a, b), d in zip(sides, pairwise(channels), extra, strict=True))


def _first(number: int, sides: tuple[int, ...]) -> tuple[int, ...]:
    return (number, *(0 for _ in sides[1:]))


@exercise.mistake("with r there are three coordinate channels, but the convolution after them was built for two")
def always_two(channels, kernel_sizes, with_r):
    return coordconv_parameters(channels, kernel_sizes, False)


@exercise.mistake("three coordinate channels were counted everywhere; without r there are two")
def always_three(channels, kernel_sizes, with_r):
    return coordconv_parameters(channels, kernel_sizes, True)


@exercise.mistake("the coordinates are missing: this is the network of plain convolutions")
def no_coordinates(channels, kernel_sizes, with_r):
    return _kernels(channels, kernel_sizes, _first(0, kernel_sizes)) + sum(channels[1:])


@exercise.mistake("every layer was given coordinates; only the first sees them")
def in_every_layer(channels, kernel_sizes, with_r):
    d = 3 if with_r else 2
    return _kernels(channels, kernel_sizes, tuple(d for _ in kernel_sizes)) + sum(channels[1:])


@exercise.mistake("the biases are missing: one for each output channel of each layer")
def no_bias(channels, kernel_sizes, with_r):
    return coordconv_parameters(channels, kernel_sizes, with_r) - sum(channels[1:])


@exercise.mistake("a kernel has k x k pixels; you counted k of them")
def side_of_the_kernel(channels, kernel_sizes, with_r):
    count = 0
    for layer, (k, (a, b)) in enumerate(zip(kernel_sizes, pairwise(channels), strict=True)):
        count += k * (a + ((3 if with_r else 2) if layer == 0 else 0)) * b + b
    return count


@exercise.mistake("the coordinates were given one weight for the whole kernel; like the other channels they have k * k")
def coordinates_once(channels, kernel_sizes, with_r):
    d = 3 if with_r else 2
    return no_coordinates(channels, kernel_sizes, with_r) + d * channels[1]


@exercise.mistake(
    "the coordinates are still there after the first layer; its output has channels[1] channels and no more"
)
def kept_behind(channels, kernel_sizes, with_r):
    d = 3 if with_r else 2
    extra = tuple(d if layer < 2 else 0 for layer in range(len(kernel_sizes)))
    return _kernels(channels, kernel_sizes, extra) + sum(channels[1:])


@exercise.mistake("one bias was counted for each input channel; each layer has one for each output channel")
def bias_of_inputs(channels, kernel_sizes, with_r):
    return no_bias(channels, kernel_sizes, with_r) + sum(channels[:-1])


@exercise.mistake("one bias was counted for each layer; there is one for each of its output channels")
def bias_of_layers(channels, kernel_sizes, with_r):
    return no_bias(channels, kernel_sizes, with_r) + len(kernel_sizes)


@exercise.mistake("the last layer was left out; there are as many layers as kernel sizes")
def last_left_out(channels, kernel_sizes, with_r):
    return coordconv_parameters(channels[:-1], kernel_sizes[:-1], with_r)


@exercise.mistake("only the first layer was counted; loop over all of them, and return after the loop")
def first_alone(channels, kernel_sizes, with_r):
    return coordconv_parameters(channels[:2], kernel_sizes[:1], with_r)


@exercise.mistake("r was counted in place of i and j; with r there are three: i, j and r")
def r_alone(channels, kernel_sizes, with_r):
    d = 1 if with_r else 2
    return _kernels(channels, kernel_sizes, _first(d, kernel_sizes)) + sum(channels[1:])


@exercise.mistake("the last layer was given the coordinates; it is the first that sees them")
def in_the_last_layer(channels, kernel_sizes, with_r):
    extra = (*(0 for _ in kernel_sizes[1:]), 3 if with_r else 2)
    return _kernels(channels, kernel_sizes, extra) + sum(channels[1:])


@exercise.mistake("all layers were counted with the kernel of the first; each has its own size, kernel_sizes[layer]")
def first_size_for_all(channels, kernel_sizes, with_r):
    return coordconv_parameters(channels, tuple(kernel_sizes[0] for _ in kernel_sizes), with_r)


@exercise.mistake("that is what the coordinates cost; the whole network is wanted")
def coordinates_alone(channels, kernel_sizes, with_r):
    return kernel_sizes[0] ** 2 * (3 if with_r else 2) * channels[1]


@exercise.mistake("the biases were multiplied by k * k; a bias is one number, whatever the size of the kernel")
def bias_by_kernel_pixel(channels, kernel_sizes, with_r):
    more = sum((k * k - 1) * b for k, b in zip(kernel_sizes, channels[1:], strict=True))
    return coordconv_parameters(channels, kernel_sizes, with_r) + more
