"""The rows in plain NumPy with a full im2col matrix, as convolution is usually taught; an oracle for the benchmark.

Each layer is a pair of short functions, forward and backward, with no regard to memory. The parent process
chooses the number of threads of NumPy's BLAS (``measure.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from minicoord.bench.inputs import BETA2, L2, LEARNING_RATE, inputs
from minicoord.bench.rows import Row
from minicoord.kernels.coordinates import coordinate_channels
from minicoord.kernels.geometry import Window, window
from minicoord.nn.composites.branches import Branches
from minicoord.nn.composites.residual import Residual
from minicoord.nn.layers import activations, batchnorm, convolution, coordconv, dense, pooling, shape, transposed
from minicoord.nn.layers.base import Layer
from minicoord.nn.layers.coordinates import Tile
from minicoord.nn.layers.tiled_coordconv import TiledCoordConv2D
from minicoord.nn.model import Sequential


def im2col(x: NDArray, win: Window) -> NDArray:
    """Return the full im2col matrix of images (N, H, W, C): a row of (kh, kw, C) for each window position."""
    padded = np.pad(x, ((0, 0), (win.top, win.bottom), (win.left, win.right), (0, 0)))
    view = sliding_window_view(padded, (win.kh, win.kw), (1, 2))[:, :: win.sy, :: win.sx]  # (N, h, w, C, kh, kw)
    return view.transpose(0, 1, 2, 4, 5, 3).reshape(-1, win.kh * win.kw * x.shape[3])


def col2im(cols: NDArray, shape_: tuple[int, ...], win: Window) -> NDArray:
    """Return the adjoint of `im2col`: each entry is added to the pixel that it was copied from."""
    n, height, width, channels = shape_
    parts = cols.reshape(n, win.out_h, win.out_w, win.kh, win.kw, channels)
    padded = np.zeros((n, height + win.top + win.bottom, width + win.left + win.right, channels), cols.dtype)
    for i in range(win.kh):
        for j in range(win.kw):
            rows = slice(i, i + win.sy * win.out_h, win.sy)
            padded[:, rows, j : j + win.sx * win.out_w : win.sx] += parts[:, :, :, i, j]
    return padded[:, win.top : win.top + height, win.left : win.left + width]


class PlainLayer:
    """One of our layers, with its parameters, computed in plain NumPy."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.params, self.grads = layer.params, layer.grads
        self.saved: Any = None

    def forward(self, x: NDArray) -> NDArray:
        """Return the output, and store what `backward` needs."""
        raise NotImplementedError

    def backward(self, dy: NDArray) -> NDArray:
        """Return dx and write the gradients of the parameters to `grads`."""
        raise NotImplementedError


class Convolution(PlainLayer):
    """``cols @ w + b``, with the coordinates concatenated first for a CoordConv."""

    def forward(self, x: NDArray) -> NDArray:
        layer, w = self.layer, self.params["w"]
        assert isinstance(layer, convolution.Conv2D)
        if isinstance(layer, coordconv.CoordConv2D):
            coords = coordinate_channels(x.shape[1], x.shape[2], layer.with_r, x.dtype)
            x = np.concatenate([x, np.broadcast_to(coords, (len(x), *coords.shape))], axis=3)
        win = window(x.shape[1], x.shape[2], w.shape[:2], layer.stride, layer.padding)
        cols = im2col(x, win)
        y = cols @ w.reshape(-1, w.shape[3]) + self.params.get("b", 0)
        if layer.relu:
            y = np.maximum(y, 0)
        self.saved = x.shape, win, cols, y
        return y.reshape(len(x), win.out_h, win.out_w, -1)

    def backward(self, dy: NDArray) -> NDArray:
        (x_shape, win, cols, y), w, layer = self.saved, self.params["w"], self.layer
        assert isinstance(layer, convolution.Conv2D)
        dz = dy.reshape(y.shape)
        if layer.relu:
            dz = dz * (y > 0)
        self.grads["w"][:] = (cols.T @ dz).reshape(w.shape)
        if "b" in self.grads:
            self.grads["b"][:] = dz.sum(axis=0)
        dx = col2im(dz @ w.reshape(-1, w.shape[3]).T, x_shape, win)
        return dx[..., : layer.c_in]


