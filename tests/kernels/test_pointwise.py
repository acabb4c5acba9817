"""Chains of 1x1 convolutions against the oracles of their layers, one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from minicoord import reference
from minicoord.kernels import pointwise
from minicoord.kernels.geometry import window
from minicoord.kernels.pointwise import FEWEST_ROWS, MOST_ROWS, TASKS, TILE, Chain, Link, is_pointwise

TOLERANCE = {np.float32: 1e-5, np.float64: 1e-13}


def links(channels: list[int], coordinates: list[int], dtype: type, rng: np.random.Generator) -> list[Link]:
    """Return a layer from each of `channels` to the next; every other one has ReLU. Weights keep the numbers near 1."""
    found = []
    for k, d in enumerate(coordinates):
        rows = channels[k] + d
        w = rng.standard_normal((rows, channels[k + 1])) / np.sqrt(rows)
        found.append(Link(w.astype(dtype), rng.standard_normal(channels[k + 1]).astype(dtype), k % 2 == 0, d))
    return found


def layer_by_layer(
    x: NDArray, chain: list[Link], coordinates: NDArray, dy: NDArray
) -> tuple[list[NDArray], NDArray, list[Any]]:
    """Return the outputs of all layers, dx, and for each layer dw and db, by the oracles."""
    outputs, gradients = [x], []
    for link in chain:
        both = coordinates[:, :, : link.coordinates]
        outputs.append(reference.coordconv2d(outputs[-1], both, link.w[None, None], link.b, relu=link.relu))
    for link, inner, y in reversed(list(zip(chain, outputs, outputs[1:], strict=False))):
        both, gate = coordinates[:, :, : link.coordinates], y if link.relu else None
        dy, dw, db = reference.coordconv2d_backward(inner, both, link.w[None, None], dy, gate)
        gradients.insert(0, (dw[0, 0], db))
    return outputs[1:], dy, gradients


def assert_close(ours: NDArray, oracle: NDArray) -> None:
    assert (ours.shape, ours.dtype) == (oracle.shape, oracle.dtype)
    scale = max(np.abs(oracle).max(initial=0.0), 1.0)
    assert np.abs(ours - oracle).max(initial=0.0) <= TOLERANCE[oracle.dtype.type] * scale


def assert_agrees(shape: tuple[int, int, int], channels: list[int], coordinates: list[int], dtype: type) -> None:
    """Compare a chain on images (N, H, W) with its layers; `coordinates` has 0 or d for each layer, the same d."""
    rng = np.random.default_rng(0)
    x, dy = (rng.standard_normal((*shape, c)).astype(dtype) for c in (channels[0], channels[-1]))
    both = reference.coordinate_channels(shape[1], shape[2], max(coordinates) == 3, dtype)
    parts = links(channels, coordinates, dtype, rng)
    outputs, wanted_dx, gradients = layer_by_layer(x, parts, both, dy)
    chain = Chain(parts, both if any(coordinates) else None)
    ys = chain.forward(x)
    for ours, oracle in zip(chain.outputs(ys, x.shape), outputs, strict=True):
        assert_close(ours, oracle)
    for need_dx in (True, False):
        dx, found = chain.backward(x, ys, dy, need_dx)
        for ours, oracle in zip(found, gradients, strict=True):
            assert_close(ours[0], oracle[0])
            assert_close(ours[1], oracle[1])
        if need_dx:
            assert dx is not None
            assert_close(dx, wanted_dx)
        else:
            assert dx is None


@settings(max_examples=30, deadline=None)
@given(
    st.tuples(st.integers(0, 3), st.integers(1, 9), st.integers(1, 9)),
    st.lists(st.sampled_from([1, 2, 3, 7, 8, 9, 16, 17, 33]), min_size=2, max_size=5),
    st.sampled_from([2, 3]),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.sampled_from([np.float32, np.float64]),
)
def test_a_chain_is_its_layers(shape, channels, d, has_coordinates, dtype):
    layers = len(channels) - 1
    assert_agrees(shape, channels, [d if has else 0 for has in has_coordinates[:layers]], dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "shape, channels, coordinates",
    [
        ((2, 13, 11), [3, 32, 70], [2, 0]),  # a tile and a rest of each image; more than two panels
        ((2, 13, 11), [3, 48, 1], [2, 2]),  # one column, whose input channels fill vectors
        ((1, MOST_ROWS, 1), [2, 5, 5], [0, 3]),  # one tile, full
        ((3, 1, MOST_ROWS + 1), [2, 5, 5], [2, 2]),  # a tile of one pixel is left over
        ((40, 1, 1), [4, 3, 2], [2, 0]),  # images of one pixel
        ((2, 3, 3), [5, 300, 2], [0, 2]),  # sums longer than a piece
        ((2, 11, 11), [3, 299, 2], [2, 0]),  # fewer rows in a tile, as many as TILE leaves
        ((1, FEWEST_ROWS + 3, 1), [2, TILE // FEWEST_ROWS + 1, 1], [0, 2]),  # the fewest rows in a tile
        ((2 * TASKS + 3, 2, 3), [2, 9, 2], [3, 0]),  # small images in groups that have not all the same number
    ],
)
def test_tiles_and_what_they_leave_over(shape, channels, coordinates, dtype):
    assert_agrees(shape, channels, coordinates, dtype)


@pytest.mark.parametrize("sums", [1, 2, 5, TASKS])
def test_any_number_of_sums_for_the_gradients(sums, monkeypatch):
    """Layers of many weights have fewer sums than tiles, and the tiles are divided among them."""
    weights = (3 + 2) * 20 + 20 + 20 * 7 + 7
    monkeypatch.setattr(pointwise, "SUMS", (sums * weights + weights // 2) // 4)
    assert_agrees((5, 4, MOST_ROWS + 9), [3, 20, 7], [2, 0], np.float64)


def test_a_nan_in_an_output_lets_the_gradient_through():
    rng = np.random.default_rng(1)
    parts = links([2, 3, 2], [0, 0], np.float64, rng)
    x = rng.standard_normal((1, 2, 2, 2))
    x[0, 0, 1] = np.nan
    chain = Chain(parts, None)
    ys = chain.forward(x)
    assert np.isnan(chain.outputs(ys, x.shape)[1]).any(axis=-1).tolist() == [[[False, True], [False, False]]]
    dx, _ = chain.backward(x, ys, np.ones((1, 2, 2, 2)), True)
    assert dx is not None
    # Where the output of the first layer is NaN, it counts as positive: its gradient is that of a layer without ReLU.
    np.testing.assert_allclose(dx[0, 0, 1], np.ones(2) @ parts[1].w.T @ parts[0].w.T, rtol=1e-12)


def test_what_is_one_pixel_that_visits_every_pixel_once():
    x = np.empty((1, 4, 5, 2))
    assert is_pointwise(x, window(4, 5, 1))
    assert is_pointwise(x, window(4, 5, 1, 1, "valid"))
    for size, stride, padding in ((3, 1, "same"), ((1, 2), 1, "same"), (1, 2, "same"), (1, 1, 1)):
        assert not is_pointwise(x, window(4, 5, size, stride, padding))
