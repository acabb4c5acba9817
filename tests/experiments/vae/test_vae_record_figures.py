"""The figures of recorded VAEs show a typical run of each network, and only runs with the settings of the records."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minicoord.experiments.records.figures import MissingRecordsError
from minicoord.experiments.vae.experiment import Vae
from minicoord.experiments.vae.record_figures import FIGURES, shown_runs, typical
from minicoord.experiments.vae.settings import PRESETS

RNG = np.random.default_rng(0)


def run(model: str, fade: float | None, seed: int, preset: str = "record", **changes: Any) -> dict[str, Any]:
    settings = Vae().plan(model, preset=preset, **changes).settings
    facts = {"experiment": "vae", "model": model, "variant": "", "seed": seed, "preset": preset}
    folder = f"results/vae/{preset}/{model}-seed{seed}"
    return {**facts, "folder": folder, "settings": vars(settings) | {}, "metrics": {"fade": fade}}


def test_runs_with_other_settings_are_shown_only_where_there_is_nothing_else():
    right, other_beta, quick = run("conv", 0.5, 0), run("conv", 0.5, 0, beta=9.0), run("conv", 0.5, 0, "quick")
    assert shown_runs([quick, other_beta, right, {"experiment": "gan"}]) == [right]
    assert shown_runs([quick, other_beta]) == [quick, other_beta]


def test_the_run_with_the_median_fade_is_typical_and_neither_the_best_nor_the_first():
    fades = [0.9, 0.2, 0.4, None, 0.3]
    runs = [run("conv", fade, seed) for seed, fade in enumerate(fades)] + [run("coordconv", 0.1, 7)]
    chosen = typical(runs, lambda _: "kept")
    assert {model: found["seed"] for model, (found, _) in chosen.items()} == {"conv": 2, "coordconv": 7}
    assert chosen["conv"][1] == "vae/record/conv-seed2 (fade 40 %, median 40 %)"


def test_of_runs_without_arrays_the_fade_still_counts():
    runs = [run("conv", fade, seed) for seed, fade in enumerate([0.1, 0.2, 0.6])]
    (found, words), *others = typical(runs, lambda r: r["seed"] if r["seed"] == 2 else None).values()
    assert (found["seed"], others) == (2, [])
    assert words.endswith("(fade 60 %, median 20 %)")
    assert typical(runs, lambda _: None) == {}


class Kept:
    """As much of a folder of records as the figures ask for."""

    def __init__(self, records: list[dict[str, Any]], arrays: dict[str, Any]) -> None:
        self.records, self.arrays = records, arrays

    def maps(self, record: dict[str, Any]) -> Any:
        return self.arrays.get(record["model"])


def test_a_figure_names_the_runs_that_it_shows():
    images = RNG.integers(0, 256, (10, 32, 32, 3), dtype=np.uint8)
    arrays = {"originals": images, "reconstructions": images}
    kept: Any = Kept([run("conv", 0.5, 0), run("coordconv", 0.4, 1)], dict.fromkeys(PRESETS["record"], arrays))
    drawn = FIGURES["vae-reconstructions"].draw(kept)
    assert drawn.source == (
        "vae/record/conv-seed0 (fade 50 %, median 50 %); vae/record/coordconv-seed1 (fade 40 %, median 40 %)"
    )
    kept.arrays = {}
    with pytest.raises(MissingRecordsError, match="no arrays are kept of runs of vae"):
        FIGURES["vae-reconstructions"].draw(kept)
