"""The gain of each optimisation: one training step of the CoordConv classifier, batch 16, computed in nine ways.

From loops over pixels in Python to what `fit` does, each way adds one idea to the previous one. The layers stay the
same; only the computation of their convolutions changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord import reference
from minicoord.bench import plain_numpy
from minicoord.bench.inputs import inputs
from minicoord.bench.rows import Row, matching
from minicoord.experiments.classification.painters import coordconv_painter
from minicoord.kernels.naive import naive_conv2d, naive_conv2d_backward
from minicoord.nn.layers.activations import ReLU
from minicoord.nn.layers.base import Layer, Shape
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.coordinates import AddCoords, Tile
from minicoord.nn.losses import softmax_cross_entropy
from minicoord.nn.model import Sequential
from minicoord.train.accumulation import batch_gradients, choose_slice_size
from minicoord.train.optim import Adam

BATCH = 16
SECONDS_EACH = 4  # once a way has taken this long in total, it is not measured again
PYTHON_SIDE = 8  # the Python loops run on one image of 8 x 8 pixels, and their time is scaled up


class Loops(Layer):
    """A convolution of stride 1 whose passes are given as functions; the bias is added in a separate pass."""

    def __init__(self, w: NDArray, forward: Callable[..., NDArray], backward: Callable[..., tuple]) -> None:
        super().__init__()
        self.add_param("w", w)
        self.add_param("b", np.zeros(w.shape[3], w.dtype))
        self._forward, self._backward = forward, backward

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return ``conv(x, w) + b``."""
        return self.remember(self._forward(x, self.params["w"]) + self.params["b"], x)

    def backward(self, dy: NDArray) -> NDArray:
        """Return dx and put dw and db into `grads`."""
        dy, x = self.recall(dy)
        dx, dw = self._backward(x, self.params["w"], dy)[:2]
        self.set_grads(w=dw, b=dy.sum(axis=(0, 1, 2)))
        return dx

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, H, W, c_out)."""
        return (*input_shape[:3], self.params["w"].shape[3])


class Alone(Conv2D):
    """A convolution that is not fused with its neighbours: a model never fuses subclasses."""


class CoordConvAlone(CoordConv2D):
    """A CoordConv that is not fused with its neighbours."""


def _rebuilt(make: Callable[[Conv2D], list[Layer]], side: int = 64) -> Sequential:
    """Return the classifier with each convolution replaced by the layers that `make` returns for it."""
    layers: list[Layer] = []
    for layer in coordconv_painter(0).layers:
        if isinstance(layer, Tile):
            layers.append(Tile(side, side))
        elif isinstance(layer, Conv2D):
            layers += ([AddCoords()] if isinstance(layer, CoordConv2D) else []) + make(layer)
    return Sequential(layers)


def _by_loops(forward: Callable[..., NDArray], backward: Callable[..., tuple], layer: Conv2D) -> list[Layer]:
    relu: list[Layer] = [ReLU()] if layer.relu else []
    return [Loops(layer.params["w"], forward, backward), *relu]


def _by_tiles(fused: bool, layer: Conv2D) -> list[Layer]:
    kh, kw, c_in, c_out = layer.params["w"].shape
    conv = Alone(c_in, c_out, (kh, kw), activation="relu" if fused and layer.relu else None)
    conv.params["w"][:] = layer.params["w"]
    return [conv] if fused or not layer.relu else [conv, ReLU()]


def _one_by_one() -> Sequential:
    """Return the classifier with its layers unchanged, but not fused."""
    layers: list[Layer] = []
    for layer in coordconv_painter(0).layers:
        if isinstance(layer, Conv2D):
            kind = CoordConvAlone if isinstance(layer, CoordConv2D) else Alone
            layers.append(kind(layer.c_in, layer.c_out, layer.kernel_size, activation=layer.activation, rng=0))
        else:
            layers.append(layer)
    return Sequential(layers)


def _training_step(model: Sequential, x: NDArray, labels: NDArray, slice_size: int) -> Callable[[], None]:
    optimizer = Adam(1e-4, beta2=0.99, l2=0.001)

    def step() -> None:
        batch_gradients(model, softmax_cross_entropy, x, labels, slice_size)
        optimizer.step(model)

    return step


def ways(row: Row) -> list[tuple[str, Callable[[], object], float]]:
    """Return for each way its name, a function that does one step, and the factor that scales its time."""
    x, labels = inputs(row, BATCH)
    naive = [partial(naive_conv2d, parallel=p) for p in (False, True)]
    naive_back = [partial(naive_conv2d_backward, parallel=p) for p in (False, True)]
    in_python = _rebuilt(partial(_by_loops, reference.conv2d, reference.conv2d_backward), PYTHON_SIDE)
    serial = _rebuilt(partial(_by_loops, naive[0], naive_back[0]))
    threads = _rebuilt(partial(_by_loops, naive[1], naive_back[1]))
    tiles, fused = _rebuilt(partial(_by_tiles, False)), _rebuilt(partial(_by_tiles, True))
    size = choose_slice_size("auto", fused, (2,), BATCH)
    scale = BATCH * 64 * 64 / PYTHON_SIDE**2
    few_labels = labels[:1] % PYTHON_SIDE**2
    return [
        ("loops over pixels in Python", _training_step(in_python, x[:1], few_labels, 1), scale),
        ("whole im2col matrix in NumPy", plain_numpy.prepare(row, BATCH), 1),
        ("nested loops in Numba", _training_step(serial, x, labels, BATCH), 1),
        ("... on all threads", _training_step(threads, x, labels, BATCH), 1),
        ("products, tile by tile", _training_step(tiles, x, labels, BATCH), 1),
        ("bias and ReLU on the warm tile", _training_step(fused, x, labels, BATCH), 1),
        ("the batch in slices", _training_step(fused, x, labels, size), 1),
        ("coordinates once for all images", _training_step(_one_by_one(), x, labels, size), 1),
        ("1x1 layers in a chain, tile by tile", _training_step(row.build(), x, labels, size), 1),
    ]


def story(rounds: int = 9) -> Iterator[dict[str, Any]]:
    """Measure the ways in turns, and yield the time of each.

    Parameters
    ----------
    rounds : int
        How often each is measured; those that take seconds are measured less often.

    Yields
    ------
    dict
        ``way``, ``ms`` (the median; for the Python loops scaled up from one image of 8 x 8 pixels) and ``gain``, the
        time of the previous way divided by its own.
    """
    steps = ways(matching("step/coordconv-classifier/16")[0])
    taken: list[list[float]] = [[] for _ in steps]
    for _, step, _ in steps:
        step()
    # In turns, so that background load does not affect one way alone.
    for _ in range(rounds):
        for (_, step, _), seconds in zip(steps, taken, strict=True):
            if sum(seconds) < SECONDS_EACH:
                start = time.perf_counter()
                step()
                seconds.append(time.perf_counter() - start)
    before = None
    for (name, _, scale), seconds in zip(steps, taken, strict=True):
        ms = float(np.median(seconds)) * scale * 1e3
        yield {"way": name, "ms": ms, "gain": None if before is None else before / ms}
        before = ms
