"""Grids of settings for sweeps of detection.

Learning rate and length of the published runs are not known: ``depends`` has the runs from which ours were chosen, on
seeds 0 and 1, and ``fresh`` those that are reported, on seeds which had no part in the choice: with
the anchors where they belong, and with those of the released code.
"""

from __future__ import annotations

from typing import Any

from minicoord.experiments.detection.settings import COORDS, PADDINGS

BOTH = ["conv", "coordconv"]
SEEDS = list(range(100, 105))

_paper = {"preset": "paper", "model": BOTH, "padding": "valid"}
_short = {**_paper, "images": 3000, "seed": [0, 1]}

GRIDS: dict[str, list[dict[str, Any]]] = {
    "fresh": [
        {**_paper, "seed": SEEDS},
        {**_paper, "official_anchors": True, "seed": SEEDS},
        {**_paper, "model": [model for model in COORDS if model not in BOTH], "seed": SEEDS},
    ],
    "padding": [{**_paper, "padding": list(PADDINGS), "seed": SEEDS}],
    # On what does the effect of coordinates depend? One change at a time, on a third of the images.
    "depends": [
        _short,
        {**_short, "official_anchors": True},
        {**_short, "lr": [0.0003, 0.003]},
        {**_short, "padding": "same"},
        {**_short, "stick_out": False},
        {**_short, "scattered": 17},
        {**_short, "epochs": [3, 30]},
        {**_short, "clip": True},
        {**_short, "rank_by": "probability"},
        {**_short, "box_loss": "standard"},
        {**_short, "batch": [1, 64]},
        # As the official code trains unless it is told otherwise.
        {**_short, "optimiser": "sgd", "schedule": "constant", "lr": 0.001, "batch": 1, "epochs": 5},
    ],
}
