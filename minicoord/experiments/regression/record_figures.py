"""The paper's figures 5 and S3, the point clouds of its authors' blog, and our error maps."""

from __future__ import annotations

from numpy.typing import NDArray

from minicoord.datasets.not_so_clevr import not_so_clevr
from minicoord.datasets.splits import split as split_data
from minicoord.experiments.records.figures import (
    Drawn,
    MissingRecordsError,
    RecordFigure,
    best_maps,
    best_of,
    of_variant,
    runs_of,
)
from minicoord.experiments.records.reading import KeptRuns
from minicoord.experiments.regression.regressors import (
    conv_fc_regressor,
    coordconv_regressor,
    fully_convolutional_regressor,
)
from minicoord.experiments.regression.settings import MODELS
from minicoord.experiments.supervised.experiment import PARTS, SPLITS


def _quadrant(kept: KeptRuns) -> Drawn:
    """Draw figure 5: classification on the left, regression by the fully convolutional network on the right."""
    from minicoord.plots import quadrant_figure

    data = not_so_clevr()
    parts = split_data(data, "quadrant")
    truths = {name: data.one_hot(getattr(parts, name)).sum(axis=(0, 3)) for name in PARTS}
    maps, map_runs, map_counts = _side(kept, "classification", ("conv", "coordconv"), "left")
    clouds, cloud_runs, cloud_counts = _side(kept, "regression", MODELS[1:], "right")
    if not maps and not clouds:
        raise MissingRecordsError("no arrays are kept of runs of classification or regression on the quadrant split")
    clouds = {"conv" if model == "conv-full" else model: arrays for model, arrays in clouds.items()}
    note = f"the best runs: {'; '.join([*map_counts, *cloud_counts])}"
    return Drawn(quadrant_figure({"truth": truths, **maps}, clouds, note=note), "; ".join([*map_runs, *cloud_runs]))


def _side(
    kept: KeptRuns, experiment: str, models: tuple[str, ...], side: str
) -> tuple[dict[str, dict[str, NDArray]], list[str], list[str]]:
    """Return the arrays for one side of figure 5, the names of their runs, and out of how many these are the best."""
    try:
        runs = [r for r in runs_of(kept, experiment, models) if r["variant"] == "quadrant"]
    except MissingRecordsError:
        runs = []
    arrays, names = best_maps(kept, runs, "quadrant")
    if not names:
        return arrays, [f"no arrays of {experiment}"], []
    return arrays, names, [f"{side} out of {best_of(runs, ['quadrant'])}"]


def _regressors(_: KeptRuns) -> Drawn:
    from minicoord.plots import architectures

    shape = (64, 64, 1)
    networks = {
        "conv + FC, for the uniform split": (conv_fc_regressor(1, 0), shape),
        "fully convolutional, for quadrant": (fully_convolutional_regressor(1, 0), shape),
        "CoordConv, for both": (coordconv_regressor(rng=0), shape),
    }
    return Drawn(architectures(networks), "the networks")


def _clouds(kept: KeptRuns) -> Drawn:
    from minicoord.plots import regression_clouds

    runs = runs_of(kept, "regression", MODELS)
    found = {split: best_maps(kept, runs, split) for split in SPLITS}
    if not any(arrays for arrays, _ in found.values()):
        raise MissingRecordsError("no arrays are kept of runs of regression")
    names = [name for _, names_of_split in found.values() for name in names_of_split]
    title = f"the best run of each network on each split (out of {best_of(runs, SPLITS)})"
    clouds = regression_clouds({split: arrays for split, (arrays, _) in found.items()}, title=title)
    return Drawn(clouds, "; ".join(names))


FIGURES: dict[str, RecordFigure] = {
    "figure-5": RecordFigure(
        "the quadrant split: softmax sums of classification, point clouds of regression", _quadrant
    ),
    "figure-s3": RecordFigure("the layers of the regression networks", _regressors),
    "blog-10": RecordFigure("regression: point clouds of all networks on both splits", _clouds),
    **{
        f"error-maps-{split}": RecordFigure(
            f"ours: regression error over the canvas, {split} split",
            of_variant("regression", MODELS, split, "error_maps"),
        )
        for split in SPLITS
    },
}
