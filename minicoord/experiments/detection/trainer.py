"""Training: minibatches of images, of each of which the losses see a few boxes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.experiments.detection.data import detection_data
from minicoord.experiments.detection.detector import Detector
from minicoord.experiments.detection.losses import detection_loss
from minicoord.experiments.detection.networks import region_proposal_network
from minicoord.experiments.detection.settings import COORDS, DetectionSettings
from minicoord.experiments.frame.plan import Plan
from minicoord.train.means import SAMPLES
from minicoord.train.part_state import check_epochs, check_slots
from minicoord.train.trainer import Trainer


class DetectionTrainer(Trainer):
    """Trains a region proposal network; a step is a minibatch, a row of the history an epoch.

    Parameters
    ----------
    plan : Plan
        The run. Its seed decides the initial weights, the order of the images and the boxes that are drawn; networks
        with the same seed see the images in the same order.

    Attributes
    ----------
    detector : Detector
        The network that is trained, with its anchors.
    data : DetectionData
        The images.
    """

    def __init__(self, plan: Plan) -> None:
        settings: DetectionSettings = plan.settings
        self.settings, self.data = settings, detection_data(settings)
        net = region_proposal_network(COORDS[plan.model], plan.variant, np.random.default_rng(plan.seed))
        self.detector = Detector(net, plan.variant, settings.official_anchors, settings.clip, settings.rank_by)
        self.optimiser, self.learning_rates = settings.descent(), settings.learning_rates()
        self.order_rng, self.boxes_rng = (np.random.default_rng([plan.seed, stream]) for stream in (1, 2))
        batches = math.ceil(len(self.data.train) / settings.batch)
        parts = {"net": net, "optimiser": self.optimiser, "order": self.order_rng, "boxes": self.boxes_rng}
        super().__init__(settings.epochs * batches, batches, "epoch", **parts)
        self.epoch, self.batch = 0, 0  # epochs begun; the next batch of the current one
        self.order: NDArray[np.int64] = np.arange(len(self.data.train))

    def step(self) -> dict[str, float]:
        """Train on the next minibatch; before the first of an epoch, shuffle and set the learning rate.

        Raises
        ------
        FloatingPointError
            If a box or a loss is no longer finite.
        """
        if self.batch == 0:
            self._begin_epoch()
        size = self.settings.batch
        chosen = self.order[self.batch * size : (self.batch + 1) * size]
        self.batch = (self.batch + 1) % self.every
        images, truth = self.data.train.images[chosen], self.data.train.boxes[chosen]  # (N, 64, 64, 1), (N, 5, 4)
        transforms, logits = self.detector.branches(images, training=True)  # (N, A, 4), (N, A, 2)
        samples = self.detector.samples(self.detector.boxes(transforms), truth, self.boxes_rng)
        losses = detection_loss(transforms, logits, samples, self.detector.anchors, truth, self.settings.box_loss)
        if not math.isfinite(losses.box + losses.score):
            raise FloatingPointError(f"the loss became {losses.box + losses.score}: try a lower learning rate")
        self.detector.backward(losses.dtransforms, losses.dlogits)
        self.optimiser.step(self.detector.net)
        positives = sum(len(sample.positive) for sample in samples) / len(samples)
        return {"box_loss": losses.box, "score_loss": losses.score, "positives": positives, SAMPLES: len(chosen)}

    def columns(self) -> dict[str, float]:
        """Return the learning rate.

        Raises
        ------
        FloatingPointError
            If a parameter is no longer finite.
        """
        for name, array in self.detector.net.params.items():
            if not np.isfinite(array).all():
                raise FloatingPointError(f"{name} is no longer finite in epoch {self.epoch}: try a lower learning rate")
        return {"lr": self.optimiser.lr}

    def state(self) -> dict[str, Any]:
        """Return the state between two epochs: the order of the images is not part of it."""
        return {**super().state(), "epoch": {"done": self.epoch}}

    def restore(self, state: dict[str, Any]) -> None:
        """Return to a state between two epochs."""
        super().restore(state)
        self.batch, self.epoch = 0, int(state["epoch"]["done"])

    def check(self, state: dict[str, Any]) -> None:
        """Raise ValueError if a state is missing or does not fit; the optimiser's slots are those of the network."""
        super().check(state)
        check_slots("optimiser", state["optimiser"], self.detector.net)
        check_epochs(state)

    def _begin_epoch(self) -> None:
        self.epoch += 1
        self.optimiser.lr = float(self.learning_rates(self.epoch - 1))
        self.order = self.order_rng.permutation(len(self.data.train))
