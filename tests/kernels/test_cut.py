"""How work is divided: all of it once, by the shapes alone, and no number depends on it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from minicoord.kernels import convolve, weight_gradient
from minicoord.kernels.convolution import conv2d, conv2d_backward
from minicoord.kernels.geometry import window
from minicoord.kernels.panels import panel_width
from minicoord.kernels.threading_layer import get_threads, set_threads

either = pytest.mark.parametrize("module", [convolve, weight_gradient], ids=["convolve", "weight_gradient"])


@st.composite
def shapes(draw):
    """Draw images, a window, channels in and out, and a dtype: up to networks larger than any in the lessons."""
    height, width, size = draw(st.integers(1, 300)), draw(st.integers(1, 300)), draw(st.integers(1, 7))
    win = window(height, width, size, draw(st.integers(1, 4)), "same")
    channels = st.sampled_from([1, 2, 3, 8, 16, 33, 64, 256, 1000])
    dtype = np.dtype(draw(st.sampled_from([np.float32, np.float64])))
    return draw(st.integers(1, 200)), win, draw(channels), draw(channels), dtype


@either
@settings(max_examples=150, deadline=None)
@given(shapes())
def test_the_tasks_cover_every_unit_and_panel_once(module, shape):
    images, win, _, c_out, dtype = shape
    found = module.cut.__wrapped__(*shape)
    assert 1 <= found.lines <= win.out_h
    assert found.lines == 1 or found.lines * win.out_w <= module.PLACES
    units = images * -(-win.out_h // found.lines)
    assert 1 <= found.chunks <= units  # no task is without a unit
    panels = -(-c_out // panel_width(dtype))
    spare = found.blocks * found.panels - panels
    assert 0 <= spare < found.panels  # nor any block without a panel
    assert spare == 0 or module is weight_gradient  # a convolution's blocks have all the same number of panels


@either
@settings(max_examples=50, deadline=None)
@given(shapes())
def test_the_division_does_not_depend_on_the_threads(module, shape):
    most, found = get_threads(), []
    try:
        for threads in range(1, most + 1):
            set_threads(threads)
            found.append(module.cut.__wrapped__(*shape))
    finally:
        set_threads(most)
    assert len(set(found)) == 1


@settings(max_examples=100, deadline=None)
@given(shapes())
def test_there_are_enough_tasks_where_there_is_enough_work(shape):
    images, win, _, _, _ = shape
    found = convolve.cut.__wrapped__(*shape)
    assert found.chunks * found.blocks >= min(convolve.TASKS, images * win.out_h)


@settings(max_examples=100, deadline=None)
@given(shapes())
def test_the_parts_of_a_gradient_stay_below_their_limit(shape):
    _, win, channels, c_out, _ = shape
    size = win.kh * win.kw * channels * c_out
    assert weight_gradient.cut.__wrapped__(*shape).chunks * size <= max(weight_gradient.PARTS, size)


@pytest.fixture(params=["one thread", "tasks"])
def either_way(request, monkeypatch):
    for module in (convolve, weight_gradient):
        monkeypatch.setattr(module, "ALONE", 2**60 if request.param == "one thread" else 0)


IMAGES, SIZE, C_IN = 3, (11, 9), 2


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("lines", [1, 2, 4, 11])
@pytest.mark.parametrize("chunks", [1, 2, 3])
@pytest.mark.parametrize("per_block", [1, 2, 3])
def test_any_division_gives_the_same_output_and_gradients(lines, chunks, per_block, monkeypatch):
    """Also one that `cut` would never choose. A unit that is done twice would be seen in the gradient of the kernel."""
    c_out = 2 * panel_width(np.dtype(np.float32)) + 5  # three panels
    rng = np.random.default_rng(0)
    x, w = (rng.standard_normal(s).astype(np.float32) for s in ((IMAGES, *SIZE, C_IN), (3, 3, C_IN, c_out)))
    dy = rng.standard_normal((IMAGES, *SIZE, c_out)).astype(np.float32)
    y, (dx, dw, db) = conv2d(x, w), conv2d_backward(x, w, dy)
    for module in (convolve, weight_gradient):
        blocks = (1, 3) if module is convolve and per_block == 2 else (-(-3 // per_block), per_block)
        cut = module.Cut(lines, chunks, *blocks)
        one_panel = module.Cut(lines, chunks, 1, 1)  # which is all that the gradient of the image has
        monkeypatch.setattr(module, "cut", lambda *a, cut=cut, one=one_panel: cut if a[3] == c_out else one)
    again = conv2d_backward(x, w, dy)
    assert conv2d(x, w).tobytes() == y.tobytes()
    assert dx is not None and again[0] is not None
    assert again[0].tobytes() == dx.tobytes()
    np.testing.assert_allclose(again[1], dw, rtol=0, atol=1e-4)
    np.testing.assert_allclose(again[2], db, rtol=0, atol=1e-4)
