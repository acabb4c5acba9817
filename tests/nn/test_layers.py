"""What every layer promises, for each of them, and what is particular to batch normalisation and the shapes."""

from __future__ import annotations

import copy
import importlib
import json
import pickle
import sys
import textwrap
from typing import Any

import discovery
import numpy as np
import pytest
from central_differences import numeric_gradient, relative_error
from layer_examples import EXAMPLES, IMAGES, cases, fill, is_composite, larger
from numpy.typing import DTypeLike, NDArray

import minicoord
from minicoord import Sequential, get_threads, gradcheck, set_threads
from minicoord.nn.composites.outputs import arrays_of, map_arrays
from minicoord.nn.layers.activations import LeakyReLU, ReLU, Sigmoid, Tanh
from minicoord.nn.layers.base import Layer
from minicoord.nn.layers.batchnorm import BatchNorm2D
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.coordinates import Tile
from minicoord.nn.layers.dense import Dense
from minicoord.nn.layers.pooling import AvgPool2D, MaxPool2D
from minicoord.nn.layers.shape import Flatten, Reshape
from minicoord.nn.layers.transposed import ConvTranspose2D
from minicoord.nn.layers.upsample import Upsample2D
from minicoord.train.weights import load_weights, save_weights


def over(examples):
    """Run a test over some examples of layers."""
    return pytest.mark.parametrize("make, shape", [case[1:] for case in examples], ids=[case[0] for case in examples])


every_layer = over(cases())
every_single_layer = over([case for case in cases() if not is_composite(case[1]())])


def test_every_layer_class_has_examples():
    assert discovery.layer_faults(EXAMPLES) == []


FORGOTTEN = """
    from minicoord.nn.layers.base import Layer

    class Base(Layer):
        def forward(self, x, training=False):
            return self.remember(x)

    class Forgotten(Base):
        def backward(self, dy):
            return dy

    class _Private(Forgotten):
        pass
"""


@pytest.mark.parametrize("package", ["minicoord.nn.layers", "minicoord.nn"])
def test_a_forgotten_layer_is_found(tmp_path, monkeypatch, package):
    room = importlib.import_module(package)
    (tmp_path / "forgotten.py").write_text(textwrap.dedent(FORGOTTEN), encoding="utf-8")
    monkeypatch.setattr(room, "__path__", [*room.__path__, str(tmp_path)])
    try:
        layer = f"{package.replace('.', '/')}/forgotten.py: the layer Forgotten"
        example = (
            f"{layer} has no example; add one or more to EXAMPLES in tests/layer_examples.py, "
            "and every test of layers runs over them"
        )
        name = f"{layer} cannot be imported from minicoord; add it to minicoord/__init__.py"
        assert discovery.layer_faults(EXAMPLES) == [example, name]
        assert discovery.layer_faults({**EXAMPLES, "Forgotten": []}) == [example, name]
        forgotten = discovery.layer_classes()["Forgotten"]
        assert discovery.layer_faults({**EXAMPLES, "Forgotten": [(forgotten, (2, 3))]}) == [name]
        monkeypatch.setattr(minicoord, "__all__", [*minicoord.__all__, "Forgotten"])
        assert discovery.layer_faults({**EXAMPLES, "Forgotten": [(forgotten, (2, 3))]}) == []
    finally:
        sys.modules.pop(f"{package}.forgotten", None)
        vars(room).pop("forgotten", None)


def test_an_example_of_another_class_or_of_none_is_found():
    assert discovery.layer_faults({**EXAMPLES, "ReLU": EXAMPLES["Tanh"], "Gone": EXAMPLES["Tanh"]}) == [
        "tests/layer_examples.py: an example of ReLU makes a layer of another class",
        "tests/layer_examples.py has examples of Gone, which is not a layer in minicoord/nn/",
    ]


def numbers(shape, seed=0, dtype: DTypeLike = np.float64):
    """Return numbers around 0 of which no two are equal and none is 0, so that no layer has a kink there."""
    count = int(np.prod(shape))
    values = (np.arange(count) - count / 2 + 0.3) / count * 4
    return np.random.default_rng(seed).permutation(values).reshape(shape).astype(dtype)


def for_output(y: Any, seed: int) -> Any:
    """Return a dy for an output: the same arrangement of arrays, shapes and dtypes."""
    return map_arrays(lambda array: numbers(array.shape, seed, array.dtype), y)


