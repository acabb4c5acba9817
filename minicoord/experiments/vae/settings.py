"""The settings of the VAE and its presets.

The paper shows a VAE on these images and says nothing of its networks, the length of its codes, its loss or its
training, as far as we know. The lengths, the batch and the learning rate of the preset ``full`` are those of a public
VAE with CoordConv (dariocazzani, on digits); the weight of the KL divergence is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from minicoord.datasets.two_objects import SIZES
from minicoord.experiments.frame.settings import Settings, setting

ARMS: dict[str, bool] = {"conv": False, "coordconv": True}
"""The networks that are compared: whether encoder and decoder have coordinates."""


@dataclass(frozen=True, kw_only=True)
class VaeSettings(Settings):
    """How long an autoencoder is trained, on which images, and how large it is.

    Attributes
    ----------
    steps : int
        Steps of training.
    every : int
        Steps from one report to the next: a row of the history, and a checkpoint.
    batch : int
        Images per step.
    images : int
        How many different images there are to train on.
    canvas : {32, 64}
        Side of the images in pixels.
    width : int
        Channels of the largest map; see ``networks.py``.
    z : int
        Numbers of a code.
    beta : float
        Weight of the KL divergence. The loss of an image is its squared error, summed over pixels and channels in
        [-1, 1], plus `beta` times the divergence in nats: up to a factor, the negative evidence bound of a decoder
        whose pixels have normal noise with a variance of ``beta / 2``.
    lr : float
        Learning rate of Adam.
    """

    steps: int = setting("steps of training")
    every: int = setting("steps from one report to the next")
    batch: int = setting("images per step", 128)
    images: int = setting("different images to train on", 50_000)
    canvas: int = setting("side of the images in pixels", 32, choices=tuple(SIZES))
    width: int = setting("channels of the largest map", 16)
    z: int = setting("numbers of a code", 32)
    beta: float = setting("weight of the KL divergence beside the squared error of an image", 4.0)
    lr: float = setting("learning rate of Adam", 0.001)

    def check(self) -> None:
        """Raise ValueError if there are too few images for a step, or too few numbers for a map of the codes."""
        if self.images < self.batch:
            raise ValueError(f"images was {self.images}, wanted at least {self.batch}, those of a step")
        if self.z < 2:
            raise ValueError(f"z was {self.z}, wanted at least 2, for a map of the codes")


PRESETS: dict[str, dict[str, VaeSettings]] = {
    "quick": dict.fromkeys(ARMS, VaeSettings(steps=1000, every=200)),
    "record": dict.fromkeys(ARMS, VaeSettings(steps=2500, every=250)),
    "full": dict.fromkeys(ARMS, VaeSettings(steps=5000, every=250, canvas=64, width=32)),
}
