"""The library runs with a learner's functions inside a with block, and as before outside of it."""

import threading
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from minicoord import (
    Adam,
    AddCoords,
    Conv2D,
    ConvTranspose2D,
    CoordConv2D,
    MaxPool2D,
    Sequential,
    learn,
    softmax_cross_entropy,
)
from minicoord.kernels import convolution
from minicoord.learn.definition.course import get
from minicoord.learn.lessons.toy import toy_painter, train_toy
from minicoord.learn.swap_in.compile_when_slow import CompiledWhenSlow
from minicoord.learn.swap_in.swap import using
from minicoord.learn.swap_in.teaching_path import REPLACEABLE, REPLACEMENTS


def my_im2col(x, k, stride, pad):
    """The way of a learner: loops, and a list of rows."""
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    n, h, w, _ = x.shape
    rows = []
    for image in range(n):
        for i in range((h - k) // stride + 1):
            for j in range((w - k) // stride + 1):
                window = x[image, i * stride : i * stride + k, j * stride : j * stride + k]
                rows.append(window.reshape(-1))
    return np.array(rows, x.dtype)


def my_add_coords(x):
    n, h, w, c = x.shape
    y = np.zeros((n, h, w, c + 2), x.dtype)
    for i in range(h):
        for j in range(w):
            for image in range(n):
                for channel in range(c):
                    y[image, i, j, channel] = x[image, i, j, channel]
                if h > 1:
                    y[image, i, j, c] = 2 * i / (h - 1) - 1
                if w > 1:
                    y[image, i, j, c + 1] = 2 * j / (w - 1) - 1
    return y


def wrong_add_coords(x):
    return my_add_coords(x)[..., ::-1]


def bound_names():
    """What the library would call at this moment, for each kernel that can be stood in for."""
    found = {}
    for place in REPLACEMENTS:
        module, name = place.rsplit(".", 1)
        found[place] = getattr(__import__(module, fromlist=[name]), name)
    return found


@pytest.fixture(autouse=True)
def _nothing_is_left_of_it():
    before = bound_names()
    yield
    assert bound_names() == before


def passes(layer, x, seed=0):
    """Return the output of a layer, and all its gradients, for a gradient drawn from a seed."""
    y = layer.forward(x)
    dx = layer.backward(np.random.default_rng(seed).normal(size=y.shape).astype(y.dtype))
    return [y, dx, *(gradient.copy() for gradient in layer.grads.values())]


def solutions(*ids: str) -> dict[str, Any]:
    return {id: get(id).solution for id in ids}


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
def test_convolutions_of_all_kinds_come_out_the_same(layer_class, kernel_size, stride, padding):
    rng = np.random.default_rng(0)
    layer = layer_class(2, 4, kernel_size, stride, padding, rng=rng, dtype=np.float64, activation="relu")
    x = rng.normal(size=(3, 7, 9, 2))
    wanted = passes(layer, x)
    with using(compiled=False, **solutions(*CONVOLUTION, "add_coords")) as calls:
        got = passes(layer, x)
    for a, b in zip(got, wanted, strict=True):
        assert_allclose(a, b, rtol=0, atol=1e-12)
    assert calls["im2col"] and calls["conv_product"] == calls["conv_dx"] == 1
    assert (calls["add_coords"] > 0) == (layer_class is CoordConv2D)


@pytest.mark.parametrize("padding", ["same", "valid", 1])
def test_col2im_sends_the_gradient_back(padding):
    rng = np.random.default_rng(9)
    layer = Conv2D(2, 4, 3, 2, padding, rng=rng, dtype=np.float64)
    x = rng.normal(size=(2, 8, 9, 2))
    wanted = passes(layer, x)
    with using(compiled=False, **solutions("col2im")) as calls:
        got = passes(layer, x)
    for a, b in zip(got, wanted, strict=True):
        assert_allclose(a, b, rtol=0, atol=1e-12)
    assert calls["col2im"] == 1


@pytest.mark.parametrize("ids", [("max_pool",), ("max_pool_dx",), ("max_pool", "max_pool_dx")], ids=", ".join)
@pytest.mark.parametrize(("size", "stride"), [(2, None), (3, 2)])
def test_max_pooling_comes_out_the_same(ids, size, stride):
    layer = MaxPool2D(size, stride)
    x = np.random.default_rng(10).integers(5, size=(2, 7, 6, 3)).astype(np.float64)  # with equal pixels
    wanted = passes(layer, x)
    with using(compiled=False, **solutions(*ids)) as calls:
        got = passes(layer, x)
    for a, b in zip(got, wanted, strict=True):
        assert_array_equal(a, b)
    assert calls == dict.fromkeys(ids, 1)


def test_max_pooling_forward_inside_and_backward_outside_and_the_other_way_round():
    layer = MaxPool2D(2)
    x = np.random.default_rng(11).normal(size=(2, 4, 6, 3)).astype(np.float32)
    y, wanted = passes(layer, x)
    dy = np.random.default_rng(0).normal(size=y.shape).astype(np.float32)
    with using(compiled=False, **solutions("max_pool", "max_pool_dx")) as calls:
        layer.forward(x)
    assert_array_equal(layer.backward(dy), wanted)
    layer.forward(x)
    with using(compiled=False, **solutions("max_pool_dx")):
        assert_array_equal(layer.backward(dy), wanted)
    assert calls["max_pool_dx"] == 0


def test_the_loss_comes_out_the_same_for_a_name_that_was_imported_before():
    rng = np.random.default_rng(12)
    logits, labels = rng.normal(size=(3, 4, 5, 1)), np.array([0, 19, 7])
    loss, dlogits = softmax_cross_entropy(logits, labels)
    with using(compiled=False, **solutions("softmax_cross_entropy", "softmax_cross_entropy_dx")) as calls:
        my_loss, my_dlogits = softmax_cross_entropy(logits, labels)
    assert my_loss == pytest.approx(loss, rel=1e-12)
    assert_allclose(my_dlogits, dlogits, rtol=0, atol=1e-12)
    assert calls == {"softmax_cross_entropy": 1, "softmax_cross_entropy_dx": 1}


@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_a_step_of_adam_comes_out_the_same(l2):
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


def test_loops_go_before_a_product():
    rng = np.random.default_rng(8)
    layer = Conv2D(2, 3, 3, 2, rng=rng, dtype=np.float64)
    x = rng.normal(size=(2, 6, 5, 2))
    wanted = layer.forward(x)
    with using(compiled=False, **solutions("conv_loops", "im2col", "conv_product")) as calls:
        assert_allclose(layer.forward(x), wanted, rtol=0, atol=1e-12)
    assert calls == {"conv_loops": 1, "im2col": 0, "conv_product": 0}


def test_a_transposed_convolution_comes_out_the_same():
    rng = np.random.default_rng(1)
    layer = ConvTranspose2D(3, 4, 3, 2, rng=rng, dtype=np.float64, activation="relu")
    x = rng.normal(size=(2, 4, 5, 3))
    wanted = passes(layer, x)
    with using(compiled=False, **solutions("conv_transpose")) as calls:
        got = passes(layer, x)
    for a, b in zip(got, wanted, strict=True):
        assert_allclose(a, b, rtol=0, atol=1e-12)
    assert calls["conv_transpose"] == 1


@pytest.mark.parametrize("with_r", [False, True])
def test_add_coords_comes_out_the_same(with_r):
    layer = AddCoords(with_r)
    x = np.random.default_rng(2).normal(size=(2, 3, 5, 4)).astype(np.float32)
    wanted = passes(layer, x)
    with using(compiled=False, **solutions("add_coords", "add_r")) as calls:
        got = passes(layer, x)
    assert_allclose(got[0], wanted[0], rtol=0, atol=1e-6)
    assert_array_equal(got[1], wanted[1])
    assert calls == {"add_coords": 1, "add_r": int(with_r)}


def test_a_coordconv_is_a_convolution_and_a_map():
    rng = np.random.default_rng(3)
    layer = CoordConv2D(2, 4, 3, rng=rng, dtype=np.float64, activation="relu")
    layer.params["b"][:] = rng.normal(size=4)
    x = rng.normal(size=(3, 5, 7, 2))
    wanted = passes(layer, x)
    with using(compiled=False, **solutions("coordconv_map")) as calls:
        got = passes(layer, x)
    for a, b in zip(got, wanted, strict=True):
        assert_allclose(a, b, rtol=0, atol=1e-12)
    assert calls["coordconv_map"] == 1


def whole_pass(model, x, labels):
    loss, dlogits = softmax_cross_entropy(model.forward(x), labels)
    model.backward(dlogits)
    return loss, {key: gradient.copy() for key, gradient in model.grads.items()}


def test_a_whole_classifier_comes_out_the_same_and_runs_no_chain():
    model = toy_painter(seed=0).astype(np.float64)
    x, labels = np.random.default_rng(4).normal(size=(5, 2)), np.array([3, 17, 0, 255, 128])
    loss, gradients = whole_pass(model, x, labels)
    with using(im2col=my_im2col, add_coords=my_add_coords, compiled=False) as calls:
        my_loss, my_gradients = whole_pass(model, x, labels)
    assert my_loss == pytest.approx(loss, rel=1e-12)
    for key, gradient in gradients.items():
        assert_allclose(my_gradients[key], gradient, rtol=0, atol=1e-12)
    assert calls == {"im2col": 6, "add_coords": 2}  # three convolutions, forward and backward


def test_a_slice_at_a_time_gives_the_same_gradients():
    from minicoord.train.accumulation import batch_gradients

    model = toy_painter(seed=0).astype(np.float64)
    x, labels = np.random.default_rng(4).normal(size=(5, 2)), np.arange(5)
    wanted = whole_pass(model, x, labels)
    with using(add_coords=my_add_coords, compiled=False):
        loss = batch_gradients(model, softmax_cross_entropy, x, labels, slice_size=2)
    assert loss == pytest.approx(wanted[0], rel=1e-12)
    for key, gradient in wanted[1].items():
        assert_allclose(model.grads[key], gradient, rtol=0, atol=1e-12)


def test_a_training_ends_where_that_of_the_library_does():
    library, mine = toy_painter(seed=1), toy_painter(seed=1)
    wanted = train_toy(library, epochs=4)
    others = solutions("conv_product", "conv_dw", "col2im", "softmax_cross_entropy", "adam_step")
    with using(im2col=my_im2col, add_coords=my_add_coords, compiled=False, **others) as calls:
        got = train_toy(mine, epochs=4)
    assert (got.train_accuracy, got.test_accuracy) == (wanted.train_accuracy, wanted.test_accuracy)
    losses = [[row["train_loss"] for row in run.history.rows] for run in (got, wanted)]
    assert_allclose(*losses, rtol=1e-3)
    steps = 4 * 10
    assert calls["im2col"] == 6 * steps + 2 * 3  # forward and backward, and two evaluations


@pytest.mark.compiled
def test_a_slow_function_with_loops_is_compiled_on_its_way():
    x = np.random.default_rng(5).normal(size=(2, 6, 5, 2)).astype(np.float32)
    wanted = my_add_coords(x)
    faster = CompiledWhenSlow(my_add_coords, patience=0)
    assert_array_equal(faster(x), wanted)
    assert faster.compiled is not None
    assert_allclose(faster(x), wanted, rtol=0, atol=1e-6)
    assert faster(x).dtype == np.float32
    assert_allclose(faster(x.astype(np.float64)), my_add_coords(x.astype(np.float64)))  # runs as it is


def goes_over(x):
    for _ in range(3):
        x = x * 2**20  # Python has numbers of any length, Numba 64 bits
    return float(x)


@pytest.mark.parametrize(
    ("function", "argument"),
    [(my_im2col, None), (goes_over, 2**20), (lambda x: x + 1, 3)],
    ids=["does not compile", "gives another result", "has no loop"],
)
def test_what_cannot_be_compiled_runs_as_it_is(function, argument):
    arguments = (np.ones((1, 4, 5, 2)), 3, 1, 0) if argument is None else (argument,)
    faster = CompiledWhenSlow(function, patience=0)
    for _ in range(2):
        assert_array_equal(faster(*arguments), function(*arguments))
    assert faster.compiled is None


def test_a_quick_function_is_not_compiled_at_once():
    faster = CompiledWhenSlow(my_add_coords)
    faster(np.ones((1, 2, 2, 1)))
    assert faster.compiled is None


def test_what_did_not_pass_is_ours_and_a_line_says_so(capsys):
    layer = AddCoords()
    x = np.random.default_rng(6).normal(size=(2, 3, 5, 4))
    wanted = layer.forward(x)
    with using(add_coords=wrong_add_coords) as calls:
        assert_allclose(layer.forward(x), wanted, rtol=0, atol=1e-12)
    assert capsys.readouterr().out == "using: add_coords is ours here, because yours did not pass: wrong values\n"
    assert calls == {"add_coords": 0}  # theirs never ran


def test_a_stub_is_ours_too(capsys):
    def add_coords(x):
        raise NotImplementedError

    with using(add_coords=add_coords):
        pass
    assert "not attempted" in capsys.readouterr().out


def test_what_passed_prints_nothing(capsys):
    with using(add_coords=my_add_coords, compiled=False):
        pass
    assert capsys.readouterr().out == ""


def test_an_exception_leaves_nothing_behind():
    calls = 0

    def add_coords(x):
        nonlocal calls
        calls += 1
        if x.shape[1:3] == (9, 9):
            raise ZeroDivisionError("mine")
        return get("add_coords").solution(x)

    layer = AddCoords()
    x = np.ones((1, 9, 9, 1))
    with pytest.raises(ZeroDivisionError, match="mine"), using(add_coords=add_coords):
        layer.forward(x)
    before = calls
    assert layer.forward(x).shape == (1, 9, 9, 3)
    assert calls == before


def test_blocks_may_be_nested():
    model = Sequential([AddCoords(), Conv2D(3, 2, 3, rng=0)])
    x = np.ones((1, 4, 5, 1), np.float32)
    with using(compiled=False, im2col=my_im2col, add_coords=my_add_coords) as outer:
        model.forward(x)
        with using(**solutions("im2col")) as inner:
            model.forward(x)
        model.forward(x)
    assert outer == {"im2col": 2, "add_coords": 3}
    assert inner == {"im2col": 1}


def test_another_thread_keeps_the_kernels():
    layer, x = Conv2D(1, 1, 3, rng=0), np.ones((1, 4, 5, 1), np.float32)
    with using(**solutions("im2col")) as calls:
        thread = threading.Thread(target=layer.forward, args=(x,))
        thread.start()
        thread.join()
        assert calls["im2col"] == 0
        layer.forward(x)
        assert calls["im2col"] == 1


def test_blocks_of_two_threads_end_in_any_order():
    first_in, second_in, first_out = threading.Event(), threading.Event(), threading.Event()
    counts = []

    def first():
        with using(**solutions("im2col")):
            first_in.set()
            second_in.wait(10)
        first_out.set()

    def second():
        first_in.wait(10)
        with using(**solutions("im2col")) as calls:
            second_in.set()
            first_out.wait(10)
            Conv2D(1, 1, 3, rng=0).forward(np.ones((1, 4, 5, 1), np.float32))
            counts.append(calls["im2col"])

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [1]


def test_forward_inside_and_backward_outside():
    layer, x = CoordConv2D(1, 2, 3, rng=0, dtype=np.float64), np.random.default_rng(7).normal(size=(2, 4, 5, 1))
    dy = np.ones_like(layer.forward(x))
    layer.backward(dy)
    wanted = layer.grads["w"].copy()
    with using(compiled=False, **solutions("im2col", "add_coords")):
        layer.forward(x)
    layer.backward(dy)
    assert_allclose(layer.grads["w"], wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("functions", "error", "words"),
    [
        ({}, TypeError, "expected at least one"),
        ({"im2cl": my_im2col}, ValueError, "did you mean 'im2col'"),
        (
            {"iou": my_im2col},
            ValueError,
            "no layer calls what 'iou' computes; expected one or more of adam_step, add_coords",
        ),
        ({"im2col": 3}, TypeError, "im2col is of type int, expected a function"),
    ],
)
def test_what_cannot_be_used_is_said_before_anything_runs(functions, error, words):
    with pytest.raises(error, match=words):
        using(**functions)


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
def test_a_layer_that_an_exercise_is_too_narrow_for_says_so(layer, id, words):
    with using(compiled=False, **solutions(id)), pytest.raises(ValueError, match=words):
        layer.forward(np.ones((1, 6, 6, 1), np.float32))


def test_a_result_of_another_shape_is_named():
    def conv_like(x):
        return get("add_coords").solution(x) if x.shape[1] < 50 else x

    with using(add_coords=conv_like, compiled=False), pytest.raises(ValueError, match="add_coords returned"):
        AddCoords().forward(np.ones((1, 50, 2, 1)))


def test_all_that_can_be_replaced_are_exercises_and_outside_nothing_is_bound():
    assert set(learn.exercise_ids()) >= REPLACEABLE
    assert bound_names()["minicoord.nn.layers.convolution.conv2d"] is convolution.conv2d


@pytest.mark.compiled
def test_the_toy_task_is_solved_with_coordinates_and_hopeless_without():
    solved = train_toy(toy_painter(seed=0))
    hopeless = train_toy(toy_painter(seed=0, coordconv=False), epochs=2)
    assert (solved.train_accuracy, solved.test_accuracy) == (1.0, 1.0)
    assert hopeless.train_accuracy < 0.05
    assert (len(solved.parts.train), len(solved.parts.test)) == (160, 36)
