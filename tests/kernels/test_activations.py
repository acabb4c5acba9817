"""Activations: against the oracle, at 0, at +-1e4, at infinity and NaN, and across the edges of the kernels' blocks."""

from __future__ import annotations

import numpy as np
import pytest
from central_differences import numeric_gradient, relative_error
from hypothesis import given, settings, strategies as st

from minicoord import reference
from minicoord.kernels import activations

NAMES = ["relu", "leaky_relu", "sigmoid", "tanh"]
MANY = 4096  # numbers for every thread
NEEDS_X = {"leaky_relu"}  # its gradient is a function of the input, the others' of the output


def both(name, x, module=activations):
    """Return the output, and the gradient for an incoming gradient of ones."""
    y = getattr(module, name)(x)
    return y, getattr(module, f"{name}_backward")(np.ones_like(x), x if name in NEEDS_X else y)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(NAMES),
    st.one_of(
        st.lists(st.integers(0, 4), max_size=5).map(tuple),
        st.integers(MANY - 1, MANY + 1).map(lambda n: (n,)),  # with a rest beside the vectors, or none
    ),
    st.sampled_from([np.float32, np.float64]),
    st.integers(0, 99),
)
def test_both_directions_equal_the_oracle(name, shape, dtype, seed):
    rng = np.random.default_rng(seed)
    x = np.asarray(3 * rng.standard_normal(shape)).astype(dtype)
    dy = np.asarray(rng.standard_normal(shape)).astype(dtype)
    tolerance = 1e-6 if dtype == np.float32 else 1e-14
    y = getattr(activations, name)(x)
    assert (y.dtype, y.shape) == (x.dtype, x.shape)
    np.testing.assert_allclose(y, getattr(reference, name)(x), rtol=tolerance, atol=tolerance)
    seen = x if name in NEEDS_X else y
    dx = getattr(activations, f"{name}_backward")(dy, seen)
    assert (dx.dtype, dx.shape) == (x.dtype, x.shape)
    np.testing.assert_allclose(
        dx, getattr(reference, f"{name}_backward")(dy, seen), rtol=10 * tolerance, atol=tolerance
    )


def test_tanh_of_float32_is_right_to_three_units_in_the_last_place():
    positive = np.arange(0, 0x7F800000, 99_991).astype(np.uint32).view(np.float32)  # of all sizes, denormals too
    x = np.concatenate([positive, -positive])
    y, wanted = activations.tanh(x), np.tanh(x.astype(np.float64))
    assert (np.abs(y - wanted) <= 3 * np.spacing(np.abs(wanted).astype(np.float32))).all()
    assert (np.signbit(y) == np.signbit(x)).all()
    special = np.array([np.inf, -np.inf, np.nan], np.float32)
    np.testing.assert_array_equal(activations.tanh(special), np.array([1, -1, np.nan], np.float32))


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_is_the_slope(name):
    x = np.array([-7.0, -1.5, -0.3, 0.2, 1.1, 6.0])
    _, dx = both(name, x)
    numeric = numeric_gradient(lambda x: getattr(activations, name)(x).sum(), x)
    assert relative_error(dx, numeric) < 1e-8


def test_the_gradient_at_zero_is_the_documented_one():
    x = np.array([-0.0, 0.0])
    assert both("relu", x)[1].tolist() == [0, 0]
    assert activations.leaky_relu_backward(np.ones(2), x, 0.3).tolist() == [0.3, 0.3]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name, low, high", [("sigmoid", 0, 1), ("tanh", -1, 1)])
def test_large_inputs_saturate_without_a_warning(name, low, high, dtype):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y, dx = both(name, np.array([-np.inf, -1e4, 1e4, np.inf], dtype))
    assert y.tolist() == [low, low, high, high]
    assert dx.tolist() == [0, 0, 0, 0]


def test_sigmoid_keeps_small_probabilities():
    assert activations.sigmoid(np.array([-700.0])).item() == pytest.approx(np.exp(-700.0), rel=1e-12)


def test_relu_of_infinity():
    x = np.array([-np.inf, np.inf])
    assert activations.relu(x).tolist() == [0, np.inf]
    assert activations.leaky_relu(x, 0.5).tolist() == [-np.inf, np.inf]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", NAMES)
def test_nan_comes_out_as_nan_and_only_there(name, dtype):
    x = np.linspace(-2, 2, 37).astype(dtype)
    x[[5, 30]] = np.nan
    assert np.flatnonzero(np.isnan(getattr(activations, name)(x))).tolist() == [5, 30]


def test_a_nan_in_the_output_of_relu_lets_the_gradient_through():
    """As in convolutions and batch normalisation with ReLU: a fault of the forward pass must not look like a zero."""
    dy, y = np.array([2.0, 3.0, np.nan, np.nan]), np.array([np.nan, 0.0, np.nan, 0.0])
    np.testing.assert_array_equal(activations.relu_backward(dy, y), [2, 0, np.nan, 0])


@pytest.mark.parametrize("name", NAMES)
def test_a_view_gives_the_same_as_its_copy_and_is_left_alone(name):
    x = np.random.default_rng(0).standard_normal((6, 8))[::2, ::-1]
    before = x.copy()
    np.testing.assert_array_equal(getattr(activations, name)(x), getattr(activations, name)(before))
    np.testing.assert_array_equal(x, before)


class Broken:
    """Whatever one asks of it, it fails."""

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(f"no {name}")


@pytest.mark.parametrize(
    "call, error, sentence",
    [
        (lambda: activations.relu(np.zeros(3, int)), TypeError, "relu: x has dtype int64, wanted float32 or float64"),
        (lambda: activations.tanh([1.0]), TypeError, "tanh: x is of type list, wanted a NumPy array"),  # type: ignore
        (lambda: activations.tanh(Broken()), TypeError, "tanh: x is of type Broken, wanted a NumPy array"),  # type: ignore
        (
            lambda: activations.sigmoid_backward(np.zeros(3), np.zeros(4)),
            ValueError,
            r"sigmoid_backward: y has shape \(4,\), wanted \(3,\)",
        ),
        (
            lambda: activations.leaky_relu_backward(np.zeros(3), np.zeros(3, np.float32)),
            TypeError,
            r"leaky_relu_backward: the dtypes differ \(dy float64, x float32\)",
        ),
    ],
)
def test_a_wrong_argument_is_named(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
