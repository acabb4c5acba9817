"""What lesson 05 shows: coordinates and their bugs, the map, equivariance, runs and sharpness, all to be read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from figure_checks import assert_legible, images, rectangles
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from minicoord import CoordConv2D
from minicoord.kernels.coordinates import add_coords, coordinate_channels
from minicoord.learn.definition.course import get
from minicoord.learn.lessons import lesson05

NAMES = {
    "divisors_exchanged": "divisors\nexchanged",
    "exchanged": "x and y\nexchanged",
    "shifted": "shifted\nby .5",
    "divided_by_length": "n steps,\nnot n - 1",
    "rows_twice": "i twice,\nno j",
}
PLANTED = {mistake.function.__name__: mistake.function for mistake in get("add_coords").mistakes}
IMAGE = np.zeros((24, 32), np.float32)
IMAGE[4:9, 5:10] = 1
IMAGE[15:18, 14:28] = 1


def test_each_channel_has_its_numbers():
    i, j, r = np.moveaxis(coordinate_channels(4, 7, with_r=True), -1, 0)
    shown = {"i: which row?": i, "j: which column?": j, "r: how far from the middle?": r}
    figure = lesson05.channels(shown, -1.3, 1.6)
    for ax, drawn, (title, channel) in zip(figure.axes, images(figure), shown.items(), strict=True):
        assert_array_equal(drawn, channel)
        assert ax.get_title() == title
        assert_allclose([float(text.get_text()) for text in ax.texts], channel.ravel(), atol=0.0051)
    assert [text.get_text() for text in figure.axes[0].texts][::7] == ["-1", "-0.33", "0.33", "1"]
    assert_legible(figure)


def test_wrong_distances_are_told_even_where_they_are_no_numbers():
    x = np.zeros((1, 5, 5, 1))
    planted = {mistake.function.__name__: mistake.function for mistake in get("add_r").mistakes}
    raw = planted["raw_indices"](x)[0, ..., -1].copy()
    raw[0, 0] = np.nan
    right = get("add_r").solution(x)[0, ..., -1]
    figure = lesson05.channels({"r": right, "shifted by .5": planted["shifted"](x)[0, ..., -1], "raw": raw}, 0, 3.2)
    said = [[text.get_text() for text in ax.texts] for ax in figure.axes]
    assert (said[0][0], said[0][12]) == ("1.41", "0")
    assert said[2][0] == "nan"
    assert_legible(figure)


def panels_of_bugs(sizes: Sequence[tuple[int, int]], *bugs: str) -> dict[str, list[tuple[NDArray, NDArray]]]:
    blank = [np.zeros((1, *size, 1)) for size in sizes]
    return {NAMES[bug]: [(PLANTED[bug](x)[0, ..., 1:], add_coords(x)[0, ..., 1:]) for x in blank] for bug in bugs}


def test_bugs_are_drawn_as_got_minus_wanted():
    wrong = panels_of_bugs([(5, 5), (3, 7)], *NAMES)
    figure = lesson05.bugs(wrong, ["5 x 5", "3 x 7"])
    assert [ax.get_title() for ax in figure.axes[:4]] == ["i, 5 x 5", "j, 5 x 5", "i, 3 x 7", "j, 3 x 7"]
    assert [ax.get_ylabel() for ax in figure.axes[::4]] == list(NAMES.values())
    off = [(got - wanted)[..., c] for pairs in wrong.values() for got, wanted in pairs for c in (0, 1)]
    for ax, drawn, values in zip(figure.axes, images(figure), off, strict=True):
        assert_array_equal(drawn, values)
        told = values[np.abs(values) >= 0.05]
        assert_allclose([float(text.get_text()) for text in ax.texts], told, atol=0.051)
    assert not off[0].any() and not off[1].any(), "exchanged divisors do show on a square"
    assert_legible(figure)


def test_what_is_off_by_ten_is_not_told_as_one():
    figure = lesson05.bugs(panels_of_bugs([(3, 23)], "divisors_exchanged"), ["3 x 23"])
    said = [text.get_text() for text in figure.axes[1].texts]
    assert said[: len(said) // 3] == [".9", "1.8", "2.7", "3.6", "4.5", "5.5", "6.4", "7.3", "8.2", "9.1", "10", "10.9",
        "11.8", "12.7", "13.6", "14.5", "15.5", "16.4", "17.3", "18.2", "19.1", "20"]  # fmt: skip


def test_a_sum_of_images_has_its_signs_and_one_scale():
    plain, the_map = np.random.default_rng(0).normal(size=(2, 24, 32))
    shown = {"convolution of the image": plain, "the map": the_map, "CoordConv": plain + the_map}
    figure = lesson05.sum_of_maps(shown)
    for drawn, wanted in zip(images(figure), shown.values(), strict=False):
        assert_array_equal(drawn, wanted)
    largest = max(np.abs(image).max() for image in shown.values())
    assert {ax.images[0].get_clim() for ax in figure.axes[:3]} == {(-largest, largest)}
    assert [text.get_text() for ax in figure.axes[:3] for text in ax.texts] == ["+", "="]
    assert_legible(figure)


def test_moved_goes_down_and_to_the_right_and_comes_back_on_the_other_side():
    assert lesson05.moved(np.arange(6).reshape(2, 3), 1, 1).tolist() == [[5, 3, 4], [2, 0, 1]]


@pytest.mark.parametrize(
    ("of_i", "of_j", "rows", "columns"),
    [(0.5, 0, 4, 3), (-1, -1, 6, 4), (1, 1, 0, 0), (1, -1, 0, 4)],
)
def test_a_linear_coordconv_differs_by_the_slope_of_its_map(of_i: float, of_j: float, rows: int, columns: int):
    layer = CoordConv2D(1, 1, 3, rng=1)
    figure = lesson05.equivariance(layer, IMAGE, of_i, of_j, rows, columns)
    image, plain, shifted, back, off = images(figure)
    assert_array_equal(image, IMAGE)
    moved = np.zeros_like(IMAGE)
    moved[rows:, columns:] = IMAGE[: 24 - rows, : 32 - columns]
    assert_array_equal(plain, layer.forward(IMAGE[None, :, :, None])[0, ..., 0])
    assert_array_equal(shifted, layer.forward(moved[None, :, :, None])[0, ..., 0])
    inside = slice(1, 23 - rows), slice(1, 31 - columns)
    assert_array_equal(back[inside], shifted[1 + rows : 23, 1 + columns : 31])
    slope = of_i * rows * 2 / 23 + of_j * columns * 2 / 31
    assert_allclose(off[inside], slope, atol=1e-5)
    assert np.count_nonzero(off) <= off[inside].size
    assert float(figure.axes[4].get_xlabel().removeprefix("largest: ")) == pytest.approx(abs(slope), rel=0.06, abs=1e-5)
    assert_legible(figure)


def feature() -> CoordConv2D:
    """The layer of the lesson: a small blur with a ReLU."""
    layer = CoordConv2D(1, 1, 3, activation="relu", rng=1)
    layer.params["w"][:, :, 0, 0] = [[0, 0.2, 0], [0.2, 0.4, 0.2], [0, 0.2, 0]]
    return layer


def test_without_coordinates_nothing_changes_and_the_riddle_has_its_answer():
    layer = feature()
    assert lesson05.equivariance(layer, IMAGE, 0, 0, 4, 3).axes[4].get_xlabel() == "largest: 0"
    assert np.abs(images(lesson05.equivariance(layer, IMAGE, 0.5, -0.9, 4, 3))[4]).max() < 0.001
    assert np.abs(images(lesson05.equivariance(layer, IMAGE, 0.5, -0.9, 3, 4))[4]).max() > 0.05
    assert layer.params["w"][:, :, 1:].sum() == pytest.approx(-0.4), "weights of an earlier position are left"


def test_where_the_relu_cuts_there_is_no_difference():
    figure = lesson05.equivariance(feature(), IMAGE, -1.0, -1.0, 6, 4)
    _, plain, _, back, off = images(figure)
    dark = (plain == 0) & (back == 0)
    assert dark.any() and not off[dark].any() and off.any()
    assert_legible(figure)


def test_losses_of_the_toy_are_drawn_also_above_those_of_guessing():
    chance = np.log(256)
    runs = {
        "plain convolution": [{"epoch": k, "train_loss": 9.5 / k + chance} for k in range(1, 21)],
        "CoordConv": [{"epoch": k, "train_loss": chance / k} for k in range(1, 21)],
    }
    figure = lesson05.toy_losses(runs, chance)
    (ax,) = figure.axes
    *lines, guessing = ax.lines
    for line, (name, rows) in zip(lines, runs.items(), strict=True):
        assert line.get_label() == name
        assert_array_equal(np.asarray(line.get_xydata()), [[row["epoch"], row["train_loss"]] for row in rows])
        assert np.max(np.asarray(line.get_ydata())) < ax.get_ylim()[1], "the worst epochs are cut off"
    assert_array_equal(guessing.get_ydata(), [chance, chance])
    assert_legible(figure)


def test_the_axis_of_toy_losses_ends_a_little_above_guessing():
    rows = [{"epoch": 1, "train_loss": 5.0}, {"epoch": 2, "train_loss": 0.1}]
    assert lesson05.toy_losses({"CoordConv": rows}, 5.5).axes[0].get_ylim() == pytest.approx((0, 1.15 * 5.5))


def hill(steepness: float, x: int = 20, y: int = 40) -> NDArray[np.float64]:
    rows, columns = np.mgrid[:64, :64]
    return -steepness * ((rows - y) ** 2 + (columns - x) ** 2.0)


@pytest.mark.parametrize(("k", "other"), [(0.1, 1.0), (5.0, 10.0)])
def test_sharpness_shows_the_softmax_over_the_whole_image(k: float, other: float):
    figure = lesson05.sharpness({f"k = {s:g}": hill(s) for s in (k, other)}, 20, 40)
    drawn = images(figure)
    for number, s in enumerate((k, other)):
        p = np.exp(hill(s))
        p /= p.sum()
        assert_array_equal(drawn[2 * number], hill(s)[37:44, 17:24])
        assert_allclose(drawn[2 * number + 1], p[37:44, 17:24])
        title = figure.axes[2 * number + 1].get_title()
        assert title == f"softmax:\n{p[40, 20]:.4f} at the pixel"
        told = {text.get_position(): text.get_text() for text in figure.axes[2 * number + 1].texts}
        assert all(float(word) == pytest.approx(p[y, x], abs=0.0051) for (x, y), word in told.items())
        assert set(told) == {(x, y) for y, x in np.argwhere(p >= 0.005)} & {
            (x, y) for x in range(17, 24) for y in range(37, 44)
        }
    assert [box.get_xy() for ax in figure.axes for box in rectangles(ax)] == [(19.5, 39.5)] * 4
    assert_legible(figure)


def test_two_equal_hills_are_one_pair_of_panels():
    assert_legible(lesson05.sharpness({"k = 0.1": hill(0.1)}, 20, 40))


@pytest.mark.parametrize(
    ("x", "y", "window"), [(62, 1, (slice(0, 5), slice(59, 64))), (0, 63, (slice(60, 64), slice(0, 4)))]
)
def test_sharpness_at_the_border_shows_what_there_is(x: int, y: int, window: tuple[slice, slice]):
    figure = lesson05.sharpness({"k = 1": hill(1.0, x, y)}, x, y)
    assert_array_equal(images(figure)[0], hill(1.0, x, y)[window])
    for ax in figure.axes:
        assert ax.get_xlim() == (window[1].start - 0.5, window[1].stop - 0.5)
        assert ax.get_ylim() == (window[0].stop - 0.5, window[0].start - 0.5)
    assert_legible(figure)
