"""Where images lie on their canvas: places of training, places that are new, and drawing at them."""

import numpy as np
import pytest

from minicoord.experiments.image_classification.places import SIDE, draw_places, places_of, put


def put_one_by_one(images, places, canvas):
    """What `put` does, pixel by pixel."""
    drawn = np.zeros((len(images), canvas, canvas, images.shape[3]), images.dtype)
    for n, (row, column) in enumerate(places):
        for i in range(images.shape[1]):
            for j in range(images.shape[2]):
                if 0 <= row + i < canvas and 0 <= column + j < canvas:
                    drawn[n, row + i, column + j] = images[n, i, j]
    return drawn


@pytest.mark.parametrize("count, height, width, channels, canvas", [(7, 5, 3, 2, 8), (4, 3, 3, 1, 3), (0, 3, 3, 1, 5)])
def test_images_lie_at_their_places_and_what_sticks_out_is_cut_off(count, height, width, channels, canvas):
    rng = np.random.default_rng(0)
    images = rng.integers(1, 255, (count, height, width, channels)).astype(np.uint8)
    places = rng.integers(-2, canvas - 1, (count, 2))
    drawn = put(images, places, canvas)
    assert drawn.dtype == np.uint8
    np.testing.assert_array_equal(drawn, put_one_by_one(images, places, canvas))


def test_centred_images_stay_as_they_are():
    images = np.random.default_rng(0).uniform(size=(3, SIDE, SIDE, 1))
    places = places_of("centred")
    assert places.canvas == SIDE and places.seen.tolist() == [[0, 0]]
    np.testing.assert_array_equal(put(images, np.repeat(places.seen, 3, axis=0), SIDE), images)


@pytest.mark.parametrize("variant", ["centred", "shifted"])
def test_no_place_is_both_seen_and_new(variant):
    places = places_of(variant)
    seen, new = ({tuple(place) for place in found.tolist()} for found in (places.seen, places.new))
    assert not seen & new
    assert len(seen) == len(places.seen) and len(new) == len(places.new)


def test_the_new_places_of_shifted_images_are_the_lower_right_quarter_and_all_lie_on_the_canvas():
    places = places_of("shifted")
    everywhere = np.concatenate([places.seen, places.new])
    assert len(everywhere) == 13 * 13 and everywhere.min() == 0 and everywhere.max() + SIDE == places.canvas
    assert {tuple(p) for p in places.new.tolist()} == {(i, j) for i in range(7, 13) for j in range(7, 13)}


@pytest.mark.parametrize("count", [0, 1, 36, 100])
def test_places_are_used_equally_often(count):
    places = places_of("shifted").new
    drawn = draw_places(places, count, np.random.default_rng(0))
    assert drawn.shape == (count, 2)
    flat = drawn @ (100, 1)
    times = [int(np.count_nonzero(flat == place @ (100, 1))) for place in places]
    assert sum(times) == count and max(times) - min(times) <= 1
