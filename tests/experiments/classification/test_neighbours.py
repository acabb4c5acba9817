"""Three neighbouring pixels: which are chosen, and what decides it."""

from __future__ import annotations

import numpy as np
import pytest

from minicoord.datasets import not_so_clevr, split
from minicoord.experiments.classification import neighbours
from minicoord.experiments.classification.neighbours import three_neighbours


def margins_with(good: list[tuple[int, int]]) -> np.ndarray:
    data = not_so_clevr()
    margin = np.full(len(data), -1.0)
    for k, pixel in enumerate(good):
        margin[np.flatnonzero((data.centres == pixel).all(axis=1))] = 1.0 + k
    return margin


def test_three_neighbours_are_learned_barely_right_and_missed():
    data = not_so_clevr()
    parts = split(data, "quadrant")  # test: x and y of 33 and above
    three = three_neighbours(data, parts, margins_with([(33, 40), (32, 40), (50, 50), (10, 10)]))
    assert three is not None
    pixels = [tuple(data.centres[k].tolist()) for k in three]
    assert pixels[:2] == [(32, 40), (33, 40)]
    assert pixels[2][0] >= 33 and max(abs(pixels[2][0] - 32), abs(pixels[2][1] - 40)) == 1
    assert three[0] in parts.train and three[1] in parts.test and three[2] in parts.test


def test_no_three_neighbours_are_none():
    data = not_so_clevr()
    parts = split(data, "quadrant")
    assert three_neighbours(data, parts, np.ones(len(data))) is None, "nothing is missed"
    assert three_neighbours(data, parts, -np.ones(len(data))) is None, "nothing is learned"
    assert three_neighbours(data, parts, margins_with([(50, 50), (10, 10)])) is None, "too far apart"


@pytest.mark.compiled
def test_margins_are_above_zero_where_the_pixel_is_found():
    class Peaks:
        def forward(self, x: np.ndarray) -> np.ndarray:
            """Find every pixel but those of the first column of centres, two logits ahead."""
            centres = np.rint((x + 1) * 63 / 2).astype(int)
            logits = np.zeros((len(x), 64, 64, 1), np.float32)
            for k, (column, row) in enumerate(centres):
                logits[k, row, column if column > 4 else 50] = 2.0
            return logits

    data = not_so_clevr()
    margin = neighbours.margins(Peaks(), data, data.inputs())  # type: ignore[arg-type]
    assert set(margin.tolist()) == {2.0, -2.0}
    np.testing.assert_array_equal(margin < 0, data.centres[:, 0] == 4)
