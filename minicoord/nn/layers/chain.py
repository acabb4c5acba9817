"""1x1 convolutions that follow each other in a model, run as one: see `minicoord.kernels.pointwise`.

A model does so on its own. What the layers keep, compute and give back is the same as one by one; each still has its
output for whoever looks, and its gradients in ``grads``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.blas import one_blas_thread
from minicoord.kernels.pointwise import Chain, Link, is_pointwise
from minicoord.nn.layers.base import Layer
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D


def chain_from(layers: Sequence[Layer], start: int, x: object) -> list[Conv2D]:
    """Return the layers from `start` on that can run as a chain on images `x`; fewer than two are no chain.

    They are `Conv2D` and `CoordConv2D` with a kernel of one pixel and a stride of 1, of one dtype, each with as many
    channels in as the one before has out. A layer of a class of its own is left alone. What is no image is left to the
    first layer, whose error names it.
    """
    if not isinstance(x, np.ndarray) or x.ndim != 4:
        return []
    found: list[Conv2D] = []
    with_r: set[bool] = set()
    for layer in layers[start:]:
        if not isinstance(layer, Conv2D) or type(layer) not in (Conv2D, CoordConv2D):
            break
        if layer.kernel_size != (1, 1) or not is_pointwise(x, layer.window(*x.shape[1:3])):
            break
        if found and (layer.c_in != found[-1].c_out or layer.dtype != found[-1].dtype):
            break
        if isinstance(layer, CoordConv2D):
            with_r.add(layer.with_r)
        if len(with_r) > 1:
            break
        found.append(layer)
    return found


class ChainOfLayers:
    """A forward pass through 1x1 convolutions, and the backward pass that belongs to it.

    Parameters
    ----------
    layers : list of Conv2D
        From `chain_from`.
    """

    can_skip_dx = True

    def __init__(self, layers: list[Conv2D]) -> None:
        self.layers = layers
        self.name = " and ".join(layer.name for layer in layers)

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return the output of the last layer; every layer remembers what it would have on its own."""
        self.x = x = self.layers[0].check_images(x)
        coordinates = next((layer for layer in self.layers if isinstance(layer, CoordConv2D)), None)
        shared = None if coordinates is None else coordinates.shared_columns(x)
        self.chain = Chain([_link(layer) for layer in self.layers], shared)
        with one_blas_thread():
            self.ys = self.chain.forward(x)
        y = x
        for layer, output in zip(self.layers, self.chain.outputs(self.ys, x.shape), strict=True):
            layer.remember(output, y, output if layer.relu else None)
            y = output
        return y

    def backward(self, dy: NDArray, need_dx: bool = True) -> NDArray | None:
        """Return dx, or None if it is not needed; leave every layer's gradients in its ``grads``."""
        dy = self.layers[-1].recall(dy)[0]
        with one_blas_thread():
            dx, gradients = self.chain.backward(self.x, self.ys, dy, need_dx)
        for layer, (dw, dw_shared) in zip(self.layers, gradients, strict=True):
            rows = np.concatenate([dw, dw_shared[:-1]]) if isinstance(layer, CoordConv2D) else dw
            layer.keep_gradients(rows[np.newaxis, np.newaxis], dw_shared[-1])
        return dx


def _link(layer: Conv2D) -> Link:
    """Return a layer's weights: those of the image, and those of the channels that all images share, the bias last."""
    w = layer.params["w"][0, 0]
    b = layer.params.get("b")
    bias = np.zeros((1, layer.c_out), w.dtype) if b is None else b[np.newaxis]
    w_shared = np.concatenate([w[layer.c_in :], bias])
    return Link(w[: layer.c_in], w_shared, layer.relu, isinstance(layer, CoordConv2D))
