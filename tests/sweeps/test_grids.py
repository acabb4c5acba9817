"""Which runs a grid stands for, and that one that cannot be run is refused before anything runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from minicoord import experiments
from minicoord.sweeps.grids import grid_named, runs_of


def test_the_grids_of_the_paper_have_its_number_of_runs():
    by_conv = [run for run in runs_of("classification", grid_named("classification", "paper")) if run.model == "conv"]
    assert len(by_conv) == 2 * 324
    wanted = {"classification": 2 * (324 + 6), "regression": 2 * (2 * 9 + 1), "rendering": 2 * (648 + 8)}
    assert {name: len(runs_of(name, grid_named(name, "paper"))) for name in wanted} == wanted


def test_every_run_of_every_grid_has_a_folder_of_its_own():
    for name in experiments.EXPERIMENTS:
        for grid in experiments.get(name).grids:
            runs = runs_of(name, grid_named(name, grid), seeds=3)
            assert len({run.folder(Path("out")) for run in runs}) == len(runs) > 0


def test_a_run_is_handed_to_its_process_as_the_same_run():
    for name in experiments.EXPERIMENTS:
        for grid in experiments.get(name).grids:
            for run in runs_of(name, grid_named(name, grid)):
                again = experiments.get(name).plan(**run.order())
                assert (again, again.settings, again.name) == (run, run.settings, run.name)


def test_seeds_that_a_grid_names_are_taken_as_they_are():
    grid = {"model": "coordconv", "split": "uniform", "seed": [100, 101]}
    assert [run.seed for run in runs_of("regression", [grid], seeds=5)] == [100, 101]


@pytest.mark.parametrize(
    "grid, sentence",
    [
        ({"split": "uniform"}, "no 'model'"),
        ({"model": "conv"}, "no 'split'"),
        ({"model": "conv", "split": "uniform", "variant": "quadrant"}, "both 'split' and 'variant', wanted one of"),
        ({"model": "cov", "split": "uniform"}, "model 'cov'; did you mean 'conv'"),
        ({"model": "conv", "split": ["uniform", "half"]}, "split 'half'"),
        ({"model": "conv", "split": "uniform", "preset": "fast"}, "preset 'fast'"),
        ({"model": "conv", "split": "uniform", "learning_rate": 0.1}, "setting 'learning_rate'"),
        ({"model": "conv", "split": "uniform", "init_scale": 0.3}, "'init_scale' is not a setting of this network"),
        ({"model": "conv", "split": "uniform", "beta2": 1.5}, "beta2 was 1.5"),
        ({"model": "conv", "split": "uniform", "l2": [0, 0.1], "decay": 0.1}, "one of them must be 0"),
        ({"model": "conv", "split": "uniform", "experiment": "rendering"}, "is for 'rendering'"),
        ({"model": "conv", "split": "uniform", "seed": [0, -1]}, r"seeds \[0, -1\]"),
        ({"model": "conv", "split": "uniform", "seed": True}, r"seeds \[True\]"),
        ({"model": "conv", "split": "uniform", "lr": []}, "an empty list for 'lr'"),
        ({"model": "conv", "split": []}, "an empty list for 'split'"),
        ({"model": [], "split": "uniform"}, "an empty list for 'model'"),
    ],
)
def test_a_grid_that_cannot_be_run_is_refused_before_anything_runs(grid, sentence):
    with pytest.raises(ValueError, match=sentence):
        runs_of("classification", [grid])


def test_a_network_that_a_preset_has_no_settings_for_is_refused_before_anything_runs():
    with pytest.raises(ValueError, match="preset 'paper' has no 'drawer', only conv, coordconv"):
        runs_of("rendering", [{"model": "drawer", "split": "uniform"}])


def test_a_whole_number_is_the_same_run_as_its_float():
    whole, exact = ({"model": "conv", "split": "uniform", "l2": value, "fs": 2} for value in (0, 0.0))
    (run,) = runs_of("classification", [whole, exact])
    assert run.name == "conv-uniform-seed0-fs=2-l2=0.0"


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("[[grid]", "g.toml is not valid TOML"),
        ("# K\xf6ln", "g.toml is not valid TOML"),
        ("grid = 3", "no table"),
        (None, "cannot read"),
        ("", "no table"),
        ('epochs = 2\n[[grid]]\nmodel = "conv"', "has 'epochs' outside"),
        ("a = " + "[" * 100_000, "g.toml is not valid TOML: it is nested too deeply"),
        ("a = " + "9" * 5000, "g.toml is not valid TOML: a number in it has too many digits"),
        ("\0" * 9, "g.toml is not valid TOML"),
    ],
)
def test_a_bad_file_is_named(tmp_path, text, sentence):
    path = tmp_path / "g.toml"
    if text is not None:
        path.write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match=sentence):
        grid_named("regression", str(path))
    with pytest.raises(ValueError, match=r"has no grid 'huge'; wanted quick, paper, .*a file that ends in \.toml"):
        grid_named("regression", "huge")


def test_a_file_may_begin_with_the_mark_that_some_editors_write(tmp_path):
    path = tmp_path / "g.toml"
    path.write_text('[[grid]]\nmodel = "conv"\n', encoding="utf-8-sig")
    assert grid_named("regression", str(path)) == [{"model": "conv"}]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are of POSIX systems")
def test_a_pipe_in_place_of_a_file_is_named(tmp_path):
    os.mkfifo(tmp_path / "g.toml")
    with pytest.raises(ValueError, match=r"cannot read the grid '.*g\.toml': it is a pipe, wanted a TOML file"):
        grid_named("regression", str(tmp_path / "g.toml"))


def test_an_experiment_without_grids_has_one_of_its_first_preset(monkeypatch):
    classification = experiments.get("classification")
    monkeypatch.setattr(type(classification), "grids", {})
    runs = runs_of("classification", grid_named("classification", "quick"), seeds=2)
    assert [(run.preset, run.model, run.variant, run.seed) for run in runs] == [
        ("quick", model, split, seed)
        for model in classification.models
        for split in classification.variants
        for seed in (0, 1)
    ]


def test_runs_are_counted_before_one_is_made():
    grid = {"model": "conv", "split": "uniform", "lr": [k / 1000 for k in range(1, 927)], "l2": [0.001] * 926}
    with pytest.raises(ValueError, match="a grid has 793,165,300 runs, wanted at most 100,000"):
        runs_of("classification", [{**grid, "seed": list(range(925))}])
    with pytest.raises(ValueError, match="a grid has 100,001 runs, wanted at most 100,000"):
        runs_of("classification", [{"model": "conv", "split": "uniform"}], seeds=100_001)
    for seeds in (10**23, -1, 1.5, None):
        with pytest.raises(ValueError, match=r"wanted at most|wanted a whole number"):
            runs_of("classification", [{"model": "conv", "split": "uniform"}], seeds=seeds)  # type: ignore[arg-type]
