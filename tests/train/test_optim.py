import copy
import gc
import inspect
import math
import pickle
import re
import textwrap
import weakref

import numpy as np
import pytest

from minicoord import (
    SGD,
    Adam,
    AdamW,
    BatchNorm2D,
    ConstantSchedule,
    Conv2D,
    Dense,
    Flatten,
    RMSprop,
    Sequential,
    StepSchedule,
    clip_gradients,
)
from minicoord.train.schedules import CosineSchedule, LinearSchedule


def model_with_gradients(dtype="float64"):
    rng = np.random.default_rng(0)
    model = Sequential([Conv2D(1, 2, 3, rng=rng), BatchNorm2D(2), Flatten(), Dense(8, 2, rng=rng)]).astype(dtype)
    return give_gradients(model, 1)


def give_gradients(model, seed):
    rng = np.random.default_rng(seed)
    for gradient in model.grads.values():
        gradient[...] = rng.standard_normal(gradient.shape)
    return model


def copies(arrays):
    return {key: array.copy() for key, array in arrays.items()}


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-13), (np.float32, 1e-5)])
def test_sgd_is_momentum_as_in_the_textbook(dtype, tolerance):
    model, optimizer = model_with_gradients(dtype), SGD(0.1, momentum=0.8, l2=0.01)
    w, velocity = copies(model.params), {key: np.zeros(()) for key in model.params}
    for seed in range(3):
        optimizer.step(give_gradients(model, seed))
        for key, g in model.grads.items():
            velocity[key] = 0.8 * velocity[key] + g + (0.02 * w[key] if key == "0.w" else 0)
            w[key] = w[key] - 0.1 * velocity[key]
            np.testing.assert_allclose(model.params[key], w[key], rtol=tolerance, atol=tolerance)
            assert model.params[key].dtype == dtype


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-13), (np.float32, 1e-5)])
def test_adam_is_that_of_kingma_and_ba(dtype, tolerance):
    model, optimizer = model_with_gradients(dtype), Adam(0.05, beta1=0.7, beta2=0.99, eps=1e-6, l2=0.01)
    w = copies(model.params)
    m, v = ({key: np.zeros(()) for key in w} for _ in range(2))
    for t in range(1, 4):
        optimizer.step(give_gradients(model, t))
        optimizer.lr = 0.05 / (t + 1)
        for key, gradient in model.grads.items():
            g = gradient + (0.02 * w[key] if key == "0.w" else 0)
            m[key], v[key] = 0.7 * m[key] + 0.3 * g, 0.99 * v[key] + 0.01 * g**2
            rate = 0.05 / t * math.sqrt(1 - 0.99**t) / (1 - 0.7**t)
            w[key] = w[key] - rate * m[key] / (np.sqrt(v[key]) + 1e-6)
            np.testing.assert_allclose(model.params[key], w[key], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-13), (np.float32, 1e-5)])
def test_adamw_shrinks_kernels_by_the_learning_rate_of_the_step_and_else_is_adam(dtype, tolerance):
    model, adam_alone = model_with_gradients(dtype), model_with_gradients(dtype)
    decayed, plain = AdamW(0.05, beta2=0.99, decay=0.3), Adam(0.05, beta2=0.99)
    for t in range(1, 4):
        before = copies(model.params)
        decayed.lr = plain.lr = 0.05 / t
        for key, array in adam_alone.params.items():
            array[...] = before[key]
        decayed.step(give_gradients(model, t))
        plain.step(give_gradients(adam_alone, t))
        for key, w in model.params.items():
            shrunk = 0.05 / t * 0.3 * before[key] if key == "0.w" else 0
            np.testing.assert_allclose(w, adam_alone.params[key] - shrunk, rtol=tolerance, atol=tolerance)
    assert AdamW(0.1, decay=0.3).config() == {**Adam(0.1).config(), "name": "AdamW", "decay": 0.3}
    assert decayed.l2_penalty(model) == 0
    with pytest.raises(ValueError, match="AdamW: decay"):
        AdamW(0.1, decay=-1)


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-13), (np.float32, 1e-5)])
@pytest.mark.parametrize("textbook", [False, True])
def test_rmsprop_is_as_published_or_as_in_the_textbook(dtype, tolerance, textbook):
    model = model_with_gradients(dtype)
    optimizer = RMSprop(0.05, alpha=0.9, eps=1e-2, l2=0.01, textbook=textbook)
    w, v = copies(model.params), {key: np.zeros(()) if textbook else np.ones(()) for key in model.params}
    for t in range(1, 4):
        optimizer.step(give_gradients(model, t))
        optimizer.lr = 0.05 / (t + 1)
        for key, gradient in model.grads.items():
            g = gradient + (0.02 * w[key] if key == "0.w" else 0)
            v[key] = 0.9 * v[key] + 0.1 * g**2
            w[key] = w[key] - 0.05 / t * g / (np.sqrt(v[key]) + 1e-2 if textbook else np.sqrt(v[key] + 1e-2))
            np.testing.assert_allclose(model.params[key], w[key], rtol=tolerance, atol=tolerance)
    assert optimizer.config()["textbook"] is textbook


