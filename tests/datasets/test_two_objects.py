"""Two coloured objects: where they may lie, how they look, and how much memory they take."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest

from minicoord.datasets.two_objects import BLUE, COLOURS, RED, SIZES, two_objects

CANVASES = pytest.mark.parametrize("canvas", [64, 32])
WHITE = [1, 1, 1]


@CANVASES
def test_the_middles_are_anywhere_but_close_to_each_other(canvas):
    data = two_objects(20_000, canvas, seed=1)
    assert data.centres.shape == (20_000, 2, 2) and data.circles.shape == (20_000, 2)
    half = canvas // 6
    assert SIZES[canvas].half == half
    for k in (BLUE, RED):
        for axis in (0, 1):
            # Every place at which the object lies within the canvas.
            assert set(data.centres[:, k, axis]) == set(range(half, canvas - half))
    distance = np.linalg.norm(data.centres[:, BLUE] - data.centres[:, RED], axis=1)
    assert distance.min() == 2 * half
    assert abs(data.circles.mean(axis=0) - 0.5).max() < 0.02
    both = (data.circles[:, 0] & data.circles[:, 1]).mean()
    assert abs(both - 0.25) < 0.02


@CANVASES
def test_an_image_shows_its_arrangement(canvas):
    data = two_objects(30, canvas, seed=2)
    images = data.draw()
    assert images.shape == (30, canvas, canvas, 3) and images.dtype == np.float32
    half = SIZES[canvas].half
    i, j = np.indices((canvas, canvas))
    for image, centres, circles in zip(images, data.centres, data.circles, strict=True):
        wanted = np.broadcast_to(np.array(WHITE, np.float32), image.shape).copy()
        for (x, y), is_circle, colour in zip(centres, circles, COLOURS, strict=True):  # red over blue
            square = (abs(i - y) <= half) & (abs(j - x) <= half)
            wanted[square & ((i - y) ** 2 + (j - x) ** 2 <= half**2) if is_circle else square] = colour
        np.testing.assert_array_equal(image, wanted)


def test_the_papers_objects_have_21_pixels_across():
    data = two_objects(50, seed=0)
    red = (data.draw() == COLOURS[RED]).all(axis=3)  # (50, 64, 64), never covered
    assert set(red.any(axis=1).sum(axis=1)) == {21}
    assert set(red.sum(axis=(1, 2))) == {441, 317}


def test_seeds_repeat_and_differ():
    one, same, other = two_objects(100, 32, 5), two_objects(100, 32, 5), two_objects(100, 32, 6)
    np.testing.assert_array_equal(one.centres, same.centres)
    np.testing.assert_array_equal(one.circles, same.circles)
    assert not np.array_equal(one.centres, other.centres)


def test_some_images_are_those_of_all():
    data = two_objects(20, 32)
    which = np.array([7, 3, 3])
    np.testing.assert_array_equal(data.draw(which), data.draw()[which])
    assert data.draw(slice(0)).shape == (0, 32, 32, 3)
    assert len(two_objects(0)) == 0


@pytest.mark.compiled
def test_50_000_images_take_seconds_and_only_those_asked_for_are_held():
    two_objects(4, 64).draw()  # compiles
    tracemalloc.start()
    start = time.process_time()
    data = two_objects(50_000, 64)
    for first in range(0, len(data), 1000):
        data.draw(slice(first, first + 1000))
    seconds = time.process_time() - start
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 20
    assert peak < 3 * 1000 * 64 * 64 * 3 * 4


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"n": -1}, r"two_objects: n was -1, wanted a whole number of at least 0"),
        ({"n": 2**62}, r"two_objects: the array of centres of shape .* would take .* GiB, wanted one that fits"),
        ({"n": 2, "canvas": np.ones(2)}, r"two_objects: canvas was an array of shape \(2,\) .*, wanted one of 64, 32"),
        ({"n": 2, "canvas": 48}, r"two_objects: canvas was 48, wanted one of 64, 32"),
        ({"n": 2, "seed": -3}, r"two_objects: seed was -3, wanted a whole number of at least 0"),
    ],
)
def test_wrong_arguments_are_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        two_objects(**arguments)


def test_arrangements_that_do_not_exist_are_named():
    with pytest.raises(ValueError, match=r"TwoObjects.draw: which go from 0 to 3, wanted 0 to 2 for 3 samples"):
        two_objects(3, 32).draw(np.array([0, 3]))
