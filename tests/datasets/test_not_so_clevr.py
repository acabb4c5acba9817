"""Not-so-Clevr and its splits, measured against the paper's counts (section 3) and yardsticks worked out by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from minicoord.datasets import SPLITS, NotSoClevr, Split, not_so_clevr, split

COUNTS = {
    "uniform": (2508, 628),
    "quadrant": (2407, 729),
    "quadrant-symmetric": (2352, 784),
    "official-uniform": (2368, 768),
}

half_sides = st.integers(0, 4)


@pytest.fixture(scope="module")
def data() -> NotSoClevr:
    return not_so_clevr()


def small(half: int, more_rows: int, more_columns: int) -> NotSoClevr:
    side = 2 * half + 1
    return not_so_clevr((side + more_rows, side + more_columns), side)


def mean_distance(centres: np.ndarray, prediction: np.ndarray | tuple[float, float]) -> float:
    """The mean Euclidean distance in pixels between the centres and one constant prediction."""
    return float(np.linalg.norm(centres - np.asarray(prediction), axis=1).mean())


# The samples


def test_default_is_the_papers_sweep(data: NotSoClevr) -> None:
    assert len(data) == 3136
    assert data.canvas == (64, 64)
    assert data.square == 9
    wanted = [(x, y) for x in range(4, 60) for y in range(4, 60)]
    assert data.centres.dtype == np.int64
    assert data.centres.tolist() == [list(centre) for centre in wanted]


def test_labels_are_pixels_in_reading_order(data: NotSoClevr) -> None:
    assert data.labels.dtype == np.int64
    one_hot = data.one_hot()
    assert one_hot.shape == (3136, 64, 64, 1)
    np.testing.assert_array_equal(one_hot.reshape(3136, -1).argmax(axis=1), data.labels)
    np.testing.assert_array_equal(one_hot.sum(axis=(1, 2, 3)), 1)


def test_rectangular_canvas_tells_rows_from_columns() -> None:
    data = not_so_clevr(canvas=(14, 6), square=3)
    assert len(data) == 12 * 4
    assert data.centres.min(axis=0).tolist() == [1, 1]
    assert data.centres.max(axis=0).tolist() == [4, 12]
    last = data.one_hot([len(data) - 1])[0, :, :, 0]
    assert np.argwhere(last).tolist() == [[12, 4]]
    assert data.labels[-1] == 12 * 6 + 4
    np.testing.assert_allclose(data.inputs([0, len(data) - 1]), [[-0.6, 2 / 13 - 1], [0.6, 1 - 2 / 13]], rtol=1e-6)


def sums_around(images: NDArray, reach: int) -> NDArray:
    """The sum over all pixels at most `reach` rows and columns away, itself among them; outside of an image is zero."""
    edges = [(0, 0)] * (images.ndim - 2) + [(reach, reach)] * 2
    size = 2 * reach + 1
    return sliding_window_view(np.pad(images, edges), (size, size), (-2, -1)).sum(axis=(-2, -1))


def test_squares_equal_the_papers_recipe(data: NotSoClevr) -> None:
    """Identity images of 56 x 56, padded by 4, correlated with 9 x 9 ones (here for every 37th sample)."""
    chosen = np.arange(0, 3136, 37)
    # The recipe counts places row by row; the sweep counts them column by column.
    x, y = (data.centres[chosen] - 4).T
    identity = np.eye(3136, dtype=np.float32)[y * 56 + x].reshape(-1, 56, 56)
    padded = np.pad(identity, ((0, 0), (4, 4), (4, 4)))
    recipe = sums_around(padded, 4)
    np.testing.assert_array_equal(padded, data.one_hot(chosen)[..., 0])
    np.testing.assert_array_equal(recipe, data.squares(chosen)[..., 0])


def test_every_square_is_whole_and_white(data: NotSoClevr) -> None:
    squares = data.squares()
    assert squares.shape == (3136, 64, 64, 1)
    np.testing.assert_array_equal(squares.sum(axis=(1, 2, 3)), 81)
    assert np.unique(squares).tolist() == [0, 1]


@given(half_sides, st.integers(0, 6), st.integers(0, 6))
@settings(max_examples=40, deadline=None)
def test_any_canvas(half: int, more_rows: int, more_columns: int) -> None:
    data = small(half, more_rows, more_columns)
    assert len(data) == (more_rows + 1) * (more_columns + 1) == len(set(data.labels.tolist()))
    squares = data.squares()[..., 0]
    np.testing.assert_array_equal(squares.sum(axis=(1, 2)), data.square**2)
    for (x, y), image in zip(data.centres, squares, strict=True):
        np.testing.assert_array_equal(image[y - half : y + half + 1, x - half : x + half + 1], 1)


@given(half_sides, st.integers(0, 6), st.integers(0, 6))
@settings(max_examples=20, deadline=None)
def test_inputs_are_the_coordinate_channels_at_the_centre(half: int, more_rows: int, more_columns: int) -> None:
    data = small(half, more_rows, more_columns)
    height, width = data.canvas
    # np.linspace gives -1 for one point; the coordinate channels give 0.
    along_x = np.linspace(-1, 1, width) if width > 1 else np.zeros(1)
    along_y = np.linspace(-1, 1, height) if height > 1 else np.zeros(1)
    x, y = data.centres.T
    wanted = np.stack([along_x[x], along_y[y]], axis=1)
    np.testing.assert_allclose(data.inputs(dtype=np.float64), wanted, atol=1e-15)
    np.testing.assert_array_equal(data.inputs(raw=True), data.centres)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes(data: NotSoClevr, dtype: type) -> None:
    for array in (data.inputs([0], dtype=dtype), data.one_hot([0], dtype), data.squares([0], dtype)):
        assert array.dtype == dtype
        assert array.flags.c_contiguous


def test_default_dtype_is_float32(data: NotSoClevr) -> None:
    for array in (data.inputs([0]), data.inputs([0], raw=True), data.one_hot([0]), data.squares([0])):
        assert array.dtype == np.float32


def test_indices_choose_samples(data: NotSoClevr) -> None:
    mask = np.zeros(3136, bool)
    mask[[5, 7]] = True
    for indices in ([5, 7], np.array([5, 7], np.int32), mask):
        np.testing.assert_array_equal(data.inputs(indices, raw=True), data.centres[[5, 7]])
        np.testing.assert_array_equal(data.squares(indices), data.squares()[[5, 7]])
    assert data.one_hot([]).shape == (0, 64, 64, 1)


def test_data_cannot_be_changed_by_accident(data: NotSoClevr) -> None:
    with pytest.raises(ValueError, match="read-only"):
        data.centres[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.square = 3  # type: ignore[misc]


# What is refused


@pytest.mark.parametrize(
    ("canvas", "square", "error", "words"),
    [
        (64, 8, ValueError, "square is 8, wanted an odd side"),
        (64, -1, ValueError, "square is -1, wanted an odd side"),
        (64, 9.0, TypeError, "square is 9.0, wanted an integer"),
        (64, True, TypeError, "square is True, wanted an integer"),
        (8, 9, ValueError, "9 x 9 pixels does not fit on a canvas of height 8 and width 8"),
        ((64, 8), 9, ValueError, "does not fit on a canvas of height 64 and width 8"),
        ((64, 64, 3), 9, ValueError, r"wanted one side or \(height, width\)"),
        (0, 1, ValueError, "wanted sides of 1 or more"),
        ("64", 9, TypeError, "canvas is '64', wanted an integer"),
    ],
)
def test_bad_sizes_are_named(canvas: object, square: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        not_so_clevr(canvas, square)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("indices", "words"),
    [
        ([3136], "indices go from 3136 to 3136, wanted 0 to 3135"),
        (5, "wanted one axis of int or bool"),
        ([0.5], "dtype float64, wanted one axis of int or bool"),
        (np.zeros(3, bool), "length 3, wanted 3136"),
    ],
)
def test_bad_indices_are_named(data: NotSoClevr, indices: object, words: str) -> None:
    for method in (data.inputs, data.one_hot, data.squares):
        with pytest.raises(ValueError, match=words):
            method(indices)  # type: ignore[operator]


def test_other_dtypes_are_refused(data: NotSoClevr) -> None:
    with pytest.raises(TypeError, match="squares: dtype was uint8, wanted float32 or float64"):
        data.squares([0], np.uint8)


# The splits


@pytest.mark.parametrize("name", SPLITS)
def test_counts(data: NotSoClevr, name: str) -> None:
    parts = split(data, name)
    assert parts.name == name
    assert (len(parts.train), len(parts.test)) == COUNTS[name]


def assert_partition(data: NotSoClevr, parts: Split) -> None:
    both = np.concatenate([parts.train, parts.test])
    assert sorted(both.tolist()) == list(range(len(data)))
    assert parts.train.dtype == parts.test.dtype == np.int64


@given(st.sampled_from(list(SPLITS)), st.integers(5, 12), st.integers(5, 12), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_parts_are_disjoint_and_complete(name: str, height: int, width: int, seed: int) -> None:
    data = not_so_clevr((height, width), 1)
    assert_partition(data, split(data, name, seed))


def test_quadrants_follow_their_rules(data: NotSoClevr) -> None:
    strict, symmetric = split(data, "quadrant"), split(data, "quadrant-symmetric")
    assert data.centres[strict.test].min(axis=0).tolist() == [33, 33]
    assert data.centres[symmetric.test].min(axis=0).tolist() == [32, 32]
    for parts, first in ((strict, 33), (symmetric, 32)):
        assert not (data.centres[parts.train] >= first).all(axis=1).any()
        assert (data.centres[parts.test] >= first).all()


def test_quadrant_of_a_rectangle_is_bottom_right_by_its_own_sides() -> None:
    data = not_so_clevr((20, 40), 1)
    test = data.centres[split(data, "quadrant-symmetric").test]
    assert (test.min(axis=0).tolist(), test.max(axis=0).tolist()) == ([20, 10], [39, 19])
    assert len(test) == len(data) / 4


def test_uniform_depends_on_its_seed_alone(data: NotSoClevr) -> None:
    np.testing.assert_array_equal(split(data, "uniform", 3).test, split(data, "uniform", seed=3).test)
    assert split(data, "uniform", 3).test.tolist() != split(data, "uniform", 4).test.tolist()
    for name in set(SPLITS) - {"uniform"}:
        np.testing.assert_array_equal(split(data, name, 3).test, split(data, name, 4).test)


def test_neighbours_of_the_official_test_pixels(data: NotSoClevr) -> None:
    parts = split(data, "official-uniform")
    trained = data.one_hot(parts.train).sum(axis=0)[:, :, 0]
    around = sums_around(trained, 1) - trained
    x, y = data.centres[parts.test].T
    assert (around[y, x] == 8).sum() == 86
    assert around[y, x].min() == 1


def test_yardsticks_of_a_constant_prediction(data: NotSoClevr) -> None:
    assert mean_distance(data.centres, (31.5, 31.5)) == pytest.approx(21.4, abs=0.05)
    parts = split(data, "quadrant")
    mean = data.centres[parts.train].mean(axis=0)
    assert mean == pytest.approx([27.1, 27.1], abs=0.05)
    assert mean_distance(data.centres[parts.test], mean) == pytest.approx(27.8, abs=0.05)
    assert mean_distance(data.centres[parts.train], mean) == pytest.approx(20.3, abs=0.05)


def test_unknown_split_is_answered_with_the_known(data: NotSoClevr) -> None:
    known = "'uniform', 'quadrant', 'quadrant-symmetric', 'official-uniform'"
    with pytest.raises(ValueError, match=f"the name is 'quarter', wanted one of {known}"):
        split(data, "quarter")


@pytest.mark.parametrize("seed", [None, -1, 1.5, "a"])
def test_a_seed_is_a_whole_number(data, seed):
    """None would be another split in every call."""
    with pytest.raises(ValueError, match=f"split: seed was {seed!r}, wanted a whole number of at least 0"):
        split(data, "uniform", seed)


def test_a_canvas_too_small_to_split_is_named() -> None:
    with pytest.raises(ValueError, match="gives 1 for training and 0 for the test"):
        split(not_so_clevr(9, 9), "quadrant")
