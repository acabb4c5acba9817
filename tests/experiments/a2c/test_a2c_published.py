"""Reference points of another A2C beside recorded curves."""

from __future__ import annotations

from typing import Any

from minicoord.experiments.a2c.games import ATARI
from minicoord.experiments.a2c.published import POINTS, beside, near


def run(model: str, seed: int, rows: list[tuple[int, float | None]], game: str = "atari-breakout") -> dict[str, Any]:
    history = [{"env_steps": steps, "return": value} for steps, value in rows]
    return {"model": model, "variant": game, "seed": seed, "history": history}


def test_the_points_are_of_games_that_can_be_played_and_go_forward():
    assert POINTS.keys() <= ATARI.keys()
    for points in POINTS.values():
        assert [actions for actions, _ in points] == [1_000_000, 2_000_000, 5_000_000, 10_000_000]
        assert [score for _, score in points] == sorted(score for _, score in points)


def test_a_run_counts_with_its_last_row_near_the_time_and_only_if_it_came_that_far():
    runs = [
        run("conv-dense", 0, [(500_000, 2.0), (940_000, 5.0), (1_000_480, 7.0), (1_020_000, 100.0)]),
        run("conv-dense", 1, [(960_000, 9.0), (1_000_000, None)]),
        run("conv-dense", 2, [(500_000, 50.0)]),
        run("coordconv-dense", 0, [(1_000_000, float("nan"))]),
        run("coordconv-dense", 1, [(1_000_000, 4.0), (1_999_900, 30.0)]),
    ]
    assert near(runs, "conv-dense", 1_000_000) == [7.0, 9.0] and near(runs, "conv-dense", 2_000_000) == []
    first, second = beside([*runs, run("conv-dense", 0, [(1_000_000, 1.0)], "minatar-breakout")])
    assert first.endswith(": 3 after 1 million actions; here conv-dense 8 (2 runs), coordconv-dense 4 (1 run)")
    assert second.endswith(": 19 after 2 million actions; here coordconv-dense 30 (1 run)")
    assert beside([run("conv-dense", 0, [(500_000, 2.0)])]) == [] == beside([])
