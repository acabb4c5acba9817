"""1x1 convolutions in a row, run together as one chain: see `minicoord.kernels.pointwise`.

`Sequential` finds the chains itself. Afterwards each layer has what it would have on its own: what it needs for a
backward pass, its output, and its gradients in ``grads``. Only the last bits may differ from layer by layer, because a
chain cuts the image into other tiles.

Between forward and backward a layer may be used elsewhere, alone or in another model, and it is the last pass of each
layer that counts, with the weights that it has by then. A chain whose layers are no longer as it left them goes back
layer by layer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.pointwise import Chain, Link, is_pointwise
from minicoord.nn.layers.base import Layer
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D


def chain_from(layers: Sequence[Layer], start: int, x: object) -> list[Conv2D]:
    """Return the layers from `start` on that can run as a chain on images `x`; a chain has at least two.

    They are `Conv2D` and `CoordConv2D` with a 1x1 kernel and a stride of 1, all of one dtype, where ``c_in`` of each is
    ``c_out`` of the one before. Subclasses are not fused. An `x` that is not a batch of images gives an empty list, so
    that the first layer raises its own error.
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

    Attributes
    ----------
    outputs : list of ndarray
        The output of each layer in the last `forward`, shape (N, H, W, c_out).
    """

    def __init__(self, layers: list[Conv2D]) -> None:
        self.layers = layers

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return the output of the last layer; each layer keeps what its own `forward` would have kept."""
        for layer in self.layers:
            layer.check_arrays()
        self.x = x = self.layers[0].check_images(x)  # (N, H, W, c_in)
        first = next((layer for layer in self.layers if isinstance(layer, CoordConv2D)), None)
        coordinates = None if first is None else first.coordinates(x)
        self.chain = Chain([_link(layer) for layer in self.layers], coordinates)
        self.ys = self.chain.forward(x)
        self.outputs = self.chain.outputs(self.ys, x.shape)
        for layer, layer_x, y in zip(self.layers, [x, *self.outputs], self.outputs, strict=False):
            shown = layer.remember(y, layer_x, y if layer.relu else None)
        self.left = [(layer._saved, layer.params["w"]) for layer in self.layers]
        return shown

    def backward(self, dy: NDArray, need_dx: bool = True) -> NDArray | None:
        """Return dx, or None if it is not needed; leave every layer's gradients in its ``grads``."""
        for layer in self.layers:
            layer.check_arrays()
        if not self._is_as_left():
            return self._backward_one_by_one(dy, need_dx)
        dy = self.layers[-1].recall(dy)[0]
        dx, gradients = self.chain.backward(self.x, self.ys, dy, need_dx)
        for layer, (dw, db) in zip(self.layers, gradients, strict=True):
            layer.keep_gradients(dw[np.newaxis, np.newaxis], db)  # (rows, c_out) -> (1, 1, rows, c_out)
        return dx

    def _is_as_left(self) -> bool:
        """Whether every layer still holds the pass of this chain, and the weights that the chain has packed.

        Weights that are not contiguous were packed from a copy, which does not see what is written to them.
        """
        for layer, (saved, w) in zip(self.layers, self.left, strict=True):
            if layer._saved is not saved or layer.params.get("w") is not w or not w.flags.c_contiguous:
                return False
        return True

    def _backward_one_by_one(self, dy: NDArray, need_dx: bool) -> NDArray | None:
        for k, layer in reversed(list(enumerate(self.layers))):
            dx = layer.backward(dy, need_dx or k > 0)
            if dx is None:
                return None
            dy = dx
        return dy


def _link(layer: Conv2D) -> Link:
    w, b = layer.weights()
    w = w[0, 0]  # (c_in, c_out), with coordinates more rows
    coordinates = w.shape[0] - layer.c_in
    return Link(w, np.zeros(layer.c_out, w.dtype) if b is None else b, layer.relu, coordinates)
