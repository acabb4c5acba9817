"""The figures of image classification that ``minicoord figures`` draws from records."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from minicoord import experiments
from minicoord.experiments.image_classification.networks import MODELS
from minicoord.experiments.image_classification.settings import VARIANTS
from minicoord.experiments.records.figures import Drawn, MissingRecordsError, RecordFigure, counts, runs_of
from minicoord.experiments.records.reading import KeptRuns, Record

NAME = "image-classification"


def _runs(kept: KeptRuns) -> list[Record]:
    """Return the unchanged runs of the preset "full"; if there are none, all runs."""
    runs = runs_of(kept, NAME, MODELS)
    experiment = experiments.get(NAME)
    full = [record for record in runs if record["preset"] == "full" and not experiment.differences(record)]
    return full or runs


def _differences(kept: KeptRuns) -> Drawn:
    from minicoord.experiments.image_classification.figures import differences_figure

    runs = _runs(kept)
    figure = differences_figure(runs)
    if figure is None:
        raise MissingRecordsError(f"no two runs of {NAME} make a pair: the same seed and settings, two networks")
    return Drawn(figure, counts(runs))


def _from_arrays(name: str) -> Callable[[KeptRuns], Drawn]:
    """Return a function that draws a figure of ``figures.py`` from the runs whose arrays are kept."""

    def draw(kept: KeptRuns) -> Drawn:
        from minicoord.experiments.image_classification.figures import DRAWINGS

        found = [(record, kept.maps(record)) for record in _runs(kept)]
        runs = [(record, arrays) for record, arrays in found if arrays is not None]
        figure = DRAWINGS[name](runs) if runs else None
        if figure is None:
            raise MissingRecordsError(f"no arrays are kept of the runs of {NAME} that {name} shows")
        return Drawn(figure, counts(_records(runs)))

    return draw


def _records(runs: Sequence[tuple[Record, object]]) -> list[Record]:
    return [record for record, _ in runs]


FIGURES: dict[str, RecordFigure] = {
    "images-paired-differences": RecordFigure(
        "ours: image classification, differences over paired seeds beside the paper's", _differences
    ),
    **{
        f"images-confusion-{variant}": RecordFigure(
            f"ours: which classes are taken for which, {variant} images", _from_arrays(f"confusion-{variant}")
        )
        for variant in VARIANTS
    },
    **{
        f"images-front-layer-{variant}": RecordFigure(
            f"ours: what the coordinate weights of the front layer become, {variant} images",
            _from_arrays(f"front-layer-{variant}"),
        )
        for variant in VARIANTS
    },
    "images-accuracy-by-place": RecordFigure(
        "ours: accuracy against the position of an image on the canvas", _from_arrays("accuracy-by-place")
    ),
}
