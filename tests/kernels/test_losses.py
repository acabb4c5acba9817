"""The losses against the oracle, their gradients against central differences, and logits no exponential can take."""

from __future__ import annotations

import math

import numpy as np
import pytest
from central_differences import numeric_gradient, relative_error
from hypothesis import given, settings, strategies as st

from minicoord import reference
from minicoord.kernels.backend.threading_layer import get_threads, set_threads
from minicoord.kernels.losses import BLOCK
from minicoord.kernels.softmax import softmax_backward
from minicoord.nn.losses import mean_squared_error, sigmoid_cross_entropy, softmax, softmax_cross_entropy

TOLERANCE = {np.float32: 2e-6, np.float64: 1e-13}
dtypes = st.sampled_from([np.float32, np.float64])
shapes = st.lists(st.integers(1, 7), min_size=2, max_size=4).map(tuple)


def assert_close(ours, oracle, dtype):
    assert isinstance(ours[0], float)
    assert math.isclose(ours[0], oracle[0], rel_tol=10 * TOLERANCE[dtype], abs_tol=TOLERANCE[dtype])
    assert (ours[1].shape, ours[1].dtype) == (oracle[1].shape, np.dtype(dtype))
    assert np.allclose(ours[1], oracle[1], rtol=10 * TOLERANCE[dtype], atol=TOLERANCE[dtype])


@settings(max_examples=25, deadline=None)
@given(shapes, dtypes, st.sampled_from([0.1, 3.0, 100.0]), st.integers(0, 1000))
def test_softmax_cross_entropy_agrees_with_the_oracle(shape, dtype, scale, seed):
    rng = np.random.default_rng(seed)
    logits = (scale * rng.standard_normal(shape)).astype(dtype)
    labels = rng.integers(0, math.prod(shape[1:]), shape[0])
    assert_close(softmax_cross_entropy(logits, labels), reference.softmax_cross_entropy(logits, labels), dtype)
    assert np.allclose(softmax(logits), reference.softmax(logits), rtol=1e-5, atol=TOLERANCE[dtype])


@settings(max_examples=25, deadline=None)
@given(shapes, dtypes, st.integers(0, 1000))
def test_softmax_backward_agrees_with_the_oracle(shape, dtype, seed):
    rng = np.random.default_rng(seed)
    p, dp = softmax(rng.standard_normal(shape).astype(dtype)), rng.standard_normal(shape).astype(dtype)
    ours = softmax_backward(dp, p)
    assert (ours.shape, ours.dtype) == (p.shape, p.dtype)
    assert np.allclose(ours, reference.softmax_backward(dp, p), rtol=1e-4, atol=TOLERANCE[dtype])


def test_float32_softmax_is_exact_to_rounding_from_the_largest_to_the_vanishing():
    logits = -np.linspace(0, 95, 5001, dtype=np.float32)[np.newaxis]
    expected = reference.softmax(logits.astype(np.float64))
    p = softmax(logits)
    large = expected > 1e-37
    np.testing.assert_allclose(p[large], expected[large], rtol=3e-7)
    assert np.all(p[~large] < 2e-37)
    assert p[0, -1] == 0


@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 4, 1), (1, 1)])
def test_softmax_backward_agrees_with_central_differences(shape):
    rng = np.random.default_rng(1)
    z, dp = rng.standard_normal(shape), rng.standard_normal(shape)
    numeric = numeric_gradient(lambda a: float((softmax(a) * dp).sum()), z)
    ours = softmax_backward(dp, softmax(z))
    assert np.allclose(ours, 0, atol=1e-15) if z[0].size == 1 else relative_error(ours, numeric) < 1e-6


@pytest.mark.parametrize(
    "dp, p, error, message",
    [
        (np.zeros((2, 3)), np.zeros((3, 2)), ValueError, r"dp has shape \(2, 3\), wanted \(3, 2\)"),
        (np.zeros(3), np.zeros(3), ValueError, r"p has shape \(3,\), wanted \(N, ...\) with at least one class"),
        (np.zeros((2, 3)), np.zeros((2, 3), np.float32), TypeError, "the dtypes differ"),
        (np.zeros((2, 3), int), np.zeros((2, 3)), TypeError, "dp has dtype int64"),
    ],
)
def test_softmax_backward_says_what_is_wrong(dp, p, error, message):
    with pytest.raises(error, match=f"softmax_backward: {message}"):
        softmax_backward(dp, p)


@settings(max_examples=25, deadline=None)
@given(shapes, dtypes, st.sampled_from([0.1, 3.0, 100.0]), st.integers(0, 1000))
def test_element_wise_losses_agree_with_the_oracle(shape, dtype, scale, seed):
    rng = np.random.default_rng(seed)
    z, t = (scale * rng.standard_normal(shape)).astype(dtype), rng.random(shape).astype(dtype)
    assert_close(sigmoid_cross_entropy(z, t), reference.sigmoid_cross_entropy(z, t), dtype)
    assert_close(mean_squared_error(z, t), reference.mean_squared_error(z, t), dtype)


