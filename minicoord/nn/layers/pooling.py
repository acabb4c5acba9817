"""Pooling layers: the maximum or the mean over windows, or over the whole image."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from minicoord.kernels.geometry import Padding, Pair, pair, plain_padding
from minicoord.kernels.global_pooling import (
    global_avg_pool,
    global_avg_pool_backward,
    global_max_pool,
    global_max_pool_backward,
)
from minicoord.kernels.pooling import (
    avg_pool2d,
    avg_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
    pool_window,
)
from minicoord.nn.layers.base import Layer, Shape

IMAGES = ("N", "H", "W", "C")


class WindowPooling(Layer):
    """What `MaxPool2D` and `AvgPool2D` share: a window and how it moves.

    Parameters
    ----------
    kernel_size : int or (int, int)
        Rows and columns of the window, in pixels.
    stride : int or (int, int), optional
        Step of the window, in pixels; by default `kernel_size`: windows lie side by side.
    padding : {"valid", "same"}, int, (int, int) or ((int, int), (int, int))
        See `minicoord.kernels.geometry.window`. Padding takes no part in the maximum or the mean.
    """

    def __init__(self, kernel_size: Pair = 2, stride: Pair | None = None, padding: Padding = "valid") -> None:
        super().__init__()
        self.kernel_size = pair(kernel_size, f"{self.name}: kernel_size")
        self.stride = self.kernel_size if stride is None else pair(stride, f"{self.name}: stride")
        self.padding = plain_padding(padding, f"{self.name}: padding")

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, out_h, out_w, C)."""
        self.check_shape(input_shape, IMAGES)
        n, height, width, channels = input_shape
        place = pool_window(self.name, height, width, self.kernel_size, self.stride, self.padding)
        return n, place.out_h, place.out_w, channels

    def config(self) -> dict[str, Any]:
        """Return ``kernel_size``, ``stride`` and ``padding``."""
        return {"kernel_size": self.kernel_size, "stride": self.stride, "padding": self.padding}

    def _check_images(self, x: NDArray) -> NDArray:
        x = self.check_input(x, IMAGES)
        self.output_shape(x.shape)  # an error about the window names the layer
        return x


class MaxPool2D(WindowPooling):
    """The maximum over each window; the parameters are those of `WindowPooling`.

    Among equal pixels the first in reading order wins, and gets the whole gradient.

    Examples
    --------
    >>> MaxPool2D(2).output_shape((16, 64, 64, 8))
    (16, 32, 32, 8)
    """

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return the maxima, (N, out_h, out_w, C), of `x` of shape (N, H, W, C)."""
        x = self._check_images(x)
        y, argmax = max_pool2d(x, self.kernel_size, self.stride, self.padding)
        return self.remember(y, argmax, x.shape)

    def backward(self, dy: NDArray) -> NDArray:
        """Return dx of shape (N, H, W, C): each gradient at the pixel that was the maximum."""
        dy, argmax, x_shape = self.recall(dy)
        return max_pool2d_backward(dy, argmax, x_shape)


class AvgPool2D(WindowPooling):
    """The mean over each window; the parameters are those of `WindowPooling`.

    Examples
    --------
    >>> AvgPool2D((1, 2)).output_shape((16, 64, 64, 8))
    (16, 64, 32, 8)
    """

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return the means, (N, out_h, out_w, C), of `x` of shape (N, H, W, C)."""
        x = self._check_images(x)
        return self.remember(avg_pool2d(x, self.kernel_size, self.stride, self.padding), x.shape)

    def backward(self, dy: NDArray) -> NDArray:
        """Return dx of shape (N, H, W, C): each gradient shared by the pixels of its window."""
        dy, x_shape = self.recall(dy)
        return avg_pool2d_backward(dy, x_shape, self.kernel_size, self.stride, self.padding)


class GlobalPooling(Layer):
    """What `GlobalMaxPool` and `GlobalAvgPool` share: the output is one number per channel."""

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, C)."""
        self.check_shape(input_shape, IMAGES)
        return input_shape[0], input_shape[3]


class GlobalMaxPool(GlobalPooling):
    """The maximum over all pixels: images (N, H, W, C) become vectors (N, C).

    Among equal pixels the first in reading order wins, and gets the whole gradient.
    """

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return the maxima, (N, C), of `x` of shape (N, H, W, C)."""
        x = self.check_input(x, IMAGES)
        y, argmax = global_max_pool(x)
        return self.remember(y, argmax, x.shape)

    def backward(self, dy: NDArray) -> NDArray:
        """Return dx of shape (N, H, W, C): each gradient at the pixel that was the maximum."""
        dy, argmax, x_shape = self.recall(dy)
        return global_max_pool_backward(dy, argmax, x_shape)


class GlobalAvgPool(GlobalPooling):
    """The mean over all pixels: images (N, H, W, C) become vectors (N, C)."""

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return the means, (N, C), of `x` of shape (N, H, W, C)."""
        x = self.check_input(x, IMAGES)
        return self.remember(global_avg_pool(x), x.shape)

    def backward(self, dy: NDArray) -> NDArray:
        """Return dx of shape (N, H, W, C): each gradient shared by all pixels."""
        dy, x_shape = self.recall(dy)
        return global_avg_pool_backward(dy, x_shape)
