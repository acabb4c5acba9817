"""The figures of agents: learning curves, visits, weights of the first layer, and films."""

from __future__ import annotations

import numpy as np
import pytest
from figure_checks import assert_legible, image_panels
from PIL import Image

from minicoord.plots import (
    coordinate_weights,
    game_curves,
    improvement_intervals,
    learning_curves,
    save_film,
    visit_maps,
)
from minicoord.plots.film import film_colours
from minicoord.plots.learning_curves import bands

pytestmark = pytest.mark.filterwarnings("error")


def run(model: str, seed: int, **more):
    rows = [{"env_steps": 1000 * k, "return": k * (seed + 1) / 10, "moves": 20.0 - k} for k in range(1, 6)]
    rows[0]["return"] = None if seed else float("nan")
    return {"model": model, "variant": "position", "seed": seed, "history": rows, **more}


def test_learning_curves_have_a_line_and_a_band_for_each_network():
    models = ("conv-pool", "coordconv-pool", "conv-dense", "coordconv-dense", "coordconv-r-pool")
    runs = [run(model, seed) for model in models for seed in (0, 1)]
    runs[0]["yardsticks"] = {"random_return": 0.24, "best_return": 1.0}
    figure = learning_curves(runs, "position")
    assert_legible(figure)
    left, right = figure.axes
    assert [len(ax.collections) for ax in (left, right)] == [5, 5]
    assert any(set(np.ravel(line.get_ydata())) == {0.24} for line in left.lines)
    assert_legible(learning_curves(runs[2:3], "position"))
    with pytest.raises(ValueError, match="learning_curves: results is empty"):
        learning_curves([], "position")


def test_game_curves_have_a_panel_for_each_game_that_counts_its_runs():
    runs = [run(model, seed) for model in ("conv-dense", "conv-pool") for seed in (0, 1)]
    games = {f"minatar-{k}": runs for k in "abcd"}
    games["minatar-b"] = [run("conv-dense", 0)]
    games["minatar-c"] = games["minatar-c"][:3]
    figure = game_curves(games)
    assert_legible(figure)
    assert [ax.get_title() for ax in figure.axes] == [
        "minatar-a (2 runs each)",
        "minatar-b (1 run each)",
        "minatar-c (1 to 2 runs each)",
        "minatar-d (2 runs each)",
    ]
    assert [len(ax.lines) for ax in figure.axes] == [2, 1, 2, 2]
    assert [len(ax.collections) for ax in figure.axes] == [2, 0, 1, 2]
    assert_legible(game_curves({"one": [run("conv-dense", 0)]}))
    with pytest.raises(ValueError, match="game_curves: games is empty"):
        game_curves({})
    with pytest.raises(ValueError, match=r"game_curves: games\['a'\] is empty"):
        game_curves({"a": []})


def test_reference_points_are_drawn_as_far_as_our_own_curves_reach():
    games = {game: [run("conv-dense", 0), run("conv-pool", 0)] for game in ("a", "b", "c")}
    points = {"a": [(2000, 0.3), (5000, 0.6), (10_000, 0.9)], "b": [(50_000, 1.0)]}
    figure = game_curves(games, points, "somebody else")
    assert_legible(figure)
    assert [len(ax.lines) for ax in figure.axes] == [3, 2, 2]
    assert list(np.asarray(figure.axes[0].lines[-1].get_xdata())) == [2000, 5000]
    assert [text.get_text() for text in figure.legends[0].get_texts()][-1] == "somebody else"
    plain = game_curves(games, {"b": points["b"]}, "somebody else")
    assert len(plain.legends[0].get_texts()) == 2


def test_rows_without_an_episode_are_left_out():
    steps, middle, low, high = bands([run("conv-pool", 0), run("conv-pool", 1)], "return")
    assert steps.tolist() == [2000, 3000, 4000, 5000]
    assert (middle[0], low[0], high[0]) == pytest.approx((0.3, 0.2, 0.4))
    assert bands([run("conv-pool", 0)], "moves")[0].tolist() == [1000, 2000, 3000, 4000, 5000]


