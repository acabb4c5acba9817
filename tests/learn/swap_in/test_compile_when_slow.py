"""When a function is compiled, and what keeps it from being compiled."""

import numpy as np
import pytest
from learners_functions import my_add_coords, my_im2col
from numpy.testing import assert_allclose, assert_array_equal

from minicoord.learn.swap_in.compile_when_slow import CompiledWhenSlow


@pytest.mark.compiled
def test_a_slow_function_with_loops_gets_compiled():
    x = np.random.default_rng(5).normal(size=(2, 6, 5, 2)).astype(np.float32)
    expected = my_add_coords(x)
    faster = CompiledWhenSlow(my_add_coords, patience=0)
    assert_array_equal(faster(x), expected)
    assert faster.compiled is not None
    assert_allclose(faster(x), expected, rtol=0, atol=1e-6)
    assert faster(x).dtype == np.float32
    assert_allclose(faster(x.astype(np.float64)), my_add_coords(x.astype(np.float64)))  # runs as plain Python


def goes_over(x):
    for _ in range(3):
        x = x * 2**20  # Python has integers of any size, Numba 64 bits
    return float(x)


@pytest.mark.parametrize(
    ("function", "argument"),
    [(my_im2col, None), (goes_over, 2**20), (lambda x: x + 1, 3)],
    ids=["does not compile", "gives another result", "has no loop"],
)
def test_a_function_that_cannot_be_compiled_stays_plain_python(function, argument):
    arguments = (np.ones((1, 4, 5, 2)), 3, 1, 0) if argument is None else (argument,)
    faster = CompiledWhenSlow(function, patience=0)
    for _ in range(2):
        assert_array_equal(faster(*arguments), function(*arguments))
    assert faster.compiled is None


def test_a_quick_function_is_not_compiled():
    faster = CompiledWhenSlow(my_add_coords)
    faster(np.ones((1, 2, 2, 1)))
    assert faster.compiled is None
