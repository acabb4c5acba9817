"""What there is to say about rendering runs: the table beside the paper's numbers, the figures, the networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minicoord.experiments.classification.painters import deconv_painter
from minicoord.experiments.rendering.renderers import coordconv_renderer
from minicoord.experiments.supervised.report import band, beside, maps_of, table

# The best test overlap that the paper reports of each kind, and the seconds on the axis of figure 6.
PAPER = {("conv", "uniform"): ".83", ("conv", "quadrant"): ".36", ("coordconv", "uniform"): ".9 to 1.0"}
PAPER[("coordconv", "quadrant")] = ".9 to 1.0"
PAPER_SECONDS = {
    ("conv", "uniform"): "over two hours",
    ("coordconv", "uniform"): "about a minute",
    ("coordconv", "quadrant"): "about a minute",
}


def summary_table(results: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the paper's numbers beside the measured ones, one row per model and split; over several seeds a median."""

    def cells(some: Any) -> dict[str, str]:
        paper = PAPER.get((some[0]["model"], some[0]["split"]))
        return {
            "train IOU": band(some, "train_iou", digits=3),
            "test IOU": beside(band(some, "test_iou", digits=3), paper),
            "worst square": band(some, "test_worst_iou", digits=2),
            "perfect squares": band(some, "test_perfect", 100, " %"),
        }

    return table(results, cells, PAPER_SECONDS)


def notes(results: Sequence[dict[str, Any]]) -> list[str]:
    """Return the sentences that belong below the table, so that nobody reads more into it than it holds."""
    lines = [
        "IOU: pixels that are drawn and wanted, over those that are either; a mean over the squares",
        "solved: mean IOU above .98, train and test, after the last epoch; the length was fixed beforehand",
        "paper: its best networks, and times on its hardware",
    ]
    if any(r["model"] == "conv" and r["preset"] == "quick" for r in results):
        lines.append("conv, quick preset: a short run of a small network, to see how it fails")
    return lines


def figures(results: Sequence[dict[str, Any]], out: Path) -> list[Path]:
    """Draw the squares of the first seed of each model, and test against train overlap of all runs.

    The files go to ``out/rendering/PRESET``.
    """
    from minicoord.plots import drawn_squares, overlap_figure, save_figure

    if not results:
        return []
    folder = Path(out) / "rendering" / results[0]["preset"]
    paths = [save_figure(overlap_figure(results), folder / "overlap.png")]
    for split in dict.fromkeys(r["split"] for r in results):
        of_models = {r["model"]: maps_of(r) for r in reversed(results) if r["split"] == split}
        paths.append(save_figure(drawn_squares(of_models, split), folder / f"squares-{split}.png"))
    return paths


def describe() -> list[dict[str, Any]]:
    """Return every network of the paper for this experiment: name, parameters and layers."""
    rows = []
    for fs in (1, 3, 4):
        for m in (1, 2):
            net = coordconv_renderer(fs, m, 0)
            tail = ", ".join(str(width * m) for width in (8, 8, 16, 16))
            layers = f"the CoordConv classifier, Softmax, Conv2D {tail} and 1; kernel {fs}x{fs}, ReLU between"
            rows.append({"model": f"coordconv fs={fs} m={m}", "parameters": net.n_params, "layers": layers})
    for c in (1, 2, 3):
        for fs in (2, 3, 4):
            net = deconv_painter(c, fs, rng=0)
            layers = f"the deconvolution network of classification, kernel {fs}x{fs}"
            rows.append({"model": f"conv c={c} fs={fs}", "parameters": net.n_params, "layers": layers})
    return rows
