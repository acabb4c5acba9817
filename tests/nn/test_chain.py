"""1x1 convolutions that run as one chain: the same as one by one, forward, backward and in what the layers keep."""

import copy
import pickle
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from central_differences import numeric_gradient, relative_error
from hypothesis import given, settings, strategies as st

from minicoord import Conv2D, CoordConv2D, ReLU, Sequential
from minicoord.nn.layers.chain import chain_from


def assert_close(ours, wanted):
    np.testing.assert_allclose(ours, wanted, rtol=1e-11, atol=1e-12)


@st.composite
def chains(draw):
    """Draw a model that begins with 1x1 convolutions of all kinds, and images for it."""
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    channels = draw(st.lists(st.integers(1, 9), min_size=3, max_size=6))
    layers: list[Any] = []
    with_r = draw(st.booleans())
    for c_in, c_out in pairwise(channels):
        options = {"rng": rng, "dtype": np.float64, "bias": draw(st.booleans())}
        options["activation"] = draw(st.sampled_from([None, "relu"]))
        if draw(st.booleans()):
            layers.append(CoordConv2D(c_in, c_out, 1, with_r=with_r, **options))
        else:
            layers.append(Conv2D(c_in, c_out, 1, **options))
    for layer in layers:
        if "b" in layer.params:
            layer.params["b"][:] = rng.standard_normal(layer.c_out)
    shape = (draw(st.integers(0, 4)), draw(st.integers(1, 20)), draw(st.integers(1, 20)), channels[0])
    return layers, rng.standard_normal(shape), rng


@settings(max_examples=40, deadline=None)
@given(chains(), st.booleans())
def test_a_chain_does_what_its_layers_do_one_by_one(drawn, need_dx):
    layers, x, rng = drawn
    alone = copy.deepcopy(layers)
    model = Sequential(layers)
    assert len(chain_from(layers, 0, x)) == len(layers)
    y = model.forward(x, training=True)
    dy = rng.standard_normal(y.shape)
    dx = model.backward(dy, need_dx)
    wanted = x
    for layer in alone:
        wanted = layer.forward(wanted)
    assert_close(y, wanted)
    for layer in reversed(alone):
        dy = layer.backward(dy)
    if need_dx:
        assert_close(dx, dy)
    else:
        assert dx is None
    for layer, other in zip(layers, alone, strict=True):
        assert layer.grads.keys() == other.grads.keys()
        for key in layer.grads:
            np.testing.assert_allclose(layer.grads[key], other.grads[key], rtol=1e-10, atol=1e-10)


def painter(dtype: Any = np.float64) -> Sequential:
    rng = np.random.default_rng(0)
    layers = [
        CoordConv2D(2, 5, 1, rng=rng, dtype=dtype, activation="relu", with_r=True),
        Conv2D(5, 4, 1, rng=rng, dtype=dtype, activation="relu"),
        ReLU(),
        Conv2D(4, 3, 1, rng=rng, dtype=dtype),
        Conv2D(3, 3, 1, rng=rng, dtype=dtype, activation="relu"),
        Conv2D(3, 2, 3, rng=rng, dtype=dtype),
    ]
    return Sequential(layers)


def test_every_gradient_of_a_model_with_two_chains_is_its_slope():
    model = painter()
    rng = np.random.default_rng(1)
    x = rng.standard_normal((2, 5, 4, 2))
    dy = rng.standard_normal((2, 5, 4, 2))
    model.forward(x)
    dx = model.backward(dy)
    assert dx is not None
    gradients = {key: gradient.copy() for key, gradient in model.grads.items()}

    def loss(images: Any) -> float:
        return float((model.forward(images) * dy).sum())

    assert relative_error(dx, numeric_gradient(loss, x)) < 1e-6
    for key, gradient in gradients.items():
        kept = model.params[key].copy()

        def loss_with(values: Any, key: str = key) -> float:
            model.params[key] = values
            return loss(x)

        assert relative_error(gradient, numeric_gradient(loss_with, kept)) < 1e-6, key
        model.params[key] = kept


