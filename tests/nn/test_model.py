import copy
import json
import pickle

import numpy as np
import pytest

from minicoord import BatchNorm2D, Conv2D, Dense, Flatten, MaxPool2D, ReLU, Sequential, gradcheck
from minicoord.nn.layers.base import Layer


def small_model(seed=0, **options):
    rng = np.random.default_rng(seed)
    layers = [Conv2D(2, 3, 3, rng=rng), BatchNorm2D(3), ReLU(), Flatten(), Dense(60, 2, rng=rng)]
    return Sequential(layers, **options)


def images(n=2, dtype="float32"):
    return np.random.default_rng(5).standard_normal((n, 4, 5, 2)).astype(dtype)


class Explode(Layer):
    """Turns its first entry into NaN, forward or backward."""

    def __init__(self, when):
        super().__init__()
        self.when = when

    def forward(self, x, training=False):
        y = x.copy()
        if self.when == "forward":
            y.flat[0] = np.nan
        return self.remember(y)

    def backward(self, dy):
        (dy,) = self.recall(dy)
        dx = dy.copy()
        if self.when == "backward":
            dx.flat[0] = np.nan
        return dx

    def output_shape(self, input_shape):
        return input_shape


class Watch(Layer):
    """Counts what is asked of it; has a parameter or not."""

    def __init__(self, has_param, can_skip_dx):
        super().__init__()
        self.can_skip_dx = can_skip_dx
        self.calls = []
        if has_param:
            self.add_param("w", np.ones(1, np.float32))

    def forward(self, x, training=False):
        return self.remember(x)

    def backward(self, dy, need_dx=True):
        self.calls.append(need_dx)
        return dy if need_dx else None


def test_forward_and_backward_are_the_layers_in_order():
    model, x = small_model(), images()
    y = model.forward(x, training=True)
    other, expected = small_model(), x
    for layer in other.layers:
        expected = layer.forward(expected, training=True)
    np.testing.assert_array_equal(y, expected)
    dy = np.ones_like(y)
    dx = model.backward(dy)
    for layer in reversed(other.layers):
        dy = layer.backward(dy)
    np.testing.assert_array_equal(dx, dy)
    assert list(model.grads) == ["0.w", "0.b", "1.gamma", "1.beta", "4.w", "4.b"]
    for key, gradient in model.grads.items():
        np.testing.assert_array_equal(gradient, other.grads[key])


def test_the_gradients_of_a_nested_model_are_right():
    rng = np.random.default_rng(1)
    inner = Sequential([Conv2D(2, 3, 3, rng=rng), BatchNorm2D(3)])
    model = Sequential([inner, MaxPool2D(2), Flatten(), Dense(12, 2, rng=rng)])
    report = gradcheck(model, images(dtype="float64"))
    assert report.ok, str(report)
    assert [array.name for array in report.arrays] == [
        "dx", "0.0.dw", "0.0.db", "0.1.dgamma", "0.1.dbeta", "3.dw", "3.db",
    ]  # fmt: skip


def test_flat_arrays_are_views_and_assignment_writes_into_the_layer():
    model = small_model()
    w = model.layers[0].params["w"]
    model.params["0.w"][...] = 1
    assert (w == 1).all()
    model.params["0.w"] -= 0.5
    assert (w == 0.5).all()
    model.params["0.w"] = np.full_like(w, 3)
    assert model.layers[0].params["w"] is w
    assert (w == 3).all()
    model.state.update({"1.running_mean": np.ones(3, np.float32)})
    assert (model.layers[1].state["running_mean"] == 1).all()


@pytest.mark.parametrize("key, values, error", [
    ("0.w", np.ones(3, np.float32), ValueError),
    ("4.b", np.ones(2), ValueError),
    ("9.w", np.ones(2, np.float32), KeyError),
])  # fmt: skip
def test_nothing_is_broadcast_cast_or_added_by_assignment(key, values, error):
    model = small_model()
    before = {k: a.copy() for k, a in model.params.items()}
    with pytest.raises(error, match=key):
        model.params[key] = values
    for k, a in model.params.items():
        np.testing.assert_array_equal(a, before[k])


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda arrays: pickle.loads(pickle.dumps(arrays))])
def test_a_copy_of_the_weights_is_a_dict_of_its_own(duplicate):
    model = small_model()
    kept = duplicate(model.params)
    assert type(kept) is dict
    wanted = {key: array.copy() for key, array in model.params.items()}
    for array in model.params.values():
        array += 1
    assert kept.keys() == wanted.keys()
    assert all(np.array_equal(kept[key], wanted[key]) for key in kept)
    params = model.params
    params |= kept
    assert all(np.array_equal(model.params[key], wanted[key]) for key in kept)


