"""Convolution as a layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minicoord.kernels.convolution import conv2d, conv2d_backward
from minicoord.kernels.geometry import Padding, Pair, Window, pair, plain_padding, window
from minicoord.nn.initialisers import Init, Rng, initialise
from minicoord.nn.layers.arrays import for_kernels
from minicoord.nn.layers.base import Layer, Shape
from minicoord.system.arguments import check_flag
from minicoord.system.arrays import check_float_type


class Conv2D(Layer):
    """Convolution: ``y = conv(x, w) + b``, optionally with ReLU applied to y.

    Parameters
    ----------
    c_in, c_out : int
        Channels of the input and of the output.
    kernel_size, stride : int or (int, int)
        Rows and columns, in pixels.
    padding : {"same", "valid"}, int, (int, int) or ((int, int), (int, int))
        See `minicoord.kernels.geometry.window`; ``"same"`` is TensorFlow's rule.
    init : str or callable
        Initialiser of ``w``, see `minicoord.nn.initialisers.initialise`. The bias starts at zero.
    rng : numpy.random.Generator, int or None
        What the initial weights are drawn from: a generator, or the seed of one.
    dtype : float32 or float64
        The dtype of the parameters, and so of the images.
    activation : {None, "relu"}
        ``"relu"`` does what a `ReLU` layer after this one would do, in the same pass over memory.
    bias : bool
        Whether there is a ``b``.

    Attributes
    ----------
    params : dict
        ``w`` of shape (kh, kw, c_in, c_out) and ``b`` of shape (c_out,).

    Raises
    ------
    ValueError
        If a size, the stride, the padding, the initialiser or the activation has a value that is not allowed.

    Examples
    --------
    >>> layer = Conv2D(3, 8, kernel_size=3, stride=2, rng=0)
    >>> layer.forward(np.ones((1, 5, 7, 3), np.float32)).shape
    (1, 3, 4, 8)
    """

    l2_params = ("w",)
    can_skip_dx = True

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Padding = "same",
        init: Init = "he_normal",
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
        activation: str | None = None,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.c_in, self.c_out = self.check_count(c_in, "c_in"), self.check_count(c_out, "c_out")
        self.kernel_size = pair(kernel_size, f"{self.name}: kernel_size")
        self.stride = pair(stride, f"{self.name}: stride")
        self.padding = plain_padding(padding, f"{self.name}: padding")
        self.activation, self.relu = activation, self.check_activation(activation)
        dtype = check_float_type(self.name, dtype)
        self.add_param("w", initialise(init, self.weight_shape(), rng, dtype))
        if check_flag(f"{self.name}: bias", bias):
            self.add_param("b", np.zeros(self.c_out, dtype))

    def weight_shape(self) -> Shape:
        """Return the shape of ``w``."""
        return (*self.kernel_size, self.c_in, self.c_out)

    def window(self, height: int, width: int) -> Window:
        """Return where the kernel lies over an image; raise a ValueError that names the layer if it does not fit."""
        try:
            return window(height, width, self.kernel_size, self.stride, self.padding)
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return the convolution of `x` of shape (N, H, W, c_in): shape (N, out_h, out_w, c_out)."""
        x = self.check_images(x)
        y = conv2d(x, self.params["w"], self.params.get("b"), self.stride, self.padding, self.relu)
        return self.remember(y, x, y if self.relu else None)

    def backward(self, dy: NDArray, need_dx: bool = True) -> NDArray | None:
        """Return dx of shape (N, H, W, c_in), or None if it is not needed; put dw and db in `grads`."""
        dy, x, y = self.recall(dy)
        dx, dw, db = conv2d_backward(x, self.params["w"], dy, self.stride, self.padding, y, need_dx)
        self.keep_gradients(dw, db)
        return dx

    def weights(self) -> tuple[NDArray, NDArray | None]:
        """Return ``w``, and ``b`` if there is one, as kernels take them."""
        b = self.params.get("b")
        return for_kernels(self.params["w"]), None if b is None else for_kernels(b)

    def check_images(self, x: object) -> NDArray:
        """Return `x` as contiguous images; raise, naming the layer, if dtype, shape or size do not fit."""
        images = self.check_input(x, ("N", "H", "W", self.c_in))
        self.window(*images.shape[1:3])
        return images

    def keep_gradients(self, dw: NDArray, db: NDArray) -> None:
        """Put dw, and db if the layer has a bias, in `grads`."""
        self.set_grads(w=dw, **({"b": db} if "b" in self.params else {}))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, out_h, out_w, c_out) for an input of (N, H, W, c_in)."""
        self.check_shape(input_shape, ("N", "H", "W", self.c_in))
        win = self.window(*input_shape[1:3])
        return input_shape[0], win.out_h, win.out_w, self.c_out

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments that determine what the layer computes."""
        return {
            "c_in": self.c_in,
            "c_out": self.c_out,
            "kernel_size": self.kernel_size,
            "stride": self.stride,
            "padding": self.padding,
            "activation": self.activation,
            "bias": "b" in self.params,
        }
