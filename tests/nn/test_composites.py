"""Residual and Branches: alone, in a Sequential and in each other."""

import copy
import hashlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minicoord import (
    SGD,
    Adam,
    BatchNorm2D,
    Branches,
    Conv2D,
    CoordConv2D,
    Dense,
    Flatten,
    GlobalAvgPool,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Residual,
    Sequential,
    Tanh,
    fit,
    gradcheck,
    load_weights,
    mean_squared_error,
    save_weights,
)
from minicoord.nn.composites.base import Composite
from minicoord.nn.composites.outputs import arrays_of, map_arrays
from minicoord.nn.layers.base import Layer
from minicoord.train.accumulation import batch_gradients, choose_slice_size

ROOT = Path(__file__).resolve().parents[2]


def images(n=2, channels=3, dtype: Any = "float64", seed=5):
    return np.random.default_rng(seed).standard_normal((n, 5, 6, channels)).astype(dtype)


def agent(seed=0, dtype="float64", batch_norm=True, debug=False):
    """A chain of 1x1 convolutions, a residual block with batch norm and stride 2, and heads with heads of their own."""
    rng = np.random.default_rng(seed)
    body = [Conv2D(4, 6, 3, stride=2, rng=rng), *([BatchNorm2D(6)] if batch_norm else []), Tanh()]
    block = Residual(Sequential([*body, Conv2D(6, 6, 3, rng=rng)]), shortcut=Conv2D(4, 6, 1, stride=2, rng=rng))
    policy = Sequential([Residual(Dense(6, 6, rng=rng)), LeakyReLU(), Dense(6, 4, rng=rng)])
    others = Branches(value=Dense(6, 1, rng=rng), nothing=Tanh())
    layers = [CoordConv2D(3, 5, 1, rng=rng), Conv2D(5, 4, 1, rng=rng, activation="relu"), block, GlobalAvgPool()]
    return Sequential([*layers, Branches(policy=policy, others=others)], debug=debug).astype(dtype)


def gradients_like(y, seed=7):
    rng = np.random.default_rng(seed)
    return map_arrays(lambda array: rng.standard_normal(array.shape).astype(array.dtype), y)


def bits(model, x, need_dx=True):
    """A digest of a forward and a backward pass."""
    y = model.forward(x, training=True)
    dx = model.backward(gradients_like(y), need_dx)
    digest = hashlib.sha256()
    for array in (*arrays_of(y), *([] if dx is None else [dx]), *model.grads.values()):
        digest.update(array.tobytes())
    return digest.hexdigest()


class Twice(Layer):
    """Counts how often it runs, and what is asked of it on the way back."""

    def __init__(self, has_param=True):
        super().__init__()
        self.calls = []
        self.can_skip_dx = True
        if has_param:
            self.add_param("w", np.full(1, 2.0))

    def forward(self, x, training=False):
        return self.remember(2 * x, x)

    def backward(self, dy, need_dx=True):
        dy, x = self.recall(dy)
        self.calls.append(need_dx)
        if self.params:
            self.set_grads(w=np.sum(dy * x, keepdims=True).reshape(1))
        return 2 * dy if need_dx else None

    def output_shape(self, input_shape):
        return input_shape


def test_a_residual_adds_body_and_shortcut():
    body, shortcut = (
        Conv2D(3, 4, 3, stride=2, rng=0, dtype="float64"),
        Conv2D(3, 4, 1, stride=2, rng=1, dtype="float64"),
    )
    x = images()
    wanted = copy.deepcopy(body).forward(x) + copy.deepcopy(shortcut).forward(x)
    np.testing.assert_array_equal(Residual(body, shortcut).forward(x), wanted)
    square = Conv2D(3, 3, 3, rng=0, dtype="float64")
    np.testing.assert_array_equal(Residual(square).forward(x), square.forward(x) + x)


