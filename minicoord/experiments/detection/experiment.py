"""Detection: five digits in an image, found by a region proposal network with and without coordinates.

The paper reports a test IOU that is 24 % higher with coordinates, and calls the network Faster R-CNN; its code has the
first stage only, which proposes boxes and does not say which digit is in them. The variants are the two paddings of
the official code.

Where the released code has mistakes, this experiment has none: the anchors are those that were meant
(``official_anchors`` scrambles them as the code does), and negative boxes are taken also when there are few. The code
that made the images was never released; see `minicoord.datasets.digit_fields`. Optimiser, learning rate and length
are not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minicoord.experiments.detection.comparison import changes
from minicoord.experiments.detection.evaluation import (
    figure_arrays,
    iou_and_recall,
    losses_on,
    precisions,
    share_outside,
    yardsticks,
)
from minicoord.experiments.detection.grids import GRIDS
from minicoord.experiments.detection.metrics import mean_best_iou
from minicoord.experiments.detection.settings import COORDS, PADDINGS, PRESETS, DetectionSettings
from minicoord.experiments.detection.trainer import DetectionTrainer
from minicoord.experiments.frame.experiment import Experiment
from minicoord.experiments.frame.metrics import Metric, Results
from minicoord.experiments.frame.plan import Plan

MODELS = ("conv", "coordconv")
PAPER = {"coordconv": {"test_iou": "+24 %"}}


class Detection(Experiment):
    """Convolution against CoordConv in a region proposal network; on request with coordinates at one place alone.

    Examples
    --------
    >>> from minicoord import experiments
    >>> plan = experiments.get("detection").plan("coordconv-image", seed=3, epochs=2)
    >>> plan.name, plan.settings.images
    ('coordconv-image-valid-seed3-epochs=2', 3000)
    """

    name = "detection"
    title = "Detection of digits"
    paper_section = "supplement S6"
    Settings = DetectionSettings
    presets = PRESETS
    grids = GRIDS
    models = MODELS
    more_models = tuple(model for model in COORDS if model not in MODELS)
    variants = PADDINGS[:1]
    more_variants = PADDINGS[1:]
    variant_name = "padding"
    paper = PAPER
    metrics = (
        Metric("train_iou", "train IOU", digits=3),
        Metric("test_iou", "test IOU", digits=3, primary=True),
        Metric("test_recall_50", "recall at .5", " %", factor=100),
        Metric("test_recall_70", "recall at .7", " %", factor=100),
        Metric("test_ap_50", "AP50", digits=3),
        Metric("test_ap", "AP", digits=3),
    )

    def trainer(self, plan: Plan) -> DetectionTrainer:
        """Return the network with its anchors and images."""
        return DetectionTrainer(plan)

    def watch(self, trainer: DetectionTrainer) -> dict[str, float]:
        """Return the mean IOU of the kept boxes and two recalls, on the test images and on as many training images."""
        metrics: dict[str, float] = {}
        for part, images, truth in self._parts(trainer):
            found = trainer.detector.detect(images, truth)
            metrics |= {f"{part}_{key}": value for key, value in iou_and_recall(found).items()}
        return metrics

    def measure(self, trainer: DetectionTrainer) -> tuple[dict[str, float], dict[str, Any]]:
        """Return the metrics on the test images and on as many training images, and the arrays of the figures.

        Returns
        -------
        metrics : dict
            With the prefix ``train_`` or ``test_``: ``iou``, the IOU of the kept boxes with their best digit, averaged
            over boxes and images; ``recall_50`` and ``recall_70``, the share of digits that are found; ``ap_50`` and
            ``ap``, average precision. ``test_outside``: the share of kept boxes whose centre lies outside the image;
            ``test_iou_within``: the IOU if such boxes are never kept. ``test_box_loss`` and ``test_score_loss``: the
            losses, without a penalty.
        arrays : dict
            Those of `minicoord.experiments.detection.evaluation.figure_arrays`, for the test images.
        """
        detector, test = trainer.detector, trainer.data.test
        metrics: dict[str, float] = {}
        found = []
        for part, images, truth in self._parts(trainer):
            found = detector.detect(images, truth)
            metrics |= {f"{part}_{key}": value for key, value in (iou_and_recall(found) | precisions(found)).items()}
        within = detector.detect(test.images, test.boxes, within=True)
        metrics |= {"test_outside": share_outside(detector, found), "test_iou_within": mean_best_iou(within)}
        losses = losses_on(detector, test, trainer.settings.box_loss)
        metrics |= {f"test_{key}": value for key, value in losses.items()}
        return metrics, figure_arrays(detector, test, found)  # `found` is that of the last part, the test images

    def facts(self, trainer: DetectionTrainer) -> dict[str, Any]:
        """Return the number of training and of test images, and what a detector has to beat on the test images."""
        samples = {"train": len(trainer.data.train), "test": len(trainer.data.test)}
        return {"samples": samples, "yardsticks": yardsticks(trainer.detector, trainer.data.test)}

    def notes(self, results: Results) -> list[str]:
        """Return the notes below the table: what the numbers mean, what to compare them with, and the change."""
        lines = [
            "IOU: that of each kept box with its best digit, averaged over boxes and images, most likely the paper's",
            "recall: digits that one of the ten kept boxes of an image finds, at this IOU; AP as for COCO",
            "paper: it reports a relative change, without the values; optimiser, learning rate and length are unknown",
        ]
        measured = next((r["yardsticks"] for r in results if r.get("yardsticks")), None)
        if measured is not None:
            lines.append(
                f"ten random boxes have an IOU of {measured['random_iou']:.3f} and find "
                f"{100 * measured['random_recall_50']:.1f} % at .5; the best anchor of each digit has "
                f"an IOU of {measured['anchors_iou']:.3f}"
            )
        outside = {r["model"]: r["metrics"].get("test_outside") for r in reversed(results)}
        shares = [f"{model} {100 * share:.0f} %" for model, share in reversed(outside.items()) if share is not None]
        if shares:
            lines.append(f"kept boxes whose centre lies outside the image, first seed: {', '.join(shares)}")
        return lines + [change.sentence() for change in changes(results, self.differences)]

    def remarks(self, records: Results, folder: Path) -> list[str]:
        """Return by how much coordinates changed the test IOU, one sentence for each comparison."""
        of_mine = [record for record in records if record["experiment"] == self.name]
        return [change.sentence() for change in changes(of_mine, self.differences)]

    def figures(self, results: Results, folder: Path) -> list[Path]:
        """Draw kept boxes, sampled boxes, IOU and recall over the epochs, and where digits are missed."""
        from minicoord.experiments.detection.figures import draw

        return draw(results, folder)

    def record_figures(self) -> Mapping[str, Any]:
        """Return the figures that are drawn from records."""
        from minicoord.experiments.detection.record_figures import FIGURES

        return FIGURES

    def _parts(self, trainer: DetectionTrainer) -> list[tuple[str, Any, Any]]:
        """Return the name, the images and the digits of what is measured: the test images last."""
        train, test = trainer.data
        few = slice(0, len(test))
        return [("train", train.images[few], train.boxes[few]), ("test", test.images, test.boxes)]
