"""Coordinate channels and tiling: against the oracle, at the edges of the definition, and as adjoints."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from minicoord import reference
from minicoord.kernels.coordinates import add_coords, add_coords_backward, coordinate_channels, tile, tile_backward

DTYPES = st.sampled_from([np.float32, np.float64])
LENGTHS = st.integers(1, 7)


@st.composite
def images(draw, least_channels=0):
    shape = (draw(st.integers(0, 3)), draw(LENGTHS), draw(LENGTHS), draw(st.integers(least_channels, 4)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return rng.standard_normal(shape).astype(draw(DTYPES))


@settings(max_examples=25, deadline=None)
@given(LENGTHS, LENGTHS, st.booleans(), DTYPES)
def test_coordinate_channels_equal_the_oracle(height, width, with_r, dtype):
    channels = coordinate_channels(height, width, with_r, dtype)
    expected = reference.coordinate_channels(height, width, with_r, dtype)
    assert channels.dtype == dtype
    assert channels.shape == expected.shape
    np.testing.assert_allclose(channels, expected, rtol=1e-6, atol=1e-7)


def test_coordinates_of_a_rectangle_end_at_exactly_one_on_both_axes():
    i, j = np.moveaxis(coordinate_channels(3, 7), 2, 0)
    assert (i[:, 0].tolist(), i[0].tolist()) == ([-1, 0, 1], [-1] * 7), "i must run over rows only"
    assert (j[:, 0].tolist(), j[0, [0, 3, 6]].tolist()) == ([-1] * 3, [-1, 0, 1]), "j must run over columns only"


def test_a_single_row_or_column_has_coordinate_zero():
    row = coordinate_channels(1, 3, with_r=True)
    np.testing.assert_array_equal(row[0], [[0, -1, 1], [0, 0, 0], [0, 1, 1]])
    np.testing.assert_array_equal(coordinate_channels(3, 1)[:, 0], [[-1, 0], [0, 0], [1, 0]])
    np.testing.assert_array_equal(coordinate_channels(1, 1, with_r=True), np.zeros((1, 1, 3)))


@pytest.mark.parametrize("height, width", [(5, 5), (5, 9), (4, 6), (1, 5)])
def test_r_is_smallest_in_the_centre_and_the_same_in_all_corners(height, width):
    r = coordinate_channels(height, width, with_r=True, dtype=np.float64)[:, :, 2]
    assert r[height // 2, width // 2] == r.min()
    np.testing.assert_allclose(r, r[::-1, ::-1], atol=1e-15)
    assert r[0, 0] == r[-1, 0] == r[0, -1] == r.max() == pytest.approx(np.sqrt(2) if height > 1 else 1)


@settings(max_examples=25, deadline=None)
@given(images(), st.booleans())
def test_add_coords_equals_the_oracle(x, with_r):
    y = add_coords(x, with_r)
    assert y.dtype == x.dtype
    np.testing.assert_array_equal(y[..., : x.shape[3]], x)
    np.testing.assert_allclose(y, reference.add_coords(x, with_r), rtol=1e-6, atol=1e-7)


@settings(max_examples=25, deadline=None)
@given(images(least_channels=3), st.booleans())
def test_add_coords_backward_equals_the_oracle(dy, with_r):
    dx = add_coords_backward(dy, with_r)
    assert dx.dtype == dy.dtype
    np.testing.assert_array_equal(dx, reference.add_coords_backward(dy, with_r))


@settings(max_examples=25, deadline=None)
@given(images())
def test_tile_and_its_gradient_equal_the_oracle(dy):
    vectors = dy[:, 0, 0]
    np.testing.assert_array_equal(tile(vectors, *dy.shape[1:3]), reference.tile(vectors, *dy.shape[1:3]))
    dv = tile_backward(dy)
    assert dv.dtype == dy.dtype
    np.testing.assert_allclose(dv, reference.tile_backward(dy), rtol=1e-5, atol=1e-5)


def test_tile_backward_is_the_adjoint_of_tile():
    rng = np.random.default_rng(0)
    v, dy = rng.standard_normal((3, 2)), rng.standard_normal((3, 5, 4, 2))
    assert np.sum(tile(v, 5, 4) * dy) == pytest.approx(np.sum(v * tile_backward(dy)), rel=1e-12)


def test_tile_backward_of_many_float32_pixels_is_exact_to_rounding():
    dy = np.full((1, 512, 512, 1), 0.1, np.float32)
    assert tile_backward(dy).item() == pytest.approx(float(np.float32(0.1)) * 512 * 512, rel=1e-7)


def test_nan_stays_where_it_is():
    x = np.zeros((2, 2, 3, 1), np.float32)
    x[1, 0, 2, 0] = np.nan
    assert np.argwhere(np.isnan(add_coords(x))).tolist() == [[1, 0, 2, 0]]
    assert np.isnan(tile_backward(x)).reshape(-1).tolist() == [False, True]


def test_a_view_gives_the_same_as_its_copy():
    x = np.random.default_rng(0).standard_normal((2, 4, 6, 3)).astype(np.float32)[:, ::2, ::-1]
    np.testing.assert_array_equal(add_coords(x), add_coords(x.copy()))


@pytest.mark.parametrize(
    "call, error, sentence",
    [
        (lambda: add_coords(np.zeros((3, 4))), ValueError, r"add_coords: x has shape \(3, 4\), wanted \(N, H, W, C\)"),
        (lambda: add_coords(np.zeros((1, 0, 4, 2))), ValueError, "at least one pixel"),
        (lambda: add_coords(np.zeros((1, 4, 4, 2), int)), TypeError, "add_coords: x has dtype int64, wanted float32"),
        (lambda: add_coords_backward(np.zeros((1, 4, 4, 2)), True), ValueError, r"wanted \(N, H, W, C \+ 3\)"),
        (lambda: coordinate_channels(0, 3), ValueError, r"coordinate_channels: \(height, width\) was \(0, 3\)"),
        (lambda: coordinate_channels(2, 3, dtype=np.int32), TypeError, "dtype was int32, wanted float32 or float64"),
        (lambda: tile(np.zeros((2, 2)), 2.5, 3), ValueError, r"tile: \(height, width\) was \(2.5, 3\)"),  # type: ignore
        (lambda: tile(np.zeros(2), 2, 3), ValueError, r"tile: v has shape \(2,\), wanted \(N, C\)"),
        (lambda: tile_backward(np.zeros((2, 2))), ValueError, r"wanted \(N, H, W, C\)"),
    ],
)
def test_a_wrong_argument_is_named(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