def test_the_layers_remember_what_they_would_alone():
    model = painter()
    x = np.random.default_rng(2).standard_normal((2, 6, 7, 2))
    model.forward(x)
    dy = np.ones((2, 6, 7, 2))
    dx = model.backward(dy)
    for layer in reversed(model.layers):
        dy = layer.backward(dy)
    assert_close(dx, dy)


def test_debug_names_the_layer_and_not_the_chain():
    model = painter()
    model.debug = True
    x = np.ones((1, 3, 3, 2))
    np.testing.assert_array_equal(model.forward(x), painter().forward(x))
    model.layers[1].params["w"][0, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match=r"the output of layer 1 \(Conv2D\)"):
        model.forward(x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("need_dx", [True, False])
def test_debug_changes_no_bit(dtype, need_dx):
    rng = np.random.default_rng(0)
    x, dy = (rng.standard_normal((2, 64, 60, 2)).astype(dtype) for _ in range(2))
    model, checked = painter(dtype), painter(dtype)
    checked.debug = True
    assert model.forward(x, training=True).tobytes() == checked.forward(x, training=True).tobytes()
    dx, checked_dx = model.backward(dy, need_dx), checked.backward(dy, need_dx)
    if need_dx:
        assert dx is not None and checked_dx is not None
        assert dx.tobytes() == checked_dx.tobytes()
    for key, gradient in model.grads.items():
        assert gradient.tobytes() == checked.grads[key].tobytes(), key


def test_debug_names_the_layer_of_a_chain_on_the_way_back():
    model = painter()
    model.debug = True
    y = model.forward(np.ones((1, 3, 3, 2)))
    model.layers[3].params["w"][0, 0, 0, 0] = np.inf
    with pytest.raises(ValueError, match=r"the gradient that leaves layer 3 \(Conv2D\)"):
        model.backward(np.ones_like(y))


def test_backward_before_forward_and_after_astype_is_an_error():
    model = painter()
    with pytest.raises(RuntimeError, match="backward was called before forward"):
        model.backward(np.ones((1, 3, 3, 2)))
    model.forward(np.ones((1, 3, 3, 2)))
    model.astype(np.float32)
    with pytest.raises(RuntimeError, match="backward was called before forward"):
        model.backward(np.ones((1, 3, 3, 2), np.float32))


def test_a_wrong_dy_and_a_wrong_x_name_the_layer():
    model = Sequential(painter().layers[:2])
    with pytest.raises(ValueError, match="CoordConv2D: x has shape"):
        model.forward(np.ones((1, 3, 3, 1)))
    model.forward(np.ones((1, 3, 3, 2)))
    with pytest.raises(ValueError, match="Conv2D: dy has shape"):
        model.backward(np.ones((1, 3, 3, 2)))


@pytest.mark.parametrize("x", [[[1.0]], None, np.float64(3)])
def test_what_is_no_image_is_named(x):
    with pytest.raises((TypeError, ValueError), match="CoordConv2D: x"):
        Sequential(painter().layers[:2]).forward(x)


def test_copies_do_not_carry_the_chain():
    model = painter()
    model.forward(np.ones((4, 30, 30, 2)))
    assert len(pickle.dumps(model)) < 50_000
    assert_close(copy.deepcopy(model).forward(np.ones((1, 3, 3, 2))), model.forward(np.ones((1, 3, 3, 2))))


class Doubled(Conv2D):
    """Somebody's own layer."""

    def forward(self, x, training=False):
        return 2 * super().forward(x, training)


@pytest.mark.parametrize(
    "second, length",
    [
        (Conv2D(3, 2, 1), 2),
        (Conv2D(4, 2, 1), 1),  # does not fit: its own error will say so
        (Conv2D(3, 2, 1, stride=2), 1),
        (Conv2D(3, 2, (1, 2)), 1),
        (Conv2D(3, 2, 1, padding=1), 1),
        (Conv2D(3, 2, 1, dtype=np.float64), 1),
        (CoordConv2D(3, 2, 1), 2),
        (CoordConv2D(3, 2, 1, with_r=True), 1),
        (Doubled(3, 2, 1), 1),
        (ReLU(), 1),
    ],
)
def test_what_can_follow_in_a_chain(second, length):
    first = CoordConv2D(1, 3, 1, rng=0)
    assert len(chain_from([first, second], 0, np.ones((1, 4, 5, 1), np.float32))) == length


class UnchainedConv2D(Conv2D):
    """A subclass is no part of a chain."""


class UnchainedCoordConv2D(CoordConv2D):
    pass


def three_convolutions(kernel_size, chained=True):
    plain, coord = (Conv2D, CoordConv2D) if chained else (UnchainedConv2D, UnchainedCoordConv2D)
    options = {"rng": np.random.default_rng(3), "dtype": np.float64}
    first = plain(2, 4, kernel_size, activation="relu", **options)
    last = plain(3, 2, kernel_size, activation="relu", **options)
    return Sequential([first, coord(4, 3, kernel_size, **options), last])


def pass_through(layers, x):
    for layer in layers:
        x = layer.forward(x)


def weights_between(model, x):
    for layer in model.layers:
        layer.params["w"] = np.random.default_rng(4).standard_normal(layer.weight_shape())


def strided_weights_between(model, x):
    for layer in model.layers:
        layer.params["w"] = np.repeat(layer.params["w"], 2, axis=3)[..., ::2]
    model.forward(x)
    for layer in model.layers:
        layer.params["w"] *= 2


def weights_in_place_between(model, x):
    for layer in model.layers:
        layer.params["w"] *= 2


def failed_pass_between(model, x):
    model.layers[2].params["w"], kept = np.zeros((1, 2)), model.layers[2].params["w"]
    with pytest.raises(ValueError, match="Conv2D: w has shape"):
        model.forward(x)
    model.layers[2].params["w"] = kept
    pass_through(model.layers[:2], x)  # in a chain the layers before the fault have run or have not; now they have


BETWEEN = {
    "nothing": lambda model, x: None,
    "all layers": lambda model, x: pass_through(model.layers, x),
    "the first layer": lambda model, x: model.layers[0].forward(x),
    "the last layer": lambda model, x: model.layers[2].forward(np.repeat(x, 3, axis=3)[..., :3]),
    "a model of the first two": lambda model, x: Sequential(model.layers[:2]).forward(x),
    "another model of all": lambda model, x: Sequential(model.layers).forward(x),
    "a deep copy": lambda model, x: copy.deepcopy(model).forward(x),
    "a shallow copy": lambda model, x: copy.copy(model).forward(x),
    "other weights": weights_between,
    "other weights in place": weights_in_place_between,
    "weights that are not contiguous, changed": strided_weights_between,
    "a pass that failed": failed_pass_between,
}


@pytest.mark.parametrize("between", BETWEEN.values(), ids=BETWEEN.keys())
@pytest.mark.parametrize("need_dx", [True, False])
@pytest.mark.parametrize("debug", [True, False])
def test_what_comes_between_forward_and_backward_counts_in_a_chain_too(between, need_dx, debug):
    chained, alone = three_convolutions(1), three_convolutions(1, chained=False)
    rng = np.random.default_rng(5)
    x, other = rng.standard_normal((2, 3, 5, 4, 2))
    dy = rng.standard_normal((3, 5, 4, 2))
    results = []
    for model in (chained, alone):
        model.debug = debug
        model.forward(x)
        between(model, other)
        results.append((model.backward(dy, need_dx), model.grads))
    (dx, grads), (wanted_dx, wanted) = results
    assert (dx is None) == (wanted_dx is None) == (not need_dx)
    if need_dx:
        assert_close(dx, wanted_dx)
    for key in wanted:
        np.testing.assert_allclose(grads[key], wanted[key], rtol=1e-10, atol=1e-10, err_msg=key)


@pytest.mark.parametrize("kernel_size", [1, 3])
def test_a_layer_that_lost_its_pass_says_so_in_a_chain_too(kernel_size):
    model = three_convolutions(kernel_size)
    y = model.forward(np.ones((1, 4, 4, 2)))
    model.layers[1].astype("float64")
    with pytest.raises(RuntimeError, match="CoordConv2D: backward was called before forward"):
        model.backward(np.ones_like(y))
