"""Nearest upsampling: against the oracle, and as the adjoint of its gradient."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from minicoord import reference
from minicoord.kernels.upsample import upsample_nearest, upsample_nearest_backward

FACTORS = st.one_of(st.integers(1, 3), st.tuples(st.integers(1, 3), st.integers(1, 3)))


@st.composite
def images(draw):
    shape = [draw(st.integers(least, most)) for least, most in ((0, 3), (0, 5), (1, 5), (0, 3))]
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return rng.standard_normal(shape).astype(draw(st.sampled_from([np.float32, np.float64])))


@settings(max_examples=25, deadline=None)
@given(images(), FACTORS)
def test_both_directions_equal_the_oracle(x, factor):
    y = upsample_nearest(x, factor)
    assert y.dtype == x.dtype
    np.testing.assert_array_equal(y, reference.upsample_nearest(x, factor))
    dx = upsample_nearest_backward(y, factor)
    assert dx.dtype == x.dtype
    np.testing.assert_allclose(dx, reference.upsample_nearest_backward(y, factor), rtol=1e-5, atol=1e-6)


def test_a_pixel_becomes_a_block_of_rows_by_columns():
    y = upsample_nearest(np.array([[1.0, 2.0]]).reshape(1, 1, 2, 1), (2, 3))
    np.testing.assert_array_equal(y[0, :, :, 0], [[1, 1, 1, 2, 2, 2]] * 2)


def test_backward_is_the_adjoint():
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 3, 4, 2)), rng.standard_normal((2, 6, 12, 2))
    inner = np.sum(x * upsample_nearest_backward(dy, (2, 3)))
    assert np.sum(upsample_nearest(x, (2, 3)) * dy) == pytest.approx(inner, rel=1e-12)


def test_nan_reaches_its_own_block_only():
    x = np.zeros((1, 2, 2, 1))
    x[0, 1, 0, 0] = np.nan
    y = upsample_nearest(x, 2)
    assert np.argwhere(np.isnan(y[0, :, :, 0])).tolist() == [[2, 0], [2, 1], [3, 0], [3, 1]]
    assert np.argwhere(np.isnan(upsample_nearest_backward(y, 2))[0, :, :, 0]).tolist() == [[1, 0]]


@pytest.mark.parametrize(
    "call, error, sentence",
    [
        (lambda: upsample_nearest(np.zeros((2, 3)), 2), ValueError, r"upsample_nearest: x has shape \(2, 3\), wanted"),
        (lambda: upsample_nearest(np.zeros((1, 2, 2, 1)), 0), ValueError, "upsample_nearest: factor was 0"),
        (lambda: upsample_nearest(np.zeros((1, 2, 2, 1)), 1.5), ValueError, "factor was 1.5"),  # type: ignore
        (lambda: upsample_nearest(np.zeros((1, 2, 2, 1), int), 2), TypeError, "x has dtype int64, wanted float32"),
        (lambda: upsample_nearest_backward(np.zeros((1, 4, 5, 1)), 2), ValueError, "columns in multiples of 2"),
    ],
)
def test_a_wrong_argument_is_named(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
