"""Pixels side by side: the wide kernel has the kernel once for each, and narrowing is the adjoint of widening."""

from __future__ import annotations

import numpy as np
import pytest

from minicoord import reference
from minicoord.kernels import neighbours as module
from minicoord.kernels.backend.vectors import lanes
from minicoord.kernels.geometry import window
from minicoord.kernels.neighbours import narrowed, neighbours, widened

DTYPE = np.dtype(np.float64)
FEW = max(lanes(DTYPE.itemsize) // 2, 1)  # channels of which two pixels fit into a vector


@pytest.fixture(autouse=True)
def even_for_little_work(monkeypatch):
    monkeypatch.setattr(module, "ENOUGH", 1)
    neighbours.cache_clear()
    yield
    neighbours.cache_clear()


@pytest.mark.parametrize("stride, padding", [(1, "same"), (1, "valid"), (2, "same"), (3, ((0, 0), (4, 5)))])
@pytest.mark.parametrize("kernel", [2, 3, 5])
def test_a_wide_kernel_computes_neighbouring_pixels(kernel, stride, padding):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 5, 13, 3)), rng.standard_normal((2, kernel, 3, FEW))
    win = window(5, 13, (2, kernel), (1, stride), padding)
    if win.out_w % 2:
        x = x[:, :, : 13 - stride]
        win = window(5, 13 - stride, (2, kernel), (1, stride), padding)
    found = neighbours(win, win.out_w, FEW, 3, DTYPE)
    if kernel <= stride:
        assert found is None  # what neighbours read does not overlap
        return
    assert found is not None and win.out_w % found.count == 0
    assert found.count * FEW <= lanes(DTYPE.itemsize)
    assert found.taps == kernel + (found.count - 1) * stride
    right = (win.out_w // found.count - 1) * found.stride + found.taps - found.left - x.shape[2]
    sides = (win.top, win.bottom), (found.left, max(right, 0))
    wide = reference.conv2d(x, widened(w, found), None, (1, found.stride), sides)
    plain = reference.conv2d(x, w, None, (1, stride), padding)
    np.testing.assert_allclose(wide[:, :, : win.out_w // found.count].reshape(plain.shape), plain, rtol=0, atol=1e-12)


def test_narrowing_adds_up_what_widening_repeats():
    rng = np.random.default_rng(1)
    w = rng.standard_normal((2, 3, 4, FEW))
    found = neighbours(window(6, 8, (2, 3)), 8, FEW, 4, DTYPE)
    assert found is not None
    wide = widened(w, found)
    other = rng.standard_normal(wide.shape)
    np.testing.assert_allclose(np.vdot(wide, other), np.vdot(w, narrowed(other, found)), rtol=1e-12)
    np.testing.assert_allclose(narrowed(wide, found), found.count * w, rtol=1e-12)


@pytest.mark.parametrize("channels, width", [(lanes(DTYPE.itemsize), 8), (lanes(DTYPE.itemsize) + 1, 8), (FEW, 7)])
def test_pixels_that_fill_a_vector_or_a_row_of_odd_length_go_one_at_a_time(channels, width):
    assert neighbours(window(6, width, 3), width, channels, 4, DTYPE) is None


def test_little_work_is_done_one_pixel_at_a_time(monkeypatch):
    monkeypatch.setattr(module, "ENOUGH", 6 * 8 * 9 * FEW * 4 + 1)
    assert neighbours(window(6, 8, 3), 8, FEW, 4, DTYPE) is None
    neighbours.cache_clear()
    monkeypatch.setattr(module, "ENOUGH", 6 * 8 * 9 * FEW * 4)
    assert neighbours(window(6, 8, 3), 8, FEW, 4, DTYPE) is not None
