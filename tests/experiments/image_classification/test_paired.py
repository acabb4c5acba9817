"""Paired differences over seeds: which runs make a pair, and the interval of their mean."""

import numpy as np
import pytest

from minicoord.experiments.image_classification.paired import (
    bootstrap_interval,
    compare,
    comparisons,
    sentences,
)


def run(model, seed, accuracy, new=0.5, variant="centred", preset="full", **more):
    settings = {"epochs": 10, "lr": 0.01} | more.pop("settings", {})
    metrics = {"test_accuracy": accuracy, "new_places_accuracy": new}
    return {"model": model, "seed": seed, "variant": variant, "preset": preset, "metrics": metrics} | {
        "settings": settings,
        **more,
    }


def test_the_interval_of_many_differences_is_that_of_the_normal_distribution():
    values = np.random.default_rng(0).normal(0.3, 2.0, 400)
    low, high = bootstrap_interval(values)
    half = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)


def test_the_interval_of_two_differences_runs_from_one_to_the_other():
    assert bootstrap_interval([-1.0, 3.0]) == (-1.0, 3.0)


def test_the_interval_depends_on_its_seed_alone():
    values = np.random.default_rng(1).normal(size=10)
    assert bootstrap_interval(values) == bootstrap_interval(values)
    assert bootstrap_interval(values) != bootstrap_interval(values, seed=1)


def test_the_interval_moves_with_the_values():
    values = np.random.default_rng(1).normal(size=10)
    moved = bootstrap_interval(values + 5)
    assert moved == pytest.approx([5 + bound for bound in bootstrap_interval(values)])


@pytest.mark.parametrize("values", [[], [1.0], [1.0, np.nan], [[1.0, 2.0]]])
def test_too_few_or_broken_differences_are_an_error(values):
    with pytest.raises(ValueError, match="wanted two or more finite numbers"):
        bootstrap_interval(values)


def test_runs_of_one_seed_are_a_pair_and_others_are_left_out():
    results = [
        run("coordconv", 0, 0.80),
        run("conv", 1, 0.70),
        run("conv", 0, 0.75),
        run("coordconv", 1, 0.73),
        run("coordconv", 2, 0.99),  # no partner
        run("conv", 3, 0.10),
        run("control", 0, 0.60),
        run("conv", 0, 0.10, variant="shifted"),
    ]
    found = compare(results, "coordconv", "conv", "centred", "test_accuracy")
    assert found is not None
    assert found.seeds == (0, 1)
    assert found.differences == pytest.approx([5.0, 3.0])
    assert found.mean == pytest.approx(4.0) and found.interval == pytest.approx((3.0, 5.0))
    assert compare(results, "coordconv", "conv", "shifted", "test_accuracy") is None


def test_other_settings_presets_and_interrupted_or_diverged_runs_make_no_pair():
    base = run("coordconv", 0, 0.8)
    for partner in (
        run("conv", 0, 0.7, settings={"epochs": 9}),
        run("conv", 0, 0.7, preset="quick"),
        run("conv", 0, 0.7, interrupted=True),
        run("conv", 0, float("nan")),
        run("conv", 0, None),
        run("conv", 1, 0.7),
    ):
        assert compare([base, partner], "coordconv", "conv", "centred", "test_accuracy") is None


def test_the_settings_with_most_pairs_count_then_the_longest_runs():
    def both(seeds, epochs, difference):
        length = {"epochs": epochs}
        accuracy = {"conv": 0.5, "coordconv": 0.5 + difference}
        return [run(model, seed, accuracy[model], settings=length) for model in accuracy for seed in seeds]

    found = compare(both([0], 20, 0.1) + both([0, 1], 5, 0.2), "coordconv", "conv", "centred", "test_accuracy")
    assert found is not None and found.differences == pytest.approx([20.0, 20.0])
    found = compare(both([0], 20, 0.1) + both([0], 5, 0.2), "coordconv", "conv", "centred", "test_accuracy")
    assert found is not None and found.differences == pytest.approx([10.0])
    ten, more = both(range(10), 20, 0.1), both(range(20), 5, 0.2)
    found = compare(ten + more, "coordconv", "conv", "centred", "test_accuracy")
    assert found is not None and found.differences == pytest.approx([10.0] * 10)


def test_a_single_pair_has_no_interval_and_says_so():
    results = [run("coordconv", 0, 0.8), run("conv", 0, 0.75)]
    (comparison,) = comparisons(results)
    assert comparison.interval is None
    (line,) = sentences(results)
    assert "test accuracy +5.00" in line and "one pair of runs, so no interval" in line


def test_sentences_name_all_pairs_with_intervals():
    rng = np.random.default_rng(0)
    results = [
        run(model, seed, rng.uniform(), rng.uniform(), variant)
        for model in ("conv", "coordconv", "control")
        for seed in range(4)
        for variant in ("centred", "shifted")
    ]
    lines = sentences(results)
    assert len(lines) == 6
    assert [line.split(",")[0] for line in lines] == ["centred"] * 3 + ["shifted"] * 3
    assert "control minus conv" in lines[1] and "coordconv minus control" in lines[5]
    assert all(" to " in line and "4 paired seeds" in line and "at new positions" in line for line in lines)
    assert sentences([]) == []
