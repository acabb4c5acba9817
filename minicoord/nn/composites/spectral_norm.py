"""Spectral normalisation (Miyato et al., 2018): a layer whose weights are divided by their largest singular value.

The largest singular value says how much a matrix can stretch a vector. A discriminator of such layers cannot change
faster than its input does, so its gradient stays useful for the generator. It is estimated by power iteration, one
step for each training pass: the weights change little from pass to pass, and so does the direction that they stretch.

For the matrix W (rows, columns) of the weights and a direction u that was kept from the last pass,

    v = W u / |W u|            sigma = |W u|            y = layer(x, W / sigma)            u = W^T v / |W^T v|

The last line is the step of the power iteration, taken after the pass and in training only. So the function that is
differentiated has a fixed u, and its gradient with respect to W is exact at any state of the iteration: with G, the
gradient with respect to W / sigma,

    dW = (G - <G, W / sigma> v u^T) / sigma
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minicoord.nn.composites.base import Composite, config_of
from minicoord.nn.initialisers import Rng, as_generator
from minicoord.nn.layers.base import Layer, Shape

FIRST_STEPS = 15  # of the power iteration, before the first pass
TINY = 1e-12  # for a matrix of zeros, which has no direction


class SpectralNorm(Layer):
    """A layer with its ``w`` divided by an estimate of its largest singular value.

    A kernel (kh, kw, c_in, c_out) is the matrix (kh * kw * c_in, c_out). The parameters are those of the layer within,
    not divided, and an optimiser changes them; the gradient flows through the division.

    Where `fit` takes a batch in slices, each slice is a training pass, and moves the direction by a step.

    Parameters
    ----------
    layer : Layer
        A single layer with a parameter ``w``, such as `Conv2D` or `Dense`. It belongs to this one from now on.
    rng : numpy.random.Generator, int or None
        Where the first direction is drawn from.

    Attributes
    ----------
    params : dict
        Those of `layer`.
    state : dict
        ``u``, the direction, of the length of the last axis of ``w``.

    Raises
    ------
    TypeError
        If `layer` is not a layer, or a composite.
    ValueError
        If it has no parameter ``w``.

    Examples
    --------
    >>> from minicoord import Dense
    >>> dense = Dense(2, 2, rng=0)
    >>> dense.params["w"][:] = [[3, 0], [0, 1]]
    >>> layer = SpectralNorm(dense, rng=0)
    >>> layer.forward(np.array([[1, 1]], np.float32)).round(3)
    array([[1.   , 0.333]], dtype=float32)
    """

    def __init__(self, layer: Layer, rng: Rng = None) -> None:
        super().__init__()
        if not isinstance(layer, Layer) or isinstance(layer, Composite):
            raise TypeError(f"{self.name}: layer is of type {type(layer).__name__}, wanted a single layer")
        if "w" not in layer.params:
            raise ValueError(f"{self.name}: {layer.name} has no parameter w, wanted a layer with one")
        self.layer = layer
        self.l2_params, self.can_skip_dx = layer.l2_params, layer.can_skip_dx
        self.uses_batch_statistics = layer.uses_batch_statistics
        for key, array in layer.params.items():
            self.add_param(key, array)
        w = self.params["w"]
        self.add_state("u", as_generator(rng).standard_normal(w.shape[-1]).astype(w.dtype))
        for _ in range(FIRST_STEPS):
            self._move(power_step(self._matrix(), self._direction())[2])

    def forward(self, x: NDArray, training: bool = False) -> NDArray:
        """Return what the layer computes with its normalised weights; in training, move the direction afterwards."""
        self.check_arrays()
        u = self._direction()
        v, sigma, moved = power_step(self._matrix(), u)
        self.layer.params.update(self.params)
        self.layer.params["w"] = self.params["w"] / sigma
        y = self.layer.forward(x, training)
        if training:
            self._move(moved)
        return self.remember(y, u, v, sigma)

    def backward(self, dy: NDArray, need_dx: bool = True) -> NDArray | None:
        """Return dx, or None if it is not needed; put the gradients of the undivided parameters into `grads`."""
        dy, u, v, sigma = self.recall(dy)
        layer: Any = self.layer
        dx = layer.backward(dy, need_dx=need_dx) if self.can_skip_dx else layer.backward(dy)
        grads, divided = self.layer.grads, self.layer.params["w"]
        along = np.einsum("i,i->", grads["w"].reshape(-1), divided.reshape(-1))
        dw = (grads["w"] - along * np.multiply.outer(v, u).reshape(divided.shape)) / sigma
        self.set_grads(**{**grads, "w": dw})
        return dx

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output of the layer within."""
        return self.layer.output_shape(input_shape)

    def config(self) -> dict[str, Any]:
        """Return name and constructor arguments of the layer within."""
        return {"layer": config_of(self.layer)}

    def astype(self, dtype: DTypeLike) -> SpectralNorm:
        """Convert everything to float32 or float64, the layer within included."""
        super().astype(dtype)
        self.layer.astype(dtype)
        return self

    def __repr__(self) -> str:
        return f"{self.name}({self.layer!r})"

    def _matrix(self) -> NDArray:
        """Return the weights as a matrix: (everything but the last axis, the last axis)."""
        w = self.params["w"]
        return w.reshape(-1, w.shape[-1])

    def _direction(self) -> NDArray:
        return _unit(self.state["u"])[0]

    def _move(self, u: NDArray) -> None:
        self.state["u"][:] = u


def power_step(matrix: NDArray, u: NDArray) -> tuple[NDArray, Any, NDArray]:
    """Return what a step of the power iteration finds.

    Parameters
    ----------
    matrix : ndarray of float32 or float64, (rows, columns)
    u : ndarray of the same dtype, (columns,)
        A direction, of length 1.

    Returns
    -------
    v : ndarray (rows,)
        The direction that the matrix turns `u` into, of length 1.
    sigma : scalar of the same dtype
        By how much it stretches `u`, at least `TINY`.
    moved : ndarray (columns,)
        The direction that the transposed matrix turns `v` into, nearer to the one that is stretched most.

    Examples
    --------
    >>> v, sigma, moved = power_step(np.array([[3.0, 0], [0, 1]]), np.array([0.6, 0.8]))
    >>> v.round(2), round(float(sigma), 2), moved.round(2)
    (array([0.91, 0.41]), 1.97, array([0.99, 0.15]))
    """
    # einsum, unlike a product by BLAS, gives the same bits with any number of threads.
    v, sigma = _unit(np.einsum("kl,l->k", matrix, u))
    return v, sigma, _unit(np.einsum("kl,k->l", matrix, v))[0]


def _unit(vector: NDArray) -> tuple[NDArray, Any]:
    """Return a vector divided by its length, and that length, at least `TINY`."""
    length = np.maximum(np.sqrt(np.einsum("i,i->", vector, vector)), vector.dtype.type(TINY))
    return vector / length, length
