"""Spectral normalisation: the largest singular value, what moves it, and a gradient that is exact at any state."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from minicoord import (
    Adam,
    BatchNorm2D,
    Conv2D,
    CoordConv2D,
    Dense,
    Flatten,
    LeakyReLU,
    Sequential,
    SpectralNorm,
    Tanh,
    gradcheck,
    sigmoid_cross_entropy,
)


def largest(layer: SpectralNorm) -> float:
    w = layer.layer.params["w"]
    return float(np.linalg.svd(w.reshape(-1, w.shape[-1]), compute_uv=False)[0])


def images(dtype: Any = np.float64, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal((3, 8, 8, 3)).astype(dtype)


@pytest.mark.parametrize("inner", [Conv2D(3, 8, 3, rng=0), CoordConv2D(3, 5, 3, 2, rng=0), Dense(6, 9, rng=0)])
def test_the_used_weights_come_to_have_a_largest_singular_value_of_one(inner):
    layer = SpectralNorm(copy.deepcopy(inner).astype(np.float64), rng=1)
    layer.params["w"] *= 7
    x = np.ones((1, 6)) if isinstance(inner, Dense) else images()
    for _ in range(60):
        layer.forward(x, training=True)
    assert largest(layer) == pytest.approx(1, abs=1e-6)
    np.testing.assert_array_equal(layer.params["w"], 7 * inner.params["w"].astype(np.float64))
    assert np.linalg.norm(layer.state["u"]) == pytest.approx(1)


def test_after_its_first_steps_the_estimate_is_close_already():
    for seed in range(5):
        layer = SpectralNorm(Conv2D(3, 16, 5, rng=seed), rng=seed)
        layer.forward(images(np.float32))
        assert 1 <= largest(layer) + 1e-6 < 1.1  # a direction that is not yet right is stretched less


def test_an_output_is_that_of_the_layer_with_divided_weights():
    inner = Conv2D(3, 4, 3, rng=0)
    twin, layer, x = copy.deepcopy(inner), SpectralNorm(inner, rng=1), images(np.float32)
    layer.params["b"][:] = [1, 2, 3, 4]
    y = layer.forward(x)
    w = layer.params["w"]
    sigma = np.linalg.norm(w.reshape(-1, 4) @ layer.state["u"] / np.linalg.norm(layer.state["u"]))
    twin.params["w"][...], twin.params["b"][:] = w / sigma, [1, 2, 3, 4]
    np.testing.assert_allclose(y, twin.forward(x), rtol=1e-5, atol=1e-6)


def test_only_training_moves_the_direction():
    layer = SpectralNorm(Conv2D(3, 4, 3, rng=0), rng=1)
    before = layer.state["u"].copy()
    layer.forward(images(np.float32))
    np.testing.assert_array_equal(layer.state["u"], before)
    layer.forward(images(np.float32), training=True)
    assert not np.array_equal(layer.state["u"], before)


@pytest.mark.compiled  # pure Python takes too long
@pytest.mark.parametrize("training", [False, True])
def test_the_gradient_of_a_whole_discriminator_is_right_in_float64(training):
    rng = np.random.default_rng(0)
    layers = [
        SpectralNorm(CoordConv2D(3, 4, 5, 2, rng=rng), rng),
        Tanh(),
        SpectralNorm(Conv2D(4, 6, 3, 2, rng=rng, bias=False), rng),
        LeakyReLU(0.2),
        Flatten(),
        SpectralNorm(Dense(24, 1, rng=rng), rng),
    ]
    net = Sequential(layers).astype(np.float64)
    for array in net.state.values():
        array[:] = rng.standard_normal(array.shape)  # far from where the iteration would bring it
    report = gradcheck(net, images(), training=training)
    assert report.ok, str(report)
    assert report.error < 1e-7


def test_the_gradient_is_zero_along_the_weights():
    """Larger weights change nothing, once the direction is held: the gradient is at right angles to them."""
    layer = SpectralNorm(Conv2D(3, 4, 3, rng=0), rng=1).astype(np.float64)
    y = layer.forward(images())
    layer.backward(np.random.default_rng(1).standard_normal(y.shape))
    w, dw = layer.params["w"], layer.grads["w"]
    assert abs((w * dw).sum()) < 1e-10 * np.linalg.norm(w) * np.linalg.norm(dw)


def test_it_trains_inside_of_a_model_and_its_state_is_saved():
    rng = np.random.default_rng(0)
    net = Sequential(
        [SpectralNorm(Conv2D(3, 4, 3, 2, rng=rng), rng), Flatten(), SpectralNorm(Dense(64, 1, rng=rng), rng)]
    )
    assert sorted(net.params) == ["0.b", "0.w", "2.b", "2.w"] and sorted(net.state) == ["0.u", "2.u"]
    assert net.l2_params == ("0.w",)
    x, truth, adam = images(np.float32), np.array([[0], [1], [1]], np.float32), Adam(0.01)
    losses = []
    for _ in range(60):
        loss, dy = sigmoid_cross_entropy(net.forward(x, training=True), truth)
        net.backward(dy, need_dx=False)
        adam.step(net)
        losses.append(loss)
    assert losses[-1] < 0.8 * losses[0]
    twin = copy.deepcopy(net)
    np.testing.assert_array_equal(twin.forward(x, training=True), net.forward(x, training=True))
    np.testing.assert_array_equal(twin.state["0.u"], net.state["0.u"])


def test_weights_of_zero_give_zero():
    layer = SpectralNorm(Dense(3, 2, init="zeros"), rng=0)
    y = layer.forward(np.ones((2, 3), np.float32), training=True)
    assert not y.any()
    layer.backward(np.zeros_like(y))
    assert np.isfinite(layer.grads["w"]).all() and np.isfinite(layer.state["u"]).all()


def test_it_says_what_it_is_made_of():
    layer = SpectralNorm(Conv2D(3, 4, 3, rng=0))
    assert repr(layer).startswith("SpectralNorm(Conv2D(c_in=3, c_out=4")
    one, other = Sequential([layer]), Sequential([SpectralNorm(Conv2D(3, 4, 3, padding="valid"))])
    assert one.fingerprint() != other.fingerprint()
    assert one.fingerprint() == Sequential([SpectralNorm(Conv2D(3, 4, 3, rng=5), rng=7)]).fingerprint()


@pytest.mark.parametrize(
    "inner, error, words",
    [
        (Tanh(), ValueError, "SpectralNorm: Tanh has no parameter w, wanted a layer with one"),
        (BatchNorm2D(3), ValueError, "SpectralNorm: BatchNorm2D has no parameter w"),
        (Sequential([Dense(2, 2)]), TypeError, "SpectralNorm: layer is of type Sequential, wanted a single layer"),
        ("Dense", TypeError, "SpectralNorm: layer is of type str, wanted a single layer"),
    ],
)
def test_what_cannot_be_normalised_is_named(inner, error, words):
    with pytest.raises(error, match=words):
        SpectralNorm(inner)
