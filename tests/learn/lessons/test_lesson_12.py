"""What lesson 12 shows: images that blend and slide, its drawings, and its words about live and recorded runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from minicoord.experiments.records.reading import KeptRuns
from minicoord.experiments.two_objects.interpolation import fade, jump
from minicoord.experiments.vae.evaluation import Codes, held_out
from minicoord.experiments.vae.experiment import Vae
from minicoord.learn.lessons import lesson12, lesson12_drawings as drawings

PICTURES = np.random.default_rng(0).integers(0, 256, (33, 32, 32, 3), dtype=np.uint8)


def test_one_way_blends_and_the_other_slides_between_the_same_images():
    ends, blend, slide = lesson12.images_between()
    for way in (blend, slide):
        assert way.shape == (9, 32, 32, 3)
        np.testing.assert_allclose(way[[0, -1]], ends.draw(), atol=1e-6)
    assert fade(blend[None]) > 0.8 and fade(slide[None]) < 0.1
    assert jump(slide[None]) < 0.2 < jump(blend[None])


def test_new_images_are_not_those_of_training():
    assert len(lesson12.new_images(7)) == 7
    assert lesson12.new_images().canvas == 32


@pytest.mark.compiled
def test_networks_come_back_from_a_run(tmp_path):
    options: dict[str, Any] = {"steps": 2, "every": 1, "batch": 4, "images": 8, "width": 2, "z": 3}
    record = Vae().run("coordconv", out=tmp_path, progress=False, **options)
    found = lesson12.trained(record)
    with np.load(f"{record['folder']}/maps.npz") as maps:
        codes = found.codes(Vae().trainer(Vae().plan("conv", **options)).data)
        assert codes.mean.shape == (8, 3)
        made = found.pictures(found.codes(held_out(32)).mean[:10])
        np.testing.assert_array_equal(made, maps["reconstructions"])


@pytest.mark.compiled
def test_networks_come_back_from_kept_weights_if_both_are_there(tmp_path):
    options: dict[str, Any] = {"steps": 2, "every": 1, "batch": 4, "images": 8, "width": 2, "z": 3}
    one = Vae().run("conv", out=tmp_path, progress=False, **options)
    assert lesson12.trained_longer(KeptRuns(tmp_path)) == {}
    other = Vae().run("coordconv", out=tmp_path, progress=False, **options)
    found = lesson12.trained_longer(KeptRuns(tmp_path))
    assert list(found) == ["conv", "coordconv"]
    data = lesson12.new_images(3)
    for finished, networks in ((one, found["conv"]), (other, found["coordconv"])):
        np.testing.assert_array_equal(networks.codes(data).mean, lesson12.trained(finished).codes(data).mean)


class OneNumberPerPixel:
    """Networks whose code is two pixels of an image and a constant, and whose images show a code as grey levels."""

    def codes(self, data: Any) -> Codes:
        mean = np.array([[0.1, 0.0, 2.0], [-0.1, 0.0, -2.0]])
        return Codes(mean, np.zeros_like(mean))

    def pictures(self, codes: np.ndarray) -> np.ndarray:
        return np.round(100 + 10 * codes).astype(np.uint8)


def test_one_number_of_a_code_is_changed_and_the_first_is_that_which_says_most():
    networks: Any = {"conv": OneNumberPerPixel()}
    ready = lesson12.explored(networks, lesson12.new_images(2))["conv"]
    assert ready.latents.tolist() == [2, 0, 1]
    np.testing.assert_array_equal(ready.pictures(0, 1, -3.0), [[101, 100, 120], [101, 100, 70]])
    np.testing.assert_array_equal(ready.pictures(1, 3, 1.0), [[99, 100, 80], [99, 110, 80]])
    np.testing.assert_array_equal(ready.codes[0], [0.1, 0.0, 2.0])


def record(model: str, fading: float | None, seed: int = 0, preset: str = "record", **changes: Any) -> dict[str, Any]:
    metrics = {"error": 0.1, "fade": fading, "jump": 0.3, "missed": 0.05, "coverage": 0.6}
    settings = {"steps": 2500, "every": 250, **changes}
    facts = {"experiment": "vae", "model": model, "variant": "", "seed": seed, "preset": preset, "steps": 2500}
    return {**facts, "settings": settings, "metrics": metrics}


@pytest.mark.parametrize(
    "plain, coordinates, words",
    [
        (0.6, 0.2, "60 % fades without coordinates, 20 % with them: CoordConv moves more"),
        (0.2, 0.6, "CoordConv moves less"),
        (0.31, 0.33, "no difference to speak of"),
        (float("nan"), 0.2, "too short a training"),
    ],
)
def test_a_difference_is_told_in_words(plain: float, coordinates: float, words: str):
    runs = {"conv": record("conv", plain), "coordconv": record("coordconv", coordinates)}
    assert words in lesson12.difference_in_words(runs)
    assert [row["reconstruction error"] for row in lesson12.rows(runs)] == ["10.0 %", "10.0 %"]


def test_recorded_runs_are_told_by_seeds():
    runs = [record("conv", 0.5, seed) for seed in range(3)]
    runs += [record("coordconv", fading, seed) for seed, fading in enumerate((0.2, 0.6, 0.3))]
    runs += [record("coordconv", 0.1, 0, beta=1.0), record("coordconv", 0.1, 0, preset="quick"), {"experiment": "gan"}]
    found = lesson12.recorded(runs)
    assert {model: len(of_model) for model, of_model in found.items()} == {"conv": 3, "coordconv": 3}
    assert lesson12.recorded_in_words(found) == (
        "after 2,500 steps, CoordConv fades less than convolution for 2 of 3 seeds"
    )
    plain, with_coordinates = lesson12.recorded_rows(found)
    assert (plain["seeds"], plain["fade"], with_coordinates["fade"]) == ("3", "50 % (50 to 50)", "30 % (20 to 60)")
    found["coordconv"][0]["metrics"]["fade"] = None
    assert "for 1 of 2 seeds" in lesson12.recorded_in_words(found)


@pytest.mark.parametrize("runs", [[], [record("conv", 0.5)]])
def test_without_records_of_both_networks_the_words_say_so(runs: list[dict[str, Any]]):
    said = lesson12.recorded_in_words(lesson12.recorded(runs))
    assert "No run of vae is recorded in this copy" in said and "minicoord sweep vae --grid record" in said


@pytest.mark.parametrize(
    "draw",
    [
        lambda: drawings.rows_of_images({"blend": PICTURES, "slide": PICTURES[:9]}),
        lambda: drawings.two_bells(1.5, 0.3, 2.0),
        lambda: drawings.lengths(np.ones((9, 32)), np.ones((3, 5, 32)), np.ones((3, 5, 32))),
        lambda: drawings.on_the_way({"conv": PICTURES, "coordconv": PICTURES}, 16),
        lambda: drawings.on_the_way({"conv": PICTURES}, 0),
        lambda: drawings.one_number({"conv": PICTURES[:2], "coordconv": PICTURES[:2]}),
    ],
)
def test_each_drawing_is_a_figure_that_can_be_shown(draw):
    figure = draw()
    assert isinstance(figure, Figure)
    figure.canvas.draw()
