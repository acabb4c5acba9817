"""How work is divided: all of it once, by the shapes alone, and no number depends on it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from minicoord.kernels import convolve, micro_kernel, weight_gradient
from minicoord.kernels.backend.threading_layer import get_threads, set_threads
from minicoord.kernels.backend.vectors import HERE
from minicoord.kernels.convolution import conv2d, conv2d_backward
from minicoord.kernels.coordconv import coordconv2d, coordconv2d_backward
from minicoord.kernels.coordinates import coordinate_channels
from minicoord.kernels.division import (
    BAND,
    FEW_ROWS,
    KERNEL,
    POSITIONS,
    POSITIONS_SUMMED,
    SUMS,
    TASKS,
    Division,
    band_numbers,
    divide,
    divide_gradient,
    index_to_cut,
    time_of_rows,
    units_of,
)
from minicoord.kernels.geometry import Window, window
from minicoord.kernels.panels import panel_width
from minicoord.kernels.transposed import conv_transpose2d

either = pytest.mark.parametrize("function", [divide, divide_gradient], ids=["divide", "divide_gradient"])
IS_COMPILED = micro_kernel.multiply is not micro_kernel._multiply_plainly
FLOAT32 = np.dtype(np.float32)


@st.composite
def shapes(draw):
    """Draw images, a window, channels in and out, and a dtype: up to networks larger than any in the lessons."""
    most = draw(st.sampled_from([4, 20, 300]))  # small images often, because several of them share a unit
    height, width, size = draw(st.integers(1, most)), draw(st.integers(1, most)), draw(st.integers(1, 7))
    win = window(height, width, size, draw(st.integers(1, 4)), "same")
    channels = st.sampled_from([1, 2, 3, 8, 16, 33, 64, 256, 1000])
    dtype = np.dtype(draw(st.sampled_from([np.float32, np.float64])))
    return draw(st.integers(1, 1000 if most < 300 else 200)), win, draw(channels), draw(channels), dtype


def times_done(division: Division, images: int, win: Window) -> NDArray:
    """Return how often each line of each image is done, shape (images, out_h), as the units of all chunks have it."""
    done = np.zeros((images, win.out_h), int)
    per_image, units = units_of(division, images, win.out_h)
    for chunk in range(division.chunks):
        of_chunk = range(chunk * units // division.chunks, (chunk + 1) * units // division.chunks)
        assert len(of_chunk) > 0  # no task is without a unit
        for unit in of_chunk:
            n, line = unit // per_image * division.images, unit % per_image * division.lines
            done[n : n + division.images, line : line + division.lines] += 1
    return done


@either
@settings(max_examples=150, deadline=None)
@given(shapes())
def test_the_tasks_cover_every_line_of_every_image_and_every_panel_once(function, shape):
    images, win, _, c_out, dtype = shape
    found = function.__wrapped__(*shape)
    assert (times_done(found, images, win) == 1).all()
    panels = -(-c_out // panel_width(dtype))
    spare = found.blocks * found.panels - panels
    assert 0 <= spare < found.panels  # no block is without a panel
    assert spare == 0 or function is divide_gradient  # a convolution's blocks have all the same number of panels


@either
@settings(max_examples=150, deadline=None)
@given(shapes())
def test_a_unit_is_some_lines_of_one_image_or_some_whole_images(function, shape):
    images, win, channels, _, dtype = shape
    found = function.__wrapped__(*shape)
    assert 1 <= found.images <= images
    assert 1 <= found.lines <= win.out_h
    assert found.images == 1 or found.lines == win.out_h  # the positions of a unit lie one after the other
    positions = {divide: POSITIONS, divide_gradient: POSITIONS_SUMMED}[function]
    assert (found.images, found.lines) == (1, 1) or found.images * found.lines * win.out_w <= positions
    band = found.images * band_numbers(win, found.lines, channels) * dtype.itemsize
    assert found.images == 1 or band <= BAND
    edge = band_numbers(win, 1, channels) * dtype.itemsize  # what the first line reads beside its own rows
    assert found.lines == 1 or found.images > 1 or band <= BAND + edge


@either
def test_small_images_share_a_unit_if_there_are_enough_of_them(function):
    win, positions = window(4, 3, 3), {divide: POSITIONS, divide_gradient: POSITIONS_SUMMED}[function]
    assert function(TASKS * 100, win, 8, 8, FLOAT32)[:2] == (positions // 12, 4)
    assert function(TASKS * 2 + 1, win, 8, 8, FLOAT32)[:2] == (2, 4)
    assert function(TASKS * 2 - 1, win, 8, 8, FLOAT32)[:2] == (1, 4)
    assert function(TASKS * 100, win, 1000, 8, FLOAT32).images == BAND // (6 * 5 * 1000 * 4)


@either
@settings(max_examples=50, deadline=None)
@given(shapes())
def test_the_division_does_not_depend_on_the_threads(function, shape):
    most, found = get_threads(), []
    try:
        for threads in range(1, most + 1):
            set_threads(threads)
            found.append(function.__wrapped__(*shape))
    finally:
        set_threads(most)
    assert len(set(found)) == 1


@settings(max_examples=100, deadline=None)
@given(shapes())
def test_there_are_enough_tasks_where_there_is_enough_work(shape):
    images, win, _, _, _ = shape
    found = divide.__wrapped__(*shape)
    assert found.chunks * found.blocks >= min(TASKS // 2 if found.packs else TASKS, images * win.out_h)


@settings(max_examples=100, deadline=None)
@given(shapes())
def test_a_task_of_a_large_kernel_has_one_panel(shape):
    _, win, c_in, c_out, dtype = shape
    found, panels = divide.__wrapped__(*shape), -(-c_out // panel_width(dtype))
    is_large = win.kh * win.kw * c_in * c_out * dtype.itemsize > KERNEL
    assert (found.blocks, found.panels) == ((panels, 1) if is_large else (1, panels))
    assert is_large or not found.packs


@settings(max_examples=100, deadline=None)
@given(shapes())
def test_the_parts_of_a_gradient_stay_below_their_limit(shape):
    _, win, channels, c_out, _ = shape
    size = win.kh * win.kw * channels * c_out
    assert divide_gradient.__wrapped__(*shape).chunks * size <= max(SUMS, size)


@given(st.tuples(*[st.integers(1, 70)] * 3))
def test_no_other_index_of_a_row_could_be_cut_with_less_waste(lengths):
    cut = index_to_cut(lengths)
    for length in lengths:
        waste, other = (time_of_rows(n) / n for n in (lengths[cut], length))
        assert waste < other or (waste == other and lengths[cut] >= length)


def test_full_blocks_waste_nothing_and_a_single_row_most():
    height = HERE.block_rows
    assert time_of_rows(3 * height) == 3 * height
    assert time_of_rows(3 * height + 1) == 3 * height + FEW_ROWS
    assert index_to_cut((height, height + 1, 1)) == 0
    assert index_to_cut((1, 2 * height, height)) == 1


def assert_same(ours: Any, wanted: Any) -> None:
    """Compare bit by bit; without a compiler, where NumPy's products make no such promise, to some rounding."""
    if IS_COMPILED:
        assert ours.tobytes() == wanted.tobytes()
    else:
        np.testing.assert_allclose(ours, wanted, rtol=0, atol={4: 1e-4, 8: 1e-12}[wanted.itemsize])


