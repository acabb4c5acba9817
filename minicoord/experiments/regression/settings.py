"""The settings of coordinate regression, its presets, and the grids for a sweep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from minicoord.experiments.frame.settings import setting
from minicoord.experiments.supervised.settings import TrainingSettings

MODELS = ("conv-fc", "conv-full", "coordconv")
# The CoordConv network with ReLU between its layers, or a mean at its end: the paper does not say that it has neither.
VARIANTS = {
    "coordconv-relu": {"relu": True},
    "coordconv-mean": {"mean": True},
    "coordconv-relu-mean": {"relu": True, "mean": True},
}
COORDCONVS = ("coordconv", *VARIANTS)


@dataclass(frozen=True, kw_only=True)
class RegressionSettings(TrainingSettings):
    """The settings of training, and those of the networks.

    Attributes
    ----------
    m : int
        Channel factor of the convolutional networks.
    init_scale : float
        Factor on the initial weights of the coordinate channels; 1 in the official code.
    start_at_mean : bool
        Whether the last bias is set so that the initial outputs have the mean of the training targets; it is 0 in the
        official code.
    """

    m: int = setting("channel factor of the convolutional networks", 1, models=("conv-fc", "conv-full"))
    init_scale: float = setting("factor on the initial weights of the coordinate channels", 1.0, models=COORDCONVS)
    start_at_mean: bool = setting("set the last bias so that initial outputs have the mean of the targets", False)


Preset = RegressionSettings

PRESETS: dict[str, dict[str, Preset]] = {
    "quick": {
        "conv-fc": Preset(epochs=12, lr=0.001, l2=1e-5, schedule="cosine", batch_size=32, m=1),
        "conv-full": Preset(epochs=20, lr=0.002, l2=1e-5, schedule="cosine", batch_size=32, m=1),
        # Small initial weights of the coordinate channels (see `coordconv_regressor`), and initial outputs at the mean
        # of the targets (see `start_at_mean`): with both, the lit pixel is the maximum from the first step to the last.
        **dict.fromkeys(
            COORDCONVS,
            Preset(epochs=5, lr=0.003, l2=1e-5, schedule="cosine", batch_size=32, init_scale=0.03, start_at_mean=True),
        ),
    },
    # From the official logs: the only setting of CoordConv, and the middle of the grid of the convolutional networks.
    "paper": {
        "conv-fc": Preset(epochs=100, lr=0.001, l2=1e-4, batch_size=256, m=1),
        "conv-full": Preset(epochs=100, lr=0.001, l2=1e-4, batch_size=256, m=1),
        **dict.fromkeys(COORDCONVS, Preset(epochs=100, lr=0.01, l2=1e-5, batch_size=256)),
    },
}

BOTH = ["uniform", "quadrant"]
_convs = {"preset": "paper", "model": ["conv-fc", "conv-full"], "split": BOTH}
_quick = {"preset": "quick", "model": "coordconv", "split": BOTH}

# "paper" has the runs of the official logs, "record" those of them that were run for lessons/results. The quick preset
# was chosen on seeds 0, 1, ...; how good the choice is shows on fresh seeds.
GRIDS: dict[str, list[dict[str, Any]]] = {
    "quick": [{"preset": "quick", "model": list(MODELS), "split": BOTH}],
    "paper": [
        {**_convs, "lr": [0.0005, 0.001, 0.01], "l2": [0.00001, 0.0001, 0.0005]},
        {"preset": "paper", "model": "coordconv", "split": BOTH},
    ],
    "record": [
        {"preset": "paper", "model": "coordconv", "split": BOTH, "seed": [0, 1, 2]},
        {**_convs, "lr": [0.001, 0.01]},
        {"preset": "paper", "model": list(VARIANTS), "split": BOTH},
    ],
    "seeds": [{**_quick, "seed": list(range(20))}],
    "fresh": [{**_quick, "seed": list(range(200, 220))}],
    # The same with other seeds, after the kernels were rebuilt: their last bits differ.
    "again": [{**_quick, "seed": list(range(300, 320))}],
}