def test_branches_run_every_head_on_the_same_input():
    conv, pool = Conv2D(3, 4, 3, rng=0, dtype="float64"), MaxPool2D(2)
    x = images()
    y = Branches(a=conv, b=pool).forward(x)
    assert list(y) == ["a", "b"]
    np.testing.assert_array_equal(y["a"], copy.deepcopy(conv).forward(x))
    np.testing.assert_array_equal(y["b"], copy.deepcopy(pool).forward(x))


@pytest.mark.parametrize(
    "model, x",
    [
        (Residual(Conv2D(3, 3, 3, rng=0)), images()),
        (Residual(Conv2D(3, 4, 3, stride=2, rng=0), Conv2D(3, 4, 1, stride=2, rng=1)), images()),
        (Residual(Residual(Tanh()), Residual(Conv2D(3, 3, 1, rng=0))), images()),
        (Sequential([Residual(Sequential([Conv2D(3, 3, 3, rng=0), BatchNorm2D(3), Tanh()])), Flatten()]), images(3)),
        (Branches(a=Conv2D(3, 2, 3, rng=0), b=Sequential([Flatten(), Dense(90, 2, rng=1)])), images()),
        (Branches(a=Branches(b=Dense(4, 3, rng=0), c=Tanh()), d=Dense(4, 2, rng=1)), images()[0, :, :4, 0]),
        pytest.param(agent(), images(3), marks=pytest.mark.compiled),  # pure Python takes too long
    ],
    ids=["identity", "stride 2", "nested", "batch norm", "heads", "nested heads", "agent"],
)
def test_every_gradient_is_right(model, x):
    report = gradcheck(model, x)
    assert (report.ok, report.kinks) == (True, 0), str(report)
    assert report.error < 1e-7
    names = ["dx", *(f"{path}.d{key}" for path, _, key in (name.rpartition(".") for name in model.params))]
    assert [array.name for array in report.arrays] == names


def test_a_wrong_gradient_inside_is_found():
    class Wrong(Tanh):
        def backward(self, dy):
            return 1.01 * super().backward(dy)

    assert gradcheck(Residual(Wrong()), images())["dx"].verdict != "right"
    assert gradcheck(Branches(a=Dense(5, 2, rng=0), b=Wrong()), np.ones((2, 5)))["dx"].verdict != "right"


def test_flat_names_follow_the_path():
    model = agent()
    assert list(model.params) == [
        "0.w", "0.b", "1.w", "1.b", "2.body.0.w", "2.body.0.b", "2.body.1.gamma", "2.body.1.beta", "2.body.3.w",
        "2.body.3.b", "2.shortcut.w", "2.shortcut.b", "4.policy.0.body.w", "4.policy.0.body.b", "4.policy.2.w",
        "4.policy.2.b", "4.others.value.w", "4.others.value.b",
    ]  # fmt: skip
    assert list(model.grads) == list(model.params)
    assert list(model.state) == ["2.body.1.running_mean", "2.body.1.running_var"]
    assert model.l2_params == ("0.w", "1.w", "2.body.0.w", "2.body.3.w", "2.shortcut.w")
    assert list(Residual(Dense(2, 2), Dense(2, 2)).params) == ["body.w", "body.b", "shortcut.w", "shortcut.b"]
    model.params["2.shortcut.w"] = np.ones_like(model.params["2.shortcut.w"])
    block = model.layers[2]
    assert isinstance(block, Residual) and block.shortcut is not None
    assert (block.shortcut.params["w"] == 1).all()


def test_batch_statistics_inside_are_seen():
    assert agent().uses_batch_statistics
    assert not agent(batch_norm=False).uses_batch_statistics


