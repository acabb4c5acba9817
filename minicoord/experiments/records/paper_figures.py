"""Every figure of the paper and of its authors' blog that belongs to the supervised experiments, drawn from records.

`FIGURES` names them. Each is drawn from the runs of a folder; what those lack, a `MissingRecordsError` says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from minicoord.datasets.not_so_clevr import not_so_clevr
from minicoord.datasets.splits import split as split_data
from minicoord.experiments.classification.neighbours import zoom_of
from minicoord.experiments.classification.painters import coordconv_painter, deconv_painter
from minicoord.experiments.classification.seeds_study import study_groups
from minicoord.experiments.records.reading import KeptRuns, Record, best, for_figures, run_name
from minicoord.experiments.regression.regressors import (
    conv_fc_regressor,
    coordconv_regressor,
    fully_convolutional_regressor,
)
from minicoord.experiments.rendering.renderers import coordconv_renderer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPLITS = ("uniform", "quadrant")
PAINTERS, REGRESSORS = ("conv", "coordconv"), ("conv-fc", "conv-full", "coordconv")
NEIGHBOURS = ("train pixel, learned", "test pixel, barely right", "test pixel, missed")


class MissingRecordsError(ValueError):
    """What a figure shows was not recorded in this folder."""


@dataclass(frozen=True)
class Drawn:
    """A figure, and what it was drawn from in words."""

    figure: Figure
    source: str


@dataclass(frozen=True)
class PaperFigure:
    """A figure that can be drawn.

    Attributes
    ----------
    line : str
        What it shows.
    draw : callable
        Draws it from the runs of a folder; raises MissingRecordsError.
    """

    line: str
    draw: Callable[[KeptRuns], Drawn]


def _runs(kept: KeptRuns, experiment: str, models: Sequence[str]) -> list[Record]:
    """Return the runs of an experiment that figures show."""
    groups = for_figures(kept.records)
    found = [r for m in models for s in SPLITS for r in groups.get((experiment, m, s), [])]
    if not found:
        raise MissingRecordsError(f"no run of {experiment} is recorded")
    return found


def _counts(runs: Sequence[Record]) -> str:
    """Say how many runs there are of each model, split and preset."""
    kinds = [f"{r['model']} {r['split']}" for r in runs]
    parts = [f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)]
    presets = " and ".join(dict.fromkeys(r["preset"] for r in runs))
    return f"{', '.join(parts)} (preset {presets})"


def _best_of(runs: Sequence[Record], splits: Sequence[str]) -> str:
    """Say out of how many runs a figure shows the best, since one run alone could be luck."""
    from minicoord.plots.style import model_name

    words = []
    for model in dict.fromkeys(r["model"] for r in runs):
        numbers = [sum((r["model"], r["split"]) == (model, split) for r in runs) for split in splits]
        words.append(f"{' or '.join(map(str, dict.fromkeys(n for n in numbers if n)))} of {model_name(model)}")
    return ", ".join(words)


def _best_maps(kept: KeptRuns, runs: Sequence[Record], split: str) -> tuple[dict[str, dict[str, NDArray]], list[str]]:
    """Return the arrays of the best run of each model on a split, and in words which run that was of how many."""
    arrays: dict[str, dict[str, NDArray]] = {}
    words = []
    for model in dict.fromkeys(r["model"] for r in runs):
        some = [r for r in runs if (r["model"], r["split"]) == (model, split)]
        with_maps = [r for r in some if kept.maps(r) is not None]
        if with_maps:
            chosen = best(with_maps)
            arrays[model] = kept.maps(chosen) or {}
            words.append(f"{run_name(chosen)} (best of {len(some)})")
    return arrays, words


def _data(_: KeptRuns) -> Drawn:
    from minicoord.plots import not_so_clevr_figure

    data = not_so_clevr()
    return Drawn(not_so_clevr_figure(data, [split_data(data, split) for split in SPLITS]), "the data")


def _tasks(_: KeptRuns) -> Drawn:
    from minicoord.plots import toy_tasks

    return Drawn(toy_tasks(), "no records needed")


def _layers(_: KeptRuns) -> Drawn:
    from minicoord.plots import coord_block

    return Drawn(coord_block(), "the layer AddCoords")


def _classification(kept: KeptRuns) -> Drawn:
    from minicoord.plots import classification_figure

    runs = _runs(kept, "classification", ("conv", "conv-no-bn", "coordconv"))
    return Drawn(classification_figure(runs), _counts(runs))


def _quadrant(kept: KeptRuns) -> Drawn:
    from minicoord.plots import quadrant_figure

    data, maps, clouds, words, numbers = not_so_clevr(), {}, {}, [], []
    parts = split_data(data, "quadrant")
    truth = {"train": data.one_hot(parts.train), "test": data.one_hot(parts.test)}
    for experiment, models in (("classification", PAINTERS), ("regression", REGRESSORS[1:])):
        try:
            runs = [r for r in _runs(kept, experiment, models) if r["split"] == "quadrant"]
            found, names = _best_maps(kept, runs, "quadrant")
            side = "left" if experiment == "classification" else "right"
            numbers += [f"{side} out of {_best_of(runs, ['quadrant'])}"] if names else []
        except MissingRecordsError:
            found, names = {}, []
        words += names or [f"no arrays of {experiment}"]
        if experiment == "classification":
            maps = found
        else:  # the paper took the fully convolutional network for this split
            clouds = {"conv" if model == "conv-full" else model: arrays for model, arrays in found.items()}
    if not maps and not clouds:
        raise MissingRecordsError("no arrays are kept of runs of classification or regression on the quadrant split")
    truths = {name: images.sum(axis=(0, 3)) for name, images in truth.items()}
    note = f"the best runs: {'; '.join(numbers)}"
    return Drawn(quadrant_figure({"truth": truths, **maps}, clouds, note=note), "; ".join(words))


def _overlap(kept: KeptRuns) -> Drawn:
    from minicoord.plots import overlap_figure

    runs = _runs(kept, "rendering", PAINTERS)
    return Drawn(overlap_figure(runs), _counts(runs))


def _painters(_: KeptRuns) -> Drawn:
    from minicoord.plots import architectures

    networks = {
        "deconvolution painter, c = 2, fs = 3": (deconv_painter(2, 3, rng=0), (2,)),
        "CoordConv classifier": (coordconv_painter(0), (2,)),
        "CoordConv renderer, fs = 3": (coordconv_renderer(3, 1, 0), (2,)),
    }
    return Drawn(architectures(networks), "the networks")


def _settings(kept: KeptRuns) -> Drawn:
    from minicoord.plots import settings_figure

    runs = _runs(kept, "classification", PAINTERS)
    try:
        return Drawn(settings_figure(runs), _counts(runs))
    except ValueError:
        raise MissingRecordsError("no two recorded runs of classification differ in a setting") from None


def _regressors(_: KeptRuns) -> Drawn:
    from minicoord.plots import architectures

    shape = (64, 64, 1)
    networks = {
        "conv + FC, for the uniform split": (conv_fc_regressor(1, 0), shape),
        "fully convolutional, for quadrant": (fully_convolutional_regressor(1, 0), shape),
        "CoordConv, for both": (coordconv_regressor(rng=0), shape),
    }
    return Drawn(architectures(networks), "the networks")


def _neighbours(kept: KeptRuns, models: Sequence[str]) -> Drawn:
    from minicoord.plots import neighbour_zoom

    runs = _runs(kept, "classification", PAINTERS)
    records: dict[str, Record] = {}
    weights: dict[str, Mapping[str, NDArray]] = {}
    for model in models:
        found = [r for r in runs if (r["model"], r["split"]) == (model, "uniform") and kept.weights(r) is not None]
        if not found:
            raise MissingRecordsError(f"no weights are kept of a run of classification by {model} on the uniform split")
        records[model] = best(found)
        weights[model] = kept.weights(records[model]) or {}
    zoom = zoom_of(records, weights)
    if zoom is None:
        raise MissingRecordsError(
            "that convolution has no learned pixel between a test pixel that is right and one missed"
        )
    return Drawn(neighbour_zoom(*zoom, NEIGHBOURS), "; ".join(map(run_name, records.values())))


def _clouds(kept: KeptRuns) -> Drawn:
    from minicoord.plots import regression_clouds

    runs = _runs(kept, "regression", REGRESSORS)
    found = {split: _best_maps(kept, runs, split) for split in SPLITS}
    if not any(arrays for arrays, _ in found.values()):
        raise MissingRecordsError("no arrays are kept of runs of regression")
    words = [word for _, of_split in found.values() for word in of_split]
    title = f"the best run of each network on each split (out of {_best_of(runs, SPLITS)})"
    clouds = regression_clouds({split: arrays for split, (arrays, _) in found.items()}, title=title)
    return Drawn(clouds, "; ".join(words))


def _study(name: str) -> Callable[[KeptRuns], Drawn]:
    """Return what draws the figure `name` of the package plots from the runs of the study of seeds."""

    def draw(kept: KeptRuns) -> Drawn:
        from minicoord import plots

        groups = study_groups(kept.records)
        if not groups:
            raise MissingRecordsError("no run of the grid study of classification is recorded")
        return Drawn(getattr(plots, name)(groups), f"{len(groups)} settings, {sum(map(len, groups.values()))} runs")

    return draw


def _of_split(experiment: str, models: Sequence[str], split: str, name: str) -> Callable[[KeptRuns], Drawn]:
    """Return what draws the figure `name` of the package plots from the best runs on one split."""

    def draw(kept: KeptRuns) -> Drawn:
        from minicoord import plots

        arrays, words = _best_maps(kept, _runs(kept, experiment, models), split)
        if not arrays:
            raise MissingRecordsError(f"no arrays are kept of runs of {experiment} on the {split} split")
        function: Callable[[Any, str], Figure] = getattr(plots, name)
        return Drawn(function(arrays, split), "; ".join(words))

    return draw


FIGURES: dict[str, PaperFigure] = {
    "figure-1": PaperFigure("the toy tasks as cartoons, with output and loss", _tasks),
    "figure-2": PaperFigure("Not-so-Clevr: examples, and the sums of train and test of both splits", _data),
    "figure-3": PaperFigure("a convolution beside a CoordConv", _layers),
    "figure-4": PaperFigure("classification: where runs ended, and accuracy against seconds", _classification),
    "figure-5": PaperFigure("the quadrant split: summed softmax, and clouds of regression", _quadrant),
    "figure-6": PaperFigure("rendering: where runs ended, and overlap against seconds", _overlap),
    "figure-s1": PaperFigure("the layers of the networks that paint", _painters),
    "figure-s2": PaperFigure("classification: which settings do well", _settings),
    "figure-s3": PaperFigure("the layers of the networks of regression", _regressors),
    "blog-5": PaperFigure("three neighbouring pixels as convolution sees them", lambda k: _neighbours(k, PAINTERS[:1])),
    "blog-9": PaperFigure("the same three pixels, convolution and CoordConv", lambda k: _neighbours(k, PAINTERS)),
    "blog-10": PaperFigure("clouds of regression, all networks, both splits", _clouds),
}
"""The figures by name, in the order of the paper and of the blog."""

FIGURES["seeds-curves"] = PaperFigure("ours: why some seeds never generalise, epoch by epoch", _study("seed_curves"))
FIGURES["seeds-ends"] = PaperFigure("ours: which settings let every seed generalise", _study("seed_ends"))
for _split in SPLITS:
    FIGURES[f"error-maps-{_split}"] = PaperFigure(
        f"ours: how far regressors are off over the canvas, {_split} split",
        _of_split("regression", REGRESSORS, _split, "error_maps"),
    )
for _split in SPLITS:
    FIGURES[f"squares-{_split}"] = PaperFigure(
        f"ours: squares wanted and drawn, {_split} split", _of_split("rendering", PAINTERS, _split, "drawn_squares")
    )
