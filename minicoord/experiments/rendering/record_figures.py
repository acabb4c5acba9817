"""The paper's figures 6 and S1, and our figures of drawn squares."""

from __future__ import annotations

from minicoord.experiments.classification.painters import coordconv_painter, deconv_painter
from minicoord.experiments.records.figures import Drawn, RecordFigure, counts, of_variant, runs_of
from minicoord.experiments.records.reading import KeptRuns
from minicoord.experiments.rendering.renderers import coordconv_renderer
from minicoord.experiments.supervised.experiment import SPLITS

PAINTERS = ("conv", "coordconv")


def _overlap(kept: KeptRuns) -> Drawn:
    from minicoord.plots import overlap_figure

    runs = runs_of(kept, "rendering", PAINTERS)
    return Drawn(overlap_figure(runs), counts(runs))


def _painters(_: KeptRuns) -> Drawn:
    from minicoord.plots import architectures

    networks = {
        "deconvolution painter, c = 2, fs = 3": (deconv_painter(2, 3, rng=0), (2,)),
        "CoordConv classifier": (coordconv_painter(0), (2,)),
        "CoordConv renderer, fs = 3": (coordconv_renderer(3, 1, 0), (2,)),
    }
    return Drawn(architectures(networks), "the networks")


FIGURES: dict[str, RecordFigure] = {
    "figure-6": RecordFigure("rendering: final IOU, and IOU against training time", _overlap),
    "figure-s1": RecordFigure("the layers of the classification and rendering networks", _painters),
    **{
        f"squares-{split}": RecordFigure(
            f"ours: target and drawn squares, {split} split",
            of_variant("rendering", PAINTERS, split, "drawn_squares"),
        )
        for split in SPLITS
    },
}
