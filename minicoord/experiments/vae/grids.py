"""Grids of runs for sweeps of the VAE: five seeds of both networks, and the runs that chose the weight of the KL.

``heavy`` asks whether what ``record`` shows depends on it: with 16, a trial had a more orderly code and blurred images.
"""

from __future__ import annotations

from typing import Any

from minicoord.experiments.vae.settings import ARMS

SEEDS = list(range(5))
TRIED_SEED = 100  # the seed that settings were chosen with, and no other

GRIDS: dict[str, list[dict[str, Any]]] = {
    "record": [{"preset": "record", "model": list(ARMS), "seed": [seed]} for seed in SEEDS],  # one pair after another
    "beta": [{"preset": "record", "model": "conv", "beta": [1.0, 4.0, 16.0], "seed": [TRIED_SEED]}],
    "heavy": [{"preset": "record", "model": list(ARMS), "beta": 16.0, "seed": [seed]} for seed in SEEDS],
    "full": [{"preset": "full", "model": list(ARMS), "seed": [0]}],
}
