"""The ``with`` block: the library calls a learner's functions inside it, and its own kernels outside."""

import threading

import numpy as np
import pytest
from learners_functions import (
    bound_names,
    kernels_are_restored,  # noqa: F401 (an autouse fixture)
    my_add_coords,
    my_im2col,
    solutions,
    wrong_add_coords,
)
from numpy.testing import assert_allclose

from minicoord import AddCoords, Conv2D, Sequential, learn
from minicoord.kernels import convolution
from minicoord.learn.definition.course import get
from minicoord.learn.swap_in.swap import using
from minicoord.learn.swap_in.teaching_path import REPLACEABLE, TeachingPath


def test_a_function_that_fails_its_check_is_replaced_with_a_message(capsys):
    layer = AddCoords()
    x = np.random.default_rng(6).normal(size=(2, 3, 5, 4))
    expected = layer.forward(x)
    with using(add_coords=wrong_add_coords) as calls:
        assert_allclose(layer.forward(x), expected, rtol=0, atol=1e-12)
    assert capsys.readouterr().out == "using: add_coords is ours here, because yours did not pass: wrong values\n"
    assert calls == {"add_coords": 0}  # the learner's function never ran


def test_a_stub_is_replaced(capsys):
    def add_coords(x):
        raise NotImplementedError

    with using(add_coords=add_coords):
        pass
    assert "not attempted" in capsys.readouterr().out


def test_a_function_that_passes_prints_nothing(capsys):
    with using(add_coords=my_add_coords, compiled=False):
        pass
    assert capsys.readouterr().out == ""


def test_an_exception_restores_the_kernels():
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
def test_unusable_arguments_raise_before_anything_runs(functions, error, words):
    with pytest.raises(error, match=words):
        using(**functions)


def test_every_replaceable_id_is_an_exercise_and_outside_a_block_the_kernels_are_bound():
    assert set(learn.exercise_ids()) >= REPLACEABLE
    assert bound_names()["minicoord.nn.layers.convolution.conv2d"] is convolution.conv2d


def test_no_two_parts_of_the_teaching_path_replace_functions_of_the_same_name():
    parts = [part for part in TeachingPath.__mro__ if part.__name__.startswith("Teaching")]
    methods = [name for part in parts for name in vars(part) if not name.startswith("_")]
    assert len(parts) > 4 and sorted(methods) == sorted(set(methods))
