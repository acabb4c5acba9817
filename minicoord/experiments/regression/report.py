"""What there is to say about regression runs: the table, the figures, the networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minicoord.experiments.regression.regressors import (
    conv_fc_regressor,
    coordconv_regressor,
    fully_convolutional_regressor,
)
from minicoord.experiments.supervised.report import band, beside, maps_of, table

# The paper says in words and in point clouds what became of each network, and gives no errors.
PAPER = {
    ("conv-fc", "uniform"): "good",
    ("conv-fc", "quadrant"): "fails",
    ("conv-full", "uniform"): "poor",
    ("conv-full", "quadrant"): "in part",
    ("coordconv", "uniform"): "fits",
    ("coordconv", "quadrant"): "fits",
}


def summary_table(results: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """Return what was measured beside the paper's words, one row per model and split; over several seeds a median."""

    def cells(some: Any) -> dict[str, str]:
        return {
            "train error": band(some, "train_distance", unit=" px", digits=2),
            "test error": beside(
                band(some, "test_distance", unit=" px", digits=2), PAPER.get((some[0]["model"], some[0]["split"]))
            ),
            "worst test error": band(some, "test_worst", unit=" px", digits=1),
            "right pixel": band(some, "test_accuracy", 100, " %"),
        }

    return table(results, cells, {})


def notes(results: Sequence[dict[str, Any]]) -> list[str]:
    """Return the sentences that belong below the table, so that nobody reads more into it than it holds."""
    return [
        "error: mean distance between the network's point and the lit pixel; right pixel: test points that round to it",
        "solved: mean error below half a pixel, train and test, after the last epoch; the length was fixed beforehand",
        "paper: its words for figure 5; it gives no errors in pixels",
    ]


def figures(results: Sequence[dict[str, Any]], out: Path) -> list[Path]:
    """Draw the point clouds, the error over the canvas and the error over time, for the first seed of each model.

    The files go to ``out/regression/PRESET``.
    """
    from minicoord.plots import error_maps, point_clouds, save_figure

    if not results:
        return []
    folder = Path(out) / "regression" / results[0]["preset"]
    paths = []
    for split in dict.fromkeys(r["split"] for r in results):
        of_models = {r["model"]: maps_of(r) for r in reversed(results) if r["split"] == split}
        of_models = dict(sorted(of_models.items()))
        paths.append(save_figure(point_clouds(of_models, split), folder / f"point-clouds-{split}.png"))
        paths.append(save_figure(error_maps(of_models, split), folder / f"error-maps-{split}.png"))
    return paths


def describe() -> list[dict[str, Any]]:
    """Return every network of the paper for this experiment: name, parameters and layers."""
    conv_fc = "three times Conv2D 3x3, ReLU and max pooling, Conv2D 3x3 and ReLU, then Dense 64, ReLU, Dense 2"
    full = "nine Conv2D (5x5, 3x3 and 1x1, five of stride 2) with ReLU, two batch norms, global mean"
    coordconv = "CoordConv2D 8 and Conv2D 8, 8 (1x1), Conv2D 8, 2 (3x3), no activation, global maximum"
    with_relu, with_mean = coordconv.replace("no activation", "ReLU between"), coordconv.replace("maximum", "mean")
    networks = [
        ("conv-fc m=1", conv_fc_regressor(1, 0), conv_fc),
        ("conv-fc m=2", conv_fc_regressor(2, 0), conv_fc),
        ("conv-full m=1", fully_convolutional_regressor(1, 0), full),
        ("conv-full m=2", fully_convolutional_regressor(2, 0), full),
        ("coordconv", coordconv_regressor(rng=0), coordconv),
        ("coordconv with r", coordconv_regressor(with_r=True, rng=0), coordconv),
        ("coordconv-relu", coordconv_regressor(rng=0, relu=True), with_relu),
        ("coordconv-mean", coordconv_regressor(rng=0, mean=True), with_mean),
        ("coordconv-relu-mean", coordconv_regressor(rng=0, relu=True, mean=True), with_relu.replace("maximum", "mean")),
    ]
    return [{"model": name, "parameters": net.n_params, "layers": layers} for name, net, layers in networks]
