"""CoordConv of a repeated vector: the same as its two layers one after the other; wrong arguments are named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minicoord import CoordConv2D, Sequential, TiledCoordConv2D
from minicoord.kernels.coordinates import coordinate_channels
from minicoord.kernels.tiled_coordconv import tiled_coordconv, tiled_coordconv_backward


@pytest.mark.parametrize("dtype, close", [(np.float32, 1e-4), (np.float64, 1e-12)])
@pytest.mark.parametrize("activation", [None, "relu"])
@pytest.mark.parametrize("with_r", [False, True])
def test_it_computes_what_tile_and_coordconv_compute(dtype, close, activation, with_r):
    layer = TiledCoordConv2D(37, 20, 6, 9, rng=0, dtype=dtype, activation=activation, with_r=with_r)
    rng = np.random.default_rng(1)
    layer.params["b"][:] = rng.standard_normal(20)
    x = rng.standard_normal((3, 37)).astype(dtype)
    y = layer.forward(x, training=True)
    dy = rng.standard_normal(y.shape).astype(dtype)
    dx, grads = layer.backward(dy), {key: g.copy() for key, g in layer.grads.items()}
    both: Any = Sequential(layer.apart())
    np.testing.assert_allclose(both.forward(x, training=True), y, rtol=close, atol=close)
    np.testing.assert_allclose(both.backward(dy), dx, rtol=close, atol=10 * close)
    assert both.grads["1.w"] is layer.grads["w"]  # shared, and overwritten by now
    for key, gradient in grads.items():
        np.testing.assert_allclose(layer.grads[key], gradient, rtol=close, atol=10 * close)


def test_the_first_weights_are_those_of_coordconv():
    layer, conv = TiledCoordConv2D(5, 7, 3, 4, rng=3), CoordConv2D(5, 7, 1, rng=3)
    np.testing.assert_array_equal(layer.params["w"], conv.params["w"])
    assert layer.n_params == conv.n_params and layer.l2_params == conv.l2_params


def test_an_unknown_activation_is_named():
    with pytest.raises(ValueError, match="TiledCoordConv2D: activation was 'tanh', it must be None or 'relu'"):
        TiledCoordConv2D(2, 3, 4, 5, activation="tanh")


def test_with_r_is_true_or_false():
    wrong: Any = np.ones((2, 3))
    with pytest.raises(TypeError, match=r"TiledCoordConv2D: with_r was an array .*, wanted True or False"):
        TiledCoordConv2D(2, 3, 4, 5, with_r=wrong)


ARGUMENTS: dict[str, Any] = {
    "v": np.zeros((2, 3)),
    "coordinates": coordinate_channels(4, 5, dtype=np.float64),
    "w": np.zeros((5, 6)),
}


@pytest.mark.parametrize(
    "changes, error, words",
    [
        ({"w": np.zeros((4, 6))}, ValueError, r"w has shape \(4, 6\), wanted \(5, 6\)"),
        ({"v": np.zeros((2, 3), np.float32)}, TypeError, "the dtypes differ"),
        ({"coordinates": np.zeros((4, 5))}, ValueError, r"coordinates has shape \(4, 5\), wanted \(H, W, d\)"),
        ({"v": [[0.0]]}, TypeError, "v is of type list, wanted a NumPy array"),
    ],
)
def test_wrong_arguments_are_named(changes, error, words):
    with pytest.raises(error, match=f"tiled_coordconv: {words}"):
        tiled_coordconv(**{**ARGUMENTS, **changes}, b=np.zeros(6), relu=True)
    with pytest.raises(error, match=f"tiled_coordconv_backward: {words}"):
        tiled_coordconv_backward(**{**ARGUMENTS, **changes}, dy=np.zeros((2, 4, 5, 6)), y=None)


def test_gradients_and_outputs_of_another_shape_are_named():
    with pytest.raises(ValueError, match=r"tiled_coordconv: b has shape \(7,\), wanted \(6,\)"):
        tiled_coordconv(**ARGUMENTS, b=np.zeros(7), relu=True)
    with pytest.raises(ValueError, match=r"dy has shape \(2, 5, 4, 6\), wanted \(2, 4, 5, 6\)"):
        tiled_coordconv_backward(**ARGUMENTS, dy=np.zeros((2, 5, 4, 6)), y=None)
    with pytest.raises(ValueError, match=r"y has shape \(1, 4, 5, 6\), wanted \(2, 4, 5, 6\)"):
        tiled_coordconv_backward(**ARGUMENTS, dy=np.zeros((2, 4, 5, 6)), y=np.zeros((1, 4, 5, 6)))


def test_a_nan_stays_visible_behind_relu_and_lets_its_gradient_through():
    """As in every other ReLU: only what is not positive becomes zero, and a NaN is neither."""
    coordinates = coordinate_channels(3, 2)
    v, w, b = np.ones((2, 1), np.float32), np.ones((3, 4), np.float32), np.zeros(4, np.float32)
    v[1, 0] = np.nan
    y = tiled_coordconv(v, coordinates, w, b, True)
    assert np.isnan(y[1]).all() and np.isfinite(y[0]).all()
    dy = np.ones_like(y)
    _, _, db = tiled_coordconv_backward(v, coordinates, w, dy, y)
    np.testing.assert_array_equal(db, (~(y <= 0)).sum(axis=(0, 1, 2)))
