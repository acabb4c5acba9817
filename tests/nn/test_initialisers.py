"""Initialisers: the spread and the cut of each, seeds, and what a caller may hand in."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from minicoord.nn.initialisers import fans, glorot_uniform, he_normal, initialise


def follows(w: NDArray, cdf: Callable[[float], float]) -> bool:
    """Whether Kolmogorov and Smirnov's test leaves more than one percent for draws from the distribution `cdf`."""
    expected = np.array([cdf(value) for value in np.sort(w, axis=None).tolist()])
    above, below = np.arange(1, w.size + 1) / w.size - expected, expected - np.arange(w.size) / w.size
    distance = math.sqrt(w.size) * max(above.max(), below.max())
    return 2 * sum((-1) ** (k - 1) * math.exp(-2 * (k * distance) ** 2) for k in range(1, 101)) > 0.01


def test_another_distribution_is_told_apart():
    w = np.random.default_rng(0).random(2000)
    assert follows(w, lambda v: v)
    assert not follows(w, lambda v: v**1.1)
    assert not follows(w + 0.04, lambda v: min(v, 1))


@pytest.mark.parametrize("shape, fan_in", [((3, 5, 20, 100), 300), ((200, 150), 200)])
def test_he_normal_is_a_normal_cut_at_two_sigma_with_the_deviation_of_he(shape, fan_in):
    w = he_normal(shape, np.random.default_rng(0))
    sigma = np.sqrt(2 / fan_in) / 0.8796
    assert np.abs(w).max() <= 2 * sigma
    assert w.std() == pytest.approx(np.sqrt(2 / fan_in), rel=0.02)
    below_cut = math.erf(2 / math.sqrt(2))  # how much of a normal distribution lies within two sigma
    assert follows(w, lambda v: 0.5 + math.erf(v / (sigma * math.sqrt(2))) / (2 * below_cut))


def test_glorot_uniform_fills_its_interval_and_counts_the_window_in_both_fans():
    shape = (3, 3, 10, 30)
    limit = np.sqrt(6 / (9 * 10 + 9 * 30))
    w = glorot_uniform(shape, np.random.default_rng(0))
    assert np.abs(w).max() <= limit
    assert follows(w, lambda v: (v + limit) / (2 * limit))


def test_fan_in_of_a_transposed_kernel_is_the_windows_times_its_third_axis():
    assert fans((2, 2, 64, 32)) == (256, 128)


@pytest.mark.parametrize("name", ["he_normal", "glorot_uniform"])
def test_a_seed_repeats_and_a_generator_moves_on(name):
    first = initialise(name, (4, 3), 7)
    np.testing.assert_array_equal(first, initialise(name, (4, 3), np.int64(7)))  # type: ignore
    rng = np.random.default_rng(7)
    np.testing.assert_array_equal(first, initialise(name, (4, 3), rng))
    assert not np.array_equal(first, initialise(name, (4, 3), rng))
    assert not np.array_equal(initialise(name, (4, 3)), initialise(name, (4, 3))), "no seed must mean fresh entropy"


def test_both_dtypes_get_the_same_draws():
    w32, w64 = (initialise("he_normal", (4, 3), 0, dtype) for dtype in (np.float32, np.float64))
    assert (w32.dtype, w64.dtype) == (np.float32, np.float64)
    np.testing.assert_array_equal(w32, w64.astype(np.float32))


def test_a_function_of_shape_and_generator_will_do():
    w = initialise(lambda shape, rng: rng.integers(1, 2, shape), (2, 3), 0, np.float64)
    assert w.dtype == np.float64
    np.testing.assert_array_equal(w, np.ones((2, 3)))


@pytest.mark.parametrize(
    "call, error, sentence",
    [
        (lambda: initialise("he", (2, 2)), ValueError, "init was 'he', it must be one of he_normal, glorot_uniform"),
        (lambda: initialise(3, (2, 2)), TypeError, "init was 3"),  # type: ignore
        (lambda: initialise(lambda shape, rng: np.zeros(3), (2, 2)), ValueError, r"shape \(3,\), wanted \(2, 2\)"),
        (lambda: initialise("zeros", (2, 2), "seed"), TypeError, "rng was 'seed'"),  # type: ignore
        (lambda: initialise("zeros", (2, 2), True), TypeError, "rng was True"),
        (lambda: initialise("zeros", (2, 2), -1), ValueError, "rng was the seed -1"),
        (lambda: initialise("he_normal", (3,)), ValueError, r"shape \(3,\) has no fan-in"),
        (lambda: initialise("glorot_uniform", (0, 3)), ValueError, "has no fan-in"),
    ],
)
def test_a_wrong_argument_is_named(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