def test_shapes_inside_and_outside():
    model = agent()
    assert model.output_shape((7, 5, 6, 3)) == {"policy": (7, 4), "others": {"value": (7, 1), "nothing": (7, 6)}}
    assert model.output_shapes((7, 5, 6, 3)) == [
        (7, 5, 6, 5), (7, 5, 6, 4),  # the chain
        (7, 3, 3, 6), (7, 3, 3, 6), (7, 3, 3, 6), (7, 3, 3, 6), (7, 3, 3, 6),  # the block: body, shortcut
        (7, 6), (7, 6), (7, 6), (7, 4), (7, 1), (7, 6),  # pooling and heads
    ]  # fmt: skip
    places = {place.name: place for place in model.trace((7, 5, 6, 3))}
    assert places["2.shortcut"].input_shape == places["2.body.0"].input_shape == (7, 5, 6, 4)
    assert places["2"].output_shape == (7, 3, 3, 6) and places["2"].composite
    assert places["4.others"].output_shape == {"value": (7, 1), "nothing": (7, 6)}


def test_the_largest_activation_inside_a_block_counts_for_the_slices():
    wide = Residual(Sequential([Conv2D(1, 64, 1, rng=0), Conv2D(64, 1, 1, rng=0)]))
    shape, size = (256, 256, 1), 4
    assert choose_slice_size("auto", Sequential([Conv2D(1, 1, 1, rng=0)]), shape, size) == size
    assert choose_slice_size("auto", Sequential([wide]), shape, size) == 1


@pytest.mark.parametrize("make", [agent, lambda: Residual(Dense(6, 6)), lambda: Branches(a=Dense(6, 1), b=Tanh())])
def test_copies_and_pickles_have_the_weights_and_not_the_activations(make):
    model = make()
    x = images(2, dtype=model.dtype) if isinstance(model, Sequential) else np.ones((2, 6), model.dtype)
    y = model.forward(x)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin.fingerprint() == model.fingerprint()
        with pytest.raises(RuntimeError, match="backward was called before forward"):
            twin.backward(gradients_like(y))
        for array, wanted in zip(arrays_of(twin.forward(x)), arrays_of(y), strict=True):
            np.testing.assert_array_equal(array, wanted)
        assert not any(np.shares_memory(a, b) for a, b in zip(twin.params.values(), model.params.values(), strict=True))
    model.backward(gradients_like(y))


def test_weights_are_saved_and_loaded_by_name(tmp_path):
    model, other = agent(0), agent(1)
    model.forward(images(), training=True)
    save_weights(tmp_path / "agent.npz", model)
    assert bits(load_weights(tmp_path / "agent.npz", other), images()) == bits(model, images())
    without = Sequential([*agent().layers[:2], Residual(Conv2D(4, 4, 1)), *agent().layers[3:]]).astype("float64")
    with pytest.raises(ValueError, match=r"its layer 2\.body is nothing, the model's is Conv2D"):
        load_weights(tmp_path / "agent.npz", without)


def test_the_architecture_tells_how_the_parts_are_joined():
    models = [
        Sequential([Dense(2, 2)]),
        Residual(Dense(2, 2)),
        Branches(body=Dense(2, 2)),
        Sequential([Residual(Dense(2, 2))]),
        Sequential([Branches(body=Dense(2, 2))]),
        Sequential([Residual(Dense(2, 2), Dense(2, 2))]),
        Sequential([Residual(Sequential([Dense(2, 2)]))]),
    ]
    assert len({model.fingerprint() for model in models}) == len(models)
    assert models[4].architecture()["layers"] == {"0": "Branches()", "0.body": "Dense(c_in=2, c_out=2, bias=True)"}
    for model in models:
        json.dumps(model.config())
    assert repr(agent()).count("Residual(") == 2
    assert repr(models[5]) == (
        "Sequential([Residual(Dense(c_in=2, c_out=2, bias=True), shortcut=Dense(c_in=2, c_out=2, bias=True))])"
    )


