"""The relative change of the test IOU over paired seeds, and its interval."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minicoord.experiments.detection.comparison import changes, relative_change
from minicoord.experiments.detection.depends import comparable, rows


def run(model: str, seed: int, iou: float | None, variant: str = "valid", preset: str = "paper") -> dict[str, Any]:
    return {"model": model, "seed": seed, "variant": variant, "preset": preset, "metrics": {"test_iou": iou}}


def none(record: Any) -> dict[str, Any]:
    return {}


def test_the_interval_covers_the_true_change_about_as_often_as_it_says():
    rng, covered, trials = np.random.default_rng(0), 0, 200
    for _ in range(trials):
        before = 0.5 + 0.02 * rng.standard_normal(12)
        after = 1.1 * before + 0.01 * rng.standard_normal(12)
        _, low, high = relative_change(before.tolist(), after.tolist())
        covered += low <= 0.1 <= high
    assert 0.85 * trials < covered < 0.99 * trials


def test_pairs_that_all_change_by_the_same_factor_leave_no_doubt():
    change, low, high = relative_change([0.4, 0.5, 0.6], [0.5, 0.625, 0.75])
    assert [change, low, high] == pytest.approx([0.25] * 3)


def test_a_single_pair_has_no_interval():
    change, low, high = relative_change([0.5], [0.4])
    assert change == pytest.approx(-0.2) and np.isnan([low, high]).all()


@pytest.mark.parametrize("before, after", [([], []), ([0.5], []), ([0.5], [0.5, 0.6])])
def test_values_that_are_no_pairs_are_refused(before, after):
    with pytest.raises(ValueError, match="wanted pairs"):
        relative_change(before, after)


def test_runs_are_paired_by_seed_within_preset_and_padding():
    runs = [
        *(run("coordconv", seed, iou) for seed, iou in ((2, 0.6), (0, 0.8), (7, 0.9))),
        *(run("conv", seed, iou) for seed, iou in ((0, 0.4), (1, 0.1), (2, 0.6))),
        run("conv", 7, None),  # diverged
        run("coordconv", 0, 0.5, variant="same"),
        run("conv", 0, 0.5, preset="quick"),
        run("coordconv-image", 2, 0.3),
    ]
    found = changes(runs, none)
    assert [(c.preset, c.variant, c.model, len(c.before)) for c in found] == [
        ("paper", "valid", "coordconv", 2),
        ("paper", "valid", "coordconv-image", 1),
    ]
    assert found[0].change == pytest.approx(0.4) and found[1].change == pytest.approx(-0.5)
    assert found[0].low == pytest.approx(0.0) and found[0].high == pytest.approx(1.0)
    assert found[0].before == (0.4, 0.6) and found[0].after == (0.8, 0.6)
    wanted = "test IOU 0.700 and 0.500 for conv, +40.0 % (95 % interval +0.0 to +100.0 %), over 2 seeds"
    assert wanted in found[0].sentence()
    assert "one seed, which says nothing of chance" in found[1].sentence()


def test_runs_with_other_settings_are_compared_among_themselves_and_named():
    runs = [
        {**run(model, seed, iou), "changed": changed}
        for seed in (0, 1)
        for model, iou, changed in (
            ("conv", 0.6, {"images": 30}),
            ("coordconv", 0.6, {"images": 30}),
            ("conv", 0.3, {"images": 30, "official_anchors": True}),
            ("coordconv", 0.45, {"images": 30, "official_anchors": True}),
            ("conv", 0.7, {}),
            ("coordconv", 0.7, {}),
        )
    ]
    found = changes(runs, lambda record: record["changed"])
    assert [c.change for c in found] == pytest.approx([0.0, 0.5, 0.0])
    assert "preset paper with images=30, official_anchors=True: test IOU 0.450 and 0.300" in found[1].sentence()
    drawn = rows(comparable(found))
    assert list(drawn) == ["as meant (0.60)", "anchors of the released code (0.30)"]
    assert drawn["anchors of the released code (0.30)"][0] == pytest.approx([0.5, 0.5])


def test_nothing_to_compare_gives_no_row():
    assert comparable([]) == []