def same_bits(ours: Any, other: Any) -> bool:
    pairs = zip(arrays_of(ours), arrays_of(other), strict=True)
    return all((a.shape, a.dtype, a.tobytes()) == (b.shape, b.dtype, b.tobytes()) for a, b in pairs)


def kept_by(layer: Layer) -> dict[str, NDArray]:
    """Return copies of the arrays that are saved."""
    arrays = {f"params/{key}": array for key, array in layer.params.items()}
    arrays |= {f"state/{key}": array for key, array in layer.state.items()}
    return {key: array.copy() for key, array in arrays.items()}


@every_layer
@pytest.mark.parametrize("training", [False, True])
def test_gradients_are_the_slopes(make, shape, training):
    layer, x = make().astype(np.float64), numbers(shape)
    for k, param in enumerate(layer.params.values()):
        param[...] = numbers(param.shape, seed=k)
    for key, array in layer.state.items():
        array[...] = np.linspace(0.5, 2, array.size) if key.endswith("var") else np.linspace(0.1, -0.2, array.size)
    state = {key: array.copy() for key, array in layer.state.items()}
    dy = for_output(layer.forward(x, training), seed=5)
    dx = layer.backward(dy)
    analytic = {key: gradient.copy() for key, gradient in layer.grads.items()}
    assert analytic.keys() == layer.params.keys()

    def loss(x):
        for key, array in state.items():
            layer.state[key][...] = array  # a training pass moves the running statistics, or a direction
        y = layer.forward(x, training)
        return sum(float((a * b).sum()) for a, b in zip(arrays_of(y), arrays_of(dy), strict=True))

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
@pytest.mark.parametrize("training", [False, True])
def test_gradcheck_finds_every_gradient_right(make, shape, training):
    report = gradcheck(make(), numbers(shape), training=training)
    assert (report.ok, report.kinks) == (True, 0), str(report)
    assert len(report.arrays) == 1 + len(make().params)


@every_layer
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shape_and_dtype_are_as_announced(make, shape, dtype):
    layer, x = make().astype(dtype), numbers(shape, dtype=dtype)
    y = layer.forward(x)
    assert map_arrays(np.shape, y) == layer.output_shape(shape)
    assert {array.dtype for array in arrays_of(y)} == {np.dtype(dtype)}
    dx = layer.backward(map_arrays(np.ones_like, y))
    assert (dx.shape, dx.dtype) == (x.shape, dtype)
    assert {array.dtype for arrays in (layer.params, layer.grads, layer.state) for array in arrays.values()} <= {
        np.dtype(dtype)
    }


@every_layer
def test_an_empty_batch_gives_an_empty_result(make, shape):
    layer = make()
    y = layer.forward(np.zeros((0, *shape[1:]), np.float32))
    assert map_arrays(np.shape, y) == layer.output_shape((0, *shape[1:]))
    assert layer.backward(map_arrays(np.zeros_like, y)).shape == (0, *shape[1:])


@every_layer
def test_weights_and_state_come_back_from_a_file_bit_for_bit(make, shape, tmp_path):
    model, other = Sequential([make()]), Sequential([make()])
    fill(model, seed=1)
    fill(other, seed=2)
    save_weights(tmp_path / "weights.npz", model)
    load_weights(tmp_path / "weights.npz", other)
    saved, loaded = kept_by(model), kept_by(other)
    assert saved.keys() == loaded.keys()
    assert same_bits(saved, loaded)
    x = numbers(shape, dtype=np.float32)
    assert same_bits(other.forward(x), model.forward(x))


@every_layer
def test_a_copy_computes_the_same_and_shares_no_array(make, shape):
    layer, x = make(), numbers(shape, dtype=np.float32)
    fill(layer, seed=1)
    y = map_arrays(np.copy, layer.forward(x))
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert same_bits(twin.forward(x), y)
        fill(twin, seed=2)
    assert same_bits(layer.forward(x), y)


@every_layer
def test_astype_converts_every_array_and_keeps_its_numbers(make, shape):
    layer, x = make(), numbers(shape, dtype=np.float32)
    fill(layer, seed=1)
    before, y = kept_by(layer), map_arrays(np.copy, layer.forward(x))
    assert layer.astype(np.float64) is layer
    assert {array.dtype for array in kept_by(layer).values()} <= {np.dtype(np.float64)}
    for exact, rounded in zip(arrays_of(layer.forward(x.astype(np.float64))), arrays_of(y), strict=True):
        np.testing.assert_allclose(exact, rounded, rtol=1e-4, atol=1e-5)
    layer.astype(np.float32)
    assert same_bits(kept_by(layer), before)
    assert same_bits(layer.forward(x), y)


