"""What lesson 13 shows: five actions by hand, networks that are asked, its drawings, and its words about runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from minicoord.datasets.worlds.position import PositionWorld
from minicoord.experiments.a2c.experiment import A2C
from minicoord.experiments.a2c.returns import n_step_returns
from minicoord.learn.lessons import lesson13, lesson13_drawings as drawings

FILM = np.random.default_rng(0).integers(0, 256, (5, 19, 19, 2), dtype=np.uint8)
EVEN = lesson13.Answer(np.full((49, 4), 0.25), np.zeros(49))


def record(model: str = "coordconv-pool", seed: int = 0, game: str = "position", greedy: float = 1.0) -> dict[str, Any]:
    history = [{"env_steps": 1000 * k, "return": k / 4, "moves": 9.0} for k in range(1, 5)]
    history[0]["return"] = None
    facts = {"experiment": "a2c", "model": model, "variant": game, "seed": seed, "parameters": 4549}
    facts |= {"preset": "published", "settings": {"env_steps": 4000}, "interrupted": False}
    return {**facts, "history": history, "metrics": {"test_return": greedy}}


def test_five_actions_have_the_returns_that_the_text_does_in_the_head():
    rows = lesson13.five_actions(n_step_returns)
    assert [row["goes on: return"] for row in rows] == ["0.025", "0.05", "0.1", "0.2", "0.4"]
    assert [row["ends: return"] for row in rows] == ["0.25", "0.5", "1", "0.2", "0.4"]
    assert [row["is cut off: return"] for row in rows] == ["0.1", "0.2", "0.4", "0.2", "0.4"]
    assert rows[2]["ends: reward"] == "1 ended" and rows[2]["is cut off: reward"] == "0 cut"


def test_a_picture_has_the_dot_where_it_is_said_to_be():
    there = lesson13.picture(-3, 2)
    assert there.shape == (1, 19, 19, 2)
    assert np.argwhere(there[0, ..., 0]).tolist() == [[6, 11]] and not there[0, ..., 1].any()
    moved = lesson13.picture(-3, 2, control=True, goal=7)
    assert np.argwhere(moved[0, ..., 0]).tolist() == [[4, 9]]
    assert np.argwhere(moved[0, ..., 1]).tolist() == [[7, 7]]


@pytest.mark.compiled
def test_a_network_comes_back_from_a_run_and_pooling_says_the_same_everywhere(tmp_path):
    few: dict[str, Any] = {"env_steps": 160, "every": 80, "envs": 8, "test_episodes": 8}
    run = A2C().run("conv-pool", "position", out=tmp_path, progress=False, **few)
    net = lesson13.agent_of(run)
    with np.load(f"{run['folder']}/maps.npz") as maps:
        np.testing.assert_array_equal(net.layers[0].params["w"], maps["front"])
    field = lesson13.field_of(net)
    assert field.policy.shape == (49, 4) and field.value.shape == (49,)
    np.testing.assert_allclose(field.policy.sum(axis=1), 1, rtol=1e-5)
    assert np.ptp(field.policy, axis=0).max() < 1e-6 and np.ptp(field.value) < 1e-6


def test_the_table_has_results_beside_guesses():
    runs = {game: {"conv-pool": record("conv-pool", game=game, greedy=0.05)} for game in ("position", "control")}
    (row,) = lesson13.rows(runs, {"conv-pool": (30, None)})
    assert row["position matters"] == "5 %" and row["position matters: training"] == "100 %"
    assert row["position matters: predicted"] == "30 %" and row["does not matter: predicted"] == "-"


def test_seeds_are_told_apart_in_words():
    never = record(seed=1)
    never["history"] = never["history"][:2]
    said = lesson13.spread_in_words([record(), never])
    assert said.endswith("seed 0 after 4,000 actions, seed 1 never")
    assert np.isnan(lesson13.last_return({"history": [{"env_steps": 10, "return": None}]}))


def test_what_is_recorded_is_said_or_how_to_record_it():
    assert "minicoord sweep a2c --grid places" in lesson13.recorded_in_words([{"experiment": "gan"}])
    assert lesson13.recorded_in_words([record(seed=100), record("conv-pool", 101)]) == (
        "2 recorded runs, seeds 100 to 101"
    )
    assert lesson13.recorded_in_words([record()]) == "1 recorded runs of seed 0 alone, which says nothing of chance"
    assert "minicoord run a2c --game minatar-breakout" in lesson13.games_in_words([record()])
    atari = [record(seed=seed, game="atari-pong", greedy=seed - 20.0) for seed in range(3)]
    assert lesson13.games_in_words(atari) == "atari-pong, CoordConv, pooling: return -19.0 (-20.0 to -18.0), 3 seeds"


def test_games_are_shown_with_the_settings_that_most_of_their_runs_have(tmp_path):
    runs = [record("conv-dense", seed, "minatar-freeway") for seed in range(2)]
    odd = {**record("conv-dense", 2, "minatar-freeway", greedy=9.0), "settings": {"env_steps": 8000}}
    stopped = {**record("conv-dense", 3, "minatar-freeway"), "interrupted": True}
    assert lesson13.on_games([record(), *runs, odd, stopped]) == {"minatar-freeway": runs}
    assert lesson13.on_worlds_of_ours([record(), *runs]) == [record()]


def test_a_film_is_that_of_the_first_run_whose_arrays_are_kept():
    class Kept:
        def maps(self, run: dict[str, Any]) -> dict[str, Any] | None:
            return None if run["seed"] == 0 else {"film": FILM[: run["seed"]]}

    pong = [record("conv-dense", 1, "atari-pong")] + [record("coordconv-dense", k, "atari-pong") for k in range(3)]
    games = {"atari-pong": pong, "minatar-freeway": [record("coordconv-dense", 0, "minatar-freeway")]}
    films = lesson13.films_of_games(Kept(), games)  # type: ignore[arg-type]
    assert list(films) == ["atari-pong"] and len(films["atari-pong"]) == 1


@pytest.mark.parametrize(
    "draw",
    [
        lambda: drawings.worlds({"one": PositionWorld(3).look(), "other": PositionWorld(3, control=True).look()}),
        lambda: drawings.policy_of(4.0),
        lambda: drawings.state_and_answers(lesson13.picture(1, 1)[0], {"conv-pool": EVEN, "coordconv-pool": EVEN}),
        lambda: drawings.policy_fields({"conv-pool": EVEN, "coordconv-dense": EVEN}),
        lambda: drawings.frames({"conv-pool": FILM, "conv-dense": FILM[:2]}, 4),
        lambda: drawings.frames_of_games({"minatar-freeway": FILM, "atari-pong": FILM[:2, ..., :1]}, 4),
        lambda: drawings.one_line_a_seed([record(), record(seed=1)]),
    ],
)
@pytest.mark.compiled
def test_each_drawing_is_a_figure_that_can_be_shown(draw):
    figure = draw()
    assert isinstance(figure, Figure)
    figure.canvas.draw()
