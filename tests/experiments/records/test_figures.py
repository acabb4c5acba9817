"""The figures by name, from the runs of a folder: what is drawn from which, and what is said to be missing."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from figure_checks import assert_legible
from matplotlib.image import imread
from typer.testing import CliRunner
from written_runs import write_agent_run, write_gan_run, write_image_run, write_run, write_vae_run

from minicoord.app import cli
from minicoord.datasets import not_so_clevr, split
from minicoord.experiments.a2c.games import MINATAR, OURS
from minicoord.experiments.classification import neighbours
from minicoord.experiments.records.figures import MissingRecordsError, all_figures
from minicoord.experiments.records.figures_command import draw_figures
from minicoord.experiments.records.half_weights import network_of
from minicoord.experiments.records.reading import KeptRuns, run_name
from minicoord.train.archive import write_archive

WITHOUT_RECORDS = ["figure-1", "figure-2", "figure-3", "figure-s1", "figure-s3"]
FIGURES = all_figures()
AGENTS, GAMES = ("conv-pool", "coordconv-pool"), (*OURS, *MINATAR)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    out = tmp_path / "runs"
    for name in ("uniform", "quadrant"):
        write_run(out, "classification", "conv", name, 0.85 if name == "uniform" else 0.0, c=1, fs=2)
        write_run(out, "classification", "conv", name, 0.7 if name == "uniform" else 0.0, c=2, fs=2)
        write_run(out, "classification", "coordconv", name, 1.0)
        for model in ("conv-fc", "conv-full", "coordconv"):
            write_run(out, "regression", model, name, 2.0)
        write_run(out, "rendering", "conv", name, 0.5, c=2, fs=2)
        write_run(out, "rendering", "coordconv", name, 0.99)
    for model in ("conv", "coordconv"):
        write_run(out, "detection", model, "valid", 0.6)
    write_run(out, "classification", "coordconv", "quadrant", 0.4, preset="quick", epochs=12)  # of the study of seeds
    for seed, model, name in product((0, 1), ("conv", "coordconv", "control"), ("centred", "shifted")):
        write_image_run(out, model, name, 0.8 + 0.01 * seed, seed)
    for seed, model, game in product((0, 1), AGENTS, GAMES):
        write_agent_run(out, model, game, 0.9, seed)
    for model, recipe in product(("conv", "coordconv"), ("official", "stable")):
        write_gan_run(out, model, recipe, 0.5)
    for model in ("conv", "coordconv"):
        write_gan_run(out, model, "stable", 0.9, preset="paper")
    for model in ("conv", "coordconv"):
        write_vae_run(out, model, 0.3)
    return out


def test_without_records_the_rest_is_drawn_and_each_gap_is_said(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    rows = draw_figures([], tmp_path / "empty", tmp_path / "out", [])
    assert [row["figure"] for row in rows] == list(FIGURES)
    assert [row["figure"] for row in rows if row["file"] != "-"] == WITHOUT_RECORDS
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == WITHOUT_RECORDS
    said = {row["figure"]: row["drawn from"] for row in rows if row["file"] == "-"}
    assert said["figure-4"] == "not drawn: no run of classification is recorded"
    assert said["figure-6"] == "not drawn: no run of rendering is recorded"
    assert "no arrays are kept" in said["figure-5"]
    assert said["blog-10"] == "not drawn: no run of regression is recorded"
    assert said["figure-7"] == "not drawn: no run of gan with the official recipe is recorded"
    assert said["gan-strip-papers-size"].endswith("with the stable recipe at the paper's size is recorded")


def test_with_records_all_is_drawn_but_what_needs_weights(runs: Path, tmp_path: Path):
    problems: list[str] = []
    rows = draw_figures([], runs, tmp_path / "out", problems)
    assert problems == []
    said = {row["figure"]: row["drawn from"] for row in rows}
    assert [row["figure"] for row in rows if row["file"] == "-"] == ["blog-5", "blog-9"]
    for name in ("blog-5", "blog-9"):
        assert said[name].endswith("no weights are kept of a run of classification by conv on the uniform split")
    for row in rows:
        if row["file"] != "-":
            assert imread(tmp_path / "out" / row["file"]).std() > 0
    assert said["figure-4"] == (
        "2 conv uniform, 2 conv quadrant, 1 coordconv uniform, 1 coordconv quadrant (preset paper)"
    )
    assert said["images-paired-differences"].startswith("2 conv centred, 2 conv shifted, 2 coordconv centred")
    assert said["seeds-ends"] == said["seeds-curves"] == "1 setting, 1 run"
    for name, preset in (("gan-figure-7-stable", "record"), ("gan-figure-7-papers-size", "paper")):
        wanted = [f"gan/{preset}/{model}-stable-seed0 (best of 1)" for model in ("conv", "coordconv")]
        assert said[name].split("; ") == wanted
    assert said["figure-5"].split("; ") == [
        "classification/paper/conv-quadrant-seed0-1-2 (best of 2)",
        "classification/paper/coordconv-quadrant-seed0 (best of 1)",
        "regression/paper/conv-full-quadrant-seed0 (best of 1)",
        "regression/paper/coordconv-quadrant-seed0 (best of 1)",
    ]


@pytest.mark.parametrize("name", [name for name in FIGURES if name not in ("blog-5", "blog-9")])
def test_every_figure_is_legible(runs: Path, name: str):
    # Strips of images have a title each, and one above all; rows of images have a name each.
    least = 3 if "interpolation" in name or "reconstructions" in name else 6
    assert_legible(FIGURES[name].draw(KeptRuns(runs)).figure, least)


def test_runs_at_other_settings_of_the_paper_come_before_quick_ones(runs: Path):
    write_run(runs, "rendering", "coordconv", "uniform", 0.1, preset="quick")
    drawn = FIGURES["figure-6"].draw(KeptRuns(runs))
    assert drawn.source.startswith("1 conv uniform, 1 conv quadrant, 1 coordconv uniform")
    assert "quick" not in drawn.source


def test_the_best_run_with_arrays_is_shown(runs: Path):
    write_run(runs, "regression", "coordconv", "quadrant", 0.5, seed=1)
    better = write_run(runs, "regression", "coordconv", "quadrant", 0.25, seed=2)
    (Path(better["folder"]) / "maps.npz").unlink()
    drawn = FIGURES["error-maps-quadrant"].draw(KeptRuns(runs))
    assert "regression/paper/coordconv-quadrant-seed1 (best of 3)" in drawn.source
    titles = [ax.get_title() for ax in drawn.figure.axes]
    assert f"CoordConv, test: mean {0.5 * 2**0.5:.2f} px" in titles


def test_figures_of_single_runs_say_out_of_how_many(runs: Path):
    def title(name: str) -> str:
        return FIGURES[name].draw(KeptRuns(runs)).figure.get_suptitle()

    write_run(runs, "regression", "coordconv", "quadrant", 2.5, seed=1)
    of_clouds = "out of 1 of conv + FC, 1 of fully convolutional, 1 or 2 of CoordConv"
    assert title("blog-10") == f"the best run of each network on each split ({of_clouds})"
    left, right = "2 of convolution, 1 of CoordConv", "1 of fully convolutional, 2 of CoordConv"
    assert title("figure-5").endswith(f"the best runs: left out of {left}; right out of {right}")


def test_figure_5_of_one_experiment_says_that_the_other_is_missing(tmp_path: Path):
    write_run(tmp_path, "regression", "coordconv", "quadrant", 1.0)
    drawn = FIGURES["figure-5"].draw(KeptRuns(tmp_path))
    assert drawn.source == "no arrays of classification; regression/paper/coordconv-quadrant-seed0 (best of 1)"


@pytest.mark.compiled
def test_close_ups_are_drawn_from_kept_weights(runs: Path, monkeypatch: pytest.MonkeyPatch):
    data = not_so_clevr()
    parts = split(data, "uniform")
    kept = KeptRuns(runs)
    for record in kept.records:
        if (record["experiment"], record["variant"]) == ("classification", "uniform"):
            params = {f"params/{name}": array for name, array in network_of(record).params.items()}
            state = {f"state/{name}": array for name, array in network_of(record).state.items()}
            write_archive(runs / run_name(record) / "weights.npz", "weights", params | state, {})
    margin = np.ones(len(data))
    monkeypatch.setattr(neighbours, "margins", lambda *_: margin)
    with pytest.raises(MissingRecordsError, match="no learned pixel"):
        FIGURES["blog-5"].draw(kept)
    margin[parts.test[::2]] = -1.0
    drawn = FIGURES["blog-9"].draw(kept)
    assert_legible(drawn.figure)
    names = "classification/paper/conv-uniform-seed0-1-2; classification/paper/coordconv-uniform-seed0"
    assert drawn.source == names, "the better of the two convolutions"
    assert drawn.figure.axes[0].get_title().startswith("train pixel, learned")


# The command


def test_the_command_lists_the_figures():
    result = CliRunner().invoke(cli.app, ["figures", "--list", "--json"])
    assert result.exit_code == 0
    names = [row["figure"] for row in json.loads(result.stdout)]
    of_paper = ["1", "2", "3", "4", "5", "6", "7", "8", "s1", "s2", "s3"]
    assert names[:14] == [f"figure-{k}" for k in of_paper] + ["blog-5", "blog-9", "blog-10"]


@pytest.mark.parametrize("name", ["3", "figure-3", "Figure-3.png"])
def test_figures_are_found_by_short_names(tmp_path: Path, name: str):
    (tmp_path / "empty").mkdir()
    arguments = ["figures", name, "--records", str(tmp_path / "empty"), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, result.output
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["figure-3.png"]
    assert "1 drawn, 0 not" in result.stderr


def test_unknown_names_and_folders_are_named(tmp_path: Path):
    result = CliRunner().invoke(cli.app, ["figures", "figure-44", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "did you mean 'figure-4'" in " ".join(result.output.split())
    result = CliRunner().invoke(cli.app, ["figures", "--records", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert "no folder" in result.output


def test_reproduce_draws_the_same_figures(tmp_path: Path):
    (tmp_path / "records").mkdir()
    arguments = ["reproduce", "--records", str(tmp_path / "records"), "--figures", str(tmp_path / "out")]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, result.output
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == WITHOUT_RECORDS
    assert "figure-6: not drawn: no run of rendering is recorded" in result.stderr
