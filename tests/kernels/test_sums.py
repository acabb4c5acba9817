"""Sums for each channel, with any number of channels, and sums of parts, with any number of them."""

from __future__ import annotations

import numpy as np
import pytest

from minicoord.kernels.sums import CHUNKS, PIECE, SERIAL, add_parts, channel_sums


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("channels", [1, 3, 64, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 5])
def test_sums_are_those_of_numpy(channels, gated, dtype):
    rng = np.random.default_rng(0)
    for shape in ((0, 4, 4), (1, 1, 1), (2, 3, 5), (CHUNKS + 1,), (3, 41, 7)):
        dy = rng.standard_normal((*shape, channels)).astype(dtype)
        y = rng.choice([-1.0, -0.0, 0.0, 2.0], dy.shape).astype(dtype) if gated else None
        wanted = (dy if y is None else np.where(y <= 0, 0, dy)).reshape(-1, channels).sum(axis=0, dtype=np.float64)
        found = channel_sums(dy, y)
        assert (found.shape, found.dtype) == ((channels,), dtype)
        tolerance = {np.float32: 1e-6, np.float64: 1e-14}[dtype] * (5 + dy.size // channels)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance)


def test_a_nan_in_the_gate_lets_the_gradient_through():
    dy, y = np.array([[1.0, 2.0], [4.0, 8.0]]), np.array([[np.nan, 0.0], [1.0, np.inf]])
    assert channel_sums(dy, y).tolist() == [5, 8]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [1, 2, 3, 16, 100, SERIAL // 2])
def test_parts_are_added_up_on_both_sides_of_the_limit(count, dtype):
    most = SERIAL // count  # numbers of a part that one thread adds up
    for size in (0, 1, CHUNKS - 1, most, most + 1, most + CHUNKS + 3):
        parts = np.random.default_rng(size).standard_normal((count, size)).astype(dtype)
        given = parts.copy()
        found = add_parts(parts)
        assert (found.shape, found.dtype) == ((size,), dtype)
        assert np.array_equal(parts, given)
        tolerance = {np.float32: 2e-7, np.float64: 4e-16}[dtype] * np.abs(given).sum(axis=0).max(initial=1) * count**0.5
        np.testing.assert_allclose(found, given.sum(axis=0, dtype=np.float64), rtol=0, atol=tolerance)
        y = np.random.default_rng(1).choice([-1.0, 0.0, 2.0, np.nan], parts.shape).astype(dtype)
        wanted = np.where(y <= 0, 0, given).sum(axis=0, dtype=np.float64)
        np.testing.assert_allclose(add_parts(parts, y), wanted, rtol=0, atol=tolerance)
        if parts.size > SERIAL and count > 1:  # by tasks: each number in the order of the parts
            in_order = np.zeros(size, dtype)
            for part in given:
                in_order += part
            assert found.tobytes() == in_order.tobytes()


@pytest.mark.parametrize("numbers", [3, SERIAL + 1])
def test_one_part_behind_a_gate_is_not_written_over(numbers):
    parts, y = np.ones((1, numbers)), np.ones((1, numbers))
    y[0, 1] = 0
    assert add_parts(parts, y).sum() == numbers - 1
    assert parts.sum() == numbers


@pytest.mark.parametrize("numbers", [4, SERIAL])
def test_a_nan_in_one_part_is_in_the_sum(numbers):
    parts = np.ones((3, numbers))
    parts[1, 2] = np.nan
    assert np.flatnonzero(np.isnan(add_parts(parts))).tolist() == [2]
