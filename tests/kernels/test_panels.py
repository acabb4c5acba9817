"""Panels: every column of a matrix stands in one of them, with zeros beside the last up to a whole vector."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from minicoord.kernels import panels
from minicoord.kernels.memory import ALIGNMENT
from minicoord.kernels.panels import packed, panel_width, whole_vectors
from minicoord.kernels.vectors import lanes


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
        for shape in ((1, 1, 1), (3, 2, 5), (1, 2, 9)):
            w = np.random.default_rng(columns).standard_normal((*shape, columns)).astype(dtype)
            flat = packed(w)
            found, beside = unpacked(flat, int(np.prod(shape)), columns)
            assert np.array_equal(found, w.reshape(-1, columns))
            assert not beside.any()
            assert flat.ctypes.data % ALIGNMENT == 0


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize(
    "view",
    [
        lambda w: w[::-1, ::-1],
        lambda w: w.transpose(0, 1, 3, 2),
        lambda w: w[1::2, ::3][::-1, ::-1].transpose(0, 1, 3, 2),  # one phase of the adjoint
        lambda w: w[:, :, 2:5],
        lambda w: w[:, :, :0],
    ],
    ids=["flipped", "transposed", "a phase", "some channels", "no channels"],
)
def test_views_are_packed_as_they_look(view):
    w = np.random.default_rng(0).standard_normal((4, 5, 6, 19))
    seen = view(w)
    rows, columns = int(np.prod(seen.shape[:3])), seen.shape[3]
    found, beside = unpacked(packed(w, seen), rows, columns)
    assert np.array_equal(found, seen.reshape(rows, columns))
    assert not beside.any()


@pytest.mark.usefixtures("either_way")
def test_panels_may_stand_among_others():
    w = np.random.default_rng(1).standard_normal((1, 1, 7, 3))
    size = 7 * whole_vectors(3, w.dtype)
    space = np.full(size + 20, 5.0)
    packed(w, out=space[10 : 10 + size])
    assert np.array_equal(unpacked(space[10 : 10 + size], 7, 3)[0], w[0, 0])
    assert (space[:10] == 5).all() and (space[10 + size :] == 5).all()


@pytest.mark.usefixtures("either_way")
def test_a_kernel_in_any_order_is_packed_as_it_looks():
    w = np.asfortranarray(np.random.default_rng(2).standard_normal((2, 3, 4, 5)))
    for view in (w, w[:, :, 1:3], w[::-1, ::-1].transpose(0, 1, 3, 2)):
        rows, columns = int(np.prod(view.shape[:3])), view.shape[3]
        assert np.array_equal(unpacked(packed(w, view), rows, columns)[0], view.reshape(rows, columns))
