"""The GAN on photos of one's own: what is trained on, what is said, and what is drawn when nothing is measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from minicoord.datasets.images.photos import PhotoWarning, load_photos
from minicoord.experiments.gan.data import training_images
from minicoord.experiments.gan.experiment import Gan
from minicoord.experiments.gan.record_figures import FIGURES
from minicoord.experiments.records.figures import MissingRecordsError
from minicoord.experiments.records.reading import KeptRuns
from minicoord.plots import sample_grids

gan = Gan()
TINY: dict[str, Any] = {"steps": 4, "every": 2, "batch": 4, "width": 2, "z": 3}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    place = tmp_path / "my photos"
    place.mkdir()
    for k in range(6):
        picture = rng.integers(0, 256, (20 + 7 * k, 60 - 5 * k, 3), dtype=np.uint8)
        Image.fromarray(picture).save(place / f"{k}.png")
    return place


def settings(folder: Path, **changes: Any) -> Any:
    return gan.plan("conv", photos=str(folder), **{**TINY, **changes}).settings


def test_photos_take_the_place_of_the_two_objects(folder: Path):
    training = gan.trainer(gan.plan("conv", photos=str(folder), **TINY))
    wanted = load_photos(folder, 32).draw()
    np.testing.assert_array_equal(training.data.draw(), wanted)
    assert len(training.passes.order) == 0 and training.passes.images == 6
    assert training.step().keys() == {"d_loss", "g_loss", "d_real", "d_fake"}


def test_they_are_read_once_as_long_as_no_file_changes(folder: Path):
    first = training_images(settings(folder))
    assert training_images(settings(folder)) is first
    assert training_images(settings(folder, canvas=64)).draw().shape == (6, 64, 64, 3)
    (folder / "5.png").unlink()
    assert len(training_images(settings(folder))) == 5


def test_too_few_photos_and_no_folder_are_named(folder: Path):
    with pytest.raises(ValueError, match="has 6 photos that can be read, wanted at least 7, those of a step"):
        training_images(settings(folder, batch=7))
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        training_images(settings(folder / "none"))


@pytest.mark.compiled
def test_a_run_on_photos_shows_pictures_and_measures_nothing(folder: Path, tmp_path: Path):
    (folder / "broken.jpg").write_bytes(b"x")
    with pytest.warns(PhotoWarning, match="broken.jpg"):
        run = gan.run("coordconv", photos=str(folder), out=tmp_path / "out", progress=False, **TINY)
    assert (run["photos"], run["left_out"]) == (6, {"broken.jpg": "no image of a known format"})
    assert set(run["metrics"]) == {metric.name for metric in gan.metrics}
    assert all(np.isnan(value) for value in run["metrics"].values())
    assert "coverage" not in run["history"][-1]
    assert json.loads((Path(run["folder"]) / "result.json").read_text())["metrics"]["coverage"] is None
    with np.load(Path(run["folder"]) / "maps.npz") as maps:
        assert set(maps.files) == {"samples", "originals", "paths", "strip", "strip_steps"}
        np.testing.assert_array_equal(maps["originals"], load_photos_quietly(folder).images)
    names = {path.name for path in gan.figures([run], tmp_path / "figures")}
    assert names == {
        *("photos-stable.png", "strip-stable.png", "interpolation-stable.png", "curves-stable.png"),
        "interpolation-coordconv-stable.gif",
    }
    notes = "\n".join(gan.notes([run]))
    assert f"6 photos of {folder}: nothing is measured of them" in notes
    assert "1 file of" in notes and "was left out: broken.jpg (no image of a known format)" in notes
    assert "collapsed" not in notes
    with pytest.raises(MissingRecordsError, match="no run of gan with the stable recipe is recorded"):
        FIGURES["gan-figure-7-stable"].draw(KeptRuns(tmp_path / "out"))


def load_photos_quietly(folder: Path) -> Any:
    with pytest.warns(PhotoWarning):
        return load_photos(folder, 32)


def test_a_checkpoint_of_other_photos_is_refused(folder: Path):
    plan = gan.plan("conv", photos=str(folder), **TINY)
    state = gan.trainer(plan).state()
    gan.trainer(plan).restore(state)
    Image.new("RGB", (9, 9), "red").save(folder / "3.png")
    with pytest.raises(ValueError, match="it belongs to other photos: files of the folder were added, removed or"):
        gan.trainer(plan).restore(state)


def test_samples_stand_beside_the_photos():
    some = np.random.default_rng(0).integers(0, 256, (18, 8, 8, 3), dtype=np.uint8)
    figure = sample_grids({"truth": {"samples": some}, "conv": {"samples": some[:5]}}, "photos")
    assert [ax.get_title() for ax in figure.axes] == ["truth", "convolution"]
    shapes = [np.asarray(ax.images[0].get_array()).shape for ax in figure.axes]
    assert shapes == [(37, 37, 3), (19, 19, 3)]
