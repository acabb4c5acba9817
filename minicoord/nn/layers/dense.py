"""The dense (fully connected) layer: every output is a weighted sum of all inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minicoord.kernels.dense import dense, dense_backward
from minicoord.nn.initialisers import Init, Rng, initialise, zeros
from minicoord.nn.layers.base import Layer, Shape
from minicoord.system.arguments import check_flag
from minicoord.system.arrays import check_float_type


class Dense(Layer):
    """``y = x @ w + b`` for vectors.

    Parameters
    ----------
    c_in, c_out : int
        Length of an input vector and of an output vector.
    init : str or callable
        Initialiser of ``w``, see `minicoord.nn.initialisers.initialise`. The bias starts at zero.
    rng : numpy.random.Generator, int or None
        What the initial weights are drawn from: a generator, or the seed of one.
    dtype : float32 or float64
        The dtype of the parameters, and of every input.
    bias : bool
        Whether there is a ``b``.

    Attributes
    ----------
    params : dict
        ``w`` of shape (c_in, c_out), ``b`` of shape (c_out,).

    Examples
    --------
    >>> import numpy as np
    >>> layer = Dense(4, 2, rng=0)
    >>> layer.forward(np.zeros((3, 4), np.float32)).shape, layer.n_params
    ((3, 2), 10)
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        init: Init = "glorot_uniform",
        rng: Rng = None,
        dtype: DTypeLike = np.float32,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.c_in, self.c_out = self.check_count(c_in, "c_in"), self.check_count(c_out, "c_out")
        dtype = check_float_type(self.name, dtype)
        self.add_param("w", initialise(init, (self.c_in, self.c_out), rng, dtype))
        if check_flag(f"{self.name}: bias", bias):
            self.add_param("b", zeros((self.c_out,)).astype(dtype))

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return vectors of shape (N, c_out) for `x` of shape (N, c_in)."""
        x = self.check_input(x, ("N", self.c_in))
        y = dense(x, self.params["w"], self.params.get("b"))  # (N, c_in) @ (c_in, c_out) + (c_out,)
        return self.remember(y, x)

    def backward(self, dy: NDArray) -> NDArray:
        """Return dx of shape (N, c_in); put ``dw = x.T @ dy`` and ``db = sum(dy)`` in `grads`."""
        dy, x = self.recall(dy)
        dx, dw, db = dense_backward(x, self.params["w"], dy)
        self.set_grads(w=dw)
        if "b" in self.params:
            self.set_grads(b=db)
        return dx

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return (N, c_out)."""
        self.check_shape(input_shape, ("N", self.c_in))
        return input_shape[0], self.c_out

    def config(self) -> dict[str, Any]:
        """Return ``c_in``, ``c_out`` and ``bias``."""
        return {"c_in": self.c_in, "c_out": self.c_out, "bias": "b" in self.params}
