"""Activations as layers. They take arrays of any shape, except for `Softmax`, which needs at least one class."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from minicoord.kernels.activations import (
    leaky_relu,
    leaky_relu_backward,
    relu,
    relu_backward,
    sigmoid,
    sigmoid_backward,
    tanh,
    tanh_backward,
)
from minicoord.kernels.softmax import softmax, softmax_backward
from minicoord.nn.layers.base import Layer, Shape
from minicoord.system.arguments import check_number


class Activation(Layer):
    """What all activations share: the output has the shape of the input."""

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        return self.check_input_shape(input_shape)


class ReLU(Activation):
    """``max(x, 0)``; the gradient at 0 is 0.

    Examples
    --------
    >>> import numpy as np
    >>> ReLU().forward(np.array([[-1.0, 2.0]]))
    array([[0., 2.]])
    """

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return ``max(x, 0)``."""
        y = relu(self.check_input(x))
        return self.remember(y, y)

    def backward(self, dy: NDArray) -> NDArray:
        """Return `dy` where the output is positive, 0 elsewhere."""
        return relu_backward(*self.recall(dy))


class LeakyReLU(Activation):
    """x where it is positive, ``slope * x`` elsewhere; the gradient at 0 is `slope`.

    Parameters
    ----------
    slope : float
        The slope for negative x.
    """

    def __init__(self, slope: float = 0.2) -> None:
        super().__init__()
        check_number(f"{self.name}: slope", slope, -math.inf, above=True)
        self.slope = float(slope)

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return x where it is positive, ``slope * x`` elsewhere."""
        x = self.check_input(x)
        return self.remember(leaky_relu(x, self.slope), x)

    def backward(self, dy: NDArray) -> NDArray:
        """Return `dy` where x is positive, ``slope * dy`` elsewhere."""
        dy, x = self.recall(dy)
        return leaky_relu_backward(dy, x, self.slope)

    def config(self) -> dict[str, Any]:
        """Return ``slope``."""
        return {"slope": self.slope}


class Sigmoid(Activation):
    """``1 / (1 + exp(-x))``."""

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return ``1 / (1 + exp(-x))``."""
        y = sigmoid(self.check_input(x))
        return self.remember(y, y)

    def backward(self, dy: NDArray) -> NDArray:
        """Return ``dy * y * (1 - y)``."""
        return sigmoid_backward(*self.recall(dy))


class Tanh(Activation):
    """The hyperbolic tangent."""

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return the hyperbolic tangent of x."""
        y = tanh(self.check_input(x))
        return self.remember(y, y)

    def backward(self, dy: NDArray) -> NDArray:
        """Return ``dy * (1 - y^2)``."""
        return tanh_backward(*self.recall(dy))


class Softmax(Activation):
    """The softmax over all pixels and channels of each image: ``exp(z) / sum(exp(z))``, over all axes but the first.

    The paper's rendering network has it in the middle: it sharpens a map of logits into one that is lit at one pixel.
    A classifier ends without it, because `softmax_cross_entropy` applies the softmax itself.

    Examples
    --------
    >>> import numpy as np
    >>> Softmax().forward(np.zeros((1, 1, 2, 1))).tolist()
    [[[[0.5], [0.5]]]]
    """

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return the softmax of x, shape (N, ...)."""
        x = self.check_input(x)
        self.output_shape(x.shape)  # raises, naming the layer, if the shape does not fit
        p = softmax(x)  # (N, ...), sums to 1 over all axes but the first
        return self.remember(p, p)

    def backward(self, dy: NDArray) -> NDArray:
        """Return ``y * (dy - sum(dy * y))`` for each image."""
        return softmax_backward(*self.recall(dy))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input, (N, ...)."""
        input_shape = self.check_input_shape(input_shape)
        if len(input_shape) < 2 or 0 in input_shape[1:]:
            raise ValueError(f"{self.name}: x has shape {input_shape}, wanted (N, ...) with at least one class")
        return input_shape
