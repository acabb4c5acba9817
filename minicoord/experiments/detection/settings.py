"""The settings of detection and its presets.

The paper and its code say nothing of the optimiser, the learning rate and the number of epochs of the published runs.
All networks of a preset have the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from minicoord.experiments.detection.losses import BOX_LOSSES
from minicoord.experiments.detection.networks import PLACES
from minicoord.experiments.frame.settings import Settings, setting
from minicoord.train.optim import SGD, Adam
from minicoord.train.schedules import ConstantSchedule, CosineSchedule, Schedule

COORDS: dict[str, tuple[str, ...]] = {
    "conv": (),
    "coordconv": PLACES,
    **{f"coordconv-{place}": (place,) for place in PLACES},
}
"""The networks that are compared, and where each has coordinates."""

PADDINGS = ("valid", "same")
DIGITS = 5  # whose centres lie in an image
BETA2 = 0.99  # of Adam, as in all runs of the official code


@dataclass(frozen=True, kw_only=True)
class DetectionSettings(Settings):
    """How a network is trained, on which images, and what counts as right.

    Attributes
    ----------
    epochs : int
        Passes over the training images.
    lr : float
        Initial learning rate.
    images, test_images : int
        How many images are trained on and tested on; the paper has 9,000 and 1,000.
    batch : int
        Images per training step; 1 in the official code.
    optimiser : {"adam", "sgd"}
        ``"sgd"`` has a momentum of .9, which is what the official code does unless it is told otherwise.
    schedule : {"constant", "cosine"}
        The learning rate over the epochs; ``"cosine"`` is half a cosine wave down to zero.
    l2 : float
        Strength of the penalty ``l2 * sum(w^2)`` on convolution kernels.
    box_loss : {"published", "standard"}
        See `minicoord.experiments.detection.losses.box_loss`.
    official_anchors : bool
        Whether anchors are scrambled as in the official code, see `minicoord.experiments.detection.anchors.anchors`.
    clip : bool
        Whether boxes, those of the digits too, are clipped to the image before their IOU is taken.
    rank_by : {"logits", "probability"}
        What decides which boxes are kept. In float32, the official code's probabilities are rounded to exactly 1 for
        many boxes of a trained network, and of these the topmost and leftmost are kept.
    scattered : int
        Digits on the field of 120 x 120 pixels, of which five have their centre in the image; the others may reach in.
    stick_out : bool
        Whether digits may stick out of the image, as in the paper; if not, each lies within it.
    """

    epochs: int = setting("passes over the training images")
    lr: float = setting("initial learning rate")
    images: int = setting("images to train on", 9000)
    test_images: int = setting("images to test on", 1000)
    batch: int = setting("images per training step", 16)
    optimiser: str = setting("what makes the loss fall", "adam", choices=("adam", "sgd"))
    schedule: str = setting("how the learning rate changes over the epochs", "cosine", choices=("constant", "cosine"))
    l2: float = setting("strength of the L2 penalty, l2 * sum(w^2), on convolution kernels", 0.0)
    box_loss: str = setting("loss of the boxes that hold a digit", "published", choices=BOX_LOSSES)
    official_anchors: bool = setting("scramble the anchors as the official code does", False)
    clip: bool = setting("clip boxes to the image before their IOU is taken", False)
    rank_by: str = setting("what decides which boxes are kept", "logits", choices=("logits", "probability"))
    scattered: int = setting("digits on the field, five of them with their centre in the image", DIGITS)
    stick_out: bool = setting("let digits stick out of the image, as in the paper", True)

    def check(self) -> None:
        """Raise ValueError if the digits cannot be scattered so."""
        if self.scattered < DIGITS:
            raise ValueError(f"scattered was {self.scattered}, wanted {DIGITS} or more")
        if not self.stick_out and self.scattered != DIGITS:
            raise ValueError(f"scattered was {self.scattered} and stick_out off, which is possible with {DIGITS} only")

    def descent(self) -> Adam | SGD:
        """Return the optimiser."""
        return Adam(self.lr, beta2=BETA2, l2=self.l2) if self.optimiser == "adam" else SGD(self.lr, l2=self.l2)

    def learning_rates(self) -> Schedule:
        """Return the schedule of the learning rate over the epochs."""
        return ConstantSchedule(self.lr) if self.schedule == "constant" else CosineSchedule(self.lr, self.epochs)


PRESETS: dict[str, dict[str, DetectionSettings]] = {
    "quick": dict.fromkeys(COORDS, DetectionSettings(epochs=6, lr=0.001, images=3000, test_images=500)),
    "paper": dict.fromkeys(COORDS, DetectionSettings(epochs=10, lr=0.001)),
}
