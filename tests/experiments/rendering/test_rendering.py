"""Rendering: its run and its files, its metrics, and its report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from minicoord.datasets.not_so_clevr import not_so_clevr
from minicoord.datasets.splits import Split, split
from minicoord.experiments.rendering.experiment import Rendering

DATA = not_so_clevr()
ShortRun = Callable[[str, str], dict[str, Any]]

rendering = Rendering()


@pytest.mark.compiled
@pytest.mark.parametrize("model", ["conv", "coordconv"])
def test_a_run_leaves_its_files_and_its_record(model: str, short_run: ShortRun):
    result = short_run("rendering", model)
    folder = Path(result["folder"])
    assert folder.parts[-3:] == ("rendering", "quick", f"{model}-quadrant-seed3-epochs=1")
    left = {path.name for path in folder.iterdir()}
    assert left == {"checkpoint.npz", "weights.npz", "maps.npz", "result.json", ".lock"}
    assert json.loads((folder / "result.json").read_text()) == result
    assert result["samples"] == {"train": 2407, "test": 729}
    assert 0 <= result["metrics"]["test_worst_iou"] <= result["metrics"]["test_iou"] <= 1
    with np.load(folder / "maps.npz") as maps:
        assert maps["test_overlaps"].mean() == pytest.approx(result["metrics"]["test_iou"], rel=1e-5)
        assert maps["test_drawn"].shape == (3, 64, 64)


@pytest.mark.compiled
def test_a_run_with_a_pointer_leaves_the_drawing_alone_in_its_files(short_run: ShortRun):
    result = short_run("rendering", "coordconv")
    assert result["settings"]["pointer"] == 1.0
    with np.load(Path(result["folder"]) / "maps.npz") as maps:
        assert maps["test_drawn"].shape == (3, 64, 64)
        assert 0 <= maps["test_drawn"].min() <= maps["test_drawn"].max() <= 1


def test_solved_needs_both_parts():
    assert rendering.solved({"train_iou": 1.0, "test_iou": 0.981})
    assert not rendering.solved({"train_iou": 1.0, "test_iou": 0.98})
    assert not rendering.solved({"train_iou": 0.98, "test_iou": 1.0})


@pytest.mark.compiled
def test_the_coordconv_renderer_learns_from_the_squares_alone(tmp_path: Path, few_samples: None):
    alone: dict[str, Any] = {"pointer": 0.0, "loss": "sigmoid-sum", "epochs": 2}
    result = rendering.run("coordconv", "uniform", out=tmp_path, progress=False, **alone)
    assert result["parameters"] == 11_850
    assert np.isfinite(result["metrics"]["test_iou"])
    first, last = (row["train_loss"] for row in result["history"])
    assert last < first


class Shifted:
    """A network that draws every square one column too far to the right: 72 pixels in common, 90 in all."""

    def __init__(self) -> None:
        self.squares = {tuple(place): k for k, place in enumerate(DATA.inputs().tolist())}

    def forward(self, places):
        chosen = [self.squares[tuple(place)] for place in places.tolist()]
        return 20 * np.roll(DATA.squares(chosen), 1, axis=2) - 10


def record(model: str, folder: Path) -> dict[str, Any]:
    parts = split(DATA, "uniform")
    few = Split(name="uniform", train=parts.train[:40], test=parts.test[:20])
    judged: Any = SimpleNamespace(model=Shifted(), data=DATA, inputs=DATA.inputs(), split=few)
    metrics, arrays = rendering.measure(judged)
    folder.mkdir()
    np.savez(folder / "maps.npz", **arrays)
    facts = {"model": model, "variant": "quadrant", "preset": "quick", "parameters": 11_850, "epochs": 3, "seed": 0}
    history = [{"epoch": k, "train_seconds": 2.0 * k, "test_iou": 0.2 * k, "train_iou": 0.25 * k} for k in (1, 2, 3)]
    rest = {"train_seconds": 6.0, "solved": False, "folder": str(folder), "history": history}
    return {**facts, "metrics": metrics, **rest}


def test_the_metrics_of_a_network_that_draws_one_column_off(tmp_path):
    metrics = record("coordconv", tmp_path / "run")["metrics"]
    for part in ("train", "test"):
        assert metrics[f"{part}_iou"] == pytest.approx(72 / 90)
        assert metrics[f"{part}_worst_iou"] == pytest.approx(72 / 90)
        assert metrics[f"{part}_perfect"] == 0


def test_the_report_names_the_paper_and_draws(tmp_path):
    results = [record(model, tmp_path / model) for model in rendering.models]
    rows = rendering.summary_table(results)
    assert rows[0]["test IOU"] == "0.800\npaper: .36"
    assert any("short run" in line for line in rendering.notes(results))
    paths = rendering.figures(results, tmp_path)
    assert {path.name for path in paths} == {"overlap.png", "squares-quadrant.png"}
    assert all(path.stat().st_size > 10_000 for path in paths)
    assert rendering.figures([], tmp_path) == []


def test_describe_lists_the_networks_of_the_paper():
    described = {row["model"]: row["parameters"] for row in rendering.describe()}
    assert described["coordconv fs=1 m=1"] == 8_074
    assert described["coordconv fs=3 m=2"] == 24_210
    assert described["coordconv fs=4 m=2"] == 37_090


@pytest.mark.compiled
def test_the_tail_alone_learns_to_draw_from_one_lit_pixel(tmp_path: Path, few_samples: None):
    result = rendering.run("drawer", "quadrant", out=tmp_path, progress=False, epochs=1, batch_size=2)
    assert result["metrics"]["test_iou"] > 0.98