def test_the_first_step_of_rmsprop_is_the_gradient_and_that_of_the_textbook_is_not():
    for textbook, wanted in ((False, 1e-3 * 0.125), (True, 1e-2)):
        layer = Dense(2, 1, init="zeros", dtype="float64")
        layer.grads["w"][:, 0] = 0.125, -1e-3
        RMSprop(1e-3, textbook=textbook).step(layer)
        w = layer.params["w"][:, 0]
        assert w[0] == pytest.approx(-wanted, rel=0.01)
        assert w[1] == pytest.approx(1e-2 if textbook else 1e-6, rel=0.11)  # eps is felt at such a gradient


def test_clipping_scales_all_gradients_together_and_leaves_short_ones_alone():
    for dtype in ("float32", "float64"):
        model = model_with_gradients(dtype)
        before = copies(model.grads)
        whole = np.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in before.values()))
        assert clip_gradients(model, 1e3) == pytest.approx(whole, rel=1e-12)
        assert all(np.array_equal(g, before[key]) for key, g in model.grads.items())
        assert clip_gradients(model, 0.5) == pytest.approx(whole, rel=1e-12)
        for key, g in model.grads.items():
            np.testing.assert_allclose(g, before[key] * (0.5 / whole), rtol=1e-6)
        assert clip_gradients(model, 1.0) == pytest.approx(0.5, rel=1e-6)


@pytest.mark.parametrize("shape", [(3, 70_001), (65_536,), (65_537,), (5, 5, 64, 128), (1, 0)])
def test_the_norm_of_long_gradients_has_the_bits_of_one_sum(shape):
    layer = Dense(1, 1)
    layer.grads = {"w": np.random.default_rng(0).standard_normal(shape).astype(np.float32)}
    whole = np.sum(np.square(layer.grads["w"], dtype=np.float64))
    assert clip_gradients(layer, 1e6) == float(np.sqrt(whole))


def test_clipping_refuses_what_cannot_be_clipped():
    model = model_with_gradients()
    with pytest.raises(ValueError, match="clip_gradients: most was 0, wanted a number above 0"):
        clip_gradients(model, 0)
    model.grads["3.b"][:] = np.nan
    before = copies(model.grads)
    with pytest.raises(FloatingPointError, match="the norm of the gradient became nan: try a lower learning rate"):
        clip_gradients(model, 0.5)
    assert all(np.array_equal(g, before[key], equal_nan=True) for key, g in model.grads.items())


def test_the_penalty_is_lambda_times_the_squares_of_the_convolution_kernels():
    model = model_with_gradients()
    expected = 0.003 * float((model.params["0.w"] ** 2).sum())
    assert Adam(0.1, l2=0.003).l2_penalty(model) == pytest.approx(expected, rel=1e-14)
    assert Adam(0.1).l2_penalty(model) == 0


def test_the_penalty_is_the_integral_of_the_gradient_that_is_added():
    # With a zero gradient, plain gradient descent moves w against the gradient of the penalty alone.
    model, optimizer = model_with_gradients(), SGD(1.0, momentum=0.0, l2=0.25)
    for gradient in model.grads.values():
        gradient[...] = 0
    before = copies(model.params)
    optimizer.step(model)
    np.testing.assert_allclose(model.params["0.w"], before["0.w"] * 0.5)
    np.testing.assert_array_equal(model.params["3.w"], before["3.w"])


def test_a_step_leaves_the_gradients_alone():
    model = model_with_gradients()
    before = copies(model.grads)
    Adam(0.1, l2=0.1).step(model)
    for key, gradient in model.grads.items():
        np.testing.assert_array_equal(gradient, before[key])


@pytest.mark.parametrize("make", [lambda: SGD(0.1, l2=0.01), lambda: Adam(0.1)])
def test_a_saved_state_continues_with_the_same_bits(make):
    models, optimizers = [model_with_gradients("float32") for _ in range(2)], [make(), make()]
    for seed in range(2):
        optimizers[0].step(give_gradients(models[0], seed))
    for key, array in models[0].params.items():
        models[1].params[key] = array
    state = optimizers[0].state_dict()
    optimizers[1].load_state_dict(state)
    for model, optimizer in zip(models, optimizers, strict=True):
        optimizer.step(give_gradients(model, 7))
    for key, array in models[0].params.items():
        assert array.tobytes() == models[1].params[key].tobytes()


