"""The figures that ``minicoord run rendering`` draws from its own results."""

from __future__ import annotations

from pathlib import Path

from minicoord.experiments.frame.metrics import Results
from minicoord.experiments.supervised.experiment import maps_by_model, splits_of
from minicoord.plots import drawn_squares, overlap_figure, save_figure


def draw(results: Results, folder: Path) -> list[Path]:
    """Draw the squares of the first seed of each model, and test against training IOU of all runs; return the paths."""
    if not results:
        return []
    paths = [save_figure(overlap_figure(results), folder / "overlap.png")]
    for split in splits_of(results):
        paths.append(save_figure(drawn_squares(maps_by_model(results, split), split), folder / f"squares-{split}.png"))
    return paths
