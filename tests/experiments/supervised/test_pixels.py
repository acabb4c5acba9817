"""The numbers that describe a pixel classifier, on classifiers whose numbers are known."""

import math

import numpy as np
import pytest

from minicoord.datasets import not_so_clevr, split
from minicoord.experiments.supervised.pixels import accuracy, evaluate, middle_sample
from minicoord.nn.layers.base import Layer


class Pointer(Layer):
    """Logits -sharpness * squared distance from the centre moved by (dx, dy): the exact classifier if unmoved."""

    def __init__(self, sharpness, dx=0, dy=0):
        super().__init__()
        self.sharpness, self.dx, self.dy = sharpness, dx, dy

    def forward(self, x, training=False):
        x, y = x.T[:, :, None, None] + np.array([self.dx, self.dy]).reshape(2, 1, 1, 1)
        i, j = np.mgrid[:64, :64]
        return (-self.sharpness * ((i - y) ** 2 + (j - x) ** 2))[..., None].astype(np.float32)


DATA = not_so_clevr()
CENTRES = DATA.inputs(raw=True)


@pytest.mark.parametrize(
    "dx, dy, wanted", [(0, 0, (1.0, 0.0, 0.0)), (1, 0, (0.0, 1.0, 1.0)), (-1, 2, (0.0, math.sqrt(5), 3.0))]
)
def test_the_metrics_of_a_pointer_that_is_off_by_a_known_step(dx, dy, wanted):
    part = split(DATA, "quadrant").test[:50]
    metrics, _ = evaluate(Pointer(5, dx, dy), DATA, CENTRES, part)
    assert (metrics["accuracy"], metrics["distance"], metrics["manhattan"]) == pytest.approx(wanted)
    assert accuracy(Pointer(5, dx, dy), DATA, CENTRES, part) == wanted[0]


def test_the_exact_classifier_puts_its_probability_where_the_paper_says():
    metrics, _ = evaluate(Pointer(5), DATA, CENTRES, np.arange(20))
    assert metrics["loss"] == pytest.approx(-math.log(0.974), abs=1e-3)
    apart = np.array([0, 500, 1500])  # far enough that none adds to another's pixel
    _, summed = evaluate(Pointer(10), DATA, CENTRES, apart)
    x, y = DATA.centres[apart].T
    assert summed[y, x] == pytest.approx(0.9998, abs=5e-5)
    assert summed.sum() == pytest.approx(3, abs=1e-5)


def test_a_classifier_that_knows_nothing_has_the_loss_of_chance():
    metrics, summed = evaluate(Pointer(0), DATA, CENTRES, np.arange(9))
    assert metrics["loss"] == pytest.approx(math.log(4096), abs=1e-4)
    assert summed == pytest.approx(9 / 4096, rel=1e-4)


def test_the_middle_sample_is_in_the_middle():
    assert DATA.centres[middle_sample(DATA, split(DATA, "quadrant").test)].tolist() == [46, 46]
    assert np.abs(DATA.centres[middle_sample(DATA, split(DATA, "uniform").test)] - 31.5).max() < 3