def test_a_state_is_a_copy_and_a_wrong_one_changes_nothing():
    model, optimizer = model_with_gradients(), Adam(0.1)
    optimizer.step(model)
    state = optimizer.state_dict()
    optimizer.step(model)
    assert not np.array_equal(state["m/0.w"], optimizer.slots["m"]["0.w"])
    before = optimizer.state_dict()
    incomplete = {key: value for key, value in state.items() if key != "v/0.w"}
    for wrong in (SGD(0.1).state_dict(), incomplete, {**state, "u/0.w": state["m/0.w"]}, {"name": "Adam"}):
        with pytest.raises(ValueError, match="Adam: the state"):
            optimizer.load_state_dict(wrong)
        assert optimizer.t == before["t"]
        np.testing.assert_array_equal(optimizer.slots["v"]["0.w"], before["v/0.w"])


def test_an_optimiser_serves_one_model():
    optimizer = Adam(0.1)
    optimizer.step(model_with_gradients())
    with pytest.raises(ValueError, match="make a new optimiser for each model"):
        optimizer.step(Sequential([Dense(2, 2)]))
    with pytest.raises(ValueError, match="astype"):
        optimizer.step(model_with_gradients("float32"))
    assert optimizer.t == 1


EVERY_KIND = pytest.mark.parametrize(
    "make", [lambda: SGD(0.1), lambda: Adam(0.1), lambda: AdamW(0.1, decay=0.5), lambda: RMSprop(0.1)]
)


@EVERY_KIND
def test_another_model_of_the_same_shapes_is_refused_before_anything_changes(make):
    optimizer, first, second = make(), model_with_gradients(), model_with_gradients()
    optimizer.step(first)
    before, state = copies(second.params), optimizer.state_dict()
    for _ in range(2):
        with pytest.raises(ValueError, match=r"(SGD|Adam|AdamW|RMSprop): .* make a new optimiser for each model"):
            optimizer.step(second)
        with pytest.raises(ValueError, match="make a new optimiser for each model"):
            optimizer.check_model(second)
    assert all(np.array_equal(second.params[key], array) for key, array in before.items())
    assert all(np.array_equal(optimizer.state_dict()[key], value) for key, value in state.items())
    optimizer.check_model(first)
    optimizer.step(first)
    assert optimizer.t == 2


@EVERY_KIND
def test_a_model_that_is_gone_is_not_confused_with_the_next_one(make):
    optimizer = make()
    optimizer.step(model_with_gradients())
    gc.collect()
    for _ in range(20):  # new objects, of which some lie where the first model lay
        with pytest.raises(ValueError, match="make a new optimiser for each model"):
            optimizer.step(model_with_gradients())


@EVERY_KIND
def test_the_same_arrays_in_another_model_and_other_arrays_in_the_same_model_are_served(make):
    optimizer, model = make(), model_with_gradients()
    optimizer.step(model)
    optimizer.step(Sequential(model.layers))
    optimizer.step(model)
    model.astype("float64")  # new arrays of the same shapes
    optimizer.step(give_gradients(model, 2))
    layer, alone = model.layers[3], make()
    alone.step(layer)
    layer.params["w"] = 2 * layer.params["w"]
    alone.step(layer)
    assert (optimizer.t, alone.t) == (4, 2)


@EVERY_KIND
def test_a_state_that_was_loaded_serves_the_next_model_and_no_other_one_after_it(make):
    optimizer, first, second, third = make(), *(model_with_gradients() for _ in range(3))
    optimizer.step(first)
    optimizer.load_state_dict(optimizer.state_dict())
    optimizer.check_model(third)
    optimizer.step(second)
    for model in (first, third):
        with pytest.raises(ValueError, match="make a new optimiser"):
            optimizer.step(model)
    optimizer.load_state_dict(optimizer.state_dict())
    with pytest.raises(ValueError, match="make a new optimiser"):
        optimizer.check_model(Dense(2, 2))


@EVERY_KIND
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda optimizer: pickle.loads(pickle.dumps(optimizer))])
def test_a_copy_goes_on_with_a_copy_of_the_model(make, duplicate):
    optimizer, model = make(), model_with_gradients()
    optimizer.step(model)
    twin, twin_model = duplicate(optimizer), copy.deepcopy(model)
    for each, its_model in ((optimizer, model), (twin, twin_model)):
        each.step(give_gradients(its_model, 3))
    assert all(np.array_equal(array, twin_model.params[key]) for key, array in model.params.items())
    with pytest.raises(ValueError, match="make a new optimiser"):
        twin.step(model)


