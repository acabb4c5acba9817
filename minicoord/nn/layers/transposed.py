"""Transposed convolution as a layer: the paper's "deconvolution"."""

from __future__ import annotations

from numpy.typing import NDArray

from minicoord.kernels.geometry import Window
from minicoord.kernels.transposed import conv_transpose2d, conv_transpose2d_backward, transposed_window
from minicoord.nn.layers.base import Shape
from minicoord.nn.layers.convolution import Conv2D


class ConvTranspose2D(Conv2D):
    """Transposed convolution: with stride 2 and ``"same"`` padding an image doubles its height and width.

    Its arguments are those of `Conv2D`. What differs is the shape of the kernel ``w``, (kh, kw, c_out, c_in): it is the
    kernel of the convolution whose adjoint this is, as in TensorFlow. An initialiser takes its fan-in from that shape,
    as the paper's code did. See `minicoord.kernels.transposed.transposed_window` for the size of the output.

    Examples
    --------
    >>> import numpy as np
    >>> layer = ConvTranspose2D(3, 8, kernel_size=3, stride=2, rng=0)
    >>> layer.forward(np.ones((1, 5, 7, 3), np.float32)).shape
    (1, 10, 14, 8)
    """

    def weight_shape(self) -> Shape:
        """Return the shape of ``w``."""
        return (*self.kernel_size, self.c_out, self.c_in)

    def window(self, height: int, width: int) -> Window:
        """Return where the kernel of the underlying convolution lies over the *output*; errors name the layer."""
        return self._output(height, width)[0]

    def _output(self, height: int, width: int) -> tuple[Window, int, int]:
        try:
            return transposed_window(height, width, self.kernel_size, self.stride, self.padding)
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return the transposed convolution of `x` of shape (N, H, W, c_in): shape (N, out_h, out_w, c_out)."""
        x = self.check_images(x)
        y = conv_transpose2d(x, self.params["w"], self.params.get("b"), self.stride, self.padding, self.relu)
        return self.remember(y, x, y if self.relu else None)

    def backward(self, dy: NDArray, need_dx: bool = True) -> NDArray | None:
        """Return dx of shape (N, H, W, c_in), or None if it is not needed; put dw and db in `grads`."""
        dy, x, y = self.recall(dy)
        dx, dw, db = conv_transpose2d_backward(x, self.params["w"], dy, self.stride, self.padding, y, need_dx)
        self.keep_gradients(dw, db)
        return dx

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, out_h, out_w, c_out) for an input of (N, H, W, c_in)."""
        self.check_shape(input_shape, ("N", "H", "W", self.c_in))
        _, height, width = self._output(*input_shape[1:3])
        return input_shape[0], height, width, self.c_out
