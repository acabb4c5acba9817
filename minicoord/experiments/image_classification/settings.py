"""The settings of image classification, its presets, and the grids for a sweep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from minicoord.experiments.frame.settings import Settings, setting
from minicoord.experiments.image_classification.networks import MODELS
from minicoord.train.optim import AdamW
from minicoord.train.schedules import CosineSchedule


@dataclass(frozen=True, kw_only=True)
class ImageClassificationSettings(Settings):
    """How a network is trained, and on which images.

    Attributes
    ----------
    epochs : int
        Passes over the training images.
    lr : float
        Initial learning rate of AdamW, which falls to zero along half a cosine wave.
    decay : float
        Decoupled weight decay of convolution kernels.
    batch_size : int
        Images per step.
    train_images : int or None
        How many training images are used, the first of the set; None for all.
    data : str or None
        Folder with the four files of Fashion-MNIST; None for the 6,000 + 2,000 images that ship with minicoord.
    """

    epochs: int = setting("passes over the training images")
    lr: float = setting("initial learning rate of AdamW, which falls to zero along a cosine", 0.01)
    decay: float = setting("decoupled weight decay of convolution kernels", 0.01)
    batch_size: int = setting("images per training step", 64)
    train_images: int | None = setting("training images that are used; by default all", None)
    data: str | None = setting("folder with all of Fashion-MNIST; by default the images that ship with minicoord", None)

    def check(self) -> None:
        """Raise ValueError if AdamW refuses a value."""
        self.optimiser()

    def optimiser(self) -> AdamW:
        """Return AdamW with the initial learning rate."""
        return AdamW(self.lr, decay=self.decay)

    def learning_rates(self) -> CosineSchedule:
        """Return the schedule of the learning rate over the epochs."""
        return CosineSchedule(self.lr, self.epochs)


Preset = ImageClassificationSettings

# One preset for all three networks: what differs between them must be the network alone.
PRESETS: dict[str, dict[str, Preset]] = {
    "quick": dict.fromkeys(MODELS, Preset(epochs=4, train_images=3000)),
    "full": dict.fromkeys(MODELS, Preset(epochs=10)),
}

VARIANTS = ("centred", "shifted")
_full = {"preset": "full", "model": list(MODELS), "images": list(VARIANTS)}

GRIDS: dict[str, list[dict[str, Any]]] = {
    "quick": [{"preset": "quick", "model": list(MODELS), "images": list(VARIANTS), "seed": [0, 1]}],
    # The recipe was chosen on seeds 0 and 1.
    "record": [{**_full, "seed": list(range(2, 12))}],
}
