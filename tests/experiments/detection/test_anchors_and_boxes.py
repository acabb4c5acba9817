"""Anchors and their order; decode and encode as inverses, on maps that are not square; clipping."""

from __future__ import annotations

import numpy as np
import pytest

from minicoord.experiments.detection.anchors import SIZES, anchors
from minicoord.experiments.detection.boxes import centred_outside, clip, decode, edges, encode, inside
from minicoord.experiments.detection.networks import ANCHORS, box_branch, trunk


@pytest.mark.parametrize("padding, side, count, first, last", [("valid", 13, 1521, 8, 56), ("same", 16, 2304, 2, 62)])
def test_there_are_as_many_anchors_as_in_the_paper(padding, side, count, first, last):
    grid = anchors(side, side, padding)
    assert grid.shape == (side, side, 9, 4) and grid[..., 0].size == count and grid.dtype == np.float32
    assert np.unique(grid[..., 0]).tolist() == np.unique(grid[..., 1]).tolist() == list(range(first, last + 1, 4))
    assert len(SIZES) == ANCHORS
    assert trunk(padding=padding).output_shape((1, 64, 64, 1))[1:3] == (side, side)


def test_every_position_has_its_own_centre_and_all_sizes():
    grid = anchors(3, 5)
    for row, column in np.ndindex(3, 5):
        for k, (h, w) in enumerate(SIZES):
            assert grid[row, column, k].tolist() == [8 + 4 * row, 8 + 4 * column, h, w]


@pytest.mark.compiled  # too slow without
def test_a_position_sees_the_pixels_around_its_centre():
    """The pixels that change a position of the second pooling, on the row and the column through its centre."""
    model = trunk(rng=0)
    before_last = type(model)(model.layers[:4])
    for row, column in ((0, 0), (3, 7)):
        i, j = anchors(13, 9)[row, column, 0, :2].astype(int)
        images = np.zeros((1 + 64 + 48, 64, 48, 1), np.float32)  # nothing, a pixel in each row, one in each column
        images[np.arange(1, 65), np.arange(64), j] = 100
        images[np.arange(65, 113), i, np.arange(48)] = 100
        maps = before_last.forward(images)[:, row, column]
        seen = (maps[1:] != maps[0]).any(axis=1)
        assert np.flatnonzero(seen[:64]).tolist() == list(range(i - 8, i + 8))
        assert np.flatnonzero(seen[64:]).tolist() == list(range(j - 8, j + 8))


def test_the_official_order_scrambles_the_anchors():
    """What the released code gives at position (1, 2): 36 numbers by coordinate, read in fours."""
    scrambled = anchors(13, 13, official=True)[1, 2]
    assert scrambled.tolist() == [
        *([12, 12, 12, 12], [12, 12, 12, 12], [12, 16, 16, 16]),
        *([16, 16, 16, 16], [16, 16, 15, 20], [25, 15, 20, 20]),
        *([25, 15, 25, 15], [20, 25, 20, 25], [15, 20, 25, 15]),
    ]
    right = anchors(4, 3)
    assert np.array_equal(np.sort(anchors(4, 3, official=True).reshape(12, 36)), np.sort(right.reshape(12, 36)))


def test_an_unknown_padding_is_named():
    with pytest.raises(ValueError, match="padding was 'full', wanted 'valid' or 'same'"):
        anchors(3, 3, "full")


@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 1e-4), (np.float64, 1e-12)])
@pytest.mark.parametrize("rows, columns", [(3, 7), (7, 3), (1, 1)])
def test_decode_and_encode_are_inverses(rows, columns, dtype, tolerance):
    rng = np.random.default_rng(0)
    grid = anchors(rows, columns).astype(dtype)
    boxes = rng.uniform((0, 0, 5, 5), (64, 64, 40, 40), grid.shape).astype(dtype)
    transforms = encode(boxes, grid)
    assert transforms.dtype == decode(transforms, grid).dtype == dtype
    np.testing.assert_allclose(decode(transforms, grid), boxes, atol=tolerance * 40)
    drawn = rng.standard_normal(grid.shape).astype(dtype)
    np.testing.assert_allclose(encode(decode(drawn, grid), grid), drawn, atol=tolerance * 4)


def test_the_four_numbers_do_what_they_say():
    anchor = np.array([20.0, 30.0, 10.0, 15.0])
    np.testing.assert_array_equal(decode(np.zeros(4), anchor), anchor)
    np.testing.assert_allclose(decode(np.array([-0.5, 0, 0, 0]), anchor), [15, 30, 10, 15])
    np.testing.assert_allclose(decode(np.array([0, 0.2, 0, 0]), anchor), [20, 33, 10, 15])
    np.testing.assert_allclose(decode(np.array([0, 0, np.log(3), 0]), anchor), [20, 30, 30, 15])
    np.testing.assert_allclose(decode(np.array([0, 0, 0, -np.log(5)]), anchor), [20, 30, 10, 3])


def test_the_branchs_channels_are_the_anchors_in_their_order():
    """The map (N, rows, columns, 36) as (N, A, 4): box k of a position gets channels 4 k to 4 k + 3."""
    rows, columns = 4, 6
    branch = box_branch(rng=0)
    output = branch.forward(np.zeros((2, rows, columns, 32), np.float32))
    assert output.shape == (2, rows, columns, 4 * ANCHORS)
    output = np.zeros_like(output)
    output[1, 2, 3, 4 * 5 + 1] = 1  # the column of anchor 5 moves by its width
    boxes = decode(output.reshape(2, -1, 4), anchors(rows, columns).reshape(-1, 4))
    moved = boxes[1].reshape(rows, columns, ANCHORS, 4) - anchors(rows, columns)
    assert np.argwhere(moved).tolist() == [[2, 3, 5, 1]] and moved[2, 3, 5, 1] == SIZES[5][1]


def test_edges_and_clipping():
    boxes = np.array([[10.0, 20, 8, 6], [2, 62, 8, 6], [-9, 20, 8, 6], [32, 32, 200, 10]])
    first, last = edges(boxes)
    assert first[0].tolist() == [6, 17] and last[0].tolist() == [14, 23]
    clipped = clip(boxes, 64, 63)
    np.testing.assert_array_equal(clipped, [[10, 20, 8, 6], [3, 61, 6, 4], [0, 20, 0, 6], [32, 32, 64, 10]])
    np.testing.assert_array_equal(clip(clipped, 64, 63), clipped)
    assert clip(boxes.astype(np.float32), 64, 64).dtype == np.float32


def test_a_box_is_inside_up_to_the_edge():
    boxes = np.array([[5.0, 7, 10, 14], [5, 7, 10.1, 14], [5, 57, 10, 14], [59, 7, 10, 14], [59.1, 7, 10, 14]])
    assert inside(boxes, 64, 64).tolist() == [True, False, True, True, False]
    assert inside(boxes, 64, 60).tolist() == [True, False, False, True, False]


def test_a_box_counts_as_outside_by_its_centre_alone():
    boxes = np.array([[0, 20, 50, 9], [-0.1, 20, 50, 9], [30, 20, 5, 90], [30, 20.1, 5, 9], [31, 5, 3, 3]], np.float32)
    assert centred_outside(boxes, 30, 20).tolist() == [False, True, False, True, True]
    assert centred_outside(boxes[:0], 30, 20).shape == (0,)
