"""Pooling: against the oracle, and the rules for ties, NaN and padding."""

from __future__ import annotations

import numpy as np
import pytest
from central_differences import numeric_gradient, relative_error
from hypothesis import assume, given, settings, strategies as st

from minicoord import reference
from minicoord.kernels.global_pooling import (
    global_avg_pool,
    global_avg_pool_backward,
    global_max_pool,
    global_max_pool_backward,
)
from minicoord.kernels.pooling import (
    avg_pool2d,
    avg_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
    pool_window,
)

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def poolings(draw):
    """Return images with many equal pixels, and a window that fits them."""
    shape = (draw(st.integers(0, 3)), draw(st.integers(1, 7)), draw(st.integers(1, 7)), draw(st.integers(0, 3)))
    padding = draw(st.one_of(st.sampled_from(["valid", "same", 1]), st.just(((0, 1), (2, 0)))))
    arguments = {"size": draw(PAIRS), "stride": draw(st.one_of(st.none(), PAIRS)), "padding": padding}
    try:
        pool_window("", shape[1], shape[2], **arguments)
    except ValueError:
        assume(False)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    x = rng.integers(-3, 3, shape).astype(draw(st.sampled_from([np.float32, np.float64])))
    return x, arguments, rng


@settings(max_examples=40, deadline=None)
@given(poolings())
def test_max_pool_equals_the_oracle_in_both_directions(drawn):
    x, arguments, rng = drawn
    y, argmax = max_pool2d(x, **arguments)
    expected_y, expected_argmax = reference.max_pool2d(x, **arguments)
    assert (y.dtype, argmax.dtype) == (x.dtype, np.int32)
    np.testing.assert_array_equal(y, expected_y)
    np.testing.assert_array_equal(argmax, expected_argmax)
    dy = rng.integers(-9, 9, y.shape).astype(x.dtype)
    dx = max_pool2d_backward(dy, argmax, x.shape)
    assert dx.dtype == x.dtype
    np.testing.assert_array_equal(dx, reference.max_pool2d_backward(dy, argmax, x.shape))


