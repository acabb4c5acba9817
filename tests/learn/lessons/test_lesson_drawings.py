"""Drawings of the lessons that make one panel per entry draw a single entry too."""

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure

from minicoord.learn.lessons import lesson02, lesson03, lesson05, lesson06

IMAGE = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
LIT = np.eye(64, dtype=np.float32)[None, :, :, None] * (np.arange(64) == 5)[:, None, None]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: lesson02.seconds_as_bars({"loops": 2.0}),
        lambda: lesson03.shapes(IMAGE[None], ["one"]),
        lambda: lesson05.channels({"one": IMAGE}),
        lambda: lesson05.sum_of_maps({"one": IMAGE}),
        lambda: lesson06.lit_pixels(LIT, np.array([[5.0, 5.0]])),
        lambda: lesson06.pooled_answers({"one": np.array([[1.0, 2.0], [3.0, 4.0]])}),
        lambda: lesson06.starts({"one": np.array([[0.2, 0.4]])}),
    ],
    ids=["seconds", "shapes", "channels", "sum", "lit pixels", "answers", "starts"],
)
def test_a_single_entry_is_one_panel(draw: Callable[[], Figure]):
    figure = draw()
    drawn = [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]
    assert len(drawn) == 1
    assert drawn[0].lines or drawn[0].images or drawn[0].patches
