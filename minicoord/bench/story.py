"""The gain of each optimisation: one training step of the CoordConv classifier, batch 16, computed in nine ways.

From loops over pixels in Python to what `fit` does, each way adds one idea to the previous one. The layers stay the
same; only the computation of their convolutions changes. Ways that multiply with OpenBLAS run in a process of their
own, because its threads go on spinning for a while after each product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord import reference
from minicoord.bench import ours, plain_numpy
from minicoord.bench.inputs import inputs
from minicoord.bench.measure import Worker, blas_threads, turns
from minicoord.bench.rows import Row
from minicoord.experiments.classification.painters import coordconv_painter
from minicoord.kernels.backend.threading_layer import get_threads
from minicoord.kernels.convolution import conv2d, conv2d_backward
from minicoord.kernels.im2col import col2im, im2col
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

ROW = "step/coordconv-classifier/16"
BATCH = 16
PYTHON_SIDE = 8  # the Python loops run on one image of 8 x 8 pixels, and their time is scaled up

Step = Callable[[], object]


@dataclass(frozen=True)
class Way:
    """A way to do the training step.

    Attributes
    ----------
    prepare : callable
        Given the row, returns a function that does one step.
    blas : bool
        Whether NumPy's BLAS multiplies, with threads of its own.
    scale : float
        What the time of that function is multiplied by to be that of a step of `BATCH` images of 64 x 64 pixels.
    """

    prepare: Callable[[Row], Step]
    blas: bool = False
    scale: float = 1


class Passes(Layer):
    """A convolution of stride 1 whose passes are given as functions; the bias is added in a separate pass."""

    def __init__(self, w: NDArray, forward: Callable[..., NDArray], backward: Callable[..., Sequence[Any]]) -> None:
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


def blas_conv2d(x: NDArray, w: NDArray) -> NDArray:
    """Convolve with a compiled im2col and a product of NumPy."""
    y = im2col(x, w.shape[:2]) @ w.reshape(-1, w.shape[3])
    return y.reshape(*x.shape[:3], w.shape[3])


def blas_conv2d_backward(x: NDArray, w: NDArray, dy: NDArray) -> tuple[NDArray, NDArray]:
    """Return dx and dw of `blas_conv2d`."""
    rows = dy.reshape(-1, w.shape[3])
    dx = col2im(rows @ w.reshape(-1, w.shape[3]).T, x.shape, w.shape[:2])
    return dx, (im2col(x, w.shape[:2]).T @ rows).reshape(w.shape)


def rebuilt(forward: Callable[..., NDArray], backward: Callable[..., Sequence[Any]], side: int = 64) -> Sequential:
    """Return the classifier with its convolutions computed by two functions, and coordinates, bias and ReLU apart.

    Parameters
    ----------
    forward, backward : callable
        ``forward(x, w) -> y`` and ``backward(x, w, dy) -> (dx, dw, ...)``.
    side : int
        Pixels in a row and in a column of its images.
    """
    layers: list[Layer] = []
    for layer in coordconv_painter(0).layers:
        if isinstance(layer, Tile):
            layers.append(Tile(side, side))
        elif isinstance(layer, Conv2D):
            coords: list[Layer] = [AddCoords()] if isinstance(layer, CoordConv2D) else []
            relu: list[Layer] = [ReLU()] if layer.relu else []
            layers += [*coords, Passes(layer.params["w"], forward, backward), *relu]
    return Sequential(layers)


def one_by_one(model: Sequential) -> Sequential:
    """Return a model of the same layers in which no layer is fused with its neighbours."""
    return Sequential([Sequential([layer]) for layer in model.layers])


def training_step(model: Sequential, x: NDArray, labels: NDArray, slice_size: int) -> Step:
    """Return a function that does one step, with the batch in slices of `slice_size` images."""
    optimizer = Adam(1e-4, beta2=0.99, l2=0.001)

    def step() -> None:
        batch_gradients(model, softmax_cross_entropy, x, labels, slice_size)
        optimizer.step(model)

    return step


def _in_python(row: Row) -> Step:
    x, labels = inputs(row, BATCH)
    model = rebuilt(reference.conv2d, reference.conv2d_backward, PYTHON_SIDE)
    return training_step(model, x[:1], labels[:1] % PYTHON_SIDE**2, 1)


def _passes(forward: Callable[..., NDArray], backward: Callable[..., Sequence[Any]], sliced: bool, row: Row) -> Step:
    x, labels = inputs(row, BATCH)
    size = choose_slice_size("auto", row.build(), row.sample, BATCH) if sliced else BATCH
    return training_step(rebuilt(forward, backward), x, labels, size)


def _nested_loops(parallel: bool, row: Row) -> Step:
    passes = partial(naive_conv2d, parallel=parallel), partial(naive_conv2d_backward, parallel=parallel)
    return _passes(*passes, False, row)


def _layer_by_layer(row: Row) -> Step:
    x, labels = inputs(row, BATCH)
    size = choose_slice_size("auto", row.build(), row.sample, BATCH)
    return training_step(one_by_one(row.build()), x, labels, size)


WAYS = {
    "loops over pixels in Python": Way(_in_python, scale=BATCH * 64 * 64 / PYTHON_SIDE**2),
    "whole im2col matrix in NumPy": Way(lambda row: plain_numpy.prepare(row, BATCH), blas=True),
    "nested loops in Numba": Way(partial(_nested_loops, False)),
    "... on all threads": Way(partial(_nested_loops, True)),
    "compiled im2col, product by OpenBLAS": Way(partial(_passes, blas_conv2d, blas_conv2d_backward, False), blas=True),
    "... on slices that stay in the cache": Way(partial(_passes, blas_conv2d, blas_conv2d_backward, True), blas=True),
    "micro-kernel: sums stay in registers": Way(partial(_passes, conv2d, conv2d_backward, True)),
    "... and so do bias, coordinates and ReLU": Way(_layer_by_layer),
    "1x1 layers fused, tile by tile": Way(lambda row: ours.prepare(row, BATCH)),
}


def story(rounds: int = 9) -> Iterator[dict[str, Any]]:
    """Measure the ways in turns, and yield the time of each.

    Parameters
    ----------
    rounds : int
        How many turns each gets.

    Yields
    ------
    dict
        ``way``, ``ms`` (the median; for the Python loops scaled up from one image of 8 x 8 pixels) and ``gain``, the
        time of the previous way divided by its own.
    """
    with ExitStack() as stack:
        who = {}
        for blas in (False, True):
            worker = stack.enter_context(Worker("story", environment=blas_threads(get_threads())))
            names = [name for name, way in WAYS.items() if way.blas == blas]
            worker.ask("build", row=ROW, variants=names)
            who |= {name: (worker, name) for name in names}
        seconds = np.median(turns([who[name] for name in WAYS], rounds), axis=0)
    before = None
    for (name, way), taken in zip(WAYS.items(), seconds.tolist(), strict=True):
        ms = taken * way.scale * 1e3
        yield {"way": name, "ms": ms, "gain": None if before is None else before / ms}
        before = ms
