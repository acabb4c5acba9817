"""The figures of detection that are drawn from records: those of a run, from the best run of each network."""

from __future__ import annotations

from collections.abc import Callable

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


FIGURES: dict[str, RecordFigure] = {
    "detection-kept-boxes": RecordFigure("detection: kept boxes beside the digits", _arrays("kept_boxes")),
    "detection-sampled-boxes": RecordFigure("detection: boxes that the loss sees", _arrays("sampled_boxes")),
    "detection-curves": RecordFigure("detection: IOU and recall over the epochs", _curves),
    "detection-missed-digits": RecordFigure(
        "detection: where on the canvas digits are missed", _arrays("missed_digits")
    ),
}
