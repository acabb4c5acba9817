"""The losses of the region proposal network: by hand, and every gradient against differences."""

from __future__ import annotations

import numpy as np
import pytest
from central_differences import numeric_gradient

from minicoord.experiments.detection.anchors import anchors
from minicoord.experiments.detection.boxes import encode
from minicoord.experiments.detection.losses import BOX_LOSSES, box_loss, detection_loss
from minicoord.experiments.detection.sampling import Sample

NONE = np.array([], np.int64)


def test_the_losses_are_those_of_the_formulas():
    d = np.array([[0.5, -0.5, 3.0, -3.0], [0.0, 1.0, -1.0, 0.1]])
    published, slope = box_loss(d, np.zeros_like(d))
    assert published == pytest.approx((0.25 + 0.25 + 3 + 3 + 0 + 1 + 1 + 0.01) / 2)
    np.testing.assert_allclose(slope * 2, [[1, -1, 1, -1], [0, 2, -2, 0.2]])
    standard, slope = box_loss(d, np.zeros_like(d), "standard")
    assert standard == pytest.approx((0.125 + 0.125 + 2.5 + 2.5 + 0 + 0.5 + 0.5 + 0.005) / 2)
    np.testing.assert_allclose(slope * 2, [[0.5, -0.5, 1, -1], [0, 1, -1, 0.1]])


@pytest.mark.parametrize("kind", BOX_LOSSES)
def test_the_gradient_of_the_box_loss_is_that_of_differences(kind):
    rng = np.random.default_rng(0)
    transforms, wanted = 2 * rng.standard_normal((2, 7, 4))
    assert 5 < np.count_nonzero(np.abs(transforms - wanted) > 1) < 23, "both sides of the corner are met"
    _, slope = box_loss(transforms, wanted, kind)
    numeric = numeric_gradient(lambda x: box_loss(x, wanted, kind)[0], transforms)
    np.testing.assert_allclose(slope, numeric, rtol=1e-6, atol=1e-9)


def test_a_loss_of_no_box_is_zero():
    loss, slope = box_loss(np.zeros((0, 4), np.float32), np.zeros((0, 4), np.float32))
    assert loss == 0 and slope.shape == (0, 4) and slope.dtype == np.float32


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="kind was 'huber', wanted one of 'published', 'standard'"):
        box_loss(np.zeros((1, 4)), np.zeros((1, 4)), "huber")
    with pytest.raises(ValueError, match=r"transforms has shape \(1, 4\) and wanted \(2, 4\)"):
        box_loss(np.zeros((1, 4)), np.zeros((2, 4)))


@pytest.fixture
def minibatch():
    """Three images on a map that is not square: one with all, one without a digit, one where little is left."""
    rng = np.random.default_rng(1)
    grid = anchors(2, 3).reshape(-1, 4).astype(np.float64)  # (54, 4)
    truth = rng.uniform((5, 5, 15, 15), (20, 25, 25, 25), (3, 2, 4))
    samples = [
        Sample(np.array([3, 17]), np.array([1, 0]), np.array([0, 40, 53])),
        Sample(NONE, NONE, np.array([5])),
        Sample(np.array([53]), np.array([1]), NONE),
    ]
    return rng.standard_normal((3, 54, 4)), 2 * rng.standard_normal((3, 54, 2)), samples, grid, truth


@pytest.mark.parametrize("kind", BOX_LOSSES)
def test_the_whole_loss_is_the_mean_over_what_was_sampled(minibatch, kind):
    transforms, logits, samples, grid, truth = minibatch
    found = detection_loss(transforms, logits, samples, grid, truth, kind)
    positive = [(0, 3, 1), (0, 17, 0), (2, 53, 1)]  # image, box, digit
    each = [box_loss(transforms[n, a][None], encode(truth[n, d], grid[a])[None], kind)[0] for n, a, d in positive]
    assert found.box == pytest.approx(np.mean(each))
    negative = [(0, 0), (0, 40), (0, 53), (1, 5)]
    chosen = [*(logits[n, a] for n, a, _ in positive), *(logits[n, a][::-1] for n, a in negative)]
    assert found.score == pytest.approx(np.mean([-np.log(np.exp(z[0]) / np.exp(z).sum()) for z in chosen]))


@pytest.mark.parametrize("kind", BOX_LOSSES)
def test_the_gradients_of_the_whole_loss_are_those_of_differences(minibatch, kind):
    """Every entry of both maps, most of which were not sampled and have the gradient 0."""
    transforms, logits, samples, grid, truth = minibatch
    found = detection_loss(transforms, logits, samples, grid, truth, kind)

    def total(transforms: np.ndarray, logits: np.ndarray) -> float:
        now = detection_loss(transforms, logits, samples, grid, truth, kind)
        return now.box + now.score

    numeric = numeric_gradient(lambda x: total(x, logits), transforms)
    np.testing.assert_allclose(found.dtransforms, numeric, rtol=1e-6, atol=1e-9)
    numeric = numeric_gradient(lambda x: total(transforms, x), logits)
    np.testing.assert_allclose(found.dlogits, numeric, rtol=1e-6, atol=1e-9)
    assert np.count_nonzero(found.dtransforms.any(axis=2)) == 3 and np.count_nonzero(found.dlogits.any(axis=2)) == 7


def test_a_minibatch_without_anything_sampled_has_no_loss(minibatch):
    transforms, logits, _, grid, truth = minibatch
    found = detection_loss(transforms, logits, [Sample(NONE, NONE, NONE)] * 3, grid, truth)
    assert (found.box, found.score) == (0, 0) and not found.dtransforms.any() and not found.dlogits.any()


def test_float32_stays_float32(minibatch):
    transforms, logits, samples, grid, truth = minibatch
    found = detection_loss(transforms.astype(np.float32), logits.astype(np.float32), samples, grid, truth)
    assert found.dtransforms.dtype == found.dlogits.dtype == np.float32