@pytest.mark.parametrize("size", [BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7])
def test_element_wise_losses_over_several_blocks(size):
    rng = np.random.default_rng(size)
    z, t = rng.standard_normal(size), rng.random(size)
    assert_close(sigmoid_cross_entropy(z, t), reference.sigmoid_cross_entropy(z, t), np.float64)
    assert_close(mean_squared_error(z, t), reference.mean_squared_error(z, t), np.float64)


@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 4, 1), (1, 1)])
def test_gradients_agree_with_central_differences(shape):
    rng = np.random.default_rng(0)
    z, t = rng.standard_normal(shape), rng.random(shape)
    labels = rng.integers(0, math.prod(shape[1:]), shape[0])
    for loss, truth in [(softmax_cross_entropy, labels), (sigmoid_cross_entropy, t), (mean_squared_error, t)]:
        numeric = numeric_gradient(lambda a, loss=loss, truth=truth: loss(a, truth)[0], z)
        assert relative_error(loss(z, truth)[1], numeric) < 1e-6


def test_chance_among_4096_pixels():
    loss, _ = softmax_cross_entropy(np.zeros((3, 64, 64, 1), np.float32), np.array([0, 77, 4095]))
    assert loss == pytest.approx(math.log(4096), rel=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_cross_entropy_of_logits_of_10_000(dtype):
    logits = np.array([[1e4, -1e4, 0], [1e4, -1e4, 0], [-1e4, -1e4, -1e4]], dtype)
    loss, dlogits = softmax_cross_entropy(logits, np.array([0, 1, 2]))
    assert loss == pytest.approx((0 + 2e4 + math.log(3)) / 3)
    assert np.allclose(dlogits * 3, [[0, 0, 0], [1, -1, 0], [1 / 3, 1 / 3, -2 / 3]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_cross_entropy_of_logits_of_10_000(dtype):
    logits, targets = np.array([1e4, 1e4, -1e4, -1e4], dtype), np.array([0, 1, 0, 1], dtype)
    loss, dlogits = sigmoid_cross_entropy(logits, targets)
    assert loss == pytest.approx(5e3)
    assert (4 * dlogits).tolist() == [1, 0, 0, -1]


def test_a_sure_and_right_answer_keeps_the_digits_of_its_tiny_loss():
    loss, _ = sigmoid_cross_entropy(np.array([50.0]), np.array([1.0]))
    assert loss == pytest.approx(math.exp(-50), rel=1e-12)


@pytest.mark.parametrize("where", [0, 2])
@pytest.mark.parametrize("target", [0.0, 1.0])
def test_nan_propagates(where, target):
    z = np.ones((2, 3), np.float32)
    z[0, where] = np.nan
    t = np.full_like(z, target)
    loss, dlogits = softmax_cross_entropy(z, np.array([1, 1]))
    assert math.isnan(loss)
    assert np.isnan(dlogits[0]).all()
    assert np.isfinite(dlogits[1]).all()
    assert np.isnan(softmax(z)[0]).all()
    for element_wise in (sigmoid_cross_entropy, mean_squared_error):
        loss, dz = element_wise(z, t)
        assert math.isnan(loss)
        assert np.array_equal(np.isnan(dz), np.isnan(z))
        with pytest.raises(ValueError, match="wanted"):  # a target that is NaN is a fault of the data
            element_wise(t, np.where(np.isnan(z), z, t))


@pytest.mark.parametrize("labels", [[1, 2], np.array([1, 2], np.uint8), np.array([1, 9, 2, 9], np.int32)[::2]])
def test_labels_of_every_integer_type(labels):
    logits = np.random.default_rng(1).standard_normal((2, 3))
    oracle = reference.softmax_cross_entropy(logits, np.array([1, 2]))
    assert_close(softmax_cross_entropy(logits, labels), oracle, np.float64)


def test_the_bits_do_not_depend_on_the_threads():
    most = get_threads()
    rng = np.random.default_rng(2)
    z, t = rng.standard_normal((5, 6000)).astype(np.float32), rng.random((5, 6000)).astype(np.float32)
    results = []
    try:
        for threads in range(1, most + 1):
            set_threads(threads)
            pairs = [softmax_cross_entropy(z, np.arange(5)), sigmoid_cross_entropy(z, t), mean_squared_error(z, t)]
            results.append([(loss, gradient.tobytes()) for loss, gradient in pairs])
    finally:
        set_threads(most)
    assert all(other == results[0] for other in results)


@pytest.mark.parametrize(
    "logits, labels, error, message",
    [
        (np.zeros((0, 3)), np.zeros(0, int), ValueError, r"logits has shape \(0, 3\), wanted at least one image"),
        (np.zeros((2, 0)), np.zeros(2, int), ValueError, r"logits has shape \(2, 0\), wanted .* at least one class"),
        (np.zeros(3), np.zeros(3, int), ValueError, r"logits has shape \(3,\), wanted \(N, ...\)"),
        (np.zeros((2, 3), int), np.zeros(2, int), TypeError, "logits has dtype int64, wanted float32 or float64"),
        (np.zeros((2, 3)), np.zeros(2), TypeError, "labels has dtype float64, wanted whole numbers"),
        (np.zeros((2, 3)), np.zeros(2, bool), TypeError, "labels has dtype bool"),
        (np.zeros((2, 3)), np.zeros((2, 1), int), ValueError, r"labels has shape \(2, 1\), wanted \(2,\)"),
        (np.zeros((2, 3)), np.array([0, 3]), ValueError, r"labels\[1\] is 3, wanted a class from 0 to 2"),
        (np.zeros((2, 3)), np.array([-1, 0]), ValueError, r"labels\[0\] is -1, wanted a class from 0 to 2"),
    ],
)
def test_softmax_cross_entropy_says_what_is_wrong(logits, labels, error, message):
    with pytest.raises(error, match=f"softmax_cross_entropy: {message}"):
        softmax_cross_entropy(logits, labels)


@pytest.mark.parametrize("loss", [sigmoid_cross_entropy, mean_squared_error])
def test_element_wise_losses_say_what_is_wrong(loss):
    x = np.zeros((2, 3))
    with pytest.raises(ValueError, match=rf"{loss.__name__}: targets? has shape \(3, 2\), wanted \(2, 3\)"):
        loss(x, x.T)
    with pytest.raises(TypeError, match=f"{loss.__name__}: the dtypes differ"):
        loss(x, x.astype(np.float32))
    with pytest.raises(ValueError, match=f"{loss.__name__}: .* wanted at least one element"):
        loss(x[:0], x[:0])


def test_sigmoid_cross_entropy_wants_probabilities():
    with pytest.raises(ValueError, match=r"targets go from 0.0 to 255.0, wanted values in \[0, 1\]"):
        sigmoid_cross_entropy(np.zeros(2), np.array([0.0, 255.0]))


@pytest.mark.parametrize("offset", [1e3, 1e4, 1e6])
@pytest.mark.parametrize("target", [1.0, 1 - 2.0**-24, 0.3, 2.0**-24, 0.0])
def test_the_loss_of_large_logits_keeps_its_digits(offset, target):
    # For a target near 1, z - z * t is small; in float32 the product is rounded to the digits of z.
    rng = np.random.default_rng(0)
    logits = (rng.choice([-1, 1], 5000) * (offset + rng.standard_normal(5000))).astype(np.float32)
    targets = np.full(5000, target, np.float32)
    loss, dlogits = sigmoid_cross_entropy(logits, targets)
    wanted, wanted_dlogits = reference.sigmoid_cross_entropy(logits.astype(np.float64), targets.astype(np.float64))
    assert math.isclose(loss, wanted, rel_tol=1e-12)
    np.testing.assert_allclose(dlogits, wanted_dlogits, rtol=1e-6)
    large = np.abs(logits)
    loss, _ = sigmoid_cross_entropy(large, targets)
    wanted, _ = reference.sigmoid_cross_entropy(large.astype(np.float64), targets.astype(np.float64))
    assert math.isclose(loss, wanted, rel_tol=1e-12)


@pytest.mark.parametrize("offset", [1e3, -1e4, 1e6])
def test_a_number_added_to_all_logits_changes_nothing(offset):
    logits = (offset + np.random.default_rng(0).standard_normal((3, 4096))).astype(np.float32)
    exact, labels = logits.astype(np.float64), np.array([0, 7, 4095])
    np.testing.assert_allclose(softmax(logits), reference.softmax(exact), rtol=1e-6)
    loss, dlogits = softmax_cross_entropy(logits, labels)
    wanted, wanted_dlogits = reference.softmax_cross_entropy(exact, labels)
    assert math.isclose(loss, wanted, rel_tol=1e-8)
    np.testing.assert_allclose(dlogits, wanted_dlogits, rtol=1e-6)


@pytest.mark.parametrize("offset", [1e3, 1e6])
def test_a_number_added_to_all_gradients_of_probabilities_changes_nothing(offset):
    rng = np.random.default_rng(0)
    p = softmax(rng.standard_normal((3, 4096)).astype(np.float32))
    dp = (offset + rng.standard_normal((3, 4096))).astype(np.float32)
    exact_p, exact_dp = p.astype(np.float64), dp.astype(np.float64)
    wanted = exact_p * (exact_dp - (exact_dp * exact_p).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(softmax_backward(dp, p), wanted, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("offset", [0.1, 1e3, 1e6])
def test_the_mean_of_a_million_squares_keeps_its_digits(offset):
    rng = np.random.default_rng(0)
    prediction = (offset + rng.standard_normal(10**6)).astype(np.float32)
    target = (offset + 0.1 * rng.standard_normal(10**6)).astype(np.float32)
    loss, dprediction = mean_squared_error(prediction, target)
    wanted, wanted_dprediction = reference.mean_squared_error(prediction.astype(np.float64), target.astype(np.float64))
    assert math.isclose(loss, wanted, rel_tol=1e-12)
    np.testing.assert_allclose(dprediction, wanted_dprediction, rtol=1e-6)
