"""The figures of the GAN that are drawn from records: images from the best run of each network, curves from all."""

from __future__ import annotations

from collections.abc import Callable

from numpy.typing import NDArray

from minicoord.experiments.gan.settings import ARMS
from minicoord.experiments.records.figures import Drawn, MissingRecordsError, RecordFigure, best_maps, counts
from minicoord.experiments.records.reading import KeptRuns, Record, for_figures

STABLE, OFFICIAL = "stable", "official"


def _runs(kept: KeptRuns, recipe: str) -> list[Record]:
    groups = for_figures(kept.records)
    runs = [record for model in ARMS for record in groups.get(("gan", model, recipe), [])]
    if not runs:
        raise MissingRecordsError(f"no run of gan with the {recipe} recipe is recorded")
    return runs


def _images(name: str, recipe: str, real: bool = False) -> Callable[[KeptRuns], Drawn]:
    """Return a function that draws `minicoord.plots.NAME` from the best runs with a recipe."""

    def draw(kept: KeptRuns) -> Drawn:
        from minicoord import plots
        from minicoord.experiments.gan.figures import beside_the_data

        arrays, words = best_maps(kept, _runs(kept, recipe), recipe)
        if not arrays:
            raise MissingRecordsError(f"no arrays are kept of runs of gan with the {recipe} recipe")
        shown: dict[str, dict[str, NDArray]] = beside_the_data(arrays) if real else arrays
        return Drawn(getattr(plots, name)(shown, recipe), "; ".join(words))

    return draw


def _curves(recipe: str) -> Callable[[KeptRuns], Drawn]:
    def draw(kept: KeptRuns) -> Drawn:
        from minicoord.plots import gan_curves

        runs = _runs(kept, recipe)
        return Drawn(gan_curves(runs, recipe), counts(runs))

    return draw


FIGURES: dict[str, RecordFigure] = {
    "figure-7": RecordFigure(
        "GAN, official recipe: samples, where they put the objects, and their average",
        _images("two_objects_figure", OFFICIAL, real=True),
    ),
    "gan-figure-7-stable": RecordFigure(
        "GAN, stable recipe: samples, where they put the objects, and their average",
        _images("two_objects_figure", STABLE, real=True),
    ),
    **{
        f"gan-{name}-{recipe}": RecordFigure(f"GAN, {recipe} recipe: {words}", drawing(recipe))
        for recipe in (OFFICIAL, STABLE)
        for name, words, drawing in (
            ("strip", "how the samples changed", lambda recipe: _images("training_strip", recipe)),
            ("interpolation", "ways between samples", lambda recipe: _images("interpolation_strips", recipe)),
            ("curves", "losses and coverage over the steps", _curves),
        )
    },
}
