"""The figures of detection: boxes where they belong, widths for scores, medians and bands, and legible words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from figure_checks import assert_legible, image_panels, rectangles
from matplotlib.colors import to_rgba

from minicoord.plots import detection_curves, kept_boxes, missed_digits, relative_changes, sampled_boxes
from minicoord.plots.detection_curves import bands
from minicoord.plots.kept_boxes import LEAST, MOST
from minicoord.plots.missed_digits import missed_share
from minicoord.plots.style import BLUE, VERMILLION

pytestmark = pytest.mark.filterwarnings("error")


def arrays(examples: int = 3) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    boxes = np.full((examples, 10, 4), np.nan, np.float32)
    boxes[:, :2] = [[20, 10, 8, 16], [5, 60, 20, 25]]
    scores = np.full((examples, 10), np.nan, np.float32)
    scores[:, :2] = [1.0, 0.5]
    return {
        "images": rng.random((examples, 64, 64), np.float32),
        "truth": np.tile(np.array([20, 10, 8, 16], np.float32), (examples, 5, 1)),
        "boxes": boxes,
        "scores": scores,
        "positive": boxes[:, :6],
        "negative": boxes[:, 4:],
        "centres": rng.uniform(0, 64, (40, 5, 2)).astype(np.float32),
        "best": rng.random((40, 5), np.float32),
    }


def test_kept_boxes_lie_on_their_pixels_and_a_score_is_a_width():
    figure = kept_boxes({"coordconv": arrays(), "conv": arrays()}, "valid")
    assert_legible(figure)
    panels = image_panels(figure)
    assert len(panels) == 3 * 3
    truth, conv, coordconv = panels[0], panels[3], panels[6]
    assert len(rectangles(truth)) == 5
    first, second = rectangles(conv)  # those with NaN are left out
    # Rows 16 to 24 and columns 2 to 18 of pixels whose middles have whole numbers.
    assert (first.get_x(), first.get_y(), first.get_width(), first.get_height()) == (1.5, 15.5, 16, 8)
    assert first.get_linewidth() == pytest.approx(MOST)
    assert second.get_linewidth() == pytest.approx((LEAST + MOST) / 2)
    assert first.get_edgecolor() == to_rgba(VERMILLION)
    assert rectangles(coordconv)[0].get_edgecolor() == to_rgba(BLUE)
    assert all(panel.get_xlim() == (-0.5, 63.5) and panel.get_ylim() == (63.5, -0.5) for panel in panels)


@pytest.mark.parametrize("draw", [kept_boxes, sampled_boxes])
@pytest.mark.parametrize("examples", [1, 2, 6])
def test_few_and_many_images_are_legible(draw: Any, examples: int):
    assert_legible(draw({"conv": arrays(examples)}, "valid"), least=5)


def test_positive_and_negative_samples_differ_without_colour():
    figure = sampled_boxes({"conv": arrays()}, "same")
    assert_legible(figure)
    (panel, *others) = image_panels(figure)
    assert len(others) == 2
    styles = [box.get_linestyle() for box in rectangles(panel)]
    assert len(styles) == 5 + 2 and len(set(map(str, styles))) == 1  # no negative box in these arrays
    with_negatives = arrays() | {"positive": arrays()["negative"], "negative": arrays()["positive"]}
    panel = image_panels(sampled_boxes({"conv": with_negatives}, "same"))[0]
    assert len(set(map(str, (box.get_linestyle() for box in rectangles(panel))))) == 2


def test_missed_digits_are_counted_where_their_centre_is():
    centres = np.array([[[0, 0], [7.9, 9]], [[4, 4], [63.9, 0.5]]])
    best = np.array([[0.4, 0.6], [0.5, 0.1]])
    share = missed_share(centres, best, 64)
    assert share.shape == (8, 8)
    assert share[0, 0] == 0.5 and share[0, 1] == 0 and share[7, 0] == 1
    assert np.isnan(share).sum() == 64 - 3


def test_a_centre_that_was_rounded_to_the_edge_counts_in_the_last_square():
    centres = np.array([[[63.99, 1], [64, 64]]], np.float16)
    share = missed_share(centres, np.array([[0.4, 0.6]]), 64)
    assert (share[7, 0], share[7, 7]) == (1, 0)
    missed_digits({"conv": {"centres": centres, "best": np.array([[0.4, 0.6]])}}, "valid")


def test_the_places_of_missed_digits_have_one_scale():
    figure = missed_digits({"conv": arrays(), "coordconv": arrays()}, "valid")
    assert_legible(figure)
    drawn = [ax.images[0] for ax in image_panels(figure)]
    assert len({image.get_clim() for image in drawn}) == 1
    missed = 100 * float((arrays()["best"] < 0.5).mean())
    assert f"convolution: {missed:.1f} %" in [ax.get_title() for ax in figure.axes]


@pytest.mark.parametrize("best", [0.0, 1.0])
def test_all_or_no_digits_missed_can_be_drawn(best: float):
    some = arrays() | {"best": np.full((40, 5), best, np.float32)}
    assert_legible(missed_digits({"conv": some}, "valid"), least=5)


def run(model: str, ends: float, epochs: int = 4) -> dict[str, Any]:
    keys = [f"{part}_{key}" for part in ("train", "test") for key in ("iou", "recall_50", "recall_70")]
    rows = [{"epoch": k, **dict.fromkeys(keys, ends * k / epochs)} for k in range(1, epochs + 1)]
    return {"model": model, "variant": "valid", "history": rows}


def test_curves_are_medians_with_a_band_from_the_smallest_to_the_largest():
    runs = [run("conv", end) for end in (0.4, 0.5, 0.9)]
    epochs, middle, low, high = bands(runs, "test_iou")
    assert epochs.tolist() == [1, 2, 3, 4]
    assert (middle[-1], low[-1], high[-1]) == (0.5, 0.4, 0.9)
    figure = detection_curves([*runs, run("coordconv", 0.7)], "valid")
    assert_legible(figure)
    iou, recall, _ = figure.axes
    np.testing.assert_allclose(np.asarray(iou.lines[0].get_ydata()), middle)
    np.testing.assert_allclose(np.asarray(recall.lines[0].get_ydata()), 100 * middle)
    assert len(iou.collections) == 1, "a single run has no band"
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["convolution (3)", "CoordConv (1)", "training images"]


def test_a_row_that_was_not_measured_is_left_out():
    some = run("conv", 0.8)
    some["history"][1]["test_iou"] = None
    del some["history"][2]["test_iou"]
    assert bands([some], "test_iou")[0].tolist() == [1, 4]
    assert len(bands([some], "nothing")[0]) == 0


@pytest.mark.parametrize("draw", [kept_boxes, sampled_boxes, missed_digits, detection_curves])
def test_nothing_to_draw_is_one_sentence(draw: Any):
    with pytest.raises(ValueError, match="is empty, wanted at least one"):
        draw([] if draw is detection_curves else {}, "valid")


def test_relative_changes_show_each_pair_the_mean_and_the_papers_value():
    rows = {"one (0.60)": ([0.1, 0.3], 0.2, (0.1, 0.3)), "another (0.40)": ([-0.5], -0.5, None)}
    figure = relative_changes(rows, "the test IOU", 0.24)
    assert_legible(figure)
    (ax,) = figure.axes
    lines = [np.asarray(line.get_xdata(), float) for line in ax.lines]
    for wanted in ([10, 30], [20], [-50], [24, 24]):
        assert any(line.shape == (len(wanted),) and np.allclose(line, wanted) for line in lines), wanted
    low, high = ax.get_xlim()
    assert low < -50 and high > 30
    assert [label.get_text() for label in ax.get_yticklabels()] == list(rows)


@pytest.mark.parametrize("rows", [{}, {"one": ([], 0.0, None)}])
def test_relative_changes_without_a_pair_are_refused(rows: Any):
    with pytest.raises(ValueError, match="wanted at least one pair in each"):
        relative_changes(rows, "the test IOU")
