"""The figures of image classification, each drawn from runs and their arrays; all runs of a network count.

``minicoord run`` draws them from its own results, ``record_figures.py`` from records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from minicoord.datasets.images.sources import CLASSES
from minicoord.experiments.frame.metrics import Results
from minicoord.experiments.frame.report import maps_of
from minicoord.experiments.image_classification.data import NAME
from minicoord.experiments.image_classification.networks import MODELS
from minicoord.experiments.image_classification.paired import WORDS, comparisons
from minicoord.experiments.image_classification.settings import VARIANTS
from minicoord.plots import (
    Guesses,
    confusion_counts,
    confusion_figure,
    front_weights_figure,
    paired_differences,
    place_accuracy,
    save_figure,
)
from minicoord.plots.style import model_name

PAPER = 0.04  # percentage points of top-5 accuracy on ImageNet
Arrays = Mapping[str, NDArray]
Run = tuple[Mapping[str, Any], Arrays]
"""The result of a run and its arrays, as `Declaration.measure` returned them."""


def differences_figure(results: Results) -> Figure | None:
    """Draw the paired differences of all networks on each variant, at places of training and at new ones."""
    panels: dict[str, dict[str, Any]] = {}
    for metric, words in WORDS.items():
        for found in comparisons(results, metric):
            row = f"{model_name(found.model)} minus\n{model_name(found.other)}"
            panels.setdefault(f"{found.variant}, {words}", {})[row] = found.differences, found.interval
    if not panels:
        return None
    order = [f"{variant}, {words}" for variant in VARIANTS for words in WORDS.values()]
    paper = order[0], f"{model_name('coordconv')} minus\n{model_name('conv')}", PAPER
    return paired_differences({title: panels[title] for title in order if title in panels}, paper)


def confusion(runs: Sequence[Run], variant: str) -> Figure | None:
    """Draw the confusion of the networks without and with coordinates, summed over the runs of each."""
    counts: dict[str, NDArray] = {}
    for model in ("conv", "coordconv"):
        for arrays in _arrays_of(runs, variant, model):
            matrix = confusion_counts(arrays["labels"], arrays["predicted"], len(CLASSES[NAME]))
            counts[model] = counts.get(model, 0) + matrix
    title = f"test images, {variant}: share of each class in percent, {_seeds(runs, variant)}"
    return confusion_figure(counts, CLASSES[NAME], title) if counts else None


def front_layer(runs: Sequence[Run], variant: str) -> Figure | None:
    """Draw the weights of both front layers before and after training."""
    weights = {
        model: [(a["front_before"], a["front"]) for a in _arrays_of(runs, variant, model)]
        for model in ("coordconv", "control")
    }
    weights = {model: pairs for model, pairs in weights.items() if pairs}
    title = f"weights of the front layer, {variant} images: first run, and norms in {_seeds(runs, variant)}"
    return front_weights_figure(weights, title) if weights else None


def by_place(runs: Sequence[Run], variant: str = "shifted") -> Figure | None:
    """Draw the accuracy of each network against the position of the image, over all its runs."""
    guesses = {}
    for model in MODELS:
        found = _arrays_of(runs, variant, model)
        if found:
            parts = [(a, prefix) for a in found for prefix in ("", "new_")]
            guesses[model] = Guesses(
                places=np.concatenate([a[f"{prefix}places"] for a, prefix in parts]),  # (n, 2)
                right=np.concatenate([a[f"{p}labels"] == a[f"{p}predicted"] for a, p in parts]),  # (n,)
                new=np.concatenate([np.full(len(a[f"{p}labels"]), p == "new_") for a, p in parts]),  # (n,)
            )
    title = f"test accuracy against the position of the image, {_seeds(runs, variant)}; framed: new positions"
    return place_accuracy(guesses, title) if guesses else None


DRAWINGS: dict[str, Callable[[Sequence[Run]], Figure | None]] = {
    **{f"confusion-{variant}": lambda runs, variant=variant: confusion(runs, variant) for variant in VARIANTS},
    **{f"front-layer-{variant}": lambda runs, variant=variant: front_layer(runs, variant) for variant in VARIANTS},
    "accuracy-by-place": by_place,
}
"""The figures that are drawn from arrays, by name; each is None if the runs have nothing of it."""


def draw(results: Results, folder: Path) -> list[Path]:
    """Draw all figures that these results have runs for, and return their paths."""
    runs = [(result, maps_of(result)) for result in results]
    drawn = {"paired-differences": differences_figure(results)}
    drawn |= {name: drawing(runs) for name, drawing in DRAWINGS.items()}
    return [save_figure(figure, folder / f"{name}.png") for name, figure in drawn.items() if figure is not None]


def _arrays_of(runs: Sequence[Run], variant: str, model: str) -> list[Arrays]:
    """Return the arrays of the runs of a network on a variant, by seed."""
    found = [run for run in runs if (run[0]["model"], run[0]["variant"]) == (model, variant)]
    return [arrays for _, arrays in sorted(found, key=lambda run: run[0]["seed"])]


def _seeds(runs: Sequence[Run], variant: str) -> str:
    count = len({result["seed"] for result, _ in runs if result["variant"] == variant})
    return "one seed" if count == 1 else f"{count} seeds"