def test_astype_reaches_every_part_and_forgets_the_last_forward_pass():
    model = agent(dtype="float32")
    assert {array.dtype for array in (*model.params.values(), *model.state.values())} == {np.dtype("float32")}
    y = model.forward(images(dtype="float32"))
    assert {array.dtype for array in arrays_of(y)} == {np.dtype("float32")}
    assert model.astype("float64") is model
    assert {array.dtype for array in arrays_of(model.forward(images()))} == {np.dtype("float64")}
    for layer in (Residual(Tanh()), Branches(a=Tanh())):
        dy = gradients_like(layer.forward(images()))
        layer.astype("float32")
        with pytest.raises(RuntimeError, match=f"{layer.name}: backward was called before forward"):
            layer.backward(dy)


def test_the_summary_shows_composites_above_their_parts(capsys):
    text = agent().summary((5, 6, 3))
    capsys.readouterr()
    rows = {line[:16].strip(): line[16:].split() for line in text.splitlines()}
    assert rows["2"] == ["Residual", "(N,", "3,", "3,", "6)"]
    assert rows["2.shortcut"] == ["Conv2D", "(N,", "3,", "3,", "6)", "30"]
    assert rows["4"] == ["Branches", "{policy,", "others}"]
    assert rows["4.others.value"] == ["Dense", "(N,", "1)", "7"]
    assert f"Parameters: {agent().n_params:,}" in text
    assert text.splitlines()[-1] == "Saved but not trained: 12"
    with pytest.raises(ValueError, match=r"Residual: the output of body has shape .* and x"):
        Sequential([Residual(Dense(3, 2))]).summary((3,))


@pytest.mark.parametrize("need_dx", [True, False])
def test_debug_changes_no_bit(need_dx):
    x = images(3, dtype="float32")
    assert bits(agent(dtype="float32", debug=True), x, need_dx) == bits(agent(dtype="float32"), x, need_dx)


@pytest.mark.parametrize("key, place", [
    ("1.b", r"1 \(Conv2D\)"),
    ("2.body.3.w", r"2\.body\.3 \(Conv2D\)"),
    ("2.shortcut.w", r"2\.shortcut \(Conv2D\)"),
    ("4.policy.0.body.w", r"4\.policy\.0\.body \(Dense\)"),
    ("4.others.value.b", r"4\.others\.value \(Dense\)"),
])  # fmt: skip
def test_debug_names_the_innermost_layer(key, place):
    model = agent(debug=True)
    model.params[key].flat[0] = np.nan
    with pytest.raises(ValueError, match=f"the output of layer {place} has"):
        model.forward(images())
    model.debug = False
    model.forward(images())


@pytest.mark.parametrize("key, place", [
    ("1.w", r"the gradient that leaves layer 1 \(Conv2D\)"),
    ("2.body.3.w", r"the gradient that leaves layer 2\.body\.3 \(Conv2D\)"),
    ("4.policy.2.w", r"the gradient that leaves layer 4\.policy\.2 \(Dense\)"),
])  # fmt: skip
def test_debug_names_the_innermost_layer_on_the_way_back(key, place):
    model = agent(debug=True)
    y = model.forward(images(), training=True)
    model.params[key].flat[0] = np.inf
    with pytest.raises(ValueError, match=place), np.errstate(invalid="ignore"):
        model.backward(gradients_like(y))


def test_debug_names_a_parameter_whose_gradient_is_not_finite():
    model = Sequential([Residual(Dense(2, 2, rng=0))], debug=True)
    model.forward(np.full((1, 2), 2e20, np.float32))
    with (
        pytest.raises(ValueError, match=r"the gradient of w in layer 0\.body \(Dense\) has 4 non-finite values"),
        np.errstate(over="ignore"),
    ):
        model.backward(np.full((1, 2), 2e20, np.float32), need_dx=False)


@pytest.mark.parametrize("model", [agent(), Residual(Dense(6, 6)), Branches(a=Dense(6, 1))])
def test_a_non_finite_input_is_refused_by_name(model):
    with pytest.raises(ValueError, match=f"{model.name}: x has 1 non-finite value"):
        model.forward(np.array([[np.nan]]))


