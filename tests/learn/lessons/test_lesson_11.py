"""What lesson 11 shows: sizes, a discriminator that grows sure, a ring, its drawings, and its words about runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from minicoord.experiments.gan.experiment import Gan
from minicoord.experiments.records.reading import KeptRuns
from minicoord.experiments.records.writing import keep
from minicoord.experiments.two_objects.entropies import entropy
from minicoord.learn.definition.course import get
from minicoord.learn.lessons import lesson11, lesson11_drawings as drawings

PICTURES = np.random.default_rng(0).integers(0, 256, (33, 32, 32, 3), dtype=np.uint8)
ENTROPY = get("entropy_of_places").solution


def test_parameters_and_arithmetic_stand_side_by_side():
    conv, coordconv, *ours = lesson11.sizes()
    assert (conv["parameters"], coordconv["parameters"]) == (6_413_315, 444_931)
    assert (coordconv["of those of convolution"], coordconv["times those of convolution"]) == ("7 %", "11.1")
    assert [row["parameters"] for row in ours] == [392_067, 95_491]


@pytest.mark.compiled
def test_a_discriminator_alone_finds_out_a_generator_that_never_learns():
    logits = lesson11.logits_of_fakes(steps=12, fakes=8)
    assert logits.shape == (13, 8) and np.isfinite(logits).all()
    assert logits[-1].mean() < logits[0].mean() - 1


def test_a_ring_is_where_it_should_be_and_what_lies_outside_is_missing():
    sharp = lesson11.places_on_a_ring(9, 0)
    np.testing.assert_allclose(np.hypot(*(sharp - 16).T), 9)
    assert 2.5 < entropy(sharp, 0, 32) < 3.3 < entropy(lesson11.places_on_a_ring(9, 4), 0, 32)
    assert np.isnan(lesson11.places_on_a_ring(14, 6)).any()


def record(model: str, coverage: float | None, seed: int = 0, recipe: str = "stable", **changes: Any) -> dict[str, Any]:
    """A run of the preset "record"; `changes` are of its settings."""
    preset = Gan().presets["record"]["conv"]
    settings = {"steps": preset.steps, "every": preset.every, "canvas": 32, **changes}
    metrics = {"red_entropy": 3.0, "blue_entropy": 1.5 if seed else 3.0, "difference_entropy": 2.0}
    metrics |= {"coverage": coverage, "missed": 0.1, "duplicates": 99.0}
    facts = {"experiment": "gan", "model": model, "variant": recipe, "seed": seed, "preset": "record"}
    row = {"step": 250, "d_real": 0.5, "d_fake": 0.25, **metrics}
    return {**facts, "settings": settings, "metrics": metrics, "history": [row], "yardsticks": {"duplicates": 13.0}}


def test_the_signs_of_a_run_and_its_birthdays_are_told():
    run = record("conv", 0.2)
    (row,) = lesson11.signs(run)
    assert row["step"] == "250" and row["fakes found out"] == "25 %" and row["red entropy"] == "3.00"
    assert lesson11.birthdays(run) == (
        "99 pairs of near-duplicates among 900 samples with both objects, as if there were 4,086 different ones; "
        "the data have 13 among 1,000"
    )
    run["metrics"]["duplicates"] = 1.0
    assert lesson11.birthdays(run).startswith("1 pair of near-duplicates among 900 samples")
    run["metrics"]["duplicates"] = 0.0
    assert "as if" not in lesson11.birthdays(run)
    assert lesson11.in_words(run).endswith("10 % of samples lack an object: not collapsed")
    assert lesson11.in_words(record("conv", 0.2, seed=1)).endswith(": collapsed")


def test_recorded_runs_are_told_by_recipe_length_and_seeds():
    long, short = (Gan().presets[preset]["conv"] for preset in ("record", "quick"))
    runs = [record("conv", 0.2, seed) for seed in range(3)]
    runs += [record("coordconv", coverage, seed) for seed, coverage in enumerate((0.6, 0.1, 0.3))]
    quick = {"recipe": "official", "steps": short.steps, "every": short.every}
    runs += [
        {**record(model, covered, **quick), "preset": "quick"}
        for model, covered in (("conv", 0.1), ("coordconv", None))
    ]
    runs += [record("conv", 0.1, canvas=64), record("conv", 0.1, steps=9), {"experiment": "vae"}]
    groups = lesson11.recorded(runs)
    assert {key: len(some) for key, some in groups.items()} == {
        ("stable", long.steps, "conv"): 3,
        ("stable", long.steps, "coordconv"): 3,
        ("official", short.steps, "conv"): 1,
        ("official", short.steps, "coordconv"): 1,
    }
    assert lesson11.recorded_in_words(groups).splitlines() == [
        f"stable recipe, {long.steps:,} steps: CoordConv covers more for 2 of 3 seeds",
        f"official recipe, {short.steps:,} steps: CoordConv covers more for 0 of 1 seed",
    ]
    plain, with_coordinates, *_ = lesson11.recorded_rows(groups)
    assert (plain["seeds"], plain["collapsed"]) == ("3", "2 of 3")
    assert with_coordinates["coverage"] == "30.0 % (10.0 to 60.0)"


@pytest.mark.parametrize("runs", [[], [record("conv", 0.5)]])
def test_without_records_of_both_networks_the_words_say_so(runs: list[dict[str, Any]]):
    said = lesson11.recorded_in_words(lesson11.recorded(runs))
    assert "are recorded in this copy" in said and "minicoord sweep gan --grid record" in said


@pytest.mark.compiled
def test_generators_come_back_from_a_record_without_their_discriminators(tmp_path: Path):
    options: dict[str, Any] = {"steps": 1, "every": 1, "batch": 2, "images": 4, "width": 2, "z": 3, "progress": False}
    for model in ("conv", "coordconv"):
        run = Gan().run(model, out=tmp_path / "runs", preset="record", **options)
        with np.load(f"{run['folder']}/weights-generator.npz") as saved:
            for name, array in lesson11.generator_of(run).params.items():
                np.testing.assert_array_equal(array, saved[f"params/{name}"])
    assert lesson11.recorded_generators(KeptRuns(tmp_path)) == ({}, [])
    keep([tmp_path / "runs"], tmp_path / "kept" / "gan.json", weights=["best"])
    kept = KeptRuns(tmp_path / "kept")
    assert {key.split("/")[0] for key in kept.weights(kept.records[0]) or {}} == {"generator"}
    generators, words = lesson11.recorded_generators(kept)
    assert words == [f"{name}: stable recipe, 1 steps, seed 0" for name in ("convolution", "CoordConv")]
    longer = [{**run, "settings": {**run["settings"], "steps": 9}} for run in kept.records if run["model"] == "conv"]
    kept.records += longer
    assert lesson11.recorded_generators(kept)[1] == words, "as many steps of both"
    drawn = [lesson11.pictures(generators, 0, place) for place in (0, 0, 32)]
    for model in ("conv", "coordconv"):
        first, again, last = (pictures[model] for pictures in drawn)
        assert first.shape == (32, 32, 3) and first.dtype == np.uint8
        assert np.array_equal(first, again) and not np.array_equal(first, last)
    shown = lesson11.best_pictures(kept, {("stable", 1, run["model"]): [run] for run in kept.records})
    assert list(shown) == ["stable"] and set(shown["stable"]) == {"conv", "coordconv"}
    groups = lesson11.recorded([{**run, "settings": {**run["settings"], "width": 32, "z": 64}} for run in kept.records])
    assert groups == {}, "batches of two are not the preset's"


@pytest.mark.parametrize(
    "draw",
    [
        lambda: drawings.images(PICTURES[:18].reshape(2, 9, 32, 32, 3)),
        lambda: drawings.places_and_differences(np.random.default_rng(0).uniform(0, 32, (50, 2, 2)), 32, ENTROPY),
        lambda: drawings.places(lesson11.places_on_a_ring(14, 6), 32, ENTROPY),
        lambda: drawings.slopes_of_two_losses(np.random.default_rng(0).normal(size=(5, 8)), get("fooling_dx").solution),
        lambda: drawings.estimates(np.array([2.0, 3.0]), 4.0),
        lambda: drawings.side_by_side({"conv": PICTURES[0], "coordconv": PICTURES[1]}),
    ],
)
def test_each_drawing_is_a_figure_that_can_be_shown(draw):
    figure = draw()
    assert isinstance(figure, Figure)
    figure.canvas.draw()
