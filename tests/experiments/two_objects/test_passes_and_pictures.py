"""What the training of GAN and VAE shares: the order of the images, and what is kept of samples and ways."""

from __future__ import annotations

import numpy as np
import pytest

from minicoord.datasets.two_objects import TwoObjects, two_objects
from minicoord.experiments.two_objects.finder import find_centres
from minicoord.experiments.two_objects.judge import data_images, judge, yardsticks
from minicoord.experiments.two_objects.passes import Passes
from minicoord.experiments.two_objects.pictures import as_bytes, beside_the_data, judged_images, judged_paths


def test_a_pass_over_the_data_shows_each_image_once_but_for_the_rest():
    passes = Passes(18, 4, seed=3)
    seen = []
    for number in range(3):
        chosen = [index for k in range(4) for index in passes.indices(4 * number + k)]
        assert len(set(chosen)) == 16 and set(chosen) <= set(range(18))
        seen.append(chosen)
    assert seen[0] != seen[1] != seen[2]


def test_the_order_depends_on_seed_and_step_alone():
    straight, jumping = Passes(18, 4, seed=3), Passes(18, 4, seed=3)
    wanted = [straight.indices(step).tolist() for step in range(10)]
    assert [jumping.indices(step).tolist() for step in (9, 2, 7)] == [wanted[step] for step in (9, 2, 7)]
    assert Passes(18, 4, seed=4).indices(0).tolist() != wanted[0]


@pytest.mark.parametrize("value, byte", [(-1.0, 0), (1.0, 255), (0.0, 128), (-7.0, 0), (1.2, 255)])
def test_an_image_in_bytes(value, byte):
    found = as_bytes(np.full((1, 2, 2, 3), value, np.float32))
    assert found.dtype == np.uint8 and (found == byte).all()


def test_images_are_judged_as_their_centres_are():
    images = data_images(32)
    metrics, arrays = judged_images(images)
    assert metrics == judge(find_centres(images), 32) == dict(yardsticks(32))
    np.testing.assert_array_equal(arrays["samples"], as_bytes(images[:16]))
    np.testing.assert_allclose(arrays["average"], (images.mean(axis=0) + 1) * 127.5, atol=0.51)
    assert arrays["entropies"].tolist() == [metrics[f"{name}_entropy"] for name in ("red", "blue", "difference")]
    rows = beside_the_data({"conv": arrays})
    assert list(rows) == ["truth", "conv"]
    np.testing.assert_array_equal(rows["truth"]["samples"], arrays["samples"])


def test_ways_are_measured_at_every_fourth_image_and_some_are_shown():
    made = []

    def slide(vectors: np.ndarray) -> np.ndarray:
        """Put the red object where a vector says: x along its first number, y fixed."""
        made.append(len(vectors))
        red = np.stack([5 + 20 * vectors[:, 0], np.full(len(vectors), 6.0)], axis=1)
        blue = np.full((len(vectors), 2), 24.0)
        centres = np.stack([blue, red], axis=1).round().astype(np.int64)
        return TwoObjects(32, centres, np.zeros((len(vectors), 2), bool)).draw()

    ends = np.zeros((6, 2, 2), np.float32)
    ends[:, 1, 0] = 1
    metrics, shown = judged_paths(slide, ends)
    assert shown.shape == (4, 33, 32, 32, 3) and shown.dtype == np.uint8
    assert made == [9] * 6 + [33] * 4
    assert metrics["fade"] < 0.05 and metrics["jump"] == pytest.approx(1 / 8, abs=0.05)
    data = two_objects(2, 32, 0).draw()

    def blend(vectors: np.ndarray) -> np.ndarray:
        share = vectors[:, :1, np.newaxis, np.newaxis]
        return ((1 - share) * data[0] + share * data[1]).astype(np.float32)

    metrics, _ = judged_paths(blend, ends)
    assert metrics["fade"] > 0.8
