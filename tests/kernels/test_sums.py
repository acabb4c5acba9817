"""Sums for each channel, with any number of channels."""

from __future__ import annotations

import numpy as np
import pytest

from minicoord.kernels.sums import CHUNKS, PIECE, channel_sums


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
