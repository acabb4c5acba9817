"""Batch normalisation against the oracle, its gradient against central differences, and its hard cases."""

from __future__ import annotations

import numpy as np
import pytest
from central_differences import numeric_gradient, relative_error
from hypothesis import given, settings, strategies as st

from minicoord import reference
from minicoord.kernels.backend.threading_layer import get_threads, set_threads
from minicoord.kernels.normalisation import CHUNK, batch_norm, batch_norm_backward, batch_norm_inference

TOLERANCE = {np.float32: 2e-5, np.float64: 1e-12}
shapes = st.lists(st.integers(1, 6), min_size=2, max_size=4).map(tuple)


def arrays(shape, dtype, seed):
    """Return x, dy (shape) and gamma, beta (C,)."""
    rng = np.random.default_rng(seed)
    sizes = [shape, shape, shape[-1:], shape[-1:]]
    return [(rng.standard_normal(size) + 1).astype(dtype) for size in sizes]


def assert_close(ours, oracle, tolerance):
    assert len(ours) == len(oracle)
    for a, b in zip(ours, oracle, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        assert np.allclose(a, b, rtol=tolerance, atol=tolerance * max(1, np.abs(b).max()))


def assert_agrees_with_the_oracle(shape, dtype, seed, eps, relu=False):
    x, dy, gamma, beta = arrays(shape, dtype, seed)
    y, mean, var = batch_norm(x, gamma, beta, eps, relu)
    assert_close((y, mean, var), reference.batch_norm(x, gamma, beta, eps, relu), TOLERANCE[dtype])
    kept = y if relu else None
    assert_close(
        batch_norm_backward(dy, x, gamma, mean, var, eps, kept),
        reference.batch_norm_backward(dy, x, gamma, mean, var, eps, kept),
        TOLERANCE[dtype],
    )
    ours = batch_norm_inference(x, gamma, beta, mean + 1, var + 1, eps, relu)
    oracle = reference.batch_norm_inference(x, gamma, beta, mean + 1, var + 1, eps, relu)
    assert_close([ours], [oracle], TOLERANCE[dtype])


@settings(max_examples=25, deadline=None)
@given(
    shapes, st.sampled_from([np.float32, np.float64]), st.integers(0, 1000), st.sampled_from([1e-3, 0.1]), st.booleans()
)
def test_agrees_with_the_oracle(shape, dtype, seed, eps, relu):
    assert_agrees_with_the_oracle(shape, dtype, seed, eps, relu)


@pytest.mark.parametrize(
    "shape", [(3 * CHUNK // 7 + 5, 7), (2, CHUNK + 3), (CHUNK // 4, 4), (CHUNK // 4 + 1, 4), (3, 31, 17, 16)]
)
def test_agrees_with_the_oracle_over_several_chunks(shape):
    assert_agrees_with_the_oracle(shape, np.float64, 0, 1e-3)
    assert_agrees_with_the_oracle(shape, np.float32, 1, 1e-3, relu=True)


def test_an_input_that_is_a_view_is_taken_as_it_looks():
    x, _, gamma, beta = arrays((4, 6, 5), np.float64, 1)
    ours = batch_norm(x[:, ::-2], gamma[::-1], beta, 0.1)
    assert_close(ours, reference.batch_norm(x[:, ::-2], gamma[::-1], beta, 0.1), 1e-12)


@pytest.mark.parametrize("shape", [(2, 3, 5, 4), (5, 1), (3, 3)])
def test_gradients_agree_with_central_differences(shape):
    x, dy, gamma, beta = arrays(shape, np.float64, 2)
    _, mean, var = batch_norm(x, gamma, beta, 1e-2)
    dx, dgamma, dbeta = batch_norm_backward(dy, x, gamma, mean, var, 1e-2)
    for analytic, numeric in [
        (dx, numeric_gradient(lambda a: (batch_norm(a, gamma, beta, 1e-2)[0] * dy).sum(), x)),
        (dgamma, numeric_gradient(lambda a: (batch_norm(x, a, beta, 1e-2)[0] * dy).sum(), gamma)),
        (dbeta, numeric_gradient(lambda a: (batch_norm(x, gamma, a, 1e-2)[0] * dy).sum(), beta)),
    ]:
        assert relative_error(analytic, numeric) < 1e-6


def test_the_result_has_mean_beta_and_spread_gamma():
    x, _, gamma, beta = arrays((50, 9, 3), np.float64, 3)
    y, _, _ = batch_norm(7 * x - 20, gamma, beta, 0.0)
    assert np.allclose(y.mean(axis=(0, 1)), beta)
    assert np.allclose(y.std(axis=(0, 1)), np.abs(gamma))


def test_the_variance_of_values_far_from_zero_keeps_its_digits():
    # mean(x^2) - mean(x)^2 would be lost here: x^2 is 1e8, and float32 has seven digits.
    x = (1e4 + np.random.default_rng(4).standard_normal((40000, 2))).astype(np.float32)
    one, zero = np.ones(2, np.float32), np.zeros(2, np.float32)
    y, mean, var = batch_norm(x, one, zero, 0.0)
    assert np.allclose(mean, x.astype(np.float64).mean(axis=0), rtol=1e-7)
    assert np.allclose(var, x.astype(np.float64).var(axis=0), rtol=1e-6)
    assert np.abs(y.std(axis=0) - 1).max() < 1e-3


FAR = [0.0, 1e3 + 0.1, -1e5 - 0.1, 1e6 + 0.3]


@pytest.mark.parametrize("offset", FAR)
@pytest.mark.parametrize("spread", [1e-2, 1.0, 30.0])
@pytest.mark.parametrize("shape", [(5, 40, 31, 3), (2, 9, 7, 70), (3, 2)])
def test_a_channel_far_from_zero_is_as_exact_as_one_near_zero(offset, spread, shape):
    # Float32 has seven digits; the oracle computes in float64 with the same float32 numbers.
    rng = np.random.default_rng(7)
    x, dy = (offset + spread * rng.standard_normal(shape)).astype(np.float32), rng.standard_normal(shape)
    gamma, beta = rng.standard_normal((2, shape[-1]))
    dy, gamma, beta = (array.astype(np.float32) for array in (dy, gamma, beta))
    exact = [array.astype(np.float64) for array in (x, gamma, beta, dy)]
    wanted_y, wanted_mean, wanted_var = reference.batch_norm(*exact[:3])
    y, mean, var = batch_norm(x, gamma, beta)
    np.testing.assert_allclose(y, wanted_y, atol=4e-6)
    np.testing.assert_allclose(mean, wanted_mean, rtol=1e-7, atol=1e-6 * spread)
    np.testing.assert_allclose(var, wanted_var, rtol=1e-5)
    wanted = reference.batch_norm_backward(exact[3], exact[0], exact[1], wanted_mean, wanted_var)
    for ours, exact_gradient in zip(batch_norm_backward(dy, x, gamma, mean, var), wanted, strict=True):
        np.testing.assert_allclose(ours, exact_gradient, atol=4e-6 * max(1, np.abs(exact_gradient).max()))


@pytest.mark.parametrize("value", [1000.1, -1000.1, 0.1, 1e6 + 0.3, 1e-30])
def test_a_channel_that_is_the_same_everywhere_becomes_beta(value):
    x = np.full((5, 40, 31, 2), value, np.float32)
    gamma, beta = np.array([1, -3], np.float32), np.array([0, 0.3], np.float32)
    y, mean, var = batch_norm(x, gamma, beta)
    assert (y == beta).all() and (mean == np.float32(value)).all() and (var == 0).all()
    dy = np.random.default_rng(8).standard_normal(x.shape).astype(np.float32)
    assert (batch_norm_backward(dy, x, gamma, mean, var)[1] == 0).all()


def test_two_neighbours_among_the_numbers_of_float32_lie_on_both_sides_of_their_mean():
    x = np.array([[1000.1], [np.nextafter(np.float32(1000.1), np.float32(2000))]], np.float32)
    y, _, _ = batch_norm(x, np.ones(1, np.float32), np.zeros(1, np.float32))
    wanted, _, _ = reference.batch_norm(x.astype(np.float64), np.ones(1), np.zeros(1))
    np.testing.assert_allclose(y, wanted, rtol=1e-6)


@pytest.mark.parametrize("offset", FAR)
def test_a_gradient_far_from_zero_loses_no_more_than_its_last_digits(offset):
    rng = np.random.default_rng(9)
    x, dy = rng.standard_normal((5, 40, 31, 3)).astype(np.float32), offset + rng.standard_normal((5, 40, 31, 3))
    dy, gamma = dy.astype(np.float32), np.ones(3, np.float32)
    _, mean, var = batch_norm(x, gamma, 0 * gamma)
    exact_dy, exact_x, one = (array.astype(np.float64) for array in (dy, x, gamma))
    statistics = reference.batch_norm(exact_x, one, 0 * one)[1:]
    wanted = reference.batch_norm_backward(exact_dy, exact_x, one, *statistics)
    dx, dgamma, dbeta = batch_norm_backward(dy, x, gamma, mean, var)
    np.testing.assert_allclose(dx, wanted[0], atol=1e-5 + 2e-7 * abs(offset))
    np.testing.assert_allclose(dgamma, wanted[1], atol=1e-3 + 1e-8 * abs(offset) * x[..., 0].size)
    np.testing.assert_allclose(dbeta, wanted[2], rtol=1e-6, atol=1e-3)


def test_one_value_per_channel_becomes_beta():
    y, mean, var = batch_norm(np.array([[5.0, -3.0]]), np.ones(2), np.array([1.0, 2.0]))
    assert y.tolist() == [[1, 2]]
    assert mean.tolist() == [5, -3]
    assert var.tolist() == [0, 0]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_not_finite_spoils_its_own_channel_and_no_other(bad):
    x, dy, gamma, beta = arrays((4, 3), np.float32, 5)
    x[2, 1] = bad
    y, mean, var = batch_norm(x, gamma, beta)
    dx, dgamma, _ = batch_norm_backward(dy, x, gamma, mean, var)
    for array in (y[0], mean, var, dx[0], dgamma):
        assert np.isfinite(array).tolist() == [True, False, True]


def test_the_bits_do_not_depend_on_the_threads():
    most = get_threads()
    x, dy, gamma, beta = arrays((3, 41, 43, 8), np.float32, 6)
    results = []
    try:
        for threads in range(1, most + 1):
            set_threads(threads)
            forward = batch_norm(x, gamma, beta)
            results.append([*forward, *batch_norm_backward(dy, x, gamma, *forward[1:])])
    finally:
        set_threads(most)
    for other in results[1:]:
        assert all(a.tobytes() == b.tobytes() for a, b in zip(results[0], other, strict=True))


@pytest.mark.parametrize("shape", [(0, 4), (2, 0, 3, 4)])
def test_statistics_of_nothing_are_an_error_and_inference_on_nothing_is_nothing(shape):
    x, v = np.zeros(shape), np.ones(4)
    with pytest.raises(ValueError, match=r"batch_norm: x has shape .* wanted at least one value per channel"):
        batch_norm(x, v, v)
    with pytest.raises(ValueError, match="batch_norm_backward: x has shape"):
        batch_norm_backward(x, x, v, v, v)
    assert batch_norm_inference(x, v, v, v, v).shape == shape


def test_errors_name_what_came_and_what_was_wanted():
    x, v = np.ones((2, 4)), np.ones(4)
    with pytest.raises(TypeError, match="batch_norm: x has dtype int64, wanted float32 or float64"):
        batch_norm(x.astype(np.int64), v, v)
    with pytest.raises(TypeError, match=r"the dtypes differ .*gamma float32"):
        batch_norm(x, v.astype(np.float32), v)
    with pytest.raises(ValueError, match=r"batch_norm: beta has shape \(3,\), wanted \(4,\)"):
        batch_norm(x, v, np.ones(3))
    with pytest.raises(ValueError, match=r"batch_norm: x has shape \(4,\)"):
        batch_norm(v, v, v)
    with pytest.raises(ValueError, match=r"batch_norm_backward: dy has shape \(4, 2\), wanted \(2, 4\)"):
        batch_norm_backward(x.T, x, v, v, v)
    with pytest.raises(ValueError, match=r"batch_norm_inference: x has shape \(4,\)"):
        batch_norm_inference(v, v, v, v, v)
