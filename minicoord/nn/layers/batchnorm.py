"""Batch normalisation (Ioffe and Szegedy, 2015)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minicoord.kernels.activations import relu_backward
from minicoord.kernels.normalisation import batch_norm, batch_norm_backward, batch_norm_inference
from minicoord.nn.layers.base import Layer, Shape
from minicoord.system.arguments import check_flag, check_number, shown
from minicoord.system.arrays import check_float_type, check_room


class BatchNorm2D(Layer):
    """Give each channel mean ``beta`` and standard deviation ``gamma``: ``gamma (x - mean) / sqrt(var + eps) + beta``.

    In training, mean and variance are those of the batch, over N, H and W. Each such forward pass also moves the
    running statistics, ``running = momentum * running + (1 - momentum) * batch``; outside training these are used.
    Both variances are the biased ones, divided by N * H * W.

    Parameters
    ----------
    channels : int
        Channels of the images.
    momentum : float
        The fraction of the running statistics that each training pass keeps, in [0, 1]; 0.9 in the paper's code.
    eps : float
        Added to the variance, above 0; 1e-5 in the paper's code.
    dtype : float32 or float64
        The dtype of parameters and statistics, and of every input.
    activation : {None, "relu"}
        ``"relu"`` does what a `ReLU` layer after this one would do, in the same pass over memory.

    Attributes
    ----------
    params : dict
        ``gamma``, starting at 1, and ``beta``, starting at 0, of shape (channels,).
    state : dict
        ``running_mean``, starting at 0, and ``running_var``, starting at 1, of shape (channels,).

    Examples
    --------
    >>> import numpy as np
    >>> layer = BatchNorm2D(1)
    >>> y = layer.forward(np.array([1, 3], np.float32).reshape(1, 1, 2, 1), training=True)
    >>> y.reshape(-1).round(3), layer.state["running_mean"].round(3)
    (array([-1.,  1.], dtype=float32), array([0.2], dtype=float32))
    """

    uses_batch_statistics = True

    def __init__(
        self,
        channels: int,
        momentum: float = 0.9,
        eps: float = 1e-5,
        dtype: DTypeLike = np.float32,
        activation: str | None = None,
    ) -> None:
        super().__init__()
        self.activation, self.relu = activation, self.check_activation(activation)
        check_number(f"{self.name}: momentum", momentum, 0.0)
        if momentum > 1:
            raise ValueError(f"{self.name}: momentum was {shown(momentum)}, wanted a number in [0, 1]")
        check_number(f"{self.name}: eps", eps, 0.0, above=True)
        self.channels, self.momentum, self.eps = self.check_count(channels, "channels"), float(momentum), float(eps)
        dtype = check_float_type(self.name, dtype)
        check_room(f"{self.name}: gamma", (self.channels,), dtype)
        self.add_param("gamma", np.ones(self.channels, dtype))
        self.add_param("beta", np.zeros(self.channels, dtype))
        self.add_state("running_mean", np.zeros(self.channels, dtype))
        self.add_state("running_var", np.ones(self.channels, dtype))

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return `x` (N, H, W, channels) normalised by the batch's statistics in training, else by the running ones."""
        x = self.check_input(x, ("N", "H", "W", self.channels))
        gamma, beta = self.params["gamma"], self.params["beta"]
        if check_flag(f"{self.name}: training", training):
            y, mean, var = batch_norm(x, gamma, beta, self.eps, self.relu)
            self._move("running_mean", mean)
            self._move("running_var", var)
        else:
            mean, var = self.state["running_mean"].copy(), self.state["running_var"].copy()
            y = batch_norm_inference(x, gamma, beta, mean, var, self.eps, self.relu)
        return self.remember(y, x, mean, var, training, y if self.relu else None)

    def backward(self, dy: NDArray) -> NDArray:
        """Return dx of shape (N, H, W, channels); put dgamma and dbeta in `grads`.

        After a training pass the gradient also flows through the statistics of the batch. Outside training the
        statistics were constants, and the gradient is only scaled.
        """
        dy, x, mean, var, training, y = self.recall(dy)
        gamma = self.params["gamma"]
        if training:
            dx, dgamma, dbeta = batch_norm_backward(dy, x, gamma, mean, var, self.eps, y)
        else:
            dy = dy if y is None else relu_backward(dy, y)
            zeros, ones = np.zeros_like(gamma), np.ones_like(gamma)  # (C,)
            dx = batch_norm_inference(dy, gamma, zeros, zeros, var, self.eps)  # gamma / sqrt(var + eps) * dy
            normalised = batch_norm_inference(x, ones, zeros, mean, var, self.eps)
            dgamma = np.einsum("nijc,nijc->c", dy, normalised, dtype=np.float64)  # (N, H, W, C) -> (C,)
            dbeta = np.einsum("nijc->c", dy, dtype=np.float64)  # (N, H, W, C) -> (C,)
        self.set_grads(gamma=dgamma, beta=dbeta)
        return dx

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input."""
        self.check_shape(input_shape, ("N", "H", "W", self.channels))
        return input_shape

    def config(self) -> dict[str, Any]:
        """Return ``channels``, ``momentum``, ``eps`` and ``activation``."""
        return {
            "channels": self.channels,
            "momentum": self.momentum,
            "eps": self.eps,
            "activation": self.activation,
        }

    def _move(self, key: str, batch: NDArray) -> None:
        """Move a running statistic towards that of the batch, in place."""
        running = self.state[key]
        running[:] = self.momentum * running + (1 - self.momentum) * batch