def test_gradients_do_not_depend_on_whether_dx_is_needed():
    models = [agent(), agent()]
    for model, need_dx in zip(models, (True, False), strict=True):
        dx = model.backward(gradients_like(model.forward(images(), training=True)), need_dx)
        assert (dx is None) == (not need_dx)
    for key, gradient in models[0].grads.items():
        np.testing.assert_array_equal(gradient, models[1].grads[key])


def test_nobody_computes_a_dx_that_is_not_needed():
    first, second, bare = Twice(), Twice(), Twice(has_param=False)
    for model in (Residual(first, second), Residual(first, bare), Residual(first)):
        assert model.backward(model.forward(images()), need_dx=False) is None
    assert (first.calls, second.calls, bare.calls) == ([False] * 3, [False], [])
    heads = Branches(a=first, b=bare, c=second)
    assert heads.backward(heads.forward(images()), need_dx=False) is None
    assert (first.calls[3:], second.calls[1:], bare.calls) == ([False], [False], [])
    model = Sequential([Residual(bare), Residual(first)])
    model.backward(model.forward(images()), need_dx=False)
    assert (first.calls[4:], bare.calls) == ([False], [])


def test_the_gradients_of_the_heads_are_added_in_their_order():
    x = images()
    factors = (1e16, 1.0, -1e16)  # whose sum depends on the order
    heads = Branches(a=Tanh(), b=Tanh(), c=Tanh())
    y = heads.forward(0 * x)
    dy = {name: np.full_like(x, factor) for name, factor in zip(y, factors, strict=True)}
    np.testing.assert_array_equal(heads.backward(dict(reversed(dy.items()))), np.full_like(x, (1e16 + 1.0) - 1e16))


@pytest.mark.parametrize("missing", [lambda dy: dy.pop("a"), lambda dy: dy.update(a=None)])
def test_a_head_without_a_gradient_has_no_part(missing):
    heads = Branches(a=Branches(b=Dense(6, 2, rng=0, dtype="float64")), c=Dense(6, 3, rng=1, dtype="float64"))
    x = images(channels=6)[0, 0]
    y = heads.forward(x)
    heads.backward(gradients_like(y))
    assert heads.grads["a.b.w"].any()
    dy = gradients_like(y)
    missing(dy)
    dx = heads.backward(dy)
    assert not heads.grads["a.b.w"].any() and not heads.grads["a.b.b"].any()
    alone = copy.deepcopy(heads.heads["c"])
    alone.forward(x)
    np.testing.assert_array_equal(dx, alone.backward(dy["c"]))
    np.testing.assert_array_equal(heads.grads["c.w"], alone.grads["w"])


def test_without_any_gradient_all_are_zero():
    heads = Branches(a=Dense(6, 2), b=Tanh())
    heads.backward(gradients_like(heads.forward(np.ones((3, 6), np.float32))))
    dx = heads.backward({})
    assert dx is not None
    assert (dx.shape, dx.dtype, dx.any()) == ((3, 6), np.float32, False)
    assert not any(gradient.any() for gradient in heads.grads.values())
    assert heads.backward({}, need_dx=False) is None


def test_no_array_is_changed_that_somebody_else_holds():
    x = images()
    model = Residual(Flatten(), Flatten())  # whose dx are views of dy
    heads = Branches(a=Flatten(), b=Flatten(), c=ReLU())
    for layer in (model, heads):
        kept = x.copy()
        y = layer.forward(x)
        dy = gradients_like(y)
        before = copy.deepcopy((y, dy))
        layer.backward(dy)
        np.testing.assert_array_equal(x, kept)
        for array, wanted in zip(arrays_of({"y": y, "dy": dy}), arrays_of(dict(enumerate(before))), strict=True):
            np.testing.assert_array_equal(array, wanted)


