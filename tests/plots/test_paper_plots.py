"""The figures of the paper: what is drawn where, the published numbers as lines, and no text on top of other text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from figure_checks import assert_legible, image_panels
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from minicoord.experiments.classification.painters import coordconv_painter, deconv_painter
from minicoord.experiments.classification.seeds_study import study_groups
from minicoord.experiments.regression.regressors import coordconv_regressor, fully_convolutional_regressor
from minicoord.plots import (
    architectures,
    classification_figure,
    coord_block,
    drawn_squares,
    error_maps,
    neighbour_zoom,
    overlap_figure,
    point_clouds,
    quadrant_figure,
    regression_clouds,
    seed_curves,
    seed_ends,
    settings_figure,
    toy_tasks,
)
from minicoord.plots.architectures import rows_of
from minicoord.plots.over_time import curve_of, middle_and_ends
from minicoord.plots.style import BLUE, ORANGE, VERMILLION

pytestmark = pytest.mark.filterwarnings("error")


def run(model: str, split: str, train: float | None, test: float | None, epochs: int = 20, **settings: Any) -> Any:
    """A run whose metric rises in a straight line to its end, one epoch in ten seconds (CoordConv: one)."""
    name, seconds = settings.pop("name", "accuracy"), 1.0 if model == "coordconv" else 10.0
    rows = []
    for epoch in range(1, epochs + 1):
        share = epoch / epochs
        row = {"epoch": epoch, "train_seconds": seconds * epoch}
        rows.append({**row, f"test_{name}": None if test is None else share * test})
    return {
        "model": model,
        "variant": split,
        "settings": {"epochs": epochs, "lr": 0.01, **settings},
        "metrics": {f"train_{name}": train, f"test_{name}": test},
        "history": rows,
    }


def lines(ax: Axes, **look: Any) -> list[Any]:
    """The lines with these properties, such as marker="o"; colours are compared whatever their form."""
    found = []
    for line in ax.lines:
        has = {key: getattr(line, f"get_{key}")() for key in look}
        if "color" in look:
            has["color"], look["color"] = to_rgba(has["color"]), to_rgba(look["color"])
        if has == look:
            found.append(line)
    return found


def levels(ax: Axes) -> set[float]:
    """The heights of the horizontal lines across the panel."""
    across = [np.asarray(line.get_ydata()) for line in ax.lines if np.array_equal(line.get_xdata(), [0, 1])]
    return {float(ys[0]) for ys in across if len(set(ys.tolist())) == 1}


def texts(figure: Figure) -> set[str]:
    return {text.get_text() for text in figure.legends[0].get_texts()}


# Figure 1 and 3


def test_tasks_name_output_and_loss_and_regression_is_classification_turned_around():
    figure = toy_tasks()
    assert_legible(figure)
    titles = [ax.get_title() for ax in figure.axes[:4]]
    assert titles == ["classification", "regression", "rendering", "generation (GAN)"]
    words = " ".join(text.get_text() for ax in figure.axes for text in ax.texts)
    for wanted in ("softmax", "cross-entropy", "mean squared error", "sigmoid"):
        assert wanted in words
    shown = [np.asarray(ax.images[0].get_array()).sum() for ax in image_panels(figure)]
    assert 1 in shown and 81 in shown, "one pixel, and a square of 9 x 9"
    inputs, outputs = figure.axes[:4], figure.axes[8:]
    assert bool(inputs[1].images) and not inputs[0].images
    assert bool(outputs[0].images) and not outputs[1].images


@pytest.mark.parametrize("with_r", [False, True])
def test_the_added_channels_are_those_of_the_layer(with_r: bool):
    figure = coord_block(with_r)
    assert_legible(figure)
    conv, coordconv = figure.axes
    assert not conv.images
    images = [np.asarray(image.get_array()) for image in coordconv.images]
    assert len(images) == (6 if with_r else 4), "each above, and again in the stack"
    i, j = images[-3 if with_r else -2], images[-2 if with_r else -1]
    assert np.ptp(i[0]) == 0 and i[0, 0] == -1 and i[-1, 0] == 1, "i is constant along a row"
    assert np.ptp(j[:, 0]) == 0 and j[0, 0] == -1 and j[0, -1] == 1
    if with_r:
        assert images[-1][0, 0] == pytest.approx(2**0.5)
    assert any(f"c + {3 if with_r else 2}" in text.get_text() for text in coordconv.texts)


# Figure 4


@pytest.fixture
def classification() -> list[Any]:
    runs = [run("conv", "uniform", 1.0, test) for test in (0.7, 0.82, 0.86)]
    runs += [run("conv", "quadrant", 0.996, 0.0) for _ in range(2)]
    return runs + [run("coordconv", split, 1.0, 1.0, 10) for split in ("uniform", "quadrant") for _ in range(4)]


def test_every_run_is_a_point_and_those_of_one_place_are_counted(classification: list[Any]):
    figure = classification_figure(classification)
    assert_legible(figure)
    conv, coordconv = figure.axes[0], figure.axes[2]
    (uniform,), (quadrant,) = lines(conv, marker="o"), lines(conv, marker="s")
    np.testing.assert_allclose(uniform.get_xydata(), [[100, 70], [100, 82], [100, 86]])
    np.testing.assert_allclose(quadrant.get_xydata(), [[99.6, 0], [99.6, 0]])
    assert [text.get_text() for text in conv.texts] == ["2"]
    assert [text.get_text() for text in coordconv.texts] == ["4", "4"]
    assert conv.get_title().startswith("convolution:\nwhere 5 runs ended")


def test_the_band_is_of_runs_that_end_at_80_per_cent_and_others_are_thin_lines(classification: list[Any]):
    conv = classification_figure(classification).axes[1]
    assert "uniform 2 of 3, quadrant 0 of 2" in conv.get_title()
    (median,) = lines(conv, linewidth=2.0)
    assert median.get_ydata()[-1] == pytest.approx(84)
    (band,) = conv.collections
    highest = band.get_paths()[0].vertices[:, 1].max()  # type: ignore[union-attr]
    assert highest == pytest.approx(86)
    assert [line.get_ydata()[-1] for line in lines(conv, linewidth=0.9)] == pytest.approx([70, 0, 0])


def test_the_papers_numbers_are_reference_lines(classification: list[Any]):
    figure = classification_figure(classification)
    assert [levels(ax) for ax in figure.axes] == [{86.0}, {86.0}, set(), set()]
    (conv,), (coordconv,) = (lines(figure.axes[k], marker="x") for k in (1, 3))
    assert conv.get_xydata().tolist() == [[4000, 80], [4000, 80]]
    assert coordconv.get_xydata().tolist() == [[10, 100], [20, 100]]
    assert any("4,000 s" in text for text in texts(figure))
    only = classification_figure([r for r in classification if r["model"] == "coordconv"])
    assert_legible(only)
    assert not any("convolution" in text or "conv 80" in text for text in texts(only))


def test_a_run_that_diverged_does_not_stop_the_figure(classification: list[Any]):
    figure = classification_figure([*classification, run("conv", "uniform", None, None)])
    assert_legible(figure)
    assert "uniform 2 of 4" in figure.axes[1].get_title()


def test_medians_are_over_time_and_ended_runs_keep_their_last_value():
    fast, slow = run("coordconv", "uniform", 1, 1.0, 4), run("conv", "uniform", 1, 0.8, 4)
    times, middle, low, high = middle_and_ends([curve_of(r, "test_accuracy") for r in (fast, slow)])
    assert times[0] == 10 and times[-1] == pytest.approx(40)
    assert (high == 1.0).all(), "the fast run had ended after 4 s"
    np.testing.assert_allclose(low, 0.2 * times / 10)
    np.testing.assert_allclose(middle, (low + high) / 2)


@pytest.mark.parametrize("at", [0.0, 1.0])
def test_the_number_of_a_stack_stands_inside_of_the_panel(at: float):
    figure = classification_figure([run("conv", "uniform", at, at, seed=seed) for seed in range(4)])
    figure.draw_without_rendering()
    (number,) = [text for text in figure.axes[0].texts if text.get_text() == "4"]
    panel, drawn = figure.axes[0].get_window_extent(), number.get_window_extent()
    assert panel.x0 < drawn.x0 and drawn.x1 < panel.x1


# Figure S2


def test_settings_that_vary_on_a_split_have_a_panel_each():
    runs = [run("conv", s, 1, 0.5 + c / 10, c=c, fs=fs) for s in ("uniform", "quadrant") for c, fs in ((1, 2), (2, 2))]
    runs.append(run("conv", "uniform", 1, 0.85, c=2, fs=3))
    runs.append(run("coordconv", "uniform", 1, 1, epochs=50))
    figure = settings_figure(runs)
    assert_legible(figure)
    of_c, of_fs = figure.axes
    assert (of_c.get_xlabel(), of_fs.get_xlabel()) == ("channel factor c", "filter size fs")
    assert [label.get_text() for label in of_c.get_xticklabels()] == ["1", "2"]
    points = sorted(float(y) for line in lines(of_c, marker="o") for y in np.ravel(line.get_ydata()))
    assert points == pytest.approx([60, 70, 85])
    assert levels(of_c) == {86.0}


def test_settings_that_do_not_vary_are_an_error():
    runs = [run("conv", "uniform", 1, 1, epochs=300), run("conv", "quadrant", 1, 0, epochs=100)]
    with pytest.raises(ValueError, match="2 results were given, wanted two that differ in a setting"):
        settings_figure(runs)


# Figure 6


@pytest.fixture
def rendering() -> list[Any]:
    kinds = [("conv", "uniform", 0.84, 0.82), ("conv", "quadrant", 0.9, 0.3), ("conv", "quadrant", 0.9, 0.35)]
    kinds += [("coordconv", split, 1.0, 0.99) for split in ("uniform", "quadrant")]
    kinds += [("coordconv", "uniform", 0.3, 0.3)]
    return [run(*kind, name="iou") for kind in kinds]


def test_overlap_of_all_runs_with_the_papers_best_of_each_split(rendering: list[Any]):
    figure = overlap_figure(rendering)
    assert_legible(figure)
    assert [levels(ax) for ax in figure.axes] == [{0.83, 0.36}] * 3
    scatter = figure.axes[0]
    assert sum(len(line.get_xydata()) for marker in "os" for line in lines(scatter, marker=marker)) == len(rendering)
    assert lines(scatter, marker="s", color=VERMILLION)[0].get_xydata().tolist() == [[0.9, 0.3], [0.9, 0.35]]
    assert {"paper, uniform: 0.83", "paper, quadrant: 0.36"} <= {text.get_text() for text in scatter.texts}


@pytest.mark.parametrize("show, panels", [("ends", ["train IOU"]), ("times", ["training time (seconds)"] * 2)])
def test_a_half_of_the_overlap_figure_stands_alone(rendering: list[Any], show: str, panels: list[str]):
    figure = overlap_figure(rendering, show)
    assert_legible(figure)
    assert [ax.get_xlabel() for ax in figure.axes] == panels
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert ("this many runs at one point" in legend) == (show == "ends")
    assert ("worst to best of these" in legend) == (show == "times")


def test_a_half_that_does_not_exist_is_named(rendering: list[Any]):
    with pytest.raises(ValueError, match="overlap_figure: show was 'left', wanted 'both', 'ends', 'times'"):
        overlap_figure(rendering, "left")


def test_the_zoom_shows_the_part_in_which_the_faster_model_became_good(rendering: list[Any]):
    whole, zoom = overlap_figure(rendering).axes[1:]
    assert whole.get_xlim() == (0, 200)
    first = next(k for k in range(1, 21) if 0.99 * k / 20 >= 0.8)
    assert zoom.get_xlim() == (0, 4 * first)
    assert len(lines(whole, color=BLUE, linewidth=2.0)) == 2
    late = run("coordconv", "uniform", 1.0, 0.9, name="iou")  # good at its last epoch only
    late["history"] = [{**row, "test_iou": row["test_iou"] if k > 18 else 0.1} for k, row in enumerate(late["history"])]
    assert overlap_figure([*rendering, late]).axes[2].get_xlim() == zoom.get_xlim()  # one that is late does not count
    only = overlap_figure([r for r in rendering if r["variant"] == "quadrant" and r["model"] == "conv"])
    assert_legible(only)
    assert levels(only.axes[0]) == {0.36}


@pytest.mark.parametrize("draw", [classification_figure, overlap_figure])
def test_no_results_are_an_error(draw: Any):
    with pytest.raises(ValueError, match=f"{draw.__name__}: results is empty, wanted at least one run"):
        draw([])


# Figures S1 and S3


def test_architectures_are_those_of_the_networks():
    net = deconv_painter(2, 3, rng=0)
    rows = rows_of(net, (2,))
    assert sum(row.parameters for row in rows) == net.n_params == 409_921
    assert [row.shape for row in rows if row.kind == "ConvTranspose2D"] == [
        f"{side}x{side}x{channels}"
        for side, channels in zip((2, 4, 8, 16, 32, 64), (128, 128, 128, 64, 64, 1), strict=True)
    ]
    assert rows[1].words == "deconv 3x3 /2"
    assert rows[2].words == "batch norm, ReLU"
    full = rows_of(fully_convolutional_regressor(1, 0), (64, 64, 1))
    assert [row.shape for row in full if row.kind == "Conv2D"][-1] == "2x2x2"
    assert (full[0].words, full[-1].words) == ("conv 5x5 /2, ReLU", "global mean")


@pytest.mark.parametrize("columns", [0, 2])
def test_architectures_are_legible(columns: int):
    networks: dict[str, Any] = {
        "painter": (deconv_painter(1, 2, rng=0), (2,)),
        "CoordConv": (coordconv_painter(0), (2,)),
        "regressor": (coordconv_regressor(rng=0), (64, 64, 1)),
    }
    figure = architectures(networks, columns)
    assert_legible(figure)
    drawn = [ax for ax in figure.axes if ax.texts]
    assert [ax.get_title() for ax in drawn] == [f"{n}\n{net.n_params:,} parameters" for n, (net, _) in networks.items()]
    boxes = [sum(isinstance(p, Rectangle) and not p.get_fill() for p in ax.patches) for ax in drawn]
    assert boxes == [12, 6, 6]


def test_no_network_is_an_error():
    with pytest.raises(ValueError, match="networks is empty"):
        architectures({})


# Figure 5 and the clouds


def cloud(error: tuple[float, float] = (0, 0)) -> dict[str, np.ndarray]:
    train = np.stack(np.meshgrid(np.arange(4, 33), np.arange(4, 33)), axis=-1).reshape(-1, 2)
    parts = {"train": train, "test": train + 27}
    return {name: points + np.array(error) for name, points in parts.items()} | {
        f"{name}_centres": points for name, points in parts.items()
    }


def test_clouds_lie_over_the_centres_and_say_how_far_they_are_off():
    figure = regression_clouds(
        {"uniform": {"coordconv": cloud()}, "quadrant": {"conv-fc": cloud((3, 4)), "coordconv": cloud()}}
    )
    assert_legible(figure)
    panels = np.array(figure.axes).reshape(3, 4)
    assert panels[0, 3].get_title() == "quadrant split, test\n841 centres"
    assert panels[1, 2].get_title() == "mean error 5.0 px"
    assert panels[2, 2].get_title() == "mean error 0.0 px"
    assert not panels[1, 0].axison, "conv + FC has no run on the uniform split"
    under, over = panels[1, 2].lines
    np.testing.assert_array_equal(over.get_xydata() - under.get_xydata(), np.tile([3, 4], (841, 1)))
    assert over.get_color() == VERMILLION


def test_points_beyond_the_canvas_are_counted():
    figure = regression_clouds({"quadrant": {"conv-full": cloud((40, 0))}})
    assert_legible(figure)
    assert figure.axes[3].get_title() == "mean error 40.0 px\n841 of 841 outside"


def test_quadrant_figure_has_maps_on_the_left_and_clouds_on_the_right():
    maps = {m: {p: k * np.eye(64) for p in ("train", "test")} for k, m in enumerate(("truth", "conv", "coordconv"), 1)}
    figure = quadrant_figure(maps, {"conv": cloud((3, 4)), "coordconv": cloud()})
    assert_legible(figure)
    panels = np.array(figure.axes).reshape(3, 4)
    assert [bool(ax.images) for ax in panels[1]] == [True, True, False, False]
    assert panels[2, 0].get_title() == "train: white = 3"
    assert panels[1, 3].get_title() == "test: mean error 5.0 px"
    assert len(panels[0, 2].lines[0].get_xdata()) == 841


@pytest.mark.parametrize(
    "maps, clouds", [({"conv": {"train": np.eye(64), "test": np.eye(64)}}, {}), ({}, {"coordconv": cloud()})]
)
def test_quadrant_figure_of_what_there_is(maps: Any, clouds: Any):
    figure = quadrant_figure({"truth": {"train": np.eye(64), "test": np.eye(64)}, **maps}, clouds)
    assert_legible(figure)
    shown = [ax for ax in figure.axes if ax.axison]
    assert len(shown) == (4 if maps else 6)
    for ax in figure.axes:
        assert ("not recorded" in {text.get_text() for text in ax.texts}) is not ax.axison


def test_nothing_to_draw_is_an_error():
    with pytest.raises(ValueError, match="neither maps nor predictions"):
        quadrant_figure({"truth": {"train": np.eye(4), "test": np.eye(4)}}, {})
    with pytest.raises(ValueError, match="predictions is empty"):
        regression_clouds({"uniform": {}})


# What regressors and renderers do on one split


def test_error_maps_show_the_distance_at_each_true_centre():
    figure = error_maps({"conv-fc": cloud((3, 4)), "coordconv": cloud()}, "quadrant")
    assert_legible(figure)
    conv_train, coordconv_train, conv_test, _ = image_panels(figure)[:4]
    assert conv_train.get_title() == "conv + FC, train: mean 5.00 px"
    assert coordconv_train.get_title() == "CoordConv, train: mean 0.00 px"
    assert {ax.images[0].get_clim() for ax in (conv_train, coordconv_train, conv_test)} == {(0, 5)}
    shown = np.ma.filled(np.ma.masked_invalid(conv_test.images[0].get_array()), -1)  # type: ignore[no-untyped-call]
    wanted = np.full((64, 64), -1.0)
    wanted[31:60, 31:60] = 5
    np.testing.assert_allclose(shown, wanted)


def test_an_error_map_tells_rows_from_columns():
    centres = np.array([[10, 3]])  # x, y
    arrays = {"train": np.array([[10, 5]]), "test": centres, "train_centres": centres, "test_centres": centres}
    shown = np.asarray(image_panels(error_maps({"coordconv": arrays}, "uniform"))[0].images[0].get_array())
    assert np.argwhere(shown == 2).tolist() == [[3, 10]]


def test_point_clouds_show_the_truth_above_the_models():
    figure = point_clouds({"conv-fc": cloud((40, 0)), "coordconv": cloud()}, "quadrant")
    assert_legible(figure)
    titles = [ax.get_title() for ax in figure.axes]
    assert titles[:4] == [
        "truth, train",
        "truth, test",
        "conv + FC, train, 145 outside",
        "conv + FC, test, 841 outside",
    ]
    assert titles[4:] == ["CoordConv, train", "CoordConv, test"]
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_xydata(), cloud()["train_centres"])


def test_drawn_squares_stand_below_the_wanted_ones():
    samples = {"train_samples": np.array([[10, 20], [30, 2]]), "test_samples": np.array([[50, 40]])}
    drawn = {"train_drawn": np.full((2, 64, 64), 0.25), "test_drawn": np.full((1, 64, 64), 0.75)}
    figure = drawn_squares({"coordconv": {**samples, **drawn}}, "quadrant")
    assert_legible(figure)
    panels = image_panels(figure)
    assert [ax.get_title() for ax in panels[:3]] == ["train, (10, 20)", "train, (30, 2)", "test, (50, 40)"]
    wanted = [np.asarray(ax.images[0].get_array()) for ax in panels[:3]]
    assert wanted[0].sum() == 81 and wanted[0][16:25, 6:15].all(), "9 x 9 pixels around x = 10, y = 20"
    assert wanted[1].sum() == 7 * 9, "a square at the border is cut off"
    assert [float(np.max(ax.images[0].get_array())) for ax in panels[3:]] == [0.25, 0.25, 0.75]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "draw, what", [(error_maps, "predictions"), (point_clouds, "predictions"), (drawn_squares, "arrays")]
)
def test_no_model_is_an_error(draw: Any, what: str):
    with pytest.raises(ValueError, match=f"{draw.__name__}: {what} is empty, wanted at least one model"):
        draw({}, "uniform")


# Close-ups of neighbours


def peaks(*pixels: tuple[int, int]) -> np.ndarray:
    """Logits (k, 64, 64) with their largest value at each pixel in turn."""
    y, x = np.mgrid[:64, :64]
    return np.stack([-2.0 * ((x - px) ** 2 + (y - py) ** 2) for px, py in pixels])


def test_neighbours_are_shown_with_their_targets_and_what_was_found():
    targets = [(30, 20), (31, 20), (30, 21)]
    logits = {"conv": peaks((30, 20), (31, 20), (31, 20)), "coordconv": peaks(*targets)}
    figure = neighbour_zoom(logits, targets, ["train, learned", "test, barely right", "test, missed"])
    assert_legible(figure)
    panels = image_panels(figure)
    assert len(panels) == 12
    softmax, log_odds = np.array(panels[:12]).reshape(4, 3)[:2]
    assert softmax[0].get_title().startswith("train, learned\n(x, y) = (30, 20)\nright, with 0.6")
    assert "wrong: 0.6" in softmax[2].get_title() and "at (31, 20)" in softmax[2].get_title()
    np.testing.assert_array_equal(log_odds[1].images[0].get_array(), logits["conv"][1, 16:25, 27:36])
    scales = {ax.images[0].get_clim() for ax in log_odds}
    assert len(scales) == 1, "one scale for all windows of a network"
    for ax, (x, y) in zip(softmax, targets, strict=True):
        (frame,) = (p for p in ax.patches if p.get_edgecolor() == to_rgba(ORANGE))
        assert frame.get_bbox().extents.tolist() == [x - 0.5, y - 0.5, x + 0.5, y + 0.5]


def test_neighbours_at_the_border_are_legible():
    targets = [(4, 4), (5, 4), (4, 59)]
    assert_legible(neighbour_zoom({"conv": peaks(*targets)}, targets, ["a", "b", "c"]))


@pytest.mark.parametrize(
    "logits, labels", [({}, ["a"]), ({"conv": np.zeros((2, 9, 9))}, ["a"]), ({"conv": np.zeros((1, 9, 9))}, [])]
)
def test_numbers_that_do_not_fit_are_an_error(logits: Any, labels: list[str]):
    with pytest.raises(ValueError, match="wanted the same number of each"):
        neighbour_zoom(logits, [(4, 4)], labels)


def seeds(setting: dict[str, Any], ends: list[float], preset: str = "paper") -> list[Any]:
    """Runs of the study of seeds, in no order."""
    official = {"lr": 0.005, "l2": 0.001}
    runs = [run("coordconv", "quadrant", 1.0, end, epochs=12, **{**official, **setting}) for end in ends]
    kind = {"experiment": "classification", "preset": preset}
    return [{**r, **kind, "seed": seed} for seed, r in reversed(list(enumerate(runs)))]


def test_the_study_of_seeds_is_told_by_what_each_group_changed():
    without = seeds({"l2": 0.0}, [0.3])
    runs = [
        *seeds({"l2": 0.003, "lr": 0.01, "init_scale": 0.5, "schedule": "cosine"}, [1.0], preset="quick"),
        *seeds({"lr": 0.01}, [1.0]),
        *seeds({"l2": 0.0, "decay": 0.1}, [1.0]),
        *without,
        *seeds({}, [1.0, 0.4]),
        {**without[0], "variant": "uniform"},
        {**without[0], "settings": {**without[0]["settings"], "epochs": 50}},
        {**without[0], "settings": {**without[0]["settings"], "raw_input": True}},
    ]
    groups = study_groups(runs)
    assert list(groups) == ["official", "no L2", "no L2, decay 0.1", "learning rate 0.01", "our quick recipe"]
    assert [r["seed"] for r in groups["official"]] == [0, 1] and groups["no L2"] == without


def test_seeds_that_fail_are_told_from_those_that_do_not():
    groups = study_groups([*seeds({}, [1.0, 0.4, 0.9]), *seeds({"l2": 0.01}, [1.0, 1.0, 1.0])])
    for figure in (seed_curves(groups), seed_ends(groups)):
        assert_legible(figure)
    curves, ends = seed_curves(groups), seed_ends(groups).axes[0]
    assert [ax.get_title() for ax in curves.axes] == ["official\n1 of 3 solved", "L2 0.01\n3 of 3 solved"]
    for ax, solved in zip(curves.axes, (1, 3), strict=True):
        blue, red = lines(ax, color=BLUE), lines(ax, color=VERMILLION)
        assert [len(blue), len(red)] == [solved, 3 - solved]
        assert all(line.get_ydata()[-1] == 100 for line in blue)
    crosses = lines(ends, marker="x")
    assert [(line.get_xdata()[0], round(line.get_ydata()[0])) for line in crosses] == [(40, 0), (90, 0)]
    assert [text.get_text() for text in ends.texts] == ["1 of 3 solved", "3 of 3 solved"]
    assert [label.get_text() for label in ends.get_yticklabels()] == ["official", "L2 0.01"]
    for draw in (seed_curves, seed_ends):
        with pytest.raises(ValueError, match="1 groups were given, wanted one or more, each with a run"):
            draw({"official": []})