def test_a_model_survives_copying_and_pickling():
    model, x = small_model(), np.ones((1, 4, 5, 2), np.float32)
    wanted = model.forward(x)
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(again.forward(x), wanted)
        again.params["0.w"] = 0 * again.params["0.w"]
    np.testing.assert_array_equal(model.forward(x), wanted)


@pytest.mark.parametrize("padding, other", [(1, np.int64(1)), ((1, 2), [1, 2]), (1, ((1, 1), (1, 1)))])
def test_one_padding_written_in_two_ways_is_one_architecture(padding, other):
    models = [Sequential([Conv2D(1, 1, 3, padding=p, rng=0), MaxPool2D(3, padding=p)]) for p in (padding, other)]
    assert models[0].fingerprint() == models[1].fingerprint()
    json.dumps(models[1].config())


def test_facts_of_a_model_and_of_one_within_another():
    model = small_model()
    nested = Sequential([Sequential(model.layers[:3]), *model.layers[3:]])
    assert model.n_params == nested.n_params == (3 * 3 * 2 * 3 + 3) + 2 * 3 + (60 * 2 + 2)
    assert model.l2_params == ("0.w",)
    assert nested.l2_params == ("0.0.w",)
    assert list(nested.state) == ["0.1.running_mean", "0.1.running_var"]
    assert model.uses_batch_statistics and nested.uses_batch_statistics
    assert not Sequential([Flatten()]).uses_batch_statistics
    assert nested.output_shape((7, 4, 5, 2)) == (7, 2)
    assert nested.dtype == np.float32
    assert nested.astype(np.float64).dtype == np.float64
    assert nested.forward(images(dtype="float64")).dtype == np.float64


def test_the_fingerprint_knows_the_architecture_but_not_the_weights():
    fingerprint = small_model(0).fingerprint()
    assert len(fingerprint) == 64
    assert fingerprint == small_model(1).fingerprint() == small_model().astype(np.float64).fingerprint()
    assert fingerprint != Sequential(small_model().layers[:-1]).fingerprint()
    assert (
        Sequential([Conv2D(1, 1, 3, stride=1)]).fingerprint() != Sequential([Conv2D(1, 1, 3, stride=2)]).fingerprint()
    )


def test_the_fingerprint_of_a_model_stays_what_it_is_in_files():
    # A file of weights is refused by a model with another fingerprint, so these may not change.
    model = small_model()
    nested = Sequential([Sequential(model.layers[:3]), *model.layers[3:]])
    assert model.fingerprint() == "898769ce27ad3915c283ff4de4036fc4b4d19525212cae27d55498d66090758c"
    assert nested.fingerprint() == "bdd988f68897915f68778c9e07742a33efd7945480a64cac61cc1471e2712146"


@pytest.mark.filterwarnings("error")
def test_large_numbers_whose_sum_is_infinite_are_no_error():
    x = np.full((2, 3, 4, 1), 3e38, np.float32)
    assert Sequential([ReLU()]).forward(x).tobytes() == x.tobytes()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_non_finite_input_is_refused(bad):
    x = images()
    x[1, 2, 3, 0] = bad
    with pytest.raises(ValueError, match=r"Sequential: x has 1 non-finite value .* of 80"):
        small_model().forward(x)


@pytest.mark.parametrize("nested", [False, True])
def test_debug_names_the_layer_that_made_the_first_nan(nested):
    layers = [Flatten(), Explode("forward")]
    inner = [Sequential(layers)] if nested else layers
    name = "0.1" if nested else "1"
    with pytest.raises(ValueError, match=rf"output of layer {name} \(Explode\)"):
        Sequential(inner, debug=True).forward(images())
    assert np.isnan(Sequential([Flatten(), Explode("forward")]).forward(images())).any()


@pytest.mark.parametrize("nested", [False, True])
def test_debug_names_the_layer_whose_gradient_is_not_finite(nested):
    layers = [Flatten(), Explode("backward"), ReLU()]
    model = Sequential([Sequential(layers)] if nested else layers, debug=True)
    y = model.forward(images())
    with pytest.raises(ValueError, match=rf"leaves layer {'0.1' if nested else '1'} \(Explode\)"):
        model.backward(np.ones_like(y))