def test_shapes_that_do_not_add_are_refused_and_not_broadcast():
    x = np.ones((4, 3), np.float32)
    with pytest.raises(ValueError, match=r"Residual: the output of body has shape \(4, 1\) and x \(4, 3\), wanted the"):
        Residual(Dense(3, 1)).forward(x)
    with pytest.raises(
        ValueError, match=r"body has shape \(4, 1\) and the output of shortcut \(4, 2\), wanted the same"
    ):
        Residual(Dense(3, 1), Dense(3, 2)).forward(x)
    with pytest.raises(
        ValueError, match=r"body has shape \(4, 1\) and the output of shortcut \(4, 2\), wanted the same"
    ):
        Residual(Dense(3, 1), Dense(3, 2)).output_shape((4, 3))


NOT_A_LAYER: Any = ReLU


@pytest.mark.parametrize("make, error, match", [
    (lambda: Residual(NOT_A_LAYER), TypeError, "^Residual: layer body is of type type, wanted a Layer$"),
    (lambda: Residual(ReLU(), shortcut=NOT_A_LAYER), TypeError, "^Residual: layer shortcut is of type type, wanted"),
    (lambda: Residual(Branches(a=ReLU())), ValueError, "^Residual: the output of body is a dict of heads, w"),
    (lambda: Residual(ReLU(), Sequential([Branches(a=ReLU())])), ValueError, "^Residual: the output of shortcut is a"),
    (lambda: Branches(), ValueError, "^Branches: there are no heads, wanted at least one$"),
    (lambda: Branches(a=NOT_A_LAYER), TypeError, "^Branches: layer a is of type type, wanted a Layer$"),
    (lambda: Branches(**{"a.b": ReLU()}), ValueError, "^Branches: a head is called 'a.b', wanted a name such as"),
    (lambda: Branches(**{"0": ReLU()}), ValueError, "^Branches: a head is called '0', wanted a name such as"),
    (
        lambda: Sequential([ReLU(), Branches(a=ReLU()), ReLU()]),
        ValueError,
        r"^Sequential: the output of layer 1 \(Branches\) is a dict of heads, so it must be the last layer$",
    ),
    (
        lambda: Sequential([Sequential([Branches(a=ReLU())]), ReLU()]),
        ValueError,
        r"^Sequential: the output of layer 0 \(Sequential\) is a dict of heads, so it must be the last layer$",
    ),
])  # fmt: skip
def test_what_cannot_be_built_is_refused_in_one_sentence(make, error, match):
    with pytest.raises(error, match=match):
        make()


@pytest.mark.parametrize("make", [
    lambda layer: Residual(layer, layer),
    lambda layer: Branches(a=layer, b=Sequential([ReLU(), layer])),
    lambda layer: Sequential([layer, Residual(layer)]),
    lambda layer: Sequential([Residual(layer), Branches(a=layer)]),
])  # fmt: skip
def test_one_layer_cannot_stand_in_two_places(make):
    with pytest.raises(ValueError, match="the same layer comes twice; make one for each place"):
        make(Dense(2, 2))


@pytest.mark.parametrize("dy, error, match", [
    (np.ones((2, 1)), TypeError, r"^Branches: dy is of type ndarray, wanted a dict of gradients by head \(a, b\)$"),
    ({"a": None, "c": 1}, ValueError, "^Branches: dy has a gradient of 'c', wanted names of heads: a, b$"),
    ({"a": np.ones((2, 9))}, ValueError, r"Dense: dy has shape \(2, 9\)"),
    ({"a": np.ones((2, 1), np.float32)}, TypeError, "Dense: dy has dtype float32"),
])  # fmt: skip
def test_a_wrong_dy_is_refused(dy, error, match):
    heads = Branches(a=Dense(6, 1, dtype="float64"), b=Tanh())
    with pytest.raises(RuntimeError, match="Branches: backward was called before forward"):
        heads.backward(dy)
    heads.forward(np.ones((2, 6)))
    with pytest.raises(error, match=match):
        Sequential([heads]).backward(dy)


