"""The figures of lessons 00 and 01, and the numbers that they show."""

from __future__ import annotations

import numpy as np
import pytest
from figure_checks import images, words
from numpy.testing import assert_array_equal

from minicoord.datasets import not_so_clevr, split
from minicoord.learn.lessons import lesson00, lesson01

DATA = not_so_clevr()


def test_three_tasks_show_one_sample_as_numbers_pixel_and_square():
    index = int(np.flatnonzero((DATA.centres == (41, 20)).all(axis=1))[0])
    figure = lesson00.three_tasks(DATA, index)
    assert words(figure).count("(41, 20)") == 3
    assert sorted(image.sum() for image in images(figure)) == [1, 1, 81]
    assert all(image[20, 41] == 1 for image in images(figure))


def test_bars_are_the_papers_and_rings_are_ours():
    figure = lesson00.reported_accuracies({("coordconv", "quadrant"): [1.0, 0.7]})
    (ax,) = figure.axes
    assert [bar.get_height() for bar in ax.patches] == [86, 0, 100, 100]  # pyright: ignore[reportAttributeAccessIssue]
    rings = [line.get_ydata() for line in ax.lines if len(np.asarray(line.get_xdata()))]
    assert_array_equal(rings, [[100, 70]])


def test_coordinate_channels_hold_the_rows_and_then_the_columns():
    _, i, j = images(lesson00.coordinate_channels(3, 5))
    assert_array_equal(i, np.repeat([[-1], [0], [1]], 5, axis=1))
    assert_array_equal(j, np.repeat([[-1, -0.5, 0, 0.5, 1]], 3, axis=0))


def test_one_pixel_alone_reads_its_own_place():
    told = lesson00.what_pixels_are_told(5, 2).axes[1]
    read = [text.get_text() for text in told.texts]
    assert read.count("5, 2") == 48 + 1
    assert len(told.patches) == 1 and told.patches[0].get_xy() == (4.5, 1.5)  # pyright: ignore[reportAttributeAccessIssue]


def test_the_numbered_canvas_shows_the_numbers_it_is_given():
    numbers = np.arange(12)[::-1].reshape(3, 4)
    figure = lesson00.numbered_canvas(numbers, 1, 2)
    assert [text.get_text() for text in figure.axes[0].texts] == [str(k) for k in range(11, -1, -1)]
    assert "number 2" in words(figure)
    assert_array_equal(images(figure)[1], np.eye(12)[2:3])


@pytest.mark.parametrize(("x", "y"), [(4, 59), (41, 20)])
def test_three_attributes_are_those_of_the_sample(x: int, y: int):
    figure = lesson01.three_attributes(DATA, x, y)
    assert f"x = {x}\ny = {y}" in words(figure)
    pixel, square = images(figure)
    assert_array_equal(np.argwhere(pixel), [[y, x]])
    assert np.argwhere(square).mean(axis=0).tolist() == [y, x]


def test_coverage_climbs_from_one_to_all():
    figure = lesson01.coverage(DATA.squares().sum(axis=0)[:, :, 0])
    assert images(figure)[0][0, 0] == 1
    along = np.asarray(figure.axes[1].lines[0].get_ydata())
    assert along[:9].tolist() == [9, 18, 27, 36, 45, 54, 63, 72, 81]


def test_split_maps_paint_train_and_test_apart():
    parts = split(DATA, "quadrant")
    sums = [DATA.one_hot(part).sum(axis=0)[:, :, 0] for part in (parts.train, parts.test)]
    figure = lesson01.split_maps({"quadrant": (sums[0], sums[1])})
    (picture,) = images(figure)
    colours = [tuple(picture[y, x]) for x, y in ((4, 4), (33, 33), (33, 32), (0, 0))]
    assert colours[0] == colours[2] and len(set(colours)) == 3
    assert "2,407 train, 729 test" in words(figure)


def test_the_nearest_training_place_is_found():
    train, test = np.array([[0, 0], [10, 0]]), np.array([[3, 4], [10, 1], [6, 0]])
    assert lesson01.nearest_train(test, train).tolist() == [5, 1, 4]


def test_the_baselines_of_constant_guesses():
    parts = split(DATA, "quadrant")
    mean = DATA.centres[parts.train].mean(axis=0)
    assert lesson01.mean_distance_to((31.5, 31.5), DATA.centres) == pytest.approx(21.4, abs=0.05)
    assert lesson01.mean_distance_to(mean, DATA.centres[parts.train]) == pytest.approx(20.3, abs=0.05)
    assert lesson01.mean_distance_to(mean, DATA.centres[parts.test]) == pytest.approx(27.8, abs=0.05)


def test_distance_maps_say_how_far_the_quadrant_reaches():
    parts = split(DATA, "quadrant")
    text = words(lesson01.distance_maps({"quadrant": (DATA.centres[parts.train], DATA.centres[parts.test])}))
    assert "furthest 27.0 pixels" in text


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (1, 0), (-2, 3), (9, 0), (-12, 5)])
def test_overlap_is_that_of_drawn_squares(dx: int, dy: int):
    canvas = np.zeros((2, 40, 40), bool)
    canvas[0, 15:24, 15:24] = True
    canvas[1, 15 + dy : 24 + dy, 15 + dx : 24 + dx] = True
    wanted = (canvas[0] & canvas[1]).sum() / (canvas[0] | canvas[1]).sum()
    assert lesson01.overlap(dx, dy) == pytest.approx(wanted)
    assert f"= {wanted:.2f}" in words(lesson01.overlapping_squares(dx, dy))


@pytest.mark.parametrize(("steepness", "probability"), [(5.0, 0.974), (10.0, 0.9998)])
def test_a_bowl_puts_its_probability_on_the_right_pixel(steepness: float, probability: float):
    logits, p = lesson01.bowl(41, 20, steepness)
    assert np.unravel_index(logits.argmax(), logits.shape) == (20, 41)
    assert p[20, 41] == pytest.approx(probability, abs=5e-4) and p.sum() == pytest.approx(1)
    assert f"{p[20, 41]:.4f}" in words(lesson01.perfect_answer(41, 20, steepness))
