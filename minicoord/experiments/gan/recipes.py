"""Two ways to train: that of the official code, and one that is stable."""

from __future__ import annotations

from typing import NamedTuple


class Recipe(NamedTuple):
    """How the two networks are trained against each other.

    Attributes
    ----------
    loss : str
        A key of `minicoord.experiments.gan.losses.LOSSES`.
    generator_steps : int
        Steps of the generator after each one of the discriminator, all on the same random vectors.
    lr_d, lr_g : float
        Learning rates of Adam, for the discriminator and the generator.
    beta1, beta2 : float
        Of both.
    spectral : bool
        Whether the discriminator has spectral normalisation in place of batch normalisation.
    normalised : bool
        Whether the CoordConv generator has batch normalisation after each layer, and a tanh at the end. In the official
        code the convolutional generator has both, and the CoordConv generator neither.
    """

    loss: str
    generator_steps: int
    lr_d: float
    lr_g: float
    beta1: float
    beta2: float
    spectral: bool
    normalised: bool


RECIPES: dict[str, Recipe] = {
    "stable": Recipe("hinge", 1, 4e-4, 2e-4, 0.5, 0.99, spectral=True, normalised=True),
    "official": Recipe("non-saturating", 2, 1e-4, 5e-4, 0.9, 0.99, spectral=False, normalised=False),
}