def test_visits_are_shares_on_one_scale():
    rng = np.random.default_rng(0)
    maps = {model: {"visits": rng.dirichlet(np.ones(361)).reshape(19, 19)} for model in ("conv-pool", "conv-dense")}
    maps["coordconv-pool"] = {"visits": np.zeros((0, 0))}
    figure = visit_maps(maps, "position")
    assert_legible(figure)
    first, second = image_panels(figure)[:2]
    assert first.images[0].get_clim() == second.images[0].get_clim()
    with pytest.raises(ValueError, match="no picture of pong shows where the agent is"):
        visit_maps({"conv-pool": {"visits": np.zeros((0, 0))}}, "pong")


def test_coordinate_weights_are_norms_before_and_after():
    before, after = np.zeros((5, 5, 5, 16)), np.zeros((5, 5, 5, 16))
    before[0, 0, 2, :2] = 3, 4
    after[..., 4, :] = 0.5
    figure = coordinate_weights({"coordconv-r-pool": [(before, after)], "coordconv-pool": [(before, after)]}, 2, "x")
    assert_legible(figure)
    ax = figure.axes[0]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2", "i", "j", "r"]
    assert np.ravel(ax.lines[2].get_ydata()).tolist() == [5, 0]
    assert np.ravel(ax.lines[4].get_ydata()).tolist() == [0, 10]
    with pytest.raises(ValueError, match="coordconv-pool has no run"):
        coordinate_weights({"coordconv-pool": []}, 2, "x")
    with pytest.raises(ValueError, match="with 6 to 9 channels"):
        coordinate_weights({"coordconv-pool": [(before, after)]}, 6, "x")


def test_a_film_shows_every_picture(tmp_path):
    pictures = np.zeros((4, 19, 19, 2), np.uint8)
    for k in range(4):
        pictures[k, 5, k, 0] = pictures[k, 9, 9, 1] = 255
    path = save_film(pictures, tmp_path / "new" / "film.gif")
    with Image.open(path) as film:
        assert film.n_frames == 4 and film.size == (19 * 13, 19 * 13)
        film.seek(3)
        frame = np.asarray(film.convert("RGB"))
    assert frame[5 * 13 + 6, 3 * 13 + 6].tolist() == [255, 255, 255] and not frame[0].any()
    assert frame[9 * 13 + 6, 9 * 13 + 6].tolist() == [213, 94, 0]
    grey = film_colours(np.full((1, 2, 2, 1), 7, np.uint8))
    assert grey.shape == (1, 2, 2, 3) and (grey == 7).all()
    with pytest.raises(ValueError, match=r"named 'film.png', wanted a name that ends in .gif"):
        save_film(pictures, tmp_path / "film.png")
    with pytest.raises(ValueError, match=r"film_colours: pictures has shape .* wanted \(frames, H, W, C\) of uint8"):
        save_film(pictures.astype(float), tmp_path / "film.gif")


def test_a_probability_that_is_not_known_has_a_row_without_a_mark():
    figure = improvement_intervals({"pong": (np.nan, np.nan, np.nan), "freeway": (0.4, 0.2, 0.6)})
    assert_legible(figure)
    (ax,) = figure.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["pong", "freeway"]
    assert [text.get_text().strip() for text in ax.texts] == ["not known"]
    assert len(ax.lines) == 3  # the line at .5, an interval, a mark


def test_probabilities_of_improvement_have_a_row_and_an_interval_each():
    rows = {"position, pool": (0.98, 0.9, 1.0), "control, pool": (0.4, 0.2, 0.6), "one run": (1.0, np.nan, np.nan)}
    figure = improvement_intervals(rows)
    assert_legible(figure)
    (ax,) = figure.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == list(rows)
    bars = [np.ravel(line.get_xdata()).tolist() for line in ax.lines if len(np.ravel(line.get_xdata())) == 2]
    assert bars == [[0.5, 0.5], [0.9, 1.0], [0.2, 0.6]]
    for wrong in ({}, {"a": (1.2, 0.5, 1.3)}, {"a": (0.5, 0.6, 0.9)}):
        with pytest.raises(ValueError, match="improvement_intervals: "):
            improvement_intervals(wrong)
