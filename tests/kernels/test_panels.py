"""Panels: every column of a matrix stands in one of them, with zeros beside the last up to a whole vector."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from minicoord.kernels import panels
from minicoord.kernels.backend.memory import ALIGNMENT
from minicoord.kernels.backend.vectors import lanes
from minicoord.kernels.geometry import window
from minicoord.kernels.panels import factor, packed, panel_width, whole_vectors
from minicoord.kernels.parts import of_adjoint, of_convolution


def unpacked(flat: NDArray, rows: int, columns: int) -> tuple[NDArray, NDArray]:
    """Return the matrix (rows, columns) that stands in panels, and all that is beside it."""
    width, padded, start, found, beside = panel_width(flat.dtype), whole_vectors(columns, flat.dtype), 0, [], []
    for column in range(0, columns, width):
        step = min(width, padded - column)
        panel = flat[start : start + rows * step].reshape(rows, step)
        found.append(panel[:, : columns - column])
        beside.append(panel[:, columns - column :].ravel())
        start += rows * step
    assert start == flat.size
    return np.concatenate(found, axis=1), np.concatenate(beside)


@pytest.fixture(params=["one thread", "tasks"])
def either_way(request, monkeypatch):
    """Pack with one thread, and then with as many tasks as a large kernel has."""
    monkeypatch.setattr(panels, "SERIAL", 2**40 if request.param == "one thread" else 0)


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_kernel_is_packed_column_by_column(dtype):
    vector = lanes(np.dtype(dtype).itemsize)
    for columns in (1, vector - 1, vector, vector + 1, 2 * vector, 2 * vector + 1, 5 * vector + 3):
        for shape in ((1, 1, 1), (3, 2, 5), (1, 2, 9), (2, 1, panels.ROWS + 3)):
            w = np.random.default_rng(columns).standard_normal((*shape, columns)).astype(dtype)
            flat = packed(w, factor(w.shape, w.dtype), of_convolution(window(9, 9, shape[:2])))
            found, beside = unpacked(flat, int(np.prod(shape)), columns)
            assert np.array_equal(found, w.reshape(-1, columns))
            assert not beside.any()
            assert flat.ctypes.data % ALIGNMENT == 0


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("first, count", [(0, None), (2, 3), (4, None)])
def test_some_channels_are_packed_as_they_are_or_transposed(first, count):
    w = np.random.default_rng(0).standard_normal((4, 5, 6, 19))
    seen = w[:, :, first:][:, :, :count]
    parts = of_convolution(window(9, 9, (4, 5)))
    for is_transposed, wanted in ((False, seen), (True, seen.transpose(0, 1, 3, 2))):
        flat = packed(w, factor(w.shape, w.dtype, is_transposed, first, count), parts)
        found, beside = unpacked(flat, int(np.prod(wanted.shape[:3])), wanted.shape[3])
        assert np.array_equal(found, wanted.reshape(found.shape))
        assert not beside.any()


@pytest.mark.usefixtures("either_way")
def test_no_channels_have_panels_without_rows():
    w = np.ones((2, 3, 4, 5))
    assert packed(w, factor(w.shape, w.dtype, False, 4), of_convolution(window(9, 9, (2, 3)))).size == 0


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("stride", [(1, 1), (2, 3), (5, 2), (1, 7)])
def test_each_part_of_an_adjoint_has_its_taps_in_panels_of_its_own(stride):
    """Those of a phase, from the last to the first; a stride longer than the kernel leaves parts without taps."""
    w = np.random.default_rng(0).standard_normal((4, 5, 6, 19))
    how, start = factor(w.shape, w.dtype, True), 0
    parts = of_adjoint(window(9, 9, (4, 5), stride), 9, 9)
    assert len(parts) == stride[0] * stride[1]
    flat = packed(w, how, parts)
    seen = []
    for part in parts:
        rows = part.kh * part.kw * 19
        found, _ = unpacked(flat[start : start + rows * how.padded], rows, 6) if rows else (np.empty((0, 6)), None)
        taps = w[part.tap_y % stride[0] :: stride[0], part.tap_x % stride[1] :: stride[1]][::-1, ::-1]
        wanted = taps.transpose(0, 1, 3, 2).reshape(-1, 6) if rows else found
        assert np.array_equal(found, wanted)
        start += rows * how.padded
        seen.append(found)
    assert start == flat.size
    assert sum(len(found) for found in seen) == 4 * 5 * 19  # each tap is in one part


@pytest.mark.usefixtures("either_way")
def test_panels_may_stand_among_others():
    w = np.random.default_rng(1).standard_normal((7, 3))
    size = 7 * whole_vectors(3, w.dtype)
    space = np.full(size + 20, 5.0)
    packed(w, factor(w.shape, w.dtype), out=space[10:])
    assert np.array_equal(unpacked(space[10 : 10 + size], 7, 3)[0], w)
    assert (space[:10] == 5).all() and (space[10 + size :] == 5).all()


@pytest.mark.usefixtures("either_way")
def test_a_kernel_in_any_order_is_packed_as_it_looks():
    w = np.asfortranarray(np.random.default_rng(2).standard_normal((2, 3, 4, 5)))
    flat = packed(w, factor(w.shape, w.dtype), of_convolution(window(9, 9, (2, 3))))
    assert np.array_equal(unpacked(flat, 24, 5)[0], w.reshape(24, 5))