def test_a_head_may_be_called_self():
    assert list(Branches(self=Dense(2, 1), layer=ReLU()).params) == ["self.w", "self.b"]


def test_training_in_slices_is_training_on_the_batch():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((6, 5, 6, 3)), rng.standard_normal((6, 5, 6, 3))
    gradients = []
    for size in (6, 2):
        model = Sequential([Residual(Sequential([Conv2D(3, 4, 3, rng=1), Tanh(), Conv2D(4, 3, 1, rng=2)]))])
        batch_gradients(model.astype("float64"), mean_squared_error, x, y, size)
        gradients.append({key: gradient.copy() for key, gradient in model.grads.items()})
    for key, gradient in gradients[0].items():
        np.testing.assert_allclose(gradients[1][key], gradient, rtol=1e-10, atol=1e-14)


def test_fit_trains_a_residual_network():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((32, 4)).astype(np.float32)
    model = Sequential([Residual(Sequential([Dense(4, 8, rng=rng), Tanh(), Dense(8, 4, rng=rng)]))])
    options = {"epochs": 20, "batch_size": 8, "seed": 0, "progress": False}
    history = fit(model, mean_squared_error, Adam(0.01), x, np.sin(x), **options)
    assert history.rows[-1]["train_loss"] < history.rows[0]["train_loss"] / 4


def test_an_optimiser_trains_every_head():
    model = agent()
    before = {key: array.copy() for key, array in model.params.items()}
    model.backward(gradients_like(model.forward(images(), training=True)), need_dx=False)
    SGD(0.1).step(model)
    assert all((array != before[key]).any() for key, array in model.params.items() if not key.endswith("body.0.b"))


BITS = """
import numpy as np
from test_composites import agent, bits
x = np.random.default_rng(0).standard_normal((8, 40, 50, 3)).astype(np.float32)
print(bits(agent(dtype="float32"), x))
"""


@pytest.mark.compiled  # without the compiler there are no threads
def test_the_bits_do_not_depend_on_the_number_of_threads():
    runs = []
    for threads in ("1", "2", "4"):
        path = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "nn")])
        env = {**os.environ, "NUMBA_NUM_THREADS": threads, "PYTHONPATH": path}
        runs.append(subprocess.Popen([sys.executable, "-c", BITS], env=env, stdout=subprocess.PIPE, text=True))
    found = [run.communicate()[0].strip() for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert len(found[0]) == 64
    assert found[0] == found[1] == found[2]


def test_every_composite_says_what_it_lacks():
    class Bare(Composite):
        def parts(self):
            return [("a", ReLU())]

    for call in (lambda: Bare().forward(images()), lambda: Bare().input_shapes((1,)), lambda: Composite()):
        with pytest.raises(NotImplementedError, match=r"has no (_run|input_shapes|parts)"):
            call()


@pytest.mark.parametrize("call", ["summary", "trace", "output_shapes", "input_shapes", "output_shape"])
@pytest.mark.parametrize("wrap", [lambda block: block, lambda block: Sequential([block]), Residual])
def test_the_shapes_of_a_sum_that_cannot_be_made_are_refused(call, wrap):
    model = wrap(Residual(Dense(3, 2, rng=0)))
    shape = (3,) if call == "summary" else (4, 3)
    if call == "input_shapes" and isinstance(model, Sequential):
        model = model.layers[0]
    with pytest.raises(ValueError, match=r"Residual: the output of body has shape .*2\) and x .*3\), wanted the same"):
        list(getattr(model, call)(shape))


def test_the_shapes_of_a_sum_with_a_shortcut_of_another_shape_are_refused():
    block = Residual(Conv2D(3, 4, 3, rng=0), Conv2D(3, 4, 1, stride=2, rng=0))
    with pytest.raises(ValueError, match="wanted the same, because the two are added"):
        block.summary((8, 8, 3))