class Transposed(PlainLayer):
    """The adjoint of a convolution: ``col2im(x @ w.T)``."""

    def forward(self, x: NDArray) -> NDArray:
        layer, w = self.layer, self.params["w"]
        assert isinstance(layer, transposed.ConvTranspose2D)
        shape_ = layer.output_shape(x.shape)
        win = window(shape_[1], shape_[2], w.shape[:2], layer.stride, layer.padding)
        rows = x.reshape(-1, x.shape[3])
        y = col2im(rows @ w.reshape(-1, w.shape[3]).T, shape_, win) + self.params.get("b", 0)
        if layer.relu:
            y = np.maximum(y, 0)
        self.saved = x.shape, win, rows, y
        return y

    def backward(self, dy: NDArray) -> NDArray:
        (x_shape, win, rows, y), w, layer = self.saved, self.params["w"], self.layer
        assert isinstance(layer, transposed.ConvTranspose2D)
        dz = dy * (y > 0) if layer.relu else dy
        cols = im2col(dz, win)
        self.grads["w"][:] = (cols.T @ rows).reshape(w.shape)
        if "b" in self.grads:
            self.grads["b"][:] = dz.sum(axis=(0, 1, 2))
        return (cols @ w.reshape(-1, w.shape[3])).reshape(x_shape)


class Normalisation(PlainLayer):
    """Batch normalisation by the statistics of the batch."""

    def forward(self, x: NDArray) -> NDArray:
        assert isinstance(self.layer, batchnorm.BatchNorm2D)
        axes = tuple(range(x.ndim - 1))
        deviation = x - x.mean(axis=axes)
        scale = 1 / np.sqrt((deviation**2).mean(axis=axes) + np.float32(self.layer.eps))
        z = deviation * scale
        y = self.params["gamma"] * z + self.params["beta"]
        if self.layer.relu:
            y = np.maximum(y, 0)
        self.saved = z, scale, axes, y
        return y

    def backward(self, dy: NDArray) -> NDArray:
        z, scale, axes, y = self.saved
        assert isinstance(self.layer, batchnorm.BatchNorm2D)
        if self.layer.relu:
            dy = dy * (y > 0)
        self.grads["beta"][:], self.grads["gamma"][:] = dy.sum(axis=axes), (dy * z).sum(axis=axes)
        m = dy.size // dy.shape[-1]
        return self.params["gamma"] * scale * (dy - self.grads["beta"] / m - z * (self.grads["gamma"] / m))


class Pooling(PlainLayer):
    """Maximum or mean over windows that tile the image, or over the whole image."""

    def forward(self, x: NDArray) -> NDArray:
        height, width = getattr(self.layer, "kernel_size", x.shape[1:3])
        n, rows, columns, channels = x.shape
        view = x.reshape(n, rows // height, height, columns // width, width, channels)
        maximum = isinstance(self.layer, (pooling.MaxPool2D, pooling.GlobalMaxPool))
        y = view.max(axis=(2, 4), keepdims=True) if maximum else view.mean(axis=(2, 4), keepdims=True)
        share = view == y if maximum else np.broadcast_to(np.float32(1 / (height * width)), view.shape)
        self.saved = x.shape, y.shape, share
        return y.reshape(n, channels) if hasattr(self.layer, "kernel_size") is False else y[:, :, 0, :, 0]

    def backward(self, dy: NDArray) -> NDArray:
        x_shape, y_shape, share = self.saved
        return (share * dy.reshape(y_shape)).reshape(x_shape)


class FullyConnected(PlainLayer):
    """``x @ w + b``."""

    def forward(self, x: NDArray) -> NDArray:
        self.saved = x
        return x @ self.params["w"] + self.params["b"]

    def backward(self, dy: NDArray) -> NDArray:
        self.grads["w"][:], self.grads["b"][:] = self.saved.T @ dy, dy.sum(axis=0)
        return dy @ self.params["w"].T


class ElementWise(PlainLayer):
    """An activation, a softmax over all pixels, a reshape, or a vector repeated at every pixel."""

    def forward(self, x: NDArray) -> NDArray:
        layer = self.layer
        if isinstance(layer, Tile):
            y = np.repeat(x[:, None], layer.height * layer.width, axis=1).reshape(layer.output_shape(x.shape))
        elif isinstance(layer, activations.ReLU):
            y = np.maximum(x, 0)
        elif isinstance(layer, activations.LeakyReLU):
            y = np.where(x > 0, x, np.float32(layer.slope) * x)
        elif isinstance(layer, activations.Tanh):
            y = np.tanh(x)
        elif isinstance(layer, activations.Softmax):
            y = _softmax(x)
        else:
            y = x.reshape(layer.output_shape(x.shape))
        self.saved = x.shape, y
        return y

    def backward(self, dy: NDArray) -> NDArray:
        layer, (x_shape, y) = self.layer, self.saved
        if isinstance(layer, Tile):
            return dy.sum(axis=(1, 2))
        if isinstance(layer, activations.ReLU):
            return dy * (y > 0)
        if isinstance(layer, activations.LeakyReLU):
            return dy * np.where(y > 0, np.float32(1), np.float32(layer.slope))
        if isinstance(layer, activations.Tanh):
            return dy * (1 - y * y)
        if isinstance(layer, activations.Softmax):
            return y * (dy - (dy * y).sum(axis=tuple(range(1, y.ndim)), keepdims=True))
        return dy.reshape(x_shape)


class InOrder(PlainLayer):
    """Layers one after the other."""

    def __init__(self, layer: Layer) -> None:
        assert isinstance(layer, Sequential)
        self.layers = [plain(part) for part in layer.layers]

    def forward(self, x: NDArray) -> NDArray:
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dy: NDArray) -> NDArray:
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy


