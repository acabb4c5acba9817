"""What lesson 14 computes: what padding gives away, a convolution in another layout, a trained network that grows."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.convolution import conv2d
from minicoord.nn.initialisers import initialise
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.dense import Dense
from minicoord.nn.layers.pooling import GlobalMaxPool
from minicoord.nn.losses import mean_squared_error
from minicoord.nn.model import Sequential
from minicoord.train.fit import fit
from minicoord.train.optim import Adam
from minicoord.train.schedules import CosineSchedule

CANVAS = (24, 40)
"""Rows and columns of the images of one lit pixel."""

CHANNELS, RATE = 16, 0.005


def features(depth: int, padding: str, images: NDArray, channels: int = 8, seed: int = 0) -> NDArray[np.float32]:
    """Return what `depth` random layers of 3 x 3, each with a ReLU, make of images (N, H, W, 1): (N, H, W, channels).

    `padding` is "zeros" or "mirror", which repeats the pixels next to the border.
    """
    rng = np.random.default_rng(seed)
    x = images.astype(np.float32)
    for _ in range(depth):
        w = initialise("he_normal", (3, 3, x.shape[3], channels), rng)
        around = ((0, 0), (1, 1), (1, 1), (0, 0))
        x = np.pad(x, around) if padding == "zeros" else np.pad(x, around, mode="reflect")
        x = np.maximum(conv2d(x, w, padding="valid"), 0)
    return x


def seen_of_the_border(depth: int, padding: str, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return how far the features at each pixel of a plain grey image are from those in its middle: `size`.

    The distance is relative to the length of the features in the middle, and is 0 where a pixel cannot tell that it is
    not the middle.
    """
    x = features(depth, padding, np.ones((1, *size, 1)))[0].astype(np.float64)
    middle = x[size[0] // 2, size[1] // 2]
    off = np.linalg.norm(x - middle, axis=2) / max(float(np.linalg.norm(middle)), 1e-12)
    return np.where(off < 1e-5, 0, off)


def place_read_off(depth: int, padding: str, size: tuple[int, int] = (48, 64)) -> float:
    """Return how far off, in pixels, the best linear map from random features to row and column is, on average.

    It is found on images of noise and measured on others. Trained features may do better.
    """
    images = np.random.default_rng(1).uniform(size=(8, *size, 1))
    x = features(depth, padding, images)
    rows = np.concatenate([x, np.ones((*x.shape[:3], 1), np.float32)], axis=3).astype(np.float64)
    wanted = np.broadcast_to(np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"), axis=-1), (*x.shape[:3], 2))
    head = np.linalg.lstsq(rows[:4].reshape(-1, rows.shape[3]), wanted[:4].reshape(-1, 2), rcond=None)[0]
    return float(np.linalg.norm(rows[4:] @ head - wanted[4:], axis=-1).mean())


def middle_off(size: tuple[int, int] = (48, 64)) -> float:
    """Return how far off, in pixels, the answer is on average that is always the middle."""
    rows, columns = (np.arange(length) - (length - 1) / 2 for length in size)
    return float(np.hypot(rows[:, None], columns).mean())


def conv_as_in_pytorch(x: NDArray, w: NDArray, b: NDArray) -> NDArray:
    """Return the convolution of images (N, C, H, W) with a kernel (c_out, C, kh, kw) of odd sides, of the same size.

    Slow and obvious: what ``torch.nn.Conv2d(..., padding="same")`` computes.
    """
    kh, kw = w.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (kh // 2, kh // 2), (kw // 2, kw // 2)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))  # (N, C, H, W, kh, kw)
    return np.einsum("nchwij,ocij->nohw", windows, w) + b[:, None, None]


def keras_back_end() -> str:
    """Return the back end that Keras is to use: that of ``KERAS_BACKEND``, or the first that is installed.

    If none is, that of Keras itself, whose import then fails as that of any missing package.
    """
    installed = (name for name in ("tensorflow", "jax", "torch") if find_spec(name))
    return os.environ.get("KERAS_BACKEND") or next(installed, "tensorflow")


def lit_pixels(size: tuple[int, int] = CANVAS) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return an image (H, W, 1) with one lit pixel for each place, and its row and column from -1 to 1: (places, 2)."""
    height, width = size
    images = np.eye(height * width, dtype=np.float32).reshape(-1, height, width, 1)
    rows, columns = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    return images, np.stack([rows, columns], axis=-1).reshape(-1, 2).astype(np.float32)


def finder(seed: int = 0) -> Sequential:
    """Return a plain network that is asked where the lit pixel is: two convolutions, a maximum, a dense layer."""
    rng = np.random.default_rng(seed)
    return Sequential(
        [
            Conv2D(1, CHANNELS, 3, rng=rng, activation="relu"),
            Conv2D(CHANNELS, CHANNELS, 3, rng=rng),
            GlobalMaxPool(),
            Dense(CHANNELS, 2, rng=rng),
        ]
    )


def grown(trained: Sequential, grown_kernel: Callable[..., NDArray]) -> Sequential:
    """Return a network with the weights of a trained `finder`, whose second convolution is a CoordConv.

    `grown_kernel` is the answer to the exercise: it gets the kernel in PyTorch's layout, and 2.
    """
    layers: list[Any] = [
        Conv2D(1, CHANNELS, 3, rng=0, activation="relu"),
        CoordConv2D(CHANNELS, CHANNELS, 3, rng=0),
        GlobalMaxPool(),
        Dense(CHANNELS, 2, rng=0),
    ]
    net = Sequential(layers)
    for name, array in net.params.items():
        there = trained.params[name]
        if array.shape == there.shape:
            array[...] = there
        else:
            array[...] = grown_kernel(there.transpose(3, 2, 0, 1), 2).transpose(2, 3, 1, 0)
    return net


def trained_further(net: Sequential, epochs: int, seed: int = 0) -> list[float]:
    """Train a network to find lit pixels, and return how far off it is on places held out, in pixels, after each epoch.

    Every third place is held out. The first number is that before training.
    """
    x, y = lit_pixels()
    held_out = np.arange(len(x)) % 3 == 1

    def off(model: Sequential) -> float:
        half = (np.array(CANVAS) - 1) / 2  # pixels to a unit of the coordinates
        return float(np.linalg.norm((model.forward(x[held_out]) - y[held_out]) * half, axis=1).mean())

    before = off(net)
    history = fit(
        net,
        mean_squared_error,
        Adam(RATE),
        x[~held_out],
        y[~held_out],
        epochs=epochs,
        batch_size=32,
        seed=seed,
        schedule=CosineSchedule(RATE, epochs),
        evaluate=lambda model, _: {"off": off(model)},
        progress=False,
    )
    return [before, *(float(value) for value in history["off"])]