def test_debug_of_a_model_inside_holds_without_debug_outside_and_ends_with_the_model():
    inner = Sequential([Explode("forward")])
    with pytest.raises(ValueError, match=r"output of layer 0\.0 \(Explode\)"):
        Sequential([inner], debug=True).forward(images())
    assert np.isnan(inner.forward(images())).any()
    with pytest.raises(ValueError, match=r"output of layer 0\.0 \(Explode\)"):
        Sequential([Sequential([Explode("forward")], debug=True)]).forward(images())


def test_backward_stops_at_the_first_parameters_if_nobody_needs_dx():
    layers = [Watch(False, True), Watch(True, True), Watch(True, True)]
    model = Sequential([layers[0], Sequential(layers[1:])])
    model.forward(images())
    assert model.backward(images(), need_dx=False) is None
    assert [layer.calls for layer in layers] == [[], [False], [True]]
    assert model.backward(images()) is not None
    assert [layer.calls for layer in layers] == [[True], [False, True], [True, True]]


def test_a_layer_that_cannot_skip_dx_is_not_asked_to():
    layer = Watch(True, False)
    model = Sequential([layer])
    model.forward(images())
    assert model.backward(images(), need_dx=False) is None
    assert layer.calls == [True]
    assert Sequential([Watch(False, False)]).backward(images(), need_dx=False) is None


def test_the_gradients_do_not_depend_on_whether_dx_is_needed():
    grads = []
    for need_dx in (True, False):
        model = small_model()
        model.backward(np.ones_like(model.forward(images(), training=True)), need_dx=need_dx)
        grads.append(model.grads)
    for key, gradient in grads[0].items():
        np.testing.assert_array_equal(gradient, grads[1][key])


def test_backward_before_forward_names_the_layer():
    with pytest.raises(RuntimeError, match="Dense: backward was called before forward"):
        small_model().backward(np.ones((2, 2), np.float32))


def test_what_is_no_model_is_refused():
    layer = Flatten()
    with pytest.raises(ValueError, match="no layers"):
        Sequential([])
    with pytest.raises(TypeError, match="layer 1 is of type type, wanted a Layer"):
        Sequential([layer, ReLU])  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="layers is of type Flatten, wanted a list of layers"):
        Sequential(layer, ReLU())  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="same layer comes twice"):
        Sequential([layer, Sequential([layer])])


@pytest.mark.parametrize("shape", [(4, 5, 2), (7, 4, 5, 2), (None, 4, 5, 2)])
def test_the_summary_takes_a_sample_or_a_batch(shape, capsys):
    text = small_model().summary(shape)
    assert capsys.readouterr().out == text + "\n"
    lines = text.splitlines()
    cells = [line.split() for line in lines]
    assert cells[0] == ["Layer", "Output", "shape", "Parameters"]
    assert cells[2] == ["input", "(N,", "4,", "5,", "2)"]
    assert cells[3] == ["0", "Conv2D", "(N,", "4,", "5,", "3)", "57"]
    assert cells[7] == ["4", "Dense", "(N,", "2)", "122"]
    assert lines[9:] == ["Parameters: 185", "Saved but not trained: 6"]
    assert len({len(line) for line in lines[:2]}) == 1


def test_the_summary_shows_the_layers_of_a_nested_model(capsys):
    text = Sequential([Sequential([Dense(3, 2000)]), ReLU()]).summary((3,))
    assert [line.split()[:2] for line in text.splitlines()[3:5]] == [["0.0", "Dense"], ["1", "ReLU"]]
    assert "Parameters: 8,000" in text
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("shape", [(4, 5, 3), (2, 4, 5, 3), (None, 4, 5, 3), (4,)])
def test_the_summary_says_why_a_shape_does_not_fit(shape):
    with pytest.raises(ValueError, match=r"summary: input_shape .* Conv2D: x has shape .*, wanted \(N, H, W, 2\)"):
        small_model().summary(shape)


@pytest.mark.parametrize("shape", [(4.0, 5, 2), (0, 5, 2), ("4", 5, 2)])
def test_the_summary_wants_whole_numbers(shape):
    with pytest.raises(ValueError, match="whole numbers"):
        small_model().summary(shape)


def test_a_copy_has_the_weights_but_not_the_activations():
    model = small_model()
    x = np.random.default_rng(0).standard_normal((2, 4, 5, 2)).astype(np.float32)
    y = model.forward(x)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        with pytest.raises(RuntimeError, match="backward was called before forward"):
            twin.backward(np.ones_like(y))
        np.testing.assert_array_equal(twin.forward(x), y)
    model.backward(np.ones_like(y))


def test_a_notebook_shows_the_summary_once(capsys):
    shown = small_model().summary((4, 5, 2))
    assert shown in capsys.readouterr().out
    assert repr(shown) == ""
