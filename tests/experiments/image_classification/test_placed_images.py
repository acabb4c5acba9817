"""The images of a run: the same for every network, never at a new place in training, and from a folder on request."""

from types import SimpleNamespace

import numpy as np
import pytest

from minicoord.datasets.images.labelled import LabelledImages
from minicoord.experiments.image_classification import data as module
from minicoord.experiments.image_classification.data import read_images, run_data
from minicoord.experiments.image_classification.places import SIDE


def as_set(places):
    return {tuple(place) for place in places.tolist()}


@pytest.mark.parametrize("variant, canvas", [("centred", 28), ("shifted", 40)])
def test_training_images_lie_at_seen_places_only(variant, canvas):
    data = run_data(variant, None, 300, seed=1)
    assert (len(data.train), len(data.test), len(data.moved)) == (300, 2000, 2000)
    assert data.train.images.shape == (300, canvas, canvas, 1) and data.train.images.dtype == np.float32
    assert as_set(data.train.places) <= as_set(data.places.seen)
    assert as_set(data.test.places) == as_set(data.places.seen)
    assert as_set(data.moved.places) == as_set(data.places.new)
    assert data.train.images.min() >= 0 and data.train.images.max() == 1


def test_each_image_keeps_its_label_wherever_it_lies():
    shipped = read_images(None)
    data = run_data("shifted", None, 50, seed=2)
    for part, whole in ((data.train, shipped.train), (data.moved, shipped.test)):
        for n in (0, 17, 49):
            row, column = part.places[n]
            seen = part.images[n, row : row + SIDE, column : column + SIDE]
            np.testing.assert_array_equal(seen, whole.scaled()[n])
            assert part.images[n].sum() == pytest.approx(seen.sum(), rel=1e-5)
            assert part.labels[n] == whole.labels[n]


def test_the_seed_draws_the_places_and_nothing_else():
    one, again, other = (run_data("shifted", None, 200, seed) for seed in (0, 0, 1))
    assert one.train.images.tobytes() == again.train.images.tobytes()
    assert one.train.images.tobytes() != other.train.images.tobytes()
    assert np.array_equal(one.train.labels, other.train.labels)
    centred = [run_data("centred", None, 20, seed).train.images.tobytes() for seed in (0, 1)]
    assert centred[0] == centred[1]


def test_more_training_images_than_there_are_is_an_error():
    with pytest.raises(ValueError, match="train_images was 6001, wanted at most 6000"):
        run_data("centred", None, 6001, 0)


def test_a_folder_without_the_set_is_an_error_that_says_what_to_fetch(tmp_path):
    with pytest.raises(FileNotFoundError, match="fetch the 4 files"):
        run_data("centred", str(tmp_path / "none"), None, 0)


def test_a_folder_is_read_in_place_of_the_shipped_images(monkeypatch):
    def few(name, folder):
        assert (name, folder) == ("fashion-mnist", "somewhere")
        part = LabelledImages(np.full((5, SIDE, SIDE, 1), 255, np.uint8), np.arange(5))
        return SimpleNamespace(train=part, test=part)

    monkeypatch.setattr(module, "load_images", few)
    read_images.cache_clear()
    data = run_data("centred", "somewhere", None, 0)
    read_images.cache_clear()
    assert len(data.train) == len(data.test) == 5 and (data.train.images == 1).all()
