"""The figures of the GAN: images where they belong, points where objects are, legible words, and animations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from figure_checks import assert_legible, images, words
from PIL import Image

from minicoord.plots import (
    gan_curves,
    interpolation_frames,
    interpolation_strips,
    save_animation,
    training_strip,
    two_objects_figure,
)
from minicoord.plots.gan_curves import PANELS
from minicoord.plots.montage import LINE, montage
from minicoord.plots.over_steps import curve, medians

pytestmark = pytest.mark.filterwarnings("error")


def arrays(canvas: int = 32, reports: int = 14) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    centres = rng.uniform(5, canvas - 5, (1000, 2, 2)).astype(np.float32)
    centres[::7, 0] = np.nan

    def pictures(*shape: int) -> Any:
        return rng.integers(0, 256, (*shape, canvas, canvas, 3), dtype=np.uint8)

    return {
        "samples": pictures(16),
        "centres": centres,
        "average": pictures(),
        "entropies": np.array([3.30, 2.93, 2.62]),
        "strip": pictures(reports, 8),
        "strip_steps": np.arange(1, reports + 1) * 3125,
        "paths": pictures(4, 33),
    }


MODELS = ("truth", "conv", "coordconv")


@pytest.mark.parametrize("canvas", [32, 64])
@pytest.mark.parametrize("models", [MODELS, MODELS[:1], ("truth", "conv", "coordconv", "coordconv-g", "coordconv-d")])
def test_figure_7_has_a_row_for_the_data_and_each_network(models, canvas):
    of_one = arrays(canvas)
    figure = two_objects_figure(dict.fromkeys(models, of_one), "two coloured objects, official recipe")
    assert_legible(figure)
    assert len(figure.axes) == 4 * len(models)
    text = words(figure)
    assert text.count("entropy 2.93 blue, 3.30 red") == text.count("entropy 2.62") == len(models)
    grid, average = images(figure)[:2]
    np.testing.assert_array_equal(grid[1 : canvas + 1, 1 : canvas + 1], of_one["samples"][0])
    np.testing.assert_array_equal(grid[1 : canvas + 1, canvas + 2 : 2 * canvas + 2], of_one["samples"][1])
    np.testing.assert_array_equal(average, of_one["average"])


def test_figure_7_shows_blue_in_blue_and_differences_of_both():
    of_one = arrays()
    _, centres, differences, _ = two_objects_figure({"conv": of_one}, "samples").axes
    blue, red = (np.ma.getdata(dots.get_offsets()) for dots in centres.collections)
    np.testing.assert_allclose(blue, of_one["centres"][:, 0])
    np.testing.assert_allclose(red, of_one["centres"][:, 1])
    colours = [tuple(np.asarray(dots.get_facecolor())[0, :3]) for dots in centres.collections]
    assert colours[0][2] > colours[0][0] and colours[1][0] > colours[1][2]
    (dots,) = differences.collections
    found = np.ma.getdata(dots.get_offsets())
    np.testing.assert_allclose(found, of_one["centres"][:, 1] - of_one["centres"][:, 0])
    assert centres.get_ylim() == (32, 0) and differences.get_xlim() == (-32, 32)


@pytest.mark.parametrize("reports", [1, 3, 14, 50])
def test_a_strip_goes_from_the_first_report_to_the_last(reports):
    of_one = arrays(reports=reports)
    figure = training_strip({"conv": of_one, "coordconv": of_one}, "stable")
    assert_legible(figure, least=4)
    shown = images(figure)[0]
    assert shown.shape == (33 * min(reports, 10) + 1, 33 * 8 + 1, 3)
    np.testing.assert_array_equal(shown[1:33, 1:33], of_one["strip"][0, 0])
    np.testing.assert_array_equal(shown[-33:-1, -33:-1], of_one["strip"][-1, -1])
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names[0] == "3,125" and names[-1] == f"{3125 * reports:,}"


@pytest.mark.parametrize("models", [("conv",), ("conv", "coordconv"), ("conv", "coordconv", "coordconv-g")])
def test_ways_are_rows_of_nine_images(models):
    of_one = arrays()
    figure = interpolation_strips(dict.fromkeys(models, of_one), "ways")
    assert_legible(figure, least=2)
    assert len(images(figure)) == len(models)
    shown = images(figure)[0]
    assert shown.shape == (33 * 4 + 1, 33 * 9 + 1, 3)
    np.testing.assert_array_equal(shown[1:33, 34:66], of_one["paths"][0, 4])
    np.testing.assert_array_equal(shown[-33:-1, -33:-1], of_one["paths"][3, 32])


def history(seed: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    rows = [{"step": 150 * k, **{panel.column: rng.random() for panel in PANELS}} for k in range(1, 11)]
    rows[4]["coverage"] = None
    return rows


@pytest.mark.parametrize("seeds", [1, 3])
def test_curves_of_one_run_and_of_several(seeds):
    runs = [{"model": model, "history": history(seed)} for model in MODELS[1:] for seed in range(seeds)]
    figure = gan_curves(runs, "stable")
    assert_legible(figure)
    assert len(figure.axes) == len(PANELS)
    lines = figure.axes[3].get_lines()
    assert len(lines) == 2 * (seeds + (seeds > 1))
    steps, values = curve(runs[0], "coverage")
    assert len(steps) == 9 and 750 not in steps, "what was not measured is left out"
    np.testing.assert_allclose(np.asarray(lines[0].get_ydata(), float), 100 * values)


def test_the_median_is_taken_where_any_run_has_a_value():
    runs = [
        {"history": [{"step": 1, "d_loss": 1.0}, {"step": 2, "d_loss": 4.0}]},
        {"history": [{"step": 1, "d_loss": 3.0}]},
    ]
    steps, values = medians(runs, "d_loss")
    assert steps.tolist() == [1, 2] and values.tolist() == [2, 4]


def test_a_montage_has_its_images_in_rows():
    pictures = arrays()["samples"][:6].reshape(2, 3, 32, 32, 3)
    whole = montage(pictures)
    assert (whole[0] == LINE).all() and (whole[:, 33] == LINE).all()
    np.testing.assert_array_equal(whole[34:66, 67:99], pictures[1, 2])


def test_an_animation_goes_there_and_back_and_repeats(tmp_path):
    paths = np.zeros((2, 4, 3, 5, 3), np.uint8)
    paths[:, :, 0, 0] = np.arange(4)[:, None] * 80
    frames = interpolation_frames(paths, scale=2)
    assert frames.shape == (6, 2 * 5, 2 * 13, 3)
    assert frames[:, 2, 2, 0].tolist() == frames[:, 3, 15, 0].tolist() == [0, 80, 160, 240, 160, 80]
    file = save_animation(frames, tmp_path / "new" / "ways.gif", seconds=0.1)
    with Image.open(file) as animation:
        assert (animation.n_frames, animation.size, animation.info["loop"]) == (6, (26, 10), 0)
        assert animation.info["duration"] == 100
        animation.seek(2)
        np.testing.assert_allclose(np.asarray(animation.convert("RGB")), frames[2], atol=8)
    assert [path.name for path in file.parent.iterdir()] == ["ways.gif"]


@pytest.mark.parametrize(
    "frames, name, words_of_error",
    [
        (np.zeros((2, 4, 4, 3), np.uint8), "a.png", r"save_animation: the file is named 'a.png', wanted .* in .gif"),
        (np.zeros((0, 4, 4, 3), np.uint8), "a.gif", "save_animation: frames is empty"),
        (np.zeros((2, 4, 4, 3)), "a.gif", r"save_animation: frames has shape \(2, 4, 4, 3\) and dtype float64"),
        (np.zeros((4, 4, 3), np.uint8), "a.gif", "wanted 4 axes, the last of length 3, of uint8"),
    ],
)
def test_a_wrong_animation_is_refused(tmp_path, frames, name, words_of_error):
    with pytest.raises(ValueError, match=words_of_error):
        save_animation(frames, tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("draw", [two_objects_figure, training_strip, interpolation_strips, gan_curves])
def test_nothing_to_draw_is_refused(draw):
    with pytest.raises(ValueError, match=f"{draw.__name__}: .* is empty, wanted at least one"):
        draw({} if draw is not gan_curves else [], "stable")