class TwoPaths(PlainLayer):
    """``body(x) + shortcut(x)``."""

    def __init__(self, layer: Layer) -> None:
        assert isinstance(layer, Residual)
        self.paths = [plain(part) for _, part in layer.parts()]
        self.identity = layer.shortcut is None

    def forward(self, x: NDArray) -> NDArray:
        y = self.paths[0].forward(x)
        return y + (x if self.identity else self.paths[1].forward(x))

    def backward(self, dy: NDArray) -> NDArray:
        dx = self.paths[0].backward(dy)
        return dx + (dy if self.identity else self.paths[1].backward(dy))


class Heads(PlainLayer):
    """Several heads on one input: dicts of outputs and of their gradients."""

    def __init__(self, layer: Layer) -> None:
        assert isinstance(layer, Branches)
        self.heads = {name: plain(head) for name, head in layer.heads.items()}

    def forward(self, x: NDArray) -> Any:
        return {name: head.forward(x) for name, head in self.heads.items()}

    def backward(self, dy: Any) -> Any:
        return sum(head.backward(dy[name]) for name, head in self.heads.items())


class TileAndConvolution(InOrder):
    """CoordConv of a vector that is in fact repeated at every pixel."""

    def __init__(self, layer: Layer) -> None:
        assert isinstance(layer, TiledCoordConv2D)
        self.layers = [plain(part) for part in layer.apart()]


PLAIN: dict[type[Layer], type[PlainLayer]] = {
    Sequential: InOrder,
    Residual: TwoPaths,
    Branches: Heads,
    convolution.Conv2D: Convolution,
    coordconv.CoordConv2D: Convolution,
    TiledCoordConv2D: TileAndConvolution,
    transposed.ConvTranspose2D: Transposed,
    batchnorm.BatchNorm2D: Normalisation,
    pooling.MaxPool2D: Pooling,
    pooling.AvgPool2D: Pooling,
    pooling.GlobalMaxPool: Pooling,
    pooling.GlobalAvgPool: Pooling,
    dense.Dense: FullyConnected,
    Tile: ElementWise,
    shape.Flatten: ElementWise,
    shape.Reshape: ElementWise,
    activations.ReLU: ElementWise,
    activations.LeakyReLU: ElementWise,
    activations.Tanh: ElementWise,
    activations.Softmax: ElementWise,
}


def _softmax(x: NDArray) -> NDArray:
    axes = tuple(range(1, x.ndim))
    e = np.exp(x - x.max(axis=axes, keepdims=True))
    return e / e.sum(axis=axes, keepdims=True)


def plain(layer: Layer) -> PlainLayer:
    """Return a layer or a whole model in plain NumPy; it shares its parameters and gradients."""
    return PLAIN[type(layer)](layer)


def loss_gradient(name: str, y: Any, target: Any) -> Any:
    """Return the gradient of a loss with respect to the output of the network; of heads, by head."""
    if isinstance(y, dict):
        return {head: loss_gradient(name, y[head], target[head]) for head in y}
    if name == "softmax":
        p = _softmax(y)
        p.reshape(len(y), -1)[np.arange(len(y)), target] -= 1
        return p / np.float32(len(y))
    difference = 1 / (1 + np.exp(-y)) - target if name == "sigmoid" else 2 * (y - target)
    return difference / np.float32(y.size)


def prepare(row: Row, batch: int) -> Callable[[], object]:
    """Return a function that does the work of `row` once, on `batch` samples."""
    x, other = inputs(row, batch)
    model = row.build()
    net = plain(model)
    if row.what == "loss":
        return lambda: loss_gradient(row.loss, x, other)
    if row.what == "forward":
        return lambda: net.forward(x)
    if row.what == "backward":
        net.forward(x)
        return lambda: net.backward(other)
    m = {key: np.zeros_like(w) for key, w in model.params.items()}
    v = {key: np.zeros_like(w) for key, w in model.params.items()}
    t = 0

    def step() -> None:
        nonlocal t
        t += 1
        net.backward(loss_gradient(row.loss, net.forward(x), other))
        for key, w in model.params.items():
            g = model.grads[key] + (2 * L2 * w if key in model.l2_params else 0)
            m[key] = 0.9 * m[key] + 0.1 * g
            v[key] = BETA2 * v[key] + (1 - BETA2) * g * g
            w -= LEARNING_RATE * m[key] / (1 - 0.9**t) / (np.sqrt(v[key] / (1 - BETA2**t)) + 1e-8)

    return step
