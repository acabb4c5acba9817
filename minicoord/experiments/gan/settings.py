"""The settings of the GAN and its presets.

The length of the random vector and the number of steps of the published runs are not known: those of the preset
``paper`` are the official code's, 256 and 50 passes over 50,000 images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from minicoord.datasets.two_objects import SIZES
from minicoord.experiments.frame.settings import Settings, setting
from minicoord.experiments.gan.recipes import RECIPES, Recipe


class Arm(NamedTuple):
    """Which of the two networks have coordinates: the generator, made of CoordConv, and the discriminator."""

    generator: bool
    discriminator: bool


ARMS: dict[str, Arm] = {
    "conv": Arm(False, False),
    "coordconv": Arm(True, True),
    "coordconv-g": Arm(True, False),
    "coordconv-d": Arm(False, True),
}
"""The networks that are compared. The last one, which the paper does not have, is a control: coordinates help the
discriminator alone to say where an object should be."""


@dataclass(frozen=True, kw_only=True)
class GanSettings(Settings):
    """How long two networks are trained, on which images, and how large they are.

    Attributes
    ----------
    steps : int
        Steps of the discriminator.
    every : int
        Steps from one report to the next: a row of the history, a checkpoint, and samples.
    batch : int
        Images per step.
    images : int
        How many different images of two objects there are to train on.
    canvas : {32, 64}
        Side of the images in pixels.
    width : int
        Channels of the largest map; see ``networks.py``.
    z : int
        Length of the random vector, of numbers in [-1, 1].
    photos : str or None
        A folder with photos of one's own, all of which are trained on in place of the two objects; see ``data.py``.
    lr_d, lr_g : float or None
        Learning rates of discriminator and generator; None for those of the recipe.
    """

    steps: int = setting("steps of the discriminator")
    every: int = setting("steps from one report to the next")
    batch: int = setting("images per step", 16)
    images: int = setting("different images to train on", 50_000)
    canvas: int = setting("side of the images in pixels", 32, choices=tuple(SIZES))
    width: int = setting("channels of the largest map", 32)
    z: int = setting("length of the random vector", 64)
    photos: str | None = setting("folder with photos of your own, in place of the two objects", None)
    lr_d: float | None = setting("learning rate of the discriminator, in place of the recipe's", None)
    lr_g: float | None = setting("learning rate of the generator, in place of the recipe's", None)

    def check(self) -> None:
        """Raise ValueError if there are too few images for a step."""
        if self.images < self.batch:
            raise ValueError(f"images was {self.images}, wanted at least {self.batch}, those of a step")

    def recipe(self, name: str) -> Recipe:
        """Return a recipe, with the learning rates that are set here."""
        changes = {key: rate for key in ("lr_d", "lr_g") if (rate := getattr(self, key)) is not None}
        return RECIPES[name]._replace(**changes)


PRESETS: dict[str, dict[str, GanSettings]] = {
    "quick": dict.fromkeys(ARMS, GanSettings(steps=1500, every=250)),
    "record": dict.fromkeys(ARMS, GanSettings(steps=6000, every=250)),
    "paper": dict.fromkeys(ARMS, GanSettings(steps=156_250, every=3125, canvas=64, width=64, z=256)),
}
