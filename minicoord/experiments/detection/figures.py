"""The figures that ``minicoord run detection`` draws from its own results."""

from __future__ import annotations

from pathlib import Path

from minicoord.experiments.frame.metrics import Results
from minicoord.experiments.frame.report import maps_of
from minicoord.plots import detection_curves, kept_boxes, missed_digits, sampled_boxes, save_figure


def draw(results: Results, folder: Path) -> list[Path]:
    """Draw all figures for each padding, the arrays those of the first seed of each network; return the paths."""
    paths = []
    for padding in dict.fromkeys(r["variant"] for r in results):
        runs = [r for r in results if r["variant"] == padding]
        maps = {r["model"]: maps_of(r) for r in reversed(runs)}  # reversed, so that the first of a network is kept
        for function, name in (
            (kept_boxes, "kept-boxes"),
            (sampled_boxes, "sampled-boxes"),
            (missed_digits, "missed-digits"),
        ):
            paths.append(save_figure(function(maps, padding), folder / f"{name}-{padding}.png"))
        paths.append(save_figure(detection_curves(runs, padding), folder / f"iou-and-recall-{padding}.png"))
    return paths
