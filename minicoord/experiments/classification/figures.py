"""The figures that ``minicoord run classification`` draws from its own results."""

from __future__ import annotations

from pathlib import Path

from minicoord.datasets.not_so_clevr import not_so_clevr
from minicoord.datasets.splits import split as split_data
from minicoord.experiments.frame.metrics import Results
from minicoord.experiments.supervised.experiment import PARTS, maps_by_model, splits_of
from minicoord.plots import accuracy_against_time, pixel_zoom, save_figure, softmax_maps


def draw(results: Results, folder: Path) -> list[Path]:
    """Draw accuracy against time, the summed softmax maps and the logits around one test pixel; return the paths.

    Maps and logits are those of the first seed of each model.
    """
    if not results:
        return []
    paths = [save_figure(accuracy_against_time(results), folder / "accuracy-against-time.png")]
    data = not_so_clevr()
    for split in splits_of(results):
        parts = split_data(data, split)
        truth = {name: data.one_hot(getattr(parts, name)).sum(axis=(0, 3)) for name in PARTS}
        of_models = maps_by_model(results, split)
        maps = {"truth": truth} | {model: {name: m[name] for name in PARTS} for model, m in of_models.items()}
        paths.append(save_figure(softmax_maps(maps, split), folder / f"softmax-maps-{split}.png"))
        panels = {model: (m["logits"], m["probabilities"]) for model, m in sorted(of_models.items())}
        x, y = next(iter(of_models.values()))["target"].tolist()
        paths.append(save_figure(pixel_zoom(panels, (x, y)), folder / f"pixel-zoom-{split}.png"))
    return paths
