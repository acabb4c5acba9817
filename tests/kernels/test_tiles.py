"""How a convolution is cut and grouped: every way of doing it, on shapes that take that way, against the oracle."""

import numpy as np
import pytest
from numpy.typing import DTypeLike

from minicoord import reference
from minicoord.kernels.convolution import conv2d, conv2d_backward
from minicoord.kernels.geometry import window
from minicoord.kernels.grouping import folded, group_size, grouped, spread
from minicoord.kernels.tiles import FEWEST_ROWS, MOST_ROWS, SMALL_PRODUCT, Blocks, cut
from minicoord.kernels.transposed import conv_transpose2d, conv_transpose2d_backward


def relative_difference(ours, oracle):
    return np.abs(ours - oracle).max() / max(1.0, np.abs(oracle).max())


def assert_all_agree(x_shape, w_shape, stride, padding, relu=True, dtype: DTypeLike = np.float32, transposed=False):
    """Compare forward and backward pass with the oracle, in float64 the oracle."""
    forward, backward = (conv_transpose2d, conv_transpose2d_backward) if transposed else (conv2d, conv2d_backward)
    name = "conv_transpose2d" if transposed else "conv2d"
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal(x_shape).astype(dtype), rng.standard_normal(w_shape).astype(dtype)
    b = rng.standard_normal(w_shape[2] if transposed else w_shape[3]).astype(dtype)
    y = forward(x, w, b, stride, padding, relu)
    exact = getattr(reference, name)(*(a.astype(np.float64) for a in (x, w, b)), stride, padding, relu)
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    assert relative_difference(y, exact) < tolerance
    dy = rng.standard_normal(y.shape).astype(dtype)
    ours = backward(x, w, dy, stride, padding, y if relu else None)
    wide = [a.astype(np.float64) for a in (x, w, dy)]
    theirs = getattr(reference, f"{name}_backward")(*wide, stride, padding, y.astype(np.float64) if relu else None)
    for mine, exactly in zip(ours, theirs, strict=True):
        assert relative_difference(mine, exactly) < tolerance


@pytest.mark.parametrize(
    "kernel, blocks",
    [
        ((3, 3, 8, 8), (1, 1)),  # the whole kernel is small
        ((3, 3, 128, 128), (3, 1)),  # row by row
        ((3, 2, 256, 128), (3, 2)),  # tap by tap
        ((2, 2, 512, 256), (1, 1)),  # too large for any cut: packed
    ],
)
def test_a_kernel_is_cut_as_coarsely_as_small_products_allow(kernel, blocks):
    found = cut(*kernel)
    assert found[:2] == blocks
    depth = kernel[0] * kernel[1] * kernel[2] // (blocks[0] * blocks[1])
    small = found.tile_rows * depth * kernel[3] <= SMALL_PRODUCT
    assert small or found == Blocks(1, 1, MOST_ROWS)
    assert FEWEST_ROWS <= found.tile_rows <= MOST_ROWS
    assert_all_agree((2, 3, 5, kernel[2]), kernel, (1, 1), "same")


def test_taps_are_cut_for_the_gradient_of_wide_pixels():
    assert cut(3, 3, 64, 64, fine=True)[:2] == (3, 3)
    assert_all_agree((2, 7, 6, 64), (3, 3, 64, 5), (2, 1), ((1, 0), (2, 1)))


@pytest.mark.parametrize("width", [8, 12, 6, 7, 1])
@pytest.mark.parametrize("c_in, c_out", [(1, 8), (8, 2), (2, 1), (8, 8)])
@pytest.mark.parametrize("kernel, stride, padding", [((3, 3), 1, "same"), ((2, 5), 2, "same"), ((3, 3), 1, "valid")])
def test_neighbours_are_grouped_where_the_row_allows(width, c_in, c_out, kernel, stride, padding):
    height = 5 if padding == "same" else 7
    width = width if padding == "same" else width + 2
    assert_all_agree((3, height, width, c_in), (*kernel, c_in, c_out), (stride, stride), padding)


def test_groups_divide_the_row_and_leave_1x1_kernels_alone():
    for width in range(1, 20):
        win = window(5, width, 3)
        for channels in [(1, 1), (1, 16), (8, 8), (64, 64)]:
            assert win.out_w % group_size(win, *channels) == 0
    assert group_size(window(64, 64, 1), 1, 1) == 1
    assert group_size(window(64, 64, 3), 1, 8) > 1, "the shape that grouping is for"


@pytest.mark.parametrize("group, stride", [(1, 1), (2, 1), (4, 2), (2, 3)])
def test_the_wide_convolution_is_the_narrow_one(group, stride):
    rng = np.random.default_rng(1)
    x, w = rng.standard_normal((2, 6, 4 * group * stride + 1, 3)), rng.standard_normal((3, 2, 3, 5))
    win = window(6, x.shape[2], (3, 2), (1, stride), "valid")
    win = win._replace(out_w=win.out_w // group * group)
    wide, place = spread(w, win, group), grouped(win, group)
    y = reference.conv2d(x, wide, None, (place.sy, place.sx), "valid")
    narrow = reference.conv2d(x, w, None, (1, stride), "valid")[:, :, : win.out_w]
    assert y[:, :, : place.out_w].reshape(narrow.shape) == pytest.approx(narrow)


def test_folding_is_the_adjoint_of_spreading():
    rng = np.random.default_rng(2)
    win = window(6, 8, (3, 3), (1, 2))
    w = rng.standard_normal((3, 3, 2, 4))
    wide = spread(w, win, 2)
    other = rng.standard_normal(wide.shape)
    assert (wide * other).sum() == pytest.approx((w * folded(other, win, 2)).sum())


@pytest.mark.parametrize("size", [(4, 4), (3, 5), (1, 1)])
@pytest.mark.parametrize("kernel", [(3, 3), (2, 5), (4, 4), (1, 1), (5, 2)])
@pytest.mark.parametrize("stride", [(2, 2), (1, 2), (3, 2)])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("channels", [(6, 1), (2, 5)])  # up to 4 channels all phases are computed at once
def test_transposed_convolution_with_all_its_phases(size, kernel, stride, padding, channels):
    c_in, c_out = channels
    assert_all_agree((2, *size, c_in), (*kernel, c_out, c_in), stride, padding, transposed=True)


@pytest.mark.parametrize("padding", ["same", "valid", ((2, 0), (1, 3))])
@pytest.mark.parametrize("c_in", [1, 4, 5])
def test_the_gradient_by_an_image_of_few_channels(padding, c_in):
    assert_all_agree((2, 9, 8, c_in), (5, 3, c_in, 6), (2, 3), padding, dtype=np.float64)
