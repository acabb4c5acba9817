"""Fields of digits: sizes, centres and overlaps as they are drawn, and boxes that fit the ink."""

from __future__ import annotations

import time

import numpy as np
import pytest

from minicoord import field_of_digits, shipped_images
from minicoord.datasets.digit_fields import ink_parts


@pytest.fixture(scope="module")
def digits():
    return shipped_images("mnist")


@pytest.fixture(scope="module")
def fields(digits):
    return field_of_digits(digits.train.images, count=2000, seed=3)


@pytest.mark.compiled  # too slow without
def test_the_images_are_canvases_with_five_digits(fields):
    assert fields.images.shape == (2000, 64, 64, 1) and fields.images.dtype == np.float32
    assert fields.boxes.shape == (2000, 5, 4) and fields.digits.shape == (2000, 5)
    assert fields.images.min() == 0 and fields.images.max() == 1 and len(fields) == 2000
    assert set(fields.digits.ravel().tolist()) <= set(range(4000))


@pytest.mark.compiled  # too slow without
def test_sides_are_those_of_the_paper(fields):
    """U(15, 25), a little tilted: the larger a digit, the nearer to the middle of the field its centre must lie.

    The density is proportional to 1 / (120 - side), with a mean of 20.083 and a deviation of 2.886; 10,000 draws.
    """
    for side in fields.boxes[..., 2:].reshape(-1, 2).T:
        assert 15 <= side.min() < 15.05 and 24.95 < side.max() <= 25
        assert side.mean() == pytest.approx(20.083, abs=4 * 2.886 / 100)
        assert side.std() == pytest.approx(2.886, abs=0.06)
        shares = np.histogram(side, bins=5, range=(15, 25))[0] / len(side)
        np.testing.assert_allclose(shares, 0.2, atol=0.03)
    heights, widths = fields.boxes[..., 2].ravel(), fields.boxes[..., 3].ravel()
    assert abs(np.corrcoef(heights, widths)[0, 1]) < 0.04, "they are independent"


@pytest.mark.compiled  # too slow without
def test_centres_are_everywhere_in_the_image(fields):
    centres = fields.boxes[..., :2].reshape(-1, 2)
    assert (centres >= 0).all() and (centres < 64).all()
    np.testing.assert_allclose(centres.mean(axis=0), 32, atol=4 * 64 / np.sqrt(12 * len(centres)))
    counts, *_ = np.histogram2d(*centres.T, bins=4, range=[[0, 64]] * 2)
    np.testing.assert_allclose(counts, len(centres) / 16, rtol=0.2)
    assert abs(np.corrcoef(*centres.T)[0, 1]) < 0.04


@pytest.mark.compiled  # too slow without
def test_as_many_digits_overlap_and_stick_out_as_chance_wants(fields):
    """Two intervals of 20 in 64 overlap with probability 1 - (44 / 64)^2 = .527, so two boxes with .278.

    A digit sticks out of an edge with probability 10 / 64, so of any of the four with 1 - (44 / 64)^2 = .527. The sides
    vary, which changes both by less than the tolerance.
    """
    centre, side = fields.boxes[..., :2].astype(float), fields.boxes[..., 2:].astype(float)
    near = np.abs(centre[:, :, None] - centre[:, None]) < (side[:, :, None] + side[:, None]) / 2
    first, second = np.triu_indices(5, 1)
    pairs = near.all(axis=3)[:, first, second]
    assert pairs.mean() == pytest.approx(0.278, abs=0.015)
    out = (centre < side / 2) | (centre > 64 - side / 2)
    assert out.any(axis=2).mean() == pytest.approx(0.527, abs=0.015)


def ink_box(image: np.ndarray) -> np.ndarray:
    """First and last row and column with ink, as edges: top, left, bottom, right."""
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    return np.array([rows[0], columns[0], rows[-1] + 1, columns[-1] + 1])


def test_boxes_fit_the_ink_to_a_pixel(digits):
    fields = field_of_digits(digits.train.images, count=500, seed=0, digits=1)
    for image, (i, j, h, w) in zip(fields.images[..., 0], fields.boxes[:, 0], strict=True):
        edges = np.clip([i - h / 2, j - w / 2, i + h / 2, j + w / 2], 0, 64)
        found = ink_box(image)
        stays_inside = i >= h / 2 and j >= w / 2 and i + h / 2 <= 64 and j + w / 2 <= 64
        if stays_inside:
            assert np.abs(found - edges).max() < 1
        else:  # what lies outside may be what reaches the other edges
            assert (found[:2] - edges[:2] > -1).all() and (found[2:] - edges[2:] < 1).all()


def test_a_digit_is_itself_stretched(digits):
    """At the size of its ink, on whole pixels, a digit is drawn unchanged; the other way up it would not fit."""
    image = digits.train.images[1234]
    top, left, h, w = ink_parts(image[None, :, :, 0])[0]
    side = max(h, w)
    square = np.zeros((1, 28, 28, 1), np.uint8)
    square[0, :side, :side] = image[top : top + side, left : left + side]
    square[0, [0, side - 1], [0, side - 1]] = 1  # ink in two corners: a square part
    drawn = field_of_digits(square, 1, 0, digits=1, canvas=int(side), field=int(side), sides=(side, side))
    np.testing.assert_allclose(drawn.images[0, :, :, 0] * 255, square[0, :side, :side, 0], atol=1e-4)


