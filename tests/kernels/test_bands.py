"""Bands: what lies under the kernel is im2col's matrix, read where the numbers are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from minicoord import reference
from minicoord.kernels.backend.runtime import helper, launch
from minicoord.kernels.bands import read_bands
from minicoord.kernels.convolution import conv2d, conv2d_backward
from minicoord.kernels.division import band_numbers
from minicoord.kernels.geometry import Window, window
from minicoord.kernels.im2col import col2im, im2col

SPARE = 8  # numbers of scratch memory behind the bands, which nobody may touch
IMAGES = 4


@helper
def _read(x, gate, images, coordinates, win, n, count, line, lines, space):
    """Return where the matrix begins, and its steps; an address would mean nothing outside of compiled code."""
    left = read_bands(x, gate, images, coordinates, win, n, count, line, lines, space)
    return left.start, left.rows, left.ks


def matrix(
    x: NDArray, win: Window, n: int, line: int, lines: int, count: int = 1, coordinates: Any = None, gate: Any = None
) -> tuple[NDArray, bool]:
    """Return the matrix that the bands of `count` images stand for, and whether it lies in x itself.

    It has the shape (count * lines * out_w, kh * kw * channels).
    """
    d = 0 if coordinates is None else coordinates.shape[2]
    channels = x.shape[3] + d
    space = np.full(count * band_numbers(win, lines, channels) + SPARE, np.nan, x.dtype)
    flat, beside, hiding = ((np.empty(0, x.dtype) if a is None else a).reshape(-1) for a in (x, coordinates, gate))
    which = win, n, count, line, lines
    start, rows, ks = launch(_read, flat, hiding, (*x.shape, d), beside, *which, space)
    assert np.isnan(space[-SPARE:]).all()
    in_place = bool(np.isnan(space).all())
    numbers = x.reshape(-1) if in_place else space[:-SPARE]
    shape = count, lines, win.out_w, 1, win.kh, win.kw * channels
    steps = *rows, *ks
    last = start + sum(step * (size - 1) for step, size in zip(steps, shape, strict=True))
    assert 0 <= start <= last < numbers.size
    found = as_strided(numbers[start:], shape, [step * x.itemsize for step in steps])
    return found.reshape(count * lines * win.out_w, -1), in_place  # (count, lines, out_w, 1, kh, ...) -> (rows, ...)


def images(height: int, width: int, channels: int, dtype: type = np.float64) -> NDArray:
    return np.random.default_rng(0).standard_normal((IMAGES, height, width, channels)).astype(dtype)


def rows_of(cols: NDArray, win: Window, n: int, line: int, lines: int, count: int = 1) -> NDArray:
    """Return the rows of im2col's matrix for some lines of output positions in `count` images from n on."""
    by_line = cols.reshape(-1, win.out_h, win.out_w, cols.shape[1])
    return by_line[n : n + count, line : line + lines].reshape(-1, cols.shape[1])


SOME = [(0, 1), (1, 1), (3, 1), (0, 2), (1, 3), (0, IMAGES)]  # the first image, and how many


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
    for n, count in SOME:
        for line, lines in ((0, win.out_h), (0, 1), (win.out_h - 1, 1), (win.out_h // 2, (win.out_h + 1) // 2)):
            found, _ = matrix(x, win, n, line, lines, count)
            assert np.array_equal(found, rows_of(slow, win, n, line, lines, count))


def test_nothing_is_copied_where_no_window_reaches_into_the_padding():
    x = images(9, 8, 3)
    for size, stride, padding in [((1, 1), 1, "same"), ((3, 3), 1, "valid"), ((2, 3), 2, "valid"), ((1, 1), 3, "same")]:
        win = window(9, 8, size, stride, padding)
        for n, count in SOME:
            assert matrix(x, win, n, 0, win.out_h, count)[1]
    win = window(9, 8, (3, 1), 1, "same")  # rows of padding alone, so the lines in the middle need none
    for count in (1, 3):
        assert [matrix(x, win, 0, line, 3, count)[1] for line in (0, 1, 5, 6)] == [False, True, True, False]
    win = window(9, 8, (3, 3), 1, "same")
    assert not matrix(x, win, 0, 4, 1)[1]


@pytest.mark.parametrize("size, stride, padding", KERNELS)
def test_a_gate_hides_what_is_behind_it_but_no_nan(size, stride, padding):
    x = images(8, 9, 3)
    gate = np.random.default_rng(1).choice([-1.0, -0.0, 0.0, 1e-300, np.nan, np.inf], x.shape)
    win = window(8, 9, size, stride, padding)
    slow = reference.im2col(np.where(gate <= 0, 0, x), size, stride, padding)
    for n, count in SOME:
        for line, lines in ((0, win.out_h), (win.out_h - 1, 1)):
            found, in_place = matrix(x, win, n, line, lines, count, gate=gate)
            assert np.array_equal(found, rows_of(slow, win, n, line, lines, count))
            assert not in_place


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("size, stride, padding", KERNELS)
def test_coordinates_stand_beside_the_channels_of_every_image(size, stride, padding, d):
    x = images(8, 9, 3)
    coordinates = np.random.default_rng(2).standard_normal((8, 9, d))
    win = window(8, 9, size, stride, padding)
    both = np.concatenate([x, np.broadcast_to(coordinates, (IMAGES, 8, 9, d))], axis=3)
    slow = reference.im2col(both, size, stride, padding)
    for n, count in SOME:
        for line, lines in ((0, win.out_h), (win.out_h - 1, 1)):
            found, _ = matrix(x, win, n, line, lines, count, coordinates=coordinates)
            assert np.array_equal(found, rows_of(slow, win, n, line, lines, count))


@pytest.mark.parametrize("top, left", [(-2, -1), (-1, 2), (3, -4), (-9, 0), (0, -9), (-12, -12)])
def test_a_window_may_begin_inside_the_image_or_beyond_it(top, left):
    """As those of the adjoint do: with negative padding the first rows and columns are not looked at."""
    x, places = images(9, 8, 2), 5
    win = Window(2, 3, 1, 1, top, 0, left, 0, places, places)
    shown = np.zeros((IMAGES, 40, 40, 2))  # the image in a frame of zeros, so that any window lies inside
    shown[:, 15 : 15 + 9, 15 : 15 + 8] = x
    frame = shown[:, 15 - top : 15 - top + places + 1, 15 - left : 15 - left + places + 2]
    slow = reference.im2col(frame, (2, 3), 1, "valid")
    for n, count in SOME:
        found, _ = matrix(x, win, n, 0, places, count)
        assert np.array_equal(found, rows_of(slow, win, n, 0, places, count))


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
