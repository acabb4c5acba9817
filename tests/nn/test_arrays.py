"""Arrays that somebody puts into a layer: used as they are if they fit, and named in one sentence if they do not."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from layer_examples import cases, fill, is_composite

from minicoord import (
    SGD,
    Adam,
    BatchNorm2D,
    Branches,
    Conv2D,
    ConvTranspose2D,
    CoordConv2D,
    Dense,
    Flatten,
    Residual,
    Sequential,
    load_weights,
    save_weights,
)
from minicoord.nn.composites.base import Composite
from minicoord.nn.composites.outputs import arrays_of, map_arrays
from minicoord.nn.layers.arrays import for_kernels
from minicoord.nn.layers.base import Layer

IMAGES = (2, 5, 4, 3)

with_arrays = pytest.mark.parametrize(
    "make, shape",
    [case[1:] for case in cases() if case[1]().params and not is_composite(case[1]())],
    ids=[case[0] for case in cases() if case[1]().params and not is_composite(case[1]())],
)


def numbers(shape, dtype: Any = np.float32):
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


def arrays_of_layer(layer: Layer):
    """Yield the dict, and the key in it, of every array that a pass uses."""
    for arrays in (layer.params, layer.state):
        for key in arrays:
            yield arrays, key


WRONG: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "an axis more": (lambda w: w[None], ValueError, "{key} has shape"),
    "an axis less": (lambda w: w.reshape(len(w), -1)[0], ValueError, "{key} has shape"),
    "longer": (lambda w: np.concatenate([w, w]), ValueError, "{key} has shape"),
    "longer in the last axis": (lambda w: np.concatenate([w, w], axis=-1), ValueError, "{key} has shape"),
    "empty": (lambda w: w[..., :0], ValueError, "{key} has shape"),
    "flat": (lambda w: w.reshape(-1)[:-1], ValueError, "{key} has shape"),
    "float64": (lambda w: w.astype(np.float64), TypeError, "{key} has dtype float64, wanted float32"),
    "float16": (lambda w: w.astype(np.float16), TypeError, "{key} has dtype float16, wanted float32"),
    "integers": (lambda w: w.astype(np.int32), TypeError, "{key} has dtype int32, wanted float32"),
    "the other byte order": (lambda w: w.astype(w.dtype.newbyteorder()), TypeError, "{key} has dtype .*, wanted"),
    "a list": (lambda w: w.tolist(), TypeError, "{key} is of type list, wanted a NumPy array"),
    "None": (lambda w: None, TypeError, "{key} is of type NoneType, wanted a NumPy array"),
}


@with_arrays
@pytest.mark.parametrize("wrong, error, sentence", WRONG.values(), ids=WRONG.keys())
def test_an_array_that_does_not_fit_is_named(make, shape, wrong, error, sentence):
    for position in range(len(list(arrays_of_layer(make())))):
        layer, x = make(), numbers(shape)
        dy = np.ones_like(layer.forward(x))
        arrays, key = list(arrays_of_layer(layer))[position]
        right, arrays[key] = arrays[key], wrong(arrays[key])
        words = rf"^{layer.name}: {sentence.format(key=key)}"
        for training in (False, True):
            with pytest.raises(error, match=words):
                layer.forward(x, training)
        with pytest.raises(error, match=words):
            layer.backward(dy)
        arrays[key] = right
        layer.forward(x)
        layer.backward(dy)
        del arrays[key]
        with pytest.raises(ValueError, match=rf"^{layer.name}: {key} is missing, wanted an array of shape"):
            layer.forward(x)


def replaced(model: Any, path: str, values: Any) -> Any:
    """Put `values` into the layer at the place that a flat name says."""
    place, _, key = path.rpartition(".")
    layer = dict(model.leaves())[place] if isinstance(model, (Sequential, Residual, Branches)) else model
    layer.params[key] = values
    return model


MODELS: dict[str, tuple[Callable[[], Any], str, Any, str]] = {
    "coordinates forgotten": (
        lambda: Sequential([CoordConv2D(3, 4, 1, rng=0)]),
        "0.w",
        np.ones((1, 1, 3, 4), np.float32),
        r"CoordConv2D: w has shape \(1, 1, 3, 4\), wanted \(1, 1, 5, 4\)",
    ),
    "coordinates forgotten with a larger kernel": (
        lambda: Sequential([CoordConv2D(3, 4, 3, rng=0, with_r=True)]),
        "0.w",
        np.ones((3, 3, 5, 4), np.float32),
        r"CoordConv2D: w has shape \(3, 3, 5, 4\), wanted \(3, 3, 6, 4\)",
    ),
    "3x3 in 1x1": (
        lambda: Sequential([Conv2D(3, 4, 1, rng=0)]),
        "0.w",
        np.ones((3, 3, 3, 4), np.float32),
        r"Conv2D: w has shape \(3, 3, 3, 4\), wanted \(1, 1, 3, 4\)",
    ),
    "3x3 at the end of a chain": (
        lambda: Sequential([CoordConv2D(3, 4, 1, rng=0), Conv2D(4, 2, 1, rng=0)]),
        "1.w",
        np.ones((3, 3, 4, 2), np.float32),
        r"Conv2D: w has shape \(3, 3, 4, 2\), wanted \(1, 1, 4, 2\)",
    ),
    "no array in the middle of a chain": (
        lambda: Sequential([Conv2D(3, 4, 1, rng=0), Conv2D(4, 4, 1, rng=0), Conv2D(4, 2, 1, rng=0)]),
        "1.w",
        [[[[1.0]]]],
        "Conv2D: w is of type list, wanted a NumPy array",
    ),
    "a long bias in a chain": (
        lambda: Sequential([Conv2D(3, 4, 1, rng=0), Conv2D(4, 2, 1, rng=0)]),
        "0.b",
        np.zeros(5, np.float32),
        r"Conv2D: b has shape \(5,\), wanted \(4,\)",
    ),
    "one number as bias": (
        lambda: Sequential([ConvTranspose2D(3, 4, 3, rng=0)]),
        "0.b",
        np.zeros(1, np.float32),
        r"ConvTranspose2D: b has shape \(1,\), wanted \(4,\)",
    ),
    "channels exchanged": (
        lambda: Sequential([ConvTranspose2D(3, 4, 3, rng=0)]),
        "0.w",
        np.ones((3, 3, 3, 4), np.float32),
        r"ConvTranspose2D: w has shape \(3, 3, 3, 4\), wanted \(3, 3, 4, 3\)",
    ),
    "in a body": (
        lambda: Sequential([Residual(Sequential([Conv2D(3, 3, 3, rng=0)]))]),
        "0.body.0.w",
        np.ones((3, 3, 3, 3)),
        "Conv2D: w has dtype float64, wanted float32, the dtype of the layer",
    ),
    "in a head": (
        lambda: Branches(a=Flatten(), b=Sequential([Flatten(), Dense(60, 2, rng=0)])),
        "b.1.w",
        np.ones((2, 60), np.float32),
        r"Dense: w has shape \(2, 60\), wanted \(60, 2\)",
    ),
    "a bias that there was not": (
        lambda: Sequential([Conv2D(3, 4, 3, rng=0, bias=False)]),
        "0.b",
        np.ones(4, np.float32),
        "Conv2D: there is a parameter 'b', wanted w",
    ),
}
wrong_models = pytest.mark.parametrize("make, path, values, sentence", MODELS.values(), ids=MODELS.keys())


@wrong_models
def test_a_model_names_the_layer_forward_and_backward(make, path, values, sentence):
    model = replaced(make(), path, values)
    with pytest.raises((TypeError, ValueError), match=f"^{sentence}"):
        model.forward(numbers(IMAGES))
    model = make()
    y = model.forward(numbers(IMAGES))
    replaced(model, path, values)
    with pytest.raises((TypeError, ValueError), match=f"^{sentence}"):
        model.backward(map_arrays(np.ones_like, y))


@wrong_models
def test_it_is_neither_saved_nor_loaded_nor_trained(make, path, values, sentence, tmp_path):
    file = tmp_path / "weights.npz"
    save_weights(file, make())
    before, model = file.read_bytes(), replaced(make(), path, values)
    with pytest.raises((TypeError, ValueError), match=sentence):
        save_weights(file, model)
    with pytest.raises((TypeError, ValueError), match=sentence):
        load_weights(file, model)
    for optimizer in (SGD(0.1), Adam(0.1)):
        with pytest.raises((TypeError, ValueError), match=sentence):
            optimizer.step(model)
    assert file.read_bytes() == before


ARRANGED: dict[str, Callable[[Any], Any]] = {
    "contiguous": lambda w: w.copy(),
    "every other": lambda w: np.repeat(w, 2, axis=-1)[..., ::2],
    "backwards": lambda w: np.ascontiguousarray(w[::-1])[::-1],
    "columns first": lambda w: np.asfortranarray(w),
    "a part of more": lambda w: np.pad(w, [(1, 2)] * w.ndim)[tuple(slice(1, -2) for _ in w.shape)],
    "read-only": lambda w: np.frombuffer(w.tobytes(), w.dtype).reshape(w.shape),
    "a subclass": lambda w: w.copy().view(type("Named", (np.ndarray,), {})),
}


@pytest.mark.parametrize("arranged", ARRANGED.values(), ids=ARRANGED.keys())
@pytest.mark.parametrize("make, shape", [case[1:] for case in cases() if case[1]().params], ids=lambda value: None)
def test_an_array_that_fits_serves_however_it_lies_in_memory(make, shape, arranged):
    layer, x = make(), numbers(shape)
    fill(layer, seed=1)
    twin = copy.deepcopy(layer)
    leaves = [leaf for _, leaf in twin.leaves()] if isinstance(twin, Composite) else [twin]
    for leaf in leaves:
        for arrays, key in arrays_of_layer(leaf):
            if arrays is leaf.params or arranged is not ARRANGED["read-only"]:  # a training pass moves states in place
                arrays[key] = arranged(arrays[key])
    results = []
    for one in (layer, twin):
        y = one.forward(x, training=True)
        dx = one.backward(map_arrays(lambda array: numbers(array.shape), y))
        results.append([*arrays_of(y), dx, *one.grads.values(), *one.state.values()])
    for ours, wanted in zip(*results, strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-5, atol=1e-6)


def test_two_layers_may_share_their_weights():
    encoder, decoder, x = Dense(4, 3, rng=0), Dense(3, 4, rng=1), numbers((5, 4))
    decoder.params["w"] = encoder.params["w"].T  # not contiguous
    for factor in (1.0, 2.0):  # what is written to the one counts in the other
        encoder.params["w"][:] = factor
        np.testing.assert_allclose(decoder.forward(np.ones((1, 3), np.float32)), np.full((1, 4), 3 * factor))
        np.testing.assert_allclose(decoder.backward(np.ones((1, 4), np.float32)), np.full((1, 3), 4 * factor))
    assert decoder.forward(encoder.forward(x)).shape == x.shape


def test_weights_that_fit_replace_those_that_did_not():
    layer = Conv2D(3, 4, 3, rng=0)
    layer.params["w"] = np.ones((1, 1), np.float32)
    with pytest.raises(ValueError, match=r"w has shape \(1, 1\), wanted \(3, 3, 3, 4\)"):
        layer.forward(numbers(IMAGES))
    layer.params["w"] = np.ones((3, 3, 3, 4), np.float32)
    assert layer.forward(np.ones(IMAGES, np.float32))[0, 2, 2, 0] == 27


def test_an_array_that_changes_its_shape_in_place_is_noticed():
    layer = CoordConv2D(3, 4, 1, rng=0)
    layer.forward(numbers(IMAGES))
    layer.params["w"].resize((1, 1, 4, 5), refcheck=False)
    with pytest.raises(ValueError, match=r"w has shape \(1, 1, 4, 5\), wanted \(1, 1, 5, 4\)"):
        layer.forward(numbers(IMAGES))


def test_a_conversion_takes_arrays_of_the_new_dtype_only():
    layer = Dense(3, 2, rng=0).astype(np.float64)
    layer.params["w"] = np.ones((3, 2))
    assert layer.forward(np.ones((1, 3)))[0, 0] == 3
    layer.params["w"] = np.ones((3, 2), np.float32)
    with pytest.raises(TypeError, match="w has dtype float32, wanted float64"):
        layer.forward(np.ones((1, 3)))
    layer.astype(np.float32)
    assert layer.forward(np.ones((1, 3), np.float32))[0, 0] == 3


@pytest.mark.parametrize("duplicate", [copy.deepcopy, copy.copy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_a_copy_checks_its_arrays_too(duplicate):
    layer = duplicate(CoordConv2D(3, 4, 1, rng=0))
    layer.forward(numbers(IMAGES))
    layer.params["w"] = layer.params["w"][:, :, :3]
    with pytest.raises(ValueError, match="CoordConv2D: w has shape"):
        layer.forward(numbers(IMAGES))


class Factor(Layer):
    """One factor for all numbers, whose gradient may be given a wrong shape."""

    def __init__(self, *, wrong: Any = None):
        super().__init__()
        self.wrong = wrong
        self.add_param("w", np.ones(2, np.float32))
        self.add_param("v", np.ones(2, np.float32))

    def forward(self, x, training=False):
        return self.remember(self.check_input(x) * self.params["w"])

    def backward(self, dy):
        (dy,) = self.recall(dy)
        self.set_grads(v=np.full(2, 7.0), w=np.ones(2) if self.wrong is None else self.wrong)
        return dy


@pytest.mark.parametrize("wrong", [np.ones(1), np.ones((3, 2)), 1.0])
def test_a_gradient_is_not_broadcast(wrong):
    layer = Factor(wrong=wrong)
    layer.forward(numbers((3, 2)))
    with pytest.raises(ValueError, match=r"Factor: the gradient of w has shape \(.*\), wanted \(2,\)"):
        layer.backward(numbers((3, 2)))
    assert not layer.grads["v"].any()


@pytest.mark.parametrize(
    "array, error, sentence",
    [
        (None, TypeError, r"Factor: grads\['w'\] is of type NoneType, wanted a NumPy array"),
        (np.zeros((3, 2), np.float32), ValueError, r"Factor: grads\['w'\] has shape \(3, 2\), wanted \(2,\)"),
        (np.zeros(2), TypeError, r"Factor: grads\['w'\] has dtype float64, wanted float32"),
    ],
)
def test_an_array_for_gradients_that_does_not_fit_is_named(array, error, sentence):
    layer = Factor()
    layer.forward(numbers((3, 2)))
    layer.grads["w"] = array
    with pytest.raises(error, match=sentence):
        layer.backward(numbers((3, 2)))
    assert not layer.grads["v"].any()


def test_an_array_for_gradients_is_checked_after_a_conversion_too():
    layer = Factor()
    layer.grads["w"] = np.zeros((3, 2), np.float32)
    layer.astype(np.float64)
    layer.forward(np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"Factor: grads\['w'\] has shape \(3, 2\), wanted \(2,\)"):
        layer.backward(np.ones((3, 2)))


def test_a_gradient_of_something_else_is_named():
    with pytest.raises(ValueError, match="Factor: there is a gradient of 'u', wanted one of what add_param made"):
        Factor().set_grads(u=np.ones(2))


@pytest.mark.parametrize("key", ["running_mean", "running_var"])
def test_statistics_that_are_one_row_of_a_matrix_are_refused(key):
    layer = BatchNorm2D(3)
    layer.state[key] = layer.state[key][None]
    with pytest.raises(ValueError, match=rf"BatchNorm2D: {key} has shape \(1, 3\), wanted \(3,\)"):
        layer.forward(numbers(IMAGES), training=True)


def test_kernels_get_one_kind_of_array():
    x = numbers((3, 4))
    for given in (x, x[:, ::-1], x.T, np.broadcast_to(x[0], (3, 4)), np.frombuffer(x.tobytes(), x.dtype)):
        ready = for_kernels(given)
        assert type(ready) is np.ndarray and ready.flags.carray
        np.testing.assert_array_equal(ready, given)
    assert for_kernels(x) is x