@pytest.fixture(params=["one thread", "tasks"])
def either_way(request, monkeypatch):
    for module in (convolve, weight_gradient):
        monkeypatch.setattr(module, "ALONE", 2**60 if request.param == "one thread" else 0)


def divide_as(monkeypatch, division: Division, c_out: int) -> None:
    """Have every convolution divided so; one that does not have `c_out` outputs has one panel."""
    one_panel = division._replace(blocks=1, panels=1)
    for module, name in ((convolve, "divide"), (weight_gradient, "divide_gradient")):
        monkeypatch.setattr(module, name, lambda *shape: division if shape[3] == c_out else one_panel)


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize(
    "shape, images, lines",
    [
        *(((3, 11, 9, 2), 1, lines) for lines in (1, 2, 4, 11)),
        *(((3, 11, 9, 2), images, 11) for images in (2, 3)),
        *(((14, 3, 2, 2), images, 3) for images in (2, 4, 5, 14)),  # more images in a unit than columns in a line
        ((14, 3, 2, 2), 1, 2),
        ((14, 1, 1, 2), 5, 1),
    ],
)
@pytest.mark.parametrize("chunks", [1, 2, 3])
@pytest.mark.parametrize("per_block", [1, 2, 3])
def test_any_division_gives_the_same_output_and_gradients(shape, images, lines, chunks, per_block, monkeypatch):
    """Also one that is never chosen. A unit that is done twice would be seen in the gradient of the kernel."""
    c_out = 2 * panel_width(FLOAT32) + 5  # three panels
    rng = np.random.default_rng(0)
    x, w = (rng.standard_normal(s).astype(np.float32) for s in (shape, (3, 3, shape[3], c_out)))
    dy, gate = (rng.standard_normal((*shape[:3], c_out)).astype(np.float32) for _ in range(2))
    win = window(shape[1], shape[2], 3)
    maps = rng.standard_normal((win.out_h * win.out_w, c_out)).astype(np.float32)

    def with_maps() -> NDArray:
        y = np.full(dy.shape, np.nan, np.float32)
        convolve.convolve(x, w, maps, y, True, win)
        return y

    def with_bias() -> NDArray:
        y = np.full(dy.shape, np.nan, np.float32)
        convolve.convolve(x, w, maps[0], y, False, win)
        return y

    gradients = partial(weight_gradient.weight_gradient, x, dy, win, gate=gate)
    wanted = with_bias(), with_maps(), conv2d_backward(x, w, dy)[0], *gradients()
    divide_as(monkeypatch, Division(1, 1, 1, 1, 3), c_out)
    in_order = gradients()
    blocks = -(-3 // per_block)
    divide_as(monkeypatch, Division(images, lines, chunks, blocks, per_block), c_out)
    found = gradients()
    if per_block != 3:  # a convolution's blocks have all the same number of panels; one, if each task packs its own
        divide_as(monkeypatch, Division(images, lines, chunks, 3, 1, packs=per_block == 2), c_out)
    assert_same(with_bias(), wanted[0])
    assert_same(with_maps(), wanted[1])
    assert_same(conv2d_backward(x, w, dy)[0], wanted[2])
    for ours, gradient, added_in_order in zip(found, wanted[3:], in_order, strict=True):
        np.testing.assert_allclose(ours, gradient, rtol=0, atol=1e-4)
        if chunks == 1:  # one sum over all images and positions, whatever a unit of them is
            assert_same(ours, added_in_order)


def assert_one_by_one(function: Any, *batches: NDArray) -> None:
    """Compare what a function gives for whole batches with what it gives for their images one by one."""
    whole = function(*batches)
    for n in range(len(batches[0])):
        assert_same(function(*(batch[n : n + 1] for batch in batches)), whole[n : n + 1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize(
    "images, height, width, images_of_a_unit",
    [
        (2 * TASKS + 3, 4, 5, 2),  # a last unit of one image
        (5 * TASKS + 2, 3, 3, 5),  # more images than columns
        (3 * TASKS, 2, 7, 3),
        (2 * TASKS - 1, 4, 4, 1),
    ],
)
def test_images_that_share_a_unit_have_the_bits_of_one_image(
    images, height, width, images_of_a_unit, relu, padding, dtype
):
    c_in, c_out, size = 3, 2 * panel_width(np.dtype(dtype)) + 3, (2, 3)
    win = window(height, width, size, 1, padding)
    assert divide(images, win, c_in, c_out, np.dtype(dtype)).images == images_of_a_unit
    rng = np.random.default_rng(0)

    def numbers(*shape: int) -> NDArray:
        return rng.standard_normal(shape).astype(dtype)

    x, w, b = numbers(images, height, width, c_in), numbers(*size, c_in, c_out), numbers(c_out)
    dy = numbers(images, win.out_h, win.out_w, c_out)
    y = conv2d(x, w, b, 1, padding, relu=relu)
    assert_one_by_one(lambda x: conv2d(x, w, b, 1, padding, relu=relu), x)
    assert_one_by_one(lambda x, dy, y: conv2d_backward(x, w, dy, 1, padding, y if relu else None)[0], x, dy, y)
    both, w_both = coordinate_channels(height, width, False, dtype), numbers(*size, c_in + 2, c_out)
    assert_one_by_one(lambda x: coordconv2d(x, both, w_both, b, relu, win), x)
    assert_one_by_one(lambda x, dy, y: coordconv2d_backward(x, both, w_both, dy, y if relu else None, win)[0], x, dy, y)
    w = numbers(*size, c_out, c_in)  # of a transposed convolution
    assert_one_by_one(lambda x: conv_transpose2d(x, w, b, (2, 1), padding, relu=relu), x)


@settings(max_examples=50, deadline=None)
@given(shapes())
def test_little_work_is_one_task_for_each_panel(shape):
    *_, c_out, dtype = shape
    panels = -(-c_out // panel_width(dtype))
    found = divide.__wrapped__(*shape, True)
    assert (found.chunks, found.blocks, found.panels, found.packs) == (1, panels, 1, True)
    gradient = divide_gradient.__wrapped__(*shape, True)
    assert (gradient.chunks, gradient.blocks, gradient.panels) == (1, 1, panels)
