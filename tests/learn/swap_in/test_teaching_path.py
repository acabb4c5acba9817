"""Each layer, loss and optimiser gives the same numbers with a learner's functions."""

import numpy as np
import pytest
from learners_functions import (
    kernels_are_restored,  # noqa: F401 (an autouse fixture)
    solutions,
)
from numpy.testing import assert_allclose, assert_array_equal

from minicoord import Adam, AddCoords, Conv2D, ConvTranspose2D, CoordConv2D, MaxPool2D, softmax_cross_entropy
from minicoord.experiments.image_classification.networks import ZeroCoordConv2D
from minicoord.learn.definition.course import get
from minicoord.learn.swap_in.swap import using


def passes(layer, x, seed=0):
    """Return the output of a layer, and all its gradients, for a gradient drawn from a seed."""
    y = layer.forward(x)
    dx = layer.backward(np.random.default_rng(seed).normal(size=y.shape).astype(y.dtype))
    return [y, dx, *(gradient.copy() for gradient in layer.grads.values())]


CONVOLUTION = ("im2col", "conv_product", "col2im", "conv_db", "conv_dw", "conv_dx")


@pytest.mark.parametrize("layer_class", [Conv2D, CoordConv2D])
@pytest.mark.parametrize(
    ("kernel_size", "stride", "padding"),
    [
        (3, 1, "same"),
        (3, 2, "same"),
        (2, 1, "same"),
        (1, 1, "same"),
        (3, 2, "valid"),
        (3, 1, 2),
        (4, 3, ((0, 2), (1, 0))),
    ],
)
def test_convolutions_give_the_same_results(layer_class, kernel_size, stride, padding):
    rng = np.random.default_rng(0)
    layer = layer_class(2, 4, kernel_size, stride, padding, rng=rng, dtype=np.float64, activation="relu")
    x = rng.normal(size=(3, 7, 9, 2))
    expected = passes(layer, x)
    with using(compiled=False, **solutions(*CONVOLUTION, "add_coords")) as calls:
        got = passes(layer, x)
    for a, b in zip(got, expected, strict=True):
        assert_allclose(a, b, rtol=0, atol=1e-12)
    assert calls["im2col"] and calls["conv_product"] == calls["conv_dx"] == 1
    assert (calls["add_coords"] > 0) == (layer_class is CoordConv2D)


@pytest.mark.parametrize("padding", ["same", "valid", 1])
def test_col2im_gives_the_same_gradient(padding):
    rng = np.random.default_rng(9)
    layer = Conv2D(2, 4, 3, 2, padding, rng=rng, dtype=np.float64)
    x = rng.normal(size=(2, 8, 9, 2))
    expected = passes(layer, x)
    with using(compiled=False, **solutions("col2im")) as calls:
        got = passes(layer, x)
    for a, b in zip(got, expected, strict=True):
        assert_allclose(a, b, rtol=0, atol=1e-12)
    assert calls["col2im"] == 1


@pytest.mark.parametrize("ids", [("max_pool",), ("max_pool_dx",), ("max_pool", "max_pool_dx")], ids=", ".join)
@pytest.mark.parametrize(("size", "stride"), [(2, None), (3, 2)])
def test_max_pooling_gives_the_same_results(ids, size, stride):
    layer = MaxPool2D(size, stride)
    x = np.random.default_rng(10).integers(5, size=(2, 7, 6, 3)).astype(np.float64)  # with equal pixels
    expected = passes(layer, x)
    with using(compiled=False, **solutions(*ids)) as calls:
        got = passes(layer, x)
    for a, b in zip(got, expected, strict=True):
        assert_array_equal(a, b)
    assert calls == dict.fromkeys(ids, 1)


def test_max_pooling_with_one_pass_inside_the_block_and_one_outside():
    layer = MaxPool2D(2)
    x = np.random.default_rng(11).normal(size=(2, 4, 6, 3)).astype(np.float32)
    y, expected = passes(layer, x)
    dy = np.random.default_rng(0).normal(size=y.shape).astype(np.float32)
    with using(compiled=False, **solutions("max_pool", "max_pool_dx")) as calls:
        layer.forward(x)
    assert_array_equal(layer.backward(dy), expected)
    layer.forward(x)
    with using(compiled=False, **solutions("max_pool_dx")):
        assert_array_equal(layer.backward(dy), expected)
    assert calls["max_pool_dx"] == 0


