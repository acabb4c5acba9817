"""The story of speed: the naive kernels are right, all ways compute the same network, and the gains are ratios."""

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from minicoord import Adam, reference, softmax_cross_entropy
from minicoord.bench import story
from minicoord.kernels.naive import naive_conv2d, naive_conv2d_backward
from minicoord.plots import speed_story
from minicoord.train.accumulation import batch_gradients

sizes = st.integers(1, 5)


@settings(max_examples=25, deadline=None)
@given(st.tuples(st.integers(0, 3), sizes, sizes, sizes), sizes, sizes, sizes, st.booleans(), st.booleans())
def test_naive_convolution_is_the_oracle(shape, kh, kw, c_out, parallel, single):
    rng = np.random.default_rng(0)
    dtype = np.float32 if single else np.float64
    x, w = rng.standard_normal(shape).astype(dtype), rng.standard_normal((kh, kw, shape[3], c_out)).astype(dtype)
    close = partial(np.allclose, rtol=1e-4, atol=1e-4) if single else partial(np.allclose, rtol=1e-10, atol=1e-12)
    y = naive_conv2d(x, w, parallel)
    assert y.dtype == dtype
    assert close(y, reference.conv2d(x, w))
    dy = rng.standard_normal(y.shape).astype(dtype)
    dx, dw = naive_conv2d_backward(x, w, dy, parallel)
    oracle = reference.conv2d_backward(x, w, dy)
    assert close(dx, oracle[0])
    assert close(dw, oracle[1])


def test_naive_convolution_says_what_is_wrong():
    with pytest.raises(ValueError, match=r"naive_conv2d: w has shape \(3, 3, 2, 4\), wanted \(kh, kw, 1, c_out\)"):
        naive_conv2d(np.zeros((1, 4, 4, 1)), np.zeros((3, 3, 2, 4)), parallel=False)
    x, w = np.zeros((1, 4, 4, 1)), np.zeros((3, 3, 1, 1))
    with pytest.raises(TypeError, match="naive_conv2d_backward: the dtypes differ"):
        naive_conv2d_backward(x, w, x.astype(np.float32), parallel=True)


def test_all_ways_compute_the_same_network():
    x, labels, size = np.array([[-0.3, 0.6], [0.1, 0.2]], np.float32), np.array([5, 40]), 8
    passes: list[Any] = [(reference.conv2d, reference.conv2d_backward)]
    for parallel in (False, True):
        passes.append(tuple(partial(f, parallel=parallel) for f in (naive_conv2d, naive_conv2d_backward)))
    makers = [partial(story._by_loops, *both) for both in passes]
    makers += [partial(story._by_tiles, fused) for fused in (False, True)]
    losses = []
    for make in makers:
        story._training_step(story._rebuilt(make, size), x, labels, 2)()
        losses.append(losses_of_three_steps(story._rebuilt(make, size), x, labels))
    assert np.ptp(losses, axis=0).max() < 1e-4


def losses_of_three_steps(model, x, labels):
    optimizer, found = Adam(0.01), []
    for _ in range(3):
        found.append(batch_gradients(model, softmax_cross_entropy, x, labels, 2))
        optimizer.step(model)
    return found


def test_a_gain_is_the_time_before_by_the_time_now(monkeypatch):
    monkeypatch.setattr(story, "ways", lambda row: [("slow", lambda: None, 1e6), ("fast", lambda: None, 1)])
    slow, fast = story.story(rounds=3)
    assert (slow["way"], slow["gain"]) == ("slow", None)
    assert fast["gain"] == pytest.approx(slow["ms"] / fast["ms"])


def test_the_chart_has_a_bar_with_its_time_for_each_way():
    ways = [{"way": "a", "ms": 5000.0, "gain": None}, {"way": "b", "ms": 25.0, "gain": 200.0}]
    (axes,) = speed_story(ways).axes
    assert [bar.get_width() for bar in axes.patches] == [5000.0, 25.0]  # type: ignore
    assert [text.get_text() for text in axes.texts] == ["5 s", "25 ms   200 times as fast"]
    with pytest.raises(ValueError, match="no ways to draw"):
        speed_story([])
