"""The settings of coordinate classification, its presets, and the grids for a sweep."""

from __future__ import annotations

from dataclasses import dataclass

from minicoord.experiments.frame.settings import setting
from minicoord.experiments.supervised.settings import TrainingSettings

DECONVS = ("conv", "conv-no-bn")


@dataclass(frozen=True, kw_only=True)
class ClassificationSettings(TrainingSettings):
    """The settings of training, and those below.

    Attributes
    ----------
    c, fs : int
        Channel factor of the deconvolution network, and side of its kernels.
    init_scale : float
        A factor for the initial weights of the CoordConv network; the official code had 1.
    raw_input : bool
        Feed pixel numbers 4..59, as the official code did, instead of [-1, 1].
    """

    c: int = setting("channel factor of the deconvolution network", 2, models=DECONVS)
    fs: int = setting("side of its kernels", 3, models=DECONVS)
    init_scale: float = setting("factor for the initial weights of CoordConv", 1.0, models=["coordconv"])
    raw_input: bool = setting("feed pixel numbers, as the official code did, not [-1, 1]", False)


Preset = ClassificationSettings

PRESETS: dict[str, dict[str, Preset]] = {
    "quick": {
        # With the penalty and the constant rate of the official setting, so short a run learns next to nothing.
        "conv": Preset(epochs=12, lr=0.01, l2=0.0, schedule="cosine", c=1, fs=3),
        "conv-no-bn": Preset(epochs=12, lr=0.002, l2=0.0, schedule="cosine", c=1, fs=3),
        # On the quadrant split a network that fits the training set need not generalise to the fourth quarter. A strong
        # L2 penalty leads most seeds there; initial weights of half the size all but one of those that were left (101,
        # which ended at 57 %), and of three tenths that one, too.
        "coordconv": Preset(epochs=6, lr=0.01, l2=0.003, schedule="cosine", init_scale=0.3),
    },
    # One setting of the official grids each; README of the official code for conv, its logs for CoordConv.
    "paper": {
        "conv": Preset(epochs=1000, lr=0.01, l2=0.001, schedule="step", c=2, fs=3),
        # The setting of the grid with which a re-implementation without batch norm reached 85.8 % on the uniform test.
        "conv-no-bn": Preset(epochs=1000, lr=0.002, l2=0.0, schedule="step", batch_size=32, c=3, fs=2),
        "coordconv": Preset(epochs=50, lr=0.005, l2=0.001),
    },
}
