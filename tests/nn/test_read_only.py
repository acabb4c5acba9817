"""Outputs are read-only, so that no edit can reach what a layer keeps; kernels are compiled for one kind of array."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
import textwrap

import numpy as np
import pytest
from layer_examples import cases
from numba import config, types
from numba.core.dispatcher import Dispatcher

import minicoord.kernels
from minicoord import (
    BatchNorm2D,
    Conv2D,
    CoordConv2D,
    Dense,
    Flatten,
    GlobalAvgPool,
    ReLU,
    Reshape,
    Residual,
    Sequential,
    Sigmoid,
    Softmax,
    Tanh,
)
from minicoord.nn.composites.outputs import arrays_of, map_arrays
from minicoord.nn.layers.base import Layer

every_layer = pytest.mark.parametrize("make, shape", [case[1:] for case in cases()], ids=[case[0] for case in cases()])


def numbers(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


EDITS = {
    "in place": lambda y: np.subtract(y, 1, out=y),
    "one entry": lambda y: y.__setitem__(0, 1),
    "through a view": lambda y: y.reshape(-1).fill(0),
    "through a part": lambda y: y[..., :1].__imul__(2),
}


@every_layer
@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_an_edit_of_the_output_is_refused_and_changes_no_gradient(make, shape, edit):
    layer, x = make(), numbers(shape)
    y = layer.forward(x, training=True)
    dy = map_arrays(lambda array: numbers(array.shape, 1), y)
    wanted = [layer.backward(dy).copy(), *(gradient.copy() for gradient in layer.grads.values())]
    for array in arrays_of(y):
        with pytest.raises(ValueError, match="read-only"):
            edit(array)
        copied = array.copy()
        edit(copied)
    for gradient, before in zip([layer.backward(dy), *layer.grads.values()], wanted, strict=True):
        np.testing.assert_array_equal(gradient, before)


@pytest.mark.parametrize(
    "layer", [Sigmoid(), Tanh(), ReLU(), Softmax(), Conv2D(3, 3, 1, rng=0, activation="relu"), BatchNorm2D(3)]
)
def test_the_example_of_a_loss_that_works_in_place(layer):
    p, t = layer.forward(numbers((2, 4, 4, 3))), numbers((2, 4, 4, 3), 1)
    with pytest.raises(ValueError, match="output array is read-only"):
        p -= t
    p = p - t
    p *= 2
    assert layer.backward(p).flags.writeable


def test_the_output_of_a_layer_within_a_model_is_refused_too():
    first, second = Dense(3, 4, rng=0), Sigmoid()
    h = first.forward(numbers((2, 3)))
    second.forward(h)
    with pytest.raises(ValueError, match="read-only"):
        h *= 2


def test_what_goes_in_stays_as_it_was():
    x = numbers((2, 3, 4, 3))
    before = x.copy()
    for layer in (Flatten(), Reshape((9, 4)), Sequential([Flatten()]), Residual(Flatten(), Flatten())):
        layer.forward(x)
        assert x.flags.writeable
    np.testing.assert_array_equal(x, before)


def test_a_copy_or_a_pickle_of_an_output_can_be_written_to():
    y = Sigmoid().forward(numbers((2, 3)))
    assert y.copy().flags.writeable and np.array(y).flags.writeable and pickle.loads(pickle.dumps(y)).flags.writeable


@every_layer
def test_a_read_only_input_or_gradient_is_as_good_as_another(make, shape):
    x, results = numbers(shape), []
    for read_only in (False, True):
        layer, given = make(), x.copy()
        given.setflags(write=not read_only)
        y = layer.forward(given, training=True)
        dy = map_arrays(lambda array: numbers(array.shape, 1), y)
        for array in arrays_of(dy):
            array.setflags(write=not read_only)
        results.append([*arrays_of(y), layer.backward(dy), *layer.grads.values()])
        assert given.flags.writeable != read_only
    for ours, wanted in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, wanted)


def dispatchers():
    """Yield a name and the compiled function for every kernel that was imported."""
    for module in pkgutil.iter_modules(minicoord.kernels.__path__, "minicoord.kernels."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, Dispatcher):
                yield f"{module.name}.{name}", value


def read_only_signatures():
    """Return the signatures of kernels that were compiled for arrays that cannot be written to."""
    return {
        f"{name}: argument {k} of {signature}"
        for name, dispatcher in dispatchers()
        for signature in dispatcher.signatures
        for k, kind in enumerate(signature)
        if isinstance(kind, types.Array) and not kind.mutable
    }


def read_only(array):
    return np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape)


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")  # type: ignore[attr-defined]
def test_no_kernel_is_compiled_for_the_read_only_arrays_that_layers_hand_on():
    before = read_only_signatures()
    for _, make, shape in cases():
        layer = make()
        model = layer if isinstance(layer, Sequential) else Sequential([Residual(ReLU()), layer])
        y = model.forward(read_only(numbers(shape)), training=True)
        model.backward(map_arrays(read_only, y))
    model = Sequential([CoordConv2D(3, 4, 1, rng=0), Conv2D(4, 2, 1, rng=0), GlobalAvgPool(), Dense(2, 2, rng=0)])
    model.backward(model.forward(numbers((2, 3, 4, 3))))
    assert read_only_signatures() == before


class InPlace(Layer):
    """Somebody's own layer that edits the output of another."""

    def __init__(self):
        super().__init__()
        self.inner = Sigmoid()

    def forward(self, x, training=False):
        y = self.inner.forward(x)
        y *= 2
        return y


def test_a_layer_of_ones_own_that_edits_the_output_of_another_is_told():
    with pytest.raises(ValueError, match="output array is read-only"):
        Sequential([InPlace()]).forward(numbers((2, 3)))


def test_the_docstrings_say_so():
    for function in (Layer.forward, Sequential.forward):
        words = " ".join(textwrap.dedent(function.__doc__ or "").split())
        assert "read-only" in words
    assert "output array is read-only" in (Layer.forward.__doc__ or "")
    assert "assignment destination is read-only" in (Layer.forward.__doc__ or "")
