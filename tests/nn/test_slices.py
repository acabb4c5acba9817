"""What a layer computes for an image does not depend on the images beside it, to the last bit.

So the slices in which training and evaluation take a batch change nothing but the sums of gradients. Batch
normalisation is the exception while it trains: it is made of the batch's own statistics.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from layer_examples import cases, fill, larger
from numpy.typing import NDArray

from minicoord import Conv2D, ConvTranspose2D, CoordConv2D, Dense, GlobalAvgPool, Sequential
from minicoord.experiments.classification.painters import coordconv_painter, deconv_painter
from minicoord.nn.composites.outputs import arrays_of
from minicoord.nn.layers.base import Layer

SLICES = (slice(0, 1), slice(1, 4), slice(4, None))


def assert_slices_have_the_same_bits(layer: Layer, x: NDArray, training: bool) -> None:
    whole = [array.copy() for array in arrays_of(layer.forward(x, training))]
    parts: list[list[Any]] = [[array.copy() for array in arrays_of(layer.forward(x[s], training))] for s in SLICES]
    for ours, *slices in zip(whole, *parts, strict=True):
        assert ours.tobytes() == np.concatenate(slices).tobytes()


@pytest.mark.compiled  # NumPy's products, which take the place of compiled ones, make no such promise
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("make, shape", [case[1:] for case in cases()], ids=[case[0] for case in cases()])
def test_any_slicing_of_a_batch_gives_the_same_bits(make, shape, dtype):
    layer = make().astype(dtype)
    fill(layer, seed=0)
    for size in (larger(layer, shape), (5, *shape[1:])):
        x = np.random.default_rng(1).standard_normal(size).astype(dtype)
        assert_slices_have_the_same_bits(layer, x, training=False)
        if not layer.state:  # statistics of batches are all the state that there is
            assert_slices_have_the_same_bits(layer, x, training=True)


def wide_model() -> Sequential:
    """Return a model whose channels fill vectors or leave a rest, and whose sums are longer than a piece."""
    layers = [
        CoordConv2D(3, 17, 3, rng=0, activation="relu"),
        Conv2D(17, 40, 5, 2, rng=1, activation="relu"),
        ConvTranspose2D(40, 33, 3, 2, rng=2),
        Conv2D(33, 64, 1, rng=3, activation="relu"),
        CoordConv2D(64, 70, 1, rng=4, with_r=True),
        ConvTranspose2D(70, 2, 4, (2, 3), rng=5),
        GlobalAvgPool(),
        Dense(2, 300, rng=6),
        Dense(300, 7, rng=7),
    ]
    return Sequential(layers)


@pytest.mark.compiled
def test_any_slicing_gives_the_same_bits_with_many_channels():
    for height, width in ((21, 17), (4, 3)):
        x = np.random.default_rng(3).standard_normal((9, height, width, 3)).astype(np.float32)
        assert_slices_have_the_same_bits(wide_model(), x, training=True)


@pytest.mark.compiled
@pytest.mark.parametrize("make", [lambda: coordconv_painter(0), lambda: deconv_painter(1, 3, rng=0)])
def test_any_slicing_of_a_batch_gives_the_same_images(make):
    x = np.random.default_rng(2).uniform(-1, 1, (7, 2)).astype(np.float32)
    assert_slices_have_the_same_bits(make(), x, training=False)
