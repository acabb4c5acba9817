"""The settings of rendering, its presets, and the grids for a sweep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from minicoord.experiments.frame.settings import setting
from minicoord.experiments.supervised.settings import TrainingSettings

DECONVS = ("conv", "conv-pointer", "upsample", "upsample-coords")
LOSSES = ("sigmoid", "sigmoid-sum", "sigmoid-lit", "squares")


@dataclass(frozen=True, kw_only=True)
class RenderingSettings(TrainingSettings):
    """The settings of training, and those below.

    Attributes
    ----------
    c : int
        Channel factor of a network without a CoordConv pointer.
    fs : int
        Side of the kernels of such a network, or of those that draw.
    m : int
        Channel factor of the layers that draw.
    init_scale : float
        A factor for the initial weights of the CoordConv pointer; the official code had 1.
    loss : {"sigmoid", "sigmoid-sum", "sigmoid-lit", "squares"}
        Cross-entropy: the mean over the pixels, the sum over those of an image, or that sum over the number of lit
        pixels. Or the squared error.
    pointer : float
        The weight of a second loss on the map before the softmax, which should point at the centre. The official code
        had it as an option, with weight 1; the paper does not mention it.
    pointer_loss : {"softmax", "squares"}
        That second loss: cross-entropy, or squared error against the image of one lit pixel.
    sharpen : bool
        Whether there is a softmax between the parts that point and draw; the official code could leave it out.
    raw_input : bool
        Feed pixel numbers 4..59, as the official code did, instead of [-1, 1].
    """

    c: int = setting("channel factor of a network without CoordConv", 2, models=DECONVS)
    fs: int = setting("side of its kernels, or of those that draw", 3)
    m: int = setting("channel factor of the layers that draw", 1, models=["coordconv", "drawer", "conv-pointer"])
    init_scale: float = setting("factor for the initial weights of CoordConv", 1.0, models=["coordconv"])
    loss: str = setting("of the drawing", "sigmoid", choices=LOSSES)
    pointer: float = setting("weight of a second loss, on the pointer", 0.0, models=["coordconv"])
    pointer_loss: str = setting("that loss", "softmax", choices=["softmax", "squares"], models=["coordconv"])
    sharpen: bool = setting("a softmax between pointer and drawing", True, models=["coordconv"])
    raw_input: bool = setting(
        "feed pixel numbers, as the official code did, not [-1, 1]", False, models=["coordconv", *DECONVS]
    )


Preset = RenderingSettings

PRESETS: dict[str, dict[str, Preset]] = {
    "quick": {
        # With the penalty and the constant rate of the official setting, so short a run learns next to nothing.
        "conv": Preset(epochs=12, lr=0.01, l2=0.0, schedule="cosine", c=1, fs=3),
        # A loss that tells the pointer where to point: from the squares alone the network learns to draw, but with a
        # blurred spot for a point, which goes astray in the fourth quarter. Weights decay by themselves, as in AdamW:
        # the penalty of classification takes the corners off the squares of some seeds, each of which hangs on one
        # product of weights.
        "coordconv": Preset(
            epochs=6,
            lr=0.01,
            l2=0.0,
            decay=0.1,
            schedule="cosine",
            init_scale=0.5,
            fs=3,
            m=1,
            loss="sigmoid-lit",
            pointer=1.0,
        ),
        "drawer": Preset(epochs=4, lr=0.005, l2=0.001, schedule="cosine", loss="sigmoid-lit", m=1),
        "conv-pointer": Preset(epochs=12, lr=0.01, l2=0.0, schedule="cosine", loss="sigmoid-lit", c=1),
        "upsample": Preset(epochs=12, lr=0.01, l2=0.0, schedule="cosine", c=1, fs=3),
        "upsample-coords": Preset(epochs=12, lr=0.01, l2=0.0, schedule="cosine", c=1, fs=3),
    },
    # One setting of the official grids for conv; the README of the official code for CoordConv.
    "paper": {
        "conv": Preset(epochs=1000, lr=0.01, l2=0.001, schedule="step", c=2, fs=3),
        "coordconv": Preset(epochs=50, lr=0.005, l2=0.001, fs=3, m=1),
    },
}

BOTH = ["uniform", "quadrant"]
_conv = {"preset": "paper", "model": "conv", "split": BOTH}
_coordconv = {"preset": "paper", "model": "coordconv", "split": BOTH}
_quick = {"preset": "quick", "model": "coordconv", "split": BOTH}

# "paper" has the official logs, "record" the part of them that was run for lessons/results. The quick recipe was chosen
# on seeds 0, 1, ...; what the choice is worth shows on the fresh ones.
GRIDS: dict[str, list[dict[str, Any]]] = {
    "quick": [{"preset": "quick", "model": ["conv", "coordconv"], "split": BOTH}],
    "paper": [
        {
            **_conv,
            "loss": ["sigmoid", "squares"],
            "lr": [0.001, 0.002, 0.005, 0.01, 0.02, 0.05],
            "l2": [0.0, 0.001, 0.01],
            "fs": [2, 3, 4],
            "c": [1, 2, 3],
            "batch_size": [16, 32],
        },
        {**_coordconv, "fs": 1, "m": [1, 2], "lr": [0.001, 0.005], "l2": [0.0, 0.001]},
    ],
    "record": [
        {**_coordconv, "fs": [1, 3], "m": 1, "l2": [0.0, 0.001]},
        {**_conv, "epochs": 200, "c": 2, "fs": [2, 3]},
    ],
    "seeds": [{**_quick, "seed": list(range(10))}],
    "fresh": [{**_quick, "seed": list(range(100, 110))}],
}