def test_intensities_are_added_and_clipped(digits):
    one = np.full((1, 2, 2), 102, np.uint8)  # .4
    drawn = field_of_digits(one, 400, 0, digits=5, canvas=30, field=40, sides=(20, 20)).images
    values = np.unique(np.round(drawn, 4))
    np.testing.assert_allclose(values, [0, 0.4, 0.8, 1])


def test_a_seed_gives_the_same_fields_and_another_gives_others(digits):
    one, same, other = (field_of_digits(digits.train.images, 20, seed) for seed in (7, 7, 8))
    np.testing.assert_array_equal(one.images, same.images)
    np.testing.assert_array_equal(one.boxes, same.boxes)
    assert not np.array_equal(one.boxes, other.boxes)


def test_digits_whose_centres_are_outside_reach_in_and_have_no_box(digits):
    data = digits.train.images
    fields = field_of_digits(data, 300, 0, digits=2, scattered=9)
    assert fields.boxes.shape == (300, 2, 4)
    covered = np.zeros(fields.images.shape[:3], bool)
    r, c = np.mgrid[:64, :64] + 0.5
    for n, k in np.ndindex(300, 2):
        i, j, h, w = fields.boxes[n, k]
        covered[n] |= (abs(r - i) <= h / 2) & (abs(c - j) <= w / 2)
    strange = (fields.images[..., 0] > 0) & ~covered
    assert strange.any(axis=(1, 2)).mean() > 0.5
    assert not strange[:, 13:51, 13:51].any(), "a centre outside is at least half a digit away"
    alone = field_of_digits(data, 300, 0, digits=2)
    assert alone.boxes.shape == (300, 2, 4)


def test_on_a_field_of_the_image_no_digit_sticks_out(digits):
    boxes = field_of_digits(digits.test.images, 200, 0, field=64).boxes
    assert (boxes[..., :2] >= boxes[..., 2:] / 2 - 1e-5).all()
    assert (boxes[..., :2] + boxes[..., 2:] / 2 <= 64 + 1e-5).all()


@pytest.mark.compiled
def test_the_papers_fields_are_made_within_ten_seconds(digits):
    field_of_digits(digits.train.images, 1, 0)  # compiled by now
    start = time.perf_counter()
    train = field_of_digits(digits.train.images, 9000, 0)
    test = field_of_digits(digits.test.images, 1000, 1)
    assert time.perf_counter() - start < 10
    assert (len(train), len(test)) == (9000, 1000)


def test_no_field_at_all_and_float64_are_possible(digits):
    assert field_of_digits(digits.test.images, 0, 0).images.shape == (0, 64, 64, 1)
    fine = field_of_digits(digits.test.images, 3, 0, dtype=np.float64)
    coarse = field_of_digits(digits.test.images, 3, 0)
    assert fine.images.dtype == np.float64
    np.testing.assert_allclose(fine.images, coarse.images, atol=1e-6)


@pytest.mark.parametrize(
    "arguments, error, words",
    [
        ({"images": np.ones((2, 5, 5))}, TypeError, "images has float64, wanted an array of uint8"),
        ({"images": [1]}, TypeError, "images has type list"),
        ({"images": np.ones((2, 5, 5, 3), np.uint8)}, ValueError, r"images has shape \(2, 5, 5, 3\), wanted \(M, H, W"),
        ({"images": np.ones((0, 5, 5), np.uint8)}, ValueError, "wanted .* with one image or more"),
        ({"images": np.eye(3, dtype=np.uint8)[:, None] * [[[1], [0]]]}, TypeError, "images has int64"),
        ({"images": np.stack([np.eye(3), np.zeros((3, 3))]).astype(np.uint8)}, ValueError, "image 1 is empty"),
        ({"count": -1}, ValueError, "count was -1"),
        ({"seed": 0.5}, ValueError, "seed was 0.5"),
        ({"digits": 0}, ValueError, "digits was 0"),
        ({"scattered": 4}, ValueError, "scattered was 4, wanted a whole number of at least 5"),
        ({"field": 63}, ValueError, "field was 63, wanted a whole number of at least 64"),
        ({"sides": (25, 15)}, ValueError, "the greatest side was 15, wanted a number of at least 25"),
        ({"sides": (0, 15)}, ValueError, "the least side was 0, wanted a number above 0"),
        ({"sides": (15, 121)}, ValueError, "a digit of 121 pixels does not fit on a field of 120"),
        ({"field": 1000}, ValueError, "have their centre in the middle 64 pixels about once in"),
        ({"dtype": np.float16}, TypeError, "dtype was float16, wanted float32 or float64"),
    ],
)
def test_a_wrong_argument_is_named(arguments, error, words):
    given = {"images": np.ones((2, 5, 5), np.uint8), "count": 1, "seed": 0, **arguments}
    with pytest.raises(error, match=words):
        field_of_digits(**given)
