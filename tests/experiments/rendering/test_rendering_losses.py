"""What rendering is trained with and judged by: losses against sums by hand, gradients, the overlap of squares."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from central_differences import numeric_gradient, relative_error

from minicoord.datasets.not_so_clevr import not_so_clevr
from minicoord.experiments.rendering import losses
from minicoord.experiments.rendering.experiment import Rendering
from minicoord.experiments.rendering.settings import LOSSES, RenderingSettings

DATA = not_so_clevr()


def test_every_name_of_a_loss_is_known():
    assert set(LOSSES) == set(losses.LOSSES)


def overlap_by_sets(logits, target):
    drawn = {place for place in np.ndindex(*logits.shape) if logits[place] > 0}
    wanted = {place for place in np.ndindex(*target.shape) if target[place] == 1}
    return len(drawn & wanted) / len(drawn | wanted) if drawn | wanted else 1.0


def test_the_overlap_is_that_of_the_two_sets_of_pixels():
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((6, 7, 5, 1))
    target = (rng.random((6, 7, 5, 1)) < 0.4).astype(float)
    logits[4], target[4] = -1, 0
    logits[5], target[5] = -1, 1
    expected = [overlap_by_sets(a, b) for a, b in zip(logits, target, strict=True)]
    assert losses.iou(logits, target).tolist() == expected
    assert expected[4:] == [1.0, 0.0]


def test_the_centre_of_a_square_is_found_also_at_the_edge_and_in_a_wide_image():
    assert losses.centres_of(DATA.squares()).tolist() == DATA.labels.tolist()
    image = np.zeros((1, 5, 11, 1))
    image[0, 0:3, 8:11] = 1
    assert losses.centres_of(image).tolist() == [1 * 11 + 9]


@pytest.mark.parametrize("shape", [(2, 5, 7, 1), (1, 1, 3, 1)])
def test_the_sum_over_the_pixels_is_the_mean_times_their_number(shape):
    rng = np.random.default_rng(3)
    logits, target = rng.normal(size=shape), (rng.random(shape) < 0.5).astype(float)
    loss, gradient = losses.sigmoid_cross_entropy_sum(logits, target)
    by_hand = np.log1p(np.exp(-(2 * target - 1) * logits)).sum() / shape[0]
    assert loss == pytest.approx(by_hand, rel=1e-12)
    numeric = numeric_gradient(lambda z: losses.sigmoid_cross_entropy_sum(z, target)[0], logits)
    assert relative_error(gradient, numeric) < 1e-6


def test_per_lit_pixel_divides_by_the_pixels_of_the_squares():
    rng = np.random.default_rng(5)
    logits, target = rng.normal(size=(2, 4, 5, 1)), np.zeros((2, 4, 5, 1))
    target[0, :2, :3] = target[1, 3:, 4:] = 1
    loss, gradient = losses.sigmoid_cross_entropy_per_lit_pixel(logits, target)
    assert loss == pytest.approx(np.log1p(np.exp(-(2 * target - 1) * logits)).sum() / 7, rel=1e-12)
    numeric = numeric_gradient(lambda z: losses.sigmoid_cross_entropy_per_lit_pixel(z, target)[0], logits)
    assert relative_error(gradient, numeric) < 1e-6
    assert np.isfinite(losses.sigmoid_cross_entropy_per_lit_pixel(logits, np.zeros_like(target))[0])


@pytest.mark.parametrize("point", ["softmax", "squares"])
def test_the_loss_with_a_pointer_has_the_gradient_of_both_parts(point):
    rng = np.random.default_rng(4)
    target = np.zeros((2, 5, 6, 1))
    target[0, 1:4, 2:5] = target[1, 0:3, 0:3] = 1
    output = rng.normal(size=(2, 5, 6, 2))
    loss = losses.loss_with_pointer(losses.sigmoid_cross_entropy_sum, 0.7, point)
    value, gradient = loss(output, target)
    assert relative_error(gradient, numeric_gradient(lambda z: loss(z, target)[0], output)) < 1e-6
    right = np.zeros(output.shape)
    right[..., 0] = 60 * target[..., 0] - 30
    right[0, 2, 3, 1] = right[1, 1, 1, 1] = 1
    certain = right * [1, 60] - [0, 30] if point == "softmax" else right
    assert loss(certain, target)[0] < 1e-9 < value


def test_an_unknown_loss_of_the_pointer_is_named():
    with pytest.raises(ValueError, match="the pointer_loss was 'cubes'"):
        losses.loss_with_pointer(losses.sigmoid_cross_entropy, 1.0, "cubes")
    with pytest.raises(ValueError, match="pointer_loss was 'cubes', wanted one of softmax, squares"):
        Rendering().plan("coordconv", "uniform", pointer=1.0, pointer_loss="cubes")


def test_the_squared_error_is_that_of_the_output_plus_one_half():
    logits, target = np.array([[0.5, -0.5, 0.1]]), np.array([[1.0, 0.0, 1.0]])
    loss, gradient = losses.squares_around_half(logits, target)
    assert loss == pytest.approx(0.4**2 / 3)
    np.testing.assert_allclose(gradient, [[0, 0, -0.8 / 3]], atol=1e-12)


def test_an_unknown_loss_of_the_drawing_is_named():
    with pytest.raises(ValueError, match="loss was 'cubes', wanted one of sigmoid, sigmoid-sum, "):
        Rendering().plan("coordconv", "uniform", loss="cubes")


def test_the_settings_choose_the_loss_and_a_weight_adds_that_of_the_pointer():
    rng = np.random.default_rng(8)
    output, target = rng.normal(size=(2, 5, 6, 2)), np.zeros((2, 5, 6, 1))
    target[0, 1:4, 2:5] = target[1, 0:3, 0:3] = 1

    def value(**changes: Any) -> float:
        settings = RenderingSettings(epochs=1, lr=0.1, l2=0.0, **changes)
        return Rendering().loss(settings)(output if settings.pointer else output[..., :1].copy(), target)[0]

    drawn = {name: value(loss=name) for name in LOSSES}
    assert len(set(drawn.values())) == len(LOSSES)
    pointed = value(loss="squares", pointer=1.0) - drawn["squares"]
    assert value(loss="squares", pointer=0.5) == pytest.approx(drawn["squares"] + 0.5 * pointed, rel=1e-6)
    assert value(loss="squares", pointer=1.0, pointer_loss="squares") != value(loss="squares", pointer=1.0)
