"""What lesson 06 shows: answers in pixels, scores before the maximum, starts, and drawings that can be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from figure_checks import assert_legible, images, words
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from minicoord import CoordConv2D, GlobalMaxPool, Sequential
from minicoord.datasets import not_so_clevr, split
from minicoord.learn.definition.course import get
from minicoord.learn.lessons import lesson06

DATA = not_so_clevr()
PARTS = {name: split(DATA, name) for name in ("uniform", "quadrant")}


def exact_regressor(lift: float = 64) -> Sequential:
    """The network of the exercise, with another weight for being lit."""
    weights = get("exact_regressor").solution(64, 64)
    weights[3] += weights[0] - lift
    weights[0] = lift
    first = CoordConv2D(1, 2, 1)
    first.params["w"][0, 0], first.params["b"][:] = weights[:3] / 64, weights[3] / 64
    return Sequential([first, GlobalMaxPool()])


def one_pixel(x: int, y: int) -> NDArray[np.float32]:
    image = np.zeros((1, 64, 64, 1), np.float32)
    image[0, y, x] = 1
    return image


def named(ax: Axes) -> dict[str, NDArray]:
    """The lines that have a name, by name: their points."""
    lines = {str(line.get_label()): np.asarray(line.get_xydata()) for line in ax.lines}
    return {name: points for name, points in lines.items() if not name.startswith("_")}


def rings(ax: Axes) -> list[tuple[float, float]]:
    return [patch.center for patch in ax.patches if isinstance(patch, Circle)]  # pyright: ignore[reportReturnType]


def test_lit_pixels_are_ringed_where_they_are_wanted():
    three = [0, 1500, 3135]
    shown, targets = DATA.one_hot()[three], DATA.centres[three] / 64
    figure = lesson06.lit_pixels(shown, targets)
    assert_array_equal(images(figure), shown[..., 0])
    assert [rings(ax) for ax in figure.axes] == [[tuple(centre)] for centre in DATA.centres[three]]
    assert [ax.get_title() for ax in figure.axes] == [f"wanted: ({x:.3f}, {y:.3f})" for x, y in targets]
    assert_legible(figure)


def result(model: str, name: str, test: list[float]) -> dict[str, Any]:
    rows = [{"epoch": k, "train_distance": d / 2, "test_distance": d} for k, d in enumerate(test, start=1)]
    return {"model": model, "variant": name, "history": [*rows, {"epoch": len(rows) + 1, "train_loss": 0.1}]}


@pytest.mark.parametrize("epochs", [4, 30])
def test_distances_of_each_split_are_in_its_panel(epochs: int):
    falling = np.geomspace(25, 0.5, epochs).tolist()
    results = [result(model, name, falling) for name in PARTS for model in ("conv-fc", "conv-full")]
    results.append(result("coordconv", "quadrant", [20.0, 0.01]))
    figure = lesson06.distance_curves(results, {"uniform": 21.4, "quadrant": 27.8})
    assert [ax.get_title() for ax in figure.axes] == ["uniform split", "quadrant split"]
    uniform, quadrant = ([np.asarray(line.get_ydata()) for line in ax.lines] for ax in figure.axes)
    for drawn, of_split in ((uniform, results[:2]), (quadrant, results[2:])):
        wanted = [[row["test_distance"] for row in r["history"][:-1]] for r in of_split]
        for test, train, distances in zip(drawn[:-1:2], drawn[1:-1:2], wanted, strict=True):
            assert_array_equal(test, distances)
            assert_array_equal(train, np.array(distances) / 2)
    assert_array_equal([uniform[-1], quadrant[-1]], [[21.4, 21.4], [27.8, 27.8]])
    colours = [line.get_color() for line in figure.axes[1].lines]
    assert colours[0] == colours[1] and len({*colours[:-1:2]}) == 3, "two networks in one colour"
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert sorted(said[:3]) == ["CoordConv", "conv + FC", "fully convolutional"]
    assert_legible(figure)


def prediction(offset: float) -> Mapping[str, NDArray]:
    part = PARTS["quadrant"]
    centres = {"train": DATA.centres[part.train], "test": DATA.centres[part.test]}
    truth = {f"{k}_centres": some for k, some in centres.items()}
    return truth | {k: (some + offset).astype(np.float32) for k, some in centres.items()}


def points(ax: Axes) -> NDArray:
    return np.asarray(ax.lines[0].get_xydata())


def test_clouds_stand_beside_the_truth_and_count_what_lies_outside():
    figure = lesson06.clouds({"coordconv": prediction(0), "conv-fc": prediction(20), "conv-full": prediction(-200)})
    part, axes = PARTS["quadrant"], figure.axes
    for line, some in ((axes[:4], part.train), (axes[4:], part.test)):
        for ax, offset in zip(line, (0, 20, -200, 0), strict=True):
            assert_allclose(points(ax), DATA.centres[some] + offset)
            assert ax.get_xlim() == (-4, 67) and ax.get_ylim() == (67, -4)
    beyond = int(np.count_nonzero((DATA.centres[part.train] + 20 > 67).any(axis=1)))
    assert 0 < beyond < len(part.train)
    assert [ax.get_title() for ax in axes[:4]] == [
        "truth, train", f"conv + FC, train\n{beyond} outside", "fully convolutional, train\n2407 outside",
        "CoordConv, train",
    ]  # fmt: skip
    assert axes[6].get_title() == "fully convolutional, test\n729 outside"
    assert_legible(figure)


def test_one_cloud_can_be_read_too():
    assert_legible(lesson06.clouds({"conv-full": prediction(1)}))


def test_by_hand_the_lit_pixel_wins_everywhere_from_a_lift_of_63_on():
    for lift, right in ((0, [63]), (30, range(33, 64)), (62, range(1, 64)), (63, range(64)), (80, range(64))):
        best = [lesson06.by_hand(x, 30, lift).max() for x in range(64)]
        assert [x for x in range(64) if best[x] == x] == list(right)


def test_by_hand_the_mean_is_the_same_wherever_the_pixel_is():
    assert len({lesson06.by_hand(x, y, 64).mean() for x, y in ((0, 0), (20, 30), (63, 0), (63, 63))}) == 1


@pytest.mark.parametrize(
    ("x", "y", "lift", "column"),
    [(20, 30, 30, 63), (20, 30, 64, 20), (0, 0, 0, 63), (63, 63, 80, 63), (0, 63, 80, 0)],
)
def test_scores_of_a_lift_are_drawn_whole(x: int, y: int, lift: int, column: int):
    figure = lesson06.lifted(x, y, lift)
    left, right = figure.axes
    wanted = np.arange(64.0) - lift
    wanted[x] = x
    assert_array_equal(right.lines[0].get_ydata(), wanted)
    assert_array_equal(images(figure)[0][y], wanted)
    low, high = right.get_ylim()
    assert low < wanted.min() and wanted.max() < high, "a part of the row is cut off"
    said = named(right)
    assert_array_equal(said[f"the lit pixel: {x}"], [[x, x]])
    assert_array_equal(said[f"maximum: {wanted.max():g}, from column {column}"][:, 1], wanted.max())
    mean = 31.5 - lift + lift / 4096
    assert_allclose(said[f"mean of all pixels: {mean:.1f}"][:, 1], mean)
    assert rings(left) == [(x, y)]
    assert_legible(figure)


def test_scores_are_what_comes_before_the_maximum_in_pixels():
    net = exact_regressor()
    seen = np.concatenate([one_pixel(50, 40), one_pixel(0, 63)])
    scores = lesson06.scores(net, seen)
    assert scores.shape == (2, 64, 64, 2)
    for score, (x, y) in zip(scores, ((50, 40), (0, 63)), strict=True):
        assert_allclose(score[..., 0], lesson06.by_hand(x, y, 64), atol=1e-4)
        assert_allclose(score[..., 1], lesson06.by_hand(y, x, 64).T, atol=1e-4)
    assert_allclose(scores.max(axis=(1, 2)), 64 * net.forward(seen), atol=1e-5)


@pytest.mark.parametrize(("x", "y"), [(50, 40), (4, 4), (59, 59), (63, 0)])
def test_learned_scores_are_those_around_the_lit_pixel_also_at_the_border(x: int, y: int):
    figure = lesson06.learned_scores(exact_regressor(), one_pixel(x, y))
    left, right = figure.axes[:2]
    score = lesson06.scores(exact_regressor(), one_pixel(x, y))[0, ..., 0]
    rows, columns = slice(max(y - 6, 0), min(y + 7, 64)), slice(max(x - 6, 0), min(x + 7, 64))
    assert_array_equal(images(figure)[0], score[rows, columns])
    assert left.get_xlim() == (columns.start - 0.5, columns.stop - 0.5)
    assert left.get_ylim() == (rows.stop - 0.5, rows.start - 0.5)
    assert {name: place.tolist() for name, place in named(left).items()} == {"lit": [[x, y]], "maximum": [[x, y]]}
    assert_array_equal(right.lines[0].get_ydata(), score[y])
    assert f"around the lit pixel ({x}, {y})" in words(figure) and f"along row {y}" in words(figure)
    assert_allclose(named(right)[f"maximum: {x}"], [[x, x]], atol=1e-4)
    assert_legible(figure)


def test_a_maximum_far_from_the_lit_pixel_is_marked_on_its_row_alone():
    figure = lesson06.learned_scores(exact_regressor(lift=10), one_pixel(20, 30))
    left, right = figure.axes[:2]
    assert list(named(left)) == ["lit"]
    assert left.get_xlim() == (13.5, 26.5), "the window is squeezed"
    assert right.get_title() == "along row 0"
    assert_allclose(np.asarray(right.lines[0].get_ydata()), np.arange(64) - 10, atol=1e-4)
    assert_allclose(named(right)["maximum: 53"], [[63, 53]], atol=1e-4)
    assert_legible(figure)


def answers(mean: float) -> dict[str, NDArray]:
    along = np.arange(4.0, 60)
    return {
        "by hand, maximum": np.stack([along, along], axis=1),
        "by hand, mean": np.stack([along, 0 * along + mean], axis=1),
    }


@pytest.mark.parametrize("mean", [-32.5, -968.5])
def test_answers_are_in_their_panels_whatever_the_lift(mean: float):
    said = answers(mean)
    figure = lesson06.pooled_answers(said)
    for ax, (name, pairs) in zip(figure.axes, said.items(), strict=True):
        assert ax.get_title() == name
        assert_array_equal(ax.lines[0].get_xydata(), [[0, 0], [63, 63]])
        assert_array_equal(ax.lines[1].get_xydata(), pairs)
        low, high = ax.get_ylim()
        assert low < pairs[:, 1].min() and pairs[:, 1].max() < high, "answers are cut off"
        assert high - low < 1200 if name.endswith("mean") else high - low < 120
    assert_legible(figure)


def test_the_share_of_maxima_at_the_lit_pixel_is_that_of_places_that_beat_the_border():
    samples = np.arange(200, len(DATA), 41)[:70]  # more than are computed at once
    shares = lesson06.share_seen(exact_regressor(lift=29.5), DATA, samples)  # a dark border says 63 - 29.5
    assert shares.tolist() == (DATA.centres[samples] > 33.5).mean(axis=0).tolist()
    assert (shares > 0.2).all() and (shares < 0.8).all() and shares[0] != shares[1]


@pytest.mark.parametrize(("reach", "share"), [(1, 0), (2, 1)])
def test_a_maximum_as_far_as_the_reach_is_at_the_lit_pixel(reach: int, share: int):
    shifting = CoordConv2D(1, 2, 5)
    shifting.params["w"][:] = 0
    shifting.params["w"][0, 2, 0], shifting.params["w"][2, 4, 0] = (1, 0), (0, 1)  # two down for x, two left for y
    net = Sequential([shifting, GlobalMaxPool()])
    assert lesson06.share_seen(net, DATA, np.array([0, 1500, 3135]), reach).tolist() == [share, share]


def test_the_exact_network_sees_every_pixel_and_one_without_lift_only_the_border():
    samples = np.arange(0, len(DATA), 100)
    assert lesson06.share_seen(exact_regressor(), DATA, samples).tolist() == [1, 1]
    assert lesson06.share_seen(exact_regressor(lift=0), DATA, samples).tolist() == [0, 0]
    assert lesson06.share_seen(exact_regressor(lift=0), DATA, samples, reach=64).tolist() == [1, 1]


def test_starts_are_shares_in_percent_seed_by_seed():
    rng = np.random.default_rng(0)
    shares = {f"coordinates x {scale:g}": rng.uniform(size=(16, 2)) for scale in (1.0, 0.1, 0.03)}
    shares["coordinates x 1"][:] = [0, 1]
    figure = lesson06.starts(shares)
    for ax, (name, values) in zip(figure.axes, shares.items(), strict=True):
        assert ax.get_title() == name
        for_x, for_y = named(ax)["for x"], named(ax)["for y"]
        assert_allclose(np.stack([for_x[:, 1], for_y[:, 1]], axis=1), 100 * values)
        assert_array_equal(np.round(for_x[:, 0]), np.arange(16))
        assert ax.get_ylim() == (-5, 105)
    assert_legible(figure)


def legend_of(figure: Figure, panel: int) -> list[str]:
    legend = figure.axes[panel].get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def test_a_small_canvas_shows_what_was_held_out_apart():
    small = not_so_clevr(16, 3)
    parts = split(small, "quadrant")
    said = small.centres + np.random.default_rng(0).normal(size=(len(small), 2))
    rows = [{"epoch": k, "test_distance": 6.0 / k, "train_loss": 0.1} for k in range(1, 61)]
    figure = lesson06.small_canvas(small, parts, said, rows)
    left, right = figure.axes
    drawn = named(left)
    assert list(drawn) == legend_of(figure, 0) == ["the true positions", "answers, trained on", "held out"]
    assert_array_equal(drawn["the true positions"], small.centres)
    assert_array_equal(drawn["answers, trained on"], said[parts.train])
    assert_array_equal(drawn["held out"], said[parts.test])
    assert left.get_xlim() == (-0.5, 15.5) and left.get_ylim() == (15.5, -0.5)
    assert_array_equal(right.lines[0].get_xydata(), [[row["epoch"], row["test_distance"]] for row in rows])
    assert_legible(figure)
