"""The story of speed: the naive kernels are right, all ways compute the same network, and the gains are ratios."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from minicoord import reference
from minicoord.bench import story
from minicoord.kernels.naive import naive_conv2d, naive_conv2d_backward
from minicoord.plots import speed_story

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


@pytest.mark.compiled
def test_all_ways_compute_the_same_network():
    centres = np.array([[-0.3, 0.6]], np.float32)
    wanted = story.coordconv_painter(0).forward(centres)
    for parallel in (False, True):
        passes = (partial(f, parallel=parallel) for f in (naive_conv2d, naive_conv2d_backward))
        model = story._rebuilt(partial(story._by_loops, *passes))
        assert np.abs(model.forward(centres) - wanted).max() < 1e-4
    for fused in (False, True):
        model = story._rebuilt(partial(story._by_tiles, fused))
        assert np.abs(model.forward(centres) - wanted).max() < 1e-4


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
