"""The paper's first task on a small canvas: small enough to be trained with a learner's own plain Python loops.

On 16 x 16 pixels with a square of 3 x 3 there are 196 positions, and ten epochs of a CoordConv network are 100 steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.not_so_clevr import NotSoClevr, not_so_clevr
from minicoord.datasets.splits import Split, split
from minicoord.nn.initialisers import as_generator, scaled
from minicoord.nn.layers.base import Layer
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.coordinates import Tile
from minicoord.nn.layers.shape import Reshape
from minicoord.nn.layers.transposed import ConvTranspose2D
from minicoord.nn.losses import softmax_cross_entropy
from minicoord.nn.model import Sequential
from minicoord.train.fit import fit
from minicoord.train.history import History
from minicoord.train.optim import Adam
from minicoord.train.schedules import CosineSchedule


def toy_painter(
    canvas: int = 16, seed: int = 0, *, coordconv: bool = True, width: int = 32, kernel_size: int = 1
) -> Sequential:
    """Return a small network from a centre, shape (N, 2), to logits of shape (N, canvas, canvas, 1).

    Parameters
    ----------
    canvas : int
        Side of the image in pixels.
    seed : int
        Determines the initial weights.
    coordconv : bool
        False makes the first convolution a plain one, which cannot tell one pixel from another.
    width : int
        Channels between the layers.
    kernel_size : int
        Side of all kernels in pixels.
    """
    rng, init = as_generator(seed), scaled("he_normal", 0.5)
    first = CoordConv2D if coordconv else Conv2D
    layers: list[Layer] = [
        Tile(canvas, canvas),
        first(2, width, kernel_size, init=init, rng=rng, activation="relu"),
        Conv2D(width, width, kernel_size, init=init, rng=rng, activation="relu"),
        Conv2D(width, 1, kernel_size, init=init, rng=rng),
    ]
    return Sequential(layers)


def toy_deconvolution(seed: int = 0) -> Sequential:
    """Return a small network of the kind that fails: a centre, shape (N, 2), to logits of shape (N, 16, 16, 1).

    Four transposed convolutions of 3 x 3 with stride 2 and 64, 32, 32 and 1 channels. ReLU follows the first
    three; there is no batch norm.
    """
    rng = as_generator(seed)
    layers: list[Layer] = [Reshape((1, 1, 2))]
    for c_in, c_out in pairwise((2, 64, 32, 32)):
        layers.append(ConvTranspose2D(c_in, c_out, 3, stride=2, rng=rng, activation="relu"))
    return Sequential([*layers, ConvTranspose2D(32, 1, 3, stride=2, rng=rng)])


@dataclass(frozen=True, eq=False)
class ToyRun:
    """The result of `train_toy`.

    Attributes
    ----------
    data : NotSoClevr
    parts : Split
        Which samples of `data` were trained on, and which were held out.
    history : History
        One row for each epoch.
    train_accuracy, test_accuracy : float
        The share of centres whose pixel has the largest logit, in [0, 1].
    """

    data: NotSoClevr
    parts: Split
    history: History
    train_accuracy: float
    test_accuracy: float


def train_toy(
    model: Sequential,
    canvas: int = 16,
    *,
    square: int = 3,
    split_name: str = "quadrant",
    epochs: int = 10,
    seed: int = 0,
) -> ToyRun:
    """Train a network on coordinate classification on a small canvas, with Adam, and measure what it learned.

    Parameters
    ----------
    model : Sequential
        For example from `toy_painter`, for the same canvas. It is changed in place.
    canvas, square : int
        Sides of the image and of the square in pixels.
    split_name : str
        See `minicoord.datasets.split`.
    epochs : int
    seed : int
        Determines the shuffling.
    """
    data = not_so_clevr(canvas, square)
    parts = split(data, split_name)
    inputs, labels = data.inputs(), data.labels
    adam = Adam(0.01, beta2=0.99, l2=0.001)
    history = fit(
        model,
        softmax_cross_entropy,
        adam,
        inputs[parts.train],
        labels[parts.train],
        epochs=epochs,
        batch_size=16,
        seed=seed,
        schedule=CosineSchedule(adam.lr, epochs),
        progress=False,
    )

    def accuracy(part: NDArray) -> float:
        logits = model.forward(inputs[part])
        return float(np.mean(logits.reshape(len(part), -1).argmax(axis=1) == labels[part]))

    return ToyRun(data, parts, history, accuracy(parts.train), accuracy(parts.test))