@EVERY_KIND
def test_an_optimiser_keeps_no_model_alive(make):
    optimizer, model = make(), model_with_gradients()
    optimizer.step(model)
    seen = [weakref.ref(model), *(weakref.ref(array) for array in model.params.values())]
    del model
    gc.collect()
    assert [ref() for ref in seen] == [None] * len(seen)


@pytest.mark.parametrize("make, block", [
    (lambda: SGD(0.1, momentum=0.8, l2=0.01), SGD),
    (lambda: Adam(0.05, beta1=0.7, beta2=0.99, eps=1e-3, l2=0.01), Adam),
    (lambda: AdamW(0.05, beta1=0.7, beta2=0.99, eps=1e-3, decay=0.3), Adam),
    (lambda: RMSprop(0.05, alpha=0.8, eps=1e-3, l2=0.01), RMSprop),
])  # fmt: skip
def test_the_lines_in_the_docstring_are_what_a_step_does(make, block):
    lines = re.search(r"::\n\n((?:    .*\n)+)", inspect.getdoc(block) or "")
    assert lines is not None
    code = compile(textwrap.dedent(lines[1]), block.__name__, "exec")
    optimizer, model = make(), model_with_gradients()
    slots = dict.fromkeys(("velocity", "m", "v"), optimizer.slot_start)
    kept = {key: {"w": w.copy(), **slots} for key, w in model.params.items()}
    for t in range(1, 4):
        optimizer.step(give_gradients(model, t))
        for key, names in kept.items():
            convolution = key in model.l2_params
            names["w"] = names["w"] * (1 - optimizer.lr * getattr(optimizer, "decay", 0) * convolution)
            g = model.grads[key] + 2 * optimizer.l2 * convolution * names["w"]
            exec(code, {"sqrt": np.sqrt, **vars(optimizer), "g": g, "t": t}, names)
            np.testing.assert_allclose(model.params[key], names["w"], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("make", [
    lambda: SGD(-0.1),
    lambda: SGD(float("nan")),
    lambda: SGD(float("inf")),
    lambda: SGD(0.1, momentum=1.0),
    lambda: SGD(0.1, l2=-1),
    lambda: Adam(0.1, beta1=-0.1),
    lambda: Adam(0.1, beta2=1.0),
    lambda: Adam(0.1, eps=0),
    lambda: RMSprop(0.1, alpha=1.0),
    lambda: RMSprop(0.1, eps=0),
    lambda: ConstantSchedule(0),
    lambda: StepSchedule(0.1, every=0),
    lambda: StepSchedule(0.1, every=1.5),  # pyright: ignore[reportArgumentType]
    lambda: StepSchedule(0.1, factor=0),
    lambda: StepSchedule(0.1, most=-1),
    lambda: CosineSchedule(0.1, 0),
    lambda: LinearSchedule(0.1, 5, final=-1),
])  # fmt: skip
def test_arguments_outside_their_bounds_are_refused_in_one_sentence(make):
    with pytest.raises(ValueError, match=r"^(SGD|Adam|RMSprop|\w+Schedule): \w+ was .*, wanted a (whole )?number"):
        make()


@pytest.mark.parametrize("make", [SGD, Adam])
@pytest.mark.parametrize("lr", ["0.1", True, None])
def test_arguments_that_are_no_numbers_are_refused(make, lr):
    with pytest.raises(TypeError, match=r"lr was .*, wanted a number"):
        make(lr)


def test_the_official_schedule_takes_at_most_four_steps():
    schedule = StepSchedule(0.01)
    expected = {0: 1, 199: 1, 200: 0.1, 399: 0.1, 400: 1e-2, 600: 1e-3, 800: 1e-4, 1000: 1e-4, 99999: 1e-4}
    for epoch, factor in expected.items():
        assert schedule(epoch) == pytest.approx(0.01 * factor)


@pytest.mark.parametrize("kind", [CosineSchedule, LinearSchedule])
def test_decay_falls_from_lr_to_final(kind):
    schedule = kind(0.1, epochs=10, final=0.02)
    rates = [schedule(epoch) for epoch in range(14)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[5] == pytest.approx(0.06)
    assert rates[10:] == pytest.approx([0.02] * 4)
    assert rates[:11] == sorted(rates[:11], reverse=True)


def test_a_schedule_knows_its_arguments():
    assert StepSchedule(0.1, most=2).config() == {
        "name": "StepSchedule",
        "lr": 0.1,
        "every": 200,
        "factor": 0.1,
        "most": 2,
    }
