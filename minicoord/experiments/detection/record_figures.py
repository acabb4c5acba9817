"""The figures of detection that are drawn from records: those of a run, from the best run of each network."""

from __future__ import annotations

from collections.abc import Callable

from minicoord import experiments
from minicoord.experiments.detection.comparison import PAPER_CHANGE, changes
from minicoord.experiments.detection.depends import comparable, rows
from minicoord.experiments.detection.settings import COORDS
from minicoord.experiments.records.figures import (
    Drawn,
    MissingRecordsError,
    RecordFigure,
    counts,
    of_variant,
    runs_of,
)
from minicoord.experiments.records.reading import KeptRuns

PADDING = "valid"  # the one that runs by default


def _arrays(name: str) -> Callable[[KeptRuns], Drawn]:
    return of_variant("detection", tuple(COORDS), PADDING, name)


def _curves(kept: KeptRuns) -> Drawn:
    from minicoord.plots import detection_curves

    runs = [r for r in runs_of(kept, "detection", tuple(COORDS)) if r["variant"] == PADDING]
    if not runs:
        raise MissingRecordsError(f"no run of detection with padding {PADDING} is recorded")
    return Drawn(detection_curves(runs, PADDING), counts(runs))


def _depends(kept: KeptRuns) -> Drawn:
    from minicoord.plots import relative_changes

    runs = [record for record in kept.records if record["experiment"] == "detection"]
    found = comparable(changes(runs, experiments.get("detection").differences))
    if not found:
        raise MissingRecordsError("no two runs of detection make a pair: the same seed and settings, two networks")
    pairs = sum(len(change.before) for change in found)
    figure = relative_changes(rows(found), "the test IOU by coordinates", PAPER_CHANGE)
    return Drawn(figure, f"{pairs} pairs; in brackets the mean IOU of convolution")


FIGURES: dict[str, RecordFigure] = {
    "detection-kept-boxes": RecordFigure("detection: kept boxes beside the digits", _arrays("kept_boxes")),
    "detection-sampled-boxes": RecordFigure("detection: boxes that the loss sees", _arrays("sampled_boxes")),
    "detection-curves": RecordFigure("detection: IOU and recall over the epochs", _curves),
    "detection-depends": RecordFigure("detection: on what the effect of coordinates depends", _depends),
    "detection-missed-digits": RecordFigure(
        "detection: where on the canvas digits are missed", _arrays("missed_digits")
    ),
}
