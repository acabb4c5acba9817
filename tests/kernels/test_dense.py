"""The dense layer's products against the oracle and central differences."""

from __future__ import annotations

import numpy as np
import pytest
from central_differences import numeric_gradient, relative_error
from hypothesis import given, settings, strategies as st

from minicoord import reference
from minicoord.kernels.backend.threading_layer import get_threads, set_threads
from minicoord.kernels.backend.vectors import lanes
from minicoord.kernels.dense import FEW, TILE, dense, dense_backward

TOLERANCE = {np.float32: 2e-6, np.float64: 1e-14}


def arrays(images, c_in, c_out, dtype, seed):
    """Return x, w, b, dy."""
    rng = np.random.default_rng(seed)
    sizes = [(images, c_in), (c_in, c_out), (c_out,), (images, c_out)]
    return [rng.standard_normal(size).astype(dtype) for size in sizes]


def assert_close(ours, oracle, dtype, terms):
    for a, b in zip(ours, oracle, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        assert np.allclose(a, b, rtol=0, atol=TOLERANCE[dtype] * (5 + terms))


def assert_agrees_with_the_oracle(images, c_in, c_out, dtype, seed):
    x, w, b, dy = arrays(images, c_in, c_out, dtype, seed)
    terms = max(images, c_in, c_out)
    ours = [dense(x, w, b), dense(x, w), *dense_backward(x, w, dy)]
    oracle = [reference.dense(x, w, b), reference.dense(x, w), *reference.dense_backward(x, w, dy)]
    assert_close(ours, oracle, dtype, terms)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 9),
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from([np.float32, np.float64]),
    st.integers(0, 1000),
)
def test_agrees_with_the_oracle(images, c_in, c_out, dtype, seed):
    assert_agrees_with_the_oracle(images, c_in, c_out, dtype, seed)


@pytest.mark.parametrize("images, c_in", [(TILE, TILE + 1), (TILE + 1, TILE), (2 * TILE + 3, 3 * TILE - 1)])
def test_agrees_with_the_oracle_over_several_tiles(images, c_in):
    assert_agrees_with_the_oracle(images, c_in, 3, np.float32, 0)


@pytest.mark.compiled  # NumPy's products depend on the batch
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("vectors", [1, 2, 3, 6])
@pytest.mark.parametrize("c_in", [1, 7, 400])
def test_the_bits_do_not_depend_on_whether_one_tile_has_all_images(dtype, vectors, c_in):
    """Then whole vectors of the weights are read where they lie, and otherwise from panels."""
    x, w, b, dy = arrays(TILE + 1, c_in, vectors * lanes(np.dtype(dtype).itemsize), dtype, 6)
    assert_close([dense(x, w, b)], [reference.dense(x, w, b)], dtype, c_in)
    assert dense(x[:TILE], w, b).tobytes() == dense(x, w, b)[:TILE].tobytes()
    assert dense(x[:5], w).tobytes() == dense(x, w)[:5].tobytes()
    dw = dense_backward(x, w, dy)[1]
    assert_close([dw], [reference.dense_backward(x, w, dy)[1]], dtype, TILE + 1)
    wide = np.hstack([x] * (TILE + 1))  # more rows of dw than a tile has
    assert dense_backward(wide, np.repeat(w, TILE + 1, 0), dy)[1][:c_in].tobytes() == dw.tobytes()


@pytest.mark.compiled  # NumPy's products depend on the batch
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("images, c_in, c_out", [(1, 3, 9), (2, 70, 9), (5, 300, 21), (TILE + 9, 130, 4 * TILE + 40)])
def test_the_bits_of_dx_do_not_depend_on_which_factor_is_rearranged(dtype, images, c_in, c_out):
    x, w, _, dy = arrays(images, c_in, c_out, dtype, 7)
    assert FEW * images <= c_out < FEW * 30 * images
    dx = dense_backward(x, w, dy)[0]
    assert dx.flags.c_contiguous
    assert_close([dx], [reference.dense_backward(x, w, dy)[0]], dtype, c_out)
    many = np.repeat(dy, 30, 0)  # a batch of more rows than the few
    assert dense_backward(np.repeat(x, 30, 0), w, many)[0][::30].tobytes() == dx.tobytes()


def test_views_are_taken_as_they_look():
    x, w, b, dy = arrays(4, 6, 5, np.float64, 1)
    xt, wt = np.asfortranarray(x)[::-1], w.T.copy().T
    assert_close([dense(xt, wt, b)], [reference.dense(xt, wt, b)], np.float64, 6)
    assert_close(dense_backward(xt, wt, dy), reference.dense_backward(xt, wt, dy), np.float64, 6)


def test_gradients_agree_with_central_differences():
    x, w, b, dy = arrays(3, 5, 4, np.float64, 2)
    dx, dw, db = dense_backward(x, w, dy)
    assert relative_error(dx, numeric_gradient(lambda a: (dense(a, w, b) * dy).sum(), x)) < 1e-6
    assert relative_error(dw, numeric_gradient(lambda a: (dense(x, a, b) * dy).sum(), w)) < 1e-6
    assert relative_error(db, numeric_gradient(lambda a: (dense(x, w, a) * dy).sum(), b)) < 1e-6


def test_nan_spoils_its_own_image_and_no_other():
    x, w, b, _ = arrays(3, 4, 2, np.float32, 3)
    x[1, 2] = np.nan
    assert np.isnan(dense(x, w, b)).tolist() == [[False, False], [True, True], [False, False]]


def test_the_bits_do_not_depend_on_the_threads():
    most = get_threads()
    x, w, b, dy = arrays(300, 270, 17, np.float32, 4)
    results = []
    try:
        for threads in range(1, most + 1):
            set_threads(threads)
            results.append([a.tobytes() for a in (dense(x, w, b), *dense_backward(x, w, dy))])
    finally:
        set_threads(most)
    assert all(other == results[0] for other in results)


def test_errors_name_what_came_and_what_was_wanted():
    x, w, b, dy = arrays(2, 3, 4, np.float64, 5)
    with pytest.raises(ValueError, match=r"dense: x has shape \(2, 4\), wanted \(N, 3\)"):
        dense(dy, w, b)
    with pytest.raises(ValueError, match=r"dense: x has shape \(2, 3, 1\), wanted \(N, c_in\)"):
        dense(x[..., None], w, b)
    with pytest.raises(ValueError, match=r"dense: b has shape \(3,\), wanted \(4,\)"):
        dense(x, w, b[:3])
    with pytest.raises(ValueError, match=r"dense: w has shape \(0, 4\), wanted"):
        dense(x[:, :0], w[:0], b)
    with pytest.raises(TypeError, match="dense: the dtypes differ"):
        dense(x, w.astype(np.float32), b)
    with pytest.raises(TypeError, match="dense: the dtypes differ"):
        dense(x, w, b.astype(np.float32))
    with pytest.raises(ValueError, match=r"dense_backward: dy has shape \(2, 3\), wanted \(2, 4\)"):
        dense_backward(x, w, x)
