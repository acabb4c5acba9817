"""What every layer promises, for each of them, and what is particular to batch normalisation and the shapes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from central_differences import numeric_gradient, relative_error
from numpy.typing import DTypeLike

from minicoord import get_threads, set_threads
from minicoord.nn.layers.activations import LeakyReLU, ReLU, Sigmoid, Softmax, Tanh
from minicoord.nn.layers.base import Layer
from minicoord.nn.layers.batchnorm import BatchNorm2D
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.coordinates import AddCoords, Tile
from minicoord.nn.layers.dense import Dense
from minicoord.nn.layers.pooling import AvgPool2D, GlobalAvgPool, GlobalMaxPool, MaxPool2D
from minicoord.nn.layers.shape import Flatten, Reshape
from minicoord.nn.layers.transposed import ConvTranspose2D
from minicoord.nn.layers.upsample import Upsample2D

IMAGES = (2, 5, 4, 3)
LAYERS = {
    "AddCoords": (lambda: AddCoords(), IMAGES),
    "AddCoords with r": (lambda: AddCoords(with_r=True), IMAGES),
    "AvgPool2D": (lambda: AvgPool2D((2, 3), 1, "same"), IMAGES),
    "BatchNorm2D": (lambda: BatchNorm2D(3, momentum=0.5), IMAGES),
    "BatchNorm2D with ReLU": (lambda: BatchNorm2D(3, momentum=0.5, activation="relu"), IMAGES),
    "Conv2D": (lambda: Conv2D(3, 4, (3, 2), (2, 1), rng=0), IMAGES),
    "Conv2D without bias": (lambda: Conv2D(3, 4, 3, 1, "valid", rng=0, bias=False), IMAGES),
    "ConvTranspose2D": (lambda: ConvTranspose2D(3, 4, (2, 3), 2, rng=0), IMAGES),
    "ConvTranspose2D cut off": (lambda: ConvTranspose2D(3, 2, 3, (2, 1), ((1, 0), (1, 2)), rng=0), IMAGES),
    "CoordConv2D": (lambda: CoordConv2D(3, 4, (3, 2), (1, 2), rng=0), IMAGES),
    "CoordConv2D with r": (lambda: CoordConv2D(3, 4, 1, rng=0, with_r=True), IMAGES),
    "Dense": (lambda: Dense(3, 4, rng=0), (2, 3)),
    "Dense without bias": (lambda: Dense(3, 4, rng=0, bias=False), (2, 3)),
    "Flatten": (lambda: Flatten(), IMAGES),
    "GlobalAvgPool": (lambda: GlobalAvgPool(), IMAGES),
    "GlobalMaxPool": (lambda: GlobalMaxPool(), IMAGES),
    "LeakyReLU": (lambda: LeakyReLU(0.3), IMAGES),
    "MaxPool2D": (lambda: MaxPool2D((3, 2), (2, 1), "same"), IMAGES),
    "ReLU": (lambda: ReLU(), IMAGES),
    "Reshape": (lambda: Reshape((2, 6)), (2, 3, 4)),
    "Sigmoid": (lambda: Sigmoid(), IMAGES),
    "Softmax": (lambda: Softmax(), IMAGES),
    "Tanh": (lambda: Tanh(), (2, 3)),
    "Tile": (lambda: Tile(4, 5), (2, 3)),
    "Upsample2D": (lambda: Upsample2D((2, 3)), IMAGES),
}
every_layer = pytest.mark.parametrize("make, shape", LAYERS.values(), ids=LAYERS.keys())


def numbers(shape, seed=0, dtype: DTypeLike = np.float64):
    """Return numbers around 0 of which no two are equal and none is 0, so that no layer has a kink there."""
    count = int(np.prod(shape))
    values = (np.arange(count) - count / 2 + 0.3) / count * 4
    return np.random.default_rng(seed).permutation(values).reshape(shape).astype(dtype)


@every_layer
@pytest.mark.parametrize("training", [False, True])
def test_gradients_are_the_slopes(make, shape, training):
    layer, x = make().astype(np.float64), numbers(shape)
    for k, param in enumerate(layer.params.values()):
        param[...] = numbers(param.shape, seed=k)
    if "running_var" in layer.state:
        layer.state["running_mean"][...], layer.state["running_var"][...] = [0.1, -0.2, 0.3], [0.5, 1, 2]
    dy = numbers(layer.forward(x, training).shape, seed=5)
    dx = layer.backward(dy)
    analytic = {key: gradient.copy() for key, gradient in layer.grads.items()}
    assert analytic.keys() == layer.params.keys()
    state = {key: array.copy() for key, array in layer.state.items()}

    def loss(x):
        for key, array in state.items():
            layer.state[key][...] = array  # a training pass moves the running statistics
        return float((layer.forward(x, training) * dy).sum())

    assert relative_error(dx, numeric_gradient(loss, x)) < 1e-6
    for key, param in layer.params.items():

        def loss_of_param(values, param=param):
            saved = param.copy()
            param[...] = values
            value = loss(x)
            param[...] = saved
            return value

        assert relative_error(analytic[key], numeric_gradient(loss_of_param, param)) < 1e-6, key


@every_layer
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shape_and_dtype_are_as_announced(make, shape, dtype):
    layer, x = make().astype(dtype), numbers(shape, dtype=dtype)
    y = layer.forward(x)
    assert y.shape == layer.output_shape(shape)
    assert y.dtype == dtype
    dx = layer.backward(np.ones_like(y))
    assert (dx.shape, dx.dtype) == (x.shape, dtype)
    assert {array.dtype for arrays in (layer.params, layer.grads, layer.state) for array in arrays.values()} <= {
        np.dtype(dtype)
    }


@every_layer
def test_an_empty_batch_gives_an_empty_result(make, shape):
    layer = make()
    y = layer.forward(np.zeros((0, *shape[1:]), np.float32))
    assert y.shape == layer.output_shape((0, *shape[1:]))
    assert layer.backward(np.zeros_like(y)).shape == (0, *shape[1:])


@every_layer
def test_the_layer_is_rebuilt_from_its_config_in_json(make, shape):
    layer = make()
    again = type(layer)(**json.loads(json.dumps(layer.config())))
    assert repr(again) == repr(layer)
    assert again.output_shape(shape) == layer.output_shape(shape)


@every_layer
def test_backward_before_forward_is_named(make, shape):
    layer = make()
    sentence = f"{layer.name}: backward was called before forward"
    with pytest.raises(RuntimeError, match=sentence):
        layer.backward(np.zeros(shape, np.float32))
    layer.forward(np.ones(shape, np.float32))
    layer.astype(np.float64)
    with pytest.raises(RuntimeError, match=sentence):
        layer.backward(np.zeros(shape))


@every_layer
def test_a_wrong_input_is_named(make, shape):
    layer = make()
    with pytest.raises(TypeError, match=rf"{layer.name}: x has dtype int64, wanted float32 or float64"):
        layer.forward(np.zeros(shape, int))
    with pytest.raises(TypeError, match=rf"{layer.name}: x is of type list, wanted a NumPy array"):
        layer.forward([1.0])  # type: ignore
    if not isinstance(layer, (ReLU, LeakyReLU, Sigmoid, Tanh)):
        with pytest.raises(ValueError, match=rf"{layer.name}: x has shape \(7,\), wanted \(N, "):
            layer.forward(np.zeros(7, np.float32))
        with pytest.raises(ValueError, match=rf"{layer.name}: x has shape \(7,\), wanted \(N, "):
            layer.output_shape((7,))


@every_layer
def test_a_wrong_gradient_is_named(make, shape):
    layer = make()
    y = layer.forward(np.ones(shape, np.float32))
    with pytest.raises(ValueError, match=rf"{layer.name}: dy has shape \(1, 1\), wanted \({y.shape[0]}, .* of the out"):
        layer.backward(np.zeros((1, 1), np.float32))
    with pytest.raises(TypeError, match=f"{layer.name}: dy has dtype float64, wanted float32"):
        layer.backward(np.zeros(y.shape))


@every_layer
def test_the_number_of_threads_does_not_change_a_bit(make, shape):
    shape = (5, *(4 * n if 0 < axis < len(shape) - 1 else n for axis, n in enumerate(shape) if axis))
    x = numbers(shape, dtype=np.float32)
    threads, results = get_threads(), []
    try:
        for n in (1, threads):
            set_threads(n)
            layer = make() if not isinstance(make(), Reshape) else Flatten()
            y = layer.forward(x, training=True)
            dx = layer.backward(y)
            results.append([y, dx, *layer.grads.values(), *layer.state.values()])
    finally:
        set_threads(threads)
    assert all(one.tobytes() == many.tobytes() for one, many in zip(*results, strict=True))


@pytest.mark.parametrize("make, shape", [LAYERS["Dense"], LAYERS["BatchNorm2D"]])
def test_a_layer_with_parameters_takes_its_own_dtype_only(make, shape):
    layer = make()
    with pytest.raises(TypeError, match=f"{layer.name}: x has dtype float64, wanted float32, the dtype of the layer"):
        layer.forward(np.zeros(shape))
    with pytest.raises(TypeError, match=f"{layer.name}: dtype was int32, wanted float32 or float64"):
        layer.astype(np.int32)


@pytest.mark.parametrize("make, shape", [LAYERS["Dense"], LAYERS["BatchNorm2D"]])
def test_gradients_are_overwritten_in_the_same_arrays(make, shape):
    layer, x = make(), numbers(shape, dtype=np.float32)
    views = dict(layer.grads)
    y = layer.forward(x, training=True)
    layer.backward(y)
    first = {key: gradient.copy() for key, gradient in layer.grads.items()}
    assert any(gradient.any() for gradient in first.values())
    layer.backward(y)
    for key, gradient in layer.grads.items():
        assert gradient is views[key]
        np.testing.assert_array_equal(gradient, first[key])


def test_batch_norm_normalises_in_training_and_moves_its_statistics():
    layer, x = BatchNorm2D(3, momentum=0.75, dtype=np.float64), 5 + 2 * numbers(IMAGES)
    mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
    y = layer.forward(x, training=True)
    np.testing.assert_allclose(y.mean((0, 1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(y.std((0, 1, 2)), 1, atol=1e-4)
    np.testing.assert_allclose(layer.state["running_mean"], 0.25 * mean)
    np.testing.assert_allclose(layer.state["running_var"], 0.75 + 0.25 * var)


def test_batch_norm_outside_training_uses_its_statistics_and_leaves_them():
    layer, x = BatchNorm2D(2, eps=1e-3, dtype=np.float64), numbers((1, 2, 3, 2))
    layer.params["gamma"][:], layer.params["beta"][:] = [2, 3], [-1, 1]
    layer.state["running_mean"][:], layer.state["running_var"][:] = [1, 2], [4, 9]
    expected = (x - [1, 2]) / np.sqrt([4.001, 9.001]) * [2, 3] + [-1, 1]
    np.testing.assert_allclose(layer.forward(x), expected, rtol=1e-12)
    assert layer.state["running_mean"].tolist() == [1, 2]
    assert layer.state["running_var"].tolist() == [4, 9]


def test_a_running_statistic_that_moves_after_forward_does_not_change_its_gradient():
    layer, x = BatchNorm2D(2, dtype=np.float64), numbers((1, 2, 3, 2))
    y = layer.forward(x)
    dx = layer.backward(y)
    layer.state["running_var"][:] = 100
    np.testing.assert_array_equal(layer.backward(y), dx)


def test_only_batch_norm_uses_batch_statistics_and_only_kernels_have_an_l2_penalty():
    layers = [make() for make, _ in LAYERS.values()]
    assert {layer.name for layer in layers if layer.uses_batch_statistics} == {"BatchNorm2D"}
    penalised = {layer.name: layer.l2_params for layer in layers if layer.l2_params}
    assert penalised == dict.fromkeys(["Conv2D", "ConvTranspose2D", "CoordConv2D"], ("w",))


@pytest.mark.parametrize("name", ["Conv2D", "Conv2D without bias", "ConvTranspose2D", "CoordConv2D with r"])
def test_dx_can_be_left_out_and_the_gradients_stay(name):
    make, shape = LAYERS[name]
    layer: Any = make()
    assert layer.can_skip_dx
    y = layer.forward(numbers(shape, dtype=np.float32))
    assert layer.backward(y).shape == shape
    wanted = {key: gradient.copy() for key, gradient in layer.grads.items()}
    assert layer.backward(y, need_dx=False) is None
    for key, gradient in layer.grads.items():
        np.testing.assert_array_equal(gradient, wanted[key])


@pytest.mark.parametrize("kind", [Conv2D, ConvTranspose2D, CoordConv2D])
def test_an_activation_does_what_a_layer_behind_would(kind):
    inside, outside, relu = kind(3, 4, 3, rng=0, activation="relu"), kind(3, 4, 3, rng=0), ReLU()
    x = numbers(IMAGES, dtype=np.float32)
    y = relu.forward(outside.forward(x))
    assert 0 < (y > 0).mean() < 1
    np.testing.assert_array_equal(inside.forward(x), y)
    dy = numbers(y.shape, seed=1, dtype=np.float32)
    np.testing.assert_allclose(inside.backward(dy), outside.backward(relu.backward(dy)), rtol=1e-5, atol=1e-5)
    for key, gradient in inside.grads.items():
        np.testing.assert_allclose(gradient, outside.grads[key], rtol=1e-5, atol=1e-5)


def test_dense_counts_its_parameters():
    assert Dense(3, 4, rng=0).n_params == 16
    assert Dense(3, 4, rng=0, bias=False).n_params == 12
    assert Flatten().n_params == 0


def test_reshape_keeps_reading_order():
    x = numbers((2, 3, 2, 2))
    np.testing.assert_array_equal(Flatten().forward(x)[1], x[1].ravel())
    np.testing.assert_array_equal(Reshape((4, 3)).forward(x)[1], x[1].reshape(4, 3))


def test_a_layer_that_lacks_a_method_says_so():
    with pytest.raises(NotImplementedError, match="Layer has no forward"):
        Layer().forward(np.zeros(1))


@pytest.mark.parametrize(
    "call, error, sentence",
    [
        (lambda: Dense(0, 3), ValueError, "Dense: c_in was 0, it must be a whole number of at least 1"),
        (lambda: Dense(3, 2.0), ValueError, "Dense: c_out was 2.0"),  # type: ignore
        (lambda: Dense(3, 2, dtype=np.int32), TypeError, "Dense: dtype was int32, wanted float32 or float64"),
        (lambda: Dense(3, 2, rng=0).forward(np.zeros((2, 4), np.float32)), ValueError, r"\(2, 4\), wanted \(N, 3\)"),
        (lambda: BatchNorm2D(True), ValueError, "BatchNorm2D: channels was True"),
        (lambda: BatchNorm2D(3, momentum=1.5), ValueError, "BatchNorm2D: momentum was 1.5"),
        (lambda: BatchNorm2D(3, eps=0), ValueError, "BatchNorm2D: eps was 0"),
        (lambda: BatchNorm2D(3).forward(np.zeros(IMAGES[:3], np.float32)), ValueError, r"wanted \(N, H, W, 3\)"),
        (lambda: MaxPool2D(0), ValueError, "MaxPool2D: kernel_size was 0"),
        (lambda: MaxPool2D(2, (1, 0)), ValueError, r"MaxPool2D: stride was \(1, 0\)"),
        (lambda: AvgPool2D(6).forward(np.zeros(IMAGES)), ValueError, "AvgPool2D: a 6x6 window does not fit"),
        (lambda: Upsample2D(0), ValueError, "Upsample2D: factor was 0"),
        (lambda: Tile(0, 3), ValueError, "Tile: height was 0"),
        (lambda: Reshape((2, -1)), ValueError, "Reshape: an axis of shape was -1"),
        (lambda: Reshape((2, 2)).output_shape((3, 5)), ValueError, r"x has shape \(3, 5\), wanted .* with 4 numbers"),
        (lambda: LeakyReLU(float("nan")), ValueError, "LeakyReLU: slope was nan, wanted a finite number"),
        (lambda: LeakyReLU("a"), TypeError, "LeakyReLU: slope was 'a', wanted a number"),  # type: ignore
        (lambda: BatchNorm2D(3, momentum="0.9"), TypeError, "BatchNorm2D: momentum was '0.9', wanted a n"),  # type: ignore
        (lambda: BatchNorm2D(3, eps=None), TypeError, "BatchNorm2D: eps was None, wanted a number"),  # type: ignore
        (lambda: MaxPool2D(2, padding="full"), ValueError, "MaxPool2D: padding was 'full', it must be 'same', 'valid'"),
        (lambda: AvgPool2D(2, padding=-1), ValueError, "AvgPool2D: padding was -1"),
        (lambda: Conv2D(0, 3, 3), ValueError, "Conv2D: c_in was 0, it must be a whole number of at least 1$"),
        (lambda: Conv2D(1, True, 3), ValueError, "Conv2D: c_out was True"),
        (lambda: Conv2D(1, 1, 3, padding="full"), ValueError, "Conv2D: padding was 'full'"),
        (lambda: Conv2D(1, 1, 3, activation="tanh"), ValueError, "Conv2D: activation was 'tanh', it must be None"),
        (lambda: Conv2D(3, 1, 6, padding="valid").output_shape(IMAGES), ValueError, "Conv2D: a 6x6 window does not"),
        (lambda: ConvTranspose2D(3, 1, 1, padding=9).output_shape(IMAGES), ValueError, "ConvTranspose2D: an image of"),
        (lambda: Reshape(5), TypeError, r"Reshape: shape was 5, it must be a sequence"),  # type: ignore
    ],
)
def test_a_wrong_argument_is_named(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
