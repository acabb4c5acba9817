"""Drawn shapes against their oracle wherever they lie, and what is said of wrong arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from minicoord.kernels.coloured_shapes import draw_shapes
from minicoord.reference.coloured_shapes import draw_shapes as oracle


@given(
    count=st.integers(0, 4),
    shapes=st.integers(0, 3),
    half=st.integers(0, 5),
    side=st.integers(1, 9),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_every_pixel_is_that_of_the_oracle(count, shapes, half, side, dtype, seed):
    rng = np.random.default_rng(seed)
    centres = rng.integers(-half - 2, side + half + 2, (count, shapes, 2))
    circles = rng.random((count, shapes)) < 0.5
    colours = rng.uniform(-1, 1, (shapes, 3)).astype(dtype)
    drawn = draw_shapes(centres, circles, colours, half, side)
    assert drawn.dtype == dtype
    np.testing.assert_array_equal(drawn, oracle(centres, circles, colours, half, side))


ARGUMENTS: dict[str, Any] = {
    "centres": np.zeros((2, 1, 2), np.int64),
    "circles": np.zeros((2, 1), bool),
    "colours": np.zeros((1, 3), np.float32),
    "half": 2,
    "side": 5,
}


@pytest.mark.parametrize(
    "changes, error, words",
    [
        ({"colours": np.zeros((1, 3), int)}, TypeError, "draw_shapes: colours has dtype int64"),
        ({"colours": np.zeros((2, 3))}, ValueError, r"draw_shapes: centres has shape \(2, 1, 2\), wanted \(2, 2, 2\)"),
        ({"centres": np.zeros((2, 1, 2))}, TypeError, "draw_shapes: centres has dtype float64, wanted int64"),
        ({"circles": [[True]]}, TypeError, "draw_shapes: circles is of type list, wanted a NumPy array"),
        ({"circles": np.zeros((3, 1), bool)}, ValueError, r"draw_shapes: circles has shape \(3, 1\), wanted \(2, 1\)"),
        ({"half": -1}, ValueError, "draw_shapes: half was -1, wanted a whole number of at least 0"),
        ({"half": 10**30}, ValueError, "draw_shapes: half was 10{30}, wanted at most 1073741824"),
        (
            {"centres": np.full((2, 1, 2), 2**40)},
            ValueError,
            "draw_shapes: centres go from 1099511627776 to .*, wanted",
        ),
        ({"circles": np.ma.masked_array(np.ones((2, 1), bool))}, TypeError, "draw_shapes: circles is a masked array"),
        ({"side": 0}, ValueError, "draw_shapes: side was 0, wanted a whole number of at least 1"),
    ],
)
def test_wrong_arguments_are_named(changes, error, words):
    with pytest.raises(error, match=words):
        draw_shapes(**{**ARGUMENTS, **changes})
