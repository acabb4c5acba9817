"""The CoordConv network of rendering: from a centre (x, y) to the 9 x 9 square around it.

It is the classifier (the pointer), a softmax that sharpens its map to one lit pixel, and a few convolutions that draw
the square around that pixel. In the released logs these have 1 x 1 kernels, which cannot spread a pixel to its
neighbours; in the README of the code they have 3 x 3 kernels. The argument `fs` chooses. The network without CoordConv
is ``deconv_painter``.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.experiments.classification.painters import coordconv_painter, deconv_painter
from minicoord.nn.initialisers import Rng, as_generator
from minicoord.nn.layers.activations import Softmax
from minicoord.nn.layers.base import Layer
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.model import Sequential


def drawing_tail(fs: int = 3, m: int = 1, rng: Rng = None) -> list[Layer]:
    """Return the five drawing layers, all convolutions: (N, H, W, 1) to logits of the same shape, 4,297 parameters.

    Parameters
    ----------
    fs : int
        Kernel size in pixels.
    m : int
        Factor on the channels 8, 8, 16 and 16 between them.
    rng : numpy.random.Generator, int or None
        Where the initial weights (he_normal) are drawn from.
    """
    rng = as_generator(rng)
    channels = [1, 8 * m, 8 * m, 16 * m, 16 * m]
    layers: list[Layer] = [Conv2D(a, b, fs, rng=rng, activation="relu") for a, b in pairwise(channels)]
    return [*layers, Conv2D(channels[-1], 1, fs, rng=rng)]


def coordconv_renderer(
    fs: int = 3, m: int = 1, rng: Rng = None, init_scale: float = 1.0, show_pointer: bool = False, sharpen: bool = True
) -> Sequential:
    """Return the paper's CoordConv renderer: (N, 2) to logits of shape (N, 64, 64, 1), 11,850 parameters.

    Parameters
    ----------
    fs : int
        Kernel size of the drawing layers in pixels: 1 (8,074 parameters) or 3.
    m : int
        Factor on the channels of the drawing layers; with 2, 9,490 or 24,210 parameters.
    rng : numpy.random.Generator, int or None
        Where the initial weights (he_normal) are drawn from.
    init_scale : float
        Factor on the initial weights of the pointer; 1 in the official code.
    show_pointer : bool
        Whether the pointer's map before the softmax is output beside the drawing: then the output is (N, 64, 64, 2).
    sharpen : bool
        Whether there is a softmax; without it the drawing layers get the map as it is.
    """
    rng = as_generator(rng)
    pointer = coordconv_painter(rng, init_scale=init_scale).layers
    drawer = [*([Softmax()] if sharpen else []), *drawing_tail(fs, m, rng)]
    if show_pointer:
        return ShowingItsPointer(Sequential(pointer), Sequential(drawer))
    return Sequential([*pointer, *drawer])


def deconv_pointer_renderer(c: int = 2, fs: int = 3, m: int = 1, rng: Rng = None) -> Sequential:
    """Return the CoordConv renderer with the deconvolution network as its pointer: two stages without CoordConv.

    It answers whether the two stages help convolution, too. A variant in the official code.

    Parameters
    ----------
    c, fs : int
        Channel factor and kernel size (pixels) of the deconvolution network.
    m : int
        Factor on the channels of the drawing layers, whose kernels are 3 x 3.
    rng : numpy.random.Generator, int or None
        Where the initial weights (he_normal) are drawn from.
    """
    rng = as_generator(rng)
    return Sequential([*deconv_painter(c, fs, rng=rng).layers, Softmax(), *drawing_tail(3, m, rng)])


class ShowingItsPointer(Sequential):
    """A CoordConv renderer that also outputs the map before its softmax, so that a loss can include it.

    Parameters
    ----------
    pointer : Sequential
        Maps (N, 2) to logits (N, H, W, 1): the classifier.
    drawer : Sequential
        Maps these to the logits of the drawing (N, H, W, 1).
    """

    def __init__(self, pointer: Sequential, drawer: Sequential) -> None:
        super().__init__([pointer, drawer])
        self.pointer, self.drawer = pointer, drawer

    def _run(self, x: NDArray, training: bool, prefix: str) -> NDArray:
        """Return the drawing and the map side by side: (N, H, W, 2)."""
        pointer_map = self.pointer._run(x, training, f"{prefix}0.")  # (N, H, W, 1)
        drawing = self.drawer._run(pointer_map, training, f"{prefix}1.")  # (N, H, W, 1)
        return np.concatenate([drawing, pointer_map], axis=-1)

    def backward(self, dy: NDArray, need_dx: bool = True) -> NDArray | None:
        """Compute the gradients into `grads` from dL/dy (N, H, W, 2).

        The map affects the loss in two ways, itself and by way of the drawing, so its two gradients are added.
        """
        through_drawing = self.drawer.backward(np.ascontiguousarray(dy[..., :1]))
        assert through_drawing is not None  # need_dx is True by default
        return self.pointer.backward(through_drawing + dy[..., 1:], need_dx)


def square_drawer(square: int = 9) -> Sequential:
    """Return one convolution that draws the square around a lit pixel exactly: a kernel of ones, set by hand.

    Each pixel counts the lit pixels in the square around itself: one if it belongs to the drawing, else none. So half
    of rendering, from one lit pixel to the square, is a task that convolution is made for.

    Parameters
    ----------
    square : int
        Side of the square in pixels, odd.

    Returns
    -------
    Sequential
        (N, H, W, 1) to logits of the same shape: 8 inside the square, -8 outside.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((1, 5, 5, 1), np.float32)
    >>> image[0, 1, 2, 0] = 1
    >>> (square_drawer(3).forward(image)[0, :, :, 0] > 0).astype(int)
    array([[0, 1, 1, 1, 0],
           [0, 1, 1, 1, 0],
           [0, 1, 1, 1, 0],
           [0, 0, 0, 0, 0],
           [0, 0, 0, 0, 0]])
    """
    conv = Conv2D(1, 1, square, init="zeros")
    conv.params["w"][:], conv.params["b"][:] = 16, -8
    return Sequential([conv])


def describe_renderers() -> list[dict[str, Any]]:
    """Return a row for each network of the paper for rendering: name, parameters and layers."""
    rows = []
    for fs in (1, 3, 4):
        for m in (1, 2):
            net = coordconv_renderer(fs, m, 0)
            tail = ", ".join(str(width * m) for width in (8, 8, 16, 16))
            layers = f"the CoordConv classifier, Softmax, Conv2D {tail} and 1; kernel {fs}x{fs}, ReLU between"
            rows.append({"model": f"coordconv fs={fs} m={m}", "parameters": net.n_params, "layers": layers})
    for c in (1, 2, 3):
        for fs in (2, 3, 4):
            net = deconv_painter(c, fs, rng=0)
            layers = f"the deconvolution network of classification, kernel {fs}x{fs}"
            rows.append({"model": f"conv c={c} fs={fs}", "parameters": net.n_params, "layers": layers})
    return rows
