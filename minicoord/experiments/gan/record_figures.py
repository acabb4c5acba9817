"""The figures of the GAN that are drawn from records: images from the best run of each network, curves from all.

Runs of the preset ``paper`` have figures of their own: they are few, and another size decides what is learned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from numpy.typing import NDArray

from minicoord.experiments.gan.settings import ARMS
from minicoord.experiments.records.figures import Drawn, MissingRecordsError, RecordFigure, best_maps, counts
from minicoord.experiments.records.reading import KeptRuns, Record, for_figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STABLE, OFFICIAL = "stable", "official"
Maps = Mapping[str, Mapping[str, NDArray]]


def _runs(kept: KeptRuns, recipe: str, papers_size: bool) -> list[Record]:
    groups = for_figures([r for r in kept.records if (r["preset"] == "paper") == papers_size])
    recorded = [record for model in ARMS for record in groups.get(("gan", model, recipe), [])]
    runs = [record for record in recorded if record["settings"].get("photos") is None]
    if not runs:
        size = " at the paper's size" if papers_size else ""
        raise MissingRecordsError(f"no run of gan with the {recipe} recipe{size} is recorded")
    return runs


def _figure_7(maps: Maps, recipe: str) -> Figure:
    from minicoord.experiments.gan.figures import figure_7_title
    from minicoord.experiments.two_objects.pictures import beside_the_data
    from minicoord.plots import two_objects_figure

    return two_objects_figure(beside_the_data(maps), figure_7_title(recipe))


def _strip(maps: Maps, recipe: str) -> Figure:
    from minicoord.plots import training_strip

    return training_strip(maps, recipe)


def _ways(maps: Maps, recipe: str) -> Figure:
    from minicoord.experiments.gan.figures import ways_title
    from minicoord.plots import interpolation_strips

    return interpolation_strips(maps, ways_title(recipe))


def _images(
    drawing: Callable[[Maps, str], Figure], recipe: str, papers_size: bool = False
) -> Callable[[KeptRuns], Drawn]:
    """Return a function that draws the images of the best runs with a recipe."""

    def draw(kept: KeptRuns) -> Drawn:
        arrays, words = best_maps(kept, _runs(kept, recipe, papers_size), recipe)
        if not arrays:
            raise MissingRecordsError(f"no arrays are kept of runs of gan with the {recipe} recipe")
        return Drawn(drawing(arrays, recipe), "; ".join(words))

    return draw


def _curves(recipe: str, papers_size: bool = False) -> Callable[[KeptRuns], Drawn]:
    def draw(kept: KeptRuns) -> Drawn:
        from minicoord.plots import gan_curves

        runs = _runs(kept, recipe, papers_size)
        return Drawn(gan_curves(runs, recipe), counts(runs))

    return draw


FIGURES: dict[str, RecordFigure] = {
    **{
        name: RecordFigure(
            f"GAN, {recipe} recipe: samples, where they put the objects, and their average", _images(_figure_7, recipe)
        )
        for name, recipe in (("figure-7", OFFICIAL), ("gan-figure-7-stable", STABLE))
    },
    **{
        f"gan-{name}-{recipe}": RecordFigure(f"GAN, {recipe} recipe: {words}", drawing)
        for recipe in (OFFICIAL, STABLE)
        for name, words, drawing in (
            ("strip", "how the samples changed", _images(_strip, recipe)),
            ("interpolation", "ways between samples", _images(_ways, recipe)),
            ("curves", "losses and coverage over the steps", _curves(recipe)),
        )
    },
    **{
        f"gan-{name}-papers-size": RecordFigure(f"GAN at the paper's size, {STABLE} recipe: {words}", drawing)
        for name, words, drawing in (
            ("figure-7", "samples, where they put the objects, and their average", _images(_figure_7, STABLE, True)),
            ("strip", "how the samples changed", _images(_strip, STABLE, True)),
            ("curves", "losses and coverage over the steps", _curves(STABLE, True)),
        )
    },
}
