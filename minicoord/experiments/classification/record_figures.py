"""The paper's figures 1 to 4 and S2, its authors' blog figures of neighbouring pixels, and our figures about seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from numpy.typing import NDArray

from minicoord.datasets.not_so_clevr import not_so_clevr
from minicoord.datasets.splits import split as split_data
from minicoord.experiments.classification.neighbours import zoom_of
from minicoord.experiments.classification.seeds_study import study_groups
from minicoord.experiments.records.figures import Drawn, MissingRecordsError, RecordFigure, counts, runs_of
from minicoord.experiments.records.reading import KeptRuns, Record, best, run_name
from minicoord.experiments.supervised.experiment import SPLITS
from minicoord.system.counting import counted

PAINTERS = ("conv", "coordconv")
NEIGHBOURS = ("train pixel, learned", "test pixel, barely right", "test pixel, missed")


def _tasks(_: KeptRuns) -> Drawn:
    from minicoord.plots import toy_tasks

    return Drawn(toy_tasks(), "no records needed")


def _data(_: KeptRuns) -> Drawn:
    from minicoord.plots import not_so_clevr_figure

    data = not_so_clevr()
    return Drawn(not_so_clevr_figure(data, [split_data(data, split) for split in SPLITS]), "the data")


def _layers(_: KeptRuns) -> Drawn:
    from minicoord.plots import coord_block

    return Drawn(coord_block(), "the layer AddCoords")


def _accuracies(kept: KeptRuns) -> Drawn:
    from minicoord.plots import classification_figure

    runs = runs_of(kept, "classification", ("conv", "conv-no-bn", "coordconv"))
    return Drawn(classification_figure(runs), counts(runs))


def _settings(kept: KeptRuns) -> Drawn:
    from minicoord.plots import settings_figure

    runs = runs_of(kept, "classification", PAINTERS)
    try:
        return Drawn(settings_figure(runs), counts(runs))
    except ValueError:
        raise MissingRecordsError("no two recorded runs of classification differ in a setting") from None


def _neighbours(kept: KeptRuns, models: Sequence[str]) -> Drawn:
    from minicoord.plots import neighbour_zoom

    runs = runs_of(kept, "classification", PAINTERS)
    records: dict[str, Record] = {}
    weights: dict[str, Mapping[str, NDArray]] = {}
    for model in models:
        found = [r for r in runs if (r["model"], r["variant"]) == (model, "uniform") and kept.weights(r) is not None]
        if not found:
            raise MissingRecordsError(f"no weights are kept of a run of classification by {model} on the uniform split")
        records[model] = best(found)
        weights[model] = kept.weights(records[model]) or {}
    zoom = zoom_of(records, weights)
    if zoom is None:
        raise MissingRecordsError(
            "the convolutional network has no learned pixel next to a test pixel that is right and one that is missed"
        )
    return Drawn(neighbour_zoom(*zoom, NEIGHBOURS), "; ".join(map(run_name, records.values())))


def _study(name: str) -> Callable[[KeptRuns], Drawn]:
    """Return a function that draws `minicoord.plots.NAME` from the runs of the study of seeds."""

    def draw(kept: KeptRuns) -> Drawn:
        from minicoord import plots

        groups = study_groups(kept.records)
        if not groups:
            raise MissingRecordsError("no run of the grid study of classification is recorded")
        runs = sum(map(len, groups.values()))
        words = f"{counted(len(groups), 'setting')}, {counted(runs, 'run')}"
        return Drawn(getattr(plots, name)(groups), words)

    return draw


FIGURES: dict[str, RecordFigure] = {
    "figure-1": RecordFigure("the three tasks as sketches, with output and loss", _tasks),
    "figure-2": RecordFigure("Not-so-Clevr: examples, and the summed training and test images of both splits", _data),
    "figure-3": RecordFigure("a convolution beside a CoordConv layer", _layers),
    "figure-4": RecordFigure("classification: final accuracies, and accuracy against training time", _accuracies),
    "figure-s2": RecordFigure("classification: which settings work well", _settings),
    "blog-5": RecordFigure("classification: three neighbouring pixels", lambda k: _neighbours(k, PAINTERS[:1])),
    "blog-9": RecordFigure("the same three pixels, convolution and CoordConv", lambda k: _neighbours(k, PAINTERS)),
    "seeds-curves": RecordFigure("ours: why some seeds never generalise, epoch by epoch", _study("seed_curves")),
    "seeds-ends": RecordFigure("ours: which settings let every seed generalise", _study("seed_ends")),
}
