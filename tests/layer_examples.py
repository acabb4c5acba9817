"""Examples of every layer: the one place where a new layer gets the examples that the tests run it with.

`EXAMPLES` has for each layer class a list of (how to make one, the shape of its input). ``nn/test_layers.py`` checks
gradients, shapes, dtypes, saving, copying and errors over all of them, and ``print_bits.py`` prints what they compute
with any number of threads. `discovery.layer_faults` finds a layer that has no example.

The output of a layer with heads is a dict of arrays: the tests go through it with `composites.outputs`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minicoord.nn.composites.branches import Branches
from minicoord.nn.composites.residual import Residual
from minicoord.nn.composites.spectral_norm import SpectralNorm
from minicoord.nn.layers.activations import LeakyReLU, ReLU, Sigmoid, Softmax, Tanh
from minicoord.nn.layers.base import Layer, Shape
from minicoord.nn.layers.batchnorm import BatchNorm2D
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.coordinates import AddCoords, Tile
from minicoord.nn.layers.dense import Dense
from minicoord.nn.layers.pooling import AvgPool2D, GlobalAvgPool, GlobalMaxPool, MaxPool2D
from minicoord.nn.layers.shape import Flatten, Reshape
from minicoord.nn.layers.tiled_coordconv import TiledCoordConv2D
from minicoord.nn.layers.transposed import ConvTranspose2D
from minicoord.nn.layers.upsample import Upsample2D
from minicoord.nn.model import Sequential

Make = Callable[[], Layer]

IMAGES = (2, 5, 4, 3)

EXAMPLES: dict[str, list[tuple[Make, Shape]]] = {
    "AddCoords": [(lambda: AddCoords(), IMAGES), (lambda: AddCoords(with_r=True), IMAGES)],
    "AvgPool2D": [(lambda: AvgPool2D((2, 3), 1, "same"), IMAGES)],
    "BatchNorm2D": [
        (lambda: BatchNorm2D(3, momentum=0.5), IMAGES),
        (lambda: BatchNorm2D(3, momentum=0.5, activation="relu"), IMAGES),
    ],
    "Branches": [
        (lambda: Branches(map=Conv2D(3, 2, 3, rng=0), mean=GlobalAvgPool(), input=Tanh()), IMAGES),
        (lambda: Branches(policy=Dense(3, 4, rng=0), others=Branches(value=Dense(3, 1, rng=1))), (2, 3)),
    ],
    "Conv2D": [
        (lambda: Conv2D(3, 4, (3, 2), (2, 1), rng=0), IMAGES),
        (lambda: Conv2D(3, 4, 3, 1, "valid", rng=0, bias=False), IMAGES),
        (lambda: Conv2D(3, 4, 1, rng=0, activation="relu"), IMAGES),
    ],
    "ConvTranspose2D": [
        (lambda: ConvTranspose2D(3, 4, (2, 3), 2, rng=0), IMAGES),
        (lambda: ConvTranspose2D(3, 2, 3, (2, 1), ((1, 0), (1, 2)), rng=0, activation="relu"), IMAGES),
    ],
    "CoordConv2D": [
        (lambda: CoordConv2D(3, 4, (3, 2), (1, 2), rng=0), IMAGES),
        (lambda: CoordConv2D(3, 4, 1, rng=0, with_r=True), IMAGES),
        (lambda: CoordConv2D(3, 2, 3, rng=0, activation="relu", bias=False), IMAGES),
    ],
    "Dense": [(lambda: Dense(3, 4, rng=0), (2, 3)), (lambda: Dense(3, 4, rng=0, bias=False), (2, 3))],
    "Flatten": [(lambda: Flatten(), IMAGES)],
    "GlobalAvgPool": [(lambda: GlobalAvgPool(), IMAGES)],
    "GlobalMaxPool": [(lambda: GlobalMaxPool(), IMAGES)],
    "LeakyReLU": [(lambda: LeakyReLU(0.3), IMAGES)],
    "MaxPool2D": [(lambda: MaxPool2D((3, 2), (2, 1), "same"), IMAGES)],
    "ReLU": [(lambda: ReLU(), IMAGES)],
    "Reshape": [(lambda: Reshape((2, 6)), (2, 3, 4))],
    "Residual": [
        (lambda: Residual(Sequential([Conv2D(3, 4, 3, rng=0), Tanh(), Conv2D(4, 3, (1, 2), rng=1)])), IMAGES),
        (lambda: Residual(Conv2D(3, 4, 3, 2, rng=0), shortcut=CoordConv2D(3, 4, 1, 2, rng=1)), IMAGES),
    ],
    "Sequential": [
        (lambda: Sequential([BatchNorm2D(3), CoordConv2D(3, 4, 1, rng=0), Conv2D(4, 2, 1, rng=1), Tanh()]), IMAGES),
        (lambda: Sequential([Flatten(), Sequential([Dense(60, 4, rng=0), Sigmoid()]), Dense(4, 2, rng=1)]), IMAGES),
    ],
    "Sigmoid": [(lambda: Sigmoid(), IMAGES)],
    "Softmax": [(lambda: Softmax(), IMAGES)],
    "SpectralNorm": [
        (lambda: SpectralNorm(Conv2D(3, 4, (3, 2), (2, 1), rng=0), rng=1), IMAGES),
        (lambda: SpectralNorm(CoordConv2D(3, 4, 3, rng=0, bias=False), rng=1), IMAGES),
        (lambda: SpectralNorm(ConvTranspose2D(3, 4, (2, 3), 2, rng=0), rng=1), IMAGES),
        (lambda: SpectralNorm(Dense(3, 1, rng=0), rng=1), (2, 3)),
    ],
    "Tanh": [(lambda: Tanh(), (2, 3))],
    "Tile": [(lambda: Tile(4, 5), (2, 3))],
    "TiledCoordConv2D": [
        (lambda: TiledCoordConv2D(3, 4, 4, 5, rng=0, activation="relu"), (2, 3)),
        (lambda: TiledCoordConv2D(3, 2, 3, 2, rng=0, with_r=True), (2, 3)),
    ],
    "Upsample2D": [(lambda: Upsample2D((2, 3)), IMAGES)],
}


def cases() -> list[tuple[str, Make, Shape]]:
    """Return a name, how to make the layer, and the shape of its input, for each example."""
    return [
        (f"{name} {k}" if k else name, make, shape)
        for name, listed in EXAMPLES.items()
        for k, (make, shape) in enumerate(listed)
    ]


def is_composite(layer: Layer) -> bool:
    """Whether a layer is made of layers: it lies beside ``nn/layers/``, and its errors name the layers within."""
    return not type(layer).__module__.startswith("minicoord.nn.layers.")


def larger(layer: Layer, shape: Shape) -> Shape:
    """Return a larger input shape that the layer takes: as many images and pixels as keep several threads busy."""
    batch = (37, *shape[1:])
    images = (5, *(9 * length for length in shape[1:-1]), *shape[-1:])
    try:
        layer.output_shape(images)
    except ValueError:  # the numbers of an image are fixed
        return batch
    return images if len(shape) > 2 else batch


def fill(layer: Layer, seed: int) -> None:
    """Give parameters and state random numbers; variances are positive."""
    rng = np.random.default_rng(seed)
    for arrays in (layer.params, layer.state):
        for key, array in arrays.items():
            array[...] = rng.uniform(0.5, 2, array.shape) if key.endswith("var") else rng.standard_normal(array.shape)