def test_the_loss_is_the_same_where_its_name_was_imported_before():
    rng = np.random.default_rng(12)
    logits, labels = rng.normal(size=(3, 4, 5, 1)), np.array([0, 19, 7])
    loss, dlogits = softmax_cross_entropy(logits, labels)
    with using(compiled=False, **solutions("softmax_cross_entropy", "softmax_cross_entropy_dx")) as calls:
        my_loss, my_dlogits = softmax_cross_entropy(logits, labels)
    assert my_loss == pytest.approx(loss, rel=1e-12)
    assert_allclose(my_dlogits, dlogits, rtol=0, atol=1e-12)
    assert calls == {"softmax_cross_entropy": 1, "softmax_cross_entropy_dx": 1}


@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_a_step_of_adam_gives_the_same_results(l2):
    layers = [Conv2D(2, 3, 3, rng=0, dtype=np.float64) for _ in range(2)]
    for layer in layers:
        layer.grads["w"][:] = np.random.default_rng(13).normal(size=layer.params["w"].shape)
    library, mine = (Adam(0.1, beta2=0.99, l2=l2) for _ in range(2))
    for _ in range(3):
        library.step(layers[0])
        with using(compiled=False, **solutions("adam_step")) as calls:
            mine.step(layers[1])
        assert calls["adam_step"] == 2
    assert_allclose(layers[1].params["w"], layers[0].params["w"], rtol=0, atol=1e-12)
    assert_allclose(mine.slots["v"]["w"], library.slots["v"]["w"], rtol=0, atol=1e-12)


def test_conv_loops_takes_precedence_over_a_product():
    rng = np.random.default_rng(8)
    layer = Conv2D(2, 3, 3, 2, rng=rng, dtype=np.float64)
    x = rng.normal(size=(2, 6, 5, 2))
    expected = layer.forward(x)
    with using(compiled=False, **solutions("conv_loops", "im2col", "conv_product")) as calls:
        assert_allclose(layer.forward(x), expected, rtol=0, atol=1e-12)
    assert calls == {"conv_loops": 1, "im2col": 0, "conv_product": 0}


def test_a_transposed_convolution_gives_the_same_results():
    rng = np.random.default_rng(1)
    layer = ConvTranspose2D(3, 4, 3, 2, rng=rng, dtype=np.float64, activation="relu")
    x = rng.normal(size=(2, 4, 5, 3))
    expected = passes(layer, x)
    with using(compiled=False, **solutions("conv_transpose")) as calls:
        got = passes(layer, x)
    for a, b in zip(got, expected, strict=True):
        assert_allclose(a, b, rtol=0, atol=1e-12)
    assert calls["conv_transpose"] == 1


@pytest.mark.parametrize("with_r", [False, True])
def test_add_coords_gives_the_same_results(with_r):
    layer = AddCoords(with_r)
    x = np.random.default_rng(2).normal(size=(2, 3, 5, 4)).astype(np.float32)
    expected = passes(layer, x)
    with using(compiled=False, **solutions("add_coords", "add_r")) as calls:
        got = passes(layer, x)
    assert_allclose(got[0], expected[0], rtol=0, atol=1e-6)
    assert_array_equal(got[1], expected[1])
    assert calls == {"add_coords": 1, "add_r": int(with_r)}


def test_a_coordconv_is_a_convolution_and_a_map():
    rng = np.random.default_rng(3)
    layer = CoordConv2D(2, 4, 3, rng=rng, dtype=np.float64, activation="relu")
    layer.params["b"][:] = rng.normal(size=4)
    x = rng.normal(size=(3, 5, 7, 2))
    expected = passes(layer, x)
    with using(compiled=False, **solutions("coordconv_map")) as calls:
        got = passes(layer, x)
    for a, b in zip(got, expected, strict=True):
        assert_allclose(a, b, rtol=0, atol=1e-12)
    assert calls["coordconv_map"] == 1


