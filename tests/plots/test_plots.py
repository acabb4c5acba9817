"""Each figure draws from synthetic input: no warning, every axis named, no text on top of other text or cut off."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import matplotlib
import numpy as np
import pytest
from figure_checks import assert_legible, image_panels
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.image import imread

from minicoord.datasets import not_so_clevr, split
from minicoord.plots import accuracy_against_time, not_so_clevr_figure, pixel_zoom, save_figure, softmax_maps
from minicoord.plots.style import BLUE, ORANGE, VERMILLION

pytestmark = pytest.mark.filterwarnings("error")


def history(epochs: int, seconds: float, rate: float, best: float = 1.0) -> list[dict[str, Any]]:
    rows = []
    for epoch in range(1, epochs + 1):
        accuracy = best * (1 - np.exp(-rate * epoch))
        rows.append(
            {
                "epoch": epoch,
                "train_seconds": seconds * epoch,
                "train_loss": 8.0 / epoch,
                "train_accuracy": accuracy,
                "test_accuracy": 0.9 * accuracy,
            }
        )
    return rows


def result(model: str, split_name: str, seed: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "experiment": "classification",
        "model": model,
        "variant": split_name,
        "seed": seed,
        "parameters": {"conv": 103073}.get(model, 7553),
        "history": rows,
    }


def results(seeds: int, conv_seconds: float = 1.0, conv_epochs: int = 12) -> list[dict[str, Any]]:
    found = []
    for seed, split_name in itertools.product(range(seeds), ("uniform", "quadrant")):
        found.append(result("coordconv", split_name, seed, history(12, 3.5 + 0.1 * seed, 0.4 + 0.1 * seed)))
        found.append(result("conv", split_name, seed, history(conv_epochs, conv_seconds, 0.1, 0.5)))
    return found


@pytest.fixture
def scores() -> tuple[np.ndarray, np.ndarray]:
    """Logits of one sample on a canvas of 20 x 30 with its peak at x = 21, y = 8, and their softmax."""
    y, x = np.mgrid[:20, :30]
    logits = -2.0 * ((x - 21) ** 2 + (y - 8) ** 2)
    e = np.exp(logits - logits.max())
    return logits, e / e.sum()


# Not-so-Clevr


@pytest.mark.parametrize("canvas", [64, (20, 34), (34, 20)])
def test_not_so_clevr_figure_is_legible(canvas: Any) -> None:
    data = not_so_clevr(canvas)
    figure = not_so_clevr_figure(data, [split(data, "uniform"), split(data, "quadrant")])
    assert_legible(figure)
    panels = image_panels(figure)
    assert len(panels) == 8 + 2 * 4
    bottom, left = panels[-4:], panels[-4]
    assert [ax.get_xlabel() for ax in bottom] == ["x (pixels)"] * 4
    assert left.get_ylabel() == "y (pixels)"


def test_not_so_clevr_figure_shows_the_sums() -> None:
    data = not_so_clevr()
    parts = split(data, "quadrant")
    train, test, train_squares, _ = image_panels(not_so_clevr_figure(data, parts))[-4:]
    shown = np.asarray(train.images[0].get_array())
    assert shown.sum() == 2407
    assert shown[40, 40] == 0
    assert shown[40, 10] == 1
    assert np.asarray(test.images[0].get_array()).sum() == 729
    np.testing.assert_array_equal(train_squares.images[0].get_array(), data.squares(parts.train).sum(axis=0)[:, :, 0])
    assert "2,407" in train.get_title()
    assert "white = 81" in train_squares.get_title()


def test_not_so_clevr_figure_of_two_samples() -> None:
    data = not_so_clevr((3, 4), 3)
    assert_legible(not_so_clevr_figure(data, split(data, "uniform")))


# Accuracy against time


@pytest.mark.parametrize(
    ("runs", "panels"),
    [
        (results(seeds=5), 2),
        (results(seeds=1), 2),
        (results(seeds=1)[:1], 1),
        (results(seeds=3, conv_seconds=4.0, conv_epochs=400), 2),
        (results(seeds=1, conv_seconds=50.0), 2),
        ([result("conv", "quadrant", 0, history(1, 2.0, 0.1))], 1),
    ],
)
def test_accuracy_against_time_is_legible(runs: list[dict[str, Any]], panels: int) -> None:
    figure = accuracy_against_time(runs)
    assert_legible(figure)
    assert len(figure.axes) == panels
    assert all(ax.get_xlabel().startswith("training time (seconds") for ax in figure.axes)
    assert figure.axes[0].get_ylabel() == "accuracy (%)"


def lines_of(ax: Axes, colour: str, width: float) -> list[Any]:
    return [line for line in ax.lines if to_rgba(line.get_color()) == to_rgba(colour) and line.get_linewidth() == width]


def test_lines_are_medians_over_seeds() -> None:
    runs = results(seeds=3)
    uniform = accuracy_against_time(runs).axes[0]
    assert uniform.get_title() == "uniform split"
    (test,) = lines_of(uniform, BLUE, 2.0)
    middle = next(run for run in runs if run["model"] == "coordconv" and run["seed"] == 1)["history"]
    np.testing.assert_allclose(test.get_xdata(), [row["train_seconds"] for row in middle])
    np.testing.assert_allclose(test.get_ydata(), [100 * row["test_accuracy"] for row in middle])
    (train,) = lines_of(uniform, BLUE, 1.0)
    np.testing.assert_allclose(train.get_ydata(), [100 * row["train_accuracy"] for row in middle])
    assert len(lines_of(uniform, BLUE, 0.6)) == 3
    assert len(lines_of(uniform, VERMILLION, 2.0)) == 1


def test_a_shorter_run_and_gaps_in_the_measurement_are_drawn_as_they_are() -> None:
    short, gaps = history(3, 2.0, 0.3), history(6, 2.0, 0.3)
    for row in gaps[::2]:
        row["test_accuracy"] = None
    figure = accuracy_against_time([result("conv", "quadrant", 0, gaps)])
    (test,) = lines_of(figure.axes[0], VERMILLION, 2.0)
    np.testing.assert_allclose(test.get_xdata(), [4.0, 8.0, 12.0])
    pair = [result("conv", "quadrant", 0, short), result("conv", "quadrant", 1, history(6, 2.0, 0.3))]
    (test,) = lines_of(accuracy_against_time(pair).axes[0], VERMILLION, 2.0)
    assert len(test.get_xdata()) == 3


def test_log_axis_only_if_the_times_differ_tenfold() -> None:
    assert accuracy_against_time(results(1)).axes[0].get_xscale() == "linear"
    assert accuracy_against_time(results(1, conv_seconds=50.0)).axes[0].get_xscale() == "log"


def test_a_row_from_before_the_training_is_not_drawn_at_the_edge_of_a_log_axis() -> None:
    found = results(1, conv_seconds=50.0)
    for run in found:
        run["history"].insert(0, {**run["history"][0], "epoch": 0, "train_seconds": 0.0})
    ax = accuracy_against_time(found).axes[0]
    assert ax.get_xscale() == "log"
    assert not np.isfinite(ax.transData.transform((0.0, 50.0))[0])


def test_the_papers_figure_is_named_on_uniform_splits_only() -> None:
    figure = accuracy_against_time(results(1))
    at_86 = [sum(np.all(np.asarray(line.get_ydata()) == 86.0) for line in ax.lines) for ax in figure.axes]
    assert at_86 == [1, 0]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "the paper's best test accuracy for convolution, about 86 %" in labels
    assert "convolution, 103,073 parameters" in labels
    only = accuracy_against_time([result("coordconv", "quadrant", 0, history(3, 1.0, 0.5))])
    assert not any("paper" in text.get_text() for text in only.legends[0].get_texts())


def test_other_models_get_other_colours() -> None:
    runs = [result(model, "quadrant", 0, history(3, 1.0, 0.5)) for model in ("conv", "coordconv", "coordconv with r")]
    (ax,) = accuracy_against_time(runs).axes
    assert len({line.get_color() for line in ax.lines}) == 3


@pytest.mark.parametrize("runs", [[], [result("conv", "uniform", 0, [])]])
def test_no_history_is_an_error(runs: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="wanted at least one with a history"):
        accuracy_against_time(runs)


# Summed softmax


def test_softmax_maps_are_legible_and_scaled_panel_by_panel() -> None:
    rng = np.random.default_rng(0)
    maps = {
        model: {"train": scale * rng.random((64, 64)), "test": rng.random((64, 64))}
        for model, scale in (("coordconv", 1), ("conv", 300), ("truth", 1))
    }
    figure = softmax_maps(maps, "quadrant")
    assert_legible(figure)
    titles = [ax.get_title().split(":")[0] for ax in figure.axes]
    assert titles == [f"{m}, {p}" for m in ("truth", "convolution", "CoordConv") for p in ("train", "test")]
    panels = itertools.product(("truth", "conv", "coordconv"), ("train", "test"))
    for ax, (model, part) in zip(figure.axes, panels, strict=True):
        assert ax.images[0].get_clim() == (0, maps[model][part].max())
        assert ax.get_title().endswith(f"white = {maps[model][part].max():.3g}")
    assert [ax.get_xlabel() for ax in figure.axes[-2:]] == ["x (pixels)"] * 2
    assert figure.axes[0].get_ylabel() == "y (pixels)"


def test_softmax_maps_with_a_model_or_a_part_missing() -> None:
    image = np.eye(20, 30)
    figure = softmax_maps({"truth": {"train": image, "test": image}, "coordconv": {"test": image}}, "uniform")
    assert_legible(figure)
    assert len(image_panels(figure)) == 3
    assert_legible(softmax_maps({"conv": {"train": image}}, "uniform"))


def test_softmax_maps_of_zeros_and_of_values_that_are_not_finite() -> None:
    broken = np.full((6, 6), np.nan)
    figure = softmax_maps({"conv": {"train": np.zeros((6, 6)), "test": broken}}, "uniform")
    assert_legible(figure)
    assert figure.axes[0].images[0].get_clim() == (0, 1)
    cmap = figure.axes[1].images[0].get_cmap()
    assert tuple(cmap(np.ma.masked)) == to_rgba(VERMILLION)


@pytest.mark.parametrize("maps", [{}, {"conv": {}}])
def test_no_maps_is_an_error(maps: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="maps is empty"):
        softmax_maps(maps, "uniform")


def test_a_map_with_a_channel_axis_is_named() -> None:
    with pytest.raises(ValueError, match=r"the map of 'conv', 'train' has shape \(4, 4, 1\), wanted \(H, W\)"):
        softmax_maps({"conv": {"train": np.zeros((4, 4, 1))}}, "uniform")


# Zoom


@pytest.mark.parametrize(("target", "half"), [((21, 8), 4), ((29, 19), 4), ((28, 1), 6), ((0, 0), 15), ((21, 8), 1)])
def test_pixel_zoom_is_legible(scores: tuple[np.ndarray, np.ndarray], target: tuple[int, int], half: int) -> None:
    figure = pixel_zoom({"conv": scores, "coordconv": scores}, target, half)
    assert_legible(figure)
    panels = image_panels(figure)
    assert len(panels) == 4
    for ax in panels:
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("x (pixels)", "y (pixels)")


def test_pixel_zoom_shows_the_window_around_the_target(scores: tuple[np.ndarray, np.ndarray]) -> None:
    softmax, logits = image_panels(pixel_zoom({"coordconv": scores}, (22, 8), half=3))
    assert softmax.images[0].get_clim() == (0, 1)
    np.testing.assert_array_equal(softmax.images[0].get_array(), scores[1][5:12, 19:26])
    np.testing.assert_array_equal(logits.images[0].get_array(), scores[0][5:12, 19:26])
    (frame,) = (patch for patch in softmax.patches if patch.get_edgecolor() == to_rgba(ORANGE))
    assert frame.get_bbox().extents.tolist() == [21.5, 7.5, 22.5, 8.5]  # type: ignore[attr-defined]
    values = f"target {scores[1][8, 22]:.2f}, largest {scores[1].max():.2f} at (21, 8)"
    assert softmax.get_title() == f"CoordConv: softmax\n{values}"
    written = {text.get_position(): text.get_text() for text in softmax.texts}
    assert written[21, 8] == f"{scores[1][8, 21]:.2f}"[1:]
    assert written[22, 8] == f"{scores[1][8, 22]:.2f}"[1:]


def test_pixel_zoom_names_what_is_not_finite() -> None:
    broken = np.full((9, 9), np.nan)
    figure = pixel_zoom({"conv": (broken, broken)}, (4, 4))
    assert_legible(figure)
    assert "not all values finite" in image_panels(figure)[0].get_title()


def test_pixel_zoom_names_what_is_wrong(scores: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(ValueError, match=r"target \(x, y\) = \(30, 8\) lies outside"):
        pixel_zoom({"conv": scores}, (30, 8))
    with pytest.raises(ValueError, match="panels is empty"):
        pixel_zoom({}, (0, 0))
    with pytest.raises(ValueError, match="half is 0"):
        pixel_zoom({"conv": scores}, (0, 0), half=0)
    with pytest.raises(ValueError, match=r"logits of shape \(20, 30\) and probabilities of shape \(30, 20\)"):
        pixel_zoom({"conv": (scores[0], scores[1].T)}, (0, 0))


# Saving, and what the package leaves alone


def test_save_figure_replaces_a_file_whole(tmp_path: Path, scores: tuple[np.ndarray, np.ndarray]) -> None:
    figure = pixel_zoom({"conv": scores}, (21, 8))
    path = save_figure(figure, tmp_path / "new folder" / "zoom.png")
    assert save_figure(figure, str(path)) == path
    assert [file.name for file in path.parent.iterdir()] == ["zoom.png"]
    width, height = figure.get_size_inches()
    assert imread(path).shape[:2] == (round(150 * height), round(150 * width))


def test_save_figure_leaves_the_old_file_if_drawing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "figure.png"
    path.write_bytes(b"old")
    figure = Figure()

    def half_written(file: IO[bytes], **_: Any) -> None:
        file.write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(figure, "savefig", half_written)
    with pytest.raises(OSError, match="no space"):
        save_figure(figure, path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["figure.png"]


def test_save_figure_wants_a_png_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"named 'a\.jpg', wanted a name that ends in \.png"):
        save_figure(Figure(), tmp_path / "a.jpg")


def test_a_notebook_shows_the_figure(scores: tuple[np.ndarray, np.ndarray]) -> None:
    assert pixel_zoom({"conv": scores}, (21, 8))._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]


def test_the_users_style_is_neither_used_nor_changed(scores: tuple[np.ndarray, np.ndarray]) -> None:
    with matplotlib.rc_context({"figure.facecolor": "black", "font.size": 30}):
        figure = pixel_zoom({"conv": scores}, (21, 8))
        assert matplotlib.rcParams["font.size"] == 30
    assert figure.get_facecolor() == to_rgba("white")
    assert_legible(figure)


def test_pyplot_is_not_imported() -> None:
    code = "import sys, minicoord.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
