"""The optimisers' updates against the oracle, over several steps and several blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from minicoord import reference
from minicoord.kernels import updates
from minicoord.kernels.backend.threading_layer import get_threads, set_threads
from minicoord.kernels.rmsprop import rmsprop_update
from minicoord.kernels.updates import BLOCK, adam_update, sgd_update

TOLERANCE = {np.float32: 3e-6, np.float64: 1e-13}
shapes = st.lists(st.integers(0, 6), max_size=4).map(tuple)


def run(module, shape, dtype, seed, l2, steps=3):
    """Return w, velocity, and w, m, v, after some steps of both optimisers from `module`."""
    rng = np.random.default_rng(seed)
    w = rng.standard_normal(shape).astype(dtype)
    sgd, adam = [w.copy(), np.zeros_like(w)], [w.copy(), np.zeros_like(w), np.zeros_like(w)]
    for t in range(1, steps + 1):
        g = rng.standard_normal(shape).astype(dtype)
        before = g.copy()
        assert module.sgd_update(sgd[0], g, sgd[1], 0.1, 0.9, l2) is None
        assert module.adam_update(adam[0], g, *adam[1:], 0.01, 0.9, 0.99, 1e-8, t, l2) is None
        assert np.array_equal(g, before)
    return sgd + adam


def assert_agrees_with_the_oracle(shape, dtype, seed, l2=0.0):
    for a, b in zip(run(updates, shape, dtype, seed, l2), run(reference, shape, dtype, seed, l2), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        assert np.allclose(a, b, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@settings(max_examples=25, deadline=None)
@given(shapes, st.sampled_from([np.float32, np.float64]), st.integers(0, 1000), st.sampled_from([0.0, 0.3]))
def test_agrees_with_the_oracle(shape, dtype, seed, l2):
    assert_agrees_with_the_oracle(shape, dtype, seed, l2)


@pytest.mark.parametrize("size", [BLOCK, BLOCK + 1, 3 * BLOCK - 5])
def test_agrees_with_the_oracle_over_several_blocks(size):
    assert_agrees_with_the_oracle((size,), np.float32, 0, l2=0.01)


def test_one_block_is_updated_to_the_same_bits_as_within_a_larger_array():
    rng = np.random.default_rng(1)
    w, g = rng.standard_normal((2, BLOCK + 9)).astype(np.float32)
    whole, m, v = w.copy(), np.zeros_like(w), np.zeros_like(w)
    part, m_part, v_part = w[:BLOCK].copy(), np.zeros_like(w[:BLOCK]), np.zeros_like(w[:BLOCK])
    for t in (1, 2):
        adam_update(whole, g, m, v, 0.01, 0.9, 0.999, 1e-8, t)
        adam_update(part, g[:BLOCK], m_part, v_part, 0.01, 0.9, 0.999, 1e-8, t)
    assert part.tobytes() == whole[:BLOCK].tobytes()


def test_the_bits_do_not_depend_on_the_threads():
    most = get_threads()
    results = []
    try:
        for threads in range(1, most + 1):
            set_threads(threads)
            results.append([a.tobytes() for a in run(updates, (5 * BLOCK + 3,), np.float32, 2, l2=0.01)])
    finally:
        set_threads(most)
    assert all(other == results[0] for other in results)


def test_nan_spoils_its_own_parameter_and_no_other():
    g = np.array([1.0, np.nan, 1.0])
    by_sgd, by_adam = np.ones(3), np.ones(3)
    sgd_update(by_sgd, g, np.zeros(3), 0.1, 0.9)
    adam_update(by_adam, g, np.zeros(3), np.zeros(3), 0.1, 0.9, 0.999, 1e-8, 1)
    assert np.isnan(by_sgd).tolist() == np.isnan(by_adam).tolist() == [False, True, False]


def test_a_gradient_of_zero_leaves_adam_where_it_is():
    w, m, v = np.ones(3), np.zeros(3), np.zeros(3)
    adam_update(w, np.zeros(3), m, v, 0.1, 0.9, 0.999, 1e-8, 1)
    assert w.tolist() == [1, 1, 1]


def test_errors_name_what_came_and_what_was_wanted():
    w, g = np.ones((2, 3)), np.ones((2, 3))
    wrong: Any = "yes"
    with pytest.raises(ValueError, match=r"sgd_update: velocity has shape \(3,\), wanted \(2, 3\)"):
        sgd_update(w, g, np.zeros(3), 0.1, 0.9)
    with pytest.raises(
        ValueError, match=r"sgd_update: lr was 1e[+]300, wanted a number above -1e[+]38 and below 1e[+]38"
    ):
        sgd_update(w, g, w.copy(), 1e300, 0.9)
    with pytest.raises(ValueError, match=r"rmsprop_update: alpha was 1.5 and eps 1e-05, wanted alpha in"):
        rmsprop_update(w, g, w.copy(), 0.1, 1.5, 1e-5, True)
    with pytest.raises(TypeError, match="rmsprop_update: eps_inside was 'yes', wanted True or False"):
        rmsprop_update(w, g, w.copy(), 0.1, 0.9, 1e-5, wrong)
    with pytest.raises(TypeError, match="sgd_update: the dtypes differ"):
        sgd_update(w, g.astype(np.float32), w.copy(), 0.1, 0.9)
    with pytest.raises(ValueError, match="sgd_update: w is a view or read-only, wanted a writeable contiguous array"):
        sgd_update(w.T, g.T, np.zeros((3, 2)), 0.1, 0.9)
    frozen = w.copy()
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="adam_update: m is a view or read-only"):
        adam_update(w, g, frozen, w.copy(), 0.1, 0.9, 0.999, 1e-8, 1)
    with pytest.raises(ValueError, match="adam_update: t was 0, wanted the number of the step, from 1 on"):
        adam_update(w, g, w.copy(), w.copy(), 0.1, 0.9, 0.999, 1e-8, 0)
