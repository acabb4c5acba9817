"""What CoordConv costs beside a convolution: the arithmetic of the comparison, and that it gives what it says."""

import time

import numpy as np

from minicoord import CoordConv2D
from minicoord.bench import coordconv_cost


def test_the_ratio_is_that_of_the_second_to_the_first():
    ratio, seconds = coordconv_cost.median_ratio(lambda: time.sleep(0.005), lambda: time.sleep(0.02), turns=5)
    assert 2 < ratio < 5
    assert seconds >= 0.005


def test_both_take_their_turns():
    calls = []
    coordconv_cost.median_ratio(lambda: calls.append(1), lambda: calls.append(2), turns=4)
    assert calls[:2] == [1, 2], "one call each that is not counted"
    assert sorted(calls[2:]) == [1] * 4 + [2] * 4
    assert calls[2:] != [1, 2] * 4, "neither always goes first"


def test_a_step_goes_forward_and_backward():
    layer = CoordConv2D(2, 3, 1, rng=0)
    coordconv_cost.training_step(layer, batch=2, size=8)()
    assert all(np.abs(gradient).max() > 0 for gradient in layer.grads.values())


def test_every_shape_has_its_ratio(monkeypatch):
    monkeypatch.setattr(coordconv_cost, "SHAPES", [(2, 3, 1), (1, 2, 3)])
    monkeypatch.setattr(coordconv_cost, "training_step", lambda layer, batch, size: lambda: None)
    results = list(coordconv_cost.coordconv_cost(turns=3))
    assert [r["name"] for r in results] == ["1x1-2-3/64px", "3x3-1-2/64px"]
    assert all(r["ratio"] > 0 and r["conv_ms"] > 0 for r in results)
