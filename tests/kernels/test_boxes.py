"""Boxes: the IOU against the oracle and against counted pixels, and non-maximum suppression."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from minicoord import reference
from minicoord.kernels.boxes import box_iou, nms


@st.composite
def boxes(draw, least: int = 0):
    """Boxes of which many overlap, touch or are equal, and some have no area."""
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    drawn = rng.uniform(0, 8, (draw(st.integers(least, 9)), 4)).astype(draw(st.sampled_from([np.float32, np.float64])))
    return np.floor(drawn) if draw(st.booleans()) else drawn


@settings(max_examples=50, deadline=None)
@given(boxes(), boxes())
def test_the_iou_of_all_pairs_equals_the_oracle(a, b):
    b = b.astype(a.dtype)
    iou = box_iou(a, b)
    assert iou.dtype == a.dtype and iou.shape == (len(a), len(b))
    np.testing.assert_allclose(iou, reference.box_iou(a, b), rtol=0, atol=1e-6 if a.dtype == np.float32 else 1e-14)


def test_the_iou_is_that_of_counted_pixels():
    """Boxes on whole pixels, painted on a canvas that is not square."""
    rng = np.random.default_rng(0)
    first = rng.integers(0, (9, 14), (12, 2))
    side = rng.integers(1, 8, (12, 2))
    painted = np.zeros((12, 17, 22), bool)
    for mask, (top, left), (h, w) in zip(painted, first, side, strict=True):
        mask[top : top + h, left : left + w] = True
    both = (painted[:, None] & painted).sum(axis=(2, 3))
    either = (painted[:, None] | painted).sum(axis=(2, 3))
    drawn = np.concatenate([first + side / 2, side], axis=1)
    np.testing.assert_allclose(box_iou(drawn, drawn), both / either, rtol=1e-14)


def test_boxes_of_several_images_do_not_meet():
    rng = np.random.default_rng(1)
    a, b = rng.uniform(1, 9, (3, 6, 4)), rng.uniform(1, 9, (3, 2, 4))
    iou = box_iou(a, b)
    for n in range(3):
        np.testing.assert_array_equal(iou[n], box_iou(a[n], b[n]))
    assert box_iou(a, b[:, :0]).shape == (3, 6, 0) and box_iou(a[:0], b[:0]).shape == (0, 6, 2)


def test_a_square_that_is_shifted_has_the_known_iou():
    square = np.array([[30.0, 30.0, 9.0, 9.0]])
    shifted = square + [[0, k, 0, 0] for k in (1, 2, 3)]
    np.testing.assert_allclose(box_iou(square, shifted)[0], [72 / 90, 63 / 99, 54 / 108])


def test_boxes_without_area_have_no_overlap():
    points = np.array([[2.0, 2.0, 0.0, 0.0], [2.0, 2.0, 0.0, 5.0], [2.0, 2.0, 3.0, 3.0]])
    np.testing.assert_array_equal(box_iou(points, points), np.diag([0.0, 0.0, 1.0]))


@settings(max_examples=50, deadline=None)
@given(boxes(), st.floats(0, 1), st.integers(1, 12), st.integers(0, 99))
def test_what_is_kept_equals_the_oracle(drawn, threshold, most, seed):
    scores = np.random.default_rng(seed).integers(0, 5, len(drawn)).astype(drawn.dtype)  # with ties
    kept = nms(drawn, scores, threshold, most)
    assert kept.dtype == np.int64 and len(kept) <= most
    np.testing.assert_array_equal(kept, reference.nms(drawn, scores, threshold, most))


def test_the_best_boxes_stay_and_those_that_overlap_them_go():
    drawn = np.array([[5, 5, 4, 4], [5, 5.2, 4, 4], [5, 9, 4, 4], [5, 5.4, 4, 4], [20, 5, 4, 4]], float)
    scores = np.array([0.9, 0.8, 0.3, 0.95, -2.0])
    assert nms(drawn, scores, 0.8, 10).tolist() == [3, 2, 4]  # the first overlaps by 3.6 / 4.4, above .8
    assert nms(drawn, scores, 0.82, 10).tolist() == [3, 0, 2, 4]
    assert nms(drawn, scores, 0.8, 2).tolist() == [3, 2]
    assert nms(drawn, scores, 1.0, 10).tolist() == [3, 0, 1, 2, 4]


def test_an_overlap_of_exactly_the_threshold_is_kept():
    drawn = np.array([[2.0, 2.0, 4.0, 4.0], [2.0, 3.0, 4.0, 2.0]])  # IOU 8 / 16
    assert len(nms(drawn, np.zeros(2), 0.5, 9)) == 2 and len(nms(drawn, np.zeros(2), 0.49, 9)) == 1


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda a: box_iou(a, a[:, :3]), ValueError, r"box_iou: b has shape \(2, 3\), wanted \(B, 4\)"),
        (lambda a: box_iou(a, a[None]), ValueError, r"box_iou: b has shape \(1, 2, 4\), wanted \(B, 4\)"),
        (lambda a: box_iou(a[0], a[0]), ValueError, r"wanted \(A, 4\) and \(B, 4\)"),
        (lambda a: box_iou(a[None], np.stack([a, a])), ValueError, r"a has shape \(1, 2, 4\) and b \(2, 2, 4\)"),
        (lambda a: box_iou(a, a.astype(np.float32)), TypeError, "box_iou: the dtypes differ"),
        (lambda a: box_iou(a.astype(int), a), TypeError, "box_iou: a has dtype int64"),
        (lambda a: box_iou(a, -a), ValueError, "box_iou: b has a box that is not finite or has a side below 0"),
        (lambda a: box_iou(a * np.nan, a), ValueError, "box_iou: a has a box that is not finite"),
        (lambda a: nms(a[0], a[0, :1], 0.8, 10), ValueError, r"nms: boxes has shape \(4,\), wanted \(A, 4\)"),
        (lambda a: nms(a, a[:, 0], -0.1, 10), ValueError, "nms: threshold was -0.1, wanted a number from 0 to 1"),
        (lambda a: nms(a, a[:, 0], 0.8, 0), ValueError, "nms: most was 0, wanted a whole number of at least 1"),
        (lambda a: nms(a, a[:1, 0], 0.8, 10), ValueError, r"nms: scores has shape \(1,\), wanted \(2,\)"),
        (lambda a: nms(a, a[:, 0] * np.nan, 0.8, 10), ValueError, "nms: scores has a number that is not finite"),
        (lambda a: nms(a, a[:, 0].astype(np.float32), 0.8, 10), TypeError, "nms: the dtypes differ"),
    ],
)
def test_a_wrong_argument_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call(np.ones((2, 4)))
