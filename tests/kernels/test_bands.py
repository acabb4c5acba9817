"""Bands: what lies under the kernel is im2col's matrix, read where the numbers are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from minicoord import reference
from minicoord.kernels.bands import read_band
from minicoord.kernels.convolution import conv2d, conv2d_backward
from minicoord.kernels.convolve import band_numbers, no_coordinates
from minicoord.kernels.geometry import Window, window
from minicoord.kernels.im2col import col2im, im2col
from minicoord.kernels.runtime import helper, launch

SPARE = 8  # numbers of scratch memory behind the band, which nobody may touch


@helper
def _read(x, coordinates, gate, gated, win, n, line, lines, space):
    """Return where the matrix begins, and its steps; an address would mean nothing outside of compiled code."""
    left = read_band(x, coordinates, gate, gated, win, n, line, lines, space)
    return left.start, left.line, left.row, left.segment, left.k


def matrix(
    x: NDArray, win: Window, n: int, line: int, lines: int, coordinates: Any = None, gate: Any = None
) -> tuple[NDArray, bool]:
    """Return the matrix (lines * out_w, kh * kw * channels) that a band stands for, and whether it lies in x itself."""
    coordinates = no_coordinates(x.dtype) if coordinates is None else coordinates
    channels = x.shape[3] + coordinates.shape[2]
    space = np.full(band_numbers(win, lines, channels) + SPARE, np.nan, x.dtype)
    gated = gate is not None
    start, *steps = launch(_read, x, coordinates, gate if gated else x, gated, win, n, line, lines, space)
    assert np.isnan(space[-SPARE:]).all()
    in_place = bool(np.isnan(space).all())
    numbers = x.reshape(-1) if in_place else space[:-SPARE]
    shape = lines, win.out_w, win.kh, win.kw * channels
    last = start + sum(step * (size - 1) for step, size in zip(steps, shape, strict=True))
    assert 0 <= start <= last < numbers.size
    rows = as_strided(numbers[start:], shape, [step * x.itemsize for step in steps])
    return rows.reshape(lines * win.out_w, -1), in_place  # (lines, out_w, kh, kw * channels) -> (rows, ...)


def images(height: int, width: int, channels: int, dtype: type = np.float64) -> NDArray:
    return np.random.default_rng(0).standard_normal((2, height, width, channels)).astype(dtype)


def rows_of(cols: NDArray, win: Window, n: int, line: int, lines: int) -> NDArray:
    """Return the rows of im2col's matrix for some lines of places in image n."""
    return cols.reshape(-1, win.out_h, win.out_w, cols.shape[1])[n, line : line + lines].reshape(-1, cols.shape[1])