@pytest.mark.parametrize("activation", [None, "relu"])
def test_a_front_layer_gives_the_same_results(activation):
    layer = CoordConv2D(3, 5, 1, with_r=True, rng=0, dtype=np.float64, activation=activation)
    layer.params["b"][:] = np.arange(5)
    x = np.random.default_rng(3).normal(size=(2, 4, 7, 3))
    expected = passes(layer, x)
    with using(compiled=False, **solutions("front_features")) as calls:
        got = passes(layer, x)
    for a, b in zip(got, expected, strict=True):
        assert_allclose(a, b, rtol=0, atol=1e-12)
    assert calls["front_features"] == 1


@pytest.mark.parametrize(
    "settings",
    [{"kernel_size": 3, "with_r": True}, {"kernel_size": 1}, {"kernel_size": 1, "stride": 2, "with_r": True}],
)
def test_a_coordconv_that_is_no_front_layer_stays_with_the_library(settings):
    layer = CoordConv2D(2, 3, **settings, rng=0, dtype=np.float64)
    x = np.random.default_rng(3).normal(size=(2, 4, 7, 2))
    expected = passes(layer, x)
    with using(compiled=False, **solutions("front_features")) as calls:
        got = passes(layer, x)
    for a, b in zip(got, expected, strict=True):
        assert_array_equal(a, b)
    assert calls["front_features"] == 0


@pytest.mark.parametrize(
    "ids", [("front_features",), ("add_coords", "add_r", "im2col"), ("im2col", "conv_dw")], ids=", ".join
)
def test_coordinates_that_are_held_at_zero_stay_zero(ids):
    layer = ZeroCoordConv2D(2, 3, 1, with_r=True, rng=0, dtype=np.float64)
    x = np.random.default_rng(3).normal(size=(2, 4, 7, 2))
    expected = passes(layer, x)
    with using(compiled=False, **solutions(*ids)):
        got = passes(layer, x)
    for a, b in zip(got, expected, strict=True):
        assert_allclose(a, b, rtol=0, atol=1e-12)
    assert not got[2][:, :, 2:].any()  # the gradient of the weights of coordinates


def test_forward_pass_inside_the_block_and_backward_pass_outside():
    layer, x = CoordConv2D(1, 2, 3, rng=0, dtype=np.float64), np.random.default_rng(7).normal(size=(2, 4, 5, 1))
    dy = np.ones_like(layer.forward(x))
    layer.backward(dy)
    expected = layer.grads["w"].copy()
    with using(compiled=False, **solutions("im2col", "add_coords")):
        layer.forward(x)
    layer.backward(dy)
    assert_allclose(layer.grads["w"], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("layer", "id", "words"),
    [
        (MaxPool2D(2, 2, 1), "max_pool", "padding .* expected no padding"),
        (Conv2D(1, 1, (3, 2), rng=0), "im2col", r"called with a 3 x 2 window"),
        (Conv2D(1, 1, 3, (1, 2), rng=0), "im2col", r"stride 1 x 2; expected a square window and one stride"),
        (ConvTranspose2D(1, 1, 3, 2, "valid", rng=0), "conv_transpose", "expected padding 'same'"),
        (CoordConv2D(1, 1, 3, with_r=True, rng=0), "coordconv_map", "channel r"),
    ],
)
def test_a_layer_with_settings_that_an_exercise_lacks_raises(layer, id, words):
    with using(compiled=False, **solutions(id)), pytest.raises(ValueError, match=words):
        layer.forward(np.ones((1, 6, 6, 1), np.float32))


def test_a_result_of_the_wrong_shape_raises():
    def conv_like(x):
        return get("add_coords").solution(x) if x.shape[1] != 50 else x

    with using(add_coords=conv_like, compiled=False), pytest.raises(ValueError, match="add_coords returned"):
        AddCoords().forward(np.ones((1, 50, 2, 1)))
