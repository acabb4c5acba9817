"""The story of speed: the naive kernels are right, all ways compute the same network, and the gains are ratios."""

from functools import partial
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from minicoord import Adam, reference, softmax_cross_entropy
from minicoord.bench import story
from minicoord.bench.worker import Contestant
from minicoord.experiments.classification.painters import coordconv_painter
from minicoord.kernels.backend.threading_layer import get_threads
from minicoord.kernels.convolution import conv2d, conv2d_backward
from minicoord.kernels.naive import naive_conv2d, naive_conv2d_backward
from minicoord.nn.layers.chain import ChainOfLayers
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordinates import Tile
from minicoord.nn.model import Sequential
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
    x, labels = np.array([[-0.3, 0.6], [0.1, 0.2]], np.float32), np.array([5, 40])
    passes: list[Any] = [(reference.conv2d, reference.conv2d_backward), (conv2d, conv2d_backward)]
    passes += [(story.blas_conv2d, story.blas_conv2d_backward)]
    for parallel in (False, True):
        passes.append(tuple(partial(f, parallel=parallel) for f in (naive_conv2d, naive_conv2d_backward)))
    models = [story.rebuilt(*both, side=8) for both in passes]
    fused, alone = (Sequential([Tile(8, 8), *coordconv_painter(0).layers[1:]]) for _ in range(2))
    models += [fused, story.one_by_one(alone)]
    losses = [losses_of_three_steps(model, x, labels) for model in models]
    assert np.ptp(losses, axis=0).max() < 1e-4


def losses_of_three_steps(model, x, labels):
    optimizer, found = Adam(0.01), []
    for _ in range(3):
        found.append(batch_gradients(model, softmax_cross_entropy, x, labels, 2))
        optimizer.step(model)
    return found


def test_one_by_one_nothing_is_fused(monkeypatch):
    fused = []
    monkeypatch.setattr("minicoord.nn.model.ChainOfLayers", lambda chain: fused.append(chain) or ChainOfLayers(chain))
    model = Sequential([Conv2D(2, 3, 1, rng=0), Conv2D(3, 2, 1, rng=1)])
    story.one_by_one(model).forward(np.ones((1, 4, 4, 2), np.float32))
    assert not fused
    model.forward(np.ones((1, 4, 4, 2), np.float32))
    assert len(fused) == 1


class Fake:
    """A worker in which the ways take as many seconds as they are told."""

    seconds: ClassVar[dict[str, float]] = {"slow": 4.0, "by BLAS": 1.0, "fast": 2.0}
    built: ClassVar[list[list[str]]] = []

    def __init__(self, contestant, environment):
        assert contestant == "story"
        assert set(environment.values()) == {str(get_threads())}

    def ask(self, do, variant="", variants=(), row="", repeats=0):
        if do == "build":
            assert row == "step/coordconv-classifier/16"
            return Fake.built.append(list(variants))
        return Fake.seconds[variant]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_a_gain_is_the_time_before_by_the_time_now_and_blas_has_a_process_of_its_own(monkeypatch):
    never: Any = None  # what prepares a way is called by the worker, which is not there
    ways = {"slow": story.Way(never, scale=10), "by BLAS": story.Way(never, blas=True), "fast": story.Way(never)}
    monkeypatch.setattr(story, "WAYS", ways)
    monkeypatch.setattr(story, "Worker", Fake)
    Fake.built = []
    slow, blas, fast = story.story(rounds=3)
    assert Fake.built == [["slow", "fast"], ["by BLAS"]]
    assert slow == {"way": "slow", "ms": 40_000, "gain": None}
    assert blas == {"way": "by BLAS", "ms": 1000, "gain": 40}
    assert fast == {"way": "fast", "ms": 2000, "gain": 0.5}


@pytest.mark.compiled
def test_each_way_does_a_step():
    contestant = Contestant("story")
    contestant.build(story.ROW, list(story.WAYS))
    assert all(contestant.seconds(name, 1) > 0 for name in story.WAYS)


def test_the_chart_has_a_bar_with_its_time_for_each_way():
    ways = [{"way": "a", "ms": 5000.0, "gain": None}, {"way": "b", "ms": 25.0, "gain": 200.0}]
    (axes,) = speed_story(ways).axes
    assert [bar.get_width() for bar in axes.patches] == [5000.0, 25.0]  # type: ignore
    assert [text.get_text() for text in axes.texts] == ["5 s", "25 ms   200 times as fast"]
    with pytest.raises(ValueError, match="no ways to draw"):
        speed_story([])