KERNELS: list[tuple[Any, Any, Any]] = [  # size, stride, padding
    ((3, 3), 1, "same"),
    ((3, 3), 1, "valid"),
    ((1, 1), 1, "same"),
    ((2, 5), (1, 2), "same"),
    ((3, 2), (2, 2), ((1, 0), (0, 2))),
    ((2, 2), 2, "valid"),
    ((2, 1), (3, 4), "valid"),
    ((2, 2), (3, 3), ((4, 2), (3, 5))),  # some windows lie wholly in the padding
    ((6, 7), 1, 3),
]
SIZES = [(6, 7, 1), (9, 5, 3), (6, 9, 2)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("height, width, channels", SIZES)
@pytest.mark.parametrize("size, stride, padding", KERNELS)
def test_a_band_is_the_matrix_of_im2col(size, stride, padding, height, width, channels, dtype):
    padding = 4 if padding == "valid" and (height < size[0] or width < size[1]) else padding
    x, win = images(height, width, channels, dtype), window(height, width, size, stride, padding)
    fast, slow = (module(x, size, stride, padding) for module in (im2col, reference.im2col))
    assert np.array_equal(fast, slow)
    for n in (0, 1):
        for line, lines in ((0, win.out_h), (0, 1), (win.out_h - 1, 1), (win.out_h // 2, (win.out_h + 1) // 2)):
            found, _ = matrix(x, win, n, line, lines)
            assert np.array_equal(found, rows_of(slow, win, n, line, lines))


def test_nothing_is_copied_where_no_window_reaches_into_the_padding():
    x = images(9, 8, 3)
    for size, stride, padding in [((1, 1), 1, "same"), ((3, 3), 1, "valid"), ((2, 3), 2, "valid"), ((1, 1), 3, "same")]:
        win = window(9, 8, size, stride, padding)
        assert matrix(x, win, 1, 0, win.out_h)[1]
    win = window(9, 8, (3, 1), 1, "same")  # rows of padding alone, so the lines in the middle need none
    assert [matrix(x, win, 0, line, 3)[1] for line in (0, 1, 5, 6)] == [False, True, True, False]
    win = window(9, 8, (3, 3), 1, "same")
    assert not matrix(x, win, 0, 4, 1)[1]


@pytest.mark.parametrize("size, stride, padding", KERNELS)
def test_a_gate_hides_what_is_behind_it_but_no_nan(size, stride, padding):
    x = images(8, 9, 3)
    gate = np.random.default_rng(1).choice([-1.0, -0.0, 0.0, 1e-300, np.nan, np.inf], x.shape)
    win = window(8, 9, size, stride, padding)
    slow = reference.im2col(np.where(gate <= 0, 0, x), size, stride, padding)
    for line, lines in ((0, win.out_h), (win.out_h - 1, 1)):
        found, in_place = matrix(x, win, 1, line, lines, gate=gate)
        assert np.array_equal(found, rows_of(slow, win, 1, line, lines))
        assert not in_place


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("size, stride, padding", KERNELS)
def test_coordinates_stand_beside_the_channels_of_every_image(size, stride, padding, d):
    x = images(8, 9, 3)
    coordinates = np.random.default_rng(2).standard_normal((8, 9, d))
    win = window(8, 9, size, stride, padding)
    both = np.concatenate([x, np.broadcast_to(coordinates, (2, 8, 9, d))], axis=3)
    slow = reference.im2col(both, size, stride, padding)
    for n in (0, 1):
        found, _ = matrix(x, win, n, 0, win.out_h, coordinates=coordinates)
        assert np.array_equal(found, rows_of(slow, win, n, 0, win.out_h))


@pytest.mark.parametrize("top, left", [(-2, -1), (-1, 2), (3, -4), (-9, 0), (0, -9), (-12, -12)])
def test_a_window_may_begin_inside_the_image_or_beyond_it(top, left):
    """As those of the adjoint do: with negative padding the first rows and columns are not looked at."""
    x, places = images(9, 8, 2), 5
    win = Window(2, 3, 1, 1, top, 0, left, 0, places, places)
    shown = np.zeros((2, 40, 40, 2))  # the image in a frame of zeros, so that any window lies inside
    shown[:, 15 : 15 + 9, 15 : 15 + 8] = x
    frame = shown[:, 15 - top : 15 - top + places + 1, 15 - left : 15 - left + places + 2]
    found, _ = matrix(x, win, 1, 0, places)
    assert np.array_equal(found, rows_of(reference.im2col(frame, (2, 3), 1, "valid"), win, 1, 0, places))


@pytest.mark.parametrize("size, stride, padding", KERNELS)
def test_convolution_is_a_product_with_the_public_matrix_forward_and_back(size, stride, padding):
    x, c_out = images(7, 8, 3), 4
    w = np.random.default_rng(3).standard_normal((*size, 3, c_out))
    cols = im2col(x, size, stride, padding)
    y = conv2d(x, w, None, stride, padding)
    np.testing.assert_allclose(y.reshape(-1, c_out), cols @ w.reshape(-1, c_out), rtol=0, atol=1e-12)
    dx, dw, _ = conv2d_backward(x, w, y, stride, padding)
    np.testing.assert_allclose(dw.reshape(-1, c_out), cols.T @ y.reshape(-1, c_out), rtol=0, atol=1e-10)
    back = y.reshape(-1, c_out) @ w.reshape(-1, c_out).T
    assert dx is not None
    np.testing.assert_allclose(dx, col2im(back, x.shape, size, stride, padding), rtol=0, atol=1e-11)