@every_layer
def test_the_config_can_be_written_as_json(make, shape):
    config = make().config()
    assert json.loads(json.dumps(config)).keys() == config.keys()


@every_single_layer
def test_the_layer_is_rebuilt_from_its_config_in_json(make, shape):
    layer = make()
    again = type(layer)(**json.loads(json.dumps(layer.config())))
    assert repr(again) == repr(layer)
    assert again.output_shape(shape) == layer.output_shape(shape)


@every_layer
def test_backward_before_forward_is_named(make, shape):
    layer = make()
    name = "" if is_composite(layer) else layer.name  # in a composite, that of the layer within
    y = map_arrays(np.zeros_like, make().forward(np.ones(shape, np.float32)))
    with pytest.raises(RuntimeError, match=f"{name}: backward was called before forward"):
        layer.backward(y)
    layer.forward(np.ones(shape, np.float32))
    layer.astype(np.float64)
    with pytest.raises(RuntimeError, match=f"{name}: backward was called before forward"):
        layer.backward(map_arrays(lambda array: array.astype(np.float64), y))


@every_single_layer
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


@every_single_layer
def test_a_wrong_gradient_is_named(make, shape):
    layer = make()
    y = layer.forward(np.ones(shape, np.float32))
    with pytest.raises(ValueError, match=rf"{layer.name}: dy has shape \(1, 1\), wanted \({y.shape[0]}, .* of the out"):
        layer.backward(np.zeros((1, 1), np.float32))
    with pytest.raises(TypeError, match=f"{layer.name}: dy has dtype float64, wanted float32"):
        layer.backward(np.zeros(y.shape))


@every_layer
def test_the_number_of_threads_does_not_change_a_bit(make, shape):
    x = numbers(larger(make(), shape), dtype=np.float32)
    threads, results = get_threads(), []
    try:
        for n in (1, threads):
            set_threads(n)
            layer = make()
            y = layer.forward(x, training=True)
            dx = layer.backward(for_output(y, seed=3))
            results.append({"y": y, "dx": dx, "grads": layer.grads, "state": layer.state})
    finally:
        set_threads(threads)
    assert same_bits(*results)


@over([case for case in cases() if case[1]().can_skip_dx])
def test_dx_can_be_left_out_and_the_gradients_stay(make, shape):
    layer: Any = make()
    dy = for_output(layer.forward(numbers(shape, dtype=np.float32)), seed=3)
    assert layer.backward(dy).shape == shape
    wanted = {key: gradient.copy() for key, gradient in layer.grads.items()}
    assert layer.backward(dy, need_dx=False) is None
    for key, gradient in layer.grads.items():
        np.testing.assert_array_equal(gradient, wanted[key])


@over([case for case in cases() if case[1]().params])
def test_gradients_are_overwritten_in_the_same_arrays(make, shape):
    layer, x = make(), numbers(shape, dtype=np.float32)
    views = dict(layer.grads)
    dy = for_output(layer.forward(x, training=True), seed=3)
    layer.backward(dy)
    first = {key: gradient.copy() for key, gradient in layer.grads.items()}
    assert any(gradient.any() for gradient in first.values())
    layer.backward(dy)
    for key, gradient in layer.grads.items():
        assert gradient is views[key]
        np.testing.assert_array_equal(gradient, first[key])


@over([case for case in cases() if case[1]().params and not is_composite(case[1]())])
def test_a_layer_with_parameters_takes_its_own_dtype_only(make, shape):
    layer = make()
    with pytest.raises(TypeError, match=f"{layer.name}: x has dtype float64, wanted float32, the dtype of the layer"):
        layer.forward(np.zeros(shape))
    with pytest.raises(TypeError, match=f"{layer.name}: dtype was int32, wanted float32 or float64"):
        layer.astype(np.int32)


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
    layers = [layer for layer in (make() for _, make, _ in cases()) if not is_composite(layer)]
    assert {layer.name for layer in layers if layer.uses_batch_statistics} == {"BatchNorm2D"}
    penalised = {layer.name: layer.l2_params for layer in layers if layer.l2_params}
    assert penalised == dict.fromkeys(["Conv2D", "ConvTranspose2D", "CoordConv2D", "TiledCoordConv2D"], ("w",))


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
