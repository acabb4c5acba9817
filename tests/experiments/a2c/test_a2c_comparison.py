"""Coordinates against none over seeds: areas, interquartile means, probabilities of improvement, and their words."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest

from minicoord.experiments.a2c.comparison import (
    area,
    comparisons,
    improvement,
    in_papers_form,
    in_words,
    interquartile_mean,
    sentences,
    with_interval,
)


def run(model: str, seed: int, level: float, game: str = "position", **settings: Any) -> dict[str, Any]:
    rows = [
        {"env_steps": 10, "return": None},
        {"env_steps": 20, "return": level},
        {"env_steps": 30, "return": level + 0.2},
    ]
    facts = {"model": model, "variant": game, "seed": seed, "preset": "quick", "settings": settings}
    return {**facts, "history": rows, "metrics": {"test_return": level}}


def test_the_area_leaves_rows_without_an_episode_out():
    assert area(run("conv-pool", 0, 0.4)) == pytest.approx(0.5)
    assert math.isnan(area({"history": [{"return": None}, {"return": math.nan}]}))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 10])
def test_the_interquartile_mean_is_that_of_the_middle(count: int):
    values = np.random.default_rng(count).normal(size=(3, count))
    for row, found in zip(values, interquartile_mean(values), strict=True):
        ordered = sorted(row)
        for _ in range(count // 4):
            ordered = ordered[1:-1]
        assert found == pytest.approx(sum(ordered) / len(ordered))


def test_improvement_counts_all_pairs_and_equal_ones_as_a_half():
    before, after = np.array([0.1, 0.5, 0.5]), np.array([0.5, 0.9])
    counted = [1.0 if b > a else 0.5 if b == a else 0.0 for a, b in product(before, after)]
    assert improvement(before, after) == pytest.approx(np.mean(counted))
    assert improvement(np.stack([before] * 4), np.stack([after] * 4)).shape == (4,)
    assert improvement(before, after) + improvement(after, before) == pytest.approx(1)


def test_an_interval_holds_its_number_and_is_the_same_each_time():
    rng = np.random.default_rng(0)
    before, after = rng.normal(0, 1, 10).tolist(), rng.normal(1, 1, 10).tolist()
    value, low, high = with_interval(improvement, before, after)
    assert 0 <= low < value < high <= 1
    assert with_interval(improvement, before, after) == (value, low, high)
    assert math.isnan(with_interval(improvement, before, after[:1])[1])


def test_arms_are_compared_game_by_game_and_head_by_head():
    runs = [run("conv-pool", seed, 0.1 * seed) for seed in range(3)]
    runs += [run("coordconv-pool", seed, 0.1 * seed + (0.5 if seed else -0.5)) for seed in range(4)]
    runs += [run("conv-dense", 0, 0.1), run("coordconv-pool", 0, 0.3, game="control")]
    (found,) = comparisons(runs)
    assert (found.label, found.before, found.after, found.better, found.pairs) == ("position, pool", 3, 4, 2, 3)
    assert found.improvement[0] == pytest.approx(9 / 12)
    row = found.row()
    assert row["runs an arm"] == "3 and 4" and row["better"] == "2 of 3"
    (said,) = sentences(runs)
    assert said.startswith("position, pool: CoordConv minus convolution") and "better for 2 of 3 seeds" in said


def test_runs_of_other_settings_are_not_mixed_in():
    runs = [run(model, seed, 0.2) for model in ("conv-pool", "coordconv-pool") for seed in (0, 1)]
    runs += [run("coordconv-pool", seed, 9.0, lr=0.1) for seed in (2, 3, 4)]
    runs.append({**run("conv-pool", 7, 9.0), "interrupted": True})
    (found,) = comparisons(runs)
    assert (found.before, found.after, found.improvement[0]) == (2, 2, 0.5)
    assert comparisons([]) == []
    assert in_words(found.improvement, ".1f").startswith("0.5 (")


def test_games_are_counted_as_the_paper_counts_them():
    runs = []
    for game, gain in (("minatar-breakout", 1.0), ("minatar-freeway", -1.0), ("atari-pong", 0.0), ("position", 1.0)):
        for seed in range(4):
            runs.append(run("conv-dense", seed, seed / 10, game=game))
            runs.append(run("coordconv-dense", seed, seed / 10 + gain, game=game))
    found = comparisons(runs)
    assert [c.verdict for c in found] == ["better", "worse", "not known", "better"]
    expected = (
        "games, dense: better in 1 (minatar-breakout), not known in 1 (atari-pong), worse in 1 (minatar-freeway); "
        "the paper: better in 6, equal in 2, worse in 1"
    )
    assert in_papers_form(found) == [expected] == sentences(runs)[-1:]
    assert found[0].row()["with coordinates"] == "better"


def test_a_run_in_which_no_episode_was_over_leaves_the_comparison_open():
    """It has no area, which is neither more nor less than that of others."""
    runs = [run("conv-dense", seed, math.nan, game="atari-pong") for seed in range(3)]
    runs += [run("coordconv-dense", seed, 5.0 + seed, game="atari-pong") for seed in range(3)]
    (found,) = comparisons(runs)
    assert (found.verdict, found.better, found.pairs) == ("not known", 0, 0)
    row = found.row()
    assert row["area under the curve"] == row["probability of improvement"] == "not known"
    assert in_papers_form([found])[0].startswith("games, dense: better in 0, not known in 1 (atari-pong), worse in 0")
    runs[1:3] = [run("conv-dense", seed, 1.0, game="atari-pong") for seed in (1, 2)]
    (found,) = comparisons(runs)
    assert (found.verdict, found.better, found.pairs) == ("not known", 2, 2)


def test_settings_that_both_networks_have_come_before_those_of_more_runs():
    runs = [run(model, seed, 0.2, lr=0.1) for model in ("conv-pool", "coordconv-pool") for seed in (0, 1)]
    runs += [run("conv-pool", seed, 9.0, lr=0.2) for seed in range(5)]
    (found,) = comparisons(runs)
    assert (found.before, found.after, found.improvement[0]) == (2, 2, 0.5)


def test_one_run_an_arm_decides_nothing():
    runs = [run("conv-dense", 0, 0.1, game="atari-pong"), run("coordconv-dense", 0, 9, game="atari-pong")]
    (found,) = comparisons(runs)
    assert found.verdict == "not known"
    assert in_papers_form(comparisons([])) == []