@settings(max_examples=40, deadline=None)
@given(poolings())
def test_avg_pool_equals_the_oracle_in_both_directions(drawn):
    x, arguments, rng = drawn
    y = avg_pool2d(x, **arguments)
    assert y.dtype == x.dtype
    np.testing.assert_allclose(y, reference.avg_pool2d(x, **arguments), rtol=1e-6, atol=1e-6)
    dy = rng.standard_normal(y.shape).astype(x.dtype)
    dx = avg_pool2d_backward(dy, x.shape, **arguments)
    assert dx.dtype == x.dtype
    np.testing.assert_allclose(dx, reference.avg_pool2d_backward(dy, x.shape, **arguments), rtol=1e-5, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(poolings())
def test_global_pools_equal_the_oracle_in_both_directions(drawn):
    x, _, rng = drawn
    y, argmax = global_max_pool(x)
    expected_y, expected_argmax = reference.global_max_pool(x)
    np.testing.assert_array_equal(y, expected_y)
    np.testing.assert_array_equal(argmax, expected_argmax)
    dy = rng.standard_normal(y.shape).astype(x.dtype)
    expected = reference.global_max_pool_backward(dy, argmax, x.shape)
    np.testing.assert_array_equal(global_max_pool_backward(dy, argmax, x.shape), expected)
    np.testing.assert_allclose(global_avg_pool(x), reference.global_avg_pool(x), rtol=1e-6, atol=1e-6)
    expected = reference.global_avg_pool_backward(dy, x.shape)
    np.testing.assert_allclose(global_avg_pool_backward(dy, x.shape), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("nans", [0, 3])
@pytest.mark.parametrize("shape", [(2, 20, 31, 1), (3, 17, 16, 2), (1, 13, 11, 5), (2, 3, 5, 70), (1, 1, 9, 7)])
def test_global_pools_of_images_longer_than_a_piece(shape, nans, dtype):
    rng = np.random.default_rng(nans)
    for _ in range(5):
        x = rng.integers(-4, 4, shape).astype(dtype)  # each value many times
        x.reshape(-1)[rng.integers(0, x.size, nans)] = np.nan
        y, argmax = global_max_pool(x)
        expected_y, expected_argmax = reference.global_max_pool(x)
        np.testing.assert_array_equal(y, expected_y)
        np.testing.assert_array_equal(argmax, expected_argmax)
        np.testing.assert_allclose(global_avg_pool(x), reference.global_avg_pool(x), rtol=1e-6, atol=1e-6)
        dy = rng.standard_normal(y.shape).astype(dtype)
        expected = reference.global_avg_pool_backward(dy, shape)
        np.testing.assert_allclose(global_avg_pool_backward(dy, shape), expected, rtol=1e-6)


def image(rows):
    return np.array(rows, np.float64)[np.newaxis, :, :, np.newaxis]


def test_the_first_of_equal_pixels_in_reading_order_wins_and_gets_all():
    x = image([[1, 7, 2], [7, 7, 0]])
    y, argmax = global_max_pool(x)
    assert (y.item(), argmax.item()) == (7, 1)
    dx = global_max_pool_backward(np.array([[5.0]]), argmax, x.shape)
    np.testing.assert_array_equal(dx[0, :, :, 0], [[0, 5, 0], [0, 0, 0]])


def test_the_first_nan_wins_over_everything():
    y, argmax = max_pool2d(image([[1, np.inf], [np.nan, np.nan]]))
    assert np.isnan(y.item())
    assert argmax.item() == 2
    assert max_pool2d(image([[np.nan, np.inf], [1, 2]]))[1].item() == 0
    assert np.isnan(avg_pool2d(image([[1, np.nan], [1, 2]]))).item()


def test_padding_neither_wins_nor_counts():
    x = image([[-1, -2], [-3, -4]])
    y, argmax = max_pool2d(x, 2, 1, padding=1)
    np.testing.assert_array_equal(y[0, :, :, 0], [[-1, -1, -2], [-1, -1, -2], [-3, -3, -4]])
    np.testing.assert_array_equal(argmax[0, :, :, 0], [[0, 0, 1], [0, 0, 1], [2, 2, 3]])
    y = avg_pool2d(x, 2, 1, padding=1)
    np.testing.assert_array_equal(y[0, :, :, 0], [[-1, -1.5, -2], [-2, -2.5, -3], [-3, -3.5, -4]])


def test_an_image_of_minus_infinity_has_a_maximum_inside_it():
    y, argmax = max_pool2d(np.full((1, 3, 3, 1), -np.inf), 3, 1, "same")
    assert np.all(y == -np.inf)
    assert argmax[0, :, :, 0].tolist() == [[0, 0, 1], [0, 0, 1], [3, 3, 4]]


def test_overlapping_windows_add_their_gradients_at_a_shared_maximum():
    x = image([[0, 0, 0], [0, 9, 0], [0, 0, 0]])
    y, argmax = max_pool2d(x, 2, 1)
    dx = max_pool2d_backward(np.array([1.0, 2, 4, 8]).reshape(y.shape), argmax, x.shape)
    np.testing.assert_array_equal(dx[0, :, :, 0], [[0, 0, 0], [0, 15, 0], [0, 0, 0]])


@pytest.mark.parametrize("size, stride, padding", [(2, None, "valid"), ((3, 2), (1, 2), "same"), (3, 2, (1, 2))])
def test_gradients_are_the_slopes(size, stride, padding):
    rng = np.random.default_rng(0)
    x = rng.permutation(2 * 5 * 7 * 2).reshape(2, 5, 7, 2) / 10  # no ties, so the maximum has a slope
    y, argmax = max_pool2d(x, size, stride, padding)
    dy = rng.standard_normal(y.shape)
    numeric = numeric_gradient(lambda x: float((max_pool2d(x, size, stride, padding)[0] * dy).sum()), x)
    assert relative_error(max_pool2d_backward(dy, argmax, x.shape), numeric) < 1e-6
    numeric = numeric_gradient(lambda x: float((avg_pool2d(x, size, stride, padding) * dy).sum()), x)
    assert relative_error(avg_pool2d_backward(dy, x.shape, size, stride, padding), numeric) < 1e-6


def test_the_mean_of_many_float32_pixels_is_exact_to_rounding():
    x = np.full((1, 512, 512, 1), 0.1, np.float32)
    assert global_avg_pool(x).item() == pytest.approx(float(np.float32(0.1)), rel=1e-7)


def test_a_view_gives_the_same_as_its_copy():
    x = np.random.default_rng(0).standard_normal((2, 8, 6, 3))[:, ::2, ::-1]
    np.testing.assert_array_equal(max_pool2d(x)[0], max_pool2d(x.copy())[0])
    np.testing.assert_array_equal(avg_pool2d(x), avg_pool2d(x.copy()))


SHAPE = (1, 4, 4, 1)
X, DY, ARGMAX = np.zeros(SHAPE), np.zeros((1, 2, 2, 1)), np.zeros((1, 2, 2, 1), np.int32)


@pytest.mark.parametrize(
    "call, error, sentence",
    [
        (lambda: max_pool2d(X[0, 0]), ValueError, r"max_pool2d: x has shape \(4, 1\), wanted \(N, H, W, C\)"),
        (lambda: max_pool2d(X.astype(int)), TypeError, "max_pool2d: x has dtype int64, wanted float32 or float64"),
        (lambda: max_pool2d(X, 5), ValueError, "max_pool2d: a 5x5 window does not fit into the image of 4x4"),
        (lambda: max_pool2d(X, 2, padding=2), ValueError, "padding was 2, it leaves a 2x2 window with no pixel"),
        (lambda: avg_pool2d(X, 2, 1, ((0, 0), (0, 3))), ValueError, "avg_pool2d: .* no pixel of the 4x4 image"),
        (lambda: avg_pool2d(X, 2, 0), ValueError, "avg_pool2d: stride was 0"),
        (lambda: max_pool2d_backward(DY, ARGMAX + 16, SHAPE), ValueError, "argmax points outside the 4x4 image"),
        (lambda: max_pool2d_backward(DY, ARGMAX - 1, SHAPE), ValueError, "argmax points outside"),
        (lambda: max_pool2d_backward(DY, ARGMAX.astype(np.int64), SHAPE), TypeError, "argmax has dtype int64"),
        (lambda: max_pool2d_backward(DY, None, SHAPE), TypeError, "argmax is of type NoneType"),  # type: ignore
        (lambda: max_pool2d_backward(DY, ARGMAX[:, :1], SHAPE), ValueError, r"argmax has shape \(1, 1, 2, 1\), wanted"),
        (lambda: max_pool2d_backward(DY, ARGMAX, (2, 4, 4, 1)), ValueError, r"x_shape is \(2, 4, 4, 1\), wanted"),
        (lambda: avg_pool2d_backward(DY, SHAPE, 3), ValueError, r"dy has shape \(1, 2, 2, 1\), wanted \(1, 1, 1, 1\)"),
        (lambda: global_max_pool(X[:, :0]), ValueError, "global_max_pool: .* with at least one pixel"),
        (lambda: global_avg_pool(X[:, :, :0]), ValueError, "global_avg_pool: .* with at least one pixel"),
        (lambda: global_avg_pool_backward(DY, SHAPE), ValueError, r"dy has shape \(1, 2, 2, 1\), wanted \(N, C\)"),
        (lambda: global_avg_pool_backward(DY[0, 0, :1], (1, 0, 4, 1)), ValueError, "with at least one pixel"),
        (lambda: global_max_pool_backward(DY[0, :1, 0], ARGMAX, SHAPE), ValueError, "argmax has shape"),
    ],
)
def test_a_wrong_argument_is_named(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()


@pytest.mark.parametrize("offset", [0.1, 1e3 + 0.1, 1e6 + 0.3])
def test_means_of_many_numbers_far_from_zero_are_right_to_the_last_digit(offset):
    x = (offset + np.random.default_rng(0).standard_normal((2, 512, 1024, 1))).astype(np.float32)
    wanted = x.astype(np.float64).mean(axis=(1, 2))
    last_digit = np.spacing(np.abs(wanted).astype(np.float32))
    assert (np.abs(global_avg_pool(x) - wanted) <= last_digit).all()
    assert (np.abs(avg_pool2d(x, (512, 1024))[:, 0, 0] - wanted) <= last_digit).all()
    same = np.full((1, 512, 1024, 3), offset, np.float32)
    assert (global_avg_pool(same) == np.float32(offset)).all()
