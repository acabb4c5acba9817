"""Parts of images drawn into boxes: against the oracle, and what a reader would expect of a few pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from minicoord import reference
from minicoord.kernels.resize import draw_resized

WHOLE = np.array([[0, 0, 2, 2]])
IMAGE = np.array([[[0.1, 0.3], [0.5, 0.9]]])
BOX = np.array([[[2.0, 3.0, 4.0, 6.0]]])


@st.composite
def drawings(draw):
    """Images of any size, parts of them, and boxes that lie on, stick out of or lie beside their canvas."""
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    m, height, width = (draw(st.integers(1, most)) for most in (3, 5, 6))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    images = rng.random((m, height, width)).astype(dtype)
    first = rng.integers(0, (height, width), (m, 2))
    parts = np.concatenate([first, rng.integers(1, np.array([height, width]) - first + 1)], axis=1)
    n, k, rows, columns = (draw(st.integers(least, 7)) for least in (0, 0, 1, 1))
    boxes = rng.uniform((-3, -3, 0.1, 0.1), (rows + 3, columns + 3, 9, 9), (n, k, 4))
    if draw(st.booleans()):
        boxes = np.ceil(boxes * 2) / 2  # edges on edges and centres of pixels
    which = rng.integers(-1, m, (n, k))
    return images, parts, which, boxes, rows, columns


@settings(max_examples=60, deadline=None)
@given(drawings())
def test_drawings_equal_those_of_the_oracle(arguments):
    ours, wanted = draw_resized(*arguments), reference.draw_resized(*arguments)
    assert ours.dtype == arguments[0].dtype and ours.shape == wanted.shape
    np.testing.assert_allclose(ours, wanted, atol=1e-6 if ours.dtype == np.float32 else 1e-12)


def test_a_part_at_its_own_size_on_whole_pixels_is_unchanged():
    images = np.random.default_rng(0).random((1, 5, 7))
    drawn = draw_resized(images, np.array([[1, 2, 3, 4]]), np.array([[0]]), np.array([[[4.5, 4.0, 3.0, 4.0]]]), 8, 9)
    wanted = np.zeros((8, 9))
    wanted[3:6, 2:6] = images[0, 1:4, 2:6]
    np.testing.assert_allclose(drawn[0, :, :, 0], wanted, atol=1e-15)


def test_pixels_are_interpolated_and_edges_continued():
    drawn = draw_resized(IMAGE, WHOLE, np.array([[0]]), np.array([[[2.0, 2.0, 4.0, 4.0]]]), 4, 4)[0, :, :, 0]
    np.testing.assert_allclose(drawn[0], [0.1, 0.15, 0.25, 0.3])
    np.testing.assert_allclose(drawn[:, 0], [0.1, 0.2, 0.4, 0.5])
    np.testing.assert_allclose(drawn[1, 1], 0.75 * (0.75 * 0.1 + 0.25 * 0.3) + 0.25 * (0.75 * 0.5 + 0.25 * 0.9))


def test_drawings_are_added_in_each_canvas_and_clipped():
    boxes = np.tile(BOX, (2, 2, 1))
    drawn = draw_resized(IMAGE, WHOLE, np.array([[0, 0], [-1, 0]]), boxes, 4, 6)[..., 0]
    assert drawn[0].max() == 1 and drawn[1].max() == pytest.approx(0.9)
    np.testing.assert_allclose(drawn[0], np.minimum(2 * drawn[1], 1))


def test_a_box_that_is_not_drawn_may_hold_anything():
    drawn = draw_resized(IMAGE, WHOLE, np.array([[-1]]), np.full((1, 1, 4), np.nan), 2, 3)
    np.testing.assert_array_equal(drawn, np.zeros((1, 2, 3, 1)))


@pytest.mark.parametrize(
    "changes, error, words",
    [
        ({"images": IMAGE[0]}, ValueError, r"images has shape \(2, 2\), wanted \(M, H, W\)"),
        ({"images": IMAGE.astype(np.uint8)}, TypeError, "images has dtype uint8"),
        ({"parts": WHOLE[:, :3]}, ValueError, r"parts has shape \(1, 3\), wanted \(1, 4\)"),
        ({"parts": WHOLE.astype(float)}, TypeError, "parts has dtype float64, wanted int64"),
        ({"parts": np.array([[0, 1, 2, 2]])}, ValueError, r"sticks out of its image of \(2, 2\) pixels"),
        ({"parts": np.array([[0, 0, 0, 2]])}, ValueError, "has a part that is empty"),
        ({"which": np.array([[1]])}, ValueError, "which has an index outside -1 to 0"),
        ({"which": [[0]]}, TypeError, "which is of type list, wanted a NumPy array"),
        ({"boxes": BOX.astype(np.float32)}, TypeError, "boxes has dtype float32, wanted float64"),
        ({"boxes": BOX[:, :, :3]}, ValueError, r"boxes has shape \(1, 1, 3\), wanted \(1, 1, 4\)"),
        ({"boxes": BOX * [1, 1, 0, 1]}, ValueError, "not finite or has a side of 0 or less"),
        ({"boxes": BOX * np.inf}, ValueError, "not finite or has a side of 0 or less"),
        ({"height": 0}, ValueError, "height was 0, wanted a whole number of at least 1"),
        ({"width": 2.5}, ValueError, "width was 2.5, wanted a whole number"),
    ],
)
def test_a_wrong_argument_is_named(changes, error, words):
    arguments = {"images": IMAGE, "parts": WHOLE, "which": np.array([[0]]), "boxes": BOX, "height": 4, "width": 6}
    with pytest.raises(error, match=words):
        draw_resized(**{**arguments, **changes})
