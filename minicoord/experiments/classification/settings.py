"""The settings of coordinate classification and its presets."""

from __future__ import annotations

from dataclasses import dataclass

from minicoord.experiments.frame.settings import setting
from minicoord.experiments.supervised.settings import TrainingSettings

DECONVS = ("conv", "conv-no-bn")


@dataclass(frozen=True, kw_only=True)
class ClassificationSettings(TrainingSettings):
    """The settings of training, and those of the networks.

    Attributes
    ----------
    c, fs : int
        Channel factor of the deconvolution network, and its kernel size in pixels.
    init_scale : float
        Factor on the initial weights of the CoordConv network; 1 in the official code.
    raw_input : bool
        Whether the inputs are pixel numbers 4..59, as in the official code, instead of scaled to [-1, 1].
    """

    c: int = setting("channel factor of the deconvolution network", 2, models=DECONVS)
    fs: int = setting("kernel size of the deconvolution network in pixels", 3, models=DECONVS)
    init_scale: float = setting("factor on the initial weights of the CoordConv network", 1.0, models=["coordconv"])
    raw_input: bool = setting("feed centres as pixel numbers, as the official code does, not scaled to [-1, 1]", False)


Preset = ClassificationSettings

PRESETS: dict[str, dict[str, Preset]] = {
    "quick": {
        # With the penalty and the constant learning rate of the official setting, so short a run learns almost nothing.
        "conv": Preset(epochs=12, lr=0.01, l2=0.0, schedule="cosine", c=1, fs=3),
        "conv-no-bn": Preset(epochs=12, lr=0.002, l2=0.0, schedule="cosine", c=1, fs=3),
        # On the quadrant split a network that fits the training set need not generalise to the fourth quarter. With a
        # strong L2 penalty most seeds do. With initial weights of half the size all but one of the others do as well
        # (101 ended at 57 %), and with three tenths that one, too. README.md has the runs.
        "coordconv": Preset(epochs=6, lr=0.01, l2=0.003, schedule="cosine", init_scale=0.3),
    },
    # One setting of the official grids for each: for conv from the README of the official code, for CoordConv from its
    # logs.
    "paper": {
        "conv": Preset(epochs=1000, lr=0.01, l2=0.001, schedule="step", c=2, fs=3),
        # The setting of the grid with which a re-implementation without batch norm reached 85.8 % on the uniform test.
        "conv-no-bn": Preset(epochs=1000, lr=0.002, l2=0.0, schedule="step", batch_size=32, c=3, fs=2),
        "coordconv": Preset(epochs=50, lr=0.005, l2=0.001),
    },
}
